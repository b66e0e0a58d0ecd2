"""Event records: one row for every crossing that is scored, with the primary it came from.

A batch kernel that is given a :class:`RecordBuffer` appends a row of float64 columns for each crossing, in the order in
which it adds to the scores; without one (the default) no code for it is made. After a primary that fills the buffer
the kernel returns, and is called again for the rest of the batch: memory does not depend on the size of a batch, and
the scores, added to in the same order, are the same bit by bit.

Rows are packed into :data:`RECORD_DTYPE` (68 bytes), which is what files and the Python interface have.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numba import njit

from sim3d.detectors import arrival_angles
from sim3d.hits import patch_hits
from sim3d.primary_groups import GROUP_CHARGE, GROUP_MASS_NUMBER
from sim3d.shower import NU_ENERGY, NU_WEIGHT, NU_X, NU_Y, NU_Z
from sim3d.world import EARTH_RADIUS_KM

# columns of a buffer; the first seven describe the primary
(
    R_PRIMARY,
    R_PRIMARY_ENERGY,
    R_GROUP,
    R_ENTRY_LAT,
    R_ENTRY_LON,
    R_ENTRY_COS,
    R_ENTRY_AZIMUTH,
    R_SITE,
    R_FLAVOUR,
    R_ENERGY,
    R_COS,
    R_AZIMUTH,
    R_ENERGY_BIN,
    R_COS_BIN,
    R_AZIMUTH_BIN,
    R_SCORE,
    R_WEIGHT,
    R_HEIGHT,
) = range(18)
RECORD_COLUMNS = 18
PRIMARY_COLUMNS = 7

FULL = 2**16
"""Records after which a kernel returns (9 MB of rows)."""


class Column(NamedTuple):
    """A field of a record: its type (little-endian), unit and meaning."""

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
    Column("azimuth_deg", "<f4", "degree", "of the direction it comes from, counter-clockwise from south: 90 is east"),
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
    Column("entry_azimuth_deg", "<f4", "degree", "of the direction the primary comes from, as azimuth_deg"),
)
RECORD_DTYPE = np.dtype([(column.name, column.dtype) for column in COLUMNS])


class RecordBuffer(NamedTuple):
    """Where a batch kernel puts its records (numba argument).

    Attributes
    ----------
    rows : float64 array (capacity, RECORD_COLUMNS)
        The kernel returns a larger one where this is too small for the records of a primary.
    first_place : int
        Place in the batch of the primary to begin with.
    full : int
        The kernel returns before the next primary when it has so many records.
    """

    rows: np.ndarray
    first_place: int
    full: int


@njit(nogil=True)
def describe_primary(about, index, kinetic, group, place, direction):
    """Fill the columns of a record that belong to its primary.

    Parameters
    ----------
    about : float64 array (PRIMARY_COLUMNS,)
    index, group : int
        Index in the run and mass group.
    kinetic : float
        Kinetic energy per nucleon at the top of the atmosphere (GeV).
    place, direction : float64 arrays (at least 3,)
        Position (km, geocentric) and direction of flight there.
    """
    r = math.sqrt(place[0] * place[0] + place[1] * place[1] + place[2] * place[2])
    nx, ny, nz = place[0] / r, place[1] / r, place[2] / r
    cosine, azimuth = arrival_angles(nx, ny, nz, direction[0], direction[1], direction[2])
    about[R_PRIMARY] = index
    about[R_PRIMARY_ENERGY] = kinetic
    about[R_GROUP] = group
    about[R_ENTRY_LAT] = math.degrees(math.asin(min(1.0, max(-1.0, nz))))
    about[R_ENTRY_LON] = math.degrees(math.atan2(ny, nx))
    about[R_ENTRY_COS] = cosine
    about[R_ENTRY_AZIMUTH] = math.degrees(azimuth)


@njit(nogil=True)
def with_room(rows, n_rows, more):
    """The buffer, or a larger copy of it if ``more`` further rows do not fit."""
    if n_rows + more <= rows.shape[0]:
        return rows
    bigger = np.empty((2 * rows.shape[0] + more, rows.shape[1]))
    bigger[:n_rows] = rows[:n_rows]
    return bigger


@njit(nogil=True)
def fill_record(row, about, site, neutrino, cos_zenith, azimuth, score, weight):
    """Fill a row but for flavour and bins (azimuth in radians from south)."""
    row[:PRIMARY_COLUMNS] = about
    row[R_SITE] = site
    row[R_ENERGY] = neutrino[NU_ENERGY]
    row[R_COS] = cos_zenith
    row[R_AZIMUTH] = math.degrees(azimuth)
    row[R_SCORE] = score
    row[R_WEIGHT] = weight
    x, y, z = neutrino[NU_X], neutrino[NU_Y], neutrino[NU_Z]
    row[R_HEIGHT] = math.sqrt(x * x + y * y + z * z) - EARTH_RADIUS_KM


@njit(nogil=True)
def fill_bins(row, flavour, i_energy, i_cos, i_azimuth):
    """Fill a row's flavour and bins."""
    row[R_FLAVOUR] = flavour
    row[R_ENERGY_BIN], row[R_COS_BIN], row[R_AZIMUTH_BIN] = i_energy, i_cos, i_azimuth


@njit(nogil=True)
def record_hits(rows, n_rows, about, neutrinos, n, energy_min, sites, first_site, n_azimuth, weight):
    """Append the crossings of a shower's neutrinos through patches.

    Parameters
    ----------
    rows, n_rows
        Buffer and records in it.
    about : float64 array (PRIMARY_COLUMNS,)
        From :func:`describe_primary`.
    neutrinos, n
        The shower kernel's list.
    energy_min : float
        Neutrinos below this energy (GeV) were not scored.
    sites : float64 array (m, SITE_COLUMNS)
        Sites to score, the first of which is number ``first_site`` of the run.
    n_azimuth : int
    weight : float
        Of the primary (s^-1): what the values of :func:`sim3d.hits.patch_hits` were multiplied by in the scores.

    Returns
    -------
    rows, n_rows
        The (possibly larger) buffer and the records in it now.
    """
    most = 2 * sites.shape[0]
    bins, values, angles = np.empty((most, 5), dtype=np.int64), np.empty(most), np.empty((most, 2))
    for i in range(n):
        if neutrinos[i, NU_ENERGY] < energy_min:
            continue
        hits = patch_hits(neutrinos[i], sites, n_azimuth, bins, values, 0, angles)
        rows = with_room(rows, n_rows, hits)
        for j in range(hits):
            row = rows[n_rows]
            fill_record(
                row,
                about,
                first_site + bins[j, 0],
                neutrinos[i],
                angles[j, 0],
                angles[j, 1],
                weight * values[j],
                weight * neutrinos[i, NU_WEIGHT],
            )
            fill_bins(row, bins[j, 1], bins[j, 2], bins[j, 3], bins[j, 4])
            n_rows += 1
    return rows, n_rows


def pack(rows: np.ndarray, batch: int) -> np.ndarray:
    """Rows of a kernel as records.

    Parameters
    ----------
    rows : float64 array (n, RECORD_COLUMNS)
    batch : int

    Returns
    -------
    RECORD_DTYPE array (n,)
    """
    out = np.empty(len(rows), dtype=RECORD_DTYPE)
    group = rows[:, R_GROUP].astype(np.int64)
    out["batch"] = batch
    out["primary_mass_number"] = GROUP_MASS_NUMBER[group]
    out["primary_charge"] = GROUP_CHARGE[group]
    for name, column in _PLAIN.items():
        out[name] = rows[:, column]
    for name in ("azimuth_deg", "entry_azimuth_deg"):  # single precision may round up to a full turn
        out[name][out[name] >= 360.0] = 0.0
    return out


_PLAIN = {
    "primary": R_PRIMARY,
    "site": R_SITE,
    "flavour": R_FLAVOUR,
    "energy_GeV": R_ENERGY,
    "cos_zenith": R_COS,
    "azimuth_deg": R_AZIMUTH,
    "energy_bin": R_ENERGY_BIN,
    "cos_zenith_bin": R_COS_BIN,
    "azimuth_bin": R_AZIMUTH_BIN,
    "score": R_SCORE,
    "weight": R_WEIGHT,
    "production_height_km": R_HEIGHT,
    "primary_energy_GeV": R_PRIMARY_ENERGY,
    "entry_lat_deg": R_ENTRY_LAT,
    "entry_lon_deg": R_ENTRY_LON,
    "entry_cos_zenith": R_ENTRY_COS,
    "entry_azimuth_deg": R_ENTRY_AZIMUTH,
}
