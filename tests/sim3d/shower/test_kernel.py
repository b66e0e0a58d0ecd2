"""Showers: the carried frame, independence of step lengths and of thinning, limits, accounting (design 4.5, 4.7)."""

import math

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from sim3d.conventions.constants import EARTH_RADIUS_KM
from sim3d.conventions.particles import KL, KM, KP, MUM, MUP, PIM, PIP
from sim3d.shower.neutrino_list import NU_DECAY, NU_ENERGY, NU_FLAVOUR, NU_PARENT, NU_TAG, NU_UX, NU_WEIGHT, NU_X
from sim3d.shower.weight_sharing import NEUTRINO_SHARING, SINGLE_DECAYS
from sim3d.shower.world import kinetic_minimum

# columns of the rows of ``follow``: the shower's number comes first
FLAVOUR, ENERGY, WEIGHT, X, U = (1 + k for k in (NU_FLAVOUR, NU_ENERGY, NU_WEIGHT, NU_X, NU_UX))
TOP_KM = 112.8


@pytest.fixture(scope="module")
def starts(entries, make_world):
    """Isotropic entries through the top of the world's atmosphere."""
    return entries(6000, make_world().top_km, seed=11)[0]


def per_shower(rows, n, low=0.0, high=math.inf, power=0.0, flavour=None):
    """Sum of weight * E^power per shower over neutrinos with low <= E < high."""
    kept = (rows[:, ENERGY] >= low) & (rows[:, ENERGY] < high)
    if flavour is not None:
        kept &= rows[:, FLAVOUR] == flavour
    chosen = rows[kept]
    return np.bincount(chosen[:, 0].astype(int), weights=chosen[:, WEIGHT] * chosen[:, ENERGY] ** power, minlength=n)


BINS = ((0.1, 0.3), (0.3, 1.0), (1.0, 3.0), (3.0, 20.0))


def agree(rows_a, rows_b, n, systematic, paired=True):
    """Yields of two sets of n showers agree bin by bin within 4.5 sigma and a relative ``systematic``."""
    for low, high in BINS:
        a, b = (per_shower(rows, n, low, high) for rows in (rows_a, rows_b))
        error = (a - b).std() if paired else math.hypot(a.std(), b.std())
        tolerance = 4.5 * error / math.sqrt(n) + systematic * b.mean()
        assert abs(a.mean() - b.mean()) < tolerance, (low, high, a.mean(), b.mean())
        assert b.mean() > 0


@pytest.mark.parametrize("angles", [(40.0, 0.0, 0.0), (0.0, 90.0, 0.0), (123.0, 77.0, -50.0)])
def test_a_rotated_start_gives_the_rotated_shower(make_world, follow, starts, angles):
    """Without a field the world is spherically symmetric: same random numbers, same neutrinos, all places rotated.

    This holds only if azimuths are drawn in the frame each particle carries.
    """
    world = make_world(bending=False)
    rotation = Rotation.from_euler("zyx", angles, degrees=True).as_matrix()
    here = starts[:400]
    there = np.hstack([here[:, k : k + 3] @ rotation.T for k in (0, 3, 6)])
    original = follow(world, here, 30.0, seed=5)
    moved = follow(world, there, 30.0, seed=5)
    assert len(original) > 3000
    assert original.shape == moved.shape
    np.testing.assert_array_equal(moved[:, :2], original[:, :2])
    np.testing.assert_allclose(moved[:, ENERGY], original[:, ENERGY], rtol=1e-9)
    np.testing.assert_array_equal(moved[:, WEIGHT], original[:, WEIGHT])
    np.testing.assert_allclose(moved[:, X : X + 3], original[:, X : X + 3] @ rotation.T, atol=1e-5)
    np.testing.assert_allclose(moved[:, U : U + 3], original[:, U : U + 3] @ rotation.T, atol=1e-8)


def test_a_turned_frame_gives_another_shower(make_world, follow, starts):
    """The carried vector matters: turned about the direction, the shower turns about the primary's axis."""
    world = make_world(bending=False)
    here = starts[:50]
    turned = here.copy()
    u, e = here[:, 3:6], here[:, 6:9]
    turned[:, 6:9] = np.cross(u, e)
    a, b = follow(world, here, 30.0), follow(world, turned, 30.0)
    first_a, first_b = a[a[:, 0] == a[0, 0]][0], b[b[:, 0] == a[0, 0]][0]
    assert not np.allclose(first_a[U : U + 3], first_b[U : U + 3], atol=1e-6)


def test_one_dimensional_limit(make_world, follow, starts):
    """No transverse momenta, no bending: every neutrino flies along the primary, from a point on its line."""
    world = make_world(bending=False, transverse=False)
    rows = follow(world, starts[:500], 30.0)
    assert len(rows) > 3000
    owner = rows[:, 0].astype(int)
    np.testing.assert_array_equal(rows[:, U : U + 3], starts[owner, 3:6])
    offset = rows[:, X : X + 3] - starts[owner, :3]
    along = (offset * starts[owner, 3:6]).sum(axis=1)
    assert (along > 0).all()
    np.testing.assert_allclose(offset, along[:, None] * starts[owner, 3:6], atol=1e-6)


def test_bending_bends(make_world, follow, starts):
    """A muon turns by KAPPA B c tau / m, about 3 degrees in 40,000 nT, in its mean life whatever its momentum."""
    rows = follow(make_world(transverse=False), starts[:500], 30.0)
    owner = rows[:, 0].astype(int)
    cos = (rows[:, U : U + 3] * starts[owner, 3:6]).sum(axis=1)
    angle = np.degrees(np.arccos(np.clip(cos, -1, 1)))
    from_muons = rows[:, FLAVOUR] >= 2
    for low, high in ((0.3, 2.0), (3.0, 20.0)):
        chosen = from_muons & (rows[:, ENERGY] > low) & (rows[:, ENERGY] < high)
        assert 1.0 < np.median(angle[chosen]) < 6.0


@pytest.fixture(scope="module")
def reference(make_world, follow, starts):
    """Showers of 20 GeV protons with the default world."""
    return follow(make_world(), starts, 20.0)


@pytest.mark.parametrize("step", [0.5, 2.0])
def test_step_length_does_not_matter(make_world, follow, starts, reference, step):
    """Steps of half and twice 1 km, bin by bin, with the same random numbers; 1% is left for the step's own error."""
    other = follow(make_world(step_km=step), starts, 20.0)
    agree(other, reference, len(starts), 0.01)
    # multiple scattering adds up to the same angle in any number of steps
    means, errors = [], []
    for rows in (other, reference):
        from_muons = rows[(rows[:, FLAVOUR] >= 2) & (rows[:, ENERGY] > 0.3)]
        cos = (from_muons[:, U : U + 3] * starts[from_muons[:, 0].astype(int), 3:6]).sum(axis=1)
        angle = np.arccos(np.clip(cos, -1, 1))
        means.append(angle.mean())
        errors.append(angle.std() / math.sqrt(len(angle) / 4))  # up to four neutrinos share a history
    assert abs(means[0] - means[1]) < 4.5 * math.hypot(*errors)


def test_field_reuse_does_not_matter(make_world, follow, starts, reference):
    """A field value computed anew at every step gives the same yields as one kept for 16 km."""
    other = follow(make_world(field_reuse_km=0.0), starts[:3000], 20.0)
    agree(other, reference[reference[:, 0] < 3000], 3000, 0.005)


def test_thinning_does_not_matter(make_world, follow, starts, reference):
    """Russian roulette on soft secondaries: the same yields with fewer particles of larger weight."""
    thinned = follow(make_world(thinning_ratio=10.0), starts, 20.0, seed=2)
    agree(thinned, reference, len(starts), 0.0, paired=False)
    assert len(thinned) < 0.9 * len(reference)
    assert thinned[:, WEIGHT].max() > 1.0
    assert (reference[:, WEIGHT] == 1.0).all()


def test_hard_thinning_at_high_energy(make_world, follow, starts):
    """At 300 GeV, where the roulette is severe, mean energy into neutrinos and their number stay."""
    n = 1500
    plain, thinned = (
        follow(make_world(thinning_ratio=ratio, energy_min_GeV=0.3), starts[:n], 300.0, seed=seed)
        for ratio, seed in ((0.0, 1), (10.0, 2))
    )
    assert len(thinned) < 0.5 * len(plain)
    for power in (0.0, 1.0):
        a, b = (per_shower(rows, n, power=power) for rows in (thinned, plain))
        assert abs(a.mean() - b.mean()) < 4.5 * math.hypot(a.std(), b.std()) / math.sqrt(n)


def test_several_decays_of_one_muon(make_world, follow, starts):
    """Muons that decay several times along one path give the same yields, harder ones included, with less variance."""
    n = 6000
    one, several = (
        follow(make_world(sharing=sharing, energy_min_GeV=0.3), starts[:n], 60.0, seed=seed)
        for sharing, seed in ((SINGLE_DECAYS, 1), (SINGLE_DECAYS._replace(muon_GeV=2.0, most_muon=10.0), 2))
    )
    assert (one[:, WEIGHT] == 1.0).all()
    assert several[:, WEIGHT].min() == pytest.approx(0.1)  # ten at most
    electron = [rows[rows[:, 1] >= 2] for rows in (one, several)]
    for rows, power, threshold in (((one, several), 0.0, 0.0), (electron, 0.0, 0.0), (electron, 1.0, 4.0)):
        a, b = (per_shower(x, n, threshold, power=power) for x in rows)
        assert abs(a.mean() - b.mean()) < 4.5 * math.hypot(a.std(), b.std()) / math.sqrt(n)
    hard, harder = (per_shower(x, n, 4.0) for x in electron)
    assert harder.std() < 0.8 * hard.std()


FEATURES = {
    "pions": {"pion_GeV": 10.0, "most_meson": 100.0},
    "pions in a roulette": {"pion_GeV": 10.0, "most_meson": 100.0, "roulette": True},
    "kaons": {"kaon_GeV": 10.0, "long_kaon_GeV": 10.0, "most_meson": 100.0},
    "draws": {"draws": 4, "muon_draws_below_GeV": 25.0},
    "channels": {"channels_from_GeV": 10.0},
    "more kaons": {"kaons": 4.0, "kaons_from_GeV": 10.0},
}


@pytest.fixture(scope="module")
def unshared(make_world, follow, starts):
    """Showers of 300 GeV protons, seen from 3 GeV on, with one decay of each particle."""
    return follow(make_world(energy_min_GeV=3.0, thinning_ratio=2.0), starts, 300.0, seed=21)


@pytest.mark.parametrize("feature", [*FEATURES, "all"])
def test_shared_weights_leave_the_means(make_world, follow, starts, unshared, feature):
    """Each way of sharing weights, and all together: the same neutrinos by flavour and energy as from single decays."""
    n = 4000
    sharing = NEUTRINO_SHARING if feature == "all" else SINGLE_DECAYS._replace(**FEATURES[feature])
    shared = follow(make_world(energy_min_GeV=3.0, thinning_ratio=2.0, sharing=sharing), starts[:n], 300.0, seed=22)
    for flavour in range(4):
        for low, high in ((3.0, 10.0), (10.0, 40.0), (40.0, 300.0)):
            a = per_shower(shared, n, low, high, 1.0, flavour)
            b = per_shower(unshared, len(starts), low, high, 1.0, flavour)
            error = math.hypot(a.std() / math.sqrt(n), b.std() / math.sqrt(len(starts)))
            assert abs(a.mean() - b.mean()) < 4.5 * error, (flavour, low)


def test_sharing_reduces_the_scatter_of_hard_neutrinos(make_world, follow, starts, unshared):
    """Above 40 GeV, by flavour: electron neutrinos of one shower scatter less, muon neutrinos too."""
    n = 4000
    world = make_world(energy_min_GeV=3.0, thinning_ratio=2.0, sharing=NEUTRINO_SHARING)
    shared = follow(world, starts[:n], 300.0, seed=22)
    for flavour, most in ((0, 0.7), (1, 0.7), (2, 0.7), (3, 0.7)):
        a = per_shower(shared, n, 40.0, 300.0, 1.0, flavour)
        b = per_shower(unshared, len(starts), 40.0, 300.0, 1.0, flavour)
        assert a.std() < most * b.std(), flavour


def test_neutrinos_of_a_decay_are_together(make_world, follow, starts):
    """Consecutive rows with one number, one place and one parent; no two neutrinos have the same identifier."""
    rows = follow(make_world(sharing=NEUTRINO_SHARING, bending=False), starts[:100], 100.0)
    decay, parent, tag = (1 + k for k in (NU_DECAY, NU_PARENT, NU_TAG))
    new = np.flatnonzero(np.diff(rows[:, decay], prepend=-1.0))
    assert len(np.unique(rows[:, decay])) == len(new)
    assert len(np.unique(rows[:, tag])) == len(rows)
    first = new[np.searchsorted(new, np.arange(len(rows)), side="right") - 1]
    for k in (0, parent, X, X + 1, X + 2):
        assert np.array_equal(rows[:, k], rows[first, k])
    assert set(rows[:, parent]) <= {PIP, PIM, KP, KM, KL, MUP, MUM}


@pytest.mark.parametrize("threshold", [1.0, 3.0])
def test_threshold(make_world, follow, starts, reference, threshold):
    """Nothing below the threshold is recorded, and dropping hopeless particles loses nothing above it."""
    n = len(starts)
    rows = follow(make_world(energy_min_GeV=threshold), starts, 20.0, seed=3)
    assert rows[:, ENERGY].min() >= threshold
    a, b = per_shower(rows, n, threshold), per_shower(reference, n, threshold)
    assert abs(a.mean() - b.mean()) < 4.5 * math.hypot(a.std(), b.std()) / math.sqrt(n)


def test_kinetic_minimum_by_hand():
    """A pion at its minimum gives at most the threshold: (E + p)/2 = 1 GeV; a nucleon needs at least 1 GeV."""
    minimum = kinetic_minimum(1.0)
    mass = 0.13957
    total = minimum[2] + mass
    assert 0.5 * (total + math.sqrt(total**2 - mass**2)) == pytest.approx(1.0, rel=1e-4)
    assert minimum[0] == minimum[1] == 1.0
    assert kinetic_minimum(0.1)[0] == 0.28


@pytest.mark.parametrize("energy", [3.0, 20.0, 300.0])
def test_energy_accounting(make_world, follow, starts, energy):
    """Weights are positive, and neutrinos take between 2% and 40% of the primary's energy on average."""
    n = 2000 if energy < 100 else 500
    rows = follow(make_world(), starts[:n], energy)
    assert (rows[:, WEIGHT] > 0).all()
    assert rows[:, ENERGY].max() < energy + 0.939
    share = per_shower(rows, n, power=1.0).mean() / energy
    assert 0.02 < share < 0.4


def test_neutrinos_are_born_in_the_air(reference):
    """Between the ground and the top, with unit directions."""
    height = np.linalg.norm(reference[:, X : X + 3], axis=1) - EARTH_RADIUS_KM
    assert height.min() > -1e-6
    assert height.max() < TOP_KM + 3
    np.testing.assert_allclose(np.linalg.norm(reference[:, U : U + 3], axis=1), 1, atol=1e-12)
    assert set(np.unique(reference[:, FLAVOUR])) == {0, 1, 2, 3}


def test_muon_neutrinos_are_twice_the_electron_neutrinos(reference):
    """Around 1 GeV (numu + numubar) / (nue + nuebar) is close to 2 (pi -> mu -> e chains)."""
    counts = np.array([per_shower(reference, 6000, 0.5, 2.0, flavour=f).sum() for f in range(4)])
    assert 1.8 < (counts[0] + counts[1]) / (counts[2] + counts[3]) < 2.6
    # a proton makes more pi+ than pi-: more nue than nuebar
    assert counts[2] > counts[3]


def test_superposition(make_world, follow, starts):
    """A nucleon of helium (half proton, half neutron) gives yields half-way between those of p and n."""
    world, n = make_world(bending=False), len(starts)
    rows = {z: follow(world, starts, 10.0, z_over_a=z, seed=7) for z in (0.0, 0.5, 1.0)}
    difference = {}
    for z, shower in rows.items():
        difference[z] = per_shower(shower, n, flavour=2) - per_shower(shower, n, flavour=3)
    mean = {z: d.mean() for z, d in difference.items()}
    error = {z: d.std() / math.sqrt(n) for z, d in difference.items()}
    # isospin: nue - nuebar has opposite signs for protons and neutrons
    assert mean[1.0] > mean[0.5] > mean[0.0]
    assert mean[1.0] - mean[0.0] > 5 * math.hypot(error[0.0], error[1.0])
    middle = 0.5 * (mean[0.0] + mean[1.0])
    assert abs(mean[0.5] - middle) < 4.5 * math.hypot(error[0.5], 0.5 * math.hypot(error[0.0], error[1.0]))


def test_a_primary_that_misses_makes_nothing(make_world, follow):
    """Straight out of the atmosphere: no neutrino, and the kernel comes back."""
    world = make_world()
    start = np.zeros((1, 9))
    start[0, 0], start[0, 3], start[0, 7] = EARTH_RADIUS_KM + world.top_km, 1.0, 1.0
    assert len(follow(world, start, 100.0)) == 0


def test_a_primary_below_pion_threshold_makes_nothing(make_world, follow, starts):
    """0.2 GeV protons range out or are dropped."""
    assert len(follow(make_world(), starts[:200], 0.2)) == 0


def test_work_space_grows(make_world, follow, starts):
    """A shower of 100 TeV with a low threshold outgrows the neutrino list (1,024 rows) and loses nothing."""
    rows = follow(make_world(bending=False), starts[:2], 1e5)
    assert np.bincount(rows[:, 0].astype(int)).max() > 1024
    assert np.isfinite(rows).all()
