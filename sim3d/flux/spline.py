"""Interpolation of a flux table by a tensor-product spline of the logarithm of the flux.

The logarithm is cubic in ln E, in cos_zenith and, periodically, in azimuth. At the ends the spline is natural, and it
is linear beyond the centres of the outermost bins. Where the numbers of the table are means over bins, the spline does
not pass through them at the bin centres. Instead its values at the centres are iterated until the *integral* of the
flux over every bin is that of the table. The flux is positive by construction.

An empty bin (flux 0) has no logarithm. The flux is 0 throughout it, as in the table. To keep the spline smooth in the
neighbouring bins, it is continued through empty bins. Between the nearest filled bins in energy, ln flux is linear in
ln E; beyond the outermost filled bins the flux follows E^-3.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import BSpline, make_interp_spline
from scipy.sparse import csr_array, eye_array

from sim3d.conventions.arrays import Array
from sim3d.files.flux_table import FluxTable
from sim3d.flux.spline_kernel import axis_tables, evaluate, padded_shape

Ints = NDArray[np.intp]

GAUSS_NODES = 3
"""Gauss-Legendre nodes in each half of a bin: the spline has a knot at the centre, where it is only C2."""

AZIMUTH_NODES = 2
"""The same for azimuth: fewer, since fluxes vary least along it and the cost is proportional to it."""

FILL_INDEX = 3.0
"""Spectral index of the spline in empty bins beyond the outermost filled ones; their flux is 0 for any index."""

CELL_SLACK = 2e-3
"""Tolerance of the edges between cells, in cells: five printed digits of an energy are 1e-3 of a cell of 1/40 decade.

Only where one cell is empty does it matter which of two a point is in."""

TOLERANCE = 1e-6
MAX_ITERATIONS = 60
_LARGEST_STEP = 1.0


@dataclass(frozen=True)
class Axis:
    """One axis of a flux table: spline basis, bin edges and linear interpolation in the coordinate of the spline.

    Attributes
    ----------
    sites : float64 array (n,)
        Points at which the spline's values are iterated: logarithmic centres of energy bins (or the tabulated
        energies), centres of other bins.
    edges : float64 array (n + 1,)
        Edges of the cells.
    cells : bool
        Whether the numbers are means over the cells, or values at the sites.
    exponential : bool
        Whether means are taken with the measure e^x dx: x is ln E and the mean is over E.
    period : float
        0 if not periodic.
    gauss_nodes : int
        Gauss-Legendre nodes in each half of a cell.
    degree : int
        Degree of the spline: 3 with four sites or more, else 1 (0 for a single site).
    knots : float64 array
        Knots of the B-splines.
    cardinal : float64 array (coefficients, n)
        B-spline coefficients of the splines that are 1 at one site and 0 at the others.
    """

    sites: Array
    edges: Array
    cells: bool
    exponential: bool = False
    period: float = 0.0
    gauss_nodes: int = GAUSS_NODES
    degree: int = field(init=False)
    knots: Array = field(init=False)
    cardinal: Array = field(init=False, repr=False)

    def __post_init__(self) -> None:
        n = len(self.sites)
        # a cubic spline needs four sites; with fewer it is linear
        degree = 3 if n > 3 else min(1, n - 1)
        if n == 1:
            knots, cardinal = self.edges, np.ones((1, 1))
        else:
            x, y, ends = self.sites, np.eye(n), "natural"
            if self.period:
                x, y, ends = np.append(x, x[0] + self.period), np.vstack([y, y[:1]]), "periodic"
            spline = make_interp_spline(x, y, k=degree, bc_type=ends if degree == 3 else None)
            knots, cardinal = spline.t, spline.c
        for name, value in (("degree", degree), ("knots", knots), ("cardinal", cardinal)):
            object.__setattr__(self, name, value)

    @property
    def low(self) -> float:
        """Lower end of the axis."""
        return float(self.edges[0])

    @property
    def high(self) -> float:
        """Upper end of the axis."""
        return float(self.edges[-1])

    def _wrapped(self, x: Array) -> Array:
        return self.sites[0] + np.mod(x - self.sites[0], self.period) if self.period else x

    def local(self, x: Array) -> tuple[Ints, Array]:
        """Evaluate the B-splines that are not 0 at each x.

        Beyond the outer sites they are continued linearly.

        Parameters
        ----------
        x : float64 array (m,)

        Returns
        -------
        index, value : int and float64 arrays (m, degree + 1)
            Indices of the B-splines and their values.
        """
        if len(self.sites) == 1:
            return np.zeros((len(x), 1), dtype=np.intp), np.ones((len(x), 1))
        inner = self.knots[self.degree : len(self.knots) - self.degree]
        x = self._wrapped(x)
        inside = np.clip(x, inner[0], inner[-1])
        matrix = BSpline.design_matrix(inside, self.knots, self.degree)
        shape = (len(x), self.degree + 1)
        index, value = matrix.indices.reshape(shape).astype(np.intp), matrix.data.reshape(shape).copy()
        # Linear beyond the outer sites (half a bin): a cubic would amplify the noise of the outer bins.
        for end in (inner[0], inner[-1]):
            outside = (inside == end) & (x != end)
            if outside.any():
                first = index[outside][0, 0]
                basis = BSpline(self.knots, np.eye(len(self.cardinal))[:, first : first + self.degree + 1], self.degree)
                value[outside] += (x[outside] - end)[:, None] * basis.derivative()(end)
        return index, value

    def matrix(self, x: Array) -> Any:
        """Evaluate all B-splines at x, as a sparse matrix.

        Parameters
        ----------
        x : float64 array (m,)

        Returns
        -------
        sparse array (m, coefficients)
        """
        index, value = self.local(x)
        row = np.arange(len(x) + 1) * index.shape[1]
        return csr_array((value.ravel(), index.ravel(), row), shape=(len(x), len(self.cardinal)))

    def cell_edges(self) -> Array:
        """Return the edges of the cells less the tolerance, :data:`CELL_SLACK` of a cell, (n + 1,)."""
        return self.edges - CELL_SLACK * np.diff(self.edges).min()

    def cell(self, x: Array) -> Ints:
        """Find the cell that contains each x; one within rounding of an edge is in the cell above it.

        Parameters
        ----------
        x : float64 array (m,)

        Returns
        -------
        int array (m,)
        """
        if self.period:
            x = self.low + np.mod(x - self.low, self.period)
        cell = np.searchsorted(self.cell_edges(), x, side="right") - 1
        return np.mod(cell, len(self.sites)) if self.period else np.clip(cell, 0, len(self.sites) - 1)

    def linear(self, x: Array) -> tuple[Ints, Array]:
        """Compute the weights of linear interpolation between sites, constant beyond the outer ones.

        Parameters
        ----------
        x : float64 array (m,)

        Returns
        -------
        index, weight : int and float64 arrays (m, 2)
            The two neighbouring sites and their weights.
        """
        n = len(self.sites)
        if self.period and n > 1:
            x = self._wrapped(x)
            sites = np.append(self.sites, self.sites[0] + self.period)
        else:
            sites = self.sites
            x = np.clip(x, sites[0], sites[-1])
        if n == 1:
            return np.zeros((len(x), 2), dtype=np.intp), np.tile([1.0, 0.0], (len(x), 1))
        i = np.clip(np.searchsorted(sites, x, side="right") - 1, 0, len(sites) - 2)
        t = (x - sites[i]) / (sites[i + 1] - sites[i])
        return np.stack([i, (i + 1) % n], axis=1), np.stack([1.0 - t, t], axis=1)

    def breaks(self) -> Array:
        """Return the points where the interpolated flux is not smooth: edges and sites.

        Returns
        -------
        float64 array
            Ascending.
        """
        return np.unique(np.concatenate([self.edges, self.sites]))

    def nodes(self) -> tuple[Array, Any]:
        """Return quadrature nodes, and the matrix that turns values at the nodes into means over the cells.

        Returns
        -------
        x : float64 array (m,)
            Gauss-Legendre nodes; the sites themselves where the numbers are no means over cells.
        average : sparse array (n, m)
        """
        if not self.cells:
            return self.sites, eye_array(len(self.sites), format="csr")
        x, weight = gauss(self.breaks(), self.gauss_nodes, self.exponential)
        average = np.where(self.cell(x) == np.arange(len(self.sites))[:, None], weight, 0.0)
        return x, csr_array(average / average.sum(axis=1, keepdims=True))


class _Mixer:
    """Anderson's acceleration of a fixed-point iteration x -> x + step(x) (J. ACM 12 (1965) 547).

    The last ``memory`` points and steps are used.
    """

    memory = 6

    def __init__(self) -> None:
        self.points: list[Array] = []
        self.steps: list[Array] = []

    def next(self, point: Array, step: Array, reset: bool) -> Array:
        """Compute the next point of the iteration; ``reset`` discards the earlier points."""
        if reset:
            self.points.clear()
            self.steps.clear()
        self.points = [*self.points[-self.memory :], point]
        self.steps = [*self.steps[-self.memory :], step]
        if len(self.steps) == 1:
            return point + step
        points, steps = np.diff(self.points, axis=0), np.diff(self.steps, axis=0)
        n = len(steps)
        mixture, *_ = np.linalg.lstsq(steps.reshape(n, -1).T, step.ravel(), rcond=1e-10)
        return point + step - np.tensordot(mixture, points + steps, axes=1)


def gauss(breaks: Array, nodes: int, exponential: bool) -> tuple[Array, Array]:
    """Compute Gauss-Legendre nodes and weights between successive breaks.

    Parameters
    ----------
    breaks : float64 array (n + 1,)
        Ascending.
    nodes : int
        Number of nodes in each interval.
    exponential : bool
        Integrate with the measure e^x dx instead of dx.

    Returns
    -------
    x, weight : float64 arrays (n nodes,)
    """
    t, w = np.polynomial.legendre.leggauss(nodes)
    low, width = breaks[:-1, None], np.diff(breaks)[:, None]
    x = (low + 0.5 * width * (1.0 + t)).ravel()
    weight = (0.5 * width * w).ravel()
    return x, weight * np.exp(x) if exponential else weight


def axes_of(table: FluxTable) -> tuple[Axis, Axis, Axis]:
    """Make the spline axes of a table: ln(E/GeV), cos_zenith, azimuth in degrees.

    Parameters
    ----------
    table : FluxTable

    Returns
    -------
    three Axis
    """
    cos, azimuth = table.cos_edges, table.azimuth_edges_deg
    return (
        Axis(np.log(table.energies_GeV), np.log(table.energy_edges_GeV), table.energy_kind == "bins", True),
        Axis(0.5 * (cos[1:] + cos[:-1]), cos, True),
        Axis(
            0.5 * (azimuth[1:] + azimuth[:-1]),
            azimuth,
            True,
            period=360.0 if table.has_azimuth else 0.0,
            gauss_nodes=AZIMUTH_NODES if table.has_azimuth else 1,
        ),
    )


class FluxSpline:
    """Spline of a flux table whose integrals over the bins are those of the table.

    Parameters
    ----------
    table : FluxTable

    Attributes
    ----------
    axes : three Axis
    iterations : int
        Largest number of iterations that a flavour needed, of those fitted so far.
    residual : float
        Largest |ln(integral / content)| of a bin after the iteration. It is corrected by a constant factor in each bin,
        so that integrals always agree. A residual above 1e-6 would leave steps at bin edges.
    """

    def __init__(self, table: FluxTable) -> None:
        self.table = table
        self.axes = axes_of(table)
        self.iterations, self.residual = 0, 0.0
        nodes = [axis.nodes() for axis in self.axes]
        self._basis = [axis.matrix(x) for axis, (x, _) in zip(self.axes, nodes, strict=True)]
        self._average = [average for _, average in nodes]
        self._tables = tuple(axis_tables(axis, axis.cell_edges()) for axis in self.axes)
        self._correct = [self._inverse(i) for i in range(3)]
        shape = [len(axis.cardinal) for axis in self.axes]
        # the kernel's copies: coefficients with zeros at the ends of short axes, logarithms of the factors
        self._padded = np.zeros((len(table.flux), *padded_shape(self._tables)))
        self.coefficients = self._padded[:, : shape[0], : shape[1], : shape[2]]
        self._log_factor = np.full(table.flux.shape, -np.inf)
        self.factor = np.empty_like(table.flux)
        self._fitted = [False] * len(table.flux)
        relative = np.ones_like(table.flux)
        if table.error is not None:
            np.divide(table.error, table.flux, out=relative, where=table.hit)
        self.relative_error = relative

    def _inverse(self, i: int) -> Array:
        """Compute the matrix from errors of one axis's cell means to corrections at its sites, to first order."""
        return np.linalg.inv((self._average[i] @ self._basis[i]) @ self.axes[i].cardinal)

    def _coefficients(self, logs: Array) -> Array:
        return along_axes([axis.cardinal for axis in self.axes], logs)

    def _means(self, logs: Array) -> Array:
        """Compute the means over the cells of the exponential of the spline through ``logs`` at the sites."""
        return along_axes(self._average, np.exp(along_axes(self._basis, self._coefficients(logs))))

    def fit(self, flavours: Iterable[int]) -> None:
        """Fit the splines of these flavours, unless that is done already.

        :meth:`flux` and :meth:`integrals` call this for the flavours they need.

        Parameters
        ----------
        flavours : iterable of int
        """
        for f in flavours:
            if not self._fitted[f]:
                self.coefficients[f], self.factor[f] = self._fit(self.table.flux[f])
                np.log(self.factor[f], out=self._log_factor[f], where=self.factor[f] > 0.0)
                self._fitted[f] = True

    def _fit(self, flux: Array) -> tuple[Array, Array]:
        hit = flux > 0.0
        if not hit.any():
            return np.zeros([len(axis.cardinal) for axis in self.axes]), np.zeros_like(flux)
        target = _filled(flux, hit, self.axes[0].sites)
        logs, best, residual = target, target, np.zeros_like(target)
        worst = np.inf
        mixer = _Mixer()
        for count in range(1, MAX_ITERATIONS + 1):
            difference = np.where(hit, target - np.log(self._means(logs)), 0.0)
            largest = float(np.abs(difference).max())
            if largest < worst:
                worst, best, residual = largest, logs, difference
            self.iterations = max(self.iterations, count)
            if worst < TOLERANCE:
                break
            step = np.clip(along_axes(self._correct, difference), -_LARGEST_STEP, _LARGEST_STEP)
            logs = mixer.next(logs, step, reset=largest > 2.0 * worst)
        self.residual = max(self.residual, worst)
        return self._coefficients(best), np.where(hit, np.exp(residual), 0.0)

    def flux(self, flavour: Ints, coordinates: tuple[Array, Array, Array]) -> Array:
        """Interpolate the flux at points.

        Parameters
        ----------
        flavour : int array (n,)
        coordinates : three float64 arrays (n,)
            ln(E/GeV), cos_zenith, azimuth in degrees, inside the table.

        Returns
        -------
        float64 array (n,)
            m^-2 s^-1 sr^-1 GeV^-1.
        """
        self.fit(np.flatnonzero(np.bincount(flavour, minlength=1)).tolist())
        out = np.empty(len(flavour))
        x, y, z = (np.ascontiguousarray(c, dtype=float) for c in coordinates)
        spline = (self._padded.ravel(), self._padded.shape[1:], self._log_factor)
        evaluate(flavour, x, y, z, *self._tables, *spline, out)  # type: ignore[call-arg]
        # numpy takes several exponentials at a time, the kernel one
        return np.exp(out, out=out)

    def error(self, flavour: Ints, coordinates: tuple[Array, Array, Array], flux: Array) -> Array:
        """Interpolate the statistical error of the flux at points.

        The relative error is linear between the bin centres. In an empty bin the error is the table's upper limit.

        Parameters
        ----------
        flavour : int array (n,)
        coordinates : three float64 arrays (n,)
            As in :meth:`flux`.
        flux : float64 array (n,)
            The flux at these points.

        Returns
        -------
        float64 array (n,)
            m^-2 s^-1 sr^-1 GeV^-1.
        """
        assert self.table.error is not None
        (ie, we), (ic, wc), (ia, wa) = (axis.linear(c) for axis, c in zip(self.axes, coordinates, strict=True))
        index = (flavour[:, None, None, None], ie[:, :, None, None], ic[:, None, :, None], ia[:, None, None, :])
        relative = np.einsum("nijk,ni,nj,nk->n", self.relative_error[index], we, wc, wa, optimize=True)
        cells = tuple(axis.cell(c) for axis, c in zip(self.axes, coordinates, strict=True))
        limit = self.table.error[(flavour, *cells)]
        return np.where(self.table.hit[(flavour, *cells)], relative * flux, limit)

    def integrals(self, flavour: int, edges: tuple[Array, Array, Array]) -> Array:
        """Integrate the flux of one flavour over bins, by Gauss-Legendre quadrature between the knots and edges.

        Parameters
        ----------
        flavour : int
        edges : three float64 arrays
            Edges of the bins in the coordinates of the axes.

        Returns
        -------
        float64 array (one less than the edges of each axis)
            Over E, cos_zenith and azimuth in degrees: m^-2 s^-1 sr^-1 x degrees.
        """
        self.fit([flavour])
        grids = [_bin_nodes(axis, edge) for axis, edge in zip(self.axes, edges, strict=True)]
        basis = [axis.matrix(x) for axis, (x, _) in zip(self.axes, grids, strict=True)]
        values = np.exp(along_axes(basis, self.coefficients[flavour]))
        cells = np.ix_(*(axis.cell(x) for axis, (x, _) in zip(self.axes, grids, strict=True)))
        values *= self.factor[flavour][cells]
        return along_axes([summed for _, summed in grids], values)


def _bin_nodes(axis: Axis, edges: Array) -> tuple[Array, Any]:
    """Compute nodes (m,) for integrals between edges, and the sparse matrix (bins, m) of their weights."""
    breaks = axis.breaks()
    inside = breaks[(breaks > edges[0]) & (breaks < edges[-1])]
    x, weight = gauss(np.unique(np.concatenate([edges, inside])), axis.gauss_nodes, axis.exponential)
    inside_bin = (x > edges[:-1, None]) & (x < edges[1:, None])
    return x, csr_array(np.where(inside_bin, weight, 0.0))


def along_axes(matrices: Sequence[Any], values: Array) -> Array:
    """Multiply an array (n_0, n_1, ...) by one matrix (m_i, n_i), dense or sparse, along each axis: (m_0, m_1, ...)."""
    for matrix in matrices:
        # the first axis is multiplied and becomes the last: after all axes the order is the original one
        rest = values.shape[1:]
        values = (matrix @ values.reshape(values.shape[0], -1)).T.reshape(*rest, -1)
    return values


def _filled(flux: Array, hit: NDArray[np.bool_], log_energy: Array) -> Array:
    """Compute ln flux; empty bins are interpolated in ln E, or have the mean of ln E^3 flux in an empty direction."""
    weight = np.exp(FILL_INDEX * log_energy)[:, None, None]
    logs = np.where(hit, np.log(np.where(hit, flux * weight, 1.0)), 0.0)
    overall = float(np.mean(logs[hit]))
    flat, known = logs.reshape(len(log_energy), -1), hit.reshape(len(log_energy), -1)
    for column, good in zip(flat.T, known.T, strict=True):
        if not good.all():
            column[:] = np.interp(log_energy, log_energy[good], column[good]) if good.any() else overall
    return logs - FILL_INDEX * log_energy[:, None, None]
