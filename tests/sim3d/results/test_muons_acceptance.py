"""Muon spectra averaged over the acceptance of a measurement, from made sums; the table of the command."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from sim3d.commands.results.muons import table
from sim3d.errors import InputError
from sim3d.results.muons import MuonSpectra

P_EDGES = np.array([1.0, 2.0, 5.0])
C_EDGES = np.array([0.8, 0.9, 0.94, 1.0])
FLUX = {"mu+": 3.0, "mu-": 2.0, "p": 0.5, "n": 0.25}


@pytest.fixture(scope="module")
def spectra():
    """A flux of FLUX p^-2 (1 + c) at one level, c the middle of the zenith bin; groups scatter by 1%."""
    width = np.diff(P_EDGES)
    mean = np.array(
        [(1.0 / low - 1.0 / high) / (high - low) for low, high in zip(P_EDGES[:-1], P_EDGES[1:], strict=True)]
    )
    middle = 0.5 * (C_EDGES[1:] + C_EDGES[:-1])
    flux = np.array(list(FLUX.values()))[:, None, None] * mean[:, None] * (1.0 + middle)
    space = 2.0 * np.pi * width[:, None] * np.diff(C_EDGES)
    scatter = 1.0 + 0.01 * np.random.default_rng(4).standard_normal((32, 1, 4, 2, 3))
    groups = flux[None, None] * space * scatter / scatter.mean(axis=0)
    return MuonSpectra(
        "here", np.array([0.0]), np.array([1000.0]), P_EDGES, C_EDGES, flux[None], 0.01 * flux[None],
        np.zeros((1, 4, 2, 3), dtype=np.int8), groups,
        np.ones(32, dtype=int),
    )  # fmt: skip


def test_an_acceptance_is_an_average_over_solid_angle(spectra):
    value, error = spectra.spectrum(["mu+", "mu-"], (0.9, 1.0))
    # (0.04 (1 + 0.92) + 0.06 (1 + 0.97)) / 0.1, times 5, times the mean of p^-2 over the bins
    np.testing.assert_allclose(value[0], 5.0 * 1.95 * np.array([0.5, 0.1]), rtol=1e-9)
    assert np.all((error > 0.0) & (error < 0.01 * value))


def test_records_are_averages_over_the_acceptance(spectra):
    records = spectra.records(["mu+", "mu-"], (0.9, 1.0))
    assert [(one["particle"], one["cos_zenith"]) for one in records] == [("mu+", 0.95)] * 2 + [("mu-", 0.95)] * 2
    assert records[0]["flux"] == pytest.approx(3.0 * 1.95 * 0.5)
    assert len(spectra.records(["mu+"])) == 2 * 3


def test_one_bin_as_acceptance_is_that_bin(spectra):
    value, _ = spectra.spectrum(["mu-"], (0.94, 1.0))
    np.testing.assert_allclose(value[0], spectra.flux[0, 1, :, 2], rtol=1e-9)


def test_a_window_without_particles_has_an_upper_limit(spectra):
    """Never 0 +- 0: the limit of the emptied bin, for a spectrum and for an intensity."""
    groups, flux, error = spectra.groups.copy(), spectra.flux.copy(), spectra.error.copy()
    groups[:, :, 0, 1], flux[:, 0, 1], error[:, 0, 1] = 0.0, 0.0, 0.02
    empty = replace(spectra, groups=groups, flux=flux, error=error)
    value, limit = empty.spectrum(["mu+"], (0.8, 1.0))
    assert value[0, 0] > 0.0
    assert value[0, 1] == 0.0
    assert limit[0, 1] > 0.0
    total, bound = empty.intensity(["mu+"], (2.0, np.inf), (0.8, 1.0))
    assert total[0] == 0.0
    # three bins of 0.02 each, 3 GeV/c wide; the widest in zenith has 0.1 of 0.2
    assert bound[0] == pytest.approx(0.02 * 3.0 * 0.1 / 0.2)


def test_ends_must_be_edges(spectra):
    with pytest.raises(InputError, match="an edge of the bins"):
        spectra.spectrum(["mu+"], (0.93, 1.0))


def test_the_table_is_of_the_acceptance(spectra):
    lines = table(spectra, (0.9, 1.0))
    assert "cos_zenith 0.9 to 1" in lines[0]
    assert "1.500" in lines[-1]
    assert "cos_zenith 0.94 to 1" in table(spectra)[0]
