"""The track of a shower: rows that say where each particle went, for replays, pictures and accounts of energy."""

from __future__ import annotations

from numba import njit

# kinds of rows of a track; an end is T_END plus its fate
T_START, T_STEP, T_END, T_INTERACTION, T_DECAY = range(5)
TRACK_COLUMNS = 7


@njit(nogil=True)
def note(track, what, species, x, y, z, kinetic, weight):
    """Append a row to a track: what (T_...), species, position (km), kinetic energy (GeV), weight.

    Row 0 holds the number of rows wanted so far in its first column; rows that do not fit are counted only.
    """
    track[0, 0] += 1.0
    row = int(track[0, 0])
    if row < track.shape[0]:
        track[row, 0] = what
        track[row, 1] = species
        track[row, 2], track[row, 3], track[row, 4] = x, y, z
        track[row, 5] = kinetic
        track[row, 6] = weight
