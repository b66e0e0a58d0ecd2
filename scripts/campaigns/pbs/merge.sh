#!/bin/bash
# Join the parts that array.sh made, and check the result.
#PBS -N sim3d-merge
#PBS -l select=1:ncpus=1
#PBS -l walltime=00:30:00
set -u
cd "${PBS_O_WORKDIR:-.}" || exit 2
OUT=${OUT:-mysite.h5}
PARTS=${PARTS:-parts}
[ -f "${SIM3D_ENV:-$HOME/sim3d-env}/bin/activate" ] && . "${SIM3D_ENV:-$HOME/sim3d-env}/bin/activate"
sim3d merge "$PARTS"/part-*.h5 -o "$OUT" --force && sim3d info --verify "$OUT"
