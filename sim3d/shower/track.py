"""Record the track of a shower: the path of every particle, point by point, for replays, plots and energy balances."""

from __future__ import annotations

from numba import njit

# kinds of rows of a track; the end of a flight is T_END plus its fate (LOST, INTERACTION, DECAY)
T_START, T_STEP, T_END, T_INTERACTION, T_DECAY = range(5)
TRACK_COLUMNS = 7


@njit(nogil=True)
def note(track, what, species, x, y, z, kinetic, weight):
    """Append a row to a track.

    Parameters
    ----------
    track : float64 array (n, TRACK_COLUMNS)
        Column 0 of row 0 is the number of rows appended so far; rows beyond the end of the array are counted only.
    what : int
        Kind of row: T_START, T_STEP, or T_END plus the fate.
    species : int
    x, y, z : float
        Geocentric position (km).
    kinetic, weight : float
        Kinetic energy (GeV), statistical weight.
    """
    track[0, 0] += 1.0
    row = int(track[0, 0])
    if row < track.shape[0]:
        track[row, 0] = what
        track[row, 1] = species
        track[row, 2], track[row, 3], track[row, 4] = x, y, z
        track[row, 5] = kinetic
        track[row, 6] = weight
