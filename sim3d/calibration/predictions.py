"""Predictions of measurements and their derivatives, from runs with gradients of muons.

A run scores integrals of the fluxes of mu+ and mu- in logarithmic bins of momentum. The integral over a bin of the data
is the sum of the parts of these bins inside it. Each part follows a power law in the bin, whose index comes from a
smooth curve through the run's own spectrum. The prediction is then linear in the run's integrals, and so are its
derivatives. With the cascade equations beside the run the run gives a smooth correction of their prediction alone
(:mod:`sim3d.calibration.control`).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from sim3d.calibration.control import CascadePoints, Ratios, smooth_factors
from sim3d.calibration.height_scale import height_scale_slope
from sim3d.calibration.measurements import Measurement, Points
from sim3d.config.calibration import NO_CALIBRATION
from sim3d.config.load import make_config
from sim3d.config.schema import Config
from sim3d.conventions.arrays import Array
from sim3d.errors import InputError
from sim3d.results.muon_gradients import MuonGradients

MOMENTUM_MARGIN = 1.03
_BINS_PER_DECADE = 20
_SMOOTH_DEGREE = 4
DEPTH_STEP_KM = 0.2
"""Height of a second level above the measured one, for the derivative by depth."""
_G_CM2_PER_KM = 120.0
_INDEX_BINS = 40
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
    simulated : (float64 array, float64 array), optional
        Where the prediction comes from the cascade equations: the run's own values and the covariance of their
        logarithms, as the jackknife gives it.
    ratios : Ratios, optional
        There: the run over the cascade equations.
    """

    name: str
    parameters: tuple[str, ...]
    values: Array
    slopes: Array
    covariance: Array
    nuisances: Array
    simulated: tuple[Array, Array] | None = None
    ratios: Ratios | None = None


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
        muons["altitudes_km"] = [round(where.altitude_m * 1e-3 + DEPTH_STEP_KM, 3)]
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
            "calibration": {"name": NO_CALIBRATION},
            "vary": changed,
        }
    )


def response(
    measurement: Measurement,
    gradients: MuonGradients,
    parameters: tuple[str, ...],
    cascade: CascadePoints | None = None,
    earlier: Sequence[Ratios] = (),
    primaries: int = 1,
) -> Response:
    """Compute the prediction of a measurement from a run.

    Parameters
    ----------
    measurement : Measurement
    gradients : MuonGradients
        Of the run of :func:`run_configuration`.
    parameters : tuple of str
    cascade : CascadePoints, optional
        Fluxes of the cascade equations at the same values of the parameters. The prediction is then these times the
        smooth part of the ratio of the run to them (:mod:`sim3d.calibration.control`), with their derivatives.
    earlier : sequence of Ratios
        Of other runs of the measurement, whose ratios count too.
    primaries : int
        Of this run; its weight among them.

    Returns
    -------
    Response

    Raises
    ------
    InputError
        If the run does not fit the measurement, or has no muons in one of its points.
    """
    used = () if cascade is not None else parameters
    columns = [0, *(gradients.column(name) for name in used)]
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
    own = Ratios(np.array([charges(one, measured)[..., 0] for one in groups]), share * primaries)
    if np.any(own.rests <= 0.0):
        raise InputError(f"{measurement.name}: a point has muons in one group alone; raise calibration.primaries")
    spectra = mean[measured, :, :, :, 0].sum(axis=2)
    if cascade is not None:
        ratios = Ratios(own.groups / cascade.charges, own.primaries)
        found = _corrected(measurement, ratios.and_those(earlier), parameters, cascade, gradients, spectra)
        covariance = _covariance(kinds, own.mean, own.rests, own.share)
        return replace(found, simulated=(quantity(kinds, own.mean), covariance), ratios=ratios)
    higher = charges(mean, measured - 1)[..., 0] if measured > 0 else None
    values, slopes = quantity(kinds, both[..., 0]), log_slopes(kinds, both)
    covariance = shrunk(_covariance(kinds, both[..., 0], own.rests, own.share), len(groups))
    depth_slope = None
    if higher is not None and measurement.table.conditions.depth_g_cm2 is not None:
        depth_slope = np.log(values / quantity(kinds, higher)) / _depth_step(gradients)
    # of the Sun's potential in the month of the measurement, which the run's gradient by it gives
    solar = slopes[:, parameters.index(SOLAR)] if SOLAR in parameters else np.zeros(len(values))
    nuisances = _nuisances(measurement, both[..., 0], gradients.momentum_edges_GeV, spectra, depth_slope, solar)
    return Response(measurement.name, parameters, values, slopes, covariance, nuisances)


def cascade_response(measurement: Measurement, points: CascadePoints, parameters: tuple[str, ...]) -> Response:
    """Compute the prediction of a measurement by the cascade equations alone, without a simulation.

    Parameters
    ----------
    measurement : Measurement
    points : CascadePoints
    parameters : tuple of str

    Returns
    -------
    Response
        Without statistical errors.
    """
    kinds = [each.table.quantity for each in measurement.points for _ in each.value]
    columns = np.concatenate([points.charges[..., None], points.charges[..., None] * points.slopes], axis=-1)
    values, slopes = quantity(kinds, points.charges), log_slopes(kinds, columns)
    depth = np.log(values / quantity(kinds, points.higher)) / (DEPTH_STEP_KM * _G_CM2_PER_KM)
    # spectra for the indices: those through the points of the first observable
    p = measurement.points[0].at_GeV
    edges = np.geomspace(p[0], p[-1], _INDEX_BINS + 1)
    at, known = np.log(np.sqrt(edges[1:] * edges[:-1])), np.log(points.charges[:, : len(p)])
    spectra = np.array([np.exp(np.interp(at, np.log(p), one)) for one in known]) * np.diff(edges)
    solar = slopes[:, parameters.index(SOLAR)] if SOLAR in parameters else np.zeros(len(values))
    nuisances = _nuisances(measurement, points.charges, edges, spectra, depth, solar)
    return Response(measurement.name, parameters, values, slopes, np.zeros((len(values),) * 2), nuisances)


def _covariance(kinds: Sequence[str], charges: Array, rests: Array, share: Array) -> Array:
    """Jackknife covariance of ln(value), with all correlations between points."""
    values = quantity(kinds, charges)
    spread = np.array(
        [
            math.sqrt(1.0 - weight) * (np.log(quantity(kinds, rest)) - np.log(values))
            for rest, weight in zip(rests, share, strict=True)
        ]
    )
    return np.asarray(spread.T @ spread)


def _corrected(
    measurement: Measurement, ratios: Ratios, parameters: tuple[str, ...], cascade: CascadePoints,
    gradients: MuonGradients, spectra: Array,
) -> Response:  # fmt: skip
    """Prediction by the cascade equations times the smooth part of the ratios of runs to them."""
    kinds = [each.table.quantity for each in measurement.points for _ in each.value]
    momentum = np.concatenate([each.at_GeV for each in measurement.points])
    share = ratios.share
    variance = ((1.0 - share)[:, None, None] * (ratios.rests - ratios.mean) ** 2).sum(axis=0)
    smooth = [smooth_factors(ratios.mean[q], variance[q], momentum) for q in (0, 1)]

    def corrected(ratio: Array) -> Array:
        return cascade.charges * np.array([smooth[q] @ ratio[q] for q in (0, 1)])

    both = corrected(ratios.mean)
    columns = np.concatenate([both[..., None], both[..., None] * cascade.slopes], axis=-1)
    rests = np.array([corrected(one) for one in ratios.rests])
    values, slopes = quantity(kinds, both), log_slopes(kinds, columns)
    covariance = shrunk(_covariance(kinds, both, rests, share), len(rests))
    higher = quantity(kinds, both * cascade.higher / cascade.charges)
    by_depth = measurement.table.conditions.depth_g_cm2 is not None
    depth = np.log(values / higher) / (DEPTH_STEP_KM * _G_CM2_PER_KM) if by_depth else None
    solar = slopes[:, parameters.index(SOLAR)] if SOLAR in parameters else np.zeros(len(values))
    nuisances = _nuisances(measurement, both, gradients.momentum_edges_GeV, spectra, depth, solar)
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


def squared_correlations(covariance: Array, samples: int) -> float:
    """Sum the squared correlations of all pairs of points, without what few samples add to them.

    The sum of n squared pulls has the variance 2 n if they are independent, and 2 sum_ij r_ij^2 with correlations r.
    Correlations of independent points from few samples have squares of 1 / (samples - 1) in the mean, so each square
    is adjusted to r^2 - (1 - r^2) / (samples - 2).

    Parameters
    ----------
    covariance : float64 array (n, n)
    samples : int
        Number of groups it comes from.

    Returns
    -------
    float
        From n (independent points) to n^2 (one point in n places).

    Examples
    --------
    >>> squared_correlations(np.array([[1.0, 2.0], [2.0, 4.0]]), 24)
    4.0
    """
    error = np.sqrt(np.diag(covariance))
    off = ~np.eye(len(error), dtype=bool)
    squares = (covariance / np.outer(error, error))[off] ** 2
    return len(error) + max(0.0, float(np.sum(squares - (1.0 - squares) / max(samples - 2, 1))))


def quantity(kinds: Sequence[str], charges: Array) -> Array:
    """Compute the measured quantities from fluxes by charge.

    Parameters
    ----------
    kinds : sequence of str
        Of every point: ``flux``, ``ratio``, ``mu+`` or ``mu-``.
    charges : float64 array (2, points)

    Returns
    -------
    float64 array (points,)
    """
    plus, minus = charges
    table = {"flux": plus + minus, "mu+": plus, "mu-": minus, "ratio": plus / minus}
    return np.array([table[kind][i] for i, kind in enumerate(kinds)])


def log_slopes(kinds: Sequence[str], both: Array) -> Array:
    """Compute the derivatives of the logarithms of the measured quantities.

    Parameters
    ----------
    kinds : sequence of str
        Of every point: ``flux``, ``ratio``, ``mu+`` or ``mu-``.
    both : float64 array (2, points, 1 + parameters)
        Fluxes by charge, and their derivatives.

    Returns
    -------
    float64 array (points, parameters)
    """
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
    return float(_G_CM2_PER_KM * (gradients.altitudes_km[-2] - gradients.altitudes_km[-1]))


def _nuisances(
    measurement: Measurement,
    charges: Array,
    edges: Array,
    spectra: Array,
    depth: Array | None,
    solar: Array,
) -> Array:
    """Change of ln(value) by each nuisance, (points, nuisances)."""
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
