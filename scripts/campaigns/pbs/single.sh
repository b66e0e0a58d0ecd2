#!/bin/bash
# One MPI run. Submit it again to go on: what is finished is in $OUT all the time.
# Edit: nodes, times, the environment, CONFIG and OUT. Keep run.max_minutes in CONFIG some minutes below walltime.
#PBS -N sim3d
#PBS -l select=4:ncpus=32:mpiprocs=2:ompthreads=16
#PBS -l walltime=12:00:00
set -u
cd "${PBS_O_WORKDIR:-.}" || exit 2
CONFIG=${CONFIG:-mysite.toml}
OUT=${OUT:-mysite.h5}
LAUNCH=${LAUNCH-mpirun --bind-to none} # threads may use all cores of their rank
[ -f "${SIM3D_ENV:-$HOME/sim3d-env}/bin/activate" ] && . "${SIM3D_ENV:-$HOME/sim3d-env}/bin/activate"
export SIM3D_CACHE_DIR=${SIM3D_CACHE_DIR:-$HOME/.cache/sim3d} # compiled kernels, for all nodes

# PBS sends SIGTERM before it kills, some seconds only: rely on run.max_minutes. mpirun hands SIGUSR1 to all ranks.
$LAUNCH sim3d run "$CONFIG" -o "$OUT" --resume --threads "${OMP_NUM_THREADS:-1}" &
child=$!
trap 'kill -USR1 $child' USR1 TERM
wait $child
status=$?
while kill -0 $child 2>/dev/null; do # the trap ended the first wait
    wait $child
    status=$?
done
case $status in
    0) echo "finished: $OUT" ;;
    3 | 130) echo "not finished: submit this job again" ;;
    *) echo "failed with status $status: see the message above" ;;
esac
exit $status
