"""Draw the penumbra as a strip: allowed and forbidden rigidities, with the three cutoffs marked."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from sim3d.plots import style

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from geomag.cutoffs.penumbra import Penumbra


def penumbra_figure(found: Penumbra, title: str, digits: int = 2) -> Figure:
    """Draw every verdict between a little below the lower and a little above the upper cutoff.

    Parameters
    ----------
    found : Penumbra
    title : str
    digits : int
        Decimals of the cutoffs.

    Returns
    -------
    Figure
    """
    from matplotlib.colors import ListedColormap
    from matplotlib.patches import Patch

    cutoff, step = found.cutoff, found.cutoff.step_GV
    margin = max(0.15 * (cutoff.upper_GV - cutoff.lower_GV), 5.0 * step)
    low, high = max(cutoff.lower_GV - margin, 0.0), cutoff.upper_GV + margin
    shown = (found.rigidity_GV >= low) & (found.rigidity_GV <= high)
    figure, ax = style.subplots(figsize=(7.5, 2.4))
    colours = ("0.15", "white", style.ORANGE)
    edges = np.append(found.rigidity_GV[shown] - 0.5 * step, found.rigidity_GV[shown][-1] + 0.5 * step)
    ax.pcolormesh(
        edges,
        [0.0, 1.0],
        found.verdict[shown][None],
        cmap=ListedColormap(colours),
        vmin=-0.5,
        vmax=2.5,
        rasterized=True,
    )
    marks = (("lower", cutoff.lower_GV, style.GREEN), ("effective", cutoff.effective_GV, style.VERMILION))
    # the second line of labels keeps cutoffs that lie close together apart
    for i, (name, value, colour) in enumerate((*marks, ("upper", cutoff.upper_GV, style.BLUE))):
        ax.axvline(value - 0.5 * step, color=colour, linewidth=1.6)
        height = 1.16 if i == 1 else 1.03
        side = {"lower": "right", "upper": "left"}.get(name, "center")
        ax.text(
            value,
            height,
            f"{name} {value:.{digits}f} GV",
            color=colour,
            ha=side,
            va="bottom",
            transform=ax.get_xaxis_transform(),
        )
    ax.set_xlim(edges[0], edges[-1])
    ax.set_yticks([])
    ax.set_xlabel("Rigidity (GV)")
    ax.set_title(title, pad=34)
    words = ("forbidden", "allowed", "undecided")
    used = [i for i in range(3) if (found.verdict[shown] == i).any()]
    handles = [Patch(facecolor=colours[i], edgecolor="0.4", label=words[i]) for i in used]
    ax.legend(handles=handles, loc="upper left", bbox_to_anchor=(1.0, 1.0))
    return figure
