"""The flux service: the page's formula in closed form, its keys and defaults, tables of both kinds."""

import warnings

import numpy as np
import pytest

import sim3d
from sim3d.errors import InputError
from sim3d.files import honda_writing
from sim3d.flux.service import centres
from sim3d.results import tables as result_tables

ENERGIES = 10 ** (np.arange(101) / 20 - 1)
COS_EDGES = np.linspace(-1, 1, 21)
COS = 0.5 * (COS_EDGES[1:] + COS_EDGES[:-1])
NORM = {"numu": 300.0, "numubar": 250.0, "nue": 150.0, "nuebar": 120.0}
GAMMA, SLOPE = 3.0, 0.5


def law(flavour, energy, cos):
    """A power law with exponential zenith dependence: a plane in log10(flux), which a spline holds exactly."""
    return NORM[flavour] * energy**-GAMMA * np.exp(SLOPE * cos)


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    folder = tmp_path_factory.mktemp("closed")
    flux = np.stack([law(f, ENERGIES[:, None], COS) for f in NORM])[..., None]
    east_west = 1 + 0.3 * np.cos(np.radians(15 + 30 * np.arange(12)))
    for name, values in (("aa", flux), ("az", flux * east_west)):
        (folder / f"{name}.d").write_text("".join(honda_writing.blocks(values, ENERGIES, COS_EDGES)))
    return folder


@pytest.mark.parametrize("name", ["aa", "az"])
def test_the_formula_in_closed_form(files, name):
    """Flux at the centre times 2 pi dE dcos; the integral by hand. The table's five digits allow 1e-4."""
    ebins, czbins = np.geomspace(1, 80, 40), np.linspace(-1, 0, 21)
    energy, cos = np.sqrt(ebins[1:] * ebins[:-1])[:, None], 0.5 * (czbins[1:] + czbins[:-1])
    size = 2 * np.pi * np.diff(ebins)[:, None] * np.diff(czbins)
    over_energy = (ebins[:-1] ** (1 - GAMMA) - ebins[1:] ** (1 - GAMMA)) / (GAMMA - 1)
    over_cos = np.diff(np.exp(SLOPE * czbins)) / SLOPE
    service = sim3d.HondaFluxService(files / f"{name}.d")
    better = sim3d.HondaFluxService(files / f"{name}.d", integrate=True)
    plain = sim3d.HondaFluxService(files / f"{name}.d", integrate=False)
    for prim, flavour in (("nue", "nue"), ("nue_bar", "nuebar"), ("numu", "numu"), ("numu_bar", "numubar")):
        got = service.get_flux(ebins, czbins, prim)
        assert got.shape == (39, 20)
        assert got == pytest.approx(law(flavour, energy, cos) * size, rel=1e-4)
        assert np.array_equal(plain.get_flux(ebins, czbins, prim), got)
        exact = 2 * np.pi * NORM[flavour] * np.multiply.outer(over_energy, over_cos)
        assert better.get_flux(ebins, czbins, prim) == pytest.approx(exact, rel=1e-4)
    # what the centre costs: 0.16% at this index in the default bins
    assert got / exact == pytest.approx(np.full((39, 20), 0.9990), abs=2e-3)


def test_edges_typed_with_three_decimals_give_the_same_flux(files):
    """8 bins from 1 to 80 GeV, wider than the table's, and 39 narrower ones; the sizes of the bins differ by 0.1%."""
    cos = np.linspace(-1, 0, 21)
    for options in ({}, {"integrate": True}):
        service = sim3d.HondaFluxService(files / "aa.d", **options)
        for n in (9, 40):
            exact = np.geomspace(1, 80, n)
            typed = np.round(exact, 3)
            ratio = service.get_flux(typed, cos, "nue").sum(axis=1) / service.get_flux(exact, cos, "nue").sum(axis=1)
            integrals = (typed[:-1] ** -2 - typed[1:] ** -2) / (exact[:-1] ** -2 - exact[1:] ** -2)
            assert ratio / integrals == pytest.approx(np.ones(n - 1), abs=1e-4)
            if n == 9:
                assert ratio == pytest.approx(np.ones(n - 1), abs=1e-3)


def test_a_bin_wider_than_the_tables_is_integrated_or_warned_of(files):
    """In energy or in zenith; the narrow bins beside it stay values at one point."""
    service, point = (sim3d.HondaFluxService(files / "aa.d", integrate=i) for i in (None, False))
    ebins, czbins = [1.0, 1.1, 11.0, 12.0], [-1.0, -0.95, 0.4, 0.5]
    exact = 2 * np.pi * NORM["nue"]
    exact = exact * np.multiply.outer(
        -np.diff(np.power(ebins, -2.0)) / 2, np.diff(np.exp(SLOPE * np.array(czbins))) / SLOPE
    )
    got = service.get_flux(ebins, czbins, "nue")
    wide = np.array([[False, True, False], [True, True, True], [False, True, False]])
    assert got[wide] == pytest.approx(exact[wide], rel=1e-4)
    with pytest.warns(
        UserWarning, match=r"5 of 9 bins are wider than those of .*aa\.d: their flux is that at one point"
    ):
        one = point.get_flux(ebins, czbins, "nue")
    assert np.array_equal(one[~wide], got[~wide])
    assert one[1, 1] / got[1, 1] < 0.7
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        service.get_flux(ebins, czbins, "nue")
        point.get_flux(np.round(10 ** np.arange(0, 1, 0.05), 3), czbins[:2], "nue")


def test_maps_keys_and_defaults(files):
    maps = sim3d.get_flux_maps(sim3d.HondaFluxService(flux_file=str(files / "aa.d"), smooth=0.05))
    assert list(maps) == ["nue", "nue_bar", "numu", "numu_bar"]
    for one in maps.values():
        assert set(one) == {"ebins", "czbins", "map"}
        assert len(one["ebins"]) == 40
        assert one["ebins"][[0, -1]] == pytest.approx([1.0, 80.0])
        assert np.diff(np.log(one["ebins"])) == pytest.approx(np.log(80) / 39)
        assert one["czbins"] == pytest.approx(np.linspace(-1, 0, 21))
        assert np.shape(one["map"]) == (39, 20)
    own = sim3d.get_flux_maps(sim3d.HondaFluxService(files / "aa.d"), [1.0, 2.0, 4.0], [-1.0, 1.0])
    assert own["numu"]["map"].shape == (2, 1)


def test_any_service_will_do():
    class Ones:
        def get_flux(self, ebins, czbins, prim):
            return np.ones((len(ebins) - 1, len(czbins) - 1))

    assert sim3d.get_flux_maps(Ones())["nue"]["map"].sum() == 39 * 20


def test_smoothing_takes_noise_away(files, tmp_path):
    rng = np.random.default_rng(1)
    truth = np.stack([law(f, ENERGIES[:, None], COS) for f in NORM])[..., None]
    noisy = truth * 10 ** rng.normal(0, 0.005, truth.shape)
    path = tmp_path / "noisy.d"
    path.write_text("".join(honda_writing.blocks(noisy, ENERGIES, COS_EDGES)))
    energy, cos = np.geomspace(1, 80, 30)[:, None], np.linspace(-0.9, 0.9, 20)
    off = [
        np.std(
            np.log(sim3d.HondaFluxService(path, smooth).differential_flux(energy, cos, "nue") / law("nue", energy, cos))
        )
        for smooth in (0.0, 0.05)
    ]
    assert off[1] < 0.4 * off[0]


def test_a_table_with_empty_bins_says_how_far_it_goes(fake_result, tmp_path):
    result_tables.write_honda_tables(fake_result(sites=("ino",), empty_above=30.0, batches=2), tmp_path)
    service = sim3d.HondaFluxService(tmp_path / "ino-honda-aa.d")
    assert service.energy_range_GeV["nue"][1] == pytest.approx(10**1.45)
    with pytest.raises(InputError, match=r"energy_GeV: 30\.78\d*, allowed: 0\.1 to 28\.184, where .* --smooth"):
        sim3d.get_flux_maps(service)
    assert service.get_flux([1, 10], [-1, 0], "nue").shape == (1, 1)


def test_what_is_refused(files, tmp_path):
    path = files / "aa.d"
    service = sim3d.HondaFluxService(path)
    for call, message in (
        (lambda: sim3d.HondaFluxService(), "flux_file: give a Honda table"),
        (lambda: sim3d.HondaFluxService(path, smooth=-1), "smooth: -1, allowed: 0 or more"),
        (lambda: sim3d.HondaFluxService(tmp_path / "none.d"), "none.d: cannot be read"),
        (
            lambda: service.get_flux([1, 2], [-1, 0], "nutau"),
            "prim: 'nutau', allowed: one of nue, nue_bar, numu, numu_bar",
        ),
        (lambda: service.get_flux([2, 1], [-1, 0], "nue"), "ebins: needs two or more edges that rise"),
        (lambda: service.get_flux([1, 2], [-1], "nue"), "czbins: needs two or more edges that rise"),
        (lambda: service.get_flux([1, 2], [-2, 0], "nue"), "czbins: -2.0, allowed: -1 to 1"),
        (lambda: service.get_flux([1e4, 2e4], [-1, 0], "nue"), "ebins: 20000"),
        (lambda: service.get_flux([1.01e4, 1.02e4], [-0.1, 0], "nue"), "energy_GeV: 10149"),
    ):
        with pytest.raises(InputError, match=message):
            call()


def test_centres():
    assert centres(np.array([1.0, 10.0, 100.0])) == pytest.approx(np.sqrt([10, 1000]))
    assert centres(np.array([1.0, 2.0, 3.0])).tolist() == [1.5, 2.5]
    assert centres(np.array([-1.0, 0.0])).tolist() == [-0.5]
    assert centres(np.array([1.0, 4.0])).tolist() == [2.0]
    rounded = np.round(np.geomspace(1, 80, 40), 2)
    assert centres(rounded) == pytest.approx(np.sqrt(rounded[1:] * rounded[:-1]))
    assert centres(np.round(np.linspace(1, 2, 4), 3)) == pytest.approx([1.1665, 1.5, 1.8335])


def test_azimuth_bins_share_the_flux_of_all_azimuths(files):
    """Their sum is the map without azimuth; the shares are those of 1 + 0.3 cos(azimuth), integrated."""
    service = sim3d.HondaFluxService(files / "az.d")
    ebins, czbins, azbins = np.geomspace(2, 40, 6), np.linspace(-0.9, 0.9, 5), np.linspace(0, 360, 13)
    flat = service.get_flux(ebins, czbins, "nue")
    found = service.get_flux(ebins, czbins, "nue", azbins)
    assert found.shape == (5, 4, 12)
    assert found.sum(axis=2) == pytest.approx(flat, rel=1e-9)
    shares = (1 + 0.3 * np.cos(np.radians(15 + 30 * np.arange(12)))) / 12
    assert found == pytest.approx(flat[..., None] * shares, rel=1e-3)
    across = service.get_flux(ebins, czbins, "nue", [330.0, 30.0])
    assert across[..., 0] == pytest.approx(found[..., 0] + found[..., 11], rel=1e-3)
    with pytest.raises(InputError, match="averaged over azimuth"):
        sim3d.HondaFluxService(files / "aa.d").get_flux(ebins, czbins, "nue", azbins)


def test_calibrated_errors(files, monkeypatch):
    """Derivatives and errors of the flux at the centres of the bins; values of parameters move the map."""
    service = sim3d.HondaFluxService(files / "aa.d")
    ebins, czbins = np.geomspace(2, 40, 6), np.linspace(-0.9, 0.9, 5)
    assert service.parameters == []
    assert service.get_derivatives(ebins, czbins, "nue").shape == (5, 4, 0)
    with pytest.raises(InputError, match="no parameters with errors"):
        service.get_error(ebins, czbins, "nue", kind="model")

    class Known:
        """A flux with two parameters: d ln(flux) is (0.1 ln E, 0.2 cos)."""

        def __init__(self, flux):
            self._flux, self.parameters = flux, ["a", "b"]
            self.parameter_covariance = np.array([[1.0, 0.5], [0.5, 2.0]])

        def __getattr__(self, name):
            return getattr(self._flux, name)

        def derivatives(self, flavour, energy, cos):
            return np.stack([0.1 * np.log(energy), 0.2 * cos], axis=1)

        def error(self, flavour, energy, cos, kind):
            slopes = self.derivatives(flavour, energy, cos)
            relative = np.sqrt(np.einsum("ni,ij,nj->n", slopes, self.parameter_covariance, slopes))
            return relative * self._flux.flux(flavour, energy, cos)

    flat = service.get_flux(ebins, czbins, "numu")
    monkeypatch.setattr(service, "flux", Known(service.flux))
    energy, cos = np.sqrt(ebins[1:] * ebins[:-1])[:, None], 0.5 * (czbins[1:] + czbins[:-1])
    slopes = service.get_derivatives(ebins, czbins, "numu")
    assert slopes[..., 0] == pytest.approx(0.1 * np.log(energy) * np.ones(4))
    moved = service.get_flux(ebins, czbins, "numu", values={"a": 1.5, "b": -1.0})
    assert moved == pytest.approx(flat * np.exp(0.15 * np.log(energy) - 0.2 * cos))
    a, b = 0.1 * np.log(energy), 0.2 * cos
    relative = np.sqrt(a**2 + a * b + 2 * b**2)
    assert service.get_error(ebins, czbins, "numu", kind="model") == pytest.approx(flat * relative)
    with pytest.raises(InputError):
        service.get_flux(ebins, czbins, "numu", values={"c": 1.0})
