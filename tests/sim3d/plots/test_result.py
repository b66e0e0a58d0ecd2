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
        "fluka-ratio": ("#440154", "#fde725"),  # the ends of viridis, of the zenith
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


@pytest.mark.parametrize("empty_above", [0.01, 0.9])
def test_results_with_few_hits(draw, fake_result, tmp_path, empty_above, monkeypatch):
    from sim3d.plots import style

    monkeypatch.setattr(style, "save", lambda figure, folder, stem: [figure.canvas.draw()])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        drawn = draw(fake_result(sites=("kamioka",), empty_above=empty_above, batches=2), tmp_path)
    assert len(drawn) == 7


def test_bins_without_hits_are_not_drawn(draw, fake_result, tmp_path):
    from sim3d.plots import result as plots

    figure = plots.spectra(fake_result(sites=("ino",), empty_above=10.0), "ino")
    for line in figure.axes[0].get_lines():
        x, y = (np.asarray(v) for v in line.get_data())
        assert np.all(y > 0)
        assert x.size == 0 or x.max() < 12.0


def test_the_spectrum_is_the_sky_average(draw, fake_result):
    from sim3d.plots import result as plots

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


def test_command(draw, fake_result, tmp_path, capsys):
    path = fake_result.write(tmp_path / "run.h5", sites=("sno",))
    folder = tmp_path / "figures"
    assert cli.main(["plot", str(path), "-o", str(folder), "--json"]) == 0
    files = json.loads(capsys.readouterr().out)["files"]
    assert len(files) == 10
    assert (folder / "sno-spectra.pdf").exists()
