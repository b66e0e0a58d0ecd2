#!/bin/bash
# Join the parts that array.sh made, and check the result.
#SBATCH --job-name=sim3d-merge
#SBATCH --ntasks=1
#SBATCH --time=00:30:00
set -u
OUT=${OUT:-mysite.h5}
PARTS=${PARTS:-parts}
[ -f "${SIM3D_ENV:-$HOME/sim3d-env}/bin/activate" ] && . "${SIM3D_ENV:-$HOME/sim3d-env}/bin/activate"
sim3d merge "$PARTS"/part-*.h5 -o "$OUT" --force && sim3d info --verify "$OUT"
