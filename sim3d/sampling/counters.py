"""Numbers of the counters of a run: primaries, neutrinos, crossings, back-traced trajectories."""

from __future__ import annotations

# counters a batch returns
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
