"""Part of a run's report on the errors of the model beside those of the simulation."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

import numpy as np
from markupsafe import Markup

from sim3d.conventions.text_tables import percent
from sim3d.flux.interpolated import Flux
from sim3d.plots import style
from sim3d.report import page
from sim3d.report.page import FLAVOURS, Section, html
from sim3d.results.calibrated_run import errors_of_result
from sim3d.scoring.hit_weights import DECADE_EDGES_GEV

if TYPE_CHECKING:
    from sim3d.results.result import Result

RATIOS = (
    (("numu",), ("numubar",)),
    (("nue",), ("nuebar",)),
    (("numu", "numubar"), ("nue", "nuebar")),
)


def model_section(result: Result, statistical: dict[str, np.ndarray]) -> Section | None:
    """Write statistical, model and total errors of the flux by decade, and errors of ratios.

    Parameters
    ----------
    result : Result
    statistical : dict of float64 arrays (flavour, decade)
        Relative statistical errors of the sky-averaged flux, by site.

    Returns
    -------
    Section or None
        None if the run has no parameters with errors.
    """
    if errors_of_result(result) is None:
        return None
    parts: list[Markup] = [
        html.paragraph(
            "Errors (one standard deviation) of the flux over the whole sky, integrated over a decade of energy: of "
            f"the simulation / of the model / both in quadrature. The model is {result.attributes['calibration']}; its "
            "errors are those of its parameters alone, common to neighbouring bins. In brackets: the share of their "
            "variance that comes from priors and not from measured muons, at the middle energy, mean of three zeniths."
        )
    ]
    for site in result.sites:
        flux = Flux.of_result(result, site)
        rows, ratios = [], []
        for d, (low, high) in enumerate(itertools.pairwise(DECADE_EDGES_GEV)):
            low, high = max(low, flux.energy_range_GeV[0]), min(high, flux.energy_range_GeV[1])
            if not low < high:
                continue
            cells = []
            for f, flavour in enumerate(result.flavours):
                value = float(flux.integral(flavour, [low, high])[0, 0])
                if not (value > 0.0 and np.isfinite(statistical[site][f, d])):
                    cells.append("no hits")
                    continue
                model = float(flux.integral_error(flavour, [low, high], kind="model")[0, 0]) / value
                of_run = float(statistical[site][f, d])
                total = float(np.hypot(of_run, model))
                share = flux.prior_share(flavour, float(np.sqrt(low * high)), [-0.8, 0.0, 0.8])
                prior = f" ({100.0 * float(np.mean(share)):.0f}% prior)" if np.all(np.isfinite(share)) else ""
                cells.append(f"{percent(of_run)} / {percent(model)} / {percent(total)}{prior}")
            rows.append((f"{low:.3g}–{high:.3g}", *cells))
            cells = []
            for top, bottom in RATIOS:
                ratio, error = (x[0, 0] for x in flux.integral_ratio(top, bottom, [low, high], kind="model"))
                cells.append(f"{ratio:.3f} ± {percent(error / ratio)}" if ratio > 0.0 else "no hits")
            ratios.append((f"{low:.3g}–{high:.3g}", *cells))
        parts.append(html.heading(style.title(site)))
        parts.append(html.table(("Energy (GeV)", *(FLAVOURS[flavour] for flavour in result.flavours)), rows))
        head = ("Energy (GeV)", *(Markup(" / ").join(_summed(names) for names in sides) for sides in RATIOS))
        parts.append(html.table(head, ratios, "Ratios over the sky and their errors of the model"))
    return Section("model-errors", "Errors of the model", page.join(parts))


def _summed(names: tuple[str, ...]) -> Markup:
    """Write a sum of flavours, in brackets if there are several."""
    words = Markup(" + ").join(FLAVOURS[name] for name in names)
    return words if len(names) == 1 else Markup("(") + words + Markup(")")
