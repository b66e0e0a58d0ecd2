"""Errors of integrals and ratios of fluxes, and of tables that state errors of the model, against closed forms."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from sim3d.errors import InputError
from sim3d.files import csv_tables, honda_writing
from sim3d.files.flux_csv import parse_flux_rows, table_of_rows
from sim3d.files.flux_table import FluxTable
from sim3d.files.honda import HONDA_COS_EDGES, HONDA_ENERGIES_GEV
from sim3d.flux import exports
from sim3d.flux.bin_correlation import BinCorrelation
from sim3d.flux.interpolated import Flux
from sim3d.results.gradients import SiteGradients
from sim3d.results.metadata import FILE_KINDS
from sim3d.results.model_parameters import LogDerivatives, ParameterErrors, relative_error
from sim3d.scoring.exact_sums import N_GROUPS
from sim3d.scoring.gradients import BINS

NAMES = ("pi+@31", "pi-@31", "primary:p:norm")
SIGMA = np.array([0.1, 0.05, 0.02])
CORRELATION = np.array([[1.0, 0.6, 0.0], [0.6, 1.0, 0.0], [0.0, 0.0, 1.0]])
MATRIX = CORRELATION * np.outer(SIGMA, SIGMA)
# d ln(flux) / d(parameter) by flavour: constants, so integrals are closed forms
SLOPES = np.array([[0.6, 0.1, 1.0], [0.1, 0.6, 1.0], [0.5, 0.0, 1.0], [0.0, 0.5, 1.0]])
STATISTICAL = 0.04


def derivatives():
    shape = (4, len(BINS.energies_GeV), len(BINS.cos_edges) - 1)
    flux = np.broadcast_to(BINS.energies_GeV[:, None] ** -3.0, shape)
    columns = np.concatenate([flux[..., None], flux[..., None] * SLOPES[:, None, None, :]], axis=-1)
    space = 2.0 * np.pi * np.multiply.outer(np.diff(BINS.energy_edges_GeV), np.diff(BINS.cos_edges))
    groups = np.repeat((columns * space[None, :, :, None])[None], N_GROUPS, axis=0)
    gradients = SiteGradients("x", groups, np.ones(N_GROUPS, dtype=int), ("flux", *NAMES), {})
    return LogDerivatives(gradients, ParameterErrors.of_matrix(NAMES, MATRIX))


def table(azimuths=1):
    """Fluxes (1 + f) E^-3 (1 - a sin), means over bins, with a relative statistical error of 4% in every bin."""
    e = HONDA_ENERGIES_GEV
    step = np.sqrt(e[1] / e[0])
    edges = np.append(e / step, e[-1] * step)
    mean = 0.5 * (edges[:-1] ** -2 - edges[1:] ** -2) / np.diff(edges)
    a = np.linspace(0.0, 2.0 * np.pi, azimuths + 1)
    angle = 1.0 + (0.3 * np.diff(np.cos(a)) / np.diff(a) if azimuths > 1 else np.zeros(1))
    shape = (4, len(e), 20, azimuths)
    flux = np.broadcast_to((1.0 + np.arange(4))[:, None, None, None] * mean[:, None, None] * angle, shape).copy()
    return FluxTable(
        flux, STATISTICAL * flux, e, edges, "bins", HONDA_COS_EDGES, np.degrees(a), "x", "made", azimuth_frame="site",
        kind=np.zeros(shape, dtype=np.int8),
    )  # fmt: skip


@pytest.fixture(scope="module")
def flux():
    return Flux(table(), table(12), derivatives=derivatives())


def model(flavour):
    return np.sqrt(SLOPES[flavour] @ MATRIX @ SLOPES[flavour])


def test_cells_of_a_smooth_table_have_one_error():
    smooth = Flux(replace(table(), smooth=True), replace(table(12), smooth=True))
    e, c = [1.0, 10.0], [-0.5, 0.5]
    error = smooth.integral_error("numu", e, c, kind="statistical")
    np.testing.assert_allclose(error, STATISTICAL * smooth.integral("numu", e, c), rtol=1e-9)
    both = smooth.integral_error(["numu", "nue"], e, c, [0.0, 90.0], kind="statistical")
    values = smooth.integral("numu", e, c, [0.0, 90.0]) + smooth.integral("nue", e, c, [0.0, 90.0])
    np.testing.assert_allclose(both, STATISTICAL * values, rtol=1e-9)


def test_correlated_cells_and_flavours(flux):
    """Variances over those of independent cells: 2 of a flavour's own part, 6 of what all have in common."""
    total, ratios = np.full((101, 20, 1), 6.0), np.full((4, 101, 20, 1), 2.0)
    correlated = Flux(table(), correlation=BinCorrelation(total, ratios))
    bins = [1.0, 10.0], [-0.5, 0.5]

    def ratio(flavours):
        errors = [one.integral_error(flavours, *bins, kind="statistical") for one in (correlated, flux)]
        return (errors[0] / errors[1]) ** 2

    np.testing.assert_allclose(ratio("nue"), 3.0, rtol=1e-9)
    # fluxes of 1 to 4 parts: 2 and a quarter of 4 times (1 + 2 + 3 + 4)^2 / (1 + 4 + 9 + 16)
    np.testing.assert_allclose(ratio(["numu", "numubar", "nue", "nuebar"]), 2.0 + 100.0 / 30.0, rtol=1e-9)


def test_integrals_over_bins_of_the_table(flux):
    e, c = flux.table.energy_edges_GeV[[20, 24, 44]], [-1.0, -0.5, 0.5]
    value = flux.integral("numubar", e, c)
    np.testing.assert_allclose(flux.integral_error("numubar", e, c, kind="model"), value * model(1), rtol=1e-9)
    cells = [[flux.integral("numubar", [a, b], [0.0, 0.1])[0, 0] for a, b in zip(
        flux.table.energy_edges_GeV[i:j], flux.table.energy_edges_GeV[i + 1 : j + 1], strict=True
    )] for i, j in ((20, 24), (24, 44))]  # fmt: skip
    expected = [[STATISTICAL * np.sqrt(n * np.sum(np.square(row))) for n in (5, 10)] for row in cells]
    statistical = flux.integral_error("numubar", e, c, kind="statistical")
    np.testing.assert_allclose(statistical, expected, rtol=1e-6)
    total = flux.integral_error("numubar", e, c)
    np.testing.assert_allclose(total, np.hypot(statistical, value * model(1)), rtol=1e-9)


def test_integrals_with_azimuth_and_across_360(flux):
    e, c = flux.table.energy_edges_GeV[[20, 21]], [0.0, 0.1]
    one = flux.integral("nue", e, c, [330.0, 360.0])[0, 0, 0]
    two = flux.integral("nue", e, c, [0.0, 30.0])[0, 0, 0]
    found = flux.integral_error("nue", e, c, [330.0, 30.0], kind="statistical")
    np.testing.assert_allclose(found, [[[STATISTICAL * np.hypot(one, two)]]], rtol=1e-6)
    found = flux.integral_error("nue", e, c, [330.0, 30.0], kind="model")
    np.testing.assert_allclose(found, [[[(one + two) * model(2)]]], rtol=1e-9)


def test_a_part_of_a_bin_has_its_relative_error(flux):
    low, high = flux.table.energy_edges_GeV[[20, 21]]
    part = [low, np.sqrt(low * high)]
    found = flux.integral_error("numu", part, [0.02, 0.07], kind="statistical")
    np.testing.assert_allclose(found, STATISTICAL * flux.integral("numu", part, [0.02, 0.07]), rtol=1e-9)


def test_what_is_common_cancels_in_ratios(flux):
    value, error = flux.ratio("numu", "numubar", [1.0, 30.0], 0.3, kind="model")
    d = SLOPES[0] - SLOPES[1]
    assert d[2] == 0.0
    np.testing.assert_allclose(value, 0.5, rtol=1e-6)
    np.testing.assert_allclose(error / value, np.sqrt(d @ MATRIX @ d), rtol=1e-9)
    value, error = flux.ratio("numu", "numubar", 1.0, 0.3, kind="statistical")
    assert error / value == pytest.approx(STATISTICAL * np.sqrt(2.0), rel=1e-6)
    # sums of flavours weigh the slopes by the fluxes (1 + f)
    top, bottom = ("numu", "numubar"), ("nue", "nuebar")
    d = (SLOPES[0] + 2 * SLOPES[1]) / 3 - (3 * SLOPES[2] + 4 * SLOPES[3]) / 7
    for value, error in (
        flux.ratio(top, bottom, 1.0, 0.3, kind="model"),
        flux.integral_ratio(top, bottom, [1.0, 2.0], kind="model"),
    ):
        np.testing.assert_allclose(np.squeeze(value), 3 / 7, rtol=1e-6)
        np.testing.assert_allclose(np.squeeze(error / value), np.sqrt(d @ MATRIX @ d), rtol=1e-6)
    total = flux.integral_ratio(top, bottom, [1.0, 2.0])[1]
    parts = [flux.integral_ratio(top, bottom, [1.0, 2.0], kind=kind)[1] for kind in ("statistical", "model")]
    np.testing.assert_allclose(total, np.hypot(*parts), rtol=1e-9)
    assert np.isnan(flux.ratio("numu", "nutau", 1.0, 0.3)[0])


def test_a_flux_without_parameters_has_statistical_errors_alone():
    plain = Flux(table())
    assert plain.error_kinds == ("statistical",)
    assert plain.integral_error("numu", [1.0, 2.0], kind="statistical").shape == (1, 1)
    for call in (
        lambda: plain.integral_error("numu", [1.0, 2.0]),
        lambda: plain.ratio("numu", "nue", 1.0, 0.0),
        lambda: plain.integral_ratio("numu", "nue", [1.0, 2.0]),
    ):
        with pytest.raises(InputError, match="no parameters"):
            call()
    with pytest.raises(InputError, match="kind: 'all'"):
        plain.integral_error("numu", [1.0, 2.0], kind="all")


def with_model(azimuths=1):
    one = table(azimuths)
    return replace(one, model_relative=relative_error(one, derivatives()))


def test_tables_have_three_errors():
    for one in (with_model(), with_model(12)):
        found = one.errors()
        assert list(found) == ["statistical", "model", "total"]
        relative = found["model"] / one.flux
        np.testing.assert_allclose(relative, np.broadcast_to([[[[model(f)]]] for f in range(4)], relative.shape))
        np.testing.assert_allclose(found["total"], np.hypot(found["statistical"], found["model"]))
    # azimuth bins move together: their mean has the same relative error
    for average in (with_model(12).azimuth_average(), with_model(12).with_azimuth_bins(4)):
        np.testing.assert_allclose(average.model_relative[2], model(2))
    assert list(table().errors()) == ["statistical"]
    assert table().total_error is None


def test_twins_of_honda_tables(tmp_path):
    written = honda_writing.write_table(with_model(12), tmp_path, "x")
    stem = "x-honda-ally-20-12"
    kinds = ("", ".err", ".model.err", ".total.err")
    assert [path.name for path in written] == [f"{stem}{kind}.d" for kind in kinds]
    back = Flux.load(written[0], energies="bins")
    assert back.error_kinds == ("statistical", "model", "total")
    at = ("nue", [0.3, 7.0], 0.25, 100.0)
    np.testing.assert_allclose(back.error(*at, kind="model") / back.flux(*at), model(2), rtol=1e-3)
    np.testing.assert_allclose(
        back.error(*at, kind="total") / back.flux(*at), np.hypot(model(2), STATISTICAL), rtol=1e-3
    )
    for path in written[1:]:
        with pytest.raises(InputError, match=rf"holds the errors of fluxes.*in {stem}.d$"):
            Flux.load(path)
        other = tmp_path / "renamed.d"
        other.write_bytes(path.read_bytes())
        with pytest.raises(InputError, match="holds the errors"):
            Flux.load(other)
        assert "no fluxes" in next(words for ending, words in FILE_KINDS.items() if path.name.endswith(ending))
    # no errors of the model, no twins of them
    assert len(honda_writing.write_table(table(), tmp_path, "y")) == 2


def test_columns_of_csv(tmp_path):
    path = csv_tables.write_table(with_model(12), tmp_path, "x")
    text = path.read_text()
    header = next(line for line in text.splitlines() if not line.startswith("#"))
    assert header.endswith("flux,error,model_error,total_error,error_kind")
    back = table_of_rows(parse_flux_rows(text, "x"), path)
    np.testing.assert_allclose(back.model_relative[3], model(3), rtol=1e-5)
    assert "model_error" not in csv_tables.write_table(table(), tmp_path, "y").read_text()
    last = text.splitlines()[-1].split(",")
    negative = ",".join([*last[:-3], "-1.0", *last[-2:]])
    with pytest.raises(InputError, match="out of range"):
        parse_flux_rows(text.replace(",".join(last), negative), "x")


def test_netcdf_and_nusquids(flux):
    pytest.importorskip("xarray")
    data = exports.dataset(with_model(), with_model(12))
    np.testing.assert_allclose(data.flux_model_error[1] / data.flux[1], model(1))
    np.testing.assert_allclose(data.flux_average_total_error[0] / data.flux_average[0], np.hypot(model(0), STATISTICAL))
    assert data.flux_model_error.units == "m-2 s-1 sr-1 GeV-1"
    state = exports.nusquids_state(flux, [-1.0, 0.0, 1.0], [1.0, 10.0])
    assert list(state.errors) == ["statistical", "model", "total"]
    np.testing.assert_allclose(state.errors["model"][:, :, 0, 0] / state.flux[:, :, 0, 0], model(2), rtol=1e-9)
    assert not state.errors["total"][:, :, :, 2].any()
