"""Compute what hadronic models give for the measurements of muons, by the cascade equations and under their conditions.

Every set is computed at its own depth or altitude, in the NRLMSIS atmosphere of its place and month, with the primaries
behind its cutoff and at the solar modulation of its date, averaged over its zenith angles.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from atmosphere.layers import LayeredAtmosphere, linsley
from atmosphere.msis import from_msis
from hadronic.models import HadronicModel
from sim3d.cascade.energies import BINS_PER_DECADE, make_grid
from sim3d.cascade.flux import CascadeFlux, Place, mean_over, solve_places
from sim3d.cascade.primaries import no_cutoff, sharp_cutoff
from sim3d.cascade.solver import CascadeSolver
from sim3d.conventions.arrays import Array
from sim3d.conventions.text_tables import text_table
from sim3d.primaries.build import primary_model
from sim3d.primaries.catalogue import highest_energy_GeV
from sim3d.studies.muon_measurements import (
    BANDS_GEV,
    THREE_D_BELOW_GEV,
    THREE_D_FACTOR,
    Conditions,
    MuonData,
    chi2,
    mean_ratio,
    muon_data,
)

PRIMARIES = "gsf:2026.1"
_LOWEST_GEV, _HIGHEST_GEV = 0.03, 1.0e6


@dataclass(frozen=True)
class Compared:
    """One hadronic model beside all sets of data.

    Attributes
    ----------
    model : str
        Name, with the definition of x where the model has a choice.
    data : tuple of MuonData
    values : tuple of float64 arrays
        The model at the points of each set.
    """

    model: str
    data: tuple[MuonData, ...]
    values: tuple[Array, ...]


def _air(place: Conditions, name: str) -> LayeredAtmosphere:
    return from_msis(place.lat, place.lon, month=place.month).atmosphere if name == "nrlmsis" else linsley()


def _places(conditions: Conditions, primaries: str, atmosphere: str) -> list[Place]:
    air = _air(conditions, atmosphere)
    spectrum = primary_model(primaries, "date", conditions.date)
    depth = conditions.depth_g_cm2
    height = conditions.altitude_km if depth is None else float(air.height(depth))
    cutoff = sharp_cutoff(conditions.cutoff_GV) if conditions.cutoff_GV > 0.0 else no_cutoff()
    return [Place(cosine, air, spectrum, height, cutoff) for cosine in conditions.cosines]


def values_at(data: MuonData, fluxes: dict[Conditions, CascadeFlux]) -> Array:
    """Compute the values of a set from fluxes: means over its bins, or at its momenta where bins are not known.

    Parameters
    ----------
    data : MuonData
    fluxes : dict of CascadeFlux
        By the conditions of the points, averaged over the acceptance.

    Returns
    -------
    float64 array (n,)
    """
    out = np.empty(data.value.size)
    for i, conditions in enumerate(data.conditions):
        flux, low, high = fluxes[conditions], data.low_GeV[i], data.high_GeV[i]
        both = [
            float(flux.mean_flux(muon, low, high) if high > low else flux.flux(muon, data.at_GeV[i]))
            for muon in ("mu+", "mu-")
        ]
        out[i] = sum(both) if data.quantity == "flux" else both[0] / both[1]
    return out


def compare_models(
    models: Sequence[HadronicModel],
    primaries: str = PRIMARIES,
    atmosphere: str = "nrlmsis",
    bins_per_decade: int = BINS_PER_DECADE,
) -> list[Compared]:
    """Compute all hadronic models beside all sets of data.

    Parameters
    ----------
    models : sequence of HadronicModel
    primaries : str
        Name of the primary model.
    atmosphere : str
        ``nrlmsis`` (needs the extra ``msis``) or ``us-standard``.
    bins_per_decade : int
        Of energy.

    Returns
    -------
    list of Compared
        One for each model.
    """
    data = tuple(muon_data())
    conditions = list(dict.fromkeys(one for each in data for one in each.conditions))
    places = [_places(one, primaries, atmosphere) for one in conditions]
    grid = make_grid(_LOWEST_GEV, min(_HIGHEST_GEV, highest_energy_GeV(primaries)), bins_per_decade)
    out = []
    for model in models:
        found = solve_places(CascadeSolver(model.tables, grid), [place for group in places for place in group])
        averaged = {}
        for one, group in zip(conditions, places, strict=True):
            averaged[one] = mean_over(found[: len(group)], one.weights)
            found = found[len(group) :]
        name = model.name if model.definition in ("generator", "data") else f"{model.name} ({model.definition})"
        out.append(Compared(name, data, tuple(values_at(each, averaged) for each in data)))
    return out


def as_text(compared: Sequence[Compared], bands_GeV: Sequence[tuple[float, float]] = BANDS_GEV) -> str:
    """Format chi2 by set and model, and the mean of model over data by set and momentum.

    Parameters
    ----------
    compared : sequence of Compared
    bands_GeV : sequence of (float, float)
        Momenta over which the ratio is averaged (GeV/c).

    Returns
    -------
    str
        Two tables and what they leave out.
    """
    data = compared[0].data
    names = [one.model for one in compared]
    head = ["", "set", "points", *names]
    rows = []
    for i, each in enumerate(data):
        found = [chi2(each, one.values[i]) for one in compared]
        rows.append([each.quantity, each.name, str(found[0][1]), *(f"{value:.0f}" for value, _ in found)])
    lines = [f"chi2, momenta above {THREE_D_BELOW_GEV:g} GeV/c"]
    lines += text_table(head, rows, "ll" + "r" * (len(head) - 2))
    lines += ["", "model over data (error of the data)"]
    rows = []
    for i, each in enumerate(data):
        for band in bands_GeV:
            found_in = [mean_ratio(each, one.values[i], band) for one in compared]
            if found_in[0] is None:
                continue
            cells = ["" if mean is None else f"{mean[0]:.3f}" for mean in found_in]
            label = f"{band[0]:g}-{band[1]:g}"
            rows.append([each.quantity, each.name, label, f"{found_in[0][1] / found_in[0][0]:.3f}", *cells])
    head = ["", "set", "GeV/c", "error", *names]
    lines += text_table(head, rows, "ll" + "r" * (len(head) - 2))
    factor, error = THREE_D_FACTOR
    lines += [
        "",
        f"One dimension: at 0.6 to {THREE_D_BELOW_GEV:g} GeV/c three dimensions give {factor:g} +- {error:g} of these "
        "fluxes; not applied.",
    ]
    return "\n".join(lines)
