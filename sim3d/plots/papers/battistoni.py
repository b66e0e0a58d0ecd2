"""Draw the figures of the FLUKA paper (Battistoni et al., Astropart. Phys. 19 (2003) 269) from one or two results.

Spectra are drawn as E^2.5 times the flux. A point is the mean of that over a quarter of a decade of ln E, centred on
an energy of FLUKA's table, so that the slope of the spectrum makes no difference to a single bin's value.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from sim3d.analysis import reference as compare
from sim3d.analysis.reference import fluka_grid
from sim3d.analysis.trends import smooth_curve
from sim3d.conventions.arrays import Array
from sim3d.plots import style
from sim3d.plots.axes import draw_curve, draw_points, energy_axis, legend_below, outer_labels
from sim3d.results import windows
from sim3d.results.jackknife import jackknife

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.figure import Figure

    from sim3d.results.result import Result


INDEX = 2.5
"""Power of the energy that the spectra are multiplied with, as in the paper."""

# Fine bins 5 to 194 are FLUKA's 2 to 96: ten fine bins each around 0.168, 0.299, 0.531 GeV and so on.
_FIRST, _MERGE, _POINTS = 5, 10, 19

_LABEL = rf"$E^{{{INDEX}}}\,\Phi$ (GeV$^{{1.5}}$ m$^{{-2}}$ s$^{{-1}}$ sr$^{{-1}}$)"

_KNOWN = 0.5
"""Relative error above which a point does not set the range of an axis."""


def centres(result: Result) -> Array:
    """Return the logarithmic centres of the energy bins of the points.

    Parameters
    ----------
    result : Result

    Returns
    -------
    float64 array (19,)
        GeV.
    """
    edges = np.asarray(result.energy_edges_GeV)[_FIRST::_MERGE][: _POINTS + 1]
    return np.asarray(np.sqrt(edges[1:] * edges[:-1]))


def weighted(result: Result, groups: Array) -> Array:
    """Compute means of ``E^2.5`` times the flux over quarters of a decade of energy.

    Parameters
    ----------
    result : Result
        For its energy bins and its lowest energy scored.
    groups : float64 array (G, flavour, N_ENERGY, ...)
        Fluxes in fine bins.

    Returns
    -------
    float64 array (G, flavour, 19, ...)
        GeV^1.5 m^-2 s^-1 sr^-1; 0 where a bin reaches below the lowest energy scored.
    """
    edges = np.asarray(result.energy_edges_GeV)
    factor = np.sqrt(edges[1:] * edges[:-1]) ** INDEX
    shaped = factor.reshape(-1, *(1,) * (groups.ndim - 3)) * groups
    used = shaped[:, :, _FIRST : _FIRST + _MERGE * _POINTS]
    out = used.reshape(*groups.shape[:2], _POINTS, _MERGE, *groups.shape[3:]).mean(axis=3)
    out[:, :, edges[_FIRST::_MERGE][:_POINTS] < windows.lowest_energy(result)] = 0.0
    return np.asarray(out)


def zenith_spectra(result: Result, site: str, flavour: str) -> Figure:
    """Draw spectra at the zenith angles of FLUKA's table, from above and from below, one panel per |cos_zenith|.

    Parameters
    ----------
    result : Result
    site, flavour : str

    Returns
    -------
    Figure
    """
    i = list(result.flavours).index(flavour)
    grid = fluka_grid()
    groups = weighted(result, np.asarray(result.groups_east_west(site)).mean(axis=-1))[:, i]
    value, error = jackknife(lambda mean: mean, groups, result.group_weights)
    edges = np.asarray(result.cos_zenith_edges)
    energies = centres(result)
    figure, axes = style.subplots(2, 3, figsize=(8.4, 5.8), sharex=True, sharey=True)
    ranges: list[float] = []
    fine = np.geomspace(energies[0], energies[-1], 161)
    for ax, cosine in zip(axes.flat, sorted(set(np.round(np.abs(grid.cos_zenith), 6)), reverse=True), strict=True):
        for sign, colour, marker, line, label in (
            (1, style.BLUE, "o", "--", "down-going"),
            (-1, style.VERMILION, "s", ":", "up-going"),
        ):
            c = int(np.searchsorted(edges, sign * cosine) - 1)
            look = {"color": colour, "marker": marker, "linestyle": "none", "elinewidth": 0.8, "label": label}
            if sign < 0:
                look["markerfacecolor"] = "white"
            sure = (value[:, c] > 0) & (error[:, c] < _KNOWN * value[:, c])
            curve, spread = smooth_curve(np.log(energies), value[:, c], error[:, c], np.log(fine))
            draw_curve(ax, fine, curve, spread, colour, positive=True)
            draw_points(ax, energies[sure], value[sure, c], error[sure, c], look, positive=True)
            ranges += [float(one) for one in value[sure, c]]
            if site == compare.FLUKA_SITE:
                at = int(np.abs(grid.cos_zenith - sign * cosine).argmin())
                reference = grid.flux[i, :, at] * grid.energy_GeV**INDEX
                ranges += [float(one) for one in reference]
                ax.plot(grid.energy_GeV, reference, line, color=style.BLACK, zorder=0, label=f"FLUKA, {label}")
        ax.set_title(rf"$|\cos\theta_{{\rm zenith}}| = {cosine:.3f}$")
        ax.set(yscale="log")
    energy_axis(axes[0, 0], energies, value.T, error.T)
    axes[0, 0].set_ylim(*_log_range(ranges))
    outer_labels(axes, "Neutrino energy (GeV)", _LABEL)
    reference_label = ", FLUKA at solar maximum (black)" if site == compare.FLUKA_SITE else ""
    figure.suptitle(
        f"{style.title(site)}: {style.LABELS[flavour]}, this run (points, smooth lines){reference_label}", fontsize=11
    )
    legend_below(figure, axes[0, 0])
    return figure


def sky_average(results: Sequence[tuple[str, Result]], site: str, brightest_sun: int | None) -> Figure:
    """Draw sky-averaged spectra: muon neutrinos above, electron neutrinos below, one column per run.

    Parameters
    ----------
    results : sequence of (str, Result)
        One or two runs and their names, the one of lower solar activity first.
    site : str
    brightest_sun : int or None
        Column that gets FLUKA's lines (of solar maximum), for its site.

    Returns
    -------
    Figure
    """
    n = len(results)
    figure, axes = style.subplots(
        2, n, figsize=(4.6 * n if n > 1 else 5.4, 6.6), sharex=True, sharey="row", squeeze=False
    )
    grid = fluka_grid()
    reference = grid.sky_average() * grid.energy_GeV**INDEX
    energies = centres(results[0][1])
    fine = np.geomspace(energies[0], energies[-1], 161)
    for row, pair in enumerate((("numu", "numubar"), ("nue", "nuebar"))):
        ranges: list[float] = []
        for column, (name, result) in enumerate(results):
            ax = axes[row, column]
            value, error = _average(result, site)
            for flavour in pair:
                i = list(result.flavours).index(flavour)
                sure = (value[i] > 0) & (error[i] < _KNOWN * value[i])
                curve, spread = smooth_curve(np.log(energies), value[i], error[i], np.log(fine))
                draw_curve(ax, fine, curve, spread, style.COLOURS[flavour], positive=True)
                look = style.points(flavour)
                draw_points(ax, energies[sure], value[i][sure], error[i][sure], look, positive=True)
                ranges += [float(one) for one in value[i][sure]]
                if site == compare.FLUKA_SITE and column == brightest_sun:
                    line = ":" if flavour.endswith("bar") else "--"
                    label = rf"{style.LABELS[flavour]}, FLUKA, solar maximum"
                    ax.plot(grid.energy_GeV, reference[i], line, color=style.BLACK, zorder=0, label=label)
                    ranges += [float(one) for one in reference[i]]
            if row == 0:
                ax.set_title(name)
            ax.set(yscale="log")
            ax.legend(loc="lower center", fontsize=8)
        low, high = _log_range(ranges)
        # room for the legend under the curves
        axes[row, 0].set_ylim(low / (high / low) ** 0.3, high)
    every = [_average(result, site) for _, result in results]
    known = [np.concatenate([one[k] for one in every]) for k in (0, 1)]
    energy_axis(axes[0, 0], energies, *known)
    outer_labels(axes, "Neutrino energy (GeV)", _LABEL)
    figure.align_ylabels(axes[:, 0])
    figure.suptitle(f"{style.title(site)}: average over the whole sky", fontsize=11)
    return figure


def ratio(one: tuple[str, Result], other: tuple[str, Result], site: str) -> Figure:
    """Draw the ratio of the sky averages of two runs against energy, by flavour.

    Errors of the two are taken as independent. Runs of one seed share showers, so the error of their ratio is
    overestimated.

    Parameters
    ----------
    one, other : (str, Result)
        Name and result of numerator and denominator.
    site : str

    Returns
    -------
    Figure
    """
    energies = centres(one[1])
    above, above_error = _average(one[1], site)
    below, below_error = _average(other[1], site)
    figure, axes = style.subplots(2, 2, figsize=(7.2, 5.6), sharex=True, sharey=True)
    spread: list[float] = []
    rough = [0.05]
    for ax, (i, flavour) in zip(axes.flat, enumerate(one[1].flavours), strict=True):
        with np.errstate(divide="ignore", invalid="ignore"):
            value = above[i] / below[i]
            error = value * np.hypot(above_error[i] / above[i], below_error[i] / below[i])
        known = np.isfinite(value) & (error < 0.3 * value)
        draw_points(ax, energies[known], value[known], error[known], style.points(flavour))
        # limits from points with small errors; from all points only if there are none
        reach = np.minimum(np.abs(value - 1.0) + error, 1.0)
        spread += [float(one) for one in reach[known & (error < 0.1 * value)]]
        rough += [float(one) for one in reach[known]]
        ax.axhline(1.0, color=style.GREY, linewidth=0.6)
        ax.set_title(style.LABELS[flavour])
        if not known.any():
            ax.text(0.5, 0.6, "no point known to 30%", transform=ax.transAxes, ha="center")
    energy_axis(axes[0, 0], energies, np.concatenate([above, below]), np.concatenate([above_error, below_error]))
    half = 1.2 * max(spread or rough)
    axes[0, 0].set_ylim(max(0.0, 1.0 - half), 1.0 + half)
    outer_labels(axes, "Neutrino energy (GeV)", "Ratio of fluxes")
    name = f"{style.title(site)}: ({one[0]}) / ({other[0]}), averaged over the whole sky"
    figure.suptitle(name, fontsize=11)
    return figure


def _average(result: Result, site: str) -> tuple[Array, Array]:
    """Compute E^2.5 times the sky average and its error, (flavour, 19) each."""
    sky = np.asarray(result.groups_azimuth(site)).mean(axis=(3, 4))
    return jackknife(lambda mean: mean, weighted(result, sky), result.group_weights)


def _log_range(values: Sequence[float]) -> tuple[float, float]:
    """Return limits of a logarithmic axis around positive values, at most six decades."""
    if not values:
        return 0.1, 10.0
    top = max(values)
    return max(min(values) / 1.5, top * 1e-6), 1.8 * top
