"""Fit of model parameters to measurements: chi2 with nuisances and priors, minimised by iminuit.

With the parameters theta (prior centre c, covariance M), nuisances nu (normal priors of width 1), and for every
measurement the response at its own centre t: prediction P = P_t exp(S (theta - t) + N nu), derivatives S and N of
ln(P), data D with the statistical covariance V, covariance U of ln(P) of the simulation,

    chi2 = sum_sets (D - P)^T (V + diag(P_t) U diag(P_t))^-1 (D - P) + (theta - c)^T M^-1 (theta - c) + nu^T nu.

Parameters are counted in units of their prior's standard deviation.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from sim3d.calibration.predictions import Response
from sim3d.conventions.arrays import Array
from sim3d.errors import InputError

EXTRA = "pip install 'sim3d[calibration]'"
_ONLY_FOR_NUMBERS = 1e-10


@dataclass(frozen=True)
class FittedSet:
    """Data and prediction of a measurement for the fit.

    Attributes
    ----------
    response : Response
    centre : float64 array (parameters,)
        Parameters at which the response was simulated, in their own units.
    data : float64 array (n,)
    covariance : float64 array (n, n)
        Statistical, of the data.
    nuisance_names : tuple of str
    observables : tuple of (str, int)
        Names and numbers of points.
    """

    response: Response
    centre: Array
    data: Array
    covariance: Array
    nuisance_names: tuple[str, ...]
    observables: tuple[tuple[str, int], ...]

    @property
    def name(self) -> str:
        """Name of the measurement."""
        return self.response.name

    @property
    def total_covariance(self) -> Array:
        """Of data and simulation."""
        p = self.response.values
        return self.covariance + self.response.covariance * np.outer(p, p)


@dataclass(frozen=True)
class Fit:
    """Result of a fit.

    Attributes
    ----------
    parameters : tuple of str
    sigma : float64 array (n,)
        Standard deviations of the priors; the units of ``values`` and ``covariance``.
    values, covariance : float64 arrays (n,), (n, n)
        Best fit and its covariance, not scaled.
    prior_centre, prior : float64 arrays (n,), (n, n)
    nuisances : dict of (float64 array, float64 array)
        By measurement: values and errors.
    chi2, n_points : dict
        By measurement: of the points alone; number of points.
    pulls : dict of float64 arrays
        By measurement: (D - P) / error of every point at the best fit.
    chi2_total, chi2_priors, chi2_nuisances : float
    dof : int
        Number of points: every parameter and nuisance has a prior.
    """

    parameters: tuple[str, ...]
    sigma: Array
    values: Array
    covariance: Array
    prior_centre: Array
    prior: Array
    nuisances: dict[str, tuple[Array, Array]]
    chi2: dict[str, float]
    n_points: dict[str, int]
    pulls: dict[str, Array]
    predictions: dict[str, Array] = field(repr=False)
    chi2_total: float = 0.0
    chi2_priors: float = 0.0
    chi2_nuisances: float = 0.0
    valid: bool = True

    @property
    def dof(self) -> int:
        """Degrees of freedom: points, as each parameter and nuisance has a prior."""
        return sum(self.n_points.values())

    @property
    def probability(self) -> float:
        """Probability of a larger chi2."""
        from scipy.stats import chi2

        return float(chi2.sf(self.chi2_total, self.dof))

    @property
    def scale(self) -> float:
        """Factor sqrt(chi2 / dof) on the errors where the measurements disagree; at least 1."""
        return max(1.0, float(np.sqrt(self.chi2_total / self.dof)))


class Chi2:
    """The chi2 of the module's header and its gradient.

    Parameters
    ----------
    sets : sequence of FittedSet
        All with the same parameters.
    prior : float64 array (n, n)
        Covariance of the parameters, own units.
    prior_centre : float64 array (n,), optional
        Own units; default 0.
    nuisance_centres : mapping, optional
        By measurement, centres of the nuisances' priors; default 0 (toys throw them).
    """

    def __init__(
        self,
        sets: Sequence[FittedSet],
        prior: Array,
        prior_centre: Array | None = None,
        nuisance_centres: Mapping[str, Array] | None = None,
    ) -> None:
        self.sets = tuple(sets)
        self.sigma = np.sqrt(np.diag(prior))
        self.prior = prior / np.outer(self.sigma, self.sigma)
        self.centre = np.zeros(len(prior)) if prior_centre is None else prior_centre / self.sigma
        self._inverse_prior = np.linalg.inv(self.prior)
        self._inverse = [np.linalg.inv(one.total_covariance) for one in self.sets]
        counts = [len(one.nuisance_names) for one in self.sets]
        ends = np.cumsum([len(prior), *counts])
        self.places = [slice(a, b) for a, b in itertools.pairwise(ends.tolist())]
        self.size, self.n = int(ends[-1]), len(prior)
        given = nuisance_centres or {}
        self.nuisance_centre = np.concatenate(
            [np.zeros(0), *(given.get(one.name, np.zeros(k)) for one, k in zip(self.sets, counts, strict=True))]
        )

    def prediction(self, i: int, x: Array) -> Array:
        """Predict the points of a set; x are parameters and nuisances in units of sigma."""
        one = self.sets[i]
        moved = x[: self.n] * self.sigma - one.centre
        logs = one.response.slopes @ moved + one.response.nuisances @ x[self.places[i]]
        return one.response.values * np.exp(np.clip(logs, -20.0, 20.0))

    def set_chi2(self, i: int, x: Array) -> float:
        """chi2 of the points of a set alone."""
        residual = self.sets[i].data - self.prediction(i, x)
        return float(residual @ self._inverse[i] @ residual)

    def __call__(self, x: Array) -> float:
        """Compute the total chi2."""
        own, nuisances = x[: self.n] - self.centre, x[self.n :] - self.nuisance_centre
        total = float(own @ self._inverse_prior @ own + nuisances @ nuisances)
        return total + sum(self.set_chi2(i, x) for i in range(len(self.sets)))

    def gradient(self, x: Array) -> Array:
        """Gradient of chi2, exact."""
        out = np.zeros(self.size)
        out[: self.n] = 2.0 * self._inverse_prior @ (x[: self.n] - self.centre)
        out[self.n :] = 2.0 * (x[self.n :] - self.nuisance_centre)
        for i, one in enumerate(self.sets):
            prediction = self.prediction(i, x)
            pull = -2.0 * (self._inverse[i] @ (one.data - prediction)) * prediction
            out[: self.n] += (one.response.slopes.T @ pull) * self.sigma
            out[self.places[i]] += one.response.nuisances.T @ pull
        return out

    def information(self, x: Array) -> Array:
        """Gauss-Newton matrix: half of the second derivatives of chi2 without those of the predictions."""
        out = np.eye(self.size)
        out[: self.n, : self.n] = self._inverse_prior
        for i in range(len(self.sets)):
            jacobian = self.jacobian(i, x)
            out += jacobian.T @ self._inverse[i] @ jacobian
        return out

    def jacobian(self, i: int, x: Array) -> Array:
        """Derivatives of the predictions of a set by parameters and nuisances, each per sigma."""
        one = self.sets[i]
        out = np.zeros((len(one.data), self.size))
        prediction = self.prediction(i, x)[:, None]
        out[:, : self.n] = one.response.slopes * self.sigma * prediction
        out[:, self.places[i]] = one.response.nuisances * prediction
        return out

    def inverse(self, i: int) -> Array:
        """Inverse of the covariance of the points of a set, of data and simulation."""
        return np.asarray(self._inverse[i])


def minimise(chi2: Chi2) -> tuple[Array, Array, bool]:
    """Find the minimum and its covariance: Gauss-Newton steps, then MIGRAD and HESSE of iminuit.

    Parameters
    ----------
    chi2 : Chi2

    Returns
    -------
    x : float64 array
        Parameters, then nuisances, in units of sigma.
    covariance : float64 array
    valid : bool
        Whether MIGRAD converged.

    Raises
    ------
    InputError
        If iminuit is not installed.
    """
    try:
        from iminuit import Minuit
    except ImportError:
        raise InputError(f"calibrate: needs the package iminuit, which is not installed ({EXTRA})") from None
    x = gauss_newton(chi2)
    minuit = Minuit(chi2, x, grad=chi2.gradient)
    minuit.errordef = Minuit.LEAST_SQUARES
    minuit.strategy = 1
    minuit.errors = np.sqrt(np.diag(np.linalg.inv(chi2.information(x))))
    minuit.tol = 1e-4
    minuit.migrad()
    minuit.hesse()
    values = np.array(minuit.values)
    if chi2(x) <= chi2(values):
        values = x
    covariance = minuit.covariance
    matrix = np.linalg.inv(chi2.information(values)) if covariance is None else np.array(covariance)
    return values, np.asarray(0.5 * (matrix + matrix.T)), bool(minuit.valid)


def gauss_newton(chi2: Chi2) -> Array:
    """Find the minimum by Gauss-Newton steps, halved where chi2 would rise.

    Parameters
    ----------
    chi2 : Chi2

    Returns
    -------
    float64 array
        Parameters, then nuisances, in units of sigma.
    """
    x = np.concatenate([chi2.centre, chi2.nuisance_centre])
    for _ in range(20):
        step = np.linalg.solve(chi2.information(x), -0.5 * chi2.gradient(x))
        size, before = 1.0, chi2(x)
        while chi2(x + size * step) > before and size > 1e-6:
            size *= 0.5
        x = x + size * step
        if np.max(np.abs(step)) < _ONLY_FOR_NUMBERS:
            break
    return np.asarray(x)


def fit(
    sets: Sequence[FittedSet],
    parameters: tuple[str, ...],
    prior: Array,
    prior_centre: Array | None = None,
    nuisance_centres: Mapping[str, Array] | None = None,
    quick: bool = False,
) -> Fit:
    """Fit the parameters and nuisances.

    Parameters
    ----------
    sets : sequence of FittedSet
    parameters : tuple of str
    prior, prior_centre, nuisance_centres
        As for :class:`Chi2`.
    quick : bool
        Gauss-Newton steps alone, and their covariance: without iminuit, whose minimum is the same.

    Returns
    -------
    Fit
    """
    chi2 = Chi2(sets, prior, prior_centre, nuisance_centres)
    if quick:
        x = gauss_newton(chi2)
        covariance, valid = np.array(np.linalg.inv(chi2.information(x)), dtype=np.float64), True
    else:
        x, covariance, valid = minimise(chi2)
    n, errors = chi2.n, np.sqrt(np.diag(covariance))
    own = x[:n] - chi2.centre
    predictions = {one.name: chi2.prediction(i, x) for i, one in enumerate(chi2.sets)}
    return Fit(
        parameters=parameters,
        sigma=chi2.sigma,
        values=x[:n],
        covariance=covariance[:n, :n],
        prior_centre=chi2.centre,
        prior=chi2.prior,
        nuisances={one.name: (x[at], errors[at]) for one, at in zip(chi2.sets, chi2.places, strict=True)},
        chi2={one.name: chi2.set_chi2(i, x) for i, one in enumerate(chi2.sets)},
        n_points={one.name: len(one.data) for one in chi2.sets},
        pulls={
            one.name: (one.data - predictions[one.name]) / np.sqrt(np.diag(one.total_covariance)) for one in chi2.sets
        },
        predictions=predictions,
        chi2_total=chi2(x),
        chi2_priors=float(own @ np.linalg.solve(chi2.prior, own)),
        chi2_nuisances=float(np.sum((x[n:] - chi2.nuisance_centre) ** 2)),
        valid=valid,
    )


def fit_enlarged(
    sets: Sequence[FittedSet], parameters: tuple[str, ...], prior: Array, above: float | None
) -> tuple[tuple[FittedSet, ...], Fit, dict[str, dict[str, float]]]:
    """Fit, and fit again with larger sizes of those nuisances that disagree with everything else.

    A nuisance that the fit moves by more than ``above`` of its standard deviations has a size that its experiment
    stated too small, or stands for something that it did not state. As the Particle Data Group does with measurements
    that disagree, its size is multiplied by the pull. The rule acts once; it moves no datum and leaves none out.

    Parameters
    ----------
    sets : sequence of FittedSet
        With the sizes that were published.
    parameters : tuple of str
    prior : float64 array (n, n)
    above : float or None
        None for no such rule.

    Returns
    -------
    sets : tuple of FittedSet
        With the sizes that were used.
    found : Fit
    factors : dict of dict of float
        By measurement and nuisance; those above 1 alone.
    """
    found = fit(sets, parameters, prior, quick=above is not None)
    if above is None:
        return tuple(sets), found, {}
    factors: dict[str, dict[str, float]] = {}
    new = []
    for one in sets:
        pulls = np.abs(found.nuisances[one.name][0])
        factor = np.where(pulls > above, pulls, 1.0)
        chosen = {name: float(f) for name, f in zip(one.nuisance_names, factor, strict=True) if f > 1.0}
        if chosen:
            factors[one.name] = chosen
            one = replace(one, response=replace(one.response, nuisances=one.response.nuisances * factor))
        new.append(one)
    return tuple(new), fit(new, parameters, prior), factors


def left_out(sets: Sequence[FittedSet], whole: Fit) -> dict[str, tuple[Array, Array]]:
    """Fit without each set in turn.

    Parameters
    ----------
    sets : sequence of FittedSet
    whole : Fit
        Of all sets.

    Returns
    -------
    dict of (float64 array, float64 array)
        By the measurement that is left out: values and covariance, in units of sigma.
    """
    prior = whole.prior * np.outer(whole.sigma, whole.sigma)
    out = {}
    for one in sets:
        others = [each for each in sets if each.name != one.name]
        if others:
            found = fit(others, whole.parameters, prior, whole.prior_centre * whole.sigma, quick=True)
            out[one.name] = (found.values, found.covariance)
    return out


def toys(sets: Sequence[FittedSet], prior: Array, number: int, seed: int) -> tuple[Array, Array]:
    """Fit pseudo-data: data, prior centres and centres of the nuisances are thrown around the model at its centre.

    The fits are Gauss-Newton's alone, whose minimum is that of MIGRAD.

    Parameters
    ----------
    sets : sequence of FittedSet
    prior : float64 array (n, n)
    number, seed : int

    Returns
    -------
    pulls : float64 array (number, n)
        (fitted - true) / fitted error of every parameter.
    chi2 : float64 array (number,)
        At the minimum.
    """
    rng = np.random.default_rng(seed)
    root = np.linalg.cholesky(prior)
    roots = [np.linalg.cholesky(one.total_covariance) for one in sets]
    pulls, totals = np.empty((number, len(prior))), np.empty(number)
    truth = sets[0].centre
    for t in range(number):
        centre = truth + root @ rng.normal(size=len(prior))
        thrown, nuisances = [], {}
        for one, lower in zip(sets, roots, strict=True):
            nuisances[one.name] = rng.normal(size=len(one.nuisance_names))
            at_truth = one.response.values * np.exp(one.response.slopes @ (truth - one.centre))
            thrown.append(replace(one, data=at_truth + lower @ rng.normal(size=len(one.data))))
        chi2 = Chi2(thrown, prior, centre, nuisances)
        x = gauss_newton(chi2)
        errors = np.sqrt(np.diag(np.linalg.inv(chi2.information(x)))[: chi2.n])
        pulls[t] = (x[: chi2.n] - truth / chi2.sigma) / errors
        totals[t] = chi2(x)
    return pulls, totals


def simulation_noise(sets: Sequence[FittedSet], found: Fit) -> Array:
    """Compute by how much the statistics of the simulation alone move each fitted parameter.

    Two iterations with independent runs differ by sqrt(2) times that even when nothing moves: a fit whose noise is near
    its error cannot come to rest.

    Parameters
    ----------
    sets : sequence of FittedSet
    found : Fit
        Of these sets.

    Returns
    -------
    float64 array (n,)
        One standard deviation, in units of the parameters' errors after the fit.
    """
    prior = found.prior * np.outer(found.sigma, found.sigma)
    chi2 = Chi2(sets, prior, found.prior_centre * found.sigma)
    x = np.concatenate([found.values, *(found.nuisances[one.name][0] for one in chi2.sets)])
    whole = np.linalg.inv(chi2.information(x))
    variance = np.zeros((chi2.size, chi2.size))
    for i, one in enumerate(chi2.sets):
        reach = whole @ chi2.jacobian(i, x).T @ chi2.inverse(i)
        p = one.response.values
        variance += reach @ (one.response.covariance * np.outer(p, p)) @ reach.T
    n = chi2.n
    return np.asarray(np.sqrt(np.diag(variance)[:n] / np.diag(whole)[:n]))


def eigenmodes(found: Fit) -> tuple[Array, Array]:
    """Directions in parameter space by how much the measurements narrow them.

    Parameters
    ----------
    found : Fit

    Returns
    -------
    share : float64 array (n,)
        Variance after the fit over that of the prior, ascending; 1 is a direction that muons do not see.
    modes : float64 array (n, n)
        Column k: the direction k, in units of sigma.
    """
    root = np.linalg.cholesky(found.prior)
    inner = np.linalg.solve(root, np.linalg.solve(root, found.covariance).T)
    share, vectors = np.linalg.eigh(0.5 * (inner + inner.T))
    return share, root @ vectors


def as_record(found: Fit) -> dict[str, Any]:
    """Return the numbers of a fit as a dictionary for JSON."""
    errors = np.sqrt(np.diag(found.covariance))
    return {
        "chi2": found.chi2_total,
        "dof": found.dof,
        "probability": found.probability,
        "chi2_priors": found.chi2_priors,
        "chi2_nuisances": found.chi2_nuisances,
        "scale": found.scale,
        "sets": [{"name": k, "points": found.n_points[k], "chi2": found.chi2[k]} for k in found.chi2],
        "parameters": [
            {"name": n, "value": float(v * s), "error": float(e * s), "prior": float(s), "pull": float(v - c)}
            for n, v, e, s, c in zip(
                found.parameters, found.values, errors, found.sigma, found.prior_centre, strict=True
            )
        ],
    }
