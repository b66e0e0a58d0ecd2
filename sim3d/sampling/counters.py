"""Counters of a run, in the order of the kernels' array: primaries, neutrinos, crossings, back-traced trajectories."""

from __future__ import annotations

# places in the array of counters that batch kernels add to
C_PRIMARIES, C_NEUTRINOS, C_CROSSINGS, C_BACKTRACKED, C_FORBIDDEN, C_UNDECIDED, C_ROTATIONS = range(7)

C_MUON_PRIMARIES, C_MUON_CROSSINGS = range(7, 9)

COUNTERS = (
    "primaries",
    "neutrinos",
    "crossings",
    "backtracked",
    "forbidden",
    "undecided",
    "rotations",
    "muon_primaries",
    "muon_crossings",
)

N_COUNTERS = len(COUNTERS)
