"""Compute ratios with errors and sizes of systematic effects from the runs of scripts/studies/systematics.py.

Tables and a figure are made of them; nothing is simulated here.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib import rc_context

from sim3d.conventions.flavours import FLAVOURS
from sim3d.plots import style
from sim3d.plots.axes import legend_below, outer_labels, plain_ticks
from sim3d.results.pairs import jackknife_of_two
from sim3d.results.result import Result

WINDOWS_GEV = {0.3: (0.2, 0.45), 1.0: (0.7, 1.4), 3.0: (2.0, 4.5), 10.0: (7.0, 14.0), 100.0: (50.0, 200.0)}
"""Energy windows by nominal energy: bins whose centre lies inside, a factor 2 to 4 wide."""

HIGH_FROM_GEV = 10.0
"""At and above this energy ratios are from the high-energy runs, where a variation has one."""

BANDS: dict[str, tuple[float, float]] = {
    "sky": (-1.0, 1.0),
    "down": (0.5, 1.0),
    "horizon": (-0.1, 0.1),
    "up": (-1.0, -0.5),
}
"""Zenith bands: edges in cos_zenith, borders of the fine bins."""

OBSERVABLES = (*FLAVOURS, "mu/e", "numu/numubar", "nue/nuebar")
"""Fluxes of the flavours, and ratios: (numu + numubar)/(nue + nuebar), neutrinos over antineutrinos."""


@dataclass(frozen=True)
class Effect:
    """Systematic effect that consists of one or several variations.

    Attributes
    ----------
    title : str
    measure : str
        ``spread``: half of largest less smallest ratio, the base (1) among them. ``shift``: largest abs(ratio - 1).
        ``between``: half of largest less smallest, without the base.
    fluka_percent : float or None
        Estimate of Battistoni et al., Astropart. Phys. 19 (2003) 269, section "Estimate of Systematic Errors".
    """

    title: str
    measure: str
    fluka_percent: float | None = None


EFFECTS = {
    "fits": Effect("Primaries: GHLS high, low", "spread", 7.0),
    "primaries": Effect("Primaries: other models", "spread"),
    "hadronic": Effect("Hadronic models", "spread", 15.0),
    "atmosphere": Effect("Air: January, July", "between", 1.0),
    "epoch": Effect("Field: epoch", "shift"),
    "degree": Effect("Field: degree 13", "shift"),
    "dipole": Effect("Field: degree 1 (for information)", "shift"),
    "bending": Effect("No bending in the air", "shift", 2.0),
    "solar": Effect("Sun: minimum, maximum (known, not an error)", "between"),
}


@dataclass(frozen=True)
class Row:
    """Ratio of a variation to the base; the constants of this module list the names."""

    site: str
    effect: str
    variation: str
    band: str
    energy_GeV: float
    observable: str
    ratio: float
    error: float


@dataclass(frozen=True)
class Size:
    """Relative size of an effect, with its statistical error."""

    site: str
    effect: str
    band: str
    energy_GeV: float
    observable: str
    size: float
    error: float


def observables(mean: np.ndarray) -> np.ndarray:
    """Compute the :data:`OBSERVABLES`: fluxes, flavour ratio, and neutrino to antineutrino ratios.

    Parameters
    ----------
    mean : float64 array (..., 4)
        Fluxes by flavour.

    Returns
    -------
    float64 array (..., 7)
    """
    mu, mubar, e, ebar = (mean[..., i] for i in range(4))
    with np.errstate(divide="ignore", invalid="ignore"):
        ratios = [(mu + mubar) / (e + ebar), mu / mubar, e / ebar]
    return np.concatenate([mean, np.stack(ratios, axis=-1)], axis=-1)


def fluxes(site: str, window_GeV: tuple[float, float], band: str) -> Callable[[Result], np.ndarray]:
    """Make a function that sums a result's flux over an energy window and a zenith band.

    Parameters
    ----------
    site : str
    window_GeV : (float, float)
    band : str
        A key of :data:`BANDS`.

    Returns
    -------
    callable
        Takes a result and returns the flux of each group of batches, (G, flavour).
    """
    low, high = BANDS[band]

    def groups(result: Result) -> np.ndarray:
        energies = np.sqrt(result.energy_edges_GeV[1:] * result.energy_edges_GeV[:-1])
        width = np.diff(result.energy_edges_GeV) * ((energies > window_GeV[0]) & (energies < window_GeV[1]))
        cosines = 0.5 * (result.cos_zenith_edges[1:] + result.cos_zenith_edges[:-1])
        chosen = np.asarray(result.groups_east_west(site))[:, :, :, (cosines > low) & (cosines < high)]
        return np.einsum("gfecd,e->gf", chosen, width)

    return groups


def part_of(energy_GeV: float, parts: Iterable[str]) -> str | None:
    """Choose the run that a number at an energy is taken from.

    Parameters
    ----------
    energy_GeV : float
    parts : iterable of str
        Parts that a variation has.

    Returns
    -------
    str or None
        ``low`` or ``high``; None if no run of the variation reaches this energy.
    """
    if energy_GeV >= HIGH_FROM_GEV and "high" in parts:
        return "high"
    # a run for low energies has useful statistics at 10 GeV, hardly any at 100
    return "low" if energy_GeV <= HIGH_FROM_GEV and "low" in parts else None


def rows(
    effect: str, variation: str, sites: Iterable[str], runs: dict[str, Result], base: dict[str, Result]
) -> list[Row]:
    """Compute all ratios of one variation to the base, with jackknife errors.

    Parameters
    ----------
    effect, variation : str
    sites : iterable of str
    runs, base : dict of Result
        By part (``low``, ``high``).

    Returns
    -------
    list of Row
    """
    out = []
    for site in sites:
        for band in BANDS:
            for energy, window in WINDOWS_GEV.items():
                part = part_of(energy, runs)
                if part is None:
                    continue
                value, error = jackknife_of_two(
                    lambda a, b: observables(a) / observables(b), runs[part], base[part], fluxes(site, window, band)
                )
                for name, v, e in zip(OBSERVABLES, value, error, strict=True):
                    out.append(Row(site, effect, variation, band, energy, name, float(v), float(e)))
    return out


def sizes(found: list[Row]) -> list[Size]:
    """Compute the size of each effect from the ratios of its variations.

    Parameters
    ----------
    found : list of Row

    Returns
    -------
    list of Size
    """
    keys = dict.fromkeys((r.site, r.effect, r.band, r.energy_GeV, r.observable) for r in found)
    out = []
    for key in keys:
        these = [r for r in found if (r.site, r.effect, r.band, r.energy_GeV, r.observable) == key]
        known = [(r.ratio, r.error) for r in these if np.isfinite(r.ratio)]
        if known:
            out.append(Size(*key, *size(EFFECTS[key[1]].measure, known)))
    return out


def size(measure: str, ratios: list[tuple[float, float]]) -> tuple[float, float]:
    """Compute the size of an effect and its error from the ratios of its variations.

    Parameters
    ----------
    measure : str
        See :class:`Effect`.
    ratios : list of (float, float)
        Ratio and error of each variation.

    Returns
    -------
    value, error : float
    """
    if measure == "shift":
        value, error = max(ratios, key=lambda one: abs(one[0] - 1.0))
        return abs(value - 1.0), error
    pool = ratios if measure == "between" and len(ratios) > 1 else [*ratios, (1.0, 0.0)]
    top, bottom = max(pool), min(pool)
    return 0.5 * (top[0] - bottom[0]), 0.5 * float(np.hypot(top[1], bottom[1]))


def markdown(found: list[Row], about: str) -> str:
    """Write the tables: effects, then every variation by flavour; averages over the whole sky.

    Parameters
    ----------
    found : list of Row
    about : str
        Text above the tables.

    Returns
    -------
    str
    """
    sky = [r for r in found if r.band == "sky"]
    heads = " | ".join(f"{e:g} GeV" for e in WINDOWS_GEV)
    line = "|---" * (3 + len(WINDOWS_GEV)) + "|"
    parts = [about]
    for site in dict.fromkeys(r.site for r in sky):
        parts += ["", f"**{style.title(site)}: size of each effect, percent, whole sky.**", ""]
        parts += [f"| Effect | FLUKA's estimate | Flavour | {heads} |", line]
        by_key = {(s.effect, s.observable, s.energy_GeV): s for s in sizes([r for r in sky if r.site == site])}
        for effect, about_it in EFFECTS.items():
            for observable in OBSERVABLES:
                cells = [_percent(by_key.get((effect, observable, energy))) for energy in WINDOWS_GEV]
                if any(cells):
                    fluka = "" if about_it.fluka_percent is None else f"{about_it.fluka_percent:g}"
                    parts.append(f"| {about_it.title} | {fluka} | {observable} | {' | '.join(cells)} |")
    for site in dict.fromkeys(r.site for r in sky):
        parts += ["", f"**{style.title(site)}: ratio to the base, whole sky.**", ""]
        parts += [f"| Effect | Variation | Flavour | {heads} |", line]
        these = [r for r in sky if r.site == site and r.observable in FLAVOURS]
        here = {(r.effect, r.variation, r.observable, r.energy_GeV): r for r in these}
        for effect, variation, observable in dict.fromkeys(key[:3] for key in here):
            cells = [_ratio(here.get((effect, variation, observable, energy))) for energy in WINDOWS_GEV]
            parts.append(f"| {EFFECTS[effect].title} | {variation} | {observable} | {' | '.join(cells)} |")
    return "\n".join(parts) + "\n"


def _percent(one: Size | None) -> str:
    return "" if one is None else f"{100 * one.size:.1f} ± {100 * one.error:.1f}"


def _ratio(one: Row | None) -> str:
    if one is None or not np.isfinite(one.ratio):
        return ""
    return f"{one.ratio:.3f} ± {one.error:.3f}"


def put_into(page: str, table: str) -> str:
    """Insert a table into a page of documentation, between its marks.

    Parameters
    ----------
    page, table : str

    Returns
    -------
    str

    Raises
    ------
    ValueError
        If the page lacks the marks.
    """
    start, end = "<!-- systematics: begin -->", "<!-- systematics: end -->"
    before, found, rest = page.partition(start)
    _, closed, after = rest.partition(end)
    if not (found and closed):
        raise ValueError(f"needs the marks {start} and {end}")
    return f"{before}{start}\n\n{table}\n{end}{after}"


def read_sizes(page: str) -> list[Size]:
    """Read the sizes of effects from the tables that :func:`markdown` wrote, to draw them without the runs.

    Parameters
    ----------
    page : str

    Returns
    -------
    list of Size
        To a tenth of a percent, as the tables have them.
    """
    keys = {effect.title: key for key, effect in EFFECTS.items()}
    names = {style.title(site): site for site in ("kamioka", "sno")}
    found, site = [], ""
    for line in page.splitlines():
        if head := re.match(r"\*\*(.+): (size of each effect|ratio to the base)", line):
            site = names.get(head[1], head[1]) if head[2].startswith("size") else ""
            continue
        cells = [cell.strip() for cell in line.strip().strip("|").split("|")]
        if not site or cells[0] not in keys or len(cells) != 3 + len(WINDOWS_GEV):
            continue
        for energy, cell in zip(WINDOWS_GEV, cells[3:], strict=True):
            if cell:
                value, error = (0.01 * float(one) for one in cell.split("±"))
                found.append(Size(site, keys[cells[0]], "sky", energy, cells[2], value, error))
    return found


PANELS = (("hadronic", "solar"), ("fits", "primaries"), ("bending", "atmosphere"), ("epoch", "degree"))
"""Effects of the figure's panels; large ones first."""

TITLES = {"solar": "Sun: minimum, maximum"}
"""Headings of panels for effects whose title is too long for one."""

FLAVOURS_DRAWN = ("numu", "nue")


def draw(found: list[Size], folder: Path, about: str) -> list[Path]:
    """Draw the size of each effect against energy, a panel for each, for numu and nue at each site.

    Parameters
    ----------
    found : list of Size
    folder : Path
    about : str
        What the runs were, for the line below the figure.

    Returns
    -------
    list of Path
        PNG and PDF.
    """
    sky = [one for one in found if one.band == "sky" and one.observable in FLAVOURS_DRAWN]
    sites = list(dict.fromkeys(one.site for one in sky))
    energies = list(WINDOWS_GEV)
    with rc_context(style.RC):
        figure, axes = style.subplots(len(PANELS), 2, figsize=(7.6, 9.4), sharex=True)
        for pair, effects in zip(axes, PANELS, strict=True):
            for ax, effect in zip(pair, effects, strict=True):
                _panel(ax, [one for one in sky if one.effect == effect], sites)
                ax.set_title(TITLES.get(effect, EFFECTS[effect].title))
                estimate = EFFECTS[effect].fluka_percent
                if estimate is not None:
                    ax.axhline(estimate, color=style.GREY, linewidth=0.9, linestyle="--", label="FLUKA's estimate")
                    # between the energies of the points, where no error bar crosses it
                    ax.annotate(
                        f"{estimate:g}%", (math.sqrt(energies[-2] * energies[-1]), estimate), xytext=(0, 3),
                        textcoords="offset points", ha="center", fontsize=8, color="0.35",
                    )  # fmt: skip
                known = [100.0 * (one.size + min(one.error, one.size)) for one in sky if one.effect == effect]
                ax.set_ylim(0.0, 1.18 * max([*known, estimate or 0.0, 0.5]))
        for ax in axes.flat:
            ax.set(xscale="log", xlim=(0.5 * energies[0], 2.0 * energies[-1]))
            plain_ticks(ax)
        outer_labels(axes, "Neutrino energy (GeV)", "Size (%)")
        figure.align_ylabels(axes[:, 0])
        legend_below(figure, axes[0, 0], columns=3)
        figure.suptitle("Systematic effects on the flux over the sky")
        return style.save(figure, folder, "systematics", [about])


def _panel(ax: Any, these: list[Size], sites: list[str]) -> None:
    """Draw one effect: lines join the energies; open symbols and dashed lines are the second site."""
    for j, site in enumerate(sites):
        for i, flavour in enumerate(FLAVOURS_DRAWN):
            here = [one for one in these if one.site == site and one.observable == flavour]
            x = np.array([one.energy_GeV for one in here]) * 1.06 ** (2 * j + i - 1.5)
            y, error = (100.0 * np.array([getattr(one, name) for one in here]) for name in ("size", "error"))
            colour = style.COLOURS[flavour]
            ax.errorbar(
                x, y, np.stack([np.minimum(error, y), error]) if here else None, color=colour,
                marker=style.MARKERS[flavour], markerfacecolor="white" if j else colour, markersize=4.5,
                linestyle="--" if j else "-", linewidth=0.7, elinewidth=0.8,
                label=f"{style.LABELS[flavour]}, {style.title(site)}",
            )  # fmt: skip
