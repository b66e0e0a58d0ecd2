"""The density of the primaries' energies that a run takes, and that of runs with muons alone."""

import math

import numpy as np
import pytest
from scipy.integrate import quad

from sim3d.config.load import make_config
from sim3d.results.muons import muon_spectra
from sim3d.results.result import Result
from sim3d.sampling.energy_law import energy_law, energy_of_law, law_pdf
from sim3d.sampling.run_energies import muon_mixture, run_energies
from sim3d.shower.weight_sharing import GRID_GEV
from sim3d.simulation.engine import simulate

LOW, HIGH = 1.0, 1.0e7


def config(neutrinos=False, index=None, run=None, **muons):
    return make_config(
        {
            "run": run or {"primaries": 1000},
            "primaries": {"energy_GeV": [LOW, HIGH], "energy_index": index},
            "scoring": {"neutrinos": neutrinos, "muons": True},
            "muons": {"momentum_GeV": [1.0, 1000.0], "bins_per_decade": 2, "cos_zenith_edges": [0.9, 1.0], **muons},
            "sites": [{"name": "kamioka", "altitude_m": 0.0, "patch": {"radius_deg": 3.0}}],
        }
    )


@pytest.mark.parametrize("low_levels", [True, False])
def test_the_density_is_normalised(low_levels):
    """Its integral over ln E is 1, with a third above 1 TeV."""
    value, above = (
        quad(lambda t: float(muon_mixture(np.exp(t), LOW, HIGH, low_levels)), math.log(start), math.log(HIGH))[0]
        for start in (LOW, 1000.0)
    )
    assert value == pytest.approx(1.0, rel=1e-5)
    assert above == pytest.approx(0.33, abs=0.01)


def test_the_table_is_the_density():
    """Densities from the table of a run are those of the mixture, and quantiles are in their order."""
    _, law, roulette = run_energies(config())
    energies = np.geomspace(1.5, 5e6, 40)
    found = np.array([law_pdf(e, LOW, HIGH, law) * e for e in energies])
    assert np.allclose(found, muon_mixture(energies, LOW, HIGH, True), rtol=0.03)
    drawn = [energy_of_law(u, LOW, HIGH, law) for u in np.linspace(0.0, 1.0, 200)]
    assert (np.diff(drawn) > 0.0).all()
    slopes = np.diff(roulette) / np.diff(np.log(GRID_GEV))
    assert slopes.min() >= -1.3 - 1e-9
    assert slopes.max() <= 0.0


def test_other_runs_keep_their_densities():
    """A power law stays, and so does the mixture of runs that score neutrinos."""
    for one in (config(index=1.4), config(neutrinos=True)):
        expected = energy_law(LOW, HIGH, one.primaries.energy_index)
        for mine, other in zip(run_energies(one), expected, strict=True):
            assert np.array_equal(mine, other)


@pytest.mark.parametrize("levels", [{"altitudes_km": [10.0]}, {"depths_g_cm2": [100.0]}])
def test_high_levels_have_soft_primaries(levels):
    """With a level high up five times as many primaries have 1 to 3 GeV as with the ground alone."""

    def soft(one):
        _, law, _ = run_energies(one)
        energies = np.exp(np.linspace(0.0, math.log(3.0), 2000))
        return np.trapezoid([law_pdf(e, LOW, HIGH, law) for e in energies], energies)

    assert soft(config(**levels)) > 5.0 * soft(config(altitudes_km=[0.2]))


def test_muons_do_not_depend_on_the_density():
    """Fluxes of muons at the ground are those with primaries on a power law, in errors of 3 to 10%."""
    found = []
    for seed, index in ((1, None), (2, 1.4)):
        run = {"primaries": 19_200, "batch_size": 400, "seed": seed}
        spectra = muon_spectra(Result(simulate(config(index=index, run=run), threads=1)), "kamioka")
        groups = spectra.groups[:, 0, :2, :, 0].sum(axis=1)
        found.append((groups.mean(axis=0), groups.std(axis=0, ddof=1) / len(groups) ** 0.5))
    (a, ea), (b, eb) = found
    pull = (a - b) / np.hypot(ea, eb)
    assert (ea / a < 0.12).all()
    assert (pull**2).sum() < 24.0  # six bins: probability 5e-4
