"""Targeted sampling gives what the other modes give: same means, smaller errors."""

from __future__ import annotations

import math

import numpy as np
import pytest
from earlier_inputs import with_earlier_inputs

from geomag.field.igrf import FieldModel
from sim3d.config.load import make_config
from sim3d.conventions.binning import ENERGY_EDGES_GEV
from sim3d.conventions.constants import EARTH_RADIUS_KM
from sim3d.conventions.particles import KP, PIP
from sim3d.sampling.aim_settings import make_aim
from sim3d.sampling.aiming import A_U, AIM_COLUMNS, N_SECTORS
from sim3d.sampling.coarse_field import coarse_field
from sim3d.sampling.pilot import add_axis, list_crossings
from sim3d.sampling.targeted import rotation_density
from sim3d.scoring.detectors import RECTANGLE, SITE_DTYPE, Detector, sphere_crossings
from sim3d.shower.neutrino_list import (
    NEUTRINO_COLUMNS,
    NU_DECAY,
    NU_ENERGY,
    NU_FLAVOUR,
    NU_PARENT,
    NU_TURN,
    NU_UX,
    NU_UZ,
    NU_WEIGHT,
    NU_Z,
)
from sim3d.simulation.engine import simulate

ENERGIES = [0.5, 1.0, 2.0, 5.0, 20.0]
EDGES = [int(np.argmin(abs(ENERGY_EDGES_GEV - e))) for e in ENERGIES]


def run(mode, primaries, seed=1, patch=(30.0, 60.0), site="kamioka", **tables):
    """Sums of a run with 48 batches (two in each group)."""
    batch = primaries // 48
    sampling = {"mode": mode, **tables.pop("sampling", {})}
    config = {
        "run": {"primaries": 48 * batch, "batch_size": batch, "seed": seed},
        "sampling": sampling,
        "scoring": {"energy_min_GeV": 0.5},
        "sites": [{"name": site, "patch": {"ns_deg": patch[0], "ew_deg": patch[1]}}],
        **tables,
    }
    record = simulate(make_config(with_earlier_inputs(config)), threads=2)
    assert record is not None
    assert not record.failure
    return record


def groups(record, zenith=4, azimuth=4):
    """Group means (24, flavour, energy, zenith band, azimuth quarter)."""
    bands = record.tallies[0].group_sums()[1] / 2.0
    by_energy = np.stack([bands[:, :, a:b].sum(axis=2) for a, b in zip(EDGES[:-1], EDGES[1:], strict=True)], axis=2)
    shape = (*by_energy.shape[:3], zenith, 4 // zenith, azimuth, 12 // azimuth)
    return by_energy.reshape(shape).sum(axis=(4, 6))


def pulls(a, b, largest_error=0.12):
    """Differences in standard errors, where the bins of both are known well enough for their errors to be."""
    mean = [x.mean(axis=0) for x in (a, b)]
    error = [x.std(axis=0, ddof=1) / math.sqrt(len(x)) for x in (a, b)]
    use = (error[0] < largest_error * mean[0]) & (error[1] < largest_error * mean[1])
    return ((mean[0] - mean[1]) / np.hypot(*error))[use]


def sign_flips(n, groups=24, seed=1):
    """Signs (n, groups) of which the first row has no change."""
    signs = np.random.default_rng(seed).choice([-1.0, 1.0], (n, groups))
    signs[0] = 1.0
    return signs


def agree(a, b, largest_error=0.12, flips=20_000):
    """Chi2 of all bins and their common shift are as large as the scatter of the groups lets them be.

    A shower has hits in several bins, so that bins are correlated: chi2 per bin of these runs scatters by 0.2, twice
    what independent bins would give. Without a true difference, that of two runs in a group is as likely as its
    opposite, in all bins at once. Therefore the 24 differences get random signs, 20,000 times, and the test fails if
    no other set of signs reaches the value that was found (by chance once in 20,000, as 3.9 standard errors).
    """
    mean = [x.mean(axis=0) for x in (a, b)]
    error = [x.std(axis=0, ddof=1) / math.sqrt(len(x)) for x in (a, b)]
    use = (error[0] < largest_error * mean[0]) & (error[1] < largest_error * mean[1])
    assert use.sum() >= 40
    difference = (a - b)[:, use]
    shift = sign_flips(flips) @ difference / len(difference)
    # the mean square of the differences is the same for all signs
    square = (difference**2).mean(axis=0)
    z = shift / np.sqrt((square - shift**2) / (len(difference) - 1))
    chi2, common = (z**2).mean(axis=1), np.abs(z.mean(axis=1))
    for statistic in (chi2, common):
        assert np.sum(statistic >= statistic[0]) > 1


@pytest.fixture(scope="module")
def aimed():
    """A targeted run at Kamioka."""
    return run("targeted", 72_000)


@pytest.mark.parametrize(
    ("primaries", "precision"), [(100_000, 0.24), pytest.param(480_000, 0.1, marks=pytest.mark.slow)]
)
def test_against_analog(aimed, primaries, precision):
    """Same patch, same world: by flavour in energy, zenith and azimuth, all bins (choosing some would be biased)."""
    analog = run("analog", primaries, seed=2)
    sets = []
    for axes in ((3, 4), (2, 4), (2, 3)):
        a, b = (groups(r).sum(axis=axes) for r in (aimed, analog))
        error = np.hypot(a.std(axis=0, ddof=1), b.std(axis=0, ddof=1)) / math.sqrt(24)
        sets.append(((a.mean(axis=0) - b.mean(axis=0)) / error).ravel())
        assert np.median(error / b.mean(axis=0)) < precision
    z = np.concatenate(sets)
    assert (z**2).mean() < 1.1 + 4.0 * math.sqrt(2.2 / 16)
    assert np.all(abs(z) < 5.0)
    total = [groups(r).sum(axis=(2, 3, 4)) for r in (aimed, analog)]
    assert np.all(abs(pulls(*total)) < 4.0)


@pytest.mark.parametrize("cutoff", [True, pytest.param(False, marks=pytest.mark.slow)])
def test_against_rotated(cutoff):
    """Without bending in the air the rotated mode gives the same, with small errors, at a far-away site as well."""
    tables = {"transport": {"bending": False}, "field": {"cutoff": cutoff}, "site": "sno"}
    agree(groups(run("targeted", 48_000, **tables)), groups(run("rotated", 36_000, seed=3, **tables)))


def test_small_patch_of_another_kind():
    """A cap of one degree at the geographic pole, without field of any kind: again the rotated mode's flux."""
    tables = {
        "transport": {"bending": False},
        "field": {"cutoff": False},
        "sites": [{"name": "pole", "lat": -90.0, "lon": 0.0, "patch": {"radius_deg": 1.0}}],
    }
    agree(groups(run("targeted", 48_000, **tables)), groups(run("rotated", 36_000, seed=3, **tables)))


@pytest.mark.parametrize(
    ("sampling", "primaries"),
    [
        ({"effort": 2.0}, 24_000),
        ({"margin_deg": 4.0}, 24_000),
        # whole showers are followed, of 1000 TeV too, for minutes
        pytest.param({"thinning": 0.0}, 48_000, marks=pytest.mark.slow),
    ],
)
def test_settings_do_not_move_the_mean(aimed, sampling, primaries):
    """How rotations are drawn changes the error only."""
    agree(groups(aimed), groups(run("targeted", primaries, seed=5, sampling=sampling)))


def test_errors_are_smaller_than_analog(aimed):
    """Per hour on a 2 x 2 degree patch the gain is measured by benchmarks/run.py; here: many hits for few primaries."""
    assert aimed.tallies[0].hits.sum() > 0.3 * aimed.counters["primaries"]
    assert aimed.counters["rotations"] > 0.3 * aimed.counters["primaries"]
    g = groups(aimed).sum(axis=(2, 3, 4))
    assert np.all(g.std(axis=0, ddof=1) / math.sqrt(24) < 0.05 * g.mean(axis=0))


def test_one_dimensional_world():
    """Collinear, straight and without cutoff the up- and down-going fluxes are mirror images, bin by bin."""
    record = run(
        "targeted",
        72_000,
        transport={"bending": False, "transverse": False},
        field={"cutoff": False},
        patch=(2, 2),
    )
    g = groups(record)
    agree(g, g[:, :, :, ::-1])


COLLINEAR = {"transport": {"bending": False, "transverse": False}}


@pytest.fixture(scope="module")
def collinear():
    """A rotated run, in which a patch has no meaning, of the collinear limit."""
    return groups(run("rotated", 48_000, seed=3, **COLLINEAR))


@pytest.mark.parametrize("patch", [(2.0, 2.0), pytest.param((10.0, 40.0), marks=pytest.mark.slow)])
def test_one_dimension_against_rotated(collinear, patch):
    """With cutoffs, at a true site: the collinear limit is that of the rotated mode, bin by bin."""
    agree(groups(run("targeted", 72_000, patch=patch, **COLLINEAR)), collinear)


def neutrino(z, direction, turn=0.0, energy=1.0):
    """A row of the shower kernel's list, on the z axis."""
    row = np.zeros(NEUTRINO_COLUMNS)
    row[[NU_FLAVOUR, NU_ENERGY, NU_WEIGHT, NU_Z, NU_TURN]] = (0, energy, 1.0, z, turn)
    row[NU_UX : NU_UZ + 1] = direction
    return row


def listed(rows, bending, aims):
    """The table of crossings for Kamioka."""
    site = Detector("here", 36.4, 137.3, 0.0, 36.4, -8.0, 2.0, 2.0).row()
    coarse = coarse_field(FieldModel("2020-01-01", 10))
    work, cosines = np.empty((3, 3)), np.empty(N_SECTORS)
    return list_crossings(rows, len(rows), site, 1.0, make_aim(), coarse, bending, aims, work, cosines)


def test_list_of_crossings():
    """Down and up for a neutrino that meets the sphere; a near miss only with bending; none for one that flies away."""
    z = EARTH_RADIUS_KM + 20.0
    dip = math.acos(EARTH_RADIUS_KM / z)
    meets, misses = (np.array([math.cos(a), 0.0, -math.sin(a)]) for a in (dip + 0.3, dip - 0.01))
    rows = np.stack([neutrino(z, meets), neutrino(z, misses, turn=1e-6), neutrino(z, [0, 0, 1.0], turn=1e-6)])
    aims = np.empty((8, AIM_COLUMNS))
    for bending, expected in ((False, 2), (True, 4)):
        n, total = listed(rows, bending, aims)
        assert n == expected
        assert total > 0.0
        down, up = sphere_crossings(0.0, 0.0, z, *meets, EARTH_RADIUS_KM)
        for k, path in enumerate((down, up)):
            place = np.array([0.0, 0.0, z]) + path * meets
            assert np.allclose(aims[k, :3], place / np.linalg.norm(place))
    assert listed(rows[2:], True, aims)[0] == 0


def test_fast_neutrinos_of_one_decay_share_a_row():
    """Their importances are added, in the place of the most important; soft ones and other decays keep rows."""
    z = EARTH_RADIUS_KM + 20.0
    down = [math.sin(0.3), 0.0, -math.cos(0.3)]
    steeper = [math.sin(0.29), 0.0, -math.cos(0.29)]
    rows = np.stack([neutrino(z, down, energy=energy) for energy in (6.0, 20.0, 2.0, 30.0, 7.0, 8.0)])
    rows[1, NU_UX : NU_UZ + 1] = steeper
    rows[:, NU_PARENT] = [PIP, PIP, PIP, KP, KP, PIP]
    rows[:, NU_DECAY] = [1.0, 1.0, 1.0, 2.0, 2.0, 3.0]
    rows[1, NU_WEIGHT] = 10.0
    aims = np.empty((16, AIM_COLUMNS))
    n, total = listed(rows, False, aims)
    assert n == 2 * 5  # the first two neutrinos are one crossing; those of the kaon are below its limit
    alone = [listed(rows[k : k + 1], False, np.empty((4, AIM_COLUMNS)))[1] for k in range(len(rows))]
    assert total == pytest.approx(sum(alone), rel=0.05)
    assert np.allclose(aims[0, A_U : A_U + 3], steeper)


def test_weights_are_bounded_by_design():
    """q never falls below the uniform share, wherever the rotation puts the shower."""
    aim = make_aim()
    pose = np.array([0, 0, EARTH_RADIUS_KM + 20.0, math.sin(1.0), 0, -math.cos(1.0), 0, 1.0, 0])
    aims = np.empty((4, AIM_COLUMNS))
    n = add_axis(aims, 0, pose, EARTH_RADIUS_KM, 0.01)
    site = np.zeros(1, SITE_DTYPE)[0]
    site["up"], site["magnetic_north"], site["magnetic_east"] = np.eye(3)[[0, 2, 1]]
    site["radius_km"], site["shape"], site["area_m2"] = EARTH_RADIUS_KM, RECTANGLE, 1.0
    site["sin_half_ns"], site["half_ew"], site["cos_farthest"] = 0.02, 0.02, 0.999
    coarse = coarse_field(FieldModel("2020-01-01", 10))
    rng = np.random.default_rng(3)
    for _ in range(200):
        q, _ = np.linalg.qr(rng.normal(size=(3, 3)))
        g = np.ascontiguousarray(q * np.linalg.det(q))
        density = rotation_density(aims, n, 0.02, g, site, aim, coarse, False, np.empty((3, 3)))
        assert density >= aim.uniform_share
