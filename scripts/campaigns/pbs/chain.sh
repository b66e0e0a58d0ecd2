#!/bin/bash
# A chain: every job submits the next one before it starts, and takes it back when the run is finished or has failed.
# Edit as single.sh. MOST is the largest number of jobs in the chain.
#PBS -N sim3d-chain
#PBS -l select=4:ncpus=32:mpiprocs=2:ompthreads=16
#PBS -l walltime=12:00:00
set -u
cd "${PBS_O_WORKDIR:-.}" || exit 2
LINK=${LINK:-1}
MOST=${MOST:-20}
# under PBS this file is a copy in a spool folder: submit from the folder that scripts/ is in, or set HERE
HERE=${HERE:-scripts/campaigns/pbs}
next=
if [ "$LINK" -lt "$MOST" ] && command -v qsub >/dev/null; then
    # afterany: also if this node dies
    next=$(qsub -W depend=afterany:"$PBS_JOBID" -V -v LINK=$((LINK + 1)) "$HERE/chain.sh")
fi
bash "$HERE/single.sh" &
child=$!
trap 'kill -USR1 $child' USR1 TERM
wait $child
status=$?
while kill -0 $child 2>/dev/null; do
    wait $child
    status=$?
done
case $status in
    3 | 130) echo "link $LINK ended, the next one goes on" ;;
    *) [ -n "$next" ] && qdel "$next" ;;
esac
exit $status
