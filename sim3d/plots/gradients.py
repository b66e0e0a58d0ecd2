"""Draw flux gradients, varied fluxes and propagated errors against energy, for sky-averaged fluxes."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from matplotlib import rc_context

from sim3d.analysis.trends import smooth_curve
from sim3d.config.parameters import CLASS_OF, UNITS, in_units
from sim3d.conventions.flavours import FLAVOURS
from sim3d.plots import style
from sim3d.plots.axes import draw_curve, legend_below, outer_labels, plain_ticks, value_limits
from sim3d.scoring.gradients import BINS

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from sim3d.results.gradients import PropagatedErrors, SiteGradients
    from sim3d.results.varied_flux import VariedFlux

LINES = 5
"""Parameters in a panel: those with the largest effect on the flux."""
KNOWN = 0.2
"""Largest relative error of the sky-averaged flux at which an energy is drawn; with few hits results are unreliable."""
MOST_ERROR = 0.25
"""Largest error of a point in the figure; the smooth lines are fitted to all."""
KINDS = {"hadronic": ("yields", "cross-sections", "angles"), "primary": ("primaries", "solar")}
"""Classes of parameters that share a figure."""
_COLOURS = (style.BLUE, style.VERMILION, style.GREEN, style.ORANGE, style.PURPLE, style.BLACK, style.GREY, "#56B4E9")
_MARKERS = "os^vDPX*"


def known_energies(site_gradients: SiteGradients) -> np.ndarray:
    """Return where the sky-averaged flux has a small enough error to be drawn.

    Parameters
    ----------
    site_gradients : SiteGradients

    Returns
    -------
    bool array (flavour, energy)
    """
    flux, error = site_gradients.derive_sky(lambda mean: mean[..., 0])
    return (flux > 0.0) & (error < KNOWN * flux)


def draw_gradients(site_gradients: SiteGradients, folder: Path, about: Sequence[str] = ()) -> list[Path]:
    """Draw and save d ln flux / d parameter of the parameters with the largest effect, one panel per flavour.

    Parameters
    ----------
    site_gradients : SiteGradients
    folder : Path
        Must exist.
    about : sequence of str
        What the run was, for the lines below the figures.

    Returns
    -------
    list of Path
        Files ``SITE-gradients-KIND``, PNG and PDF of each.
    """
    known = known_energies(site_gradients)
    written = []
    for kind, classes in KINDS.items():
        values = {
            name: np.array(site_gradients.sky_gradient(name)) * UNITS.get(name, 1.0)
            for name in site_gradients.parameters
            if CLASS_OF[name] in classes
        }
        # the largest value that is certain: a mean over all energies would be one over the few hits at the highest
        size = {
            name: float(np.max((np.abs(value) - 2.0 * error)[known], initial=0.0))
            for name, (value, error) in values.items()
        }
        chosen = sorted(size, key=lambda name: -size[name])[:LINES]
        if chosen:
            with rc_context(style.RC):
                figure = _panels({name: values[name] for name in chosen}, known)
                title = f"{style.title(site_gradients.site)}: how the flux over the sky changes with its inputs"
                figure.suptitle(title, fontsize=11)
                note = f"points with an error above {MOST_ERROR:g} are left out, the lines are fitted to all"
                written += style.save(figure, folder, f"{site_gradients.site}-gradients-{kind}", [note, *about])
    return written


def _panels(values: dict[str, np.ndarray], known: np.ndarray) -> Figure:
    figure, axes = style.subplots(2, 2, figsize=(7.6, 6.6), sharex=True, sharey=True)
    fine = np.geomspace(BINS.energies_GeV[0], BINS.energies_GeV[-1], 161)
    curves: list[np.ndarray] = []
    for i, (flavour, ax) in enumerate(zip(FLAVOURS, axes.flat, strict=True)):
        looks = zip(values.items(), _COLOURS, _MARKERS, strict=False)
        for k, ((name, (value, error)), colour, marker) in enumerate(looks):
            at = BINS.energies_GeV[known[i]]
            curve, spread = smooth_curve(np.log(at), value[i, known[i]], error[i, known[i]], np.log(fine), log=False)
            draw_curve(ax, fine, curve, spread, colour)
            curves.append(curve)
            sure = known[i] & (error[i] < MOST_ERROR)
            ax.errorbar(
                BINS.energies_GeV[sure] * 10.0 ** (0.015 * (k - 2)),
                value[i, sure],
                error[i, sure],
                color=colour,
                marker=marker,
                markersize=3.0,
                linestyle="none",
                elinewidth=0.6,
                label=words(name),
            )
        ax.axhline(0.0, color=style.GREY, linewidth=0.6)
        ax.set(xscale="log", title=style.LABELS[flavour])
        plain_ticks(ax)
    drawn = np.concatenate([np.zeros(1), *curves])
    value_limits(axes[0, 0], drawn, np.where(np.isfinite(drawn), 0.15, np.nan))
    outer_labels(axes, "Neutrino energy (GeV)", r"$\partial\ln\Phi\,/\,\partial$ parameter")
    legend_below(figure, axes[0, 0], columns=2)
    return figure


_PARTICLES = {
    "pi+": r"$\pi^+$",
    "pi-": r"$\pi^-$",
    "pi0": r"$\pi^0$",
    "K+": "K$^+$",
    "K-": "K$^-$",
    "p": "p",
    "n": "n",
    "nucleon": "nucleons",
    "pion": "pions",
    "kaon": "kaons",
}
_SHAPES = {"elasticity": "elasticity of nucleons", "tilt": "tilt of pions in x"}
_KINDS = {"sigma": "cross section of", "angle": "angles of"}
_PRIMARIES = {"p": "protons", "nucleons": "nucleons"}
_CHANGES = {"norm": "number of", "slope": "slope of"}


def words(name: str) -> str:
    r"""Write a parameter in words for a legend.

    Parameters
    ----------
    name : str
        Such as ``pi+@31`` or ``sigma:nucleon``.

    Returns
    -------
    str
        The name with its unit where there are no words for it.

    Examples
    --------
    >>> words("pi+@31"), words("sigma:nucleon")
    ('yield of $\\pi^+$ at 31 GeV', 'cross section of nucleons')
    >>> words("primary:p:slope"), words("primary:He@100")
    ('slope of primary protons', 'number of primary He at 100 GeV')
    """
    particle, at, energy = name.partition("@")
    if at and particle in _PARTICLES:
        return f"yield of {_PARTICLES[particle]} at {energy} GeV"
    if at and particle in _SHAPES:
        return f"{_SHAPES[particle]} at {energy} GeV"
    kind, colon, what = name.partition(":")
    if kind == "primary":
        group, _, change = what.partition(":")
        group, at, energy = group.partition("@")
        start, end = _CHANGES.get(change, "number of"), f" at {energy} GeV" if at else ""
        return f"{start} primary {_PRIMARIES.get(group, group)}{end}"
    if colon and kind in _KINDS:
        return f"{_KINDS[kind]} {_PARTICLES.get(what, what)}"
    return in_units(name)


def draw_varied(
    site_gradients: SiteGradients, varied: VariedFlux, folder: Path, about: Sequence[str] = ()
) -> list[Path]:
    """Draw and save the ratio of a varied flux to the run's own.

    Parameters
    ----------
    site_gradients : SiteGradients
    varied : VariedFlux
    folder : Path
        Must exist.
    about : sequence of str
        What the run was, for the lines below the figure.

    Returns
    -------
    list of Path
        Files ``SITE-varied``, PNG and PDF.
    """
    known = known_energies(site_gradients)
    with rc_context(style.RC):
        figure, ax = style.subplots(figsize=(6.0, 4.4))
        for i, flavour in enumerate(FLAVOURS):
            value, error = varied.sky_ratio[i], varied.sky_ratio_error[i]
            sure = known[i]
            at = BINS.energies_GeV[sure] * 10.0 ** (0.012 * (i - 1.5))
            ax.errorbar(at, value[sure], error[sure], **style.points(flavour))
        ax.axhline(1.0, color=style.GREY, linewidth=0.6)
        ax.set(xscale="log", xlabel="Neutrino energy (GeV)", ylabel="Varied flux / flux")
        plain_ticks(ax)
        ax.set_title(f"{style.title(varied.site)}: flux over the sky with other inputs")
        legend_below(figure, ax)
        return style.save(figure, folder, f"{varied.site}-varied", [f"varied: {varied.label}", *about])


def draw_errors(
    site_gradients: SiteGradients, errors: PropagatedErrors, source: str, folder: Path, about: Sequence[str] = ()
) -> list[Path]:
    """Draw and save the relative errors of fluxes and flavour ratio that follow from the parameters' errors.

    Parameters
    ----------
    site_gradients : SiteGradients
    errors : PropagatedErrors
    source : str
        Where the parameters' errors are from, for the title.
    folder : Path
        Must exist.
    about : sequence of str
        What the run was, for the lines below the figure.

    Returns
    -------
    list of Path
        Files ``SITE-errors``, PNG and PDF.
    """
    flavours, ratio = errors.sky()
    known = known_energies(site_gradients)
    with rc_context(style.RC):
        figure, ax = style.subplots(figsize=(6.0, 4.4))
        for i, flavour in enumerate(FLAVOURS):
            colour, marker = style.COLOURS[flavour], style.MARKERS[flavour]
            label = style.LABELS[flavour]
            ax.plot(
                BINS.energies_GeV[known[i]], 100.0 * flavours[i, known[i]], color=colour, marker=marker, label=label
            )
        label = r"$(\nu_\mu+\bar\nu_\mu)/(\nu_e+\bar\nu_e)$"
        ax.plot(
            BINS.energies_GeV[known.all(axis=0)],
            100.0 * ratio[known.all(axis=0)],
            color=style.BLACK,
            linestyle="--",
            label=label,
        )
        ax.set(xscale="log", xlabel="Neutrino energy (GeV)", ylabel="Error from the parameters (%)", ylim=(0.0, None))
        plain_ticks(ax)
        ax.set_title(f"{style.title(errors.site)}: errors of the flux over the sky from its inputs")
        legend_below(figure, ax)
        return style.save(figure, folder, f"{errors.site}-errors", [f"errors of the inputs: {source}", *about])
