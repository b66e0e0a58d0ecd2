"""Draw azimuth distributions and east-west asymmetries of leptons in water, with published values."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib import rc_context

from sim3d.conventions.arrays import Array
from sim3d.plots import style
from sim3d.plots.axes import compass, compass_axis, legend_below

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from sim3d.analysis.leptons import Leptons, PublishedLeptons


_NAMES = {"e": "e-like", "mu": r"$\mu$-like"}
_LOOKS: dict[str, dict[str, Any]] = {
    "neutrino": {"color": style.GREY, "marker": "^", "markerfacecolor": "white", "label": "neutrino's direction"},
    "lepton": {"color": style.BLUE, "marker": "o", "label": "lepton's direction"},
    "detector": {"color": style.GREEN, "marker": "s", "label": "lepton as reconstructed"},
}
"""Plot style of each stage: open grey for the neutrino's direction, which no detector measures."""


def draw(
    site: str,
    ours: list[Leptons],
    others: dict[str, PublishedLeptons],
    azimuth_edges_deg: Array,
    energy_GeV: tuple[float, float],
    cos_max: float,
    folder: Path,
    about: Sequence[str] = (),
) -> list[Path]:
    """Draw and save the figures ``<site>-leptons-azimuth`` and ``<site>-leptons-asymmetry``.

    Parameters
    ----------
    site : str
    ours : list of Leptons
        Of these the species e and mu are drawn.
    others : dict of PublishedLeptons
        By species; may be empty.
    azimuth_edges_deg : float64 array (n + 1,)
    energy_GeV : (float, float)
        Energy window, for the titles.
    cos_max : float
        Limit of ``|cos_zenith|``, for the titles.
    folder : Path
        Must exist.
    about : sequence of str
        What the run was, for the lines below the figures.

    Returns
    -------
    list of Path
        Files written (PNG and PDF of each).
    """
    title = (
        f"{style.title(site)}: quasi-elastic leptons of {energy_GeV[0]:g} to {energy_GeV[1]:g} GeV, "
        rf"$|\cos\theta_{{\rm zenith}}| < {cos_max:g}$"
    )
    both = [one for one in ours if one.species in _NAMES]
    written: list[Path] = []
    with rc_context(style.RC):
        for name, figure in (
            ("azimuth", azimuth(both, np.asarray(azimuth_edges_deg), title)),
            ("asymmetry", asymmetry(both, others, title)),
        ):
            written += style.save(figure, folder, f"{site}-leptons-{name}", about)
    return written


def azimuth(ours: list[Leptons], edges_deg: Array, title: str) -> Figure:
    """Draw rates against the azimuth of arrival, by direction of the neutrino (steps) and of the lepton (points).

    Parameters
    ----------
    ours : list of Leptons
    edges_deg : float64 array (n + 1,)
        Edges of the azimuth bins.
    title : str

    Returns
    -------
    Figure
    """
    figure, axes = style.subplots(1, len(ours), figsize=(8.0, 3.9), sharex=True)
    centres = 0.5 * (edges_deg[:-1] + edges_deg[1:])
    for ax, one in zip(axes, ours, strict=True):
        # from north through east; the bins of the file are from south through east
        ax.stairs(
            np.roll(one.azimuth_rate["neutrino"][::-1], -(len(centres) // 2)),
            edges_deg,
            color=style.GREY,
            linewidth=1.0,
            label="by the neutrino's direction",
        )
        look = {"color": style.GREY, "marker": "none"}
        _points(ax, compass(centres), one.azimuth_rate["neutrino"], one.azimuth_error["neutrino"], look)
        _points(
            ax,
            compass(centres),
            one.azimuth_rate["lepton"],
            one.azimuth_error["lepton"],
            _LOOKS["lepton"] | {"label": "by the lepton's direction"},
        )
        ax.set_title(_NAMES[one.species])
        ax.set_ylim(bottom=0)
        compass_axis(ax, "Coming from (compass)")
    axes[0].set_ylabel(r"Events (kt$^{-1}$ yr$^{-1}$ sr$^{-1}$)")
    legend_below(figure, axes[0])
    figure.suptitle(title, fontsize=10)
    return figure


def asymmetry(ours: list[Leptons], others: dict[str, PublishedLeptons], title: str) -> Figure:
    """Draw east-west asymmetries by stage, next to the published values.

    Parameters
    ----------
    ours : list of Leptons
    others : dict of PublishedLeptons
        By species.
    title : str

    Returns
    -------
    Figure
    """
    figure, ax = style.subplots(figsize=(6.4, 4.2))
    ax.axhline(0.0, color=style.GREY, linewidth=0.6)
    at = np.arange(len(ours), dtype=float)
    shown = [
        (
            np.array([one.asymmetry[stage] for one in ours]),
            np.array([one.asymmetry_error[stage] for one in ours]),
            look,
        )
        for stage, look in _LOOKS.items()
    ]
    known = [others[one.species] for one in ours if one.species in others]
    for key, look in (
        ("paper", {"color": style.VERMILION, "marker": "s", "markerfacecolor": "white", "label": "Tserkovnyak et al."}),
        ("lipari", {"color": style.BLACK, "marker": "D", "markerfacecolor": "white", "label": "Lipari"}),
        ("data", {"color": style.BLACK, "marker": "o", "label": "Super-Kamiokande data"}),
    ):
        values = np.array([getattr(one, key) for one in known], dtype=float)
        if len(values) and np.any(np.isfinite(values)):
            error = np.array([one.data_error if key == "data" else 0.0 for one in known], dtype=float)
            shown.append((values, error, look))
    for i, (value, error, look) in enumerate(shown):
        _points(ax, at + 0.12 * (i - 0.5 * (len(shown) - 1)), value, error, look | {"markersize": 6})
    ax.set_xticks(at, [_NAMES[one.species] for one in ours])
    ax.tick_params(axis="x", which="minor", bottom=False, top=False)
    ax.set(
        xlim=(-0.6, len(ours) - 0.4),
        ylabel=r"$A=(W-E)\,/\,(W+E)$, $W$: from the west",
        title=title,
    )
    figure.legend(*ax.get_legend_handles_labels(), loc="outside lower center", ncols=3)
    return figure


def _points(ax: Axes, x: Array, y: Array, error: Array, look: dict[str, Any]) -> None:
    """Draw error bars where a value is known; without a known error the point alone."""
    shown = np.isfinite(y)
    bars = np.where(np.isfinite(error), error, 0.0)
    ax.errorbar(x[shown], y[shown], bars[shown], linestyle="none", elinewidth=1.0, **look)
