"""Draw the pictures of docs/manual/conventions.md: zenith, azimuth and the two crossings of a neutrino.

Run from the root of the repository: ``python scripts/docs/draw_conventions.py [FOLDER]`` (docs/manual/images by
default).
"""

from __future__ import annotations

import sys
from pathlib import Path

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.patches import Arc

BLUE, ORANGE, GREY = "#0072B2", "#D55E00", "0.45"
ARROW = {"arrowstyle": "-|>", "lw": 1.6, "shrinkA": 0, "shrinkB": 0}


def draw_zenith(ax: Axes) -> None:
    """Draw the zenith angle at a detector, of the direction from which a neutrino arrives.

    Parameters
    ----------
    ax : Axes
    """
    ax.plot([-1.25, 1.25], [0, 0], color="k", lw=2)
    ax.text(1.25, -0.05, "detector, flat and horizontal", ha="right", va="top", fontsize=8)
    ax.annotate("", (0, 1.3), (0, 0), arrowprops={**ARROW, "color": GREY})
    ax.text(0.0, 1.33, "local vertical", color=GREY, ha="center", va="bottom", fontsize=8)
    zenith = np.radians(50.0)
    source = np.array([-np.sin(zenith), np.cos(zenith)]) * 1.25
    ax.annotate("", (0, 0), source, arrowprops={**ARROW, "color": BLUE})
    ax.annotate("", -0.55 * source, (0, 0), arrowprops={**ARROW, "color": BLUE, "ls": "--"})
    ax.text(source[0] - 0.02, source[1] + 0.03, "comes from here", color=BLUE, ha="center", va="bottom", fontsize=8)
    ax.text(0.62, -0.66, "flies on this way", color=BLUE, ha="center", va="top", fontsize=8)
    ax.add_patch(Arc((0, 0), 1.2, 1.2, theta1=90, theta2=140, color=ORANGE, lw=1.4))
    ax.text(-0.32, 0.68, "zenith\nangle", color=ORANGE, ha="center", va="bottom", fontsize=8)
    ax.text(
        0.12,
        1.05,
        "cos_zenith = +1: from overhead\ncos_zenith =  0: along the horizon\ncos_zenith = -1: from below",
        fontsize=8,
        va="top",
    )
    ax.set_xlim(-1.4, 1.5)
    ax.set_ylim(-0.95, 1.5)
    ax.set_title("Zenith", fontsize=10)


def draw_azimuth(ax: Axes) -> None:
    """Draw the two definitions of azimuth, seen from above.

    Parameters
    ----------
    ax : Axes
    """
    ax.add_patch(plt.Circle((0, 0), 1.0, fill=False, color=GREY))
    for name, compass in (("N", 0), ("E", 90), ("S", 180), ("W", 270)):
        a = np.radians(compass)
        x, y = np.sin(a), np.cos(a)
        ax.plot([0.95 * x, 1.05 * x], [0.95 * y, 1.05 * y], color="k", lw=1)
        ax.text(0.82 * x, 0.82 * y, name, ha="center", va="center", fontsize=10, weight="bold")
        # two rings of numbers, one for each definition, outside the ticks
        for angle, colour, radius in (
            (compass, ORANGE, 1.17 + 0.1 * abs(x)),
            ((180 - compass) % 360, BLUE, 1.45 + 0.2 * abs(x)),
        ):
            label = f"{angle}\N{DEGREE SIGN}"
            ax.text(radius * x, radius * y, label, ha="center", va="center", color=colour, fontsize=9)
    a = np.radians(110.0)
    ax.annotate("", (0, 0), (np.sin(a), np.cos(a)), arrowprops={**ARROW, "color": "k"})
    ax.text(0.5, -0.34, "neutrino", fontsize=8, ha="center", va="top", rotation=-20)
    # from south counter-clockwise to the direction of arrival, and from north clockwise
    ax.add_patch(Arc((0, 0), 0.8, 0.8, theta1=-90, theta2=-20, color=BLUE, lw=1.6))
    ax.add_patch(Arc((0, 0), 0.5, 0.5, theta1=-20, theta2=90, color=ORANGE, lw=1.6))
    ax.text(0.0, -1.78, "blue: files and fluxes, from south through east", color=BLUE, fontsize=8, ha="center")
    ax.text(0.0, -1.98, "orange: compass bearing, from north through east", color=ORANGE, fontsize=8, ha="center")
    ax.set_xlim(-1.9, 1.9)
    ax.set_ylim(-2.05, 1.6)
    ax.set_title("Azimuth of the direction it comes from, from above", fontsize=10)


def draw_crossings(ax: Axes) -> None:
    """Draw the two crossings of one neutrino with the sphere.

    Parameters
    ----------
    ax : Axes
    """
    ax.add_patch(plt.Circle((0, 0), 1.0, color="0.92", ec="k", lw=1.2))
    y = 0.62
    x = np.sqrt(1 - y * y)
    ax.annotate("", (1.45, y), (-1.45, y), arrowprops={**ARROW, "color": BLUE})
    for sign, text in ((-1, "down-going here\ncos_zenith > 0"), (1, "up-going here\ncos_zenith < 0")):
        ax.plot(sign * x, y, "o", color=ORANGE)
        ax.annotate("", (sign * x * 1.5, y * 1.5), (sign * x, y), arrowprops={**ARROW, "color": GREY})
        ax.text(sign * 1.42, y - 0.1, text, ha="center", va="top", fontsize=8)
    ax.text(0, y + 0.05, "neutrino", color=BLUE, ha="center", fontsize=8)
    ax.text(0, -0.25, "Earth, a sphere of 6371.2 km", ha="center", fontsize=8)
    ax.set_xlim(-1.95, 1.95)
    ax.set_ylim(-1.1, 1.2)
    ax.set_title("Both crossings count, each at its place", fontsize=10)


def main() -> None:
    """Draw the three pictures side by side into one PNG."""
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else Path("docs/manual/images")
    fig, axes = plt.subplots(1, 3, figsize=(12.5, 4.4), layout="constrained")
    for ax, draw in zip(axes, (draw_zenith, draw_azimuth, draw_crossings), strict=True):
        draw(ax)
        ax.set_aspect("equal")
        ax.axis("off")
    fig.savefig(folder / "angles.png", dpi=130, bbox_inches="tight")


if __name__ == "__main__":
    main()
