#!/bin/bash
# A part of a run: task k of a job array does its share of the batches. Join the parts with merge.sh.
#   jid=$(qsub -J 0-9 -v TASKS=10 scripts/campaigns/pbs/array.sh)
#   qsub -W depend=afterok:$jid scripts/campaigns/pbs/merge.sh
# Edit: times, the environment, CONFIG and PARTS (folder).
#PBS -N sim3d-part
#PBS -l select=1:ncpus=16:ompthreads=16
#PBS -l walltime=12:00:00
#PBS -r y
set -u
cd "${PBS_O_WORKDIR:-.}" || exit 2
CONFIG=${CONFIG:-mysite.toml}
PARTS=${PARTS:-parts}
k=${PBS_ARRAY_INDEX:-${TASK:-0}}
n=${TASKS:?number of tasks in the array}
[ -f "${SIM3D_ENV:-$HOME/sim3d-env}/bin/activate" ] && . "${SIM3D_ENV:-$HOME/sim3d-env}/bin/activate"
export SIM3D_CACHE_DIR=${SIM3D_CACHE_DIR:-$HOME/.cache/sim3d} # tasks wait for the first to compile
mkdir -p "$PARTS"
exec sim3d run "$CONFIG" -o "$PARTS/part-$k.h5" --resume \
    --part "$((k + 1))/$n" --threads "${OMP_NUM_THREADS:-1}"
