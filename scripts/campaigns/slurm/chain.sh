#!/bin/bash
# A chain: every job submits the next one before it starts, and takes it back when the run is finished or has failed.
# Edit as single.sh. MOST is the largest number of jobs in the chain.
#SBATCH --job-name=sim3d-chain
#SBATCH --nodes=4
#SBATCH --ntasks-per-node=2 # one rank per socket, threads inside
#SBATCH --cpus-per-task=16
#SBATCH --mem=8G
#SBATCH --time=12:00:00
#SBATCH --signal=B:USR1@300
set -u
LINK=${LINK:-1}
MOST=${MOST:-20}
# under Slurm this file is a copy in a spool folder: submit from the folder that scripts/ is in, or set HERE
HERE=${HERE:-scripts/campaigns/slurm}
next=
if [ "$LINK" -lt "$MOST" ] && command -v sbatch >/dev/null; then
    # afterany: also if this node dies
    next=$(sbatch --parsable --dependency=afterany:"$SLURM_JOB_ID" --export=ALL,LINK=$((LINK + 1)) "$HERE/chain.sh")
fi
bash "$HERE/single.sh" &
child=$!
trap 'kill -USR1 $child' USR1
wait $child
status=$?
while kill -0 $child 2>/dev/null; do
    wait $child
    status=$?
done
case $status in
    3 | 130) echo "link $LINK ended, the next one goes on" ;;
    *) [ -n "$next" ] && scancel "$next" ;;
esac
exit $status
