"""Draw the figures of a result: spectra, zenith and azimuth distributions, ratios, asymmetries.

Every error bar is one standard deviation from the jackknife over groups of batches. The comparison with FLUKA's table
is an exception: it has the errors of single bins. Bins without hits are left out. Only modules that draw import
matplotlib.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib import colormaps, rc_context
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize

from sim3d.analysis import asymmetry, matching
from sim3d.analysis.matching import fluka_rows
from sim3d.conventions.arrays import Array
from sim3d.plots import style
from sim3d.plots.axes import ZENITH_LABEL, draw_points, legend_below
from sim3d.results import windows
from sim3d.results.jackknife import jackknife
from sim3d.results.windows import full_bins, lowest_energy, sky_average

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from sim3d.results.result import Result


SPECTRAL_INDEX = 3
"""Spectra are drawn times E to this power."""

ZENITH_BANDS_GEV = ((0.3, 0.5), (0.5, 3.0), (3.0, 30.0), (30.0, 1000.0))

# Energies of FLUKA's table whose zenith dependence is drawn, GeV.
FLUKA_ENERGIES_GEV = (0.299, 0.944, 2.985, 9.441)

ENERGY_AXIS_GEV = (0.08, 1.25e4)
"""Limits of the energy axis of spectra and flavour ratios."""


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
                written += style.save(figure, folder, f"{site}-{name}")
    return written


def spectra(result: Result, site: str) -> Figure:
    """Draw sky-averaged fluxes against energy, 10 bins per decade.

    Parameters
    ----------
    result : Result
    site : str

    Returns
    -------
    Figure
    """
    figure, ax = style.subplots(figsize=(6.0, 4.4))
    groups, centres = sky_average(result, site)
    low, high = np.inf, 0.0
    for i, flavour in enumerate(result.flavours):
        value, error = jackknife(lambda mean, i=i: mean[i], groups, result.group_weights)  # type: ignore[misc]
        weight = centres**SPECTRAL_INDEX
        sure = (value > 0) & (error < 0.5 * value)
        low = min([low, *(value * weight)[sure]])
        high = max([high, *(value * weight)[sure]])
        draw_points(ax, centres, value * weight, error * weight, style.points(flavour), positive=True)
    if high == 0.0:
        # Matplotlib finds no limits for a log axis without points.
        low, high = 0.1, 10.0
        ax.text(0.5, 0.5, "no bin known to 50%", transform=ax.transAxes, ha="center")
    ax.set(
        xscale="log",
        yscale="log",
        xlim=ENERGY_AXIS_GEV,
        # Limits from bins with small errors: the error bar of a single hit may reach 0.
        ylim=(low / 2, high * 2),
        xlabel="Neutrino energy (GeV)",
        ylabel=rf"$E^{SPECTRAL_INDEX}\,\Phi$ (GeV$^2$ m$^{{-2}}$ s$^{{-1}}$ sr$^{{-1}}$)",
        title=f"{style.title(site)}: average over the sky",
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
    figure, axes = style.subplots(2, 2, figsize=(7.2, 5.6), sharex=True)
    edges = np.asarray(result.energy_edges_GeV)
    groups = np.asarray(result.groups_east_west(site)).mean(axis=-1)
    cosines = _merge_edges(np.asarray(result.cos_zenith_edges), 2)
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
        for i, flavour in enumerate(result.flavours):
            draw_points(ax, cosines, value[i], error[i], style.points(flavour), zeros=False)
        ax.set_title(f"{max(band[0], lowest_energy(result)):.3g} to {band[1]:g} GeV")
        ax.set_ylim(bottom=0)
        ax.ticklabel_format(axis="y", style="sci", scilimits=(-2, 3), useMathText=True)
    legend_below(figure, axes[-1, -1])
    for ax in axes[-1]:
        ax.set_xlabel(ZENITH_LABEL)
    figure.supylabel(r"$\int\Phi\,dE$ (m$^{-2}$ s$^{-1}$ sr$^{-1}$)", fontsize=10)
    figure.suptitle(style.title(site), fontsize=10)
    return figure


def azimuth(result: Result, site: str) -> Figure:
    """Draw the azimuth distribution near the horizon in the window of the east-west asymmetry, relative to its mean.

    Parameters
    ----------
    result : Result
    site : str

    Returns
    -------
    Figure
    """
    figure, axes = style.subplots(2, 2, figsize=(7.2, 5.2), sharex=True, sharey=True)
    edges = np.asarray(result.energy_edges_GeV)
    window = asymmetry.ENERGY_WINDOW_GEV
    chosen = windows.energy_bins(edges, window)
    # Bands 1 and 2 of four are -0.5 to 0 and 0 to 0.5.
    groups = np.asarray(result.groups_azimuth(site))[:, :, chosen, 1:3].mean(axis=3)
    flux = np.einsum("gfea,e->gfa", groups, np.diff(edges)[chosen])
    value, error = jackknife(lambda mean: mean / mean.mean(axis=-1, keepdims=True), flux, result.group_weights)
    azimuth_edges = np.asarray(result.azimuth_edges_deg)
    centres = 0.5 * (azimuth_edges[:-1] + azimuth_edges[1:])
    for ax, (i, flavour) in zip(axes.flat, enumerate(result.flavours), strict=True):
        ax.axhline(1.0, color=style.GREY, linewidth=0.6)
        draw_points(ax, centres, value[i], error[i], style.points(flavour), zeros=False)
        ax.set_title(style.LABELS[flavour])
        ax.set_xlim(0, 360)
        ax.set_xticks([0, 90, 180, 270, 360], ["S", "E", "N", "W", "S"])
        ax.set_xticks(np.arange(0, 361, 30), minor=True)
    figure.supxlabel("Azimuth the neutrino arrives from (ticks every 30 degrees)", fontsize=10)
    figure.supylabel("Flux / mean over azimuth", fontsize=10)
    figure.suptitle(
        rf"{style.title(site)}: {window[0]:g} to {window[1]:g} GeV, $|\cos\theta_{{\rm zenith}}| < 0.5$",
        fontsize=10,
    )
    return figure


def flavour_ratios(result: Result, site: str) -> Figure:
    """Draw ratios of sky-averaged fluxes against energy.

    Parameters
    ----------
    result : Result
    site : str

    Returns
    -------
    Figure
    """
    figure, ax = style.subplots(figsize=(6.0, 4.4))
    groups, centres = sky_average(result, site)
    mu, mubar, e, ebar = (list(result.flavours).index(x) for x in ("numu", "numubar", "nue", "nuebar"))
    shown = (
        (
            r"$(\nu_\mu+\bar\nu_\mu)/(\nu_e+\bar\nu_e)$",
            lambda m: (m[mu] + m[mubar]) / (m[e] + m[ebar]),
            style.BLACK,
            "o",
        ),
        (r"$\nu_\mu/\bar\nu_\mu$", lambda m: m[mu] / m[mubar], style.BLUE, "s"),
        (r"$\nu_e/\bar\nu_e$", lambda m: m[e] / m[ebar], style.VERMILION, "^"),
    )
    top = 1.0
    for label, ratio, colour, marker in shown:
        value, error = jackknife(ratio, groups, result.group_weights)
        # Ratios with errors above 30% would stretch the axis.
        known = np.isfinite(value) & (error < 0.3 * np.abs(value))
        look = {"color": colour, "marker": marker, "linestyle": "none", "elinewidth": 0.8, "label": label}
        draw_points(ax, centres[known], value[known], error[known], look)
        top = max([top, *(value[known] + error[known])])
    ax.axhline(1.0, color=style.GREY, linewidth=0.6)
    ax.set(
        xscale="log",
        xlim=ENERGY_AXIS_GEV,
        xlabel="Neutrino energy (GeV)",
        ylabel="Ratio of fluxes",
        ylim=(0, min(1.1 * top, 20.0)),
        title=f"{style.title(site)}: average over the sky",
    )
    legend_below(figure, ax)
    return figure


def east_west(result: Result, site: str) -> Figure:
    """Draw the east-west asymmetries of the four flavours next to the published values.

    Parameters
    ----------
    result : Result
    site : str

    Returns
    -------
    Figure
    """
    figure, ax = style.subplots(figsize=(5.2, 4.2))
    ours = asymmetry.east_west(result, site)
    others = asymmetry.published(site)
    at = np.arange(len(ours), dtype=float)
    ax.axhline(0.0, color=style.GREY, linewidth=0.6)
    look: dict[str, Any] = {"linestyle": "none", "elinewidth": 1.0, "markersize": 6}
    value = np.array([one.value for one in ours])
    error = np.array([one.error for one in ours])
    offset = 0.15 if others else 0.0
    draw_points(ax, at - offset, value, error, look | {"color": style.BLUE, "marker": "o", "label": "sim3d"})
    if others:
        known = [others[one.flavour] for one in ours]
        paper = np.array([np.nan if one.paper is None else one.paper for one in known])
        paper_error = np.array([0.0 if one.paper_error is None else one.paper_error for one in known])
        lipari = np.array([np.nan if one.lipari is None else one.lipari for one in known])
        open_marker = look | {"markerfacecolor": "white"}
        draw_points(
            ax,
            at,
            paper,
            paper_error,
            open_marker | {"color": style.VERMILION, "marker": "s", "label": "Tserkovnyak et al."},
        )
        draw_points(
            ax,
            at + 0.15,
            lipari,
            0.0 * lipari,
            open_marker | {"color": style.BLACK, "marker": "D", "label": "Lipari"},
        )
    window = asymmetry.ENERGY_WINDOW_GEV
    ax.set_xticks(at, [style.LABELS[one.flavour] for one in ours])
    ax.tick_params(axis="x", which="minor", bottom=False, top=False)
    ax.set(
        xlim=(-0.5, len(ours) - 0.5),
        ylabel=r"$(N_{\rm E}-N_{\rm W})/(N_{\rm E}+N_{\rm W})$, E: travelling east",
        title=rf"{style.title(site)}: {window[0]:g} to {window[1]:g} GeV, $|\cos\theta_{{\rm zenith}}| < 0.5$",
    )
    ax.legend()
    return figure


def fluka_zenith(result: Result, site: str, matched: matching.Matched) -> Figure:
    """Draw the zenith dependence of the result (lines) and of FLUKA's table (points) at four energies.

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
    figure, axes = style.subplots(2, 2, figsize=(7.2, 5.8), sharex=True)
    edges = np.asarray(result.binning_cos_edges("fluka"))
    centres = 0.5 * (edges[:-1] + edges[1:])
    flux, error, hits = (np.asarray(x) for x in result.binned(site, "fluka_aa"))
    energies = np.asarray(result.binning_energies("fluka"))
    known = np.unique(matched.energy_GeV)
    shown = [known[np.abs(np.log(known / wanted)).argmin()] for wanted in FLUKA_ENERGIES_GEV]
    for ax, energy in zip(axes.flat, shown, strict=True):
        top = 0.0
        j = int(np.abs(np.log(energies / energy)).argmin())
        for i, flavour in enumerate(result.flavours):
            sure = (hits[i, j] > 0) & (error[i, j] < 0.3 * flux[i, j])
            ax.errorbar(
                centres[sure],
                flux[i, j, sure],
                error[i, j, sure],
                color=style.COLOURS[flavour],
                linewidth=0.9,
                elinewidth=0.6,
            )
            row = (matched.flavour == flavour) & (matched.energy_GeV == energy)
            top = max([top, *flux[i, j, sure], *matched.reference[row]])
            ax.plot(
                matched.cos_zenith[row],
                matched.reference[row],
                color=style.COLOURS[flavour],
                marker=style.MARKERS[flavour],
                markerfacecolor=style.points(flavour)["markerfacecolor"],
                markersize=4.5,
                linestyle="none",
                label=style.LABELS[flavour],
            )
        ax.set_title(f"{energy:.2g} GeV")
        ax.set_xlim(-1, 1)
        ax.set_ylim(0, 1.2 * top)
        ax.ticklabel_format(axis="y", style="sci", scilimits=(-2, 3), useMathText=True)
    legend_below(figure, axes[0, 0])
    for ax in axes[-1]:
        ax.set_xlabel(ZENITH_LABEL)
    figure.supylabel(r"$\Phi$ (m$^{-2}$ s$^{-1}$ sr$^{-1}$ GeV$^{-1}$)", fontsize=10)
    figure.suptitle(
        f"{style.title(site)}: sim3d (lines, bins known to 30%), FLUKA at solar maximum (points)", fontsize=10
    )
    return figure


def fluka_ratio(site: str, matched: matching.Matched) -> Figure:
    """Draw the ratio to FLUKA's table, one point per energy and zenith bin.

    Parameters
    ----------
    site : str
    matched : Matched
        Result and FLUKA's table, bin by bin.

    Returns
    -------
    Figure
    """
    figure, axes = style.subplots(2, 2, figsize=(7.6, 5.6), sharex=True, sharey=True)
    shades = colormaps["viridis"]
    for ax, flavour in zip(axes.flat, style.LABELS, strict=True):
        ax.axhspan(0.85, 1.15, color="0.92", linewidth=0)
        ax.axhline(1.0, color=style.GREY, linewidth=0.6)
        chosen = (matched.flavour == flavour) & (matched.hits > 0)
        # Zeniths of one energy stand side by side over the width of two bins.
        x = matched.energy_GeV[chosen] * 10 ** (0.08 * matched.cos_zenith[chosen])
        ratio = matched.flux[chosen] / matched.reference[chosen]
        sigma = matched.error[chosen] / matched.reference[chosen]
        known = sigma < 0.3
        colours = shades(0.5 * (1 + matched.cos_zenith[chosen][known]))
        ax.errorbar(x[known], ratio[known], sigma[known], linestyle="none", ecolor=colours, elinewidth=0.7, zorder=2)
        ax.scatter(x[known], ratio[known], s=9, c=colours, zorder=3)
        ax.set_title(style.LABELS[flavour])
        ax.set(xscale="log", xlim=(0.08, 250.0), ylim=(0.4, 1.6))
        outside = int(np.sum(np.abs(ratio[known] - 1.0) > 0.6))
        if outside:
            ax.text(0.97, 0.05, f"{outside} outside", transform=ax.transAxes, ha="right", fontsize=8)
    bar = figure.colorbar(ScalarMappable(Normalize(-1, 1), shades), ax=axes, aspect=40)
    bar.set_label(ZENITH_LABEL)
    figure.supxlabel("Neutrino energy (GeV)", fontsize=10)
    figure.supylabel("sim3d / FLUKA", fontsize=10)
    figure.suptitle(f"{style.title(site)}: FLUKA at solar maximum; band: 15%; bins known to 30%", fontsize=10)
    return figure


def _merge_edges(edges: Array, n: int) -> Array:
    """Return the centres of bins made of ``n`` neighbouring bins each."""
    merged = edges[::n]
    return 0.5 * (merged[:-1] + merged[1:])
