"""Hadronic models beside measured muons: values at the points, tables, and the figure."""

from __future__ import annotations

import re

import numpy as np
import pytest

from hadronic.models import load_model
from sim3d.cascade.flux import cascade_fluxes
from sim3d.studies.muon_comparison import Compared, as_text, compare_models, values_at
from sim3d.studies.muon_measurements import muon_data


@pytest.fixture(scope="module")
def compared():
    """Two models on a coarse grid, without the optional packages."""
    models = [load_model("fluka-z", "balanced"), load_model("pythia8")]
    return compare_models(models, "ghls2001-average", "us-standard", bins_per_decade=8)


def test_models_are_within_a_third_of_the_data(compared):
    for one in compared:
        for data, values in zip(one.data, one.values, strict=True):
            inside = (data.at_GeV > 1.6) & (data.at_GeV < 100.0)
            assert np.all(np.abs(values[inside] / data.value[inside] - 1.0) < 0.34), (one.model, data.name)


def test_more_muons_from_pythia_in_both_spectra(compared):
    """Pythia makes 12 to 18% more muons at 2 to 10 GeV/c than fluka-z."""
    first, second = compared
    for i, data in enumerate(first.data):
        if data.quantity == "flux" and data.name != "l3c":
            inside = (data.at_GeV > 2.0) & (data.at_GeV < 10.0)
            assert 1.08 < np.mean(second.values[i][inside] / first.values[i][inside]) < 1.25


def test_values_are_means_over_bins_and_ratios():
    (flux,) = cascade_fluxes([1.0], bins_per_decade=8)
    spectrum = next(one for one in muon_data() if one.name == "caprice94" and one.quantity == "flux")
    fluxes = dict.fromkeys(spectrum.conditions, flux)
    values = values_at(spectrum, fluxes)
    low, high = spectrum.low_GeV[8], spectrum.high_GeV[8]
    expected = sum(flux.integral(muon, low) - flux.integral(muon, high) for muon in ("mu+", "mu-")) / (high - low)
    assert values[8] == pytest.approx(float(expected))
    ratios = next(one for one in muon_data() if one.name == "minos")
    at = ratios.at_GeV[0]
    expected = flux.flux("mu+", at) / flux.flux("mu-", at)
    assert values_at(ratios, dict.fromkeys(ratios.conditions, flux))[0] == pytest.approx(float(expected))


def test_a_perfect_model_has_no_chi2():
    data = tuple(muon_data())
    text = as_text([Compared("perfect", data, tuple(one.value for one in data))])
    rows = [line for line in text.split("model over data")[0].splitlines()[2:] if line.strip()]
    assert len(rows) == len(data)
    assert all(re.search(r" 0$", row) for row in rows)
    assert "0.95 +- 0.015" in text


def test_figures_have_a_panel_for_each_set(compared, tmp_path):
    from sim3d.plots.muon_measurements import charge_ratios, draw, spectra

    flux, ratio = ([ax.get_title() for ax in make(compared).axes if ax.axison] for make in (spectra, charge_ratios))
    for title in ("BESS-TeV, Tsukuba 2002", "CAPRICE94, Lynn Lake 1994", "L3+C, CERN 1999-2000"):
        assert flux.count(title) == ratio.count(title) == 1
    assert len(ratio) == 6
    files = draw(compared, "title", tmp_path)
    assert [path.name for path in files if path.suffix == ".png"] == [
        "muon-measurements.png",
        "muon-measurements-ratio.png",
    ]


def test_all_are_drawn_over_the_first_model(compared):
    """The line of the model that all are divided by is at 1, and the data where data over model is."""
    from sim3d.plots.muon_measurements import spectra

    axes = spectra(compared).axes[0]
    lines = {line.get_label(): line for line in axes.lines}
    name = axes.get_ylabel().removeprefix("Flux / ")
    assert np.allclose(lines[name].get_ydata(), 1.0)
    first = next(one for one in compared if one.model == name)
    measured = axes.containers[0].lines[0].get_ydata()
    assert np.allclose(measured * first.values[0], first.data[0].value)
