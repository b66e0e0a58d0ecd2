"""Detector patches at the sites: crossings of neutrinos with them, and arrival angles.

A detector is a horizontal surface on the sphere of the site's radius: a cap, or a rectangle whose sides run along
magnetic north and east at the site's centre. In the rectangle's own latitude and longitude (equator through the centre
along magnetic east, so that +-ns/2 and +-ew/2 bound it) its area is R^2 ew 2 sin(ns/2). A neutrino is a straight line.
It crosses a sphere below its birth twice, as down-going and as up-going, and both crossings are scored. The zenith
angle refers to the vertical at the crossing. The azimuth is counted from the geographic south of the site's centre,
carried by parallel transport along the great circle to the crossing (docs/manual/conventions.md).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numba import njit

from sim3d.conventions.constants import EARTH_RADIUS_KM
from sim3d.jit_options import UNCOUNTED

SITE_DTYPE = np.dtype(
    [
        ("up", np.float64, 3),
        ("magnetic_north", np.float64, 3),
        ("magnetic_east", np.float64, 3),
        ("south", np.float64, 3),
        ("east", np.float64, 3),
        ("radius_km", np.float64),
        ("area_m2", np.float64),
        ("cos_farthest", np.float64),
        ("sin_half_ns", np.float64),
        ("half_ew", np.float64),
        ("shape", np.int64),
        ("zeniths", np.int64),
        ("azimuths", np.int64),
        ("first_node", np.int64),
    ]
)
"""A site for the kernels: unit vectors at its centre (the patch's axes magnetic; south and east geographic, from which
azimuths are counted), radius and area of the patch, cosine of the angle to its farthest point, sine of half its side to
the north and half its side to the east (rad), RECTANGLE or CAP, and where its mountain is (see
:func:`sim3d.scoring.surface.site_rows`)."""

RECTANGLE, CAP = 0, 1


@dataclass(frozen=True)
class Detector:
    """One site with its detector patch.

    Attributes
    ----------
    name : str
        Site name, lower case.
    lat_deg, lon_deg : float
        Geodetic latitude and longitude of the centre (degrees).
    altitude_m : float
        Height of the patch above the sphere (m).
    geocentric_lat_deg : float
        Geocentric latitude used in the tracking (degrees).
    declination_deg : float
        Angle of magnetic north from geographic north, positive to the east (degrees).
    ns_deg, ew_deg : float
        Sides of the rectangle along magnetic north and east (degrees); 0 for a cap.
    radius_deg : float
        Radius of the cap (degrees); 0 for a rectangle.
    """

    name: str
    lat_deg: float
    lon_deg: float
    altitude_m: float
    geocentric_lat_deg: float
    declination_deg: float
    ns_deg: float = 0.0
    ew_deg: float = 0.0
    radius_deg: float = 0.0

    @property
    def radius_km(self) -> float:
        """Distance of the patch from the Earth's centre (km)."""
        return EARTH_RADIUS_KM + self.altitude_m * 1e-3

    @property
    def area_m2(self) -> float:
        """Area of the patch (m2)."""
        r = self.radius_km * 1e3
        if self.radius_deg > 0.0:
            return 4.0 * math.pi * r**2 * math.sin(0.5 * math.radians(self.radius_deg)) ** 2
        return r**2 * math.radians(self.ew_deg) * 2.0 * math.sin(0.5 * math.radians(self.ns_deg))

    @property
    def earth_share(self) -> float:
        """Fraction of its sphere that the patch covers."""
        return self.area_m2 / (4.0 * math.pi * (self.radius_km * 1e3) ** 2)

    @property
    def patch(self) -> str:
        """Description of the patch: shape and size."""
        if self.radius_deg > 0.0:
            return f"cap of radius {self.radius_deg:g} deg"
        return f"rectangle {self.ns_deg:g} deg (magnetic north) x {self.ew_deg:g} deg"

    def row(self) -> np.void:
        """Record of the site for the kernels: unit vectors, radius, shape and area; without a mountain.

        South and east are those of the site's meridian, so that they exist at a pole too.

        Returns
        -------
        record of SITE_DTYPE
        """
        lat, lon = math.radians(self.geocentric_lat_deg), math.radians(self.lon_deg)
        up = np.array([math.cos(lat) * math.cos(lon), math.cos(lat) * math.sin(lon), math.sin(lat)])
        east = np.array([-math.sin(lon), math.cos(lon), 0.0])
        north = np.cross(up, east)
        d = math.radians(self.declination_deg)
        magnetic_north = math.cos(d) * north + math.sin(d) * east
        out = np.zeros(1, SITE_DTYPE)[0]
        out["up"], out["magnetic_north"], out["magnetic_east"] = up, magnetic_north, np.cross(magnetic_north, up)
        out["south"], out["east"] = -north, east
        out["radius_km"], out["area_m2"] = self.radius_km, self.area_m2
        if self.radius_deg > 0.0:
            out["shape"] = CAP
            out["cos_farthest"] = math.cos(math.radians(self.radius_deg))
        else:
            half_ns, half_ew = 0.5 * math.radians(self.ns_deg), 0.5 * math.radians(self.ew_deg)
            out["shape"] = RECTANGLE
            out["sin_half_ns"] = math.sin(half_ns)
            out["half_ew"] = half_ew
            # the corners are the farthest points from the centre, unless the rectangle reaches round the back
            farthest = math.cos(half_ns) * math.cos(half_ew) if half_ew < 0.5 * math.pi else -1.0
            out["cos_farthest"] = farthest - 1e-12
        return out


@njit(**UNCOUNTED)
def inside_patch(site, nx, ny, nz):
    """Whether a direction from the Earth's centre lies in the patch of a site.

    Parameters
    ----------
    site : record of SITE_DTYPE
    nx, ny, nz : float
        Unit vector.

    Returns
    -------
    bool
    """
    up = nx * site["up"][0] + ny * site["up"][1] + nz * site["up"][2]
    if up < site["cos_farthest"]:
        return False
    if site["shape"] == CAP:
        return True
    north = nx * site["magnetic_north"][0] + ny * site["magnetic_north"][1] + nz * site["magnetic_north"][2]
    if abs(north) > site["sin_half_ns"]:
        return False
    east = nx * site["magnetic_east"][0] + ny * site["magnetic_east"][1] + nz * site["magnetic_east"][2]
    return abs(math.atan2(east, up)) <= site["half_ew"]


@njit(**UNCOUNTED)
def sphere_crossings(x, y, z, ux, uy, uz, radius):
    """Path lengths (km) to the two crossings of a straight line with a sphere about the Earth's centre.

    Parameters
    ----------
    x, y, z, ux, uy, uz : float
        Start (km) and unit direction.
    radius : float
        Radius of the sphere (km).

    Returns
    -------
    down, up : float
        To the down-going and to the up-going crossing; negative where there is no such crossing ahead.
    """
    b = x * ux + y * uy + z * uz
    c = x * x + y * y + z * z - radius * radius
    disc = b * b - c
    if disc <= 0.0:
        return -1.0, -1.0
    root = math.sqrt(disc)
    return -b - root, -b + root


@njit(**UNCOUNTED)
def azimuth_of(from_south, from_east):
    """Azimuth of a direction, from its components towards south and east.

    Parameters
    ----------
    from_south, from_east : float
        Components of the direction that the particle comes from; any common factor.

    Returns
    -------
    float
        Radians counter-clockwise from south (0 S, pi/2 E, pi N, 3 pi/2 W), in [0, 2 pi).
    """
    azimuth = math.atan2(from_east, from_south)
    if azimuth < 0.0:
        azimuth += 2.0 * math.pi
    if azimuth >= 2.0 * math.pi:
        azimuth = 0.0
    return azimuth


@njit(**UNCOUNTED)
def angles_in_site_frame(site, nx, ny, nz, ux, uy, uz):
    """Zenith cosine and azimuth of a crossing, in the frame of a site carried along the great circle to the crossing.

    Parallel transport along the great circle from the centre c to the crossing n is the smallest rotation that takes c
    to n. It takes a horizontal vector e at c to e - (e.n) / (1 + c.n) (c + n) (Rodrigues' formula). At the antipode of
    c, where it is undefined, the direction is that of c.

    Parameters
    ----------
    site : record of SITE_DTYPE
    nx, ny, nz : float
        Unit vector from the Earth's centre to the crossing.
    ux, uy, uz : float
        Direction of flight.

    Returns
    -------
    cos_zenith : float
        +1 for down-going, at the crossing's vertical.
    azimuth : float
        Radians counter-clockwise from the carried south, in [0, 2 pi).
    """
    cx, cy, cz = site["up"][0], site["up"][1], site["up"][2]
    sx, sy, sz = site["south"][0], site["south"][1], site["south"][2]
    ex, ey, ez = site["east"][0], site["east"][1], site["east"][2]
    cos_zenith = -(nx * ux + ny * uy + nz * uz)
    along = (cx * ux + cy * uy + cz * uz - cos_zenith) / max(1.0 + cx * nx + cy * ny + cz * nz, 1e-12)
    from_south = along * (sx * nx + sy * ny + sz * nz) - (sx * ux + sy * uy + sz * uz)
    from_east = along * (ex * nx + ey * ny + ez * nz) - (ex * ux + ey * uy + ez * uz)
    return cos_zenith, azimuth_of(from_south, from_east)


@njit(**UNCOUNTED)
def local_angles(nx, ny, nz, ux, uy, uz):
    """Zenith cosine and azimuth of a particle's arrival direction, in the geographic frame of the place itself.

    It describes a primary at its entry, which is not a crossing of a detector. At the very pole the frame is that of
    longitude 0, the longitude that is stated there.

    Parameters
    ----------
    nx, ny, nz : float
        Unit vector from the Earth's centre to the point.
    ux, uy, uz : float
        Direction of flight.

    Returns
    -------
    cos_zenith : float
        +1 for down-going.
    azimuth : float
        Radians counter-clockwise from south (0 S, pi/2 E, pi N, 3 pi/2 W), in [0, 2 pi).
    """
    cos_zenith = -(nx * ux + ny * uy + nz * uz)
    # east = z x n, south = east x up; at the very pole east is taken along y
    rho = math.sqrt(nx * nx + ny * ny)
    if rho > 1e-12:
        ex, ey = -ny / rho, nx / rho
    else:
        ex, ey = 0.0, 1.0
    sx = ey * nz
    sy = -ex * nz
    sz = ex * ny - ey * nx
    return cos_zenith, azimuth_of(-(ux * sx + uy * sy + uz * sz), -(ux * ex + uy * ey))
