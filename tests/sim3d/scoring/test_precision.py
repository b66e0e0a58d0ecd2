"""Stopping on precision: the exact error, and the same end for any number of threads and any interruption."""

import math

import numpy as np
import pytest
from earlier_inputs import with_earlier_inputs

import sim3d
from sim3d.config.load import make_config
from sim3d.config.schema import ENERGY_CENTRES_GEV
from sim3d.errors import InputError
from sim3d.scoring.precision import Watch, describe_observable
from sim3d.scoring.tally import SiteTally, scale_exponents
from sim3d.simulation.engine import run_to_file

DATA = {
    "run": {"seed": 2, "primaries": 6000, "batch_size": 100},
    "primaries": {"energy_GeV": [2.0, 1000.0]},
    "transport": {"bending": False},
    "sampling": {"mode": "rotated"},
    "sites": [{"name": "kamioka"}, {"name": "sno"}],
}


def config(**run):
    return make_config(with_earlier_inputs({**DATA, "run": {**DATA["run"], **run}}))


def watched(batches, **run):
    """A watch that has seen batches of scores."""
    watch = Watch(config(**run), [scale_exponents(12)] * 2)
    for scores in batches:
        watch.add_value(watch.value(scores))
    return watch


@pytest.fixture(scope="module")
def batches():
    rng = np.random.default_rng(3)
    return rng.exponential(1.0, (30, 2, 4, 202, 40, 12)) * ENERGY_CENTRES_GEV[:, None, None] ** -2.0


@pytest.mark.parametrize(
    ("run", "site", "flavours"),
    [
        ({}, 0, slice(None)),
        ({"target_observable": "nue", "target_site": "SNO", "target_energy_GeV": [1.0, 10.0]}, 1, [2]),
    ],
)
def test_the_error_of_the_mean(batches, run, site, flavours):
    """As numpy has it from the batch values."""
    low, high = run.get("target_energy_GeV", (0.5, 3.0))
    inside = (ENERGY_CENTRES_GEV >= low) & (ENERGY_CENTRES_GEV <= high)
    values = batches[:, site][:, flavours][:, :, inside].sum(axis=(1, 2, 3, 4))
    expected = values.std(ddof=1) / math.sqrt(30) / values.mean()
    assert watched(batches, **run).relative_error(30) == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize(
    ("part", "flavours", "energies", "zeniths"),
    [
        ({}, slice(None), (0.0, 1e9), (-1.0, 1.0)),
        (
            {"flavours": ["nue"], "energy_GeV": [10.0, 100.0], "cos_zenith": [-0.2, 0.2]},
            [2],
            (10.0, 100.0),
            (-0.2, 0.2),
        ),
    ],
)
def test_the_error_of_a_table_is_that_of_95_percent_of_its_bins(batches, part, flavours, energies, zeniths):
    """As numpy has it from the Honda bins, averaged over azimuth."""
    changed = config(target_observable="table").model_dump(mode="json") | {"sampling": {"mode": "targeted"}}
    watch = Watch(make_config({**changed, "allocation": part}), [scale_exponents(12)] * 2)
    tally = SiteTally(12)
    for number, scores in enumerate(batches):
        tally.add_batch(scores[0], np.zeros(scores[0].shape, np.int64), tally.weights * 0, number)
    values = batches[:, 0].reshape(30, 4, 101, 2, 20, 2, 12).sum(axis=(3, 5, 6))
    error = (values.std(axis=0, ddof=1) / math.sqrt(30) / values.mean(axis=0))[flavours]
    centres, cosines = 10.0 ** (np.arange(101) / 20.0 - 1.0), np.arange(-0.95, 1.0, 0.1)
    error = error[:, (centres > energies[0] * 0.999) & (centres < energies[1] * 1.001)]
    error = np.sort(error[..., (cosines > zeniths[0]) & (cosines < zeniths[1])], axis=None)
    found = watch.error(30, [tally, tally])
    assert found == pytest.approx(error[math.ceil(0.95 * (len(error) - 1))], rel=1e-6)
    assert watch.error(1, [tally, tally]) == math.inf


def test_an_empty_bin_of_a_table_has_no_error():
    watch = Watch(config(target_observable="table"), [scale_exponents(12)] * 2)
    assert watch.error(30, [SiteTally(12)] * 2) == math.inf
    assert "95% of the bins of numu, numubar, nue, nuebar at kamioka" in describe_observable(
        config(target_observable="table")
    )


def test_sums_add_exactly(batches):
    """Two halves are the whole, limbs carried."""
    batches = batches * 1e5
    whole, one, two = watched(batches), watched(batches[:7]), watched(batches[7:])
    one.add(two.sums)
    assert np.array_equal(one.sums, whole.sums)
    assert whole.sums[1] > 0
    assert 0 <= whole.sums[2] < 2**62


def test_what_is_not_known_is_infinite(batches):
    assert watched([]).relative_error(0) == math.inf
    assert watched(batches[:1]).relative_error(1) == math.inf
    assert watched(np.zeros((3, 2, 4, 202, 40, 12))).relative_error(3) == math.inf


def test_in_words():
    assert describe_observable(config()) == "flux of all flavours at kamioka, 0.5-3 GeV"
    assert describe_observable(config(target_site="sno", target_observable="nue")) == "nue flux at sno, 0.5-3 GeV"


@pytest.fixture(scope="module")
def target():
    """An error that is reached between the first look and the end."""
    record = sim3d.run({**DATA, "run": {**DATA["run"], "primaries": 3500}}, threads=2).record
    watch = Watch(record.config, [t.exponents for t in record.tallies])
    watch.add(record.watch_sums)
    return watch.relative_error(35) * 1.0001


@pytest.fixture(scope="module")
def stopped(tmp_path_factory, target):
    path = tmp_path_factory.mktemp("precision") / "run.h5"
    assert run_to_file(config(target_error=target), path, threads=1) == "target"
    return path


def test_a_run_stops_at_a_look(stopped, target):
    result = sim3d.load(stopped)
    assert result.n_batches in (24, 29, 35, 42, 51)  # each look after 1.2 times the batches of the one before
    assert result.record.batches_done[: result.n_batches].all()
    assert result.complete
    assert f"target_error {target:g} reached" in result.target


@pytest.mark.parametrize("threads", [2, 3])
def test_the_same_end_for_any_threads(stopped, tmp_path, target, differences, threads):
    run_to_file(config(target_error=target), tmp_path / "run.h5", threads=threads)
    assert differences(stopped, tmp_path / "run.h5") == []


@pytest.mark.parametrize("begun", [(0, 3), (5, 26)])
def test_the_same_end_after_a_break(stopped, tmp_path, target, differences, begun):
    """Also when batches in the middle of a round are there already."""
    path = tmp_path / "run.h5"
    run_to_file(config(), path, threads=2, batches=begun)
    assert run_to_file(config(target_error=target), path, threads=1, resume=True) == "target"
    assert differences(stopped, path) == []


def test_a_smaller_target_goes_on(stopped, tmp_path, target, differences):
    """From where it stopped, to the end of a run that had that target from the beginning."""
    path, fresh = tmp_path / "run.h5", tmp_path / "fresh.h5"
    path.write_bytes(stopped.read_bytes())
    outcomes = {run_to_file(config(target_error=target / 1.3), path, threads=2, resume=True)}
    outcomes.add(run_to_file(config(target_error=target / 1.3), fresh, threads=2))
    assert len(outcomes) == 1
    assert sim3d.load(path).n_batches > sim3d.load(stopped).n_batches
    assert differences(fresh, path) == []


def test_a_target_out_of_reach(tmp_path, capsys):
    """All primaries are used, and what was reached is said."""
    path = tmp_path / "run.h5"
    assert run_to_file(config(primaries=1000, target_error=1e-6), path, threads=2) == "complete"
    assert "target_error 1e-06 not reached: 0." in sim3d.load(path).target


@pytest.mark.parametrize(
    ("run", "message"),
    [
        ({"target_error": 0.0}, "run.target_error"),
        ({"target_error": 1.0}, "run.target_error"),
        ({"target_observable": "muons"}, "run.target_observable"),
        ({"target_energy_GeV": [3.0, 1.0]}, "run.target_energy_GeV"),
        ({"target_energy_GeV": [1.0, 1.001]}, "narrower than one energy bin"),
        ({"target_site": "juno"}, "run.target_site: 'juno' is not one of kamioka, sno"),
        ({"max_lost": -1}, "run.max_lost"),
        ({"max_minutes": 0}, "run.max_minutes"),
        ({"checkpoint_minutes": -1}, "run.checkpoint_minutes"),
        ({"primaries": 10**12, "batch_size": 1}, "run.batch_size: 1 makes"),
    ],
)
def test_bad_values(run, message):
    with pytest.raises(InputError, match=message.replace("[", r"\[")):
        config(**run)


@pytest.mark.parametrize(
    ("given", "name"),
    [
        ("numu_bar", "numubar"),
        ("anti_nu_e", "nuebar"),
        ("-14", "numubar"),
        (12, "nue"),
        (r"$\nu_\mu$", "numu"),
        ("Flux", "flux"),
    ],
)
def test_usual_spellings_of_a_flavour(given, name):
    """The configuration holds this project's name, so that runs with different spellings are the same run."""
    assert config(target_observable=given).run.target_observable == name


@pytest.mark.parametrize("given", ["nutau", "numubarbar", 13, True, 1.5, ["numu"], None])
def test_other_observables_are_refused(given):
    with pytest.raises(InputError, match=r"run\.target_observable"):
        config(target_observable=given)


def test_a_part_has_no_target(tmp_path):
    with pytest.raises(InputError, match="not a --batch-range"):
        run_to_file(config(target_error=0.1), tmp_path / "run.h5", batches=(0, 2))
