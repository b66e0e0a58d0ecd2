"""Sums over batches: exact, whatever the order and the split; errors as numpy computes them."""

import sys
import threading
from types import ModuleType, SimpleNamespace

import numpy as np
import pytest

from sim3d.conventions.binning import BINNINGS, COS_WIDTH, ENERGY_EDGES_GEV, N_COS, N_ENERGY
from sim3d.scoring.exact_sums import LIMB_BITS, N_GROUPS, TallyOverflowError
from sim3d.scoring.hit_weights import empty_weights
from sim3d.scoring.tally import SiteTally, rebin, scale_exponents
from sim3d.simulation.processes import Processes

N_AZIMUTH = 12
SHAPE = (4, N_ENERGY, N_COS, N_AZIMUTH)
N_BATCHES = 7


def physical_flux():
    """A flux of the right size in every bin, as its integral over the bin."""
    energy = np.sqrt(ENERGY_EDGES_GEV[1:] * ENERGY_EDGES_GEV[:-1])
    flux = 100.0 * energy**-2.7 / (1 + energy**-1)
    space = np.diff(ENERGY_EDGES_GEV) * COS_WIDTH * 2 * np.pi / N_AZIMUTH
    return np.broadcast_to((flux * space)[None, :, None, None], SHAPE)


def unit():
    """Smallest step of the fixed point, by energy bin."""
    return 2.0 ** -scale_exponents(N_AZIMUTH).astype(float)


@pytest.fixture(scope="module")
def batches():
    """Scores and hits of a few batches; most bins are empty, as in a real run."""
    rng = np.random.default_rng(1)
    out = []
    for _ in range(N_BATCHES):
        hits = rng.poisson(0.3, SHAPE)
        out.append((physical_flux() * hits * rng.exponential(3.0, SHAPE), hits))
    return out


def tally_of(batches, numbers):
    tally = SiteTally(N_AZIMUTH)
    for b in numbers:
        tally.add_batch(*batches[b], empty_weights(), b)
    return tally


@pytest.fixture(scope="module")
def whole(batches):
    """All batches in order."""
    return tally_of(batches, range(N_BATCHES))


def same(a, b):
    return all(np.array_equal(x, y) for x, y in zip(a.arrays().values(), b.arrays().values(), strict=True))


def test_order_does_not_matter(batches, whole):
    """Bitwise the same sums for another order of the batches."""
    assert same(whole, tally_of(batches, [3, 0, 6, 5, 1, 4, 2]))
    assert not same(whole, tally_of(batches, [0, 1, 2, 3, 4, 5]))


def test_sum_against_numpy(batches, whole):
    """Plain sums to the resolution of the fixed point, hits exactly."""
    expected = sum(scores for scores, _ in batches)
    error = np.abs(whole.plain_sum() - expected).max(axis=(0, 2, 3))
    assert np.all(error <= (0.5 * N_BATCHES + 1) * unit())
    # which is below 1e-5 of the flux in every bin
    assert np.all(unit() < 1e-5 * physical_flux().min(axis=(0, 2, 3)))
    assert np.array_equal(whole.hits, sum(hits for _, hits in batches))


@pytest.mark.parametrize("name", BINNINGS)
def test_square_sums_against_numpy(batches, whole, name):
    """Squares are those of the batch values of the merged bins."""
    binning = BINNINGS[name]
    expected = 0.0
    for scores, _ in batches:
        start, group = binning.energy_start, binning.energy_group
        kept = scores[:, start : start + group * binning.n_energy]
        coarse = kept.reshape(4, binning.n_energy, group, binning.n_cos, binning.cos_group, N_AZIMUTH).sum(axis=(2, 4))
        expected = expected + (coarse if binning.azimuth else coarse.sum(axis=3, keepdims=True)) ** 2
    step = 2.0 ** (-2.0 * whole.coarse_exponents(name))
    error = np.abs(whole.square_sum(name) - expected) - 1e-12 * expected
    assert np.all(error <= N_BATCHES * step[:, None, None])
    assert np.all(expected.mean(axis=(0, 2, 3)) > 1e6 * step)


@pytest.mark.parametrize("name", BINNINGS)
def test_rebin_keeps_the_sum(batches, name):
    """What a coarse binning covers is kept; FLUKA's leaves out the first and the last fine bin of energy."""
    binning = BINNINGS[name]
    scores = batches[0][0]
    out = rebin(
        scores, binning.energy_start, binning.energy_group, binning.n_energy, binning.cos_group, binning.azimuth
    )
    assert out.shape == binning.shape(N_AZIMUTH)
    stop = binning.energy_start + binning.n_energy * binning.energy_group
    assert out.sum() == pytest.approx(scores[:, binning.energy_start : stop].sum(), rel=1e-12)
    assert stop == (N_ENERGY - 1 if name.startswith("fluka") else N_ENERGY)


def test_binning_centres_are_hondas_and_flukas():
    """10^(k/20 - 1) and 10^((k + 1/2)/20 - 1) GeV."""
    np.testing.assert_allclose(BINNINGS["honda"].energies_GeV, 10 ** (np.arange(101) / 20 - 1), rtol=1e-12)
    np.testing.assert_allclose(BINNINGS["fluka"].energies_GeV, 10 ** ((np.arange(100) + 0.5) / 20 - 1), rtol=1e-12)
    assert len(BINNINGS["honda"].cos_edges) == 21
    assert len(BINNINGS["fluka"].cos_edges) == 41


def test_groups_against_numpy(batches, whole):
    """Group sums: azimuth halves (0-180 degrees is from the east) and zenith bands."""
    east_west, bands = whole.group_sums()
    for b, (scores, _) in enumerate(batches):
        halves = np.stack([scores[..., :6].sum(axis=3), scores[..., 6:].sum(axis=3)], axis=-1)
        error = np.abs(east_west[b] - halves).max(axis=(0, 2, 3))
        assert np.all(error <= 4 * unit())
        banded = scores.reshape(4, N_ENERGY, 4, 10, N_AZIMUTH).sum(axis=3)
        assert np.all(np.abs(bands[b] - banded).max(axis=(0, 2, 3)) <= 6 * unit())
        assert banded.max() > 1e6 * unit().max()
    assert np.all(east_west[N_BATCHES:] == 0)


def test_groups_wrap_around():
    """Batch number N_GROUPS goes to group 0 again."""
    tally = SiteTally(N_AZIMUTH)
    scores, hits = np.zeros(SHAPE), np.zeros(SHAPE, dtype=np.int64)
    scores[0, 50, 20, 1] = physical_flux()[0, 50, 20, 1]
    tally.add_batch(scores, hits, empty_weights(), 1)
    tally.add_batch(scores, hits, empty_weights(), N_GROUPS + 1)
    assert tally.group_sums()[0][1, 0, 50, 20, 0] == pytest.approx(2 * scores[0, 50, 20, 1], rel=1e-6)


def test_odd_numbers_of_azimuth_bins_are_shared():
    """A bin that straddles 180 degrees counts half for each side, and nothing is lost."""
    tally = SiteTally(13)
    scores = np.zeros((4, N_ENERGY, N_COS, 13))
    scores[1, 60, 3, 6] = physical_flux()[0, 60, 3, 6]
    tally.add_batch(scores, np.zeros(scores.shape, dtype=np.int64), empty_weights(), 0)
    east_west, _ = tally.group_sums()
    np.testing.assert_allclose(east_west[0, 1, 60, 3], 0.5 * scores[1, 60, 3, 6], rtol=1e-6)
    assert tally.east_west.sum() == tally.total.sum()


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf, 1e30])
def test_overflow(bad):
    """Not finite, or beyond any physical flux: an error that names the batch."""
    tally = SiteTally(N_AZIMUTH)
    scores, hits = physical_flux().copy(), np.ones(SHAPE, dtype=np.int64)
    scores[3, 100, 20, 5] = bad
    with pytest.raises(TallyOverflowError, match="batch 17"):
        tally.add_batch(scores, hits, empty_weights(), 17)


def test_a_batch_that_fails_leaves_the_sums_alone():
    """After an overflow the tally is what it was."""
    tally = SiteTally(N_AZIMUTH)
    scores, hits = physical_flux().copy(), np.ones(SHAPE, dtype=np.int64)
    scores[3, 100, 20, 5] = np.nan
    with pytest.raises(TallyOverflowError):
        tally.add_batch(scores, hits, empty_weights(), 0)
    assert all(not array.any() for array in tally.arrays().values())


@pytest.mark.parametrize("share", [1e4, 1.0, 1e-2, 1e-5, 1e-8])
def test_single_hits_on_small_patches_fit(share):
    """A hit counts for the flux over the share of the Earth its patch has; 100 times the flux's worth of it fits."""
    tally = SiteTally(N_AZIMUTH, share)
    scores, hits = np.zeros(SHAPE), np.ones(SHAPE, dtype=np.int64)
    scores[0, ::20, 5, 5] = 100.0 * physical_flux()[0, ::20, 5, 5] / min(1.0, share)
    tally.add_batch(scores, hits, empty_weights(), 0)
    np.testing.assert_allclose(tally.plain_sum()[0, ::20, 5, 5], scores[0, ::20, 5, 5], rtol=1e-4)
    assert tally.total.min() >= 0
    assert np.all(np.isfinite(tally.square_sum("honda_aa")))


class FakeRank:
    """One rank of a communicator whose ranks are threads; Reduce adds the n-th arrays of all ranks in rank order."""

    def __init__(self, shared, rank):
        self.shared, self.rank, self.calls = shared, rank, 0

    def Get_rank(self):
        return self.rank

    def Get_size(self):
        return self.shared.size

    def Reduce(self, send, receive, op, root):
        mine = receive if self.rank == root else send
        assert isinstance(send, str) == (self.rank == root)
        self.shared.slots.setdefault(self.calls, [None] * self.shared.size)[self.rank] = mine.copy()
        self.shared.barrier.wait(timeout=60)
        if self.rank == root:
            parts = self.shared.slots.pop(self.calls)
            assert all(p.dtype == np.int64 and p.shape == mine.shape for p in parts)
            receive[...] = np.sum(parts, axis=0, dtype=np.int64)
        self.calls += 1
        self.shared.barrier.wait(timeout=60)


def reduce_all(tallies, monkeypatch):
    """``Processes.collect`` on every rank at once; rank 0's tally holds the sum."""
    module = ModuleType("mpi4py")
    module.MPI = SimpleNamespace(IN_PLACE="IN_PLACE", SUM="SUM")
    monkeypatch.setitem(sys.modules, "mpi4py", module)
    shared = SimpleNamespace(size=len(tallies), slots={}, barrier=threading.Barrier(len(tallies)))
    errors = []

    def work(rank):
        try:
            Processes(FakeRank(shared, rank)).collect(tallies[rank].arrays())
        except BaseException as exc:
            errors.append(exc)
            shared.barrier.abort()

    threads = [threading.Thread(target=work, args=(rank,)) for rank in range(len(tallies))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []


@pytest.mark.parametrize("ranks", [2, 3])
def test_reduction_over_ranks_is_exact(batches, whole, monkeypatch, ranks):
    """Batches dealt to ranks and added with the engine's own limb arithmetic: bitwise the sum of one process."""
    tallies = [tally_of(batches, range(rank, N_BATCHES, ranks)) for rank in range(ranks)]
    reduce_all(tallies, monkeypatch)
    assert same(tallies[0], whole)


def test_reduction_of_full_limbs(monkeypatch):
    """Limbs near 2^62 on five ranks carry as Python's integers do."""
    rng = np.random.default_rng(3)
    tallies = [SiteTally(N_AZIMUTH) for _ in range(5)]
    exact = dict.fromkeys(BINNINGS, 0)
    for tally in tallies:
        for name, (high, low) in tally.squares.items():
            low[...] = 2**LIMB_BITS - 1 - rng.integers(0, 3, low.shape)
            high[...] = rng.integers(0, 2**40, high.shape)
            corner = (slice(0, 1), slice(0, 2), slice(0, 2))
            exact[name] = exact[name] + high[corner].astype(object) * 2**LIMB_BITS + low[corner].astype(object)
    reduce_all(tallies, monkeypatch)
    for name, (high, low) in tallies[0].squares.items():
        corner = (slice(0, 1), slice(0, 2), slice(0, 2))
        assert low.min() >= 0
        assert low.max() < 2**LIMB_BITS
        assert np.array_equal(high[corner].astype(object) * 2**LIMB_BITS + low[corner].astype(object), exact[name])


def test_two_tallies_added_elementwise(batches, whole):
    """Adding the arrays of two tallies and carrying once is the sum of both."""
    one, two = tally_of(batches, [0, 2, 4]), tally_of(batches, [1, 3, 5, 6])
    for mine, other in zip(one.arrays().values(), two.arrays().values(), strict=True):
        mine += other
    one.normalise()
    assert same(one, whole)


def test_a_lone_process_reduces_nothing(batches, whole):
    """Without a communicator nothing changes."""
    tally = tally_of(batches, range(N_BATCHES))
    Processes().collect(tally.arrays())
    assert same(tally, whole)


def test_limb_sum_is_exact_where_doubles_are_not():
    """A tiny square after a huge one is not lost, as it would be in a double."""
    tally = SiteTally(N_AZIMUTH)
    exponent = int(tally.exponents[80])
    scores, hits = np.zeros(SHAPE), np.zeros(SHAPE, dtype=np.int64)
    total = 0
    for integer in (2**55, 3, 2**55 - 2, 5):
        scores[0, 80, 0, 0] = integer * 2.0**-exponent
        tally.add_batch(scores, hits, empty_weights(), 0)
        total += integer**2 if integer < 2**26 else int(float(integer) ** 2)
    high, low = tally.squares["fine"]
    assert int(high[0, 80, 0, 0]) * 2**LIMB_BITS + int(low[0, 80, 0, 0]) == total
    assert float(total) == float(total - 34)
