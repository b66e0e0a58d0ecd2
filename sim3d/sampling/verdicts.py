"""Decide for many primaries at once whether they can come from outside the magnetosphere, and count the verdicts."""

from __future__ import annotations

from numba import config, njit

from geomag.trajectories.early_verdicts import ALLOWED, UNDECIDED
from geomag.trajectories.lockstep import decide_many
from geomag.trajectories.tracing import backtrack
from sim3d.sampling.counters import C_BACKTRACKED, C_FORBIDDEN, C_UNDECIDED

# the lanes are machine instructions: without compiling, one trajectory is followed after another
_LANES = not getattr(config, "DISABLE_JIT", 0)


@njit(nogil=True)
def verdicts_of(places, directions, rigidities, n, gauss, singles, trace, bounds, counters, verdicts):
    """Back-track primaries from the top of the atmosphere.

    Parameters
    ----------
    places, directions : float64 arrays (>= n, 3)
        Positions (km) and directions of flight.
    rigidities : float64 array (>= n,)
        GV. Fastest in ascending order.
    n : int
        Primaries.
    gauss : float64 array
        Coefficients of the geomagnetic field.
    singles, trace, bounds
        See :class:`sim3d.sampling.batch.BatchTask`.
    counters : int64 array (N_COUNTERS,)
        Added to.
    verdicts : int8 array (>= n,)
        Filled: 1 if the trajectory is allowed, 0 if it is forbidden, 2 if it is undecided.
    """
    if _LANES:
        decide_many(places[:n], directions[:n], rigidities[:n], verdicts[:n], gauss, singles, trace, bounds)
    else:
        for i in range(n):
            x, y, z = places[i]
            ux, uy, uz = directions[i]
            verdicts[i] = backtrack(x, y, z, ux, uy, uz, rigidities[i], gauss, trace)
    counters[C_BACKTRACKED] += n
    for i in range(n):
        if verdicts[i] != ALLOWED:
            counters[C_FORBIDDEN] += 1
            if verdicts[i] == UNDECIDED:
                counters[C_UNDECIDED] += 1
