"""Fit muons of other models (truths) in place of the data, and enlarge the covariance as their neutrinos require."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from sim3d.calibration.cascade_muons import COARSE_STEP_G_CM2, CascadeMuons, Fluxes, charges_at, neutrinos_at
from sim3d.calibration.control import CascadePoints
from sim3d.calibration.fit import Fit, FittedSet, fit
from sim3d.calibration.growth import Growth, Truth, grow
from sim3d.calibration.measurements import Measurement
from sim3d.calibration.predictions import quantity
from sim3d.conventions.arrays import Array
from sim3d.primaries.catalogue import highest_energy_GeV

PRIMARIES = "primaries="
"""Prefix of truths that are another model of the primaries."""
FITS = 2
"""Fits to a truth: the second one starts from the fluxes at the first one's values."""


def model_of(truth: str, model: Mapping[str, Any]) -> dict[str, Any]:
    """Return the calibration's models with that of a truth in place of its own.

    Parameters
    ----------
    truth : str
        Name of a hadronic model, or ``primaries=`` and that of a model of the primaries.
    model : mapping
        The calibration's own.

    Returns
    -------
    dict
    """
    changed = {"primaries": truth.removeprefix(PRIMARIES)} if truth.startswith(PRIMARIES) else {"hadronic": truth}
    made = {**model, **changed}
    return {**made, "highest_GeV": highest_energy_GeV(made["primaries"])}


def grow_by_truths(
    truths: Sequence[str],
    measurements: Sequence[Measurement],
    model: Mapping[str, Any],
    sets: Sequence[FittedSet],
    found: Fit,
    prior: Array,
    neutrinos: CascadePoints,
    without: Mapping[str, Array],
) -> Growth:
    """Fit the muons of every truth, and enlarge the covariance by what its neutrinos need.

    Muons of a truth are those of the cascade equations times the corrections of the calibration's runs, with the
    relative errors of the data. The fit starts from the calibration's own models, with its derivatives.

    Parameters
    ----------
    truths : sequence of str
        See :func:`model_of`.
    measurements : sequence of Measurement
    model : mapping
        Of the calibration.
    sets : sequence of FittedSet
        At the calibration's last centre.
    found : Fit
        Of the data.
    prior : float64 array (n, n)
        Own units.
    neutrinos : CascadePoints
        With the derivatives of neutrinos.
    without : mapping of float64 arrays (n,)
        By measurement: parameters of the fit without it, in units of sigma.

    Returns
    -------
    Growth
    """
    names = found.parameters
    muons = CascadeMuons(measurements, model)
    centre = dict(zip(names, sets[0].centre.tolist(), strict=True))
    at_centre = _values(measurements, _solved(muons, centre))
    units = np.outer(found.sigma, found.sigma)
    slopes = neutrinos.slopes.reshape(-1, len(names))
    claimed = found.scale**2 * slopes @ (found.covariance * units) @ slopes.T
    out = [
        Truth(f"without-{name}", found.chi2_total, slopes @ ((values - found.values) * found.sigma), left_out=True)
        for name, values in without.items()
    ]
    for truth in truths:
        fluxes = _solved(CascadeMuons(measurements, model_of(truth, model)), {})
        wanted = _values(measurements, fluxes)
        own = [_pretended(one, wanted[one.name] / at_centre[one.name]) for one in sets]
        of_fit = fit(own, names, prior, quick=True)
        for _ in range(FITS - 1):
            values = of_fit.values * of_fit.sigma
            moved = _values(measurements, _solved(muons, dict(zip(names, values.tolist(), strict=True))))
            # always from the calibration's own prediction, which belongs to at_centre
            again = [
                _moved(one, values, before.response.values * moved[one.name] / at_centre[one.name])
                for one, before in zip(own, sets, strict=True)
            ]
            of_fit = fit(again, names, prior, quick=True)
        fitted = _solved(muons, dict(zip(names, (of_fit.values * of_fit.sigma).tolist(), strict=True)))
        difference = np.log(neutrinos_at(fluxes) / neutrinos_at(fitted)).ravel()
        out.append(Truth(truth, of_fit.chi2_total, difference))
    return grow(out, claimed)


def _solved(muons: CascadeMuons, values: Mapping[str, float]) -> Fluxes:
    """Fluxes in coarse steps of depth, whose error cancels in ratios."""
    return muons.fluxes(values, depth_step_g_cm2=COARSE_STEP_G_CM2)


def _values(measurements: Sequence[Measurement], fluxes: Fluxes) -> dict[str, Array]:
    """Measured quantities at all points, by measurement."""
    out = {}
    for one in measurements:
        kinds = [each.table.quantity for each in one.points for _ in each.value]
        out[one.name] = quantity(kinds, charges_at(one, fluxes))
    return out


def _pretended(one: FittedSet, factor: Array) -> FittedSet:
    """A set whose data are its prediction at the centre times a factor."""
    data = one.response.values * factor
    relative = data / one.data
    return replace(one, data=data, covariance=one.covariance * np.outer(relative, relative))


def _moved(one: FittedSet, centre: Array, values: Array) -> FittedSet:
    """A set whose prediction is that of other values of the parameters, with the same derivatives."""
    return replace(one, centre=centre, response=replace(one.response, values=values))
