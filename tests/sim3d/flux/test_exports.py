"""Exports, fed to the programs they are for: nuSQuIDS propagates, xarray reads; and the Earth they go through."""

import platform
import sys
from dataclasses import replace

import h5py
import numpy as np
import pytest
from scipy.integrate import quad

from sim3d.errors import InputError
from sim3d.flux import exports, prem
from sim3d.flux.interpolated import Flux

nusquids_has_a_wheel = sys.version_info < (3, 13) and (platform.system(), platform.machine()) == ("Linux", "x86_64")
needs_nusquids = pytest.mark.skipif(
    not nusquids_has_a_wheel, reason="nusquids has wheels for Python 3.11 and 3.12 on Linux x86_64 only"
)


@pytest.fixture
def flux(fake_result):
    return Flux.of_result(fake_result(sites=("kamioka",), noise=0.0, batches=2))


def test_prem_against_known_totals():
    """Mass and moment of inertia of the Earth: 5.973e24 kg and 0.3308 M R^2 (Dziewonski and Anderson 1981)."""
    cm, tops = 1e5, [top for top, _ in prem.LAYERS]

    def total(power):
        parts = zip([0.0, *tops[:-1]], tops, strict=True)
        return sum(quad(lambda r: (r * cm) ** power * float(prem.density(r)) * cm, a, b)[0] for a, b in parts)

    mass = 4 * np.pi * total(2)
    assert mass == pytest.approx(5.973e27, rel=1e-3)
    assert 8 * np.pi / 3 * total(4) / mass / (prem.RADIUS_KM * cm) ** 2 == pytest.approx(0.3308, abs=2e-4)
    assert prem.density([0.0, 1221.5, 1221.6, 3480.0, 3481.0, 6371.0]) == pytest.approx(
        [13.0885, 12.7636, 12.1663, 9.9035, 5.5664, 1.02], abs=1e-3
    )
    with pytest.raises(InputError, match="radius_km: must be between 0 and 6371"):
        prem.density(6400.0)


def test_prem_table(tmp_path):
    rows = np.loadtxt(prem.write_nusquids_table(tmp_path / "earth.dat"))
    assert rows[0].tolist() == [0.0, 13.0885, 0.4656]
    assert rows[-1].tolist() == [1.0, 1.02, 0.4957]
    assert np.all(np.diff(rows[:, 0]) > 0)
    radius = rows[:, 0] * prem.RADIUS_KM
    inside = np.min(np.abs(radius[:, None] - [top for top, _ in prem.LAYERS]), axis=1) > 0.01
    assert rows[inside, 1] == pytest.approx(prem.density(radius[inside]), abs=1e-5)
    assert inside.sum() > 350


def test_nusquids_arrays(flux, tmp_path):
    state = exports.nusquids_state(flux)
    assert state.flux.shape == (len(state.cos_zenith), len(state.energy_GeV), 2, 3)
    assert (state.cos_zenith[0], state.cos_zenith[-1]) == (-1.0, 1.0)
    assert state.energy_GeV[[0, -1]] == pytest.approx(flux.energy_range_GeV)
    for i, kind in enumerate(("", "bar")):
        for j, name in enumerate(("nue", "numu")):
            got = state.flux[30, 50, i, j]
            assert got == flux.flux(name + kind, state.energy_GeV[50], state.cos_zenith[30])
    assert np.all(state.flux[..., 2] == 0.0)
    with h5py.File(state.write(tmp_path / "x.h5")) as file:
        assert np.array_equal(file["flux"], state.flux)
        assert file["energy_GeV"].attrs["units"] == "GeV"
        assert np.array_equal(file["cos_zenith"], state.cos_zenith)
    for name in ("cos_zenith", "energy_GeV"):
        with pytest.raises(InputError, match=f"{name}: needs two or more nodes that rise"):
            exports.nusquids_state(flux, **{name: [1.0]})
    with pytest.raises(InputError, match="cannot write"):
        state.write(tmp_path / "none" / "x.h5")


ANGLES = np.radians([33.68, 8.56, 43.3])
PHASE, SPLITTINGS = np.radians(212.0), (7.49e-5, 2.513e-3)
EV_KM = 5.067731e9
POTENTIAL_EV = 7.63247e-14
"""sqrt(2) G_F N_A per g/cm3 of electrons."""


def probabilities(energy_GeV, cos_zenith, kind, height_km):
    """P[from, to] through slabs of constant density; standard parametrisation of the mixing matrix."""
    (s12, s13, s23), (c12, c13, c23) = np.sin(ANGLES), np.cos(ANGLES)
    d = np.exp(1j * PHASE)
    mixing = np.array(
        [
            [c12 * c13, s12 * c13, s13 / d],
            [-s12 * c23 - c12 * s23 * s13 * d, c12 * c23 - s12 * s23 * s13 * d, s23 * c13],
            [s12 * s23 - c12 * c23 * s13 * d, -c12 * s23 - s12 * c23 * s13 * d, c23 * c13],
        ]
    )
    if kind == 1:
        mixing = mixing.conj()
    vacuum = mixing @ np.diag([0.0, *SPLITTINGS]) @ mixing.conj().T / (2 * energy_GeV * 1e9)
    radius = prem.RADIUS_KM
    along = -radius * cos_zenith + np.sqrt((radius * cos_zenith) ** 2 + height_km * (2 * radius + height_km))
    edges = np.linspace(0.0, along, 4001)
    # from the detector outwards; propagation runs inwards
    x = 0.5 * (edges[1:] + edges[:-1])
    r = np.sqrt(radius**2 + x**2 + 2 * radius * x * cos_zenith)
    matter = np.where(r <= prem.CORE_KM, prem.ELECTRON_FRACTION_CORE, prem.ELECTRON_FRACTION_MANTLE)
    electrons = np.where(r < radius, prem.density(np.minimum(r, radius)) * matter, 0.0)
    evolution = np.eye(3, dtype=complex)
    for density in electrons[::-1]:
        potential = np.diag([POTENTIAL_EV * density * (1 if kind == 0 else -1), 0.0, 0.0])
        values, vectors = np.linalg.eigh(vacuum + potential)
        phases = np.exp(-1j * values * np.diff(edges)[0] * EV_KM)
        evolution = (vectors * phases) @ vectors.conj().T @ evolution
    return np.abs(evolution.T) ** 2


@needs_nusquids
def test_nusquids_propagates_our_fluxes_through_the_earth(flux):
    """Against a solver of our own through the same Earth; what comes from above stays, flavours add up."""
    prem.provide_nusquids_earth()
    import nuSQuIDS as nsq

    state = exports.nusquids_state(flux, np.linspace(-1, 1, 11), np.geomspace(1, 100, 21))
    gev = nsq.Const().GeV
    earth = nsq.nuSQUIDSAtm(state.cos_zenith, state.energy_GeV * gev, 3, nsq.NeutrinoType.both, False)
    for (i, j), angle in zip(((0, 1), (0, 2), (1, 2)), ANGLES, strict=True):
        earth.Set_MixingAngle(i, j, angle)
    earth.Set_CPPhase(0, 2, PHASE)
    for i, splitting in enumerate(SPLITTINGS, start=1):
        earth.Set_SquareMassDifference(i, splitting)
    earth.Set_rel_error(1e-6)
    earth.Set_abs_error(1e-6)
    earth.Set_ProgressBar(False)
    earth.Set_initial_state(state.flux, nsq.Basis.flavor)
    earth.EvolveState()

    def after(c, e, kind):
        cos, energy = state.cos_zenith[c], state.energy_GeV[e] * gev
        return np.array([earth.EvalFlavor(f, cos, energy, kind) for f in range(3)])

    height = nsq.EarthAtm().GetAtmosphereHeight()
    for c, e, kind in ((0, 8, 0), (1, 9, 0), (1, 9, 1), (3, 12, 0), (4, 4, 1), (5, 6, 0), (9, 2, 0)):
        before = state.flux[c, e, kind]
        expected = before @ probabilities(state.energy_GeV[e], state.cos_zenith[c], kind, height)
        assert after(c, e, kind) == pytest.approx(expected, rel=0.01, abs=0.01 * before.max())
        assert after(c, e, kind).sum() == pytest.approx(before.sum(), rel=1e-3)
    assert after(10, 15, 0) == pytest.approx(state.flux[10, 15, 0], rel=0.01, abs=0.01 * state.flux[10, 15, 0].max())
    # the first dip of vertical muon neutrinos, near 25 GeV
    dip = [after(0, e, 0)[1] / state.flux[0, e, 0, 1] for e in range(21)]
    assert 20 < state.energy_GeV[10 + int(np.argmin(dip[10:]))] < 32
    assert min(dip[10:]) < 0.1


def test_netcdf_by_name_and_with_units(flux, tmp_path):
    import xarray

    path = exports.write_netcdf(tmp_path / "x.nc", flux.table, flux.azimuth_table)
    with xarray.open_dataset(path, engine="h5netcdf") as data:
        assert data.flux.dims == ("flavour", "energy", "cos_zenith", "azimuth")
        assert data.flux_average.dims == ("flavour", "energy", "cos_zenith")
        assert data.flux.units == data.flux_average_error.units == "m-2 s-1 sr-1 GeV-1"
        assert (data.energy.units, data.azimuth.units, data.cos_zenith.units) == ("GeV", "degree", "1")
        east = data.flux.sel(flavour="nue", azimuth=75.0).sel(energy=1.0, cos_zenith=0.05, method="nearest")
        assert float(east) == flux.azimuth_table.flux[2, 20, 10, 2]
        assert data[data.energy.bounds].shape == (101, 2)
        assert data[data.azimuth.bounds].values[3].tolist() == [90.0, 120.0]
        assert np.array_equal(data.flux_error, flux.azimuth_table.error)
        assert "counter-clockwise from south" in data.attrs["convention_azimuth"]
        assert data.flux.cell_methods == "energy: mean cos_zenith: mean azimuth: mean"
    for frame, word in (("site", "carried along"), ("crossing", "at the crossing itself"), ("", "270 W")):
        data = exports.dataset(replace(flux.azimuth_table, azimuth_frame=frame))
        assert word in data.attrs["convention_azimuth"]
        assert word in data.azimuth.long_name
    with pytest.raises(InputError, match="cannot write"):
        exports.write_netcdf(tmp_path / "none" / "x.nc", flux.table)


def test_without_xarray_it_says_how_to_get_it(flux, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "xarray", None)
    with pytest.raises(InputError, match=r"netcdf: needs xarray; pip install 'sim3d\[netcdf\]'"):
        exports.write_netcdf(tmp_path / "x.nc", flux.table)
