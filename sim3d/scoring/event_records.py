"""Event records: energy, direction, weight and primary of every scored crossing.

A batch kernel with a :class:`RecordBuffer` appends a record of :data:`RECORD_DTYPE` (68 bytes) for each crossing, in
the order in which it adds to the scores; with :data:`NO_RECORDS` it keeps none. After a primary that fills the buffer
the kernel returns, and is called again for the rest of the batch. So memory does not depend on the size of a batch, and
the scores, added to in the same order, are bitwise the same.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numba import njit

from sim3d.conventions.constants import EARTH_RADIUS_KM
from sim3d.primaries.groups import GROUP_CHARGE, GROUP_MASS_NUMBER
from sim3d.scoring.detectors import local_angles
from sim3d.shower.neutrino_list import NU_ENERGY, NU_X, NU_Y, NU_Z

FULL = 2**16
"""Records after which a kernel returns (4.5 MB)."""


class Column(NamedTuple):
    """One field of a record.

    Attributes
    ----------
    name : str
    dtype : str
        Little-endian type.
    unit, meaning : str
    """

    name: str
    dtype: str
    unit: str
    meaning: str


COLUMNS = (
    Column("batch", "<u4", "1", "number of the batch"),
    Column("primary", "<i8", "1", "index of the primary in the run; sim3d replay shows its shower"),
    Column("site", "<u2", "1", "place of the site in the list of the file's attribute sites"),
    Column("flavour", "|u1", "1", "place in the list of the file's attribute flavours"),
    Column("energy_GeV", "<f4", "GeV", "total energy of the neutrino"),
    Column("cos_zenith", "<f4", "1", "of the direction it comes from, +1 down-going, at the crossing's own vertical"),
    Column("azimuth_deg", "<f4", "degree", "of the direction it comes from, 0 S, 90 E, in the frame of the site"),
    Column("energy_bin", "|u1", "1", "fine energy bin that it was scored in"),
    Column("cos_zenith_bin", "|u1", "1", "fine zenith bin that it was scored in, ascending in cos_zenith"),
    Column("azimuth_bin", "|u1", "1", "azimuth bin that it was scored in"),
    Column("score", "<f8", "m^-2 s^-1", "what it adds to its batch's integral of the flux over its bin"),
    Column("weight", "<f4", "s^-1", "crossings that it stands for in its batch (mode rotated: of the whole sphere)"),
    Column("production_height_km", "<f4", "km", "height of the neutrino's birth above the sphere of 6371.2 km"),
    Column("primary_energy_GeV", "<f4", "GeV", "kinetic energy per nucleon at the top of the atmosphere"),
    Column("primary_mass_number", "|u1", "1", "mass number of the primary's group"),
    Column("primary_charge", "|u1", "1", "charge number of the primary's group"),
    Column("entry_lat_deg", "<f4", "degree", "geocentric latitude of the primary's entry at the top"),
    Column("entry_lon_deg", "<f4", "degree", "longitude of the primary's entry, -180 to 180, east positive"),
    Column("entry_cos_zenith", "<f4", "1", "of the direction the primary comes from, at its entry"),
    Column("entry_azimuth_deg", "<f4", "degree", "of the direction the primary comes from, 0 S, 90 E of its entry"),
)
RECORD_DTYPE = np.dtype([(column.name, column.dtype) for column in COLUMNS])


class RecordBuffer(NamedTuple):
    """Array that a batch kernel fills with records (numba argument).

    Attributes
    ----------
    rows : RECORD_DTYPE array (capacity,)
        The kernel returns a larger one where this is too small for the records of a primary.
    first_place : int
        Index in the batch of the primary to begin with.
    full : int
        The kernel returns before the next primary when it has at least this many records.
    wanted : bool
        Whether records are kept at all. A flag costs nothing that can be measured; another type of argument would cost
        every kernel another compilation.
    """

    rows: np.ndarray
    first_place: int
    full: int
    wanted: bool = True


NO_RECORDS = RecordBuffer(np.empty(1, RECORD_DTYPE), 0, FULL, False)
"""Buffer of a run that keeps no event records."""


@njit(nogil=True)
def with_room(rows, n_rows, more):
    """Return the array of records, or a larger copy of it if ``more`` further ones do not fit.

    Parameters
    ----------
    rows : RECORD_DTYPE array (capacity,)
    n_rows : int
        Records in it.
    more : int

    Returns
    -------
    RECORD_DTYPE array
    """
    if n_rows + more <= rows.shape[0]:
        return rows
    bigger = np.empty(2 * rows.shape[0] + more, RECORD_DTYPE)
    for i in range(n_rows):
        bigger[i] = rows[i]
    return bigger


@njit(nogil=True)
def _azimuth_deg(azimuth):
    """Convert an azimuth (radians) to degrees in single precision, below 360 (rounding could give 360)."""
    degrees = np.float32(math.degrees(azimuth))
    return degrees if degrees < np.float32(360.0) else np.float32(0.0)


@njit(nogil=True)
def describe_primary(record, index, kinetic, group, place, direction):
    """Fill the fields of a record that describe its primary.

    Parameters
    ----------
    record : RECORD_DTYPE record
    index, group : int
        Index in the run and mass group.
    kinetic : float
        Kinetic energy per nucleon at the top of the atmosphere (GeV).
    place, direction : float64 arrays (at least 3,)
        Position (km, geocentric) and direction of flight there.
    """
    r = math.sqrt(place[0] * place[0] + place[1] * place[1] + place[2] * place[2])
    nx, ny, nz = place[0] / r, place[1] / r, place[2] / r
    cosine, azimuth = local_angles(nx, ny, nz, direction[0], direction[1], direction[2])
    record["primary"] = index
    record["primary_energy_GeV"] = kinetic
    record["primary_mass_number"] = int(GROUP_MASS_NUMBER[group])
    record["primary_charge"] = int(GROUP_CHARGE[group])
    record["entry_lat_deg"] = math.degrees(math.asin(min(1.0, max(-1.0, nz))))
    record["entry_lon_deg"] = math.degrees(math.atan2(ny, nx))
    record["entry_cos_zenith"] = cosine
    record["entry_azimuth_deg"] = _azimuth_deg(azimuth)


@njit(nogil=True)
def fill_record(record, hit, neutrino, score, weight):
    """Fill the fields of a record that describe a hit; those of the primary and the batch are filled elsewhere.

    Parameters
    ----------
    record : RECORD_DTYPE record
    hit : record of :data:`sim3d.scoring.hits.HIT_DTYPE`
    neutrino : float64 array
        Row of the shower's list.
    score : float
        Contribution of the hit to the flux (m^-2 s^-1).
    weight : float
        Rate of crossings that the hit represents (s^-1).
    """
    record["site"] = hit["site"]
    record["flavour"] = hit["flavour"]
    record["energy_GeV"] = neutrino[NU_ENERGY]
    record["cos_zenith"] = hit["cos_zenith"]
    record["azimuth_deg"] = _azimuth_deg(hit["azimuth"])
    record["energy_bin"] = hit["energy_bin"]
    record["cos_zenith_bin"] = hit["cos_bin"]
    record["azimuth_bin"] = hit["azimuth_bin"]
    record["score"] = score
    record["weight"] = weight
    x, y, z = neutrino[NU_X], neutrino[NU_Y], neutrino[NU_Z]
    record["production_height_km"] = math.sqrt(x * x + y * y + z * z) - EARTH_RADIUS_KM
