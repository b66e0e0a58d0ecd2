"""Predictions of measurements and their derivatives, from runs with gradients of muons.

A run scores integrals of the fluxes of mu+ and mu- in logarithmic bins of momentum. The integral over a bin of the data
is the sum of the parts of these bins inside it. Each part follows a power law in the bin, whose index comes from a
smooth curve through the run's own spectrum. The prediction is then linear in the run's integrals, and so are its
derivatives.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from sim3d.calibration.height_scale import height_scale_slope
from sim3d.calibration.measurements import Measurement, Points
from sim3d.config.load import make_config
from sim3d.config.schema import Config
from sim3d.conventions.arrays import Array
from sim3d.errors import InputError
from sim3d.results.muon_gradients import MuonGradients

MOMENTUM_MARGIN = 1.03
_BINS_PER_DECADE = 20
_SMOOTH_DEGREE = 4
_DEPTH_STEP_KM = 0.2
SOLAR = "solar:MV"
SEA_LEVEL_G_CM2, HEIGHT_SCALE_M = 1033.0, 8400.0
"""Depth at sea level and the scale with which it falls; they only set the size of the nuisance `height-scale`."""
PRIMARY_FACTOR = 3.0e3
"""Highest primary energy simulated over the highest momentum measured."""


@dataclass(frozen=True)
class Response:
    """Prediction of all points of a measurement at one point of the parameters, with its derivatives.

    Attributes
    ----------
    name : str
        Of the measurement.
    parameters : tuple of str
    values : float64 array (n,)
        Of all points, observable after observable.
    slopes : float64 array (n, parameters)
        Derivatives of ln(value) by the parameters, in their own units.
    covariance : float64 array (n, n)
        Of ln(value): statistical, of the simulation (bins share primaries).
    nuisances : float64 array (n, nuisances)
        Change of ln(value) by one standard deviation of each nuisance of the measurement.
    """

    name: str
    parameters: tuple[str, ...]
    values: Array
    slopes: Array
    covariance: Array
    nuisances: Array


def run_configuration(
    measurement: Measurement, model: Mapping[str, Any], parameters: tuple[str, ...], centre: Mapping[str, float],
    primaries: int, seed: int,
) -> Config:  # fmt: skip
    """Make the configuration of the run that predicts a measurement.

    Parameters
    ----------
    measurement : Measurement
    model : mapping
        Names of the models: ``hadronic``, ``primaries``, ``atmosphere``.
    parameters : tuple of str
        Whose derivatives are scored.
    centre : mapping
        Values of parameters at which the run is made.
    primaries, seed : int

    Returns
    -------
    Config

    Raises
    ------
    InputError
        If the conditions cannot be simulated.
    """
    where = measurement.table.conditions
    low, high = measurement.momentum_GeV
    by_depth = where.depth_g_cm2 is not None
    muons: dict[str, Any] = {
        "ground": not by_depth,
        "momentum_GeV": [low / MOMENTUM_MARGIN, high * MOMENTUM_MARGIN],
        "bins_per_decade": _BINS_PER_DECADE,
        "cos_zenith_edges": list(measurement.cos_edges),
    }
    if by_depth:
        muons["depths_g_cm2"] = [where.depth_g_cm2]
    if any(one.kind == "depth" for one in measurement.table.nuisances):
        muons["altitudes_km"] = [round(where.altitude_m * 1e-3 + _DEPTH_STEP_KM, 3)]
    atmosphere: dict[str, Any] = {"model": model["atmosphere"]}
    if model["atmosphere"] == "nrlmsis":
        atmosphere |= {"lat": where.lat, "lon": where.lon, "month": where.month}
    site = {
        "name": measurement.name, "lat": where.lat, "lon": where.lon, "altitude_m": where.altitude_m,
        "patch": {"radius_deg": 3.0},
    }  # fmt: skip
    changed = {name: float(value) for name, value in centre.items() if value != 0.0}
    return make_config(
        {
            "run": {"primaries": primaries, "seed": seed},
            "primaries": {
                "model": model["primaries"],
                "solar": "date" if model["primaries"].startswith("gsf:") else "fit",
                "energy_GeV": [max(low, 1.0), min(max(PRIMARY_FACTOR * high, 1e4), model["highest_GeV"])],
                "energy_index": 1.4,
            },
            "hadronic": {"model": model["hadronic"]},
            "field": {"date": where.date, "cutoff": where.cutoff},
            "atmosphere": atmosphere,
            "scoring": {"neutrinos": False, "muons": True, "gradients": list(parameters)},
            "sites": [site],
            "muons": muons,
            "vary": changed,
        }
    )


def response(measurement: Measurement, gradients: MuonGradients, parameters: tuple[str, ...]) -> Response:
    """Compute the prediction of a measurement from a run.

    Parameters
    ----------
    measurement : Measurement
    gradients : MuonGradients
        Of the run of :func:`run_configuration`.
    parameters : tuple of str

    Returns
    -------
    Response

    Raises
    ------
    InputError
        If the run does not fit the measurement, or has no muons in one of its points.
    """
    columns = [0, *(gradients.column(name) for name in parameters)]
    groups, weights = gradients.groups[..., columns], gradients.group_weights
    kept = weights > 0
    groups, share = groups[kept], weights[kept] / weights.sum()
    mean = np.tensordot(share, groups, axes=1)
    measured = groups.shape[1] - 1
    indices = _indices(gradients.momentum_edges_GeV, mean[measured, :, :, :, 0].sum(axis=(0, 2)))
    parts = [_operator(each, gradients, indices) for each in measurement.points]

    def charges(sums: Array, level: int) -> Array:
        """Fluxes at the points by charge, (2, points, columns)."""
        whole = [np.einsum("nmc,qmck->qnk", part, sums[level]) for part in parts]
        return np.concatenate(whole, axis=1)

    kinds = [each.table.quantity for each in measurement.points for _ in each.value]
    both = charges(mean, measured)
    if np.any(both[..., 0] <= 0.0):
        raise InputError(f"{measurement.name}: the run has no muons in a point; raise calibration.primaries")
    values = _quantity(kinds, both[..., 0])
    slopes = _log_slopes(kinds, both)
    # delete-one jackknife of ln(value) over the groups of batches, with all correlations between points
    residuals = []
    for one, weight in zip(groups, share, strict=True):
        rest = charges((mean - weight * one) / (1.0 - weight), measured)[..., 0]
        if np.any(rest <= 0.0):
            raise InputError(f"{measurement.name}: a point has muons in one group alone; raise calibration.primaries")
        residuals.append(math.sqrt(1.0 - weight) * (np.log(_quantity(kinds, rest)) - np.log(values)))
    spread = np.array(residuals)
    covariance = shrunk(spread.T @ spread, len(groups))
    depth_slope = None
    if measured > 0 and measurement.table.conditions.depth_g_cm2 is not None:
        higher = _quantity(kinds, charges(mean, measured - 1)[..., 0])
        depth_slope = np.log(values / higher) / _depth_step(gradients)
    spectra = mean[measured, :, :, :, 0].sum(axis=2)
    # of the Sun's potential in the month of the measurement, which the run's gradient by it gives
    solar = slopes[:, parameters.index(SOLAR)] if SOLAR in parameters else np.zeros(len(values))
    nuisances = _nuisances(measurement, both[..., 0], gradients, spectra, depth_slope, solar)
    return Response(measurement.name, parameters, values, slopes, covariance, nuisances)


def shrunk(covariance: Array, samples: int) -> Array:
    """Shrink the correlations of a covariance that is estimated from few samples towards none.

    The intensity is that of Schaefer and Strimmer, Stat. Appl. Genet. Mol. Biol. 4 (2005) 32 (from memory): sum of the
    variances of the correlations over the sum of their squares, with (1 - r^2)^2 / (samples - 1) for a variance. The
    variances stay. Without it the covariance of more points than groups of batches could not be inverted.

    Parameters
    ----------
    covariance : float64 array (n, n)
    samples : int
        Number of groups it comes from.

    Returns
    -------
    float64 array (n, n)
    """
    error = np.sqrt(np.diag(covariance))
    scale = np.where(error > 0.0, error, 1.0)
    r = covariance / np.outer(scale, scale)
    off = ~np.eye(len(r), dtype=bool)
    squares = float(np.sum(r[off] ** 2))
    noise = float(np.sum((1.0 - r[off] ** 2) ** 2)) / max(samples - 1, 1)
    keep = 1.0 - min(1.0, noise / squares) if squares > 0.0 else 1.0
    return np.asarray(np.where(off, keep * r, 1.0) * np.outer(error, error))


def _quantity(kinds: Sequence[str], charges: Array) -> Array:
    plus, minus = charges
    table = {"flux": plus + minus, "mu+": plus, "mu-": minus, "ratio": plus / minus}
    return np.array([table[kind][i] for i, kind in enumerate(kinds)])


def _log_slopes(kinds: Sequence[str], both: Array) -> Array:
    plus, minus = both[0, :, 1:] / both[0, :, :1], both[1, :, 1:] / both[1, :, :1]
    share = (both[0, :, 0] / both[..., 0].sum(axis=0))[:, None]
    table = {"flux": share * plus + (1.0 - share) * minus, "mu+": plus, "mu-": minus, "ratio": plus - minus}
    return np.array([table[kind][i] for i, kind in enumerate(kinds)])


def _indices(edges: Array, integrals: Array) -> Array:
    """Slope d ln(flux) / d ln(p) of each bin, from a polynomial through the run's spectrum."""
    centres, widths = np.sqrt(edges[1:] * edges[:-1]), np.diff(edges)
    known = integrals > 0.0
    degree = min(_SMOOTH_DEGREE, int(known.sum()) - 1)
    fit = np.polynomial.Polynomial.fit(np.log(centres[known]), np.log((integrals / widths)[known]), max(degree, 1))
    return np.asarray(fit.deriv()(np.log(centres)))


def _power_integral(low: float, high: float, index: float) -> float:
    power = index + 1.0
    return math.log(high / low) if abs(power) < 1e-9 else (high**power - low**power) / power


def _operator(points: Points, gradients: MuonGradients, indices: Array) -> Array:
    """Weights (points, momentum, cos_zenith) that turn integrals of bins into fluxes at the points."""
    p, c = gradients.momentum_edges_GeV, gradients.cos_zenith_edges
    out = np.zeros((len(points.value), len(p) - 1, len(c) - 1))
    for i, (low, high, at, (c_low, c_high)) in enumerate(
        zip(points.low_GeV, points.high_GeV, points.at_GeV, points.cos_zenith, strict=True)
    ):
        inside = (c[:-1] >= c_low - 1e-6) & (c[1:] <= c_high + 1e-6)
        if not inside.any() or low < p[0] * 0.999 or high > p[-1] * 1.001:
            raise InputError(
                f"{gradients.site}: the run does not cover {at:g} GeV/c at cos_zenith {c_low:g}-{c_high:g}"
            )
        size = high - low
        if not points.is_bin:
            index = float(np.interp(math.log(at), np.log(np.sqrt(p[1:] * p[:-1])), indices))
            size = _power_integral(low, high, index) / at**index
        for j, index in enumerate(indices):
            a, b = max(low, p[j]), min(high, p[j + 1])
            if b > a:
                part = _power_integral(a, b, index) / _power_integral(p[j], p[j + 1], index)
                out[i, j, inside] = part / (size * 2.0 * math.pi * (c_high - c_low))
    return out


def _depth_step(gradients: MuonGradients) -> float:
    """Depth between the two lowest levels (g/cm2): near the ground 0.12 g/cm2 per metre (1.2 kg/m3)."""
    return float(120.0 * (gradients.altitudes_km[-2] - gradients.altitudes_km[-1]))


def _nuisances(
    measurement: Measurement,
    charges: Array,
    gradients: MuonGradients,
    spectra: Array,
    depth: Array | None,
    solar: Array,
) -> Array:
    """Change of ln(value) by each nuisance, (points, nuisances)."""
    edges = gradients.momentum_edges_GeV
    logs = np.log(np.sqrt(edges[1:] * edges[:-1]))
    index = [_indices(edges, each) for each in spectra]
    out = np.zeros((charges.shape[1], len(measurement.table.nuisances)))
    for k, nuisance in enumerate(measurement.table.nuisances):
        first = 0
        for each in measurement.points:
            here = slice(first, first + len(each.value))
            first = here.stop
            if nuisance.observables and each.table.name not in nuisance.observables:
                continue
            p = each.at_GeV
            # slopes d ln(flux) / d ln(p) of mu+ and mu-
            plus, minus = (np.interp(np.log(p), logs, one) for one in index)
            share = charges[0, here] / charges[:, here].sum(axis=0)
            # a bin of measured momenta is wider or narrower in true ones: the Jacobian d ln(dp) / d ln(p)
            jacobian = {"momentum-scale": 1.0, "curvature": 2.0, "curvature-odd": 2.0}.get(nuisance.kind, 0.0)
            plus, minus = plus + jacobian, minus + jacobian
            even = {"flux": share * plus + (1.0 - share) * minus, "mu+": plus, "mu-": minus, "ratio": plus - minus}
            odd = {"flux": share * plus - (1.0 - share) * minus, "mu+": plus, "mu-": -minus, "ratio": plus + minus}
            kind, quantity = nuisance.kind, each.table.quantity
            if kind == "norm":
                change = np.ones_like(p)
            elif kind == "power":
                change = (p / nuisance.at_GeV) ** nuisance.power
            elif kind == "ramp":
                assert nuisance.until_GeV is not None
                change = np.interp(np.log(p), np.log([nuisance.at_GeV, nuisance.until_GeV]), [1.0, 0.0])
            elif kind == "momentum-offset":
                change = even[quantity] / p
            elif kind == "momentum-scale":
                change = even[quantity]
            elif kind == "curvature":
                change = even[quantity] * p
            elif kind == "curvature-odd":
                change = odd[quantity] * p
            elif kind == "solar":
                change = solar[here]
            elif kind == "height-scale":
                change = _height_scale(measurement, each) if quantity in ("flux", "mu+", "mu-") else np.zeros_like(p)
            else:
                if depth is None:
                    raise InputError(f"{measurement.name}: nuisance {nuisance.name} needs conditions.depth_g_cm2")
                change = depth[here]
            out[here, k] = nuisance.size * change
    return out


def _height_scale(measurement: Measurement, points: Points) -> Array:
    """d ln(flux) / d ln(height scale) of the points, at the mean zenith angles of their acceptance."""
    where = measurement.table.conditions
    depth = where.depth_g_cm2 or SEA_LEVEL_G_CM2 * math.exp(-where.altitude_m / HEIGHT_SCALE_M)
    cos = np.array([0.5 * (low + high) for low, high in points.cos_zenith])
    return height_scale_slope(points.at_GeV, cos, depth)
