"""Draw the figures of a result: spectra, zenith and azimuth distributions, ratios, asymmetries.

Every error bar is one standard deviation from the jackknife over groups of batches. The comparison with FLUKA's table
is an exception: it has the errors of single bins. Lines are smooth curves through the points, with a band of one
standard error (:mod:`sim3d.analysis.trends`). Bins without hits are left out, and axes end where nothing is known.
Series that would hide each other are drawn side by side. Only modules that draw import matplotlib.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib import rc_context
from matplotlib.ticker import FixedLocator, NullFormatter, StrMethodFormatter

from sim3d.analysis import asymmetry, matching
from sim3d.analysis.matching import fluka_rows
from sim3d.analysis.trends import (
    LARGEST_RELATIVE_ERROR,
    harmonics,
    smooth_curve,
    smooth_curves,
    zenith_coordinate,
)
from sim3d.conventions.arrays import Array
from sim3d.plots import style
from sim3d.plots.axes import (
    ZENITH_LABEL,
    compass,
    compass_axis,
    draw_curve,
    draw_points,
    energy_axis,
    legend_below,
    outer_labels,
    plain_ticks,
    value_limits,
)
from sim3d.plots.comparison import fluka_ratio
from sim3d.results import windows
from sim3d.results.jackknife import jackknife
from sim3d.results.windows import full_bins, lowest_energy, sky_average
from sim3d.results.words import context_lines

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from sim3d.results.result import Result


SPECTRAL_INDEX = 3
"""Spectra are drawn times E to this power."""

ZENITH_BANDS_GEV = ((0.3, 0.5), (0.5, 3.0), (3.0, 30.0), (30.0, 1000.0))

# Energies of FLUKA's table whose zenith dependence is drawn, GeV.
FLUKA_ENERGIES_GEV = (0.299, 0.944, 2.985, 9.441)

SIDE_BY_SIDE = {"numu": -1.5, "numubar": -0.5, "nue": 0.5, "nuebar": 1.5}
"""Places of the flavours beside a common position, in units of a small step."""

_LOG_STEP, _COS_STEP = 0.011, 0.008
"""That step on an energy axis (decades) and on an axis of cos_zenith."""


def draw(result: Result, folder: Path) -> list[Path]:
    """Draw and save every figure of every site.

    Parameters
    ----------
    result : Result
    folder : Path
        Must exist.

    Returns
    -------
    list of Path
        Files written (PNG and PDF of each).
    """
    written: list[Path] = []
    with rc_context(style.RC):
        for site in result.sites:
            figures = {
                "spectra": spectra(result, site),
                "zenith": zenith(result, site),
                "azimuth": azimuth(result, site),
                "ratios": flavour_ratios(result, site),
                "asymmetry": east_west(result, site),
            }
            matched = fluka_rows(result, site)
            if matched is not None:
                figures["fluka-zenith"] = fluka_zenith(result, site, matched)
                figures["fluka-ratio"] = fluka_ratio(site, matched)
            for name, figure in figures.items():
                written += style.save(figure, folder, f"{site}-{name}", context_lines(result.record, site))
    return written


def shifted(energies: Array, flavour: str, step: float = _LOG_STEP) -> Array:
    """Move the points of a flavour beside the common energies of all flavours.

    Parameters
    ----------
    energies : float64 array
        GeV.
    flavour : str
    step : float
        In decades.

    Returns
    -------
    float64 array
    """
    return np.asarray(energies * 10.0 ** (step * SIDE_BY_SIDE[flavour]))


def spectra(result: Result, site: str) -> Figure:
    """Draw sky-averaged fluxes against energy, 10 bins per decade, as far as they are known.

    Parameters
    ----------
    result : Result
    site : str

    Returns
    -------
    Figure
    """
    figure, ax = style.subplots(figsize=(6.4, 4.6))
    groups, centres = sky_average(result, site)
    value, error = jackknife(lambda mean: mean, groups, result.group_weights)
    weight = centres**SPECTRAL_INDEX
    span = energy_axis(ax, centres, value, error)
    low, high = np.inf, 0.0
    fine = np.geomspace(*span, 241)
    used = (centres >= span[0]) & (centres <= span[1])
    y, sigma = value[:, used] * weight[used], error[:, used] * weight[used]
    curves, spreads = smooth_curves(np.log(centres[used]), y, sigma, np.log(fine))
    for i, flavour in enumerate(result.flavours):
        sure = (y[i] > 0) & (sigma[i] < LARGEST_RELATIVE_ERROR * y[i])
        low, high = min([low, *y[i][sure]]), max([high, *y[i][sure]])
        colour, line = style.COLOURS[flavour], style.LINES[flavour]
        draw_curve(ax, fine, curves[i], spreads[i], colour, line=line, positive=True)
        draw_points(ax, shifted(centres[used], flavour), y[i], sigma[i], style.points(flavour), positive=True)
    if high == 0.0:
        # Matplotlib finds no limits for a log axis without points.
        low, high = 0.1, 10.0
        ax.text(0.5, 0.5, "no bin known to 50%", transform=ax.transAxes, ha="center")
    ax.set(
        yscale="log",
        # Limits from bins with small errors: the error bar of a single hit may reach 0.
        ylim=(low / 1.7, high * 1.7),
        xlabel="Neutrino energy (GeV)",
        ylabel=rf"$E^{SPECTRAL_INDEX}\,\Phi$ (GeV$^2$ m$^{{-2}}$ s$^{{-1}}$ sr$^{{-1}}$)",
        title=f"{style.title(site)}: neutrino flux averaged over the sky",
    )
    legend_below(figure, ax)
    return figure


def zenith(result: Result, site: str) -> Figure:
    """Draw fluxes integrated over energy bins against zenith, 20 bins.

    Parameters
    ----------
    result : Result
    site : str

    Returns
    -------
    Figure
    """
    figure, axes = style.subplots(2, 2, figsize=(7.4, 5.8), sharex=True)
    edges = np.asarray(result.energy_edges_GeV)
    groups = np.asarray(result.groups_east_west(site)).mean(axis=-1)
    cosines = _merge_edges(np.asarray(result.cos_zenith_edges), 2)
    fine = np.linspace(-1.0, 1.0, 201)
    for ax, band in zip(axes.flat, ZENITH_BANDS_GEV, strict=True):
        chosen = full_bins(result, band)
        ax.set_xlim(-1, 1)
        if len(chosen) == 0:
            ax.set_title(f"{band[0]:g} to {band[1]:g} GeV")
            ax.text(0.5, 0.5, "below the lowest energy scored", transform=ax.transAxes, ha="center")
            continue
        flux = np.einsum("gfec,e->gfc", groups[:, :, chosen], np.diff(edges)[chosen])
        flux = flux.reshape(*flux.shape[:2], -1, 2).mean(axis=-1)
        value, error = jackknife(lambda mean: mean, flux, result.group_weights)
        top = 0.0
        curves, spreads = smooth_curves(zenith_coordinate(cosines), value, error, zenith_coordinate(fine))
        for i, flavour in enumerate(result.flavours):
            draw_curve(ax, fine, curves[i], spreads[i], style.COLOURS[flavour], line=style.LINES[flavour])
            at = cosines + _COS_STEP * SIDE_BY_SIDE[flavour]
            draw_points(ax, at, value[i], error[i], style.points(flavour), zeros=False)
            reach = value[i] + np.minimum(np.nan_to_num(error[i]), 0.5 * value[i])
            top = max([top, *reach])
        ax.set_title(f"{max(band[0], lowest_energy(result)):.3g} to {band[1]:g} GeV")
        ax.set_ylim(0, 1.08 * top or 1.0)
        if top == 0.0:
            ax.text(0.5, 0.5, "no hits", transform=ax.transAxes, ha="center")
        ax.ticklabel_format(axis="y", style="sci", scilimits=(-2, 3))
    legend_below(figure, axes[-1, -1] if axes[-1, -1].get_legend_handles_labels()[0] else axes[0, 1])
    outer_labels(axes, ZENITH_LABEL, r"$\int\Phi\,dE$ (m$^{-2}$ s$^{-1}$ sr$^{-1}$)")
    figure.suptitle(f"{style.title(site)}: neutrino flux by zenith angle", fontsize=11)
    return figure


def azimuth(result: Result, site: str) -> Figure:
    """Draw the azimuth distribution near the horizon in the window of the east-west asymmetry, relative to its mean.

    The asymmetry A stands in each panel.

    Parameters
    ----------
    result : Result
    site : str

    Returns
    -------
    Figure
    """
    figure, axes = style.subplots(2, 2, figsize=(7.4, 5.6), sharex=True, sharey=True)
    edges = np.asarray(result.energy_edges_GeV)
    window = asymmetry.ENERGY_WINDOW_GEV
    chosen = windows.energy_bins(edges, window)
    # Bands 1 and 2 of four are -0.5 to 0 and 0 to 0.5.
    groups = np.asarray(result.groups_azimuth(site))[:, :, chosen, 1:3].mean(axis=3)
    flux = np.einsum("gfea,e->gfa", groups, np.diff(edges)[chosen])
    value, error = jackknife(lambda mean: mean / mean.mean(axis=-1, keepdims=True), flux, result.group_weights)
    azimuth_edges = np.asarray(result.azimuth_edges_deg)
    centres = 0.5 * (azimuth_edges[:-1] + azimuth_edges[1:])
    fine = np.linspace(0.0, 360.0, 181)
    ours = {one.flavour: one for one in asymmetry.east_west(result, site)}
    for ax, (i, flavour) in zip(axes.flat, enumerate(result.flavours), strict=True):
        ax.axhline(1.0, color=style.GREY, linewidth=0.6)
        curve, spread = harmonics(centres, value[i], error[i], 180.0 - fine)
        draw_curve(ax, fine, curve, spread, style.COLOURS[flavour], line=style.LINES[flavour])
        draw_points(ax, compass(centres), value[i], error[i], style.points(flavour), zeros=False)
        one = ours[flavour]
        known = "no hits" if np.isnan(one.value) else rf"$A = {one.value:.3f} \pm {one.error:.3f}$"
        ax.set_title(f"{style.LABELS[flavour]}:  {known}")
        compass_axis(ax, "")
    value_limits(axes[0, 0], value, error, include=1.0)
    outer_labels(axes, "Coming from (compass)", "Flux / mean over azimuth")
    figure.suptitle(
        rf"{style.title(site)}: {window[0]:g} to {window[1]:g} GeV, $|\cos\theta_{{\rm zenith}}| < 0.5$;  "
        r"$A=(W-E)/(W+E)$ by the half of the sky they come from",
        fontsize=10,
    )
    return figure


RATIOS = (
    (r"$(\nu_\mu+\bar\nu_\mu)\,/\,(\nu_e+\bar\nu_e)$", (("numu", "numubar"), ("nue", "nuebar")), style.BLACK, "o"),
    (r"$\nu_\mu\,/\,\bar\nu_\mu$", (("numu",), ("numubar",)), style.BLUE, "s"),
    (r"$\nu_e\,/\,\bar\nu_e$", (("nue",), ("nuebar",)), style.VERMILION, "^"),
)
"""Label, flavours of numerator and denominator, colour and marker of the ratios."""

_RATIO_TICKS = (1, 2, 3, 5, 10, 20, 30, 50, 100, 200)
_RATIO_KNOWN = 0.3
"""Largest relative error of a ratio that is drawn."""


def flavour_ratios(result: Result, site: str) -> Figure:
    """Draw ratios of sky-averaged fluxes against energy, one panel each.

    Parameters
    ----------
    result : Result
    site : str

    Returns
    -------
    Figure
    """
    figure, axes = style.subplots(3, 1, figsize=(6.4, 6.4), sharex=True)
    groups, centres = sky_average(result, site)
    index = list(result.flavours).index
    found = []
    for _, (above, below), _, _ in RATIOS:
        up, down = [index(x) for x in above], [index(x) for x in below]
        found.append(
            jackknife(lambda m, up=up, down=down: m[up].sum(axis=0) / m[down].sum(axis=0), groups, result.group_weights)  # type: ignore[misc]
        )
    scale = LARGEST_RELATIVE_ERROR / _RATIO_KNOWN
    span = energy_axis(axes[0], centres, np.array([v for v, _ in found]), scale * np.array([e for _, e in found]))
    fine = np.geomspace(*span, 241)
    for ax, (label, _, colour, marker), (value, error) in zip(axes, RATIOS, found, strict=True):
        known = (
            np.isfinite(value) & (error < _RATIO_KNOWN * np.abs(value)) & (centres >= span[0]) & (centres <= span[1])
        )
        curve, spread = smooth_curve(np.log(centres[known]), value[known], error[known], np.log(fine))
        draw_curve(ax, fine, curve, spread, colour)
        look = {"color": colour, "marker": marker, "linestyle": "none", "elinewidth": 0.8}
        draw_points(ax, centres[known], value[known], error[known], look)
        ax.set_ylabel(label)
        value_limits(ax, value[known], error[known], most=0.25)
        if known.any() and value[known].max() > 5.0 * value[known].min() > 0.0:
            # from 2 to above 20: on a linear axis the low energies would be a line along the bottom
            ax.set_yscale("log")
            ax.set_ylim(0.8 * value[known].min(), 1.25 * value[known].max())
            ax.yaxis.set_major_locator(FixedLocator(_RATIO_TICKS))
            ax.yaxis.set_major_formatter(StrMethodFormatter("{x:g}"))
            ax.yaxis.set_minor_formatter(NullFormatter())
        if not known.any():
            ax.text(0.5, 0.5, "not known to 30%", transform=ax.transAxes, ha="center")
        elif value[known].min() < 1.3:
            ax.axhline(1.0, color=style.GREY, linewidth=0.6, linestyle="--")
    axes[-1].set_xlabel("Neutrino energy (GeV)")
    plain_ticks(axes[-1])
    figure.suptitle(f"{style.title(site)}: flavour ratios, averaged over the sky", fontsize=11)
    figure.align_ylabels(axes)
    return figure


def east_west(result: Result, site: str) -> Figure:
    """Draw the east-west asymmetries of the four flavours, beside the published values where there are any.

    Parameters
    ----------
    result : Result
    site : str

    Returns
    -------
    Figure
    """
    ours = asymmetry.east_west(result, site)
    others = asymmetry.published(site)
    rows: list[tuple[str, Array, Array, dict[str, Any]]] = [
        (
            "this run",
            np.array([one.value for one in ours]),
            np.array([one.error for one in ours]),
            {"color": style.BLUE, "marker": "o"},
        )
    ]
    if others:
        known = [others[one.flavour] for one in ours]
        paper = np.array([np.nan if one.paper is None else one.paper for one in known])
        paper_error = np.array([0.0 if one.paper_error is None else one.paper_error for one in known])
        lipari = np.array([np.nan if one.lipari is None else one.lipari for one in known])
        look = {"markerfacecolor": "white"}
        rows.append(("Tserkovnyak et al.", paper, paper_error, look | {"color": style.VERMILION, "marker": "s"}))
        rows.append(("Lipari", lipari, 0.0 * lipari, look | {"color": style.BLACK, "marker": "D"}))
    window = asymmetry.ENERGY_WINDOW_GEV
    heading = (
        rf"{style.title(site)}: east-west asymmetry, {window[0]:g} to {window[1]:g} GeV, "
        r"$|\cos\theta_{\rm zenith}| < 0.5$"
    )
    return asymmetry_figure([one.flavour for one in ours], rows, heading)


def asymmetry_figure(flavours: list[str], rows: list[tuple[str, Array, Array, dict[str, Any]]], heading: str) -> Figure:
    """Draw asymmetries as points on a horizontal axis, one row per flavour, the numbers at the right.

    Parameters
    ----------
    flavours : list of str
    rows : list of (str, float64 array, float64 array, dict)
        Name, values and errors by flavour (0: not given), and look of each series. The numbers are those of the first.
    heading : str

    Returns
    -------
    Figure
    """
    figure, ax = style.subplots(figsize=(6.4, 1.5 + 0.42 * len(flavours) + 0.12 * len(rows) * len(flavours) / 2))
    at = np.arange(len(flavours), dtype=float)
    ax.axvline(0.0, color=style.GREY, linewidth=0.6)
    for k, (name, value, error, look) in enumerate(rows):
        y = at + 0.2 * (k - 0.5 * (len(rows) - 1))
        shown = np.isfinite(value) & np.isfinite(error)
        options = {"linestyle": "none", "elinewidth": 1.0, "markersize": 5.5, "label": name} | look
        ax.errorbar(value[shown], y[shown], xerr=error[shown], **options)
    name, value, error, _ = rows[0]
    for row, one, sigma in zip(at, value, error, strict=True):
        text = rf"${one:+.3f} \pm {sigma:.3f}$" if np.isfinite(one) else "no hits"
        ax.annotate(
            text, (1.015, row), xycoords=("axes fraction", "data"), va="center", fontsize=9, annotation_clip=False
        )
    if len(rows) > 1:
        ax.annotate(name, (1.015, -0.55), xycoords=("axes fraction", "data"), va="center", fontsize=9)
        legend_below(figure, ax)
    ax.set_yticks(at, [style.LABELS[flavour] for flavour in flavours], fontsize=12)
    ax.tick_params(axis="y", which="minor", left=False, right=False)
    ax.set_ylim(len(flavours) - 0.5, -0.75)
    ax.set_xlabel(r"$A = (W-E)/(W+E)$;  $W$: coming from the west")
    figure.suptitle(heading, fontsize=10)
    return figure


def fluka_zenith(result: Result, site: str, matched: matching.Matched) -> Figure:
    """Draw the zenith dependence of the result (lines) and of FLUKA's table (points) at four energies, with ratios.

    Parameters
    ----------
    result : Result
    site : str
    matched : Matched
        Result and FLUKA's table, bin by bin.

    Returns
    -------
    Figure
    """
    figure, axes = style.subplots(4, 2, figsize=(7.6, 8.0), sharex=True, height_ratios=(3, 1.2, 3, 1.2))
    edges = np.asarray(result.cos_zenith_edges)
    centres = 0.5 * (edges[:-1] + edges[1:])
    known = np.unique(matched.energy_GeV)
    shown = [known[np.abs(np.log(known / wanted)).argmin()] for wanted in FLUKA_ENERGIES_GEV]
    fine = np.linspace(-1.0, 1.0, 201)
    panels = [(axes[0, 0], axes[1, 0]), (axes[0, 1], axes[1, 1]), (axes[2, 0], axes[3, 0]), (axes[2, 1], axes[3, 1])]
    for (ax, below), energy in zip(panels, shown, strict=True):
        top = 0.0
        value, error = _quarter_decade(result, site, energy)
        curves, spreads = smooth_curves(zenith_coordinate(centres), value, error, zenith_coordinate(fine))
        for i, flavour in enumerate(result.flavours):
            colour, line = style.COLOURS[flavour], style.LINES[flavour]
            draw_curve(ax, fine, curves[i], spreads[i], colour, line=line)
            row = (matched.flavour == flavour) & (matched.energy_GeV == energy)
            cosines, reference = matched.cos_zenith[row], matched.reference[row]
            top = max([top, *reference, *np.nan_to_num(curves[i])])
            at = cosines + 2.0 * _COS_STEP * SIDE_BY_SIDE[flavour]
            look = {"color": colour, "marker": style.MARKERS[flavour], "markersize": 4.2, "linestyle": "none"}
            look["markerfacecolor"] = style.points(flavour)["markerfacecolor"]
            ax.plot(at, reference, **look, label=style.LABELS[flavour])
            bin_of = np.clip(np.searchsorted(edges, cosines) - 1, 0, len(centres) - 1)
            ratio, sigma = value[i][bin_of] / reference, error[i][bin_of] / reference
            good = (ratio > 0) & (sigma < 0.3 * ratio)
            draw_points(below, at[good], ratio[good], sigma[good], look | {"markersize": 3.0, "elinewidth": 0.8})
        ax.set_title(f"{energy:.2g} GeV")
        ax.set_xlim(-1, 1)
        ax.set_ylim(0, 1.15 * top)
        ax.ticklabel_format(axis="y", style="sci", scilimits=(-2, 3))
        below.axhline(1.0, color=style.GREY, linewidth=0.6)
        below.set_ylim(0.4, 1.6)
        below.set_yticks([0.5, 1.0, 1.5])
    legend_below(figure, axes[0, 0])
    for ax in (axes[1, 0], axes[3, 0]):
        ax.set_ylabel("sim3d / FLUKA")
    for ax in (axes[0, 0], axes[2, 0]):
        ax.set_ylabel(r"$\Phi$ (m$^{-2}$ s$^{-1}$ sr$^{-1}$ GeV$^{-1}$)")
    for ax in axes[-1]:
        ax.set_xlabel(ZENITH_LABEL)
    figure.align_ylabels(axes)
    figure.suptitle(
        f"{style.title(site)}: this run (smooth lines, bands: one standard error), FLUKA (points)", fontsize=11
    )
    return figure


def _quarter_decade(result: Result, site: str, energy_GeV: float) -> tuple[Array, Array]:
    """Compute the flux by zenith, (flavour, 40), at an energy from a quarter of a decade; E^2.5 flux counts as flat."""
    energies = np.sqrt(result.energy_edges_GeV[1:] * result.energy_edges_GeV[:-1])
    nearest = int(np.abs(np.log(energies / energy_GeV)).argmin())
    bins = slice(max(0, nearest - 5), nearest + 5)
    groups = np.asarray(result.groups_east_west(site)).mean(axis=-1)[:, :, bins]
    weights = (energies[bins] / energy_GeV) ** 2.5
    return jackknife(lambda mean: np.einsum("fec,e->fc", mean, weights) / len(weights), groups, result.group_weights)


def _merge_edges(edges: Array, n: int) -> Array:
    """Return the centres of bins made of ``n`` neighbouring bins each."""
    merged = edges[::n]
    return 0.5 * (merged[:-1] + merged[1:])
