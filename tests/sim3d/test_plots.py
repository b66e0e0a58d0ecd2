"""Figures are made, for full and for nearly empty results; how six of them look is in test_baseline_figures."""

import json
import warnings

import numpy as np
import pytest
from matplotlib import image
from matplotlib.colors import to_rgb

from sim3d import cli


@pytest.fixture
def draw(monkeypatch):
    from sim3d import plots, style

    monkeypatch.setitem(style.RC, "savefig.dpi", 40)
    return plots.draw


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
    from sim3d import style

    for path in written:
        if path.suffix == ".pdf":
            contents = path.read_bytes()
            assert contents.startswith(b"%PDF-")
            assert contents.rstrip().endswith(b"%%EOF")
            continue
        pixels = image.imread(path)[..., :3]
        assert pixels.shape[0] > 120
        assert pixels.shape[1] > 200
        assert np.all(pixels[0, 0] == 1.0)
        # the colours of what was to be drawn are there, and most is paper
        assert 0.01 < np.mean(np.any(pixels < 0.9, axis=-1)) < 0.4
        names = {"asymmetry": ("BLUE", "VERMILION", "BLACK"), "ratios": ("BLUE", "VERMILION", "BLACK")}
        stem = path.stem.removeprefix("kamioka-")
        if stem == "fluka-ratio":
            continue
        for name in names.get(stem, ("BLUE", "ORANGE", "GREEN", "VERMILION")):
            distance = np.abs(pixels - np.array(to_rgb(getattr(style, name)))).max(axis=-1)
            assert np.sum(distance < 0.1) >= 4, (path.name, name)


@pytest.mark.parametrize("empty_above", [0.01, 0.9])
def test_results_with_few_hits(draw, fake_result, tmp_path, empty_above, monkeypatch):
    from sim3d import style

    monkeypatch.setattr(style, "save", lambda figure, folder, stem: [figure.canvas.draw()])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        drawn = draw(fake_result(sites=("kamioka",), empty_above=empty_above, groups=2), tmp_path)
    assert len(drawn) == 7


def test_bins_without_hits_are_not_drawn(draw, fake_result, tmp_path):
    from sim3d import plots

    figure = plots.spectra(fake_result(sites=("ino",), empty_above=10.0), "ino")
    for line in figure.axes[0].get_lines():
        x, y = (np.asarray(v) for v in line.get_data())
        assert np.all(y > 0)
        assert x.size == 0 or x.max() < 12.0


def test_the_spectrum_is_the_sky_average(draw, fake_result):
    from sim3d import plots

    result = fake_result(sites=("ino",), noise=0.0)
    figure = plots.spectra(result, "ino")
    x, y = figure.axes[0].get_lines()[0].get_data()
    flux = result.binned("ino", "fine_aa")[0][0].mean(axis=1)
    edges = result.energy_edges_GeV
    j = 20
    fine = slice(1 + 4 * j, 5 + 4 * j)
    expected = np.sum(flux[fine] * np.diff(edges)[fine]) / (edges[5 + 4 * j] - edges[1 + 4 * j])
    assert len(x) == 50
    assert x[j] == pytest.approx(np.sqrt(edges[1 + 4 * j] * edges[5 + 4 * j]))
    assert y[j] == pytest.approx(expected * x[j] ** 3)


def test_command(draw, known, capsys):
    known.result.sites.pop("kamioka")
    folder = known.path.parent / "figures"
    assert cli.main(["plot", str(known.path), "-o", str(folder), "--json"]) == 0
    files = json.loads(capsys.readouterr().out)["files"]
    assert len(files) == 10
    assert (folder / "sno-spectra.pdf").exists()
