"""Draw and write spectra, charge ratios, zenith distributions and depth profiles of muons and nucleons."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib import rc_context

from sim3d.analysis.trends import smooth_curve
from sim3d.conventions.arrays import Array
from sim3d.conventions.reference_files import reference_rows
from sim3d.files.csv_files import write_records
from sim3d.plots import style
from sim3d.plots.axes import draw_curve, plain_ticks, value_limits

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from sim3d.results.muons import MuonSpectra

_LOOKS: dict[str, dict[str, Any]] = {
    "mu+": {"color": style.VERMILION, "marker": "o", "label": r"$\mu^+$"},
    "mu-": {"color": style.BLUE, "marker": "s", "label": r"$\mu^-$"},
    "p": {"color": style.GREEN, "marker": "^", "label": "p"},
    "n": {"color": style.GREY, "marker": "v", "label": "n"},
}
_BANDS = tuple(
    zip((style.BLACK, style.VERMILION, style.ORANGE, style.GREEN, style.BLUE), ("o", "s", "^", "v", "D"), strict=True)
)
MOST_RELATIVE_ERROR = 0.5
"""Points with a larger error are left out of the figures; they are in the CSV file."""


@dataclass(frozen=True)
class Measured:
    """Measured muon spectra near the vertical.

    Attributes
    ----------
    name : str
    altitude_km : float
    momentum_GeV : float64 array (n,)
        GeV/c.
    flux_plus, flux_minus, error_plus, error_minus : float64 arrays (n,)
        m^-2 s^-1 sr^-1 (GeV/c)^-1.
    """

    name: str
    altitude_km: float
    momentum_GeV: Array
    flux_plus: Array
    flux_minus: Array
    error_plus: Array
    error_minus: Array


_MEASURED = (
    ("muons_bess_tev_2002_ground.csv", "BESS-TeV 2002", 36.2, 140.1, 0.03, ("stat_{}", "syst_{}")),
    ("muons_caprice94_ground.csv", "CAPRICE94", 56.5, -101.0, 0.36, ("err_{}",)),
)
"""File, name, latitude, longitude, altitude (km) and columns of errors of the spectra by charge that ship."""

_SAME_PLACE_DEG, _SAME_ALTITUDE_KM = 1.0, 0.5


def measured_near(lat_deg: float, lon_deg: float) -> list[Measured]:
    """Read the measured spectra of a place; their citations are in the files of ``sim3d/reference``.

    Parameters
    ----------
    lat_deg, lon_deg : float
        Sets taken within one degree count.

    Returns
    -------
    list of Measured
    """
    found = []
    for file, name, lat, lon, altitude, errors in _MEASURED:
        east = (lon_deg - lon + 180.0) % 360.0 - 180.0
        if abs(lat_deg - lat) > _SAME_PLACE_DEG or abs(east) > _SAME_PLACE_DEG:
            continue
        rows = reference_rows(file)
        at = np.array([0.5 * (float(row["p_lo"]) + float(row["p_hi"])) for row in rows])
        numbers = []
        for charge in ("plus", "minus"):
            numbers.append(np.array([float(row[f"flux_{charge}"]) for row in rows]))
        for charge in ("plus", "minus"):
            columns = [[float(row[one.format(charge)]) for row in rows] for one in errors]
            numbers.append(np.sqrt(np.sum(np.square(columns), axis=0)))
        found.append(Measured(name, altitude, at, *numbers))
    return found


def _of_level(measured: Sequence[Measured], altitude_km: float) -> list[Measured]:
    return [one for one in measured if abs(one.altitude_km - altitude_km) < _SAME_ALTITUDE_KM]


def write_csv(
    spectra: MuonSpectra, folder: Path, particles: Sequence[str], acceptance: tuple[float, float] | None = None
) -> Path:
    """Write all records of a site to ``muons-<site>.csv``.

    Parameters
    ----------
    spectra : MuonSpectra
    folder : Path
        Must exist.
    particles : sequence of str
        Particles to write.
    acceptance : (float, float), optional
        Range of cos_zenith to average over, in the place of the zenith bins.

    Returns
    -------
    Path
        File written.
    """
    path = folder / f"muons-{spectra.site}.csv"
    about = [
        "flux and error in m^-2 s^-1 sr^-1 (GeV/c)^-1, means over bins; momentum: log centre",
        "error: one standard deviation; where the flux is 0 nothing was seen and this is the 90% upper limit",
    ]
    if acceptance is not None:
        about.append(f"averaged over cos_zenith {acceptance[0]:g} to {acceptance[1]:g}")
    return write_records(path, about, spectra.records(particles, acceptance))


def draw(
    spectra: MuonSpectra,
    folder: Path,
    about: Sequence[str] = (),
    place: tuple[float, float] | None = None,
) -> list[Path]:
    """Draw and save the muon figures of a site.

    Parameters
    ----------
    spectra : MuonSpectra
    folder : Path
        Must exist.
    about : sequence of str
        What the run was, for the lines below the figures.
    place : (float, float), optional
        Latitude and longitude of the site: spectra measured there are drawn beside those of the run.

    Returns
    -------
    list of Path
        Files written (PNG and PDF of each).
    """
    name = style.title(spectra.site)
    measured = [] if place is None else measured_near(*place)
    out: list[Path] = []
    with rc_context(style.RC):
        for level, altitude in enumerate(spectra.altitudes_km):
            where = f"{name}, {altitude:.3g} km ({spectra.depths_g_cm2[level]:.4g} g/cm$^2$)"
            stem = f"{spectra.site}-muons" + (f"-{altitude:.3g}km" if spectra.altitudes_km.size > 1 else "")
            out += style.save(
                _spectra(spectra, level, where, _of_level(measured, altitude)), folder, f"{stem}-spectra", about
            )
            out += style.save(
                _ratio_and_zenith(spectra, level, where, _of_level(measured, altitude)), folder, f"{stem}-ratio", about
            )
        if spectra.altitudes_km.size > 1:
            out += style.save(_growth(spectra, name), folder, f"{spectra.site}-muons-altitude", about)
    return out


def _usable(value: np.ndarray, error: np.ndarray) -> np.ndarray:
    return (value > 0.0) & (error < MOST_RELATIVE_ERROR * value)


def _spectra(spectra: MuonSpectra, level: int, place: str, measured: Sequence[Measured]) -> Figure:
    """Draw p^3 times the spectra of muons at a few zenith angles, and of all particles near the vertical.

    Where muons were measured near the place, their ratio to the smooth curves of the run is in a panel below.
    """
    if measured:
        figure = style.new_figure((9.0, 5.4))
        panels = figure.subplot_mosaic([["left", "right"], ["left", "below"]], height_ratios=(3, 1))
        left, right, below = (panels[name] for name in ("left", "right", "below"))
        below.sharex(right)
        right.tick_params(labelbottom=False)
    else:
        figure, (left, right) = style.subplots(1, 2, figsize=(9.0, 4.2))
        below = None
    p, edges = spectra.momenta_GeV, spectra.cos_zenith_edges
    chosen = np.unique(np.linspace(0, edges.size - 2, 5).round().astype(int))[::-1]
    for (colour, marker), j in zip(_BANDS, chosen, strict=False):
        flux = spectra.flux[level, :2, :, j].sum(axis=0)
        error = np.hypot(spectra.error[level, 0, :, j], spectra.error[level, 1, :, j])
        look = {"color": colour, "marker": marker, "label": rf"$\cos\theta$ {edges[j]:g} to {edges[j + 1]:g}"}
        _points_and_curve(left, p, p**3 * flux, p**3 * error, look)
    left.set_title(rf"$\mu^+ + \mu^-$, {place}")
    curves = {}
    for k, (name, look) in enumerate(_LOOKS.items()):
        flux, error = spectra.flux[level, k, :, -1], spectra.error[level, k, :, -1]
        curves[name] = _points_and_curve(right, p, p**3 * flux, p**3 * error, look)
    for one in measured:
        for name, charge in (("mu+", "plus"), ("mu-", "minus")):
            y, sigma = (one.momentum_GeV**3 * getattr(one, f"{what}_{charge}") for what in ("flux", "error"))
            cross: dict[str, Any] = {
                "ls": "",
                "marker": "x",
                "ms": 4,
                "lw": 0.8,
                "color": _LOOKS[name]["color"],
                "zorder": 1.5,
            }
            label = one.name if charge == "plus" else None
            right.errorbar(one.momentum_GeV, y, sigma, **cross, label=label)
            drawn = curves[name]
            if below is not None and drawn is not None:
                at, curve = drawn
                ours = np.exp(np.interp(np.log(one.momentum_GeV), np.log(at), np.log(curve), np.nan, np.nan))
                below.errorbar(one.momentum_GeV, y / ours, sigma / ours, **cross)
    if below is not None:
        below.axhline(1.0, color=style.GREY, lw=0.6)
        below.set(ylim=(0.75, 1.25), xlabel="Momentum $p$ (GeV/c)", ylabel="Measured / run")
    right.set_title(rf"near the vertical, $\cos\theta$ {edges[-2]:g} to {edges[-1]:g}")
    for axes in (left, right):
        axes.set_xscale("log")
        axes.set_yscale("log")
        plain_ticks(axes)
        if axes is left or below is None:
            axes.set_xlabel("Momentum $p$ (GeV/c)")
        axes.set_ylabel(r"$p^3\,\Phi$ (m$^{-2}$ s$^{-1}$ sr$^{-1}$ (GeV/c)$^2$)")
        if axes.get_legend_handles_labels()[0]:
            axes.legend(fontsize=8, loc="lower right" if axes is left else "best")
    return figure


def _points_and_curve(
    ax: Axes, p: Array, value: Array, error: Array, look: dict[str, Any]
) -> tuple[Array, Array] | None:
    """Draw points and a smooth curve with its band; return momenta and values of the curve, if there is one."""
    good = _usable(value, error)
    if not good.any():
        ax.plot([], [])
        return None
    ax.errorbar(p[good], value[good], np.minimum(error, 0.98 * value)[good], ls="", ms=3, lw=1, **look)
    at = np.geomspace(p[good][0], p[good][-1], 161)
    curve, spread = smooth_curve(np.log(p[good]), value[good], error[good], np.log(at))
    draw_curve(ax, at, curve, spread, look["color"], positive=True)
    known = np.isfinite(curve)
    return (at[known], curve[known]) if known.any() else None


def _ratio_and_zenith(spectra: MuonSpectra, level: int, place: str, measured: Sequence[Measured]) -> Figure:
    """Draw the charge ratio against momentum with measured ones, and the zenith distribution next to cos^2."""
    figure, (left, right) = style.subplots(1, 2, figsize=(9.0, 4.2))
    edges = spectra.cos_zenith_edges
    steep = float(edges[max(0, edges.size - 4)])
    value, error = spectra.charge_ratio((steep, float(edges[-1])))
    good = _usable(value[level], error[level]) & (error[level] < 0.2 * value[level])
    p = spectra.momenta_GeV
    look = {"color": style.BLUE, "marker": "o", "label": "this run"}
    _points_and_curve(left, p[good], value[level][good], error[level][good], look)
    for one in measured:
        ratio = one.flux_plus / one.flux_minus
        # errors that both charges share are in it, too: an upper bound
        sigma = ratio * np.hypot(one.error_plus / one.flux_plus, one.error_minus / one.flux_minus)
        known = sigma < 0.2 * ratio
        left.errorbar(
            one.momentum_GeV[known], ratio[known], sigma[known], ls="", marker="x", ms=4, lw=0.8, color=style.BLACK,
            label=one.name, zorder=1.2,
        )  # fmt: skip
    value_limits(left, value[level][good], error[level][good], most=0.25)
    if left.get_legend_handles_labels()[0]:
        _legend_on_top(left)
    left.set_xscale("log")
    plain_ticks(left)
    left.set_xlabel("Momentum (GeV/c)")
    left.set_ylabel(r"$\mu^+ / \mu^-$")
    left.set_title(rf"{place}, $\cos\theta$ above {steep:g}")
    c = spectra.cos_zeniths
    for colour, marker, start in (
        (style.BLUE, "o", 0.0), (style.ORANGE, "s", 10.0), (style.VERMILION, "^", 100.0),
    ):  # fmt: skip
        first = int(np.searchsorted(spectra.momentum_edges_GeV, start * 0.999))
        if first >= spectra.momenta_GeV.size:
            continue
        low = float(spectra.momentum_edges_GeV[first])
        sums = spectra.groups[:, level, :2, first:].sum(axis=(1, 2))
        mean = np.average(sums, axis=0, weights=spectra.group_weights)
        spread = sums[spectra.group_weights > 0].std(axis=0, ddof=1) / np.sqrt((spectra.group_weights > 0).sum())
        per_sr = 2.0 * np.pi * np.diff(edges)
        if mean[-1] <= 0.0:
            continue
        top = mean[-1] / per_sr[-1]
        right.errorbar(
            c, mean / per_sr / top, spread / per_sr / top, fmt=marker, ms=3, lw=1, color=colour,
            label=f"above {low:.3g} GeV/c",
        )  # fmt: skip
    fine = np.linspace(0.0, 1.0, 101)
    right.plot(fine, fine**2, color=style.GREY, lw=1, label=r"$\cos^2\theta$")
    right.set_xlabel(r"$\cos\theta_{\rm zenith}$")
    right.set_ylabel("Intensity / vertical intensity")
    right.set_ylim(bottom=0.0)
    _legend_on_top(right)
    return figure


def _legend_on_top(ax: Axes) -> None:
    """Put the legend over the points: the axis becomes a quarter longer."""
    low, high = ax.get_ylim()
    ax.set_ylim(low, high + 0.25 * (high - low))
    ax.legend(loc="upper center", ncols=2)


def _growth(spectra: MuonSpectra, name: str) -> Figure:
    """Draw vertical intensities against depth."""
    figure, axes = style.subplots(figsize=(5.5, 4.2))
    window = (float(spectra.cos_zenith_edges[max(0, spectra.cos_zenith_edges.size - 4)]), 1.0)
    for which, look in _LOOKS.items():
        value, error = spectra.intensity([which], cos_zenith=(window[0], float(spectra.cos_zenith_edges[-1])))
        good = _usable(value, error)
        axes.errorbar(spectra.depths_g_cm2[good], value[good], error[good], ls="-", lw=0.8, ms=4, **look)
    axes.set_yscale("log")
    axes.set_xlabel("Depth (g/cm$^2$)")
    axes.set_ylabel(f"Intensity above {spectra.momentum_edges_GeV[0]:.3g} GeV/c\n(m$^{{-2}}$ s$^{{-1}}$ sr$^{{-1}}$)")
    axes.set_title(f"{name}, cos zenith above {window[0]:g}")
    if axes.get_legend_handles_labels()[0]:
        axes.legend()
    return figure
