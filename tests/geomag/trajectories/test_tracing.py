"""Decisions of the back-tracking kernel against an independent reference, and what it must conserve."""

from __future__ import annotations

import math

import numpy as np
import pytest
from numba import njit
from scipy.integrate import quad

from geomag.field.igrf import FieldModel
from geomag.field.kernels import EARTH_RADIUS_KM
from geomag.geodesy import WGS84_A_KM, WGS84_B_KM, arrival_direction, geodetic_to_cartesian
from geomag.trajectories.early_verdicts import P_BOUND, escape_is_certain, horizontal_bound
from geomag.trajectories.reference import field_spherical, reference_trace
from geomag.trajectories.tracing import backtrack_state, trace_params

KAMIOKA = geodetic_to_cartesian(36.4257, 137.3103, 20.0)


@njit(nogil=True)
def _many(xyz, directions, rigidities, gauss, params, verdicts, ends):
    x, y, z = xyz[0], xyz[1], xyz[2]
    for i in range(rigidities.shape[0]):
        ux, uy, uz = directions[i, 0], directions[i, 1], directions[i, 2]
        found = backtrack_state(x, y, z, ux, uy, uz, rigidities[i], gauss, params)
        verdicts[i] = found[0]
        ends[i, 0], ends[i, 1], ends[i, 2] = found[1], found[2], found[3]
        ends[i, 3], ends[i, 4], ends[i, 5] = found[4], found[5], found[6]
        ends[i, 6], ends[i, 7] = found[7], found[8]


def trace_many(xyz, directions, rigidities, field, params):
    """Verdicts and final (position, direction, path, steps) of many arrivals."""
    verdicts, ends = np.empty(len(rigidities), dtype=np.int64), np.empty((len(rigidities), 8))
    _many(np.asarray(xyz), directions, rigidities, field.gauss, params, verdicts, ends)
    return verdicts, ends


def kamioka_sample(count: int, seed: int, low: float = 1.0, high: float = 60.0, index: float = 2.7):
    """Isotropic directions above the horizon and rigidities of a power law."""
    rng = np.random.default_rng(seed)
    power = 1.0 - index
    rigidity = (low**power + rng.uniform(size=count) * (high**power - low**power)) ** (1.0 / power)
    zenith = np.degrees(np.arccos(rng.uniform(size=count)))
    return arrival_direction(36.4257, 137.3103, zenith, rng.uniform(0.0, 360.0, count)), rigidity


@pytest.fixture(scope="module")
def field() -> FieldModel:
    return FieldModel("2020-01-01", 10)


@pytest.fixture(scope="module")
def tight(field: FieldModel) -> np.ndarray:
    return trace_params(field, 20.0, True, 1e-9, shortcuts=False, truncation=0.0)


def _reference_verdicts(directions, rigidities, field) -> np.ndarray:
    floor = WGS84_A_KM + 20.0, WGS84_B_KM + 20.0
    pairs = zip(directions, rigidities, strict=True)
    return np.array([reference_trace(KAMIOKA, u, r, field, *floor).verdict for u, r in pairs])


def test_reference_field_is_independent_and_the_same(field: FieldModel) -> None:
    position = np.array([-3000.0, 5500.0, -2500.0])
    np.testing.assert_allclose(
        field_spherical(position, field.g, field.h), field.field_xyz(position), rtol=1e-12, atol=1e-8
    )


def test_tight_kernel_agrees_with_scipy(field: FieldModel, tight: np.ndarray) -> None:
    # half of them in the middle of the penumbra, where it is hardest
    soft, hard = kamioka_sample(25, 11), kamioka_sample(35, 12, 6.0, 16.0, 1.5)
    directions, rigidities = (np.concatenate(pair) for pair in zip(soft, hard, strict=True))
    ours, _ = trace_many(KAMIOKA, directions, rigidities, field, tight)
    theirs = _reference_verdicts(directions, rigidities, field)
    assert 5 < (theirs == 1).sum() < 55
    assert ((ours == 1) == (theirs == 1)).all()


def test_escaping_state_agrees_with_scipy(field: FieldModel, tight: np.ndarray) -> None:
    directions, rigidities = kamioka_sample(4, 13, 50.0, 60.0)
    verdicts, ends = trace_many(KAMIOKA, directions, rigidities, field, tight)
    assert (verdicts == 1).all()
    for i in range(4):
        # the kernel stops at the end of the step in which it passes 10 radii: so shall the reference
        radius = float(np.linalg.norm(ends[i, :3])) / EARTH_RADIUS_KM
        theirs = reference_trace(KAMIOKA, directions[i], rigidities[i], field, escape_radii=radius)
        assert np.linalg.norm(ends[i, 3:6] - theirs.direction) < 1e-6


def test_default_tolerance_decides_like_the_tight_one(field: FieldModel, tight: np.ndarray) -> None:
    directions, rigidities = kamioka_sample(2000, 14)
    truth, _ = trace_many(KAMIOKA, directions, rigidities, field, tight)
    for params in (trace_params(field, 20.0, True), trace_params(field, 20.0, True, 1e-5)):
        found, _ = trace_many(KAMIOKA, directions, rigidities, field, params)
        assert ((found == 1) != (truth == 1)).sum() <= 2


@pytest.mark.slow
def test_two_thousand_decisions_agree_with_scipy(field: FieldModel) -> None:
    directions, rigidities = kamioka_sample(2000, 15)
    truth = _reference_verdicts(directions, rigidities, field)
    found, _ = trace_many(KAMIOKA, directions, rigidities, field, trace_params(field, 20.0, True))
    assert ((found == 1) != (truth == 1)).sum() <= 2


@pytest.mark.parametrize("geodetic", [False, True])
def test_shortcuts_and_truncation_change_no_decision(field: FieldModel, geodetic: bool) -> None:
    # flat in rigidity, so that most are near or above the cutoff; starts at the pole too
    plain = trace_params(field, 20.0, geodetic, 1e-8, shortcuts=False, truncation=0.0)
    quick = trace_params(field, 20.0, geodetic, 1e-8)
    cut = trace_params(field, 20.0, geodetic, 1e-8, shortcuts=False, truncation=1e-9)
    for lat, count in ((36.4257, 700), (88.0, 300)):
        rng = np.random.default_rng(int(lat))
        xyz = geodetic_to_cartesian(lat, 137.3103, 45.0)
        zenith = np.degrees(np.arccos(rng.uniform(-0.2, 1.0, count)))
        directions = arrival_direction(lat, 137.3103, zenith, rng.uniform(0.0, 360.0, count))
        rigidities = rng.uniform(3.0, 70.0, count)
        truth, ends = trace_many(xyz, directions, rigidities, field, plain)
        found, early = trace_many(xyz, directions, rigidities, field, quick)
        decided = truth != 2
        # deep in the penumbra two equally good integrations may differ once in a thousand
        assert (found[decided] != truth[decided]).sum() <= 1
        assert early[:, 7].sum() < ends[:, 7].sum()
        found, _ = trace_many(xyz, directions, rigidities, field, cut)
        assert (found[decided] != truth[decided]).sum() <= 1


def test_certain_escape_reaches_ten_radii_within_its_share_of_path() -> None:
    """The path left after `escape_is_certain`, from the bound w^2(r), is below 50 Earth radii."""
    worst = 0.0
    for radius in (1.0, 2.0, 4.0, 7.0, 9.9):
        for kappa in np.concatenate([[0.0, 0.5, 0.949], np.linspace(0.951, 2.71, 23)]):
            lowest = 0.0 if kappa < 0.95 else math.sqrt(min(0.01 + 1.0 - kappa + kappa * math.log(kappa), 1.0))
            mu = lowest + 1e-9
            if mu > 1.0 or not escape_is_certain(kappa, mu):
                continue

            def inverse_w(v: float, kappa: float = kappa, mu: float = mu) -> float:
                # x = r^2/r0^2 = 1 + v^2 takes the integrable root at the start away
                x = 1.0 + v * v
                return 2.0 * v / math.sqrt(max(mu * mu + x - 1.0 - kappa * math.log(x), 1e-300))

            top = math.sqrt((10.0 / radius) ** 2 - 1.0)
            path = 0.5 * radius * quad(inverse_w, 1e-9, top, points=[math.sqrt(max(kappa - 1.0, 0.0))], limit=500)[0]
            worst = max(worst, path)
    assert worst < 50.0


def test_bound_on_the_horizontal_field_holds_everywhere(field: FieldModel) -> None:
    params = trace_params(field)
    rng = np.random.default_rng(4)
    lat, lon = np.degrees(np.arcsin(rng.uniform(-1, 1, 20000))), rng.uniform(-180, 180, 20000)
    for radius in (EARTH_RADIUS_KM, 8000.0, 15000.0, 60000.0):
        enu = field.field_enu(lat, lon, radius)
        largest = np.hypot(enu[:, 0], enu[:, 1]).max()
        assert largest < horizontal_bound(radius, params, field.degree) < 1.6 * largest
    assert params[P_BOUND + 1] == pytest.approx(
        np.linalg.norm([field.g[1, 0], *field.g[1, 1:], field.h[1, 1]]), rel=2e-3
    )


def test_momentum_is_conserved_and_time_reverses(field: FieldModel, tight: np.ndarray) -> None:
    directions, rigidities = kamioka_sample(40, 16, 3.0, 60.0, 1.5)
    verdicts, ends = trace_many(KAMIOKA, directions, rigidities, field, tight)
    np.testing.assert_allclose(np.linalg.norm(ends[:, 3:6], axis=1), 1.0, atol=1e-12)
    # a positive particle sent back from where the antiparticle left must come back to the start: in a field
    # turned round the kernel's antiparticle is that positive particle
    turned = FieldModel.from_coefficients(-field.g, -field.h)
    i = int(np.flatnonzero(verdicts == 1)[0])
    back = trace_params(
        turned, -1000.0, False, 1e-10, max_path_radii=float(ends[i, 6]) / EARTH_RADIUS_KM, shortcuts=False
    )
    found = backtrack_state(*ends[i, :3], *ends[i, 3:6], rigidities[i], turned.gauss, back)
    # it stops at the first step beyond that path: go back along the straight line, the step being short
    over = found[7] - ends[i, 6]
    nearest = np.array(found[1:4]) - over * np.array(found[4:7])
    assert found[0] == 2
    assert np.linalg.norm(nearest - KAMIOKA) < 0.02 * over + 0.1


def test_one_gyration_in_the_dipole() -> None:
    """A 1 GV particle going up from the magnetic equator comes down again after half a turn."""
    dipole = FieldModel.dipole()
    params = trace_params(dipole, 0.0, False, 1e-8, shortcuts=False)
    found = backtrack_state(EARTH_RADIUS_KM + 1.0, 0.0, 0.0, -1.0, 0.0, 0.0, 1.0, dipole.gauss, params)
    gyroradius = (
        1.0 / (0.299792458 * 29790e-9) / 1e3
    )  # km; the field falls by 5% on the way up, and the last step ends below
    assert found[0] == 0
    assert found[7] == pytest.approx(math.pi * gyroradius, rel=0.1)
    assert found[3] == pytest.approx(0.0, abs=1e-6)


@pytest.mark.parametrize("drop_km", [0.5, 2.0, 30.0])
def test_a_dip_below_the_floor_inside_a_long_step_is_seen(field: FieldModel, drop_km: float) -> None:
    # nearly straight: a huge rigidity, horizontal just below or above the floor at the middle of the path
    params = trace_params(field, 0.0, False, 1e-3, shortcuts=False)
    for sign, expected in ((1.0, 1), (-1.0, 0)):
        z = EARTH_RADIUS_KM + sign * drop_km
        assert backtrack_state(5000.0, 0.0, z, 1.0, 0.0, 0.0, 1e7, field.gauss, params)[0] == expected


def test_start_on_and_under_the_floor_is_exempt_only_going_up(field: FieldModel) -> None:
    params = trace_params(field, 20.0, True)
    up, flat = (
        arrival_direction(36.4257, 137.3103, 0.0, 0.0),
        arrival_direction(36.4257, 137.3103, 90.0, 200.0),
    )
    down = -up
    low = geodetic_to_cartesian(36.4257, 137.3103, 19.0)
    for xyz in (KAMIOKA, low):
        assert backtrack_state(*xyz, *up, 1000.0, field.gauss, params)[0] == 1
        assert backtrack_state(*xyz, *down, 1000.0, field.gauss, params)[0] == 0
    assert backtrack_state(*KAMIOKA, *flat, 1000.0, field.gauss, params)[0] == 1


def test_undecided_is_reported() -> None:
    dipole = FieldModel.dipole()
    params = trace_params(dipole, -6000.0, False, 1e-5, max_path_radii=20.0)
    found = backtrack_state(2.0 * EARTH_RADIUS_KM, 0.0, 0.0, 0.0, -0.7, 0.714, 0.5, dipole.gauss, params)
    assert found[0] == 2
