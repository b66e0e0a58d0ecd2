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

# columns of the kernels' site table
S_UPX, S_UPY, S_UPZ, S_NX, S_NY, S_NZ, S_EX, S_EY, S_EZ, S_RADIUS, S_KIND, S_A, S_B, S_COSMIN, S_AREA = range(15)
# geographic south and east at the centre, from which azimuths are counted (S_N and S_E are the patch's, magnetic)
S_SOUTHX, S_SOUTHY, S_SOUTHZ, S_EASTX, S_EASTY, S_EASTZ = range(15, 21)
SITE_COLUMNS = 21
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

    def row(self) -> np.ndarray:
        """Row of the kernels' table of sites: unit vectors, radius, shape and area.

        South and east are those of the site's meridian, so that they exist at a pole too.

        Returns
        -------
        float64 array (SITE_COLUMNS,)
        """
        lat, lon = math.radians(self.geocentric_lat_deg), math.radians(self.lon_deg)
        up = np.array([math.cos(lat) * math.cos(lon), math.cos(lat) * math.sin(lon), math.sin(lat)])
        east = np.array([-math.sin(lon), math.cos(lon), 0.0])
        north = np.cross(up, east)
        d = math.radians(self.declination_deg)
        magnetic_north = math.cos(d) * north + math.sin(d) * east
        magnetic_east = np.cross(magnetic_north, up)
        out = np.zeros(SITE_COLUMNS)
        out[0:3], out[3:6], out[6:9] = up, magnetic_north, magnetic_east
        out[S_SOUTHX : S_SOUTHZ + 1], out[S_EASTX : S_EASTZ + 1] = -north, east
        out[S_RADIUS] = self.radius_km
        out[S_AREA] = self.area_m2
        if self.radius_deg > 0.0:
            out[S_KIND] = CAP
            out[S_COSMIN] = math.cos(math.radians(self.radius_deg))
        else:
            half_ns, half_ew = 0.5 * math.radians(self.ns_deg), 0.5 * math.radians(self.ew_deg)
            out[S_KIND] = RECTANGLE
            out[S_A] = math.sin(half_ns)
            out[S_B] = half_ew
            # the corners are the farthest points from the centre, unless the rectangle reaches round the back
            out[S_COSMIN] = math.cos(half_ns) * math.cos(half_ew) if half_ew < 0.5 * math.pi else -1.0
            out[S_COSMIN] -= 1e-12
        return out


@njit(nogil=True)
def inside_patch(sites, k, nx, ny, nz):
    """Whether a direction from the Earth's centre lies in the patch of site k.

    Parameters
    ----------
    sites : float64 array (n, SITE_COLUMNS)
    k : int
    nx, ny, nz : float
        Unit vector.

    Returns
    -------
    bool
    """
    up = nx * sites[k, S_UPX] + ny * sites[k, S_UPY] + nz * sites[k, S_UPZ]
    if up < sites[k, S_COSMIN]:
        return False
    if sites[k, S_KIND] == CAP:
        return True
    north = nx * sites[k, S_NX] + ny * sites[k, S_NY] + nz * sites[k, S_NZ]
    if abs(north) > sites[k, S_A]:
        return False
    east = nx * sites[k, S_EX] + ny * sites[k, S_EY] + nz * sites[k, S_EZ]
    return abs(math.atan2(east, up)) <= sites[k, S_B]


@njit(nogil=True)
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


@njit(nogil=True)
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


@njit(nogil=True)
def angles_in_site_frame(sites, k, nx, ny, nz, ux, uy, uz):
    """Zenith cosine and azimuth of a crossing, in the frame of site k carried along the great circle to the crossing.

    Parallel transport along the great circle from the centre c to the crossing n is the smallest rotation that takes c
    to n. It takes a horizontal vector e at c to e - (e.n) / (1 + c.n) (c + n) (Rodrigues' formula). At the antipode of
    c, where it is undefined, the direction is that of c.

    Parameters
    ----------
    sites : float64 array (n, SITE_COLUMNS)
    k : int
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
    cx, cy, cz = sites[k, S_UPX], sites[k, S_UPY], sites[k, S_UPZ]
    sx, sy, sz = sites[k, S_SOUTHX], sites[k, S_SOUTHY], sites[k, S_SOUTHZ]
    ex, ey, ez = sites[k, S_EASTX], sites[k, S_EASTY], sites[k, S_EASTZ]
    cos_zenith = -(nx * ux + ny * uy + nz * uz)
    along = (cx * ux + cy * uy + cz * uz - cos_zenith) / max(1.0 + cx * nx + cy * ny + cz * nz, 1e-12)
    from_south = along * (sx * nx + sy * ny + sz * nz) - (sx * ux + sy * uy + sz * uz)
    from_east = along * (ex * nx + ey * ny + ez * nz) - (ex * ux + ey * uy + ez * uz)
    return cos_zenith, azimuth_of(from_south, from_east)


@njit(nogil=True)
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
