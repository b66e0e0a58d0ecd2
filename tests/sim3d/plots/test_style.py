"""What stands below a figure: complete, within the paper, in the file's metadata; one order of the compass."""

import dataclasses

import numpy as np
import pytest
from matplotlib import image, rc_context
from PIL import Image

import sim3d
from sim3d.plots import axes, style
from sim3d.results.words import context_lines, degrees, place_in_words


def text_below(figure):
    (found,) = [text for text in figure.texts if text.get_gid() == style.CONTEXT_GID]
    return found


@pytest.mark.parametrize("width", [3.0, 6.4, 10.0])
def test_context_is_below_and_no_wider_than_the_figure(width):
    lines = ["Kamioka: 36.43° N, 137.31° E; IGRF-14 of 2020-01-01; Sun: solar maximum, 1109 MV", "MODEL WWW " * 20]
    with rc_context(style.RC):
        figure, ax = style.subplots(figsize=(width, 3.0))
        ax.set_xlabel("x")
        style.add_context(figure, lines)
        style.add_context(figure, lines)
        figure.draw_without_rendering()
        box = text_below(figure).get_window_extent()
    assert box.x0 >= 0.0
    assert box.x1 <= figure.bbox.x1
    assert box.y1 <= 1.0
    # as high as the paper that is added for it
    assert -box.y0 / figure.dpi <= -style._page(figure).y0
    assert f"sim3d {sim3d.__version__}" in text_below(figure).get_text().replace("\n", " ")


def test_saved_files_say_what_they_are(tmp_path):
    with rc_context(style.RC):
        figure, ax = style.subplots(figsize=(4.0, 3.0))
        ax.plot([0, 1], [0, 1], label="line")
        axes.legend_below(figure, ax)
        files = style.save(figure, tmp_path, "x", ["somewhere; sometime", "some models; 7 primaries, sim3d 9.9"])
    with Image.open(files[0]) as picture:
        assert "7 primaries, sim3d 9.9" in picture.info["Description"]
        width, height = picture.size
    assert width == 800
    # two lines more than the figure
    assert 600 + 2 * 1.2 * 7 / 72 * 200 < height < 700
    # the added strip has letters in it, and the strip between it and the legend has none
    ink = 1.0 - image.imread(files[0])[..., :3].mean(axis=2)
    assert ink[606:].max() > 0.4
    assert b"/Subject" in files[1].read_bytes()


def test_equal_figures_give_equal_files(tmp_path):
    contents = []
    for name in ("a", "b"):
        folder = tmp_path / name
        folder.mkdir()
        with rc_context(style.RC):
            figure, ax = style.subplots(figsize=(3.0, 2.0))
            ax.plot([0, 1], [1, 2])
            contents.append([path.read_bytes() for path in style.save(figure, folder, "x", ["one line"])])
    assert contents[0] == contents[1]


def test_heading_is_over_the_panels(tmp_path):
    with rc_context(style.RC):
        figure, ax = style.subplots(figsize=(6.0, 3.0))
        ax.set_ylabel("two\nlines\nof a label")
        ax.annotate("a long note beside the panel", (1.02, 0.5), xycoords="axes fraction")
        figure.suptitle("Heading")
        style.save(figure, tmp_path, "x", ["one line"])
        box = ax.get_position()
        (middle,) = [text.get_position()[0] for text in figure.texts if text.get_text() == "Heading"]
        figure.suptitle("A heading as wide as the page " * 2)
        style.save(figure, tmp_path, "y", ["one line"])
        wide = figure.texts[0].get_window_extent()
    assert abs(box.x0 + box.x1 - 1.0) > 0.1
    assert middle == pytest.approx(0.5 * (box.x0 + box.x1))
    assert wide.x1 <= figure.bbox.x1


def test_names_of_sites_are_kept_as_written():
    assert [style.title(name) for name in ("andes", "MyLab", "sno", "southpole")] == [
        "andes", "MyLab", "SNO", "South Pole"
    ]  # fmt: skip


def test_context_of_a_run(fake_result):
    record = fake_result.record(sites=("ino", "kamioka"))
    first, second = context_lines(record, "kamioka")
    assert first.startswith("Kamioka: 36.40° N, 137.30° E; IGRF-14 of 2020-01-01; Sun: ")
    assert "INO" not in first
    series = dataclasses.replace(
        record, models={"solar_modulation": "2020-01: 480 MV, -155 MV", "solar_potential_MV": 436}
    )
    assert context_lines(series, "kamioka")[0].endswith("; Sun: 2020-01, 436 MV")
    assert "1,000 primaries" in second
    assert record.config.primaries.model in second
    assert not context_lines(record)[0].startswith("Kamioka")
    assert place_in_words(record.detectors[0]) == "INO: 36.40° N, 137.30° E"
    assert degrees(-36.0, 181.0) == "36.00° S, 179.00° W"


def test_compass():
    """Azimuths of the tables 0, 90, 180, 270 are from the south, east, north and west."""
    assert axes.compass(np.array([0.0, 90.0, 180.0, 270.0, 360.0])).tolist() == [180.0, 90.0, 0.0, 270.0, 180.0]
    from geomag import plots

    assert plots.COMPASS_LABELS == axes.COMPASS_LABELS


def test_energy_axis_ends_with_what_is_known():
    energies = np.geomspace(0.1, 1e4, 51)
    errors = np.where(energies < 100.0, 0.1, 0.9) * np.ones((4, 1))
    with rc_context(style.RC):
        figure, ax = style.subplots(figsize=(4.0, 3.0))
        low, high = axes.energy_axis(ax, energies, np.ones((4, 51)), errors)
        figure.draw_without_rendering()
        labels = [text.get_text() for text in ax.get_xticklabels()]
    assert low == pytest.approx(0.08)
    assert 90.0 < high < 130.0
    assert {"0.1", "1", "10", "100"} <= set(labels)
