"""Flights above the atmosphere: energy kept, closed forms in a dipole, ends, and what a shower with them gives."""

import math

import numpy as np
import pytest
from scipy.constants import speed_of_light

from geomag.field.igrf import FieldModel
from geomag.field.kernels import field_cartesian
from sim3d.conventions.constants import EARTH_RADIUS_KM
from sim3d.conventions.particles import CTAU_KM, MASS_GEV, MUP, PROTON
from sim3d.shower.above import ESCAPE_RADII, LONGEST_PATH_RADII, RE_ENTRY_KM, RETURNED, fly_above
from sim3d.shower.flight import DECAY, LOST
from sim3d.shower.neutrino_list import NU_ABOVE, NU_ENERGY, NU_FLAVOUR, NU_TAG, NU_UX, NU_WEIGHT, NU_X
from sim3d.shower.rotations import perpendicular
from sim3d.shower.stack import ABOVE, DECAYS, EX, KINETIC, STACK_COLUMNS, UX, X

TOP = EARTH_RADIUS_KM + 112.8
DIPOLE_NT = 29790.0
KAPPA_SI = speed_of_light * 1e-15  # GV per nT and km


@pytest.fixture(scope="module")
def dipole():
    """Gauss coefficients of a centred dipole along the Earth's axis, northward at the equator."""
    g = np.zeros((2, 2))
    g[1, 0] = -DIPOLE_NT
    return FieldModel.from_coefficients(g, np.zeros((2, 2))).gauss


def start(lat_deg, direction, rigidity_GV, species=PROTON):
    """A particle just above the top at a latitude, longitude 0."""
    lat = math.radians(lat_deg)
    particle = np.zeros(STACK_COLUMNS)
    particle[X : X + 3] = (TOP + 1e-6) * np.array([math.cos(lat), 0.0, math.sin(lat)])
    unit = np.asarray(direction, dtype=float) / np.linalg.norm(direction)
    particle[UX : UX + 3] = unit
    particle[EX : EX + 3] = perpendicular(*unit)
    mass = MASS_GEV[species]
    particle[KINETIC] = math.hypot(rigidity_GV, mass) - mass
    particle[DECAYS] = 1.0
    return particle


def outward_along_field(lat_deg, gauss):
    """Direction of the field line, outwards."""
    lat = math.radians(lat_deg)
    place = np.array([math.cos(lat), 0.0, math.sin(lat)])
    b = np.array(field_cartesian(*(TOP * place), gauss))
    return b if b @ place > 0 else -b


@pytest.mark.parametrize("lat", [10.0, 20.0, 40.0, 55.0])
@pytest.mark.parametrize("rigidity", [0.03, 0.1])
def test_along_a_field_line_to_the_conjugate_latitude(dipole, lat, rigidity):
    """A particle that starts along a field line comes down where the line does, after the line's length.

    Line of a dipole: r = L cos^2(lat); its arc from -lat to lat is L (s sqrt(1 + 3 s^2) + asinh(sqrt(3) s) / sqrt(3)),
    s = sin(lat). The gyration, of half a degree in all directions, and the drift in longitude are small at these
    rigidities. The particle goes round the line, so its path is longer by less than a percent.
    """
    particle = start(lat, outward_along_field(lat, dipole), rigidity)
    assert fly_above(particle, 1.0, MASS_GEV[PROTON], math.inf, TOP, dipole) == RETURNED
    x = particle[X : X + 3]
    r = np.linalg.norm(x)
    assert TOP - RE_ENTRY_KM <= r <= TOP
    assert math.degrees(math.asin(x[2] / r)) == pytest.approx(-lat, abs=0.005)
    assert x @ particle[UX : UX + 3] < 0.0
    s = math.sin(math.radians(lat))
    line = TOP / (1 - s * s) * (s * math.sqrt(1 + 3 * s * s) + math.asinh(math.sqrt(3) * s) / math.sqrt(3))
    assert particle[ABOVE] == pytest.approx(line, rel=0.01)
    # the drift of a positive particle is westward, and grows with rigidity
    assert math.atan2(x[1], x[0]) < 0.0


def test_rigidity_and_stoermers_integral_are_kept(dipole):
    """Kinetic energy is bitwise the same, the direction a unit vector, the canonical angular momentum nearly constant.

    About the axis of a dipole p r cos(lat) sin(azimuth) + q A_phi r cos(lat) is constant; A_phi r cos(lat) is
    g r0^3 cos^2(lat) / r. The steps are of second order in an angle of 0.1 rad: 1e-3 of the larger of both terms.
    """

    def canonical(x, u, rigidity):
        potential = -DIPOLE_NT * EARTH_RADIUS_KM**3 * (x[0] ** 2 + x[1] ** 2) / np.linalg.norm(x) ** 3
        return x[0] * u[1] - x[1] * u[0] + KAPPA_SI / rigidity * potential

    rng = np.random.default_rng(3)
    returned = 0
    for _ in range(200):
        lat, rigidity = rng.uniform(-60, 60), 10 ** rng.uniform(-0.5, 1.0)
        unit = rng.normal(size=3)
        lat_rad = math.radians(lat)
        if unit @ [math.cos(lat_rad), 0.0, math.sin(lat_rad)] < 0:
            unit = -unit
        particle = start(lat, unit, rigidity)
        before = particle.copy()
        fate = fly_above(particle, 1.0, MASS_GEV[PROTON], math.inf, TOP, dipole)
        assert particle[KINETIC] == before[KINETIC]
        u, e = particle[UX : UX + 3], particle[EX : EX + 3]
        assert np.linalg.norm(u) == pytest.approx(1.0, abs=1e-14)
        assert u @ e == pytest.approx(0.0, abs=1e-9)
        if fate == RETURNED:
            returned += 1
            was = canonical(before[X : X + 3], before[UX : UX + 3], rigidity)
            now = canonical(particle[X : X + 3], u, rigidity)
            assert abs(now - was) < 1e-3 * max(abs(was), EARTH_RADIUS_KM), (lat, rigidity)
        elif fate == LOST:
            gone = np.linalg.norm(particle[X : X + 3]) > ESCAPE_RADII * EARTH_RADIUS_KM
            assert gone or particle[ABOVE] > LONGEST_PATH_RADII * EARTH_RADIUS_KM
    assert returned > 100


def test_half_a_circle_at_the_equator(dipole):
    """In the equatorial plane a soft proton that starts upwards comes down after half a circle, two radii to the west.

    Its radius is R / (kappa B) with B at the top, as the field changes by 3 radii / r over the circle.
    """
    rigidity = 0.03
    particle = start(0.0, [1.0, 0.0, 0.0], rigidity)
    assert fly_above(particle, 1.0, MASS_GEV[PROTON], math.inf, TOP, dipole) == RETURNED
    radius = rigidity / (KAPPA_SI * DIPOLE_NT * (EARTH_RADIUS_KM / TOP) ** 3)
    assert particle[X + 1] == pytest.approx(-2.0 * radius, rel=0.02)
    assert particle[ABOVE] == pytest.approx(math.pi * radius, rel=0.05)
    mirrored = start(0.0, [1.0, 0.0, 0.0], rigidity)
    fly_above(mirrored, -1.0, MASS_GEV[PROTON], math.inf, TOP, dipole)
    assert mirrored[X + 1] == pytest.approx(-particle[X + 1], rel=1e-9)


def test_ends(dipole):
    """A stiff particle escapes; one on a closed drift shell is given up; a muon decays at its proper time."""
    stiff = start(30.0, [1.0, 0.0, 0.5], 1e4)
    assert fly_above(stiff, 1.0, MASS_GEV[PROTON], math.inf, TOP, dipole) == LOST
    assert np.linalg.norm(stiff[X : X + 3]) > ESCAPE_RADII * EARTH_RADIUS_KM
    trapped = start(0.0, [0.0, 1.0, 0.1], 0.1)
    trapped[X] += 600.0  # mirrors above the air
    assert fly_above(trapped, 1.0, MASS_GEV[PROTON], math.inf, TOP, dipole) == LOST
    assert np.linalg.norm(trapped[X : X + 3]) < 2.0 * EARTH_RADIUS_KM
    assert trapped[ABOVE] == pytest.approx(LONGEST_PATH_RADII * EARTH_RADIUS_KM, rel=0.01)
    muon = start(30.0, [1.0, 0.0, 0.5], 3.0, MUP)
    proper = 0.7 * CTAU_KM[MUP]
    assert fly_above(muon, 1.0, MASS_GEV[MUP], proper, TOP, dipole) == DECAY
    assert muon[ABOVE] == pytest.approx(proper * 3.0 / MASS_GEV[MUP], rel=1e-12)


def test_a_run_without_albedo_is_part_of_one_with_it(make_world, follow, entries):
    """With albedo every neutrino of the shower without is there, and further ones that say so.

    A field value serves again within 16 km of where it was computed, and the further particles compute some: bending
    may differ by a share of a percent.
    """
    starts = entries(6000, make_world().top_km, seed=4)[0]
    without = follow(make_world(), starts, 10.0)
    with_it = follow(make_world(albedo=True), starts, 10.0)
    above = with_it[:, 1 + NU_ABOVE]

    def ordered(rows):
        return rows[np.lexsort((rows[:, 1 + NU_TAG], rows[:, 0]))]

    same, without = ordered(with_it[above == 0.0]), ordered(without)
    for column in (0, 1 + NU_FLAVOUR, 1 + NU_WEIGHT, 1 + NU_TAG):
        np.testing.assert_array_equal(same[:, column], without[:, column])
    np.testing.assert_allclose(same[:, 1 + NU_ENERGY], without[:, 1 + NU_ENERGY], rtol=1e-3)
    np.testing.assert_allclose(same[:, 1 + NU_X : 4 + NU_X], without[:, 1 + NU_X : 4 + NU_X], atol=0.1)
    np.testing.assert_allclose(same[:, 1 + NU_UX : 4 + NU_UX], without[:, 1 + NU_UX : 4 + NU_UX], atol=1e-3)
    assert not without[:, 1 + NU_ABOVE].any()
    assert (above > 0.0).sum() > 5
