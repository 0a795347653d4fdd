#!/bin/bash
# sbatch slurm.sh
#SBATCH --job-name=flowers
#SBATCH --nodes=4
# One worker uses all GPUs of its node.
#SBATCH --ntasks-per-node=1
#SBATCH --gpus-per-node=1
# The job restarts if it loses a node, and the run resumes.
#SBATCH --requeue

srun --kill-on-bad-exit=1 bash -c '
export TF_CONFIG="$(python -m tl_keras.tf_config)"
exec python -m tl_keras.train --distribute multi_worker --data.path data/flowers --run runs/flowers
'
