#!/bin/bash
# sbatch predict_slurm.sh: each task of the array predicts its shard; a requeued task resumes.
#SBATCH --job-name=predict
#SBATCH --array=1-16
#SBATCH --cpus-per-task=4
#SBATCH --requeue
exec python -m tl_keras.predict runs/photos photos --format parquet --output predicted \
    --shard "$SLURM_ARRAY_TASK_ID/$SLURM_ARRAY_TASK_COUNT"
