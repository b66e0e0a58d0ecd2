"""Six main figures look as they did: curves and points by pixels, titles, labels and legends by their words.

Pixels are compared without text, whose shapes differ between versions of matplotlib and FreeType.  After a deliberate
change ``python scripts/golden/make_baseline_figures.py`` writes new baselines; look at them before they are committed.
"""

import json
import os
from pathlib import Path

import matplotlib
import pytest
from matplotlib.testing.compare import compare_images
from matplotlib.text import Text
from matplotlib.ticker import NullFormatter

from sim3d.analysis import matching
from sim3d.plots import axes, style
from sim3d.plots import result as plots

BASELINES = Path(__file__).resolve().parents[2] / "data" / "figures"
WORDS = BASELINES / "words.json"
WRITE = bool(os.environ.get("SIM3D_WRITE_BASELINES"))
DPI = 60
TOLERANCE = 5.0
"""Root mean square of the differences of pixels, of 255; a flavour that is not drawn makes 10 and more."""

FIGURES = {
    "spectra": lambda result: plots.spectra(result, "kamioka"),
    "zenith": lambda result: plots.zenith(result, "kamioka"),
    "azimuth": lambda result: plots.azimuth(result, "kamioka"),
    "ratios": lambda result: plots.flavour_ratios(result, "kamioka"),
    "asymmetry": lambda result: plots.east_west(result, "kamioka"),
    "fluka-ratio": lambda result: plots.fluka_ratio("kamioka", matching.fluka_rows(result, "kamioka")),
}


def words_of(figure):
    """All texts of a figure but those of ticks."""
    return sorted({text.get_text() for text in figure.findobj(Text) if text.get_text()})


def save_without_text(figure, path):
    """Save axes with what is drawn in them, at places that do not depend on the size of any text."""
    figure.set_layout_engine("none")
    for legend in (*figure.legends, *(ax.get_legend() for ax in figure.axes)):
        if legend is not None:
            legend.remove()
    for ax in figure.axes:
        for axis in (ax.xaxis, ax.yaxis):
            axis.set_major_formatter(NullFormatter())
            axis.set_minor_formatter(NullFormatter())
            axis.offsetText.set_visible(False)
    for text in figure.findobj(Text):
        text.set_visible(False)
    figure.savefig(path, dpi=DPI, metadata={"Software": None})


@pytest.mark.parametrize("name", FIGURES)
def test_looks_as_before(fake_result, tmp_path, name):
    with matplotlib.rc_context(style.RC):
        figure = FIGURES[name](fake_result(sites=("kamioka",)))
        words = words_of(figure)
        target = BASELINES if WRITE else tmp_path
        save_without_text(figure, target / f"{name}.png")
    if WRITE:
        known = json.loads(WORDS.read_text(encoding="utf-8")) if WORDS.exists() else {}
        document = {key: (known | {name: words})[key] for key in FIGURES if key in known or key == name}
        WORDS.write_text(json.dumps(document, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
        return
    assert words == json.loads(WORDS.read_text(encoding="utf-8"))[name]
    difference = compare_images(str(BASELINES / f"{name}.png"), str(tmp_path / f"{name}.png"), TOLERANCE)
    assert difference is None, difference


@pytest.mark.parametrize("name", ["spectra", "azimuth"])
def test_a_change_is_seen(fake_result, tmp_path, name, monkeypatch):
    """Without the points and the line of one flavour the picture is no longer the same."""
    if WRITE:
        pytest.skip("baselines are being written")
    draw = axes.draw_points

    def without_nue(ax, x, y, error, look, **options):
        if look.get("label") != style.LABELS["nue"]:
            draw(ax, x, y, error, look, **options)

    line = axes.draw_curve

    def without_line_of_nue(ax, x, y, error, colour, **options):
        if colour != style.COLOURS["nue"]:
            line(ax, x, y, error, colour, **options)

    monkeypatch.setattr(plots, "draw_points", without_nue)
    monkeypatch.setattr(plots, "draw_curve", without_line_of_nue)
    with matplotlib.rc_context(style.RC):
        save_without_text(FIGURES[name](fake_result(sites=("kamioka",))), tmp_path / f"{name}.png")
    assert compare_images(str(BASELINES / f"{name}.png"), str(tmp_path / f"{name}.png"), TOLERANCE) is not None
