"""Patches, crossings, arrival angles, and an isotropic flux in giving the same flux out (design 4.6, 4.7 item 2)."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numba import njit
from scipy import stats

from geomag.sites import SITES
from sim3d.conventions.binning import COS_WIDTH, SUB_BINS
from sim3d.conventions.constants import EARTH_RADIUS_KM
from sim3d.jit_cache import CACHE
from sim3d.sampling.rotated import rotate_with_crossing
from sim3d.sampling.source import draw_entry
from sim3d.scoring.bins import cos_bin, energy_bin, inverse_cosine
from sim3d.scoring.detectors import (
    Detector,
    angles_in_site_frame,
    inside_patch,
    local_angles,
    sphere_crossings,
)
from sim3d.scoring.hits import HIT_DTYPE, patch_hits
from sim3d.shower.neutrino_list import NU_ENERGY, NU_FLAVOUR, NU_WEIGHT
from sim3d.shower.random_streams import primary_key

TOP_KM = 112.8


def detector(lat=36.4, lon=137.3, declination=-8.0, altitude=0.0, **patch):
    """A site whose geodetic and geocentric latitudes are the same."""
    return Detector("here", lat, lon, altitude, lat, declination, **patch)


FLAT = np.zeros(0)
"""Nodes of mountains: none."""

PATCHES = {
    "10 x 40": {"ns_deg": 10.0, "ew_deg": 40.0},
    "60 x 200": {"ns_deg": 60.0, "ew_deg": 200.0},
    "half of the sphere": {"ns_deg": 180.0, "ew_deg": 180.0},
    "cap 5": {"radius_deg": 5.0},
    "cap 120": {"radius_deg": 120.0},
    "cap 180": {"radius_deg": 180.0},
}


@njit(nogil=True, cache=CACHE)
def _inside(site, points):
    return np.array([inside_patch(site, p[0], p[1], p[2]) for p in points])


def points_on_sphere(n, seed=1):
    p = np.random.default_rng(seed).normal(size=(n, 3))
    return p / np.linalg.norm(p, axis=1, keepdims=True)


@pytest.mark.parametrize("name", PATCHES)
def test_area_is_the_share_of_points_inside(name):
    """Area by Monte Carlo points on the sphere, at a mid-latitude site and at the pole."""
    n = 200_000
    points = points_on_sphere(n)
    for lat in (36.4, -90.0):
        here = detector(lat=lat, **PATCHES[name])
        share = here.area_m2 / (4 * math.pi * (here.radius_km * 1e3) ** 2)
        counted = _inside(here.row(), points).mean()
        assert counted == pytest.approx(share, abs=4 * math.sqrt(share * (1 - share) / n) + 1e-12)


def at(lat, lon):
    """Unit vector of a geocentric latitude and longitude (degrees)."""
    a, b = math.radians(lat), math.radians(lon)
    return np.array([math.cos(a) * math.cos(b), math.cos(a) * math.sin(b), math.sin(a)])


def test_rectangle_edges_follow_magnetic_north():
    """Hand-made: 10 x 40 degrees at the equator, first with no declination, then turned by 90 degrees."""
    straight = detector(0.0, 0.0, 0.0, **PATCHES["10 x 40"]).row()
    inside = [(0, 0), (4.9, 0), (-4.9, 0), (0, 19.9), (0, -19.9), (4.8, 19.5)]
    outside = [(5.1, 0), (-5.1, 0), (0, 20.1), (0, -20.1), (0, 180), (5.1, 20.1)]
    for place, expected in [(p, True) for p in inside] + [(p, False) for p in outside]:
        assert inside_patch(straight, *at(*place)) is expected
    turned = detector(0.0, 0.0, 90.0, **PATCHES["10 x 40"]).row()
    assert inside_patch(turned, *at(19.9, 0))
    assert inside_patch(turned, *at(0, 4.9))
    assert not inside_patch(turned, *at(0, 5.1))
    assert not inside_patch(turned, *at(20.1, 0))


def test_declination_is_positive_to_the_east():
    """With magnetic north 20 degrees east of north the long side's eastern end dips to the south."""
    row = detector(0.0, 0.0, 20.0, **PATCHES["10 x 40"]).row()
    d = math.radians(20)
    east_end = math.degrees(math.asin(-math.sin(math.radians(19)) * math.sin(d)))
    lon = math.degrees(math.atan2(math.sin(math.radians(19)) * math.cos(d), math.cos(math.radians(19))))
    assert inside_patch(row, *at(east_end, lon))
    assert not inside_patch(row, *at(-east_end, lon))


# direction of flight in (east, north, up) and the expected cos_zenith and azimuth (degrees)
CASES = {
    "from the zenith": ((0, 0, -1), 1.0, None),
    "from the nadir": ((0, 0, 1), -1.0, None),
    "from the south": ((0, 1, 0), 0.0, 0.0),
    "from the east": ((-1, 0, 0), 0.0, 90.0),
    "from the north": ((0, -1, 0), 0.0, 180.0),
    "from the west": ((1, 0, 0), 0.0, 270.0),
    "steep from the east": ((-0.6, 0, -0.8), 0.8, 90.0),
    "upward from the west": ((0.6, 0, 0.8), -0.8, 270.0),
    "from the south-west": ((math.sqrt(0.5), math.sqrt(0.5), 0), 0.0, 315.0),
}


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("site", ["kamioka", "sno", "ino", "southpole"])
def test_cardinal_directions(site, case):
    """Honda's azimuth: arrival direction counter-clockwise from south, 90 = from the east; +1 is down-going."""
    flight, cos_zenith, azimuth = CASES[case]
    lat, lon = math.radians(SITES[site].lat), math.radians(SITES[site].lon)
    up = at(SITES[site].lat, SITES[site].lon)
    east = np.array([-math.sin(lon), math.cos(lon), 0])
    north = np.array([-math.sin(lat) * math.cos(lon), -math.sin(lat) * math.sin(lon), math.cos(lat)])
    u = flight[0] * east + flight[1] * north + flight[2] * up
    here = Detector(site, SITES[site].lat, SITES[site].lon, 0.0, SITES[site].lat, -8.0, radius_deg=1.0)
    for c, a in (local_angles(*up, *u), angles_in_site_frame(here.row(), *up, *u)):
        assert c == pytest.approx(cos_zenith, abs=1e-12)
        assert 0 <= a < 2 * math.pi
        if azimuth is not None:
            assert math.remainder(a - math.radians(azimuth), 2 * math.pi) == pytest.approx(0, abs=1e-9)


def test_local_angles_at_the_pole_itself():
    """The azimuth is defined (east along y) and its four quarters are distinct."""
    azimuths = [local_angles(0, 0, 1.0, *u)[1] for u in ((1.0, 0, 0), (0, 1.0, 0), (-1.0, 0, 0), (0, -1.0, 0))]
    assert np.allclose(np.diff(np.unwrap(azimuths)), math.pi / 2) or np.allclose(
        np.diff(np.unwrap(azimuths)), -math.pi / 2
    )


UNIT = st.tuples(st.floats(-1, 1), st.floats(0, 2 * math.pi)).map(
    lambda t: np.array([math.sqrt(1 - t[0] ** 2) * math.cos(t[1]), math.sqrt(1 - t[0] ** 2) * math.sin(t[1]), t[0]])
)


def triad(site):
    """Centre, south and east of a site's row."""
    return site["up"], site["south"], site["east"]


def turned(v, centre, n):
    """Rotate v by the rotation about centre x n that takes the centre to n (Rodrigues' formula)."""
    axis = np.cross(centre, n)
    sine = np.linalg.norm(axis)
    k = axis / sine
    return v * (centre @ n) + np.cross(k, v) * sine + k * (k @ v) * (1 - centre @ n)


@given(n=UNIT, u=UNIT, lat=st.sampled_from([-90.0, -41.0, 0.0, 36.4, 90.0]), lon=st.floats(-180, 180))
def test_the_frame_of_the_site_is_carried_along_the_great_circle(n, u, lat, lon):
    """Against the rotation written out: orthonormal, horizontal, and the azimuth of the direction in it."""
    site = detector(lat=lat, lon=lon, radius_deg=180.0).row()
    centre, south, east = triad(site)
    if np.linalg.norm(np.cross(centre, n)) < 1e-3 or abs(n @ u) > 1 - 1e-6:
        return
    carried_south, carried_east = turned(south, centre, n), turned(east, centre, n)
    assert [carried_south @ n, carried_east @ n, carried_south @ carried_east] == pytest.approx([0, 0, 0], abs=1e-9)
    cos_zenith, azimuth = angles_in_site_frame(site, *n, *u)
    assert cos_zenith == pytest.approx(-n @ u, abs=1e-12)
    expected = math.atan2(-u @ carried_east, -u @ carried_south)
    assert math.remainder(azimuth - expected, 2 * math.pi) == pytest.approx(0, abs=1e-7)


@pytest.mark.parametrize(("lat", "d_lon"), [(36.4, 25.0), (36.4, -25.0), (-41.0, 10.0), (0.0, 60.0), (88.0, 120.0)])
def test_the_turn_of_the_frame_in_closed_form(lat, d_lon):
    """On the site's parallel the carried frame is turned from the local one by 2 atan(sin(lat) tan(d_lon/2)).

    The great circle meets the meridians of its two ends, at equal latitudes, under angles that are mirror images; the
    angle follows from the isosceles spherical triangle with the pole. On the site's meridian there is no turn.
    """
    site = detector(lat=lat, lon=10.0, radius_deg=180.0).row()
    place = at(lat, 10.0 + d_lon)
    flight = np.cross(place, [0.3, -0.2, 0.9])
    turn = angles_in_site_frame(site, *place, *flight)[1] - local_angles(*place, *flight)[1]
    expected = 2 * math.atan(math.sin(math.radians(lat)) * math.tan(math.radians(d_lon) / 2))
    assert math.remainder(turn - expected, 2 * math.pi) == pytest.approx(0, abs=1e-9)
    place = at(0.5 * lat - 7.0, 10.0)
    flight = np.cross(place, [0.3, -0.2, 0.9])
    same = angles_in_site_frame(site, *place, *flight)[1] - local_angles(*place, *flight)[1]
    assert math.remainder(same, 2 * math.pi) == pytest.approx(0, abs=1e-9)


def harmonic(lat, lon, seed=3):
    """First harmonic of the azimuths (12 bins) in a cap of 2 degrees, of a flux with 1 + 0.3 cos in one direction.

    Near the pole a horizontal direction of space is the same for all crossings: the flux is larger from the direction
    of longitude 40 than from the opposite one.
    """
    sites = np.array([detector(lat=lat, lon=lon, radius_deg=2.0).row()])
    rng = np.random.default_rng(seed)
    sums, hits = np.zeros(12), np.zeros(8, dtype=HIT_DTYPE)
    source = np.array([math.cos(math.radians(40.0)), math.sin(math.radians(40.0)), 0.0])
    for _ in range(4000):
        theta, phi = math.radians(2.0) * math.sqrt(rng.random()), 2 * math.pi * rng.random()
        n = np.array([math.sin(theta) * math.cos(phi), math.sin(theta) * math.sin(phi), math.copysign(1.0, lat)])
        n /= np.linalg.norm(n)
        psi = 2 * math.pi * rng.random()
        u = np.array([-math.cos(psi), -math.sin(psi), -0.3 * math.copysign(1.0, lat)])
        u /= np.linalg.norm(u)
        weight = 1.0 - 0.3 * (u @ source) / np.linalg.norm(u[:2])
        born = EARTH_RADIUS_KM * n - 20.0 * u
        neutrino = np.array([0.0, 1.0, weight, *born, *u])
        for hit in hits[: patch_hits(neutrino, 0, sites, FLAT, 0, 12, hits, 0)]:
            sums[hit["azimuth_bin"]] += weight
    phases = np.exp(1j * np.radians(30 * np.arange(12) + 15))
    return 2 * (sums * phases).sum() / sums.sum()


@pytest.mark.parametrize("pole", [90.0, -90.0])
def test_a_preferred_direction_is_seen_at_the_pole_in_the_frame_of_the_longitude(pole):
    """The harmonic that goes in comes out at the pole; another longitude of the site turns its phase and no more."""
    # in a bin of 30 degrees cos is averaged; 4,000 neutrinos give the harmonic to sqrt(2 / 4000) = 0.022
    expected = 0.3 * math.sin(math.radians(15)) / math.radians(15)
    found = {lon: harmonic(pole, lon) for lon in (0.0, 90.0, -150.0)}
    for lon, a in found.items():
        assert abs(a) == pytest.approx(expected, abs=0.07)
        # from above, longitudes run counter-clockwise at the north pole, where all is south; clockwise at the south
        # pole, where the own meridian is north
        phase = 40.0 - lon if pole > 0 else 180.0 - (40.0 - lon)
        assert math.remainder(np.angle(a) - math.radians(phase), 2 * math.pi) == pytest.approx(0.0, abs=0.25)
        # a longitude that is a multiple of the bins away gives the same sums in other bins
        assert abs(a) == pytest.approx(abs(found[0.0]), rel=1e-6)


@given(place=UNIT, height=st.floats(-3000.0, 100.0), direction=UNIT)
def test_crossings_lie_on_the_sphere(place, height, direction):
    """In before out, both on the sphere, with opposite zenith cosines; none where the line misses."""
    x = (EARTH_RADIUS_KM + height) * place
    down, up = sphere_crossings(*x, *direction, EARTH_RADIUS_KM)
    nearest2 = x @ x - (x @ direction) ** 2
    if (down, up) == (-1.0, -1.0):
        assert nearest2 >= EARTH_RADIUS_KM**2 * (1 - 1e-9)
        return
    assert down <= up
    cosines = []
    for path in (down, up):
        n = (x + path * direction) / EARTH_RADIUS_KM
        assert np.linalg.norm(n) == pytest.approx(1, abs=1e-9)
        cosines.append(-n @ direction)
    assert cosines[0] >= 0
    assert cosines[0] == pytest.approx(-cosines[1], abs=1e-6)


def hits_of(neutrino, *detectors):
    """Hits of one neutrino."""
    sites = np.array([d.row() for d in detectors])
    hits = np.zeros(16, dtype=HIT_DTYPE)
    return hits[: patch_hits(np.array(neutrino, dtype=float), 0, sites, FLAT, 0, 12, hits, 0)]


def test_both_crossings_count():
    """A nearly vertical neutrino is down-going where it comes in and up-going near the antipode."""
    here = detector(0.0, 0.0, 0.0, radius_deg=1.0)
    there = detector(0.0, 180.0, 0.0, radius_deg=2.0)
    neutrino = [2, 1.0, 3.0, EARTH_RADIUS_KM + 20, 0, 0, -math.cos(0.01), math.sin(0.01), 0]
    hits = hits_of(neutrino, here, there)
    assert hits["site"].tolist() == [0, 1]
    assert hits["flavour"].tolist() == [2, 2]
    assert hits["energy_bin"].tolist() == [energy_bin(1.0)] * 2
    assert hits["cos_bin"].tolist() == [39, 0]
    expected = [3.0 / 0.995 / d.area_m2 for d in (here, there)]
    np.testing.assert_allclose(hits["value"], expected, rtol=1e-12)


def test_what_does_not_count():
    """Behind the birth, outside the energy bins, past the Earth."""
    here = detector(0.0, 0.0, 0.0, radius_deg=180.0)
    base = np.array([0, 1.0, 1.0, EARTH_RADIUS_KM + 20, 0, 0, -1.0, 0, 0])
    assert len(hits_of(base, here)) == 2
    for change in ({6: 1.0}, {1: 0.09}, {1: 1.1e4}, {6: 0.0, 7: 1.0}):
        other = base.copy()
        for column, value in change.items():
            other[column] = value
        assert len(hits_of(other, here)) == 0


def test_a_raised_sheet_is_crossed_at_its_own_height():
    """A neutrino born below a sheet at 2 km crosses it once, going up."""
    raised = detector(0.0, 0.0, 0.0, altitude=2000.0, radius_deg=180.0)
    born_below = [0, 1.0, 1.0, EARTH_RADIUS_KM + 1, 0, 0, -1.0, 0, 0]
    assert hits_of(born_below, raised)["cos_bin"].tolist() == [0]


@given(st.floats(-1, 1))
def test_inverse_cosine_is_that_of_the_sub_bin(cos_zenith):
    """Within half a sub-bin of |cos|, bounded by 1/0.005, and the zenith bin contains the cosine."""
    value = inverse_cosine(cos_zenith * (1 - 1e-12))
    assert abs(1 / value - abs(cos_zenith)) <= 0.5 * COS_WIDTH / SUB_BINS + 1e-11
    assert value <= 200 * (1 + 1e-12)
    low = -1 + COS_WIDTH * cos_bin(cos_zenith)
    assert low - 1e-12 <= cos_zenith <= low + COS_WIDTH + 1e-12


@pytest.mark.parametrize("cos_zenith", [1.0, -1.0])
def test_inverse_cosine_of_the_vertical(cos_zenith):
    """Exactly vertical belongs to the last sub-bin, like cos_bin's last bin."""
    assert inverse_cosine(cos_zenith) == pytest.approx(1 / 0.995, rel=1e-12)


@njit(nogil=True, cache=CACHE)
def _isotropic(sites, n, radius_km, seed, n_azimuth, sums, squares):
    """Scores of n straight lines that enter a sphere isotropically with unit intensity (1 per m2 s sr)."""
    rng = np.empty(1, dtype=np.uint64)
    start = np.empty(9)
    neutrino = np.empty(9)
    hits = np.empty(32, HIT_DTYPE)
    flat = np.zeros(0)
    unit = math.pi * 4.0 * math.pi * (radius_km * 1e3) ** 2 / n
    for i in range(n):
        rng[0] = primary_key(seed, i)
        weight = draw_entry(radius_km - 6371.2, start, rng)
        neutrino[NU_FLAVOUR] = i % 4
        neutrino[NU_ENERGY] = 1.0
        neutrino[NU_WEIGHT] = weight * unit
        neutrino[3:] = start[:6]
        n_hits = patch_hits(neutrino, 0, sites, flat, 0, n_azimuth, hits, 0)
        for j in range(n_hits):
            k, c, a = hits[j]["site"], hits[j]["cos_bin"], hits[j]["azimuth_bin"]
            sums[k, c, a] += hits[j]["value"]
            squares[k, c, a] += hits[j]["value"] ** 2


@njit(nogil=True, cache=CACHE)
def _cosine_law(sites, n, radius_km, seed, n_azimuth, sums):
    """The same with lines drawn by the plain cosine law (cos^2 uniform), unweighted."""
    np.random.seed(seed)
    neutrino = np.empty(9)
    hits = np.empty(32, HIT_DTYPE)
    flat = np.zeros(0)
    unit = math.pi * 4.0 * math.pi * (radius_km * 1e3) ** 2 / n
    for _ in range(n):
        z = 2 * np.random.random() - 1
        s, p = math.sqrt(1 - z * z), 2 * math.pi * np.random.random()
        n0, n1, n2 = s * math.cos(p), s * math.sin(p), z
        e0, e1 = -math.sin(p), math.cos(p)
        f0, f1, f2 = -z * math.cos(p), -z * math.sin(p), s
        c2 = np.random.random()
        c, t, q = math.sqrt(c2), math.sqrt(1 - c2), 2 * math.pi * np.random.random()
        cq, sq = math.cos(q), math.sin(q)
        neutrino[NU_FLAVOUR], neutrino[NU_ENERGY], neutrino[NU_WEIGHT] = 0.0, 1.0, unit
        neutrino[3], neutrino[4], neutrino[5] = radius_km * n0, radius_km * n1, radius_km * n2
        neutrino[6] = -c * n0 + t * (cq * e0 + sq * f0)
        neutrino[7] = -c * n1 + t * (cq * e1 + sq * f1)
        neutrino[8] = -c * n2 + t * sq * f2
        n_hits = patch_hits(neutrino, 0, sites, flat, 0, n_azimuth, hits, 0)
        for j in range(n_hits):
            sums[hits[j]["site"], hits[j]["cos_bin"], hits[j]["azimuth_bin"]] += hits[j]["value"]


def expected_variance(area_m2, unit, n_azimuth):
    """Poisson variance of a (cos, azimuth) bin's sum for unit intensity, by zenith bin: sum over its sub-bins."""
    width = COS_WIDTH / SUB_BINS
    middles = width * (np.arange(20 * SUB_BINS) + 0.5)
    phi = 2 * math.pi / n_azimuth
    up = (phi * width * unit / (area_m2 * middles)).reshape(20, SUB_BINS).sum(axis=1)
    return np.concatenate([up[::-1], up])


ISOTROPIC_SITES = (
    detector(36.4, 137.3, -8.0, ns_deg=10.0, ew_deg=40.0),
    detector(-90.0, 0.0, 0.0, radius_deg=15.0),
    detector(0.0, 20.0, 45.0, altitude=2000.0, ns_deg=60.0, ew_deg=120.0),
)


def test_isotropic_unit_field_gives_unit_intensity_in_every_bin():
    """Lines with a cosine law through the top: 1 per (m2 s sr) in all 40 x 12 bins of rectangles and a cap."""
    n, n_azimuth = 3_000_000, 12
    radius = EARTH_RADIUS_KM + TOP_KM
    sites = np.array([d.row() for d in ISOTROPIC_SITES])
    sums = np.zeros((3, 40, n_azimuth))
    _cosine_law(sites, n, radius, 12345, n_azimuth, sums)
    truth = COS_WIDTH * 2 * math.pi / n_azimuth
    unit = math.pi * 4 * math.pi * (radius * 1e3) ** 2 / n
    for k, here in enumerate(ISOTROPIC_SITES):
        variance = expected_variance(here.area_m2, unit, n_azimuth)[:, None]
        chi2 = ((sums[k] - truth) ** 2 / variance).sum()
        assert abs(chi2 - sums[k].size) < 5 * math.sqrt(2.5 * sums[k].size)
        # averaged over azimuth and over everything, much tighter
        pull = (sums[k].sum(axis=1) - n_azimuth * truth) / np.sqrt(n_azimuth * variance[:, 0])
        assert np.abs(pull).max() < 4.5
        total = (sums[k].sum() - 4 * math.pi) / math.sqrt(n_azimuth * variance.sum())
        assert abs(total) < 4


def test_biased_entries_are_an_isotropic_flux():
    """The same through draw_entry, whose bias to the horizon is undone by its weights."""
    n, n_azimuth = 2_000_000, 12
    radius = EARTH_RADIUS_KM + TOP_KM
    sites = np.array([d.row() for d in ISOTROPIC_SITES])
    sums, squares = np.zeros((3, 40, n_azimuth)), np.zeros((3, 40, n_azimuth))
    _isotropic(sites, n, radius, np.uint64(3), n_azimuth, sums, squares)
    truth = COS_WIDTH * 2 * math.pi / n_azimuth
    for k in range(len(ISOTROPIC_SITES)):
        pull = (sums[k].sum(axis=1) - n_azimuth * truth) / np.sqrt(squares[k].sum(axis=1))
        assert np.abs(pull).max() < 4.5
        by_azimuth = (sums[k].sum(axis=0) - 40 * COS_WIDTH * 2 * math.pi / n_azimuth) / np.sqrt(squares[k].sum(axis=0))
        assert np.abs(by_azimuth).max() < 4.5
        assert sums[k].sum() == pytest.approx(4 * math.pi, abs=4 * math.sqrt(squares[k].sum()))
        if k == 2:  # the largest patch has Gaussian statistics in every bin
            chi2 = ((sums[k] - truth) ** 2 / squares[k]).sum()
            assert abs(chi2 - sums[k].size) < 5 * math.sqrt(3 * sums[k].size)


@njit(nogil=True, cache=CACHE)
def _whole_sphere(n, radius_km, site_radius_km, seed, sums, squares):
    """Rotated mode's formula: every crossing of the site's sphere counts weight / (4 pi R^2 |cos|)."""
    rng = np.empty(1, dtype=np.uint64)
    start = np.empty(9)
    unit = math.pi * 4.0 * math.pi * (radius_km * 1e3) ** 2 / n
    area = 4.0 * math.pi * (site_radius_km * 1e3) ** 2
    for i in range(n):
        rng[0] = primary_key(seed, i)
        weight = unit * draw_entry(radius_km - 6371.2, start, rng)
        down, up = sphere_crossings(start[0], start[1], start[2], start[3], start[4], start[5], site_radius_km)
        for path in (down, up):
            if path <= 0.0:
                continue
            c = 0.0
            for k in range(3):
                c -= (start[k] + path * start[3 + k]) / site_radius_km * start[3 + k]
            value = weight * inverse_cosine(c) / area
            sums[cos_bin(c)] += value
            squares[cos_bin(c)] += value * value


def test_rotated_formula_gives_unit_intensity():
    """Isotropic unit flux in, 2 pi per unit of cos_zenith out in each of the 40 bins."""
    sums, squares = np.zeros(40), np.zeros(40)
    _whole_sphere(500_000, EARTH_RADIUS_KM + TOP_KM, EARTH_RADIUS_KM, np.uint64(4), sums, squares)
    pull = (sums - 2 * math.pi * COS_WIDTH) / np.sqrt(squares)
    assert np.abs(pull).max() < 4.5
    assert stats.chi2.sf((pull**2)[:20].sum(), 20) > 1e-3  # up-going is the mirror of down-going, line by line
    np.testing.assert_allclose(sums[:20][::-1], sums[20:], rtol=1e-9)


@given(n=UNIT, u=UNIT, lat=st.floats(-90, 90), lon=st.floats(-180, 180), azimuth=st.floats(0, 6.28))
def test_rotation_brings_the_crossing_to_the_site(n, u, lat, lon, azimuth):
    """The crossing lands on the site with its own zenith cosine and the wanted azimuth; lengths and angles stay."""
    cos_zenith = -n @ u
    if abs(cos_zenith) > 1 - 1e-6:
        return
    moved_n, moved_u, other = n.copy(), u.copy(), np.array([0.3, -0.5, 0.8])
    row = detector(lat=lat, lon=lon, radius_deg=1.0).row()
    site = row["up"]
    for v in (moved_n, moved_u, other):
        rotate_with_crossing(n, u, row, azimuth, v)
    np.testing.assert_allclose(moved_n, site, atol=1e-12)
    c, a = angles_in_site_frame(row, *site, *moved_u)
    assert c == pytest.approx(cos_zenith, abs=1e-9)
    assert math.remainder(a - azimuth, 2 * math.pi) == pytest.approx(0, abs=1e-6)
    start = np.array([0.3, -0.5, 0.8])
    assert other @ moved_n == pytest.approx(start @ n, abs=1e-9)
    assert other @ moved_u == pytest.approx(start @ u, abs=1e-9)
    assert np.linalg.det([moved_n, moved_u, other]) == pytest.approx(np.linalg.det([n, u, start]), abs=1e-9)


@pytest.mark.parametrize("cos_zenith", [1.0, -1.0])
def test_rotation_of_a_vertical_crossing(cos_zenith):
    """Exactly vertical flight at the pole and elsewhere is rotated to vertical flight at the site."""
    for n in (np.array([0.0, 0, 1]), np.array([1.0, 0, 0])):
        u = -cos_zenith * n
        v = u.copy()
        rotate_with_crossing(n, u, detector().row(), 1.0, v)
        np.testing.assert_allclose(v, -cos_zenith * at(36.4, 137.3), atol=1e-12)
