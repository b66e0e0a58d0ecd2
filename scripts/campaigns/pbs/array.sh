#!/bin/bash
# A part of a run: task k of a job array does its share of the batches. Join the parts with merge.sh.
#   jid=$(qsub -J 0-9 -v TASKS=10,BATCHES=1000 scripts/campaigns/pbs/array.sh)
#   qsub -W depend=afterok:$jid scripts/campaigns/pbs/merge.sh
# Edit: times, the environment, CONFIG, PARTS (folder) and BATCHES = run.primaries / run.batch_size, rounded up.
#PBS -N sim3d-part
#PBS -l select=1:ncpus=16:ompthreads=16
#PBS -l walltime=12:00:00
#PBS -r y
set -u
cd "${PBS_O_WORKDIR:-.}" || exit 2
CONFIG=${CONFIG:-mysite.toml}
PARTS=${PARTS:-parts}
BATCHES=${BATCHES:?number of batches of the run, primaries / batch_size}
k=${PBS_ARRAY_INDEX:-${TASK:-0}}
n=${TASKS:?number of tasks in the array}
[ -f "${SIM3D_ENV:-$HOME/sim3d-env}/bin/activate" ] && . "${SIM3D_ENV:-$HOME/sim3d-env}/bin/activate"
export SIM3D_CACHE_DIR=${SIM3D_CACHE_DIR:-${SCRATCH:-$HOME/.cache}/sim3d-cache} # tasks wait for the first to compile
mkdir -p "$PARTS"
exec sim3d run "$CONFIG" -o "$PARTS/part-$k.h5" --resume --quiet \
    --batch-range $((k * BATCHES / n)):$(((k + 1) * BATCHES / n)) --threads "${OMP_NUM_THREADS:-1}"
