"""Upper limits of muon fluxes: against hits that are drawn, and where nothing is known."""

import numpy as np
import pytest

from sim3d.commands.results.muons import table
from sim3d.files.flux_table import LIMIT, NO_LIMIT
from sim3d.results.muons import REFERENCE_INDEX, MuonSpectra, spectrum_errors

P_EDGES = np.geomspace(1.0, 1000.0, 10)
C_EDGES = np.array([0.0, 0.5, 1.0])


def spectra_of(batches):
    """Spectra of batches (n, levels, particle, momentum, cos_zenith) of integral fluxes."""
    n = len(batches)
    space = 2.0 * np.pi * np.diff(P_EDGES)[:, None] * np.diff(C_EDGES)
    flux, error = batches.mean(axis=0) / space, batches.std(axis=0, ddof=1) / np.sqrt(n) / space
    errors = spectrum_errors(flux, error, P_EDGES, C_EDGES, n)
    return MuonSpectra(
        site="x",
        altitudes_km=np.array([0.0]),
        depths_g_cm2=np.array([1033.0]),
        momentum_edges_GeV=P_EDGES,
        cos_zenith_edges=C_EDGES,
        flux=flux,
        error=errors.error,
        kind=errors.kind,
        groups=batches,
        group_weights=np.ones(n, dtype=int),
    )


def test_limits_cover():
    """Hits at 1.5 expected, with weights along the spectrum: limits of empty bins lie above the flux in 90% or more."""
    rng = np.random.default_rng(3)
    expected, n = 1.5, 40
    momenta = np.sqrt(P_EDGES[1:] * P_EDGES[:-1])
    weight = (0.02 * (1.0 + momenta) ** -REFERENCE_INDEX * np.diff(P_EDGES))[:, None]
    mean = np.full((1, 4, 9, 2), expected)
    mean[:, :, :4] = 300.0
    covered, excess = [], []
    for _ in range(300):
        spectra = spectra_of(weight * rng.poisson(mean / n, (n, *mean.shape)))
        truth = weight * mean / n / (2.0 * np.pi * np.diff(P_EDGES)[:, None] * np.diff(C_EDGES))
        empty = spectra.flux == 0.0
        limit = spectra.error
        assert np.array_equal(spectra.kind == LIMIT, empty)
        covered += (limit >= truth)[empty].tolist()
        excess += (limit / truth)[empty].tolist()
    assert len(covered) > 1000
    assert np.mean(covered) > 0.9
    assert np.median(excess) < 5.0


def test_no_record_is_0_with_an_error_of_0():
    batches = np.zeros((10, 1, 4, 9, 2))
    batches[:, 0, 0, 0, 0] = np.arange(10.0)  # mu+ in one bin; nothing else at all
    spectra = spectra_of(batches)
    records = spectra.records(("mu+", "mu-", "p", "n"))
    assert min(record["error"] for record in records) > 0.0
    assert {record["error"] for record in records if record["particle"] != "mu+"} == {NO_LIMIT}
    seen = records[0]
    assert (seen["cos_zenith_low"], seen["cos_zenith"], seen["cos_zenith_high"]) == (0.0, 0.25, 0.5)
    assert seen["momentum_low_GeV"] == 1.0
    assert seen["momentum_GeV"] ** 2 == pytest.approx(seen["momentum_low_GeV"] * seen["momentum_high_GeV"])
    # without a hit the limit of the integral follows the hit value, which falls with the reference spectrum
    limits = np.array([record["error"] for record in records if record["particle"] == "mu+"][2:])
    widths = np.repeat(np.diff(P_EDGES)[1:], 2)
    assert np.all(np.diff(limits * widths) <= 1e-12)
    value, limit = spectra.intensity(["p"], cos_zenith=(0.5, 1.0))
    assert value[0] == 0.0
    assert limit[0] == NO_LIMIT
    assert [word for word in table(spectra)[-1].split("  ") if "no hits" in word], "no limit is printed as a number"
    assert "e+" not in table(spectra)[-1]
