#!/bin/bash
# A part of a run: task k of a job array does its share of the batches. Join the parts with merge.sh.
#   jid=$(sbatch --parsable --array=0-9 scripts/campaigns/slurm/array.sh)
#   sbatch --dependency=afterok:$jid scripts/campaigns/slurm/merge.sh
# Edit: times, the environment, CONFIG and PARTS (folder).
#SBATCH --job-name=sim3d-part
#SBATCH --ntasks=1
#SBATCH --cpus-per-task=16
#SBATCH --mem=4G
#SBATCH --time=12:00:00
#SBATCH --requeue
set -u
CONFIG=${CONFIG:-mysite.toml}
PARTS=${PARTS:-parts}
k=${SLURM_ARRAY_TASK_ID:-${TASK:-0}}
n=${SLURM_ARRAY_TASK_COUNT:-${TASKS:-1}}
[ -f "${SIM3D_ENV:-$HOME/sim3d-env}/bin/activate" ] && . "${SIM3D_ENV:-$HOME/sim3d-env}/bin/activate"
export SIM3D_CACHE_DIR=${SIM3D_CACHE_DIR:-$HOME/.cache/sim3d} # tasks wait for the first to compile
mkdir -p "$PARTS"
exec sim3d run "$CONFIG" -o "$PARTS/part-$k.h5" --resume \
    --part "$((k + 1))/$n" --threads "${SLURM_CPUS_PER_TASK:-1}"
