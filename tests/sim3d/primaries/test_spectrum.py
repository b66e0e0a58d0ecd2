"""Primary spectra, solar modulation, superposition and sampling (design 4.1)."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from scipy.integrate import quad

from sim3d.primaries.build import primary_model
from sim3d.primaries.catalogue import MODELS
from sim3d.primaries.groups import GROUP_CHARGE, GROUP_MASS_NUMBER, GROUPS, PrimaryInputError
from sim3d.primaries.solar import FIT_POTENTIAL_MV
from sim3d.primaries.spectrum import choose_group, rigidity
from sim3d.sampling.energy_law import energy_pdf, sample_energy


def test_protons_at_10_GeV():
    """About 20 per m2 s sr GeV (the published unit of K is a misprint), and Bartol's form by hand."""
    model = primary_model("ghls2001-average", "fit")
    flux = float(model.flux("p", 10.0))
    assert flux == pytest.approx(20.0, rel=0.1)
    gamma, norm, b, c, weight = model.fits[0, 0]
    assert weight == 1.0
    assert flux == pytest.approx(norm * (10 + b * np.exp(-c * np.sqrt(10))) ** -gamma, rel=1e-12)


def test_published_parameters():
    """Gaisser et al. 2001: protons 2.74, 14900, 2.15, 0.21; high helium 2.64, 600, 1.25, 0.14."""
    high = primary_model("ghls2001-high").fits
    assert tuple(high[0, 0, :4]) == (2.74, 14900.0, 2.15, 0.21)
    assert tuple(high[1, 0, :4]) == (2.64, 600.0, 1.25, 0.14)


def test_200_MV_moves_protons_by_9_and_15_percent():
    """Design 4.1: 9% at 8 GeV and 15% at 4 GeV, less flux at the higher potential."""
    fit = FIT_POTENTIAL_MV
    for energy, percent in ((8.0, 9.0), (4.0, 15.0)):
        low, high = (float(primary_model("ghls2001-average", v).flux("p", energy)) for v in (fit, fit + 200.0))
        assert 100.0 * (1.0 - high / low) == pytest.approx(percent, abs=2.0)


def test_modulation_is_the_force_field():
    """J(E) / (E (E + 2m)) at E with one potential is that at E + delta Z/A with the fit's."""
    base = primary_model("ghls2001-average", "fit")
    moved = primary_model("ghls2001-average", FIT_POTENTIAL_MV + 300.0)
    m2 = 2 * 0.9389187
    for k, group in enumerate(GROUPS):
        shift = 0.3 * GROUP_CHARGE[k] / GROUP_MASS_NUMBER[k]
        for energy in (1.0, 5.0, 50.0):
            e = energy + shift
            expected = float(base.flux(group, e)) / (e * (e + m2)) * energy * (energy + m2)
            assert float(moved.flux(group, energy)) == pytest.approx(expected, rel=1e-6)


def test_solar_minimum_has_more_primaries_than_maximum():
    """Order of the named potentials, and no effect at 10 TeV."""
    flux = {name: primary_model("ghls2001-average", name).nucleon_flux([2.0, 1e4]) for name in ("min", "fit", "max")}
    assert flux["min"][0] > flux["fit"][0] > flux["max"][0]
    assert flux["max"][1] == pytest.approx(flux["min"][1], rel=1e-3)


def test_average_is_the_mean_of_high_and_low():
    """For every group; protons have one fit."""
    energies = np.geomspace(0.5, 1e5, 40)
    for group in GROUPS:
        high, low, mean = (primary_model(f"ghls2001-{n}").flux(group, energies) for n in ("high", "low", "average"))
        np.testing.assert_allclose(mean, 0.5 * (high + low), rtol=1e-12)
        if group == "p":
            np.testing.assert_array_equal(high, low)


def test_nucleon_flux_is_the_superposition():
    """All-nucleon flux: A times each group's; protons are most of it and helium a fifth or so."""
    model = primary_model("ghls2001-average")
    parts = np.array([a * float(model.flux(g, 10.0)) for g, a in zip(GROUPS, GROUP_MASS_NUMBER, strict=True)])
    total = float(model.nucleon_flux(10.0))
    assert total == pytest.approx(parts.sum(), rel=1e-12)
    assert parts[0] / total > 0.65
    assert 0.1 < parts[1] / total < 0.25


def test_rigidity():
    """p for a proton, twice the momentum per nucleon for helium; 50/24 for iron."""
    momentum = np.sqrt(10.0 * (10.0 + 2 * 0.9389187))
    for group, ratio in ((0, 1.0), (1, 2.0), (2, 2.0), (3, 2.0), (4, 50 / 24)):
        assert rigidity(10.0, group) == pytest.approx(momentum * ratio, rel=1e-6)


@pytest.mark.parametrize("index", [0.0, 0.5, 1.0, 1.0 + 1e-10, 2.0, 2.7])
def test_sampling_density_is_normalised_and_sampled(index):
    """The density integrates to 1, and quantiles of the sampler are those of the density."""
    low, high = 1.0, 1e4
    edges = np.geomspace(low, high, 30)
    shares = [quad(energy_pdf, a, b, args=(low, high, index))[0] for a, b in zip(edges, edges[1:], strict=False)]
    assert sum(shares) == pytest.approx(1.0, rel=1e-6)
    u = np.random.default_rng(1).random(50_000)
    sample = np.array([sample_energy(v, low, high, index) for v in u])
    expected = np.array(shares) * u.size
    kept = expected > 10
    observed = np.histogram(sample, edges)[0]
    chi2 = ((observed - expected) ** 2 / expected)[kept].sum()
    assert stats.chi2.sf(chi2, kept.sum()) > 1e-3


@given(u=st.floats(0, 1), low=st.floats(0.3, 100), factor=st.floats(1.001, 1e4), index=st.floats(0, 4))
def test_sampled_energies_stay_in_range(u, low, factor, index):
    """Inverse of the cumulative distribution: within the ends, to rounding."""
    value = sample_energy(u, low, low * factor, index)
    assert low * (1 - 1e-9) <= value <= low * factor * (1 + 1e-6)


def test_groups_are_chosen_by_their_share():
    """Nucleons come in nuclei in proportion to A times the flux."""
    model = primary_model("ghls2001-average")
    n = 20_000
    chosen = [choose_group(5.0, (i + 0.5) / n, model.spectrum) for i in range(n)]
    shares = np.bincount(chosen, minlength=5) / n
    parts = np.array([a * float(model.flux(g, 5.0)) for g, a in zip(GROUPS, GROUP_MASS_NUMBER, strict=True)])
    np.testing.assert_allclose(shares, parts / parts.sum(), atol=2 / n)


@pytest.mark.parametrize(
    ("name", "potential", "word"),
    [
        ("polygonato", "fit", "primaries.model"),
        ("ghls2001-average", "typical", "primaries.solar"),
        ("ghls2001-average", -1.0, "primaries.solar_potential_MV"),
        ("ghls2001-average", 3001.0, "primaries.solar_potential_MV"),
        ("ghls2001-average", float("nan"), "primaries.solar_potential_MV"),
    ],
)
def test_errors_name_the_key(name, potential, word):
    """Unknown models and potentials out of range."""
    with pytest.raises(PrimaryInputError, match=word):
        primary_model(name, potential)


def test_unknown_group():
    """The message lists what there is."""
    with pytest.raises(PrimaryInputError, match="CNO"):
        primary_model("ghls2001-average").flux("Uranium", 10.0)
    assert len(MODELS) == 3
