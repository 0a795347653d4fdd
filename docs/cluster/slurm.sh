#!/bin/bash
# sbatch slurm.sh
#SBATCH --job-name=flowers
#SBATCH --nodes=4
# One worker takes all GPUs of its node.
#SBATCH --ntasks-per-node=1
#SBATCH --gpus-per-node=1
# The same job is started again where a node is taken away, and the run goes on.
#SBATCH --requeue

srun --kill-on-bad-exit=1 bash -c '
export TF_CONFIG="$(python -m tl_keras.tf_config)"
exec python -m tl_keras.train --distribute multi_worker --data.path data/flowers --run runs/flowers
'
