"""Likelihood of a data set under a model, and fits with iminuit: errors, profiles, contours, toys, goodness of fit.

The function that is minimised is -2 ln L plus the chi2 of the priors; iminuit gets its exact gradient.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from sim3d.conventions.arrays import Array
from sim3d.conventions.text_tables import text_table
from sim3d.errors import InputError, RunError
from sim3d.measurement.binning import EXTRA, Counts
from sim3d.measurement.model import Expectation, Model
from sim3d.measurement.parameters import ParameterSet
from sim3d.measurement.statistics import KINDS, Kind, saturated, terms


class Likelihood:
    """-2 ln L of data under a model, with priors.

    Parameters
    ----------
    model : Model
    data : Counts
        In the model's bins.
    kind : "poisson", "effective" or "chi2"
        See :mod:`sim3d.measurement.statistics`.
    parameters : ParameterSet, optional
        The model's, with other centres of the priors.

    Raises
    ------
    InputError
        For data in other bins, counts below 0, or a bin that has events but no simulated event.
    """

    def __init__(
        self, model: Model, data: Counts, kind: Kind = "poisson", parameters: ParameterSet | None = None
    ) -> None:
        if kind not in KINDS:
            raise InputError("likelihood", kind, ", ".join(KINDS))
        values = np.asarray(data.values, dtype=float)
        if values.shape != (model.binning.size,) or data.binning.axes != model.binning.axes:
            raise InputError(f"data: has bins other than those of the model ({', '.join(model.binning.names)})")
        bad = ~(np.isfinite(values) & (values >= 0.0))
        if bad.any():
            place = int(np.argmax(bad))
            raise InputError(f"data: bin {model.binning.describe(place)}", float(values[place]), "0 or more")
        empty = (values > 0.0) & (model.events == 0)
        if empty.any():
            where = model.binning.describe(int(np.argmax(empty)))
            raise InputError(f"data: {int(empty.sum())} bins have events but no simulated event ({where}); merge bins")
        self.model, self.data, self.kind, self.counts = model, data, kind, values
        self.parameters = parameters or model.parameters
        self._last: tuple[Array, float, Array] | None = None

    def ln_likelihood(self, values: Mapping[str, float] | None = None) -> float:
        """Compute the ln L of the data alone, without priors.

        Parameters
        ----------
        values : mapping, optional
            Values of parameters; by default the nominal ones.

        Returns
        -------
        float
        """
        found = self._expect(self.parameters.array(values))
        return float(terms(self.kind, self.counts, found.values, found.variance)[0].sum())

    def _expect(self, x: Array) -> Expectation:
        return self.model.expectation(x, variance=self.kind != "poisson")

    def evaluate(self, x: Array) -> tuple[float, Array]:
        """Compute -2 ln L with priors, and its gradient.

        Parameters
        ----------
        x : float64 array (parameters,)

        Returns
        -------
        float
        float64 array (parameters,)
        """
        if self._last is None or not np.array_equal(self._last[0], x):
            found = self._expect(x)
            value, by_mu, by_variance = terms(self.kind, self.counts, found.values, found.variance)
            penalty, slope = self.parameters.penalty(x)
            gradient = found.derivatives @ by_mu
            if self.kind != "poisson":
                gradient += found.variance_derivatives @ by_variance
            self._last = (x.copy(), penalty - 2.0 * float(value.sum()), slope - 2.0 * gradient)
        return self._last[1], self._last[2]

    def __call__(self, x: ArrayLike) -> float:
        """-2 ln L with priors at values of the parameters in their order."""
        return self.evaluate(np.asarray(x, dtype=float))[0]

    def gradient(self, x: ArrayLike) -> Array:
        """Gradient of -2 ln L with priors, (parameters,)."""
        return self.evaluate(np.asarray(x, dtype=float))[1]


@dataclass(frozen=True)
class FitResult:
    """Result of a fit.

    Attributes
    ----------
    likelihood : Likelihood
    values, errors : dict of float
        Best fit and its symmetric errors (HESSE), by parameter; the error of a fixed one is 0.
    covariance : float64 array (parameters, parameters)
        Zero in rows of fixed parameters; NaN where HESSE found none.
    minos : dict of (float, float)
        Asymmetric errors of the parameters that they were asked for: below (negative), above.
    minimum : float
        -2 ln L with priors.
    valid : bool
        Whether MIGRAD converged.
    minuit : iminuit.Minuit
        For everything else.
    """

    likelihood: Likelihood
    values: dict[str, float]
    errors: dict[str, float]
    covariance: Array
    minos: dict[str, tuple[float, float]]
    minimum: float
    valid: bool
    minuit: Any

    @property
    def expectation(self) -> Expectation:
        """Expectation at the best fit."""
        return self.likelihood.model.expectation(self.values)

    def goodness(self) -> tuple[float, int, float]:
        """Compare with the saturated model.

        Returns
        -------
        statistic : float
            Twice the difference of ln L, plus the chi2 of the priors.
        dof : int
            Bins with simulated events, less the free parameters, plus the parameters with priors.
        probability : float
            Of a larger statistic, if it were distributed as chi2; with few events per bin use toys.
        """
        from scipy.stats import chi2

        like, found = self.likelihood, self.expectation
        penalty, _ = like.parameters.penalty(like.parameters.array(self.values))
        statistic = float(saturated(like.kind, like.counts, found.values, found.variance).sum()) + penalty
        free = int(self.minuit.nfit)
        constraints = sum(len(prior.names) for prior in like.parameters.priors)
        dof = int((like.model.events > 0).sum()) - free + constraints
        return statistic, dof, float(chi2.sf(statistic, dof)) if dof > 0 else float("nan")

    def profile(self, name: str, values: Sequence[float] | None = None, points: int = 30) -> tuple[Array, Array]:
        """Scan a parameter, all others fitted at each point (iminuit's ``mnprofile``).

        Parameters
        ----------
        name : str
        values : sequence of float, optional
            By default two errors on both sides.
        points : int
            Without values.

        Returns
        -------
        values, rise : float64 arrays
            Values and -2 ln L less that of the best fit.
        """
        self._check(name)
        if values is None and points < 2:
            raise InputError("points", points, "2 or more")
        options: dict[str, Any] = {"size": points} if values is None else {"grid": np.asarray(values, dtype=float)}
        at, found, _ = self.minuit.mnprofile(name, subtract_min=False, **options)
        return np.asarray(at), np.asarray(found) - self.minimum

    def contour(self, first: str, second: str, probability: float = 0.68, points: int = 40) -> Array:
        """Compute the contour of two parameters, all others fitted (iminuit's ``mncontour``).

        Parameters
        ----------
        first, second : str
        probability : float
            Coverage of the pair, between 0 and 1.
        points : int

        Returns
        -------
        float64 array (points + 1, 2)

        Raises
        ------
        RunError
            If MINUIT finds no closed line.
        """
        self._check(first, second)
        if not 0.0 < probability < 1.0:
            raise InputError("probability", probability, "between 0 and 1")
        line = np.asarray(self.minuit.mncontour(first, second, cl=probability, size=points))
        if len(line) == 0:
            raise RunError(f"contour of {first} and {second}: MINUIT found no closed line; scan with profile()")
        return line

    def _check(self, *names: str) -> None:
        """Refuse names that are not those of different parameters, or of parameters that are fixed."""
        self.likelihood.parameters.array(dict.fromkeys(names, 0.0))
        if len(set(names)) != len(names):
            raise InputError(f"parameters: {names[0]!r} is there twice")
        for name in names:
            if self.minuit.fixed[name]:
                raise InputError(f"parameter {name!r} is fixed")

    def __str__(self) -> str:
        """Table of the parameters, goodness of fit, and what is outside the bins."""
        rows = []
        for one in self.likelihood.parameters.parameters:
            error = "fixed" if self.minuit.fixed[one.name] else f"{self.errors[one.name]:.4g}"
            low, high = self.minos.get(one.name, (np.nan, np.nan))
            minos = f"{low:+.4g} {high:+.4g}" if np.isfinite(low) else ""
            rows.append([one.name, f"{self.values[one.name]:.5g}", error, minos, one.unit])
        statistic, dof, probability = self.goodness()
        at_limit = [
            one.name
            for one in self.likelihood.parameters.parameters
            if not self.minuit.fixed[one.name]
            and not abs(self.errors[one.name]) < min(self.values[one.name] - one.low, one.high - self.values[one.name])
        ]
        return "\n".join(
            [
                *text_table(["parameter", "value", "error", "minos", "unit"], rows),
                f"{self.likelihood.kind}, -2 ln L = {self.minimum:.2f}, valid: {self.valid}",
                *([f"within an error of a limit, where errors say little: {', '.join(at_limit)}"] if at_limit else []),
                f"against the saturated model: {statistic:.1f} for {dof} degrees, probability {probability:.3f}",
                f"data: {self.likelihood.data.describe_outside()}",
                f"expectation: {self.likelihood.model.describe_outside()}",
            ]
        )


def fit(
    likelihood: Likelihood,
    start: Mapping[str, float] | None = None,
    fixed: Sequence[str] = (),
    minos: Sequence[str] = (),
    tolerance: float = 0.01,
) -> FitResult:
    """Fit the parameters: MIGRAD with the exact gradient, HESSE, and MINOS where asked for.

    Parameters
    ----------
    likelihood : Likelihood
    start : mapping, optional
        First values; by default the nominal ones.
    fixed : sequence of str
        Parameters that stay at their first value, besides those that are fixed by definition.
    minos : sequence of str
        Parameters whose asymmetric errors are wanted.
    tolerance : float
        iminuit's ``tol``.

    Returns
    -------
    FitResult

    Raises
    ------
    InputError
        If iminuit is not installed, or a name is unknown.
    """
    try:
        from iminuit import Minuit
    except ImportError:
        raise InputError(f"fit: needs the package iminuit, which is not installed ({EXTRA})") from None
    known = likelihood.parameters
    x = known.array(start)
    known.array(dict.fromkeys((*fixed, *minos), 0.0))
    minuit = Minuit(likelihood, x, grad=likelihood.gradient, name=known.names)
    minuit.errordef = Minuit.LEAST_SQUARES
    minuit.tol = tolerance
    for one, value in zip(known.parameters, x.tolist(), strict=True):
        if not one.low <= value <= one.high:
            raise InputError(f"parameter {one.name}: first value", value, f"{one.low:g} to {one.high:g}")
        minuit.limits[one.name] = (one.low, one.high)
        minuit.fixed[one.name] = one.fixed or one.name in fixed
        minuit.errors[one.name] = one.step
    for name in minos:
        if minuit.fixed[name]:
            raise InputError(f"minos: parameter {name!r} is fixed")
    minuit.migrad()
    if not minuit.valid:
        minuit.strategy = 2
        minuit.migrad()
    if minuit.nfit > 0:
        minuit.hesse()
    if minos and minuit.valid:
        minuit.minos(*minos)
    free = ~np.asarray(minuit.fixed, dtype=bool)
    if minuit.covariance is None:
        covariance = np.where(np.outer(free, free), np.nan, 0.0)
    else:
        covariance = np.asarray(minuit.covariance)
    # minuit.errors of a parameter with limits are the mean of two steps in its transformed coordinate, 0.1% off even
    # far from them; at a limit the covariance is 0 in that coordinate, and the steps are what there is
    steps = np.asarray(minuit.errors, dtype=float)
    near = [
        free[i] and not one.low < minuit.values[i] - steps[i] <= minuit.values[i] + steps[i] < one.high
        for i, one in enumerate(known.parameters)
    ]
    errors = np.where(near, steps, np.sqrt(np.diag(covariance))).tolist()
    found = {name: (float(m.lower), float(m.upper)) for name, m in (minuit.merrors or {}).items() if m.is_valid}
    return FitResult(
        likelihood,
        dict(zip(known.names, map(float, minuit.values), strict=True)),
        dict(zip(known.names, errors, strict=True)),
        covariance,
        found,
        float(minuit.fval),
        bool(minuit.valid),
        minuit,
    )


def expected_covariance(
    model: Model, values: Mapping[str, float] | None = None, fixed: Sequence[str] = ()
) -> tuple[tuple[str, ...], Array]:
    """Compute the covariance that a fit to the expected data would have, from Fisher's information, without a fit.

    The information of Poisson's law is sum over bins of (d mu / d p)(d mu / d q) / mu, plus the inverse covariances of
    the priors. What the noise of the simulation adds to it is subtracted (:meth:`Model.information_noise`).

    Parameters
    ----------
    model : Model
    values : mapping, optional
        By default the nominal ones.
    fixed : sequence of str
        Parameters that are known, besides those that are fixed by definition.

    Returns
    -------
    names : tuple of str
        Of the free parameters.
    covariance : float64 array (free, free)

    Raises
    ------
    InputError
        For an unknown name, or where the bins (or the simulation) do not determine a parameter.
    """
    known = model.parameters
    known.array(dict.fromkeys(fixed, 0.0))
    found = model.expectation(values, variance=False)
    weight = np.divide(1.0, found.values, out=np.zeros_like(found.values), where=found.values > 0.0)
    information = (found.derivatives * weight) @ found.derivatives.T - model.information_noise(values)
    free = [i for i, one in enumerate(known.parameters) if not (one.fixed or one.name in fixed)]
    for prior in known.priors:
        at = np.array([known.names.index(name) for name in prior.names])
        # a parameter that is known leaves the others of its prior their conditional covariance
        information[np.ix_(at, at)] += np.linalg.inv(prior.covariance)
    part = information[np.ix_(free, free)]
    scale = np.sqrt(np.maximum(np.diag(part), 0.0))
    if not np.all(scale > 0.0) or np.linalg.eigvalsh(part / np.outer(scale, scale))[0] < 1e-13:
        raise InputError(
            "parameters: the bins do not determine all of them; fix some, give them priors or simulate more"
        )
    return tuple(known.names[i] for i in free), np.asarray(np.linalg.inv(part), dtype=np.float64)


def toys(
    model: Model,
    number: int,
    seed: int,
    kind: Kind = "poisson",
    values: Mapping[str, float] | None = None,
    **options: Any,
) -> Iterator[FitResult]:
    """Fit pseudo-data: counts are thrown around the expectation, centres of priors around the true values.

    Parameters
    ----------
    model : Model
    number, seed : int
    kind : "poisson", "effective" or "chi2"
    values : mapping, optional
        True values; by default the nominal ones.
    **options
        Of :func:`fit`.

    Yields
    ------
    FitResult
    """
    if number < 0:
        raise InputError("number of toys", number, "0 or more")
    rng = np.random.default_rng(seed)
    x = model.parameters.array(values)
    mu = model.expectation(x, variance=False).values
    truth = model.asimov(dict(zip(model.parameters.names, x.tolist(), strict=True)))
    for _ in range(number):
        data = replace(truth, values=rng.poisson(mu).astype(float))
        moved = model.parameters.with_centres(model.parameters.thrown_centres(x, rng))
        yield fit(Likelihood(model, data, kind, moved), **options)
