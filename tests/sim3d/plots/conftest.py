"""Measure pictures: texts that lie on each other, on the rim of the paper, or wider than the picture."""

import pytest
from matplotlib.text import Text


def shown_texts(figure):
    """Texts of a figure that are drawn, with their boxes in pixels, after its layout."""
    figure.draw_without_rendering()
    renderer = figure.canvas.get_renderer()
    found = []
    for text in figure.findobj(Text):
        # an axis keeps ticks outside its limits, which are not drawn
        if not text.get_visible() or not text.get_text().strip() or not _is_drawn(figure, text):
            continue
        found.append((text, text.get_window_extent(renderer)))
    return found


def _is_drawn(figure, text):
    for ax in figure.axes:
        for axis in [getattr(ax, name) for name in ("xaxis", "yaxis", "zaxis") if hasattr(ax, name)]:
            ticks = [*axis.get_major_ticks(), *axis.get_minor_ticks()]
            labels = [label for tick in ticks for label in (tick.label1, tick.label2)]
            if any(text is label for label in labels):
                drawn = axis._update_ticks()
                return (
                    axis.get_visible()
                    and ax.get_visible()
                    and any(
                        text is label and label.get_visible() for tick in drawn for label in (tick.label1, tick.label2)
                    )
                )
    return True


def find_overlaps(figure, slack=1.5):
    """Pairs of texts whose boxes overlap by more than ``slack`` pixels in both directions, and texts off the page."""
    texts = shown_texts(figure)
    problems = []
    for i, (one, box) in enumerate(texts):
        if box.x0 < figure.bbox.x0 - slack or box.x1 > figure.bbox.x1 + slack or box.y1 > figure.bbox.y1 + slack:
            problems.append((one.get_text(), "beyond the paper"))
        for other, second in texts[i + 1 :]:
            across = min(box.x1, second.x1) - max(box.x0, second.x0)
            along = min(box.y1, second.y1) - max(box.y0, second.y0)
            if across > slack and along > slack:
                problems.append((one.get_text(), other.get_text()))
    return problems


@pytest.fixture(autouse=True)
def blank_pdfs():
    """Here PDFs are drawn."""


@pytest.fixture(scope="session")
def overlapping_texts():
    """``overlapping_texts(figure)`` gives the pairs of texts that lie on each other; empty if all is well."""
    return find_overlaps
