"""Models of crflux and globalsplinefit: conversion, grouping, joining, errors, dates."""

import numpy as np
import pytest

from sim3d.config.load import make_config
from sim3d.primaries.build import primary_model
from sim3d.primaries.catalogue import LIBRARY_MODELS, model_names
from sim3d.primaries.groups import GROUP_CHARGE, GROUP_MASS_NUMBER, GROUPS, NUCLEON_MASS_GEV, PrimaryInputError
from sim3d.primaries.libraries import crflux_groups, crflux_model, group_of
from sim3d.primaries.solar import SolarInputError
from sim3d.primaries.spectrum import TABLE_ENERGIES_GEV, Spectrum, choose_group, group_flux

ENERGIES = np.geomspace(1.0, 1e7, 60)
CRFLUX = [name for name in LIBRARY_MODELS if name.startswith("crflux:")]
GSF = [name for name in LIBRARY_MODELS if name.startswith("gsf:")]


@pytest.fixture
def crflux():
    """The library, or a skip that says how to get it."""
    return pytest.importorskip("crflux.models", reason="crflux is not installed (pip install 'sim3d[primaries]')")


@pytest.fixture
def gsf():
    """The library, or a skip that says how to get it."""
    return pytest.importorskip(
        "globalsplinefit", reason="globalsplinefit is not installed (pip install 'sim3d[primaries]')"
    )


def test_a_table_gives_what_the_fits_give():
    """The GHLS fits, tabulated, to 1e-4 between the points and with another potential; groups are chosen alike."""
    model = primary_model("ghls2001-average", "max")
    fit = primary_model("ghls2001-average")
    table = np.log([fit.flux(group, TABLE_ENERGIES_GEV) for group in GROUPS])
    spectrum = Spectrum(np.zeros((5, 2, 5)), table, model.delta_GV)
    for k, group in enumerate(GROUPS):
        tabulated = [group_flux(energy, k, spectrum) for energy in ENERGIES]
        np.testing.assert_allclose(tabulated, model.flux(group, ENERGIES), rtol=1e-4)
    for u in np.linspace(0.0, 1.0, 21):
        assert choose_group(7.0, u, spectrum) == choose_group(7.0, u, model.spectrum)


def test_table_beyond_its_ends():
    """A power law goes on above; below the lowest energy the flux is that of the lowest energy."""
    table = np.tile(np.log(TABLE_ENERGIES_GEV**-3.0), (5, 1))
    spectrum = Spectrum(np.zeros((5, 2, 5)), table, 0.0)
    assert group_flux(1e10, 0, spectrum) == pytest.approx(1e-30, rel=1e-6)
    assert group_flux(0.01, 0, spectrum) == pytest.approx(1e6, rel=1e-6)


@pytest.mark.parametrize("name", CRFLUX)
def test_crflux_conserves_nucleons(crflux, name):
    """All-nucleon flux: crflux's own to rounding; protons by our groups' Z/A to 0.1%."""
    fluxes = crflux_groups(name, ENERGIES)
    model = crflux_model(name)
    energy = ENERGIES if LIBRARY_MODELS[name].kinetic else ENERGIES + NUCLEON_MASS_GEV
    _, protons, neutrons = model.p_and_n_flux(energy)
    np.testing.assert_allclose(GROUP_MASS_NUMBER @ fluxes, protons + neutrons, rtol=1e-12)
    np.testing.assert_allclose(GROUP_CHARGE @ fluxes, protons, rtol=1e-3)


def test_every_model_of_crflux_has_a_name(crflux):
    """But for base classes and the Global Spline Fits, which come from their own package."""
    classes = {
        name
        for name, kind in vars(crflux).items()
        if isinstance(kind, type) and issubclass(kind, crflux.PrimaryFlux) and not name.startswith("_")
    }
    ours = {LIBRARY_MODELS[name].construct[0] for name in CRFLUX}
    assert classes - ours == {"PrimaryFlux", "GlobalSplineFit", "GlobalSplineFitReduced", "GlobalSplineFitBeta"}


@pytest.mark.parametrize("name", CRFLUX)
def test_joining(crflux, name):
    """GHLS below join / sqrt(10), the library above join * sqrt(10), and nothing outside both between."""
    model, low = primary_model(name), primary_model("ghls2001-average")
    raw = GROUP_MASS_NUMBER @ crflux_groups(name, ENERGIES)
    flux, ghls = model.nucleon_flux(ENERGIES), low.nucleon_flux(ENERGIES)
    if not LIBRARY_MODELS[name].joins:
        np.testing.assert_allclose(flux, raw, rtol=2e-3)  # kinks where crflux joins
        return
    np.testing.assert_allclose(flux[ENERGIES < 31], ghls[ENERGIES < 31], rtol=1e-4)
    np.testing.assert_allclose(flux[ENERGIES > 320], raw[ENERGIES > 320], rtol=1e-4)
    assert np.all(flux <= np.maximum(raw, ghls) * 1.0001)
    assert np.all(flux >= np.minimum(raw, ghls) * 0.9999)
    elsewhere = primary_model(name, join_GeV=1000.0)
    assert float(elsewhere.nucleon_flux(200.0)) == pytest.approx(float(low.nucleon_flux(200.0)), rel=1e-4)


def test_gaisser_honda_protons_are_ours(crflux):
    """Gaisser and Honda (2002) took the protons of GHLS; crflux has the same parameters."""
    np.testing.assert_allclose(
        primary_model("crflux:GH").flux("p", ENERGIES), primary_model("ghls2001-average").flux("p", ENERGIES), rtol=1e-4
    )


def test_groups_have_their_own_rigidity_and_nearest_mass():
    """Deuterium has helium's A/Z; the rest goes by mass."""
    assert group_of(1) == 0
    assert group_of(2) == 1
    for k, mass_number in enumerate(GROUP_MASS_NUMBER):
        assert group_of(int(mass_number)) == k
    assert [group_of(a) for a in (7, 9, 19, 20, 35, 40, 208)] == [1, 2, 2, 3, 3, 4, 4]


@pytest.mark.parametrize("name", GSF)
@pytest.mark.parametrize(("date", "interval"), [(None, (199807, 199808)), ("2012-12-05", (201212, 201301))])
def test_global_spline_fit(gsf, name, date, interval):
    """Flux and error of all nucleons are the package's own for that month, to 1e-4 and 1e-3."""
    fit = gsf.GSFKineticEnergyPerNucleon(version=LIBRARY_MODELS[name].construct[0])
    model = primary_model(name, "date" if date else "fit", date)
    np.testing.assert_allclose(
        model.nucleon_flux(ENERGIES), fit.total_flux(ENERGIES, time_interval=interval), rtol=1e-4
    )
    np.testing.assert_allclose(
        model.nucleon_flux_error(ENERGIES), fit.total_error(ENERGIES, time_interval=interval), rtol=1e-3
    )


def test_global_spline_fit_by_group(gsf):
    """Protons are the package's protons, iron is the most of its group; errors of groups are positive."""
    fit = gsf.GSFKineticEnergyPerNucleon(version="2026.1")
    model = primary_model("gsf:2026.1")
    own = fit.flux(ENERGIES, "p", time_interval=(199807, 199808))
    np.testing.assert_allclose(model.flux("p", ENERGIES), own, rtol=1e-4)
    error = fit.error(ENERGIES, "p", time_interval=(199807, 199808))
    np.testing.assert_allclose(model.flux_error("p", ENERGIES), error, rtol=1e-3)
    iron = fit.flux(ENERGIES, [26], time_interval=(199807, 199808)) / GROUP_MASS_NUMBER[4]
    share = iron / model.flux("Fe", ENERGIES)
    assert np.all((share > 0.4) & (share < 1.0))
    for group in GROUPS:
        relative = model.flux_error(group, ENERGIES) / model.flux(group, ENERGIES)
        assert np.all((relative > 0.0) & (relative < 5.0))


def test_modulating_the_table_is_modulating_the_fit(gsf):
    """July 1998 moved by the difference of its own series gives the fit's December 2012, to 0.1%."""
    by_date = primary_model("gsf:2026.1", "date", "2012-12-05")
    moved = primary_model("gsf:2026.1", by_date.solar_potential_MV)
    np.testing.assert_allclose(moved.nucleon_flux(ENERGIES), by_date.nucleon_flux(ENERGIES), rtol=1e-3)
    assert by_date.solar_potential_MV == pytest.approx(612.4, abs=0.2)


def test_dates_without_potential(gsf):
    """The series of a fit has its own range."""
    with pytest.raises(SolarInputError, match="1975-01 to 2025-12"):
        primary_model("gsf:2026.1", "date", "1960-01-01")


def test_models_without_errors():
    """They say so."""
    with pytest.raises(PrimaryInputError, match=r"ghls2001-low states no errors.*gsf"):
        primary_model("ghls2001-low").flux_error("p", 10.0)


@pytest.mark.parametrize(("name", "join"), [("ghls2001-low", 100.0), ("crflux:GH", 100.0), ("crflux:H3a", 1.0)])
def test_joints_that_are_not_possible(name, join):
    """One line that names the key."""
    with pytest.raises(PrimaryInputError, match=r"primaries\.join_GeV"):
        primary_model(name, join_GeV=join)


def test_a_library_that_is_not_there(monkeypatch):
    """One line that says what to install."""
    monkeypatch.setitem(__import__("sys").modules, "crflux.models", None)
    with pytest.raises(PrimaryInputError, match=r"crflux.*not installed.*sim3d\[primaries\]"):
        primary_model("crflux:H3a")


def test_configuration():
    """Names are checked without the libraries; energies to 1e8 GeV with a knee."""
    sites = [{"name": "sno"}]
    assert len(model_names()) == len(set(model_names())) == 3 + len(LIBRARY_MODELS)
    for name in model_names():
        config = make_config({"sites": sites, "primaries": {"model": name}})
        assert config.primaries.model == name
    wide = make_config({"sites": sites, "primaries": {"model": "gsf:2026.1", "energy_GeV": [1.0, 1e8]}})
    assert wide.primaries.energy_GeV[1] == 1e8
