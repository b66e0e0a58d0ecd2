"""Define colours, markers and matplotlib settings of all figures, and make and save figures.

Figures are made without ``matplotlib.pyplot``. Its list of open figures and its backend belong to the whole process,
and a program or a notebook that imports sim3d has chosen its own. Settings hold inside ``rc_context(RC)`` only. The
palette can be told apart with any colour vision, and in print.
"""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from sim3d.files.atomic_files import write_bytes

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
COLOURS = {"numu": BLUE, "numubar": ORANGE, "nue": GREEN, "nuebar": VERMILION}
MARKERS = {"numu": "o", "numubar": "s", "nue": "^", "nuebar": "v"}

RC: dict[Any, Any] = {
    "figure.dpi": 100,
    "savefig.dpi": 200,
    "figure.constrained_layout.use": True,
    "font.size": 10,
    "axes.titlesize": 10,
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


def title(site: str) -> str:
    """Return the name of a site for a figure's title.

    Parameters
    ----------
    site : str

    Returns
    -------
    str
    """
    return site.capitalize() if len(site) > 4 else site.upper()


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


def save(figure: Figure, folder: Path, stem: str) -> list[Path]:
    """Save a figure as ``stem.png`` and ``stem.pdf``.

    Parameters
    ----------
    figure : Figure
    folder : Path
        Must exist.
    stem : str

    Returns
    -------
    list of Path
        Files written.
    """
    # Without a date, equal results give equal files.
    return [
        save_as(figure, folder / f"{stem}.png"),
        save_as(figure, folder / f"{stem}.pdf", metadata={"CreationDate": None}),
    ]


def save_as(figure: Figure, path: Path, **options: Any) -> Path:
    """Save a figure in the format that its file name ends in.

    Parameters
    ----------
    figure : Figure
    path : Path
        Its folder must exist.
    **options
        Options of ``Figure.savefig``.

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
    figure.savefig(image, format=path.suffix.removeprefix(".").lower(), **options)
    return write_bytes(path, image.getbuffer())
