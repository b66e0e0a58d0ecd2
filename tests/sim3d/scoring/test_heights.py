"""Heights of production: what the kernels count is what the event records of the same run say, in all modes."""

from __future__ import annotations

import csv

import numpy as np
import pytest
from earlier_inputs import with_earlier_inputs

import sim3d
from sim3d import cli
from sim3d.config.load import make_config
from sim3d.errors import InputError
from sim3d.results.heights import production_heights
from sim3d.scoring.heights import BINS, HEIGHT_EDGES_KM, N_HEIGHTS, height_bin
from sim3d.simulation.engine import run_to_file


def test_bins_cover_the_air():
    bins = [height_bin(h) for h in 0.5 * (HEIGHT_EDGES_KM[1:] + HEIGHT_EDGES_KM[:-1])]
    assert bins == list(range(N_HEIGHTS))
    assert height_bin(-0.001) == 0
    assert height_bin(500.0) == N_HEIGHTS - 1


@pytest.mark.parametrize("mode", ["targeted", "rotated", pytest.param("analog", marks=pytest.mark.slow)])
def test_heights_are_those_of_the_event_records(mode, tmp_path, capsys):
    config = {
        "run": {"primaries": 4000, "batch_size": 1000},
        "transport": {"bending": mode != "rotated"},
        "sampling": {"mode": mode},
        "scoring": {"heights": True, "events": True},
        "sites": [{"name": "kamioka", "patch": {"radius_deg": 40.0}}, {"name": "sno", "patch": {"radius_deg": 40.0}}],
    }
    path = tmp_path / "run.h5"
    run_to_file(make_config(with_earlier_inputs(config)), path, threads=1)
    result = sim3d.load(path)
    for place, site in enumerate(result.sites):
        events = [e[e["site"] == place] for e in result.events()]
        events = np.concatenate(events)
        inside = events["energy_bin"] // BINS.energy_group < BINS.n_energy
        events = events[inside]
        sums = result.record.tallies[place].extras["heights"].plain_sum()
        expected = np.zeros_like(sums)
        height = np.clip(events["production_height_km"].astype(float), 0.0, 119.9)
        where = (
            events["flavour"].astype(int),
            events["energy_bin"].astype(int) // BINS.energy_group,
            events["cos_zenith_bin"].astype(int) // BINS.cos_group,
            np.searchsorted(HEIGHT_EDGES_KM, height, side="right") - 1,
        )
        np.add.at(expected, where, events["score"].astype(float))
        assert sums.sum() == pytest.approx(expected.sum(), rel=1e-6)
        # a height in single precision may fall on the other side of an edge
        assert np.abs(sums - expected).sum() < 1e-4 * expected.sum()
        ours = production_heights(result, site)
        filled = ours.density.sum(axis=-1) > 0.0
        assert np.allclose((ours.density * np.diff(HEIGHT_EDGES_KM)).sum(axis=-1)[filled], 1.0)
        mean = np.average(events["production_height_km"].astype(float), weights=events["score"].astype(float))
        share = sums.sum(axis=-1)
        assert np.nansum(ours.mean_km * share) / share.sum() == pytest.approx(mean, abs=0.3)
        assert (ours.quantile_km(0.1)[filled] <= ours.quantile_km(0.9)[filled]).all()
    out = tmp_path / "out"
    assert cli.main(["export", str(path), "--to", "heights", "-o", str(out), "--site", "sno"]) == 0
    capsys.readouterr()
    rows = list(csv.reader((out / "sno-heights.csv").read_text().splitlines()[1:]))
    assert len(rows[0]) == 9 + N_HEIGHTS
    assert len(rows) == 1 + int(filled.sum())


def test_a_run_without_heights_says_so(tmp_path, capsys):
    config = {
        "run": {"primaries": 2000, "batch_size": 1000},
        "transport": {"bending": False},
        "sampling": {"mode": "rotated"},
        "sites": [{"name": "kamioka"}],
    }
    path = tmp_path / "run.h5"
    run_to_file(make_config(with_earlier_inputs(config)), path, threads=1)
    with pytest.raises(InputError, match=r"scoring\.heights"):
        production_heights(sim3d.load(path))
    assert cli.main(["export", str(path), "--to", "heights"]) == 2
    assert "scoring.heights" in capsys.readouterr().err
