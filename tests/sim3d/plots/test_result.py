"""Figures are made, for full and for nearly empty results; how six of them look is in test_result_baselines."""

import json
import warnings

import numpy as np
import pytest
from matplotlib import image
from matplotlib.colors import to_rgb

from sim3d import cli


@pytest.fixture
def draw(monkeypatch):
    from sim3d.plots import result as plots
    from sim3d.plots import style

    monkeypatch.setitem(style.RC, "savefig.dpi", 40)
    return plots.draw


def check_picture(path):
    """What was to be drawn is there in its colours, mixed with the paper's white or not, and most of it is paper."""
    from sim3d.plots import style

    ink = 1.0 - image.imread(path)[..., :3]
    strength = np.linalg.norm(ink, axis=-1)
    assert ink.shape[0] > 120
    assert ink.shape[1] > 200
    assert 0.02 < np.mean(strength > 0.15) < 0.4
    colours = {
        "asymmetry": (style.BLUE, style.VERMILION),
        "ratios": (style.BLUE, style.VERMILION),
        "fluka-ratio": (style.BLUE, style.VERMILION),
    }
    for colour in colours.get(path.stem.removeprefix("kamioka-"), tuple(style.COLOURS.values())):
        own = 1.0 - np.array(to_rgb(colour))
        along = ink @ own / np.linalg.norm(own)
        assert np.sum((along > 0.99 * strength) & (strength > 0.2)) > 30, (path.name, colour)


def test_every_figure_of_kamioka(draw, fake_result, tmp_path):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        written = draw(fake_result(sites=("kamioka",)), tmp_path)
    names = {path.name for path in written}
    assert names == {
        f"kamioka-{figure}.{kind}"
        for figure in ("spectra", "zenith", "azimuth", "ratios", "asymmetry", "fluka-zenith", "fluka-ratio")
        for kind in ("png", "pdf")
    }
    for path in written:
        if path.suffix == ".pdf":
            contents = path.read_bytes()
            assert contents.startswith(b"%PDF-")
            assert contents.rstrip().endswith(b"%%EOF")
        else:
            check_picture(path)


@pytest.mark.parametrize("empty_above", [0.01, pytest.param(0.9, marks=pytest.mark.slow)])
def test_results_with_few_hits(draw, fake_result, tmp_path, empty_above, monkeypatch):
    from sim3d.plots import style

    monkeypatch.setattr(style, "save", lambda figure, folder, stem, about: [figure.canvas.draw()])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        drawn = draw(fake_result(sites=("kamioka",), empty_above=empty_above, batches=2), tmp_path)
    assert len(drawn) == 7


def test_bins_without_hits_are_not_drawn(draw, fake_result, tmp_path):
    from sim3d.plots import result as plots

    figure = plots.spectra(fake_result(sites=("ino",), empty_above=10.0), "ino")
    for line in figure.axes[0].get_lines():
        x, y = (np.asarray(v) for v in line.get_data())
        assert np.all(y[np.isfinite(y)] > 0)
        assert x.size == 0 or x[np.isfinite(y)].max() < 12.0
    assert figure.axes[0].get_xlim()[1] < 15.0


def points_of(ax, label):
    """Positions and values of the series of a label."""
    (found,) = [container for container in ax.containers if container.get_label() == label]
    return found.lines[0].get_data()


def test_the_spectrum_is_the_sky_average(draw, fake_result):
    from sim3d.plots import result as plots
    from sim3d.plots import style

    result = fake_result(sites=("ino",), noise=0.0001)
    figure = plots.spectra(result, "ino")
    x, y = points_of(figure.axes[0], style.LABELS["numu"])
    flux = result.binned("ino", "fine_aa")[0][0].mean(axis=1)
    edges = result.energy_edges_GeV
    j = 20
    fine = slice(1 + 4 * j, 5 + 4 * j)
    expected = np.sum(flux[fine] * np.diff(edges)[fine]) / (edges[5 + 4 * j] - edges[1 + 4 * j])
    centre = np.sqrt(edges[1 + 4 * j] * edges[5 + 4 * j])
    assert len(x) == 50
    assert x[j] == pytest.approx(plots.shifted(centre, "numu"))
    assert x[j] == pytest.approx(centre, rel=0.05)
    assert y[j] == pytest.approx(expected * centre**3)
    # the line goes through the points
    curve = next(line for line in figure.axes[0].get_lines() if line.get_color() == style.COLOURS["numu"])
    at, line = curve.get_data()
    assert np.interp(centre, at, line) == pytest.approx(y[j], rel=0.01)


def test_flavours_do_not_hide_each_other(fake_result):
    """Positions of the four flavours in a bin all differ, on both kinds of axes, and lie within a third of a bin."""
    from sim3d.plots import result as plots
    from sim3d.plots import style

    result = fake_result(sites=("ino",))
    for figure, of, width in (
        (plots.spectra(result, "ino"), np.log10, 0.1),
        (plots.zenith(result, "ino"), np.asarray, 0.1),
    ):
        at = np.array([of(points_of(figure.axes[0], label)[0])[3] for label in style.LABELS.values()])
        assert np.diff(np.sort(at)).min() > 0.06 * width
        assert np.ptp(at) < 0.4 * width


def test_azimuths_are_in_the_order_of_the_compass(fake_result):
    """North, east, south, west, north; the flux of the made-up result is lowest from the east."""
    from sim3d.plots import result as plots
    from sim3d.plots import style

    figure = plots.azimuth(fake_result(sites=("ino",), noise=0.001), "ino")
    for ax, label in zip(figure.axes, style.LABELS.values(), strict=True):
        x, y = points_of(ax, label)
        assert abs(x[np.argmin(y)] - 90.0) < 30.0
        assert abs(x[np.argmax(y)] - 270.0) < 30.0
        assert ax.get_xticks().tolist() == [0, 90, 180, 270, 360]
        assert r"$A = " in ax.get_title()
    assert [text.get_text()[0] for text in figure.axes[-1].get_xticklabels()] == list("NESWN")


def test_each_ratio_has_a_panel_of_its_own(fake_result):
    """The axis of a ratio near one is not stretched by that of another far from one."""
    from sim3d.plots import result as plots

    figure = plots.flavour_ratios(fake_result(sites=("ino",), noise=0.02), "ino")
    assert len(figure.axes) == 3
    # 550/265 = 2.08, 280/270 = 1.04, 140/125 = 1.12
    for ax, truth in zip(figure.axes, (550 / 265, 280 / 270, 140 / 125), strict=True):
        low, high = ax.get_ylim()
        assert low < truth < high
        assert high - low < 0.6


@pytest.mark.parametrize("site", [pytest.param("ino", marks=pytest.mark.slow), "kamioka"])
def test_no_text_lies_on_another(fake_result, site, overlapping_texts):
    from matplotlib import rc_context

    from sim3d.analysis.matching import fluka_rows
    from sim3d.plots import result as plots
    from sim3d.plots import style
    from sim3d.results.words import context_lines

    result = fake_result(sites=(site,), noise=0.1)
    matched = fluka_rows(result, site)
    with rc_context(style.RC):
        figures = [make(result, site) for make in (
            plots.spectra, plots.zenith, plots.azimuth, plots.flavour_ratios, plots.east_west
        )]  # fmt: skip
        if matched is not None:
            figures += [plots.fluka_zenith(result, site, matched), plots.fluka_ratio(site, matched)]
        for figure in figures:
            style.add_context(figure, context_lines(result.record, site))
            assert overlapping_texts(figure) == []


def test_command(draw, without_pdfs, fake_result, tmp_path, capsys):
    path = fake_result.write(tmp_path / "run.h5", sites=("sno",))
    folder = tmp_path / "figures"
    assert cli.main(["plot", str(path), "-o", str(folder), "--json"]) == 0
    files = json.loads(capsys.readouterr().out)["files"]
    assert len(files) == 10
    assert (folder / "sno-spectra.pdf").exists()
