"""Expected numbers of events in bins, their Monte Carlo variance, and the derivatives of both by the parameters.

The expectation of a component in a bin is::

    norms x sum over events of w exp(sum_j x_j (p_j - p_j0)) f(p)  x  exp(sum_k D_k p_k)

with a weight w for each event, exponents x_j of each event (an index, a tilt), a factor f of each event (oscillation),
and a mean logarithmic derivative D_k of the bin for each nuisance of a flux. The first three are exact. D is the mean
over the events of the bin, taken once, so that a step of a fit costs no sum over events; it is exact to first order in
the spread of the derivative inside a bin (docs/methods/measurement.md). Components that weight the same events are
summed event by event in the variance: it is the sum of the squares of whole weights.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from sim3d.conventions.arrays import Array
from sim3d.errors import InputError
from sim3d.measurement.binning import Binning, Counts, outside_words
from sim3d.measurement.kernels import bin_sums, event_values
from sim3d.measurement.parameters import Parameter, ParameterSet, Prior
from sim3d.measurement.samples import Sample

_CHUNK = 100_000


class Factor(Protocol):
    """Factor on the weight of each event that depends on parameters."""

    parameters: tuple[Parameter, ...]

    def __call__(self, values: Array) -> tuple[Array, Array]:
        """Compute the factor (n,) and its derivatives (n, parameters) at values of its parameters."""


@dataclass(frozen=True)
class Slopes:
    """Logarithmic derivatives of the flux at the events by nuisances.

    Attributes
    ----------
    names : tuple of str
    at : callable
        ``at(rows)`` gives the derivatives (rows, nuisances) for a slice of the sample.
    """

    names: tuple[str, ...]
    at: Callable[[slice], Array]


@dataclass(frozen=True)
class Component:
    """A part of the expectation: events of a sample, weighted by one flux.

    Attributes
    ----------
    name : str
    sample : Sample
    weights : float64 array (n,)
        Expected events that each event of the sample stands for, at the nominal values.
    parameters : tuple of Parameter
        Norms, exponents and nuisances.
    norms : tuple of str
        Parameters that multiply the expectation.
    exponents : dict of float64 arrays (n,)
        By parameter: d ln(weight) / d(parameter) of each event; exact.
    factor : Factor, optional
    slopes : Slopes, optional
        Nuisances whose derivatives are averaged in each bin.
    priors : tuple of Prior
    """

    name: str
    sample: Sample
    weights: Array
    parameters: tuple[Parameter, ...] = ()
    norms: tuple[str, ...] = ()
    exponents: Mapping[str, Array] = field(default_factory=dict)
    factor: Factor | None = None
    slopes: Slopes | None = None
    priors: tuple[Prior, ...] = ()

    def __post_init__(self) -> None:
        """Check the lengths and the weights."""
        weights = np.asarray(self.weights, dtype=float)
        if weights.shape != (len(self.sample),):
            raise InputError(f"component {self.name}: {weights.shape} weights for {len(self.sample)} events")
        bad = ~(np.isfinite(weights) & (weights >= 0.0))
        if bad.any():
            row = int(np.argmax(bad))
            raise InputError(
                f"component {self.name}: weight of row {row + 1}", float(weights[row]), "0 or more, finite"
            )
        object.__setattr__(self, "weights", weights)
        known = {one.name for one in self.parameters}
        for name in (*self.norms, *self.exponents, *(self.slopes.names if self.slopes else ())):
            if name not in known:
                raise InputError(f"component {self.name}: {name!r} is none of its parameters: {', '.join(known)}")
        for name, values in self.exponents.items():
            if np.shape(values) != weights.shape or not np.all(np.isfinite(values)):
                raise InputError(
                    f"component {self.name}: the exponents of {name!r} need a finite number for each event"
                )


@dataclass(frozen=True)
class Expectation:
    """Expected numbers of events.

    Attributes
    ----------
    values : float64 array (bins,)
    variance : float64 array (bins,)
        Of the Monte Carlo: the sum of squared weights.
    derivatives : float64 array (parameters, bins)
        Of ``values``.
    variance_derivatives : float64 array (parameters, bins)
    components : dict of float64 arrays (bins,)
        Values by component.
    """

    values: Array
    variance: Array
    derivatives: Array
    variance_derivatives: Array
    components: dict[str, Array]


class _Part:
    """A component whose events are ordered by bin."""

    def __init__(self, component: Component, rows: NDArray[np.intp], starts: NDArray[np.int64], own: ParameterSet):
        self.component, self.starts = component, starts
        self.names = tuple(component.exponents)
        n = len(rows)
        self.weights = np.ascontiguousarray(component.weights[rows])
        exponents = [np.asarray(component.exponents[name], dtype=float)[rows] for name in self.names]
        self.exponents = np.stack(exponents, axis=1) if exponents else np.zeros((n, 0))
        self.centre = np.array([own.array()[own.names.index(name)] for name in self.names])
        self.factor_names = tuple(p.name for p in component.factor.parameters) if component.factor else ()
        self.rows = rows
        self.plain, self.values = np.empty(n), np.empty(n)
        self.no_slopes, self.factor = np.zeros((n, 0)), np.ones(n)
        self.factor_slopes = self.no_slopes
        self.factor_at: Array | None = None
        self.at: tuple[Array, Array] | None = None
        self.version = 0

    def update(self, values: Mapping[str, float]) -> None:
        """Compute the weights of the events at values of the parameters, unless they are those already."""
        changes = np.array([values[name] for name in self.names]) - self.centre
        inputs = np.array([values[name] for name in self.factor_names])
        if self.at is not None and np.array_equal(changes, self.at[0]) and np.array_equal(inputs, self.at[1]):
            return
        if self.component.factor is not None and (self.factor_at is None or not np.array_equal(self.factor_at, inputs)):
            factor, slopes = self.component.factor(inputs)
            n = len(self.component.sample)
            if np.shape(factor) != (n,) or np.shape(slopes) != (n, len(inputs)):
                raise InputError(
                    f"component {self.component.name}: its factor gives {np.shape(factor)} numbers and "
                    f"{np.shape(slopes)} derivatives for {n} events and {len(inputs)} parameters"
                )
            self.factor, self.factor_slopes = factor[self.rows], np.ascontiguousarray(slopes[self.rows])
            self.factor_at = inputs
        event_values(self.weights, self.factor, self.exponents, changes, self.plain, self.values)
        self.at = (changes, inputs)
        self.version += 1

    def sums(self, others: Array) -> tuple[Array, Array]:
        """Sums over the bins and their derivatives by the exponents' and the factor's parameters."""
        found = bin_sums(self.starts, self.values, others, self.exponents, self.plain, self.factor_slopes)
        return found[0], found[1]


class Model:
    """Expectation of all components in bins, as a function of the parameters.

    Parameters
    ----------
    binning : Binning
    components : sequence of Component
    priors : sequence of Prior, optional
        Besides those of the components.
    parameters : sequence of Parameter, optional
        Definitions that replace those of the components: other limits, values, fixed parameters.

    Attributes
    ----------
    parameters : ParameterSet
    bin_slopes : dict of (tuple of str, float64 array (bins, nuisances))
        Mean derivatives D of the components that have nuisances.
    events : int array (bins,)
        Simulated events in each bin, of all samples, that have a weight above 0 in some component.
    """

    def __init__(
        self,
        binning: Binning,
        components: Sequence[Component],
        priors: Sequence[Prior] = (),
        parameters: Sequence[Parameter] = (),
    ) -> None:
        names = [one.name for one in components]
        if not components or len(set(names)) != len(names):
            raise InputError(f"model: needs components, each with a name of its own: {', '.join(names)}")
        self.binning, self.components = binning, tuple(components)
        given = {one.name: one for one in parameters}
        defined = [p for c in components for p in (*c.parameters, *(c.factor.parameters if c.factor else ()))]
        for name in given:
            if name not in {p.name for p in defined}:
                raise InputError("parameter", name, ", ".join(dict.fromkeys(p.name for p in defined)))
        self.parameters = ParameterSet(
            [given.get(p.name, p) for p in defined], [*(p for c in components for p in c.priors), *priors]
        )
        original = ParameterSet(defined)
        self._parts: list[_Part] = []
        self.events = np.zeros(binning.size, dtype=np.int64)
        self.outside: dict[str, tuple[float, dict[str, tuple[float, float]]]] = {}
        placed: dict[int, Any] = {}
        weighted: dict[int, Any] = {}
        for component in components:
            key = id(component.sample)
            if key not in placed:
                where = binning.place(component.sample)
                rows = np.flatnonzero(where.inside)
                rows = rows[np.argsort(where.index[rows], kind="stable")]
                inside = np.bincount(where.index[rows], minlength=binning.size)
                placed[key] = (where, rows, np.concatenate([[0], np.cumsum(inside)]).astype(np.int64))
            where, rows, starts = placed[key]
            w = component.weights
            weighted[key] = weighted.get(key, False) | (w > 0.0)
            by_axis = {name: (float(w[a].sum()), float(w[b].sum())) for name, (a, b) in where.outside.items()}
            self.outside[component.name] = (float(w[~where.inside].sum()), by_axis)
            self._parts.append(_Part(component, rows, starts, original))
        for key, (where, _, _) in placed.items():
            self.events += np.bincount(where.index[where.inside & weighted[key]], minlength=binning.size)
        self._pairs: dict[tuple[int, int], tuple[tuple[int, int], Any]] = {}
        self._single: dict[int, tuple[int, Any]] = {}
        self.bin_slopes: dict[str, tuple[tuple[str, ...], Array]] = {}
        self.recentre()

    def recentre(self, values: Mapping[str, float] | None = None) -> None:
        """Average the derivatives of the nuisances in each bin with the weights at values of the parameters.

        Parameters
        ----------
        values : mapping, optional
            By default the nominal ones.
        """
        x = dict(zip(self.parameters.names, self.parameters.array(values), strict=True))
        for part in self._parts:
            slopes = part.component.slopes
            if slopes is None:
                continue
            part.update(x)
            weights = np.zeros(len(part.component.sample))
            weights[part.rows] = part.values
            bins = np.full(len(weights), -1)
            bins[part.rows] = np.repeat(np.arange(self.binning.size), np.diff(part.starts))
            sums = np.zeros((self.binning.size, len(slopes.names)))
            for begin in range(0, len(weights), _CHUNK):
                rows = slice(begin, begin + _CHUNK)
                inside = (bins[rows] >= 0) & (weights[rows] > 0.0)
                order = np.argsort(bins[rows][inside], kind="stable")
                b = bins[rows][inside][order]
                if len(b) == 0:
                    continue
                of_events = np.asarray(slopes.at(rows), dtype=float)
                if of_events.shape != (len(inside), len(slopes.names)) or not np.all(np.isfinite(of_events[inside])):
                    raise InputError(
                        f"component {part.component.name}: needs finite derivatives by {len(slopes.names)} nuisances "
                        f"for each of {len(inside)} events"
                    )
                found = (of_events[inside] * weights[rows][inside][:, None])[order]
                first = np.flatnonzero(np.concatenate([[True], np.diff(b) > 0]))
                sums[b[first]] += np.add.reduceat(found, first, axis=0)
            total = np.bincount(bins[part.rows], weights=part.values, minlength=self.binning.size)
            matrix = np.divide(sums, total[:, None], out=np.zeros_like(sums), where=total[:, None] > 0.0)
            self.bin_slopes[part.component.name] = (slopes.names, matrix)

    def expectation(self, values: Mapping[str, float] | Array | None = None, variance: bool = True) -> Expectation:
        """Compute the expectation with its derivatives.

        Parameters
        ----------
        values : mapping or float64 array (parameters,), optional
            By default the nominal values.
        variance : bool
            Whether the variance and its derivatives are wanted; else they are 0.

        Returns
        -------
        Expectation
        """
        x = values if isinstance(values, np.ndarray) else self.parameters.array(values)
        if x.shape != (len(self.parameters),):
            raise InputError(f"expectation: {x.shape} values for {len(self.parameters)} parameters")
        by_name = dict(zip(self.parameters.names, x.tolist(), strict=True))
        place = {name: i for i, name in enumerate(self.parameters.names)}
        n, bins = len(x), self.binning.size
        total, total_slopes = np.zeros(bins), np.zeros((n, bins))
        squares, square_slopes = np.zeros(bins), np.zeros((n, bins))
        components: dict[str, Array] = {}
        scales, scale_slopes = [], []
        for number, part in enumerate(self._parts):
            part.update(by_name)
            scale, logs = self._scale(part, by_name, place)
            scales.append(scale)
            scale_slopes.append(logs)
            sums, slopes = self._sums(number)
            components[part.component.name] = scale * sums
            total += scale * sums
            for name, row in zip((*part.names, *part.factor_names), slopes, strict=True):
                total_slopes[place[name]] += scale * row
            for i, slope in logs:
                total_slopes[i] += slope * sums
        if variance:
            for a, first in enumerate(self._parts):
                for b, second in enumerate(self._parts):
                    if first.component.sample is not second.component.sample:
                        continue
                    sums, slopes = self._pair(a, b)
                    squares += scales[a] * scales[b] * sums
                    for name, row in zip((*first.names, *first.factor_names), slopes, strict=True):
                        square_slopes[place[name]] += 2.0 * scales[a] * scales[b] * row
                    for i, slope in scale_slopes[a]:
                        square_slopes[i] += 2.0 * slope * scales[b] * sums
        return Expectation(total, squares, total_slopes, square_slopes, components)

    def _scale(
        self, part: _Part, values: Mapping[str, float], place: Mapping[str, int]
    ) -> tuple[Array, list[tuple[int, Array]]]:
        """Factor of a component in every bin, and its derivatives as pairs of parameter and (bins,)."""
        component = part.component
        norm = float(np.prod([values[name] for name in component.norms])) if component.norms else 1.0
        shape = np.ones(self.binning.size)
        slopes: list[tuple[int, Array]] = []
        if component.name in self.bin_slopes:
            names, matrix = self.bin_slopes[component.name]
            shape = np.exp(matrix @ np.array([values[name] for name in names]))
            slopes += [(place[name], matrix[:, k] * shape * norm) for k, name in enumerate(names)]
        for name in component.norms:
            others = float(np.prod([values[other] for other in component.norms if other != name]))
            slopes.append((place[name], others * shape))
        return norm * shape, slopes

    def information_noise(self, values: Mapping[str, float] | None = None) -> Array:
        """Compute by how much the simulation's own noise raises Fisher's information, to second order in the noise.

        The information of a bin is (d mu/d p)(d mu/d q) / mu. Both are sums over the simulated events, with values v_i
        and derivatives g_pi; noise in the derivatives does not average out of their product. With s_p = (d mu/d p) / mu
        the expected excess is the sum over events of (g_pi - s_p v_i)(g_qi - s_q v_i) / mu. It is 0 for a norm, and
        large where derivatives change their sign from event to event, as those of fast oscillations do.

        Parameters
        ----------
        values : mapping, optional
            By default the nominal ones.

        Returns
        -------
        float64 array (parameters, parameters)
        """
        x = self.parameters.array(values)
        found = self.expectation(x, variance=False)
        by_name = dict(zip(self.parameters.names, x.tolist(), strict=True))
        place = {name: i for i, name in enumerate(self.parameters.names)}
        relative = np.divide(
            found.derivatives, found.values, out=np.zeros_like(found.derivatives), where=found.values > 0
        )
        noise = np.zeros((len(x), len(x)))
        for sample in {id(part.component.sample) for part in self._parts}:
            parts = [part for part in self._parts if id(part.component.sample) == sample]
            scales = [self._scale(part, by_name, place) for part in parts]
            for b in np.flatnonzero((np.diff(parts[0].starts) > 0) & (found.values > 0.0)):
                rows = slice(parts[0].starts[b], parts[0].starts[b + 1])
                of_events = np.zeros((len(x), rows.stop - rows.start))
                for part, (scale, logs) in zip(parts, scales, strict=True):
                    own = part.values[rows]
                    for name, exponent in zip(part.names, part.exponents[rows].T, strict=True):
                        of_events[place[name]] += scale[b] * own * exponent
                    for name, slope in zip(part.factor_names, part.factor_slopes[rows].T, strict=True):
                        of_events[place[name]] += scale[b] * part.plain[rows] * slope
                    for i, slopes in logs:
                        of_events[i] += slopes[b] * own
                    of_events -= np.outer(relative[:, b], scale[b] * own)
                noise += of_events @ of_events.T / found.values[b]
        return noise

    def _sums(self, number: int) -> tuple[Array, Array]:
        part = self._parts[number]
        if number not in self._single or self._single[number][0] != part.version:
            self._single[number] = (part.version, part.sums(np.ones(len(part.values))))
        return self._single[number][1]  # type: ignore[no-any-return]

    def _pair(self, a: int, b: int) -> tuple[Array, Array]:
        versions = (self._parts[a].version, self._parts[b].version)
        if (a, b) not in self._pairs or self._pairs[a, b][0] != versions:
            self._pairs[a, b] = (versions, self._parts[a].sums(self._parts[b].values))
        return self._pairs[a, b][1]  # type: ignore[no-any-return]

    def asimov(self, values: Mapping[str, float] | None = None) -> Counts:
        """Make the data set that equals the expectation.

        Parameters
        ----------
        values : mapping, optional

        Returns
        -------
        Counts
        """
        return Counts(self.binning, self.expectation(values, variance=False).values, {})

    def describe_outside(self) -> str:
        """Say, by component, how much of the expectation at nominal values is outside the bins."""
        return "; ".join(f"{name}: {outside_words(*found)}" for name, found in self.outside.items())
