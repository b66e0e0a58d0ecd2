"""The engine: the same result bit by bit for any threads, seeds, failures, and physics of small whole runs."""

import dataclasses

import h5py
import numpy as np
import pytest
from earlier_inputs import with_earlier_inputs

import sim3d
from sim3d import api
from sim3d.config.load import make_config
from sim3d.conventions.binning import BINNINGS
from sim3d.errors import InputError, RunError
from sim3d.files.record import make_tally
from sim3d.results.result import Result
from sim3d.sampling import analog
from sim3d.sampling.batch import empty_scores
from sim3d.sampling.counters import COUNTERS
from sim3d.scoring.hit_weights import empty_weights
from sim3d.simulation import engine
from sim3d.simulation import setup as setup_run
from sim3d.simulation.engine import run_to_file, simulate
from sim3d.simulation.processes import Processes
from sim3d.simulation.setup import make_setup
from sim3d.simulation.warm_up import compile_kernels

ANALOG = {
    "run": {"seed": 1, "primaries": 3500, "batch_size": 500},
    "primaries": {"energy_GeV": [2.0, 1000.0]},
    "sampling": {"mode": "analog"},
    "sites": [{"name": "kamioka", "patch": {"ns_deg": 30, "ew_deg": 60}}, {"name": "sno", "patch": {"radius_deg": 20}}],
}
ROTATED = {**ANALOG, "transport": {"bending": False}, "sampling": {"mode": "rotated"}}
TARGETED = {**ANALOG, "sampling": {"mode": "targeted"}}
MODES = {"targeted": TARGETED, "analog": ANALOG, "rotated": ROTATED}


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """Result files of all modes for one, two and three threads."""
    folder = tmp_path_factory.mktemp("engine")
    out = {}
    for mode, data in MODES.items():
        for threads in (1, 2, 3):
            out[mode, threads] = folder / f"{mode}{threads}.h5"
            run_to_file(make_config(data), out[mode, threads], threads=threads)
    return out


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("threads", [2, 3])
def test_bitwise_the_same_for_any_number_of_threads(files, mode, threads, differences):
    """Every dataset and attribute outside /provenance."""
    assert differences(files[mode, 1], files[mode, threads]) == []
    with h5py.File(files[mode, threads]) as file:
        assert file["provenance"].attrs["threads"] == threads
        assert file["sites/kamioka/hits"][()].sum() > 100


def test_the_comparison_sees_differences(files, differences):
    """The two modes do differ, so an empty list above means something."""
    found = differences(files["analog", 1], files["rotated", 1])
    assert "sites/kamioka/total" in found
    assert "@config_json" in found


def test_counters(files):
    """All primaries are there; forbidden ones are among those traced."""
    for mode in MODES:
        counters = sim3d.load(files[mode, 1]).record.counters
        assert set(counters) == set(COUNTERS)
        assert counters["primaries"] == 3500
        assert 0 < counters["forbidden"] < counters["backtracked"]
        assert counters["undecided"] <= 0.02 * counters["backtracked"]
        assert counters["neutrinos"] > 3500


@pytest.mark.parametrize("mode", MODES)
def test_seeds_matter(files, mode):
    """Another seed gives other numbers, of the same size."""
    data = {**MODES[mode], "run": {**ANALOG["run"], "seed": 2}}
    other = Result(simulate(make_config(with_earlier_inputs(data)), threads=2))
    first = sim3d.load(files[mode, 1])
    a, b = (r.record.tallies[0].plain_sum() for r in (first, other))
    assert not np.array_equal(a, b)
    assert b.sum() == pytest.approx(a.sum(), rel=0.5)


def test_a_longer_run_begins_like_the_shorter(files):
    """More primaries are more batches and nothing else: single batches add up to the run."""
    setup = make_setup(make_config(ANALOG))
    run_batch = setup.batch_function()
    totals = []
    for batch in range(7):
        scores = empty_scores(2, 12)
        run_batch(batch, scores)
        totals.append(scores.hits)
        assert scores.followed[0] == 500 * batch + 499
    record = sim3d.load(files["analog", 1]).record
    assert np.array_equal(np.sum(totals, axis=0)[1], record.tallies[1].hits)


def test_python_interface():
    """sim3d.run takes nested mappings and gives a result; a bad one is an input error."""
    result = sim3d.run({**ANALOG, "run": {"primaries": 400, "batch_size": 200}}, threads=1)
    assert list(result.sites) == ["kamioka", "sno"]
    assert result.n_batches == 2
    assert result.attributes["primaries"] == 400
    assert "IGRF" in str(result.attributes["field_generation"])
    assert result.flux("numu", np.array([0.5, 1.0]), 0.3).shape == (2,)
    with pytest.raises(InputError, match="sites"):
        sim3d.run({})


def fail_at(monkeypatch, primary):
    """Make the analog kernel fail at one primary."""
    kernel = analog.analog_batch

    def broken(task, scores, *rest):
        if task.first_index <= primary < task.first_index + task.batch_size:
            scores.followed[0] = primary
            raise ZeroDivisionError("injected")
        return kernel(task, scores, *rest)

    monkeypatch.setattr(setup_run, "analog_batch", broken)


def test_a_failing_primary_is_named(monkeypatch, tmp_path, files):
    """The run stops with rank and primary; the finished batches are in the file, which loads."""
    fail_at(monkeypatch, 1234)
    path = tmp_path / "run.h5"
    with pytest.raises(RunError, match=r"rank 0, primary 1234: ZeroDivisionError: injected"):
        run_to_file(make_config(ANALOG), path, threads=1)
    part = sim3d.load(path)
    done = np.flatnonzero(part.record.batches_done)
    assert {0, 1} <= set(done)
    assert 2 not in done
    assert not part.complete
    assert "injected" in part.attributes["failure"]
    full = sim3d.load(files["analog", 1]).record
    assert 0 < part.record.tallies[0].hits.sum() < full.tallies[0].hits.sum()
    assert part.record.counters["primaries"] == 500 * len(done)
    with pytest.raises(RunError, match="primary 1234"):
        api.run(make_config(ANALOG), threads=2)


def test_an_output_folder_that_is_missing(tmp_path, monkeypatch):
    """Refused before anything is simulated."""
    monkeypatch.setattr(engine, "simulate", lambda *_: pytest.fail("simulated"))
    with pytest.raises(InputError, match="does not exist"):
        run_to_file(make_config(ANALOG), tmp_path / "none" / "run.h5")


@pytest.mark.parametrize("mode", ["analog", "targeted"])
def test_small_batches_and_patches_do_not_overflow(mode):
    """One primary per batch and a cap of 5 degrees: a legal run, whose rare hits are large."""
    data = {
        "run": {"primaries": 4000, "batch_size": 1},
        "primaries": {"energy_GeV": [1.0, 1e5]},
        "transport": {"bending": False},
        "sampling": {"mode": mode},
        "sites": [{"name": "kamioka", "patch": {"radius_deg": 5.0}}],
    }
    setup = make_setup(make_config(data))
    run_batch, tally = setup.batch_function(), make_tally(setup.config, setup.detectors[0])
    scores = empty_scores(1, 12)
    for batch in range(3000, 4000):
        run_batch(batch, scores)
        if scores.hits.any():
            tally.add_batch(scores.flux[0], scores.hits[0], empty_weights(), batch)
            scores.clear()
    assert tally.hits.sum() > 0


def whole_globe(mode, n=4000, **sampling):
    """A run whose patch is the whole sphere (analog) or uses the symmetry (rotated), without cutoff."""
    data = {
        "run": {"primaries": n, "batch_size": n // 8},
        "primaries": {"energy_GeV": [2.0, 300.0]},
        "field": {"cutoff": False},
        "transport": {"bending": False},
        "sampling": {"mode": mode, **sampling},
        "sites": [{"name": "kamioka", "patch": {"radius_deg": 180.0}}],
    }
    return Result(simulate(make_config(with_earlier_inputs(data)), threads=2))


def test_rotated_is_analog_on_the_whole_sphere():
    """Without bending and cutoff the same showers, scored on a patch of the whole sphere, give the same fluxes."""
    analog = whole_globe("analog")
    rotated = whole_globe("rotated", roulette_energy_GeV=0.0)
    for name in BINNINGS:
        if not name.endswith("_aa"):
            continue
        a, b = (r.binned("kamioka", name) for r in (analog, rotated))
        assert np.array_equal(a[2], b[2])
        np.testing.assert_allclose(a[0], b[0], rtol=1e-4, atol=1e-6 * a[0].max(axis=(0, 2)).min())
    assert analog.record.counters["crossings"] == rotated.record.counters["crossings"] > 10_000


def test_roulette_of_rotated_mode_is_exact():
    """Soft neutrinos scored rarely but heavier: the same energy spectrum within errors, from fewer crossings."""
    plain, thinned = whole_globe("rotated", 8000, roulette_energy_GeV=0.0), whole_globe("rotated", 8000)
    assert thinned.record.counters["crossings"] < 0.8 * plain.record.counters["crossings"]
    for low, high in ((0, 20), (20, 40), (40, 60)):  # 0.094-0.3-0.94-3 GeV
        values, errors = [], []
        for r in (plain, thinned):
            groups = r.record.tallies[0].group_sums()[0][:8, :, low:high].sum(axis=(1, 2, 3, 4))
            values.append(groups.mean())
            errors.append(groups.std(ddof=1) / np.sqrt(8))
        # the same showers in both: the difference comes from the roulette alone, well within either error
        assert abs(values[0] - values[1]) < 4 * max(errors) + 0.01 * values[0]


@pytest.fixture(scope="module")
def kamioka():
    """Rotated mode at Kamioka with the cutoff on."""
    data = {
        "run": {"primaries": 12_000, "batch_size": 500},
        "primaries": {"energy_GeV": [2.0, 300.0]},
        "transport": {"bending": False},
        "sampling": {"mode": "rotated"},
        "sites": [{"name": "kamioka"}],
    }
    return Result(simulate(make_config(with_earlier_inputs(data)), threads=2))


def test_east_west_sign(kamioka):
    """Around 1 GeV near the horizon at Kamioka the flux is lowest for arrival from the east (90 degrees)."""
    flux, error, _ = kamioka.binned("kamioka", "fine")
    energies = kamioka.binning_energies("fine")
    chosen = np.flatnonzero((energies > 0.5) & (energies < 3))
    width = np.diff(kamioka.energy_edges_GeV)[chosen][:, None, None]
    sums = (flux[:, chosen, 10:30] * width).sum(axis=(0, 1, 2))
    errors = np.sqrt(((error[:, chosen, 10:30] * width) ** 2).sum(axis=(0, 1, 2)))
    quarters = np.array([sums[[11, 0]].sum(), sums[2:4].sum(), sums[5:7].sum(), sums[8:10].sum()])  # S, E, N, W
    quarter_errors = np.sqrt([(errors[list(k)] ** 2).sum() for k in ((11, 0), (2, 3), (5, 6), (8, 9))])
    assert quarters.argmin() == 1
    assert quarters[3] - quarters[1] > 3 * np.hypot(quarter_errors[1], quarter_errors[3])
    east_west = np.average(kamioka.groups_east_west("kamioka"), axis=0, weights=kamioka.group_weights)
    halves = (east_west[:, chosen, 10:30] * width).sum(axis=(0, 1, 2))
    assert halves[1] > 1.1 * halves[0]


def test_size_of_the_flux(kamioka):
    """At 1 GeV the muon-neutrino flux averaged over the sky is some 200 per m2 s sr GeV, nue about half of it."""
    average = {}
    for flavour in ("numu", "numubar", "nue", "nuebar"):
        i = sim3d.Result.flavours.index(flavour)
        values, _, _ = kamioka.binned("kamioka", "honda_aa")
        average[flavour] = values[i, 18:23].mean()
    assert 60 < average["numu"] < 400
    assert 0.7 < average["numubar"] / average["numu"] < 1.2
    assert 0.3 < average["nue"] / average["numu"] < 0.75


def test_nothing_below_the_threshold():
    """Bins below scoring.energy_min_GeV stay empty, and those above do not notice."""
    data = {**ANALOG, "scoring": {"energy_min_GeV": 1.0}}
    record = simulate(make_config(with_earlier_inputs(data)), threads=2)
    by_energy = record.tallies[0].hits.sum(axis=(0, 2, 3))
    edges = Result(record).energy_edges_GeV
    assert by_energy[edges[1:] <= 1.0].sum() == 0
    assert by_energy[edges[:-1] >= 1.0].sum() > 30


def test_setup_of_a_smaller_batch_keeps_the_models():
    """The empty batch that compiles the kernels runs no primary."""
    setup = make_setup(make_config(ANALOG))
    assert compile_kernels(setup, Processes()) >= 0.0
    assert dataclasses.is_dataclass(setup)
