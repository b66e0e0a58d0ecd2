#!/bin/bash
# One MPI run. Submit it again to go on: what is finished is in $OUT all the time.
# Edit: nodes, times, the environment, CONFIG and OUT. Keep run.max_minutes in CONFIG some minutes below --time.
#SBATCH --job-name=sim3d
#SBATCH --nodes=4
#SBATCH --ntasks-per-node=2 # one rank per socket, threads inside
#SBATCH --cpus-per-task=16
#SBATCH --mem=8G
#SBATCH --time=12:00:00
#SBATCH --signal=B:USR1@300
set -u
CONFIG=${CONFIG:-mysite.toml}
OUT=${OUT:-mysite.h5}
LAUNCH=${LAUNCH-mpirun --bind-to none --map-by ppr:${SLURM_NTASKS_PER_NODE:-1}:node} # or: srun --mpi=pmix
[ -f "${SIM3D_ENV:-$HOME/sim3d-env}/bin/activate" ] && . "${SIM3D_ENV:-$HOME/sim3d-env}/bin/activate"
export SIM3D_CACHE_DIR=${SIM3D_CACHE_DIR:-$HOME/.cache/sim3d} # compiled kernels, for all nodes

# Slurm sends SIGUSR1 to this shell five minutes before the end; mpirun hands it to all ranks, which write and leave.
$LAUNCH sim3d run "$CONFIG" -o "$OUT" --resume --threads "${SLURM_CPUS_PER_TASK:-1}" &
child=$!
trap 'kill -USR1 $child' USR1
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
