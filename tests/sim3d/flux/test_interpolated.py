"""The flux class: closed forms, integrals of bins two ways, round trips, what it refuses."""

import dataclasses

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import dblquad

import sim3d
from sim3d.errors import InputError
from sim3d.files.flux_table import FluxTable
from sim3d.flux.interpolated import Flux
from sim3d.flux.spline import FluxSpline
from sim3d.results import tables as result_tables
from sim3d.results.tables import table_of_result

EDGES = 10 ** (np.arange(42) / 20 - 1.025)
ENERGIES = np.sqrt(EDGES[1:] * EDGES[:-1])
COS = np.linspace(-1, 1, 21)
AZIMUTH = np.linspace(0, 360, 13)
GAMMA = 3.2


def table_of(function, kind="bins", azimuth=(0.0, 360.0), error=0.1, name="x"):
    """A table of ``function(f, E, cos, degrees)``, its means over bins made with many nodes."""
    t, w = np.polynomial.legendre.leggauss(8)
    edges = (
        EDGES if kind == "bins" else np.exp(np.concatenate([[np.log(ENERGIES[0])], _middle(), [np.log(ENERGIES[-1])]]))
    )
    cos, azimuth = COS, np.asarray(azimuth)

    def nodes(edges):
        return edges[:-1, None] + 0.5 * np.diff(edges)[:, None] * (1 + t)

    e = nodes(EDGES) if kind == "bins" else ENERGIES[:, None]
    we = 0.5 * w if kind == "bins" else np.ones(1)
    grid = np.ix_(
        range(4), range(len(ENERGIES)), range(len(we)), range(20), range(8), range(len(azimuth) - 1), range(8)
    )
    f, i, a, j, b, k, c = grid
    values = function(f, e[i, a], nodes(cos)[j, b], nodes(azimuth)[k, c])
    flux = np.einsum("fiajbkc,a,b,c->fijk", values, we, 0.5 * w, 0.5 * w)
    return FluxTable(flux, error * flux, ENERGIES, edges, kind, cos, azimuth, name, name)


def _middle():
    logs = np.log(ENERGIES)
    return 0.5 * (logs[1:] + logs[:-1])


def power(f, energy, cos, azimuth):
    """A power law in energy, linear in cos_zenith, harmonic in azimuth."""
    return (100.0 + f) * energy**-GAMMA * (1 + 0.4 * cos) * (1 - 0.3 * np.sin(np.radians(azimuth)))


@pytest.fixture(scope="module")
def exact():
    flat = table_of(lambda f, e, c, a: power(f, e, c, 0.0) + 0 * a)
    return Flux(flat, table_of(power, azimuth=AZIMUTH))


@pytest.fixture
def points():
    rng = np.random.default_rng(1)
    n = 500
    return rng.integers(0, 4, n), 10 ** rng.uniform(-1.02, 1.02, n), rng.uniform(-1, 1, n), rng.uniform(0, 360, n)


NAMES = np.array(["numu", "numubar", "nue", "nuebar"])


def test_a_power_law_linear_in_cosine(exact, points):
    f, energy, cos, azimuth = points
    inner = np.abs(cos) < 0.9
    got = exact.flux(NAMES[f], energy, cos)
    truth = power(f, energy, cos, 0.0)
    assert got[inner] == pytest.approx(truth[inner], rel=3e-4)
    # half a bin at the ends is a straight line in the logarithm
    assert got == pytest.approx(truth, rel=5e-3)
    got = exact.flux(NAMES[f], energy, cos, azimuth)
    assert got[inner] == pytest.approx(power(f, energy, cos, azimuth)[inner], rel=1e-3)
    assert exact.flux("numu", 1.0, 0.05, azimuth_deg=[-90.0, 270.0, 630.0]) == pytest.approx(
        power(0, 1.0, 0.05, 270.0) * np.ones(3), rel=1e-3
    )


def test_a_power_law_is_exact_in_energy():
    flux = Flux(table_of(lambda f, e, c, a: 7.0 * e**-GAMMA + 0 * (f + c + a)))
    energy = np.geomspace(EDGES[0], EDGES[-1], 200)
    assert flux.flux("nue", energy, 0.3) == pytest.approx(7.0 * energy**-GAMMA, rel=1e-7)
    whole = 4 * np.pi * 7.0 * (0.5 ** (1 - GAMMA) - 5.0 ** (1 - GAMMA)) / (GAMMA - 1)
    assert flux.integral("nue", [0.5, 5.0]) == pytest.approx(whole, rel=1e-7)
    assert flux.bin_average("nue", [0.5, 5.0], [-0.3, 0.1]) == pytest.approx(whole / (4 * np.pi * 4.5), rel=1e-7)


def test_points_are_gone_through():
    table = table_of(lambda f, e, c, a: power(f, e, 0.0, 0.0) * (1 + 0.2 * np.log(e) ** 2) + 0 * (c + a), "points")
    flux = Flux(table)
    assert flux.energy_range_GeV == pytest.approx((ENERGIES[0], ENERGIES[-1]))
    for f, name in enumerate(NAMES):
        assert flux.flux(name, ENERGIES, 0.0) == pytest.approx(table.flux[f, :, 10, 0], rel=1e-9)


def test_integrals_of_the_bins_are_the_tables(exact, fake_result):
    """Closed-form table, and a noisy one with empty bins."""
    noisy = table_of_result(fake_result(noise=0.8, empty_above=1000.0), "sno", "honda", azimuth=False)
    noisy = dataclasses.replace(noisy, flux=np.maximum(noisy.flux, 0.0))
    for flux in (exact, Flux(noisy)):
        table = flux.table
        for f, name in enumerate(NAMES):
            means = flux.bin_average(name, table.energy_edges_GeV, table.cos_edges)
            assert means == pytest.approx(table.flux[f, :, :, 0], rel=1e-9, abs=0)
    table = exact.azimuth_table
    means = exact.bin_average("nue", table.energy_edges_GeV, table.cos_edges, table.azimuth_edges_deg)
    assert means == pytest.approx(table.flux[2], rel=1e-9)


def test_bins_integrated_two_ways(exact):
    """Our quadrature against scipy's, over bins that are not the table's, and azimuth summed against averaged."""
    energy, cos = np.array([0.31, 0.97, 3.3]), np.array([-0.83, -0.11, 0.42])
    ours = exact.integral("numubar", energy, cos)
    for i in range(2):
        for j in range(2):
            limits = (cos[j], cos[j + 1], np.log(energy[i]), np.log(energy[i + 1]))
            other, _ = dblquad(lambda x, c: exact.flux("numubar", np.exp(x), c) * np.exp(x), *limits, epsrel=1e-5)
            assert ours[i, j] == pytest.approx(2 * np.pi * other, rel=1e-4)
    turn = exact.integral("numubar", EDGES, COS, np.linspace(0, 360, 8))
    assert turn.sum(axis=2) == pytest.approx(exact.integral("numubar", EDGES, COS), rel=1e-6)


def test_one_point_gives_a_number(exact):
    for value in (
        exact.flux("nue", 1.0, 0.5), exact.flux("nue", 1.0, 0.5, 10.0), exact.getFlux(12, 1.0, 0.5),
        exact.covariance("nue", 1.0, 0.5),
    ):  # fmt: skip
        assert isinstance(value, float)
    assert exact.integral("nue", [1.0, 2.0, 3.0], [0.0, 1.0]).shape == (2, 1)
    assert exact.integral("nue", [1.0, 2.0]).shape == (1, 1)  # edges are arrays, so bins are
    assert exact.bin_average("nue", [1.0, 2.0], [0.0, 1.0], [330, 30]).shape == (1, 1, 1)
    assert exact.flux("nue", [1.0], 0.5).shape == (1,)


def test_print_shows_what_a_flux_holds(exact, fake_result):
    text = str(exact)
    assert text.startswith("sim3d flux of ")
    assert "numu, numubar, nue, nuebar; 0.09441 to 10.593 GeV, cos_zenith -1 to 1" in text
    assert "m^-2 s^-1 sr^-1 GeV^-1" in text
    assert "errors: statistical" in text
    bare = Flux(dataclasses.replace(exact.table, error=None))
    assert "errors: none" in str(bare)
    assert "averaged over azimuth" in str(bare)
    noisy = str(Flux.of_result(fake_result(noise=0.5), "sno"))
    assert "flux of sno" in noisy
    assert "12 in azimuth" in noisy
    assert "errors: statistical, median of a bin, 0.3 to 10 GeV: numu " in noisy


def test_azimuth_windows_across_360(exact):
    """The same window written in several ways, and as the sum of its two sides; bins across 360 among others."""
    energy, cos = [0.5, 2.0], [-0.5, 0.3, 1.0]
    before = exact.integral("nue", energy, cos, [330, 360])[..., 0]
    after = exact.integral("nue", energy, cos, [0, 30])[..., 0]
    for window in ([330, 30], [330, 390], [-30, 30], [690, 750], [-390, -330]):
        assert exact.integral("nue", energy, cos, window)[..., 0] == pytest.approx(before + after, rel=1e-6)
        mean = exact.bin_average("nue", energy, cos, window)[..., 0]
        assert mean == pytest.approx((before + after) / (1.5 * np.array([0.8, 0.7]) * np.radians(60)), rel=1e-6)
    bins = exact.integral("nue", energy, cos, [200, 300, 350, 20, 100])
    assert bins.shape == (1, 2, 4)
    assert bins[0, :, 2] == pytest.approx(
        exact.integral("nue", energy, cos, [350, 360])[0, :, 0] + exact.integral("nue", energy, cos, [0, 20])[0, :, 0],
        rel=1e-6,
    )
    assert bins[0, :, 3] == pytest.approx(exact.integral("nue", energy, cos, [20, 100])[0, :, 0], rel=1e-6)
    whole = exact.integral("nue", energy, cos, [0, 360])
    for turn in ([360, 720], [-90, 270], [45, 360, 405]):
        total = exact.integral("nue", energy, cos, turn).sum(axis=2, keepdims=True)
        assert total == pytest.approx(whole, rel=1e-6)


def test_a_point_on_an_edge_is_in_the_cell_above(exact):
    """Edges of cells within the rounding of printed numbers, the circle of azimuth included."""
    table = exact.azimuth_table
    for axis, edges in zip(FluxSpline(table).axes[:2], (np.log(table.energy_edges_GeV), table.cos_edges), strict=True):
        inner = edges[1:-1]
        above = np.arange(1, len(inner) + 1)
        step = 1e-3 * np.diff(edges).min()
        assert [axis.cell(inner + d).tolist() for d in (-step, 0.0, step)] == [above.tolist()] * 3
        assert axis.cell(inner - 3 * step).tolist() == (above - 1).tolist()
    azimuth = FluxSpline(table).axes[2]
    assert azimuth.cell(np.array([-1e-12, 0.0, 360.0, 360.0 - 1e-9, 350.0])).tolist() == [
        0,
        0,
        0,
        0,
        len(azimuth.sites) - 1,
    ]


def test_splitting_a_bin_does_not_change_its_integral(exact):
    fine = exact.integral("nue", np.geomspace(0.2, 5, 41), np.linspace(-0.7, 0.9, 33))
    assert fine.sum() == pytest.approx(exact.integral("nue", [0.2, 5], [-0.7, 0.9]), rel=1e-6)


@given(
    noise=st.floats(0.0, 2.0),
    empty=st.floats(0.0, 0.6),
    seed=st.integers(0, 100),
    kind=st.sampled_from(["bins", "points"]),
)
@settings(max_examples=15)
def test_any_noise_keeps_integrals_and_signs(noise, empty, seed, kind):
    rng = np.random.default_rng(seed)
    base = table_of(lambda f, e, c, a: power(f, e, c, 0.0) + 0 * a, kind)
    flux = base.flux * np.exp(noise * rng.normal(size=base.flux.shape)) * (rng.random(base.flux.shape) >= empty)
    spline = FluxSpline(dataclasses.replace(base, flux=flux))
    energy, cos = rng.uniform(*np.log(base.energy_edges_GeV[[0, -1]]), 300), rng.uniform(-1, 1, 300)
    values = spline.flux(np.zeros(300, dtype=np.intp), (energy, cos, np.zeros(300)))
    assert np.all(np.isfinite(values))
    assert np.all(values >= 0)
    cell = (spline.axes[0].cell(energy), spline.axes[1].cell(cos))
    assert np.array_equal(values == 0.0, flux[0, :, :, 0][cell] == 0.0)
    if kind == "bins":
        got = spline.integrals(0, (np.log(base.energy_edges_GeV), COS, np.array([0.0, 360.0])))
        width = np.diff(base.energy_edges_GeV)[:, None] * np.diff(COS) * 360
        assert got[..., 0] / width == pytest.approx(flux[0, :, :, 0], rel=1e-9, abs=0)


def test_it_is_smooth(exact):
    """No steps: across bin edges differences shrink with the distance."""
    edge = EDGES[20]
    step = np.array([1e-3, 1e-5, 1e-7])
    jump = np.abs(exact.flux("numu", edge * (1 + step), 0.3) / exact.flux("numu", edge * (1 - step), 0.3) - 1)
    assert jump == pytest.approx(2 * GAMMA * step, rel=0.02)
    jump = np.abs(exact.flux("numu", 1.0, 0.1 + step) / exact.flux("numu", 1.0, 0.1 - step) - 1)
    assert jump[2] < 2e-5 * 0.05


def test_round_trip_through_a_honda_table(fake_result, tmp_path, points):
    """Result -> .d -> flux class: below 1e-4, at any point (read as bins) and at the bins (read either way)."""
    result = fake_result()
    result_tables.write_honda_tables(result, tmp_path)
    f, energy, cos, azimuth = points
    ours = Flux.of_result(result, "sno")
    for stem, angle in (("honda-aa", None), ("honda-ally-20-12", None), ("honda-ally-20-12", azimuth)):
        back = Flux.load(tmp_path / f"sno-{stem}.d", energies="bins")
        assert back.flux(NAMES[f], energy, cos, angle) == pytest.approx(
            ours.flux(NAMES[f], energy, cos, angle), rel=1e-4
        )
        if (stem == "honda-aa") == (angle is None):
            # errors of an average over azimuth bins are added as if independent, which the result knows better
            error = ours.error(NAMES[f], energy, cos, angle)
            assert back.error(NAMES[f], energy, cos, angle) == pytest.approx(error, rel=2e-4)
    # read as points, which the programs do that take such tables: the mean of the bin at its log centre
    as_points = Flux.load(tmp_path / "sno-honda-aa.d")
    flux, _, _ = result.binned("sno", "honda_aa")
    inner = slice(1, -1)
    for i, name in enumerate(NAMES):
        means = [
            as_points.integral(name, [e * (1 - 1e-6), e * (1 + 1e-6)], COS)[0] / (2 * np.pi * 2e-6 * e * 0.1)
            for e in as_points.table.energies_GeV[inner]
        ]
        assert means == pytest.approx(flux[i, inner], rel=1e-4)


def test_east_and_west(fake_result):
    """Lowest for arrival from the east (90), highest from the west (270), and the average between."""
    flux = Flux.of_result(fake_result(sites=("ino",)))
    south, east, north, west = flux.flux("nue", 1.0, 0.05, [0.0, 90.0, 180.0, 270.0])
    assert east < 0.6 * south < 0.6 * west
    assert flux.flux("nue", 1.0, 0.05) == pytest.approx(np.mean([south, east, north, west]), rel=0.05)


def test_errors(exact, fake_result):
    """Relative errors are interpolated; limits stand in empty bins."""
    assert exact.error("nue", 1.0, 0.3) == pytest.approx(0.1 * exact.flux("nue", 1.0, 0.3), rel=1e-9)
    result = fake_result(sites=("ino",), empty_above=1000.0)
    flux = Flux.of_result(result)
    assert flux.flux("nue", 2000.0, 0.3) == 0.0
    limit = result.upper_limit("ino", "honda_aa")[2]
    assert (
        flux.error("nue", 2000.0, 0.3) == limit[np.searchsorted(result.binning_energy_edges("honda"), 2000.0) - 1, 13]
    )
    no_errors = Flux(dataclasses.replace(exact.table, error=None))
    assert not no_errors.has_errors
    with pytest.raises(InputError, match="error: x carries no errors"):
        no_errors.error("nue", 1.0, 0.3)


def test_broadcasting_and_names(exact):
    assert np.ndim(exact.flux("numu", 1.0, 0.5)) == 0
    assert exact.flux(["numu", "nue"], [[1.0], [2.0], [3.0]], 0.5).shape == (3, 2)
    assert exact.flux([14, -14, 12, -12], 1.0, 0.5).tolist() == exact.flux(NAMES, 1.0, 0.5).tolist()
    assert exact.flux([16, -16, "nutau"][:2], 1.0, 0.5).tolist() == [0.0, 0.0]
    assert exact.flux("nue", np.empty(0), 0.5).shape == (0,)
    assert exact.getFlux(np.empty(0), np.empty(0), np.empty(0)).shape == (0,)
    # columns of event files hold PDG ids as floats
    assert exact.flux(np.array([14.0, -12.0]), 1.0, 0.5).tolist() == exact.flux(["numu", "nuebar"], 1.0, 0.5).tolist()
    got = exact.getFlux(np.array([14, 16]), np.array([1.0, 2.0]), np.array([0.5, -0.5]))
    assert got.tolist() == [exact.flux("numu", 1.0, 0.5) / 1e4, 0.0]
    assert exact.integral("nutau", [1, 2]) == 0.0


def test_what_is_refused(exact):
    for call, message in (
        (lambda: exact.flux("nue", 20.0, 0.0), r"energy_GeV: 20\.0, allowed: 0\.094406 to 10\.593, the range of x"),
        (lambda: exact.flux("nue", [1.0, np.nan], 0.0), "energy_GeV: nan, allowed"),
        (lambda: exact.flux("nue", 0.0, 0.0), "energy_GeV: 0.0, allowed"),
        (lambda: exact.flux("nue", 1.0, 1.1), "cos_zenith: must be between -1 and 1"),
        (lambda: exact.flux("nue", 1.0, 0.0, np.inf), "azimuth_deg: must be finite"),
        (lambda: exact.flux("electron", 1.0, 0.0), "flavour: 'electron' is not one of"),
        (lambda: exact.getFlux(2212, 1.0, 0.0), "flavour: 2212 is not one of"),
        (lambda: Flux(exact.table).flux("nue", 1.0, 0.0, 90.0), "azimuth_deg: this table is averaged over azimuth"),
        (lambda: Flux(exact.table, extrapolate="yes"), "extrapolate: 'yes', allowed: refuse or flag"),
        (lambda: exact.integral("nue", [1.0]), "energy_edges_GeV: needs two or more numbers that rise"),
        (lambda: exact.integral("nue", [1.0, 20.0]), "energy_edges_GeV: '1 to 20', allowed: 0.094406 to 10.593"),
        (lambda: exact.integral("nue", [1.0, 2.0], [0.5, 0.4]), "cos_edges: needs two or more numbers that rise"),
        (lambda: exact.integral("nue", [1.0, 2.0], [0, 1], [-10, 351]), "azimuth_edges_deg: '350 to 711', allowed: at"),
        (lambda: exact.integral("nue", [1.0, 2.0], [0, 1], [20, 10, 0]), "azimuth_edges_deg: needs numbers that rise"),
        (lambda: exact.integral("nue", [1.0, 2.0], [0, 1], [10, 10]), "azimuth_edges_deg: needs numbers that rise"),
        (lambda: exact.integral("nue", [1.0, 2.0], [0, 1], [0, np.nan]), "azimuth_edges_deg: needs two or more finite"),
    ):
        with pytest.raises(InputError, match=message):
            call()


def test_flagged_instead(exact):
    flux = Flux(exact.table, extrapolate="flag")
    values = flux.flux("nue", [0.01, 1.0, 100.0], 0.0)
    assert np.isnan(values).tolist() == [True, False, True]
    assert values[1] == exact.flux("nue", 1.0, 0.0)
    assert np.isnan(flux.flux(16, 100.0, 0.0))


def test_the_ends_of_the_table_belong_to_it(exact):
    low, high = exact.energy_range_GeV
    assert np.all(exact.flux("nue", [low, low * (1 - 1e-12), high, high * (1 + 1e-12)], [-1.0, 1.0, -1.0, 1.0]) > 0)


def test_a_zenith_range_short_of_the_sky(exact):
    half = dataclasses.replace(
        exact.table, flux=exact.table.flux[:, :, 10:], error=exact.table.error[:, :, 10:], cos_edges=COS[10:]
    )
    with pytest.raises(InputError, match=r"cos_zenith: -0\.5, allowed: 0 to 1, the range of x"):
        Flux(half).flux("nue", 1.0, -0.5)
    assert np.isnan(Flux(half, extrapolate="flag").flux("nue", 1.0, -0.5))


@pytest.mark.parametrize(("n_energy", "n_cos", "n_azimuth"), [(1, 1, 1), (2, 3, 2), (3, 2, 3), (4, 4, 4)])
def test_small_tables(n_energy, n_cos, n_azimuth):
    rng = np.random.default_rng(2)
    edges = np.geomspace(1, 10, n_energy + 1)
    flux = rng.uniform(1, 2, (4, n_energy, n_cos, n_azimuth))
    table = FluxTable(
        flux, None, np.sqrt(edges[1:] * edges[:-1]), edges, "bins", np.linspace(-1, 1, n_cos + 1),
        np.linspace(0, 360, n_azimuth + 1), "x", "x",
    )  # fmt: skip
    smooth = Flux(table.azimuth_average(), table if table.has_azimuth else None)
    azimuth = table.azimuth_edges_deg if table.has_azimuth else None
    got = smooth.bin_average("nue", edges, table.cos_edges, azimuth)
    # three nodes in half a bin of a third of a decade or more
    assert got == pytest.approx(flux[2] if table.has_azimuth else flux[2, :, :, 0], rel=1e-5)


def test_a_result_file(fake_result):
    """Sites by name and by default; the public name."""
    assert sim3d.Flux is Flux
    result = fake_result()
    assert Flux.of_result(result).table.name == "kamioka"
    fine = Flux.of_result(result, "sno", "fine")
    flux, _, _ = result.binned("sno", "fine_aa")
    assert fine.bin_average("nue", result.energy_edges_GeV[40:42], result.cos_zenith_edges) == pytest.approx(
        flux[2, 40:41], rel=1e-9
    )
    with pytest.raises(InputError, match="binning: 'honda_aa', allowed: one of honda, fluka, fine"):
        Flux.of_result(result, "sno", "honda_aa")


def test_files_that_are_none(tmp_path):
    for name, content, message in (
        ("gone.h5", None, "cannot be read"),
        ("x.h5", b"\x89HDF\r\n\x1a\n" + bytes(100), "cannot be read as a sim3d result"),
        ("x.d", b"hello", "not a Honda table"),
    ):
        path = tmp_path / name
        if content is not None:
            path.write_bytes(content)
        with pytest.raises(InputError, match=message):
            Flux.load(path)
    with pytest.raises(InputError, match="energies: 'middle', allowed: one of points, bins"):
        Flux.load(path, energies="middle")
