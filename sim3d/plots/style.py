"""Define colours, markers and matplotlib settings of all figures, and make and save figures.

Figures are made without ``matplotlib.pyplot``. Its list of open figures and its backend belong to the whole process,
and a program or a notebook that imports sim3d has chosen its own. Settings hold inside ``rc_context(RC)`` only. The
palette can be told apart with any colour vision, and in print.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib import rc_context
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.cbook import is_math_text
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties
from matplotlib.textpath import text_to_path
from matplotlib.transforms import Bbox

import sim3d
from sim3d.files.atomic_files import write_bytes
from sim3d.results.words import SITE_TITLES

# Okabe and Ito's palette (jfly.uni-koeln.de/color); a marker of its own per flavour for grey printers.
BLUE, ORANGE, GREEN, VERMILION, PURPLE, BLACK, GREY = (
    "#0072B2",
    "#E69F00",
    "#009E73",
    "#D55E00",
    "#CC79A7",
    "#000000",
    "#7F7F7F",
)

LABELS = {
    "numu": r"$\nu_\mu$",
    "numubar": r"$\bar\nu_\mu$",
    "nue": r"$\nu_e$",
    "nuebar": r"$\bar\nu_e$",
}
NOTHING_TO_DRAW = "no bin is known\nwell enough to be drawn"
"""Text in a panel that has no point."""

COLOURS = {"numu": BLUE, "numubar": ORANGE, "nue": GREEN, "nuebar": VERMILION}
MARKERS = {"numu": "o", "numubar": "s", "nue": "^", "nuebar": "v"}
# Dashed lines for antineutrinos, as their markers are open.
LINES = {"numu": "-", "numubar": "--", "nue": "-", "nuebar": "--"}

RC: dict[Any, Any] = {
    "figure.dpi": 100,
    "savefig.dpi": 200,
    "figure.constrained_layout.use": True,
    "font.size": 10,
    "axes.titlesize": 10,
    "axes.formatter.use_mathtext": True,
    "axes.labelsize": 10,
    "legend.fontsize": 9,
    "legend.frameon": False,
    "xtick.direction": "in",
    "ytick.direction": "in",
    "xtick.top": True,
    "ytick.right": True,
    "xtick.minor.visible": True,
    "ytick.minor.visible": True,
    "axes.linewidth": 0.8,
    "axes.grid": False,
    "lines.linewidth": 1.0,
    "lines.markersize": 3.5,
    "axes.titlepad": 5.0,
    # the first label of x and that of y meet in the corner
    "xtick.major.pad": 7.0,
    "ytick.major.pad": 4.0,
    "figure.titlesize": 11,
    "errorbar.capsize": 0.0,
    # Text in a PDF stays text.
    "pdf.fonttype": 42,
}


def points(flavour: str) -> dict[str, Any]:
    """Return keywords of ``Axes.errorbar`` for one flavour: points with error bars, no line.

    Parameters
    ----------
    flavour : str

    Returns
    -------
    dict
    """
    return {
        "color": COLOURS[flavour],
        "marker": MARKERS[flavour],
        # Open markers for antineutrinos: neutrinos and antineutrinos often lie on top of each other.
        "markerfacecolor": "white" if flavour.endswith("bar") else COLOURS[flavour],
        "linestyle": "none",
        "elinewidth": 0.8,
        "label": LABELS[flavour],
    }


CONTEXT_GID = "context"
"""Mark of the text below a figure that states place, dates, models and program."""

_CONTEXT_PT = 7.0
_CONTEXT_LINE_IN = 1.35 * _CONTEXT_PT / 72.0


def title(site: str) -> str:
    """Return the name of a site for a figure's title: known sites as they are spelt, others as the user wrote it.

    Parameters
    ----------
    site : str

    Returns
    -------
    str
    """
    return SITE_TITLES.get(site, site)


def add_context(figure: Figure, lines: Sequence[str] = ()) -> None:
    """Write below a figure what it was made from; its layout does not change, the saved picture is higher.

    Parameters
    ----------
    figure : Figure
    lines : sequence of str
        Such as those of :func:`sim3d.results.words.context_lines`. Long lines are broken. Without a line that names
        the program it is added.
    """
    for old in [text for text in figure.texts if text.get_gid() == CONTEXT_GID]:
        old.remove()
    said = [line for line in lines if line]
    if not any("sim3d" in line for line in said):
        said = [*said[:-1], f"{said[-1]}; sim3d {sim3d.__version__}" if said else f"sim3d {sim3d.__version__}"]
    text = "\n".join(piece for line in said for piece in _broken(line, 0.93 * figure.get_figwidth()))
    artist = figure.text(
        0.015, 0.0, text, ha="left", va="top", fontsize=_CONTEXT_PT, color="0.35", linespacing=1.25, gid=CONTEXT_GID
    )
    artist.set_in_layout(False)


def _broken(line: str, width_in: float) -> list[str]:
    """Break a line of the context at blanks so that each piece fits into a width."""
    font = FontProperties(size=_CONTEXT_PT)
    pieces: list[str] = []
    for word in line.split():
        longer = f"{pieces[-1]} {word}" if pieces else word
        # the outline of every letter, which TextPath has, takes a hundred times longer
        width_pt, _, _ = text_to_path.get_text_width_height_descent(longer, font, ismath=is_math_text(longer))
        if pieces and width_pt / 72.0 <= width_in:
            pieces[-1] = longer
        else:
            pieces.append(word)
    return pieces


def _settle(figure: Figure) -> None:
    """Fix the positions of all elements, so that legends stay with the figure when the page grows by the context."""
    if figure.get_layout_engine() is None:
        return
    figure.draw_without_rendering()
    for legend in figure.legends:
        legend.set_bbox_to_anchor((0.0, 0.0, 1.0, 1.0), figure.transFigure)
    # none at all: with "none" matplotlib draws the figure twice whenever it is saved
    with rc_context({"figure.autolayout": False, "figure.constrained_layout.use": False}):
        figure.set_layout_engine(None)
    _centre_heading(figure)


def _centre_heading(figure: Figure) -> None:
    """Put the heading of a figure over the middle of its panels, as far as it fits into the width."""
    words = figure.get_suptitle()
    heading = next((text for text in figure.texts if words and text.get_text() == words), None)
    boxes = [axes.get_position() for axes in figure.axes if axes.get_visible() and not hasattr(axes, "_colorbar")]
    if heading is None or not boxes:
        return
    middle = 0.5 * (min(box.x0 for box in boxes) + max(box.x1 for box in boxes))
    extent = heading.get_window_extent()
    half = 0.5 * extent.width / figure.bbox.width + 0.01
    if half < 0.5:
        heading.set_x(min(max(middle, half), 1.0 - half))


def _say_where_nothing_is(figure: Figure) -> None:
    """Write into panels without a single point that they are empty; a logarithmic axis gets limits that it can have."""
    for axes in figure.axes:
        if not axes.get_visible() or not axes.axison or not axes.get_ylabel() or hasattr(axes, "_colorbar"):
            continue
        low, high = axes.dataLim.get_points()
        if np.all(low <= high) or axes.images or axes.patches or axes.texts:
            continue
        if axes.get_xscale() == "log":
            axes.set_xlim(0.1, 10.0)
        if axes.get_yscale() == "log":
            axes.set_ylim(0.1, 10.0)
        axes.text(0.5, 0.5, NOTHING_TO_DRAW, transform=axes.transAxes, ha="center", va="center", fontsize=8)


def _page(figure: Figure) -> Bbox:
    """Return the part of the paper to save, in inches: the figure, and below it its context."""
    width, height = figure.get_size_inches()
    lines = [text.get_text().count("\n") + 1 for text in figure.texts if text.get_gid() == CONTEXT_GID]
    below = sum(lines) * _CONTEXT_LINE_IN + 0.06 if lines else 0.0
    return Bbox([[0.0, -below], [width, height]])


def new_figure(figsize: tuple[float, float]) -> Figure:
    """Make an empty figure, drawn by Agg, which needs no display.

    Parameters
    ----------
    figsize : (float, float)
        Width and height in inches.

    Returns
    -------
    Figure
    """
    figure = Figure(figsize=figsize)
    FigureCanvasAgg(figure)
    return figure


def subplots(rows: int = 1, columns: int = 1, *, figsize: tuple[float, float], **options: Any) -> tuple[Figure, Any]:
    """Make a new figure with a grid of axes.

    Parameters
    ----------
    rows, columns : int
    figsize : (float, float)
        Width and height in inches.
    **options
        Options of ``Figure.subplots``.

    Returns
    -------
    figure : Figure
    axes : Axes, or array of Axes
        As ``matplotlib.pyplot.subplots`` gives them.
    """
    figure = new_figure(figsize)
    return figure, figure.subplots(rows, columns, **options)


def save(figure: Figure, folder: Path, stem: str, about: Sequence[str] = ()) -> list[Path]:
    """Save a figure as ``stem.png`` and ``stem.pdf``, with what it was made from in small letters below.

    Parameters
    ----------
    figure : Figure
    folder : Path
        Must exist.
    stem : str
    about : sequence of str
        Place, dates, models and program, see :func:`add_context`.

    Returns
    -------
    list of Path
        Files written.
    """
    add_context(figure, about)
    words = " ".join(text.get_text() for text in figure.texts if text.get_gid() == CONTEXT_GID).replace("\n", " ")
    # Without a date, equal results give equal files.
    return [
        save_as(figure, folder / f"{stem}.png", metadata={"Description": words}),
        save_as(figure, folder / f"{stem}.pdf", metadata={"CreationDate": None, "Subject": words}),
    ]


def save_as(figure: Figure, path: Path, **options: Any) -> Path:
    """Save a figure in the format that its file name ends in.

    Parameters
    ----------
    figure : Figure
    path : Path
        Its folder must exist.
    **options
        Options of ``Figure.savefig``; the resolution is that of all figures.

    Returns
    -------
    Path
        ``path``.

    Raises
    ------
    InputError
        If the file cannot be written.
    """
    image = io.BytesIO()
    options = {"dpi": RC["savefig.dpi"]} | options
    _say_where_nothing_is(figure)
    if any(text.get_gid() == CONTEXT_GID for text in figure.texts):
        _settle(figure)
        options = {"bbox_inches": _page(figure)} | options
    figure.savefig(image, format=path.suffix.removeprefix(".").lower(), **options)
    return write_bytes(path, image.getbuffer())
