"""Draw the figures of the validation report: pulls, zenith shape at high energy, patches of four sizes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib import rc_context

from sim3d.analysis.trends import smooth_curve, zenith_coordinate
from sim3d.plots import style
from sim3d.plots.axes import ZENITH_LABEL, draw_curve, legend_below

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_LOOKS = ((style.BLUE, "o"), (style.VERMILION, "s"), (style.GREEN, "D"), (style.PURPLE, "^"))
PULL_WIDTH = 0.25


def pulls(values: np.ndarray, title: str) -> Figure:
    """Draw a histogram of differences in units of their errors, beside the normal distribution.

    Parameters
    ----------
    values : float64 array (n,)
    title : str

    Returns
    -------
    Figure
    """
    with rc_context(style.RC):
        figure, ax = style.subplots(figsize=(6.4, 4.2))
        grid = np.arange(-4.5, 4.5 + 0.5 * PULL_WIDTH, PULL_WIDTH)
        ax.hist(values, grid, histtype="stepfilled", color="0.85", label=f"{len(values)} bins")
        fine = np.linspace(-4.5, 4.5, 361)
        normal = len(values) * PULL_WIDTH * np.exp(-0.5 * fine**2) / np.sqrt(2 * np.pi)
        ax.plot(fine, normal, color=style.BLUE, label="normal distribution of width 1")
        ax.set(xlabel="Difference / its standard error", ylabel=f"Bins per {PULL_WIDTH:g}", xlim=(-4.5, 4.5))
        legend_below(figure, ax)
        figure.suptitle(title)
    return figure


def zenith_shape(
    centres: np.ndarray, shapes: Sequence[tuple[float, float, np.ndarray, np.ndarray]], title: str
) -> Figure:
    """Draw ratios of a flux to an expected shape against zenith, a panel for each range of energies.

    Parameters
    ----------
    centres : float64 array (n,)
        Absolute values of the cosine of the zenith angle.
    shapes : sequence of (float, float, array, array)
        Lowest and highest energy (GeV), ratio and its error.
    title : str

    Returns
    -------
    Figure
    """
    with rc_context(style.RC):
        figure, axes = style.subplots(2, 2, figsize=(7.2, 5.4), sharex=True, sharey=True)
        fine = np.linspace(centres[0], centres[-1], 121)
        for ax, (low, high, ratio, spread), (colour, marker) in zip(axes.flat, shapes, _LOOKS, strict=False):
            curve, error = smooth_curve(zenith_coordinate(centres), ratio, spread, zenith_coordinate(fine))
            draw_curve(ax, fine, curve, error, colour)
            ax.errorbar(centres, ratio, spread, marker=marker, color=colour, ls="", elinewidth=0.8)
            ax.axhline(1.0, color=style.GREY, lw=0.6)
            ax.axhspan(0.9, 1.1, color="0.94", zorder=0)
            ax.set_title(f"{low:,.12g} to {high:,.12g} GeV")
            ax.set(xlim=(0.0, 1.0), ylim=(0.8, 1.2))
        for ax in axes[-1]:
            ax.set_xlabel(r"$|\cos\theta_{\rm zenith}|$")
        for ax in axes[:, 0]:
            ax.set_ylabel("Run / Volkova's shape")
        figure.suptitle(title)
    return figure


def patches(cosines: np.ndarray, groups: Mapping[str, Mapping[str, np.ndarray]], title: str) -> Figure:
    """Draw the flux against zenith for patches of several sizes at each place, and below the ratios to the first size.

    Parameters
    ----------
    cosines : float64 array (n,)
    groups : mapping of mapping of float64 arrays (group, n)
        By place and size: the flux in each group of batches.
    title : str

    Returns
    -------
    Figure
    """
    with rc_context(style.RC):
        figure, axes = style.subplots(
            2, len(groups), figsize=(8.0, 5.6), sharex=True, sharey="row", height_ratios=(3, 1.3)
        )
        fine = np.linspace(-1.0, 1.0, 201)
        for (ax, below), (place, by_size) in zip(axes.T, groups.items(), strict=True):
            base = next(iter(by_size.values()))
            for k, ((size, flux), (colour, marker)) in enumerate(zip(by_size.items(), _LOOKS, strict=False)):
                at = cosines + 0.012 * (k - 1.5)
                value, error = flux.mean(axis=0), flux.std(axis=0, ddof=1) / np.sqrt(len(flux))
                curve, spread = smooth_curve(zenith_coordinate(cosines), value, error, zenith_coordinate(fine))
                draw_curve(ax, fine, curve, spread, colour)
                look: dict[str, Any] = {"color": colour, "marker": marker, "ls": "", "elinewidth": 0.8}
                ax.errorbar(at, value, error, label=size, **look)
                if k:
                    below.errorbar(at, *quotient(flux, base), **look)
            ax.set_title(place)
            ax.set_xlim(-1.0, 1.0)
            below.axhline(1.0, color=style.GREY, lw=0.6)
            below.set(xlabel=ZENITH_LABEL, ylim=(0.8, 1.2))
        axes[0, 0].set_ylabel(r"Mean flux of the flavours (m$^{-2}$ s$^{-1}$ sr$^{-1}$)")
        axes[1, 0].set_ylabel(f"Ratio to {next(iter(next(iter(groups.values()))))}")
        figure.align_ylabels(axes[:, 0])
        legend_below(figure, axes[0, 0])
        figure.suptitle(title)
    return figure


def quotient(above: np.ndarray, below: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Compute the ratio of two means over the same groups, and its error by the jackknife.

    Parameters
    ----------
    above, below : float64 arrays (group, n)

    Returns
    -------
    value, error : float64 arrays (n,)
    """
    n = len(above)
    rest = (above.sum(axis=0) - above) / (below.sum(axis=0) - below)
    spread = (n - 1) / n * ((rest - rest.mean(axis=0)) ** 2).sum(axis=0)
    return above.mean(axis=0) / below.mean(axis=0), np.sqrt(spread)
