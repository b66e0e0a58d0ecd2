"""The surface above a site by direction (a mountain): read it from a file, and test if a neutrino was made in rock.

Seen from the detector, a line of sight leaves the rock at an altitude that depends on its zenith and azimuth. Rock
fills the line from the detector to that point, so that the mountain is star-shaped about the detector. Everything that
a shower sends into the ground is lost in it: hadrons are absorbed, muons stop; a mu+ at rest gives neutrinos below
53 MeV, which is under the lowest scored energy, a mu- is captured. A down-going neutrino is therefore counted only if
the point where its parent decayed lies outside the rock on its own line of flight. Parents fly nearly along that line,
and what flew through rock before cannot come out of it towards the detector, because rock reaches from the detector
outwards.

The profile belongs to the site, and a patch of the size of a region stands for its site: the profile is applied at each
crossing of the patch, in the frame in which its zenith and azimuth are counted. On the far side of the Earth, where
up-going neutrinos come in, the ground stays flat.
"""

from __future__ import annotations

import csv
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numba import njit

from sim3d.conventions.constants import EARTH_RADIUS_KM
from sim3d.conventions.reference_files import data_lines
from sim3d.conventions.text_files import read_text
from sim3d.errors import InputError
from sim3d.jit_options import UNCOUNTED
from sim3d.scoring.detectors import SITE_DTYPE, Detector

HIGHEST_M = 9000.0
"""Largest altitude that is taken (m)."""
LARGEST_THICKNESS_M = 1.0e5
"""Largest slant thickness that is taken (m); a line of sight is within 9 km of the ground for 340 km at most."""
MOST_NODES = 100_000
"""Largest number of directions that is taken."""

_AZIMUTHS = ("azimuth_deg", "azimuth_from_north_deg")
_HEIGHTS = ("altitude_m", "thickness_m")


@dataclass(frozen=True)
class Surface:
    """Altitude of the surface by direction, on a grid.

    Attributes
    ----------
    zenith_deg : float64 array (n,)
        Rising, 0 to 90.
    azimuth_deg : float64 array (m,)
        Rising, 0 to below 360, counted from south through east; one for a profile that does not depend on azimuth.
    altitude_m : float64 array (n, m)
        Above the sphere of 6371.2 km, where the line of sight leaves the rock.
    """

    zenith_deg: np.ndarray
    azimuth_deg: np.ndarray
    altitude_m: np.ndarray

    def nodes(self) -> np.ndarray:
        """Values for the kernels: zeniths, azimuths (degrees) and altitudes (km, azimuth fastest).

        Returns
        -------
        float64 array (n + m + n m,)
        """
        return np.concatenate([self.zenith_deg, self.azimuth_deg, self.altitude_m.ravel() * 1e-3])


def read_surface(path: str | Path, detector_altitude_m: float | None) -> tuple[Surface, float]:
    """Read a surface from a CSV file.

    Parameters
    ----------
    path : str or Path
        Columns ``zenith_deg``, ``azimuth_deg`` (from south through east) or ``azimuth_from_north_deg`` (through east),
        and ``altitude_m`` (of the surface) or ``thickness_m`` (of rock along the direction). Every zenith has a row for
        every azimuth. ``#`` begins a comment, further columns are ignored.
    detector_altitude_m : float or None
        Altitude of the detector (m). None takes the lowest altitude of the file.

    Returns
    -------
    surface : Surface
    altitude_m : float
        Altitude of the detector.

    Raises
    ------
    InputError
        One line that names the file and what is wrong with it.
    """
    path = Path(path)
    lines = data_lines(read_text(path, "surface").splitlines())
    table = csv.DictReader(lines, skipinitialspace=True)
    columns = [str(name).strip() for name in table.fieldnames or ()]
    azimuth = _column(path, columns, _AZIMUTHS)
    height = _column(path, columns, _HEIGHTS)
    _column(path, columns, ("zenith_deg",))
    values: dict[tuple[float, float], float] = {}
    for number, cells in enumerate(table, start=1):
        row = {str(name).strip(): cell for name, cell in cells.items()}
        zenith = _number(path, number, row, "zenith_deg", 0.0, 90.0)
        turn = _number(path, number, row, azimuth, -360.0, 360.0)
        # north is 180 degrees from south, and the two azimuths run in opposite senses
        turn = (turn if azimuth == "azimuth_deg" else 180.0 - turn) % 360.0
        limits = (-5000.0, HIGHEST_M) if height == "altitude_m" else (0.0, LARGEST_THICKNESS_M)
        if (zenith, turn) in values:
            raise InputError(f"surface {path}, row {number}: zenith {zenith:g}, azimuth {turn:g} was given before")
        values[zenith, turn] = _number(path, number, row, height, *limits)
        if len(values) > MOST_NODES:
            raise InputError(f"surface {path}: more than {MOST_NODES} directions")
    zeniths, azimuths = (np.array(sorted({node[i] for node in values})) for i in (0, 1))
    for node in ((zenith, turn) for zenith in zeniths for turn in azimuths):
        if node not in values:
            raise InputError(
                f"surface {path}: no row for zenith {node[0]:g}, azimuth {node[1]:g} (from south); every zenith needs "
                "a row for every azimuth"
            )
    if not values:
        raise InputError(f"surface {path}: has no rows")
    grid = np.array([[values[zenith, turn] for turn in azimuths] for zenith in zeniths])
    if height == "thickness_m":
        if detector_altitude_m is None:
            raise InputError(f"surface {path}: with thickness_m the site needs altitude_m, that of the detector")
        r, cosines = EARTH_RADIUS_KM * 1e3 + detector_altitude_m, np.cos(np.radians(zeniths))[:, None]
        grid = (grid**2 + 2.0 * r * grid * cosines) / (np.sqrt(r**2 + grid**2 + 2.0 * r * grid * cosines) + r)
        grid += detector_altitude_m
    if zeniths[0] == 0.0 and np.ptp(grid[0]) > 0.0:
        raise InputError(f"surface {path}: {np.ptp(grid[0]):g} m between azimuths at zenith 0, which is one direction")
    lowest = float(grid.min())
    altitude = lowest if detector_altitude_m is None else float(detector_altitude_m)
    if lowest < altitude:
        raise InputError(
            f"surface {path}: altitude {lowest:g} m, below the detector; allowed: altitude_m of the site "
            f"({altitude:g} m) or more"
        )
    return Surface(zeniths, azimuths, grid), altitude


def _column(path: Path, columns: Sequence[str], allowed: Sequence[str]) -> str:
    found = [name for name in allowed if name in columns]
    if len(found) != 1:
        wanted = " or ".join(allowed)
        problem = "no column" if not found else "give one column of"
        raise InputError(f"surface {path}: {problem} {wanted}, found {', '.join(columns) or 'an empty file'}")
    return found[0]


def _number(path: Path, number: int, row: dict[str, str | None], column: str, low: float, high: float) -> float:
    text = (row.get(column) or "").strip()
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not low <= value <= high:
        raise InputError(f"surface {path}, row {number}: {column} {text or 'blank'}, allowed: {low:g} to {high:g}")
    return value


def site_rows(detectors: Sequence[Detector], surfaces: Sequence[Surface | None]) -> tuple[np.ndarray, np.ndarray]:
    """Make the kernels' table of sites, with the surfaces of those that have one.

    Parameters
    ----------
    detectors : sequence of Detector
    surfaces : sequence of Surface or None
        One for each detector; None for flat ground.

    Returns
    -------
    sites : SITE_DTYPE array (sites,)
        A site with a surface has its numbers of zeniths and azimuths, and the index of its first node.
    nodes : float64 array
        Nodes of all surfaces, one after the other.
    """
    table = np.array([detector.row() for detector in detectors], SITE_DTYPE)
    nodes = [np.zeros(0)]
    for site, surface in zip(table, surfaces, strict=True):
        if surface is not None:
            site["zeniths"], site["azimuths"] = surface.altitude_m.shape
            site["first_node"] = sum(part.size for part in nodes)
            nodes.append(surface.nodes())
    return table, np.concatenate(nodes)


@njit(**UNCOUNTED)
def _place(nodes, first, n, at):
    """Index of the node at or below a value, in nodes[first : first + n], and the share of the next; ends hold."""
    if n == 1 or at <= nodes[first]:
        return 0, 0.0
    if at >= nodes[first + n - 1]:
        return n - 1, 0.0
    low, high = 0, n - 1
    while high - low > 1:
        middle = (low + high) // 2
        if nodes[first + middle] <= at:
            low = middle
        else:
            high = middle
    return low, (at - nodes[first + low]) / (nodes[first + low + 1] - nodes[first + low])


@njit(**UNCOUNTED)
def surface_km(site, nodes, cos_zenith, azimuth):
    """Altitude at which a line of sight from the detector leaves the rock: linear in zenith and azimuth.

    Parameters
    ----------
    site : record of SITE_DTYPE
        With a surface.
    nodes : float64 array
        Of :func:`site_rows`.
    cos_zenith, azimuth : float
        Direction of arrival; azimuth in radians from south through east.

    Returns
    -------
    float
        km above the sphere of 6371.2 km. Beyond the first and last zenith of the profile their altitudes hold.
    """
    n, m, first_zenith = site["zeniths"], site["azimuths"], site["first_node"]
    first_azimuth = first_zenith + n
    first = first_azimuth + m
    i, up = _place(nodes, first_zenith, n, math.degrees(math.acos(min(1.0, max(-1.0, cos_zenith)))))
    degrees = math.degrees(azimuth)
    lowest, highest = nodes[first_azimuth], nodes[first_azimuth + m - 1]
    if m > 1 and (degrees < lowest or degrees > highest):
        # between the last azimuth and the first, one turn on
        j, k = m - 1, 0
        share = (degrees - highest + (360.0 if degrees < lowest else 0.0)) / (lowest + 360.0 - highest)
    else:
        j, share = _place(nodes, first_azimuth, m, degrees)
        k = min(j + 1, m - 1)
    below = nodes[first + i * m + j]
    below += share * (nodes[first + i * m + k] - below)
    if up == 0.0:
        return below
    above = nodes[first + (i + 1) * m + j]
    above += share * (nodes[first + (i + 1) * m + k] - above)
    return below + up * (above - below)


@njit(**UNCOUNTED)
def born_in_rock(site, nodes, x, y, z, cos_zenith, azimuth):
    """Whether a neutrino that arrives from above was made inside the mountain over its site.

    On a line that comes down to the detector the distance from the Earth's centre falls, so that the point lies in rock
    where it is below the altitude at which the line leaves the rock.

    Parameters
    ----------
    site : record of SITE_DTYPE
    nodes : float64 array
        Of :func:`site_rows`.
    x, y, z : float
        Where it was made (km).
    cos_zenith, azimuth : float
        Direction of arrival; azimuth in radians from south through east.

    Returns
    -------
    bool
        False for up-going neutrinos and for sites without a surface.
    """
    if cos_zenith <= 0.0 or site["zeniths"] == 0:
        return False
    radius = EARTH_RADIUS_KM + surface_km(site, nodes, cos_zenith, azimuth)
    return x * x + y * y + z * z <= radius * radius
