"""Evaluate a tensor-product spline of ln(flux) at many points: the compiled loop, and the tables that it reads.

Between two knots a B-spline is a polynomial. The tables hold its coefficients, so that a point needs no recursion: per
axis the interval, four polynomials, and then the sum over the products of the axes.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray
from scipy.interpolate import BSpline

from sim3d.conventions.arrays import Array
from sim3d.jit_cache import CACHE
from sim3d.jit_options import HELPER

WIDTH = 4
"""B-splines that are not 0 at a point, at most: those of degree 3."""


class AxisTables(NamedTuple):
    """Tables of one axis for the kernel.

    Attributes
    ----------
    breaks : float64 array (pieces + 1,)
        Knots between the first and the last site.
    first : int64 array (pieces,)
        Index of the first B-spline that is not 0 in a piece.
    polynomials : float64 array (pieces + 2, 4, 4)
        [piece, B-spline, power] of t, which is 0 at the left and 1 at the right end of a piece. The last two pieces
        are the linear continuations below (t in units of the first piece) and above (of the last).
    n_splines : int
        B-splines that are not 0 in a piece.
    edges : float64 array (cells + 1,)
        Edges of the cells, less the tolerance.
    low, first_site, period : float
        Lowest edge, first site, and the period (0 if not periodic).
    """

    breaks: Array
    first: NDArray[np.int64]
    polynomials: Array
    n_splines: int
    edges: Array
    low: float
    first_site: float
    period: float


def axis_tables(axis: Any, edges: Array) -> AxisTables:
    """Make the tables of an axis.

    Parameters
    ----------
    axis : sim3d.flux.spline.Axis
    edges : float64 array (cells + 1,)
        Edges of the cells, less the tolerance.

    Returns
    -------
    AxisTables
    """
    degree, knots = axis.degree, axis.knots
    if len(axis.sites) == 1:
        breaks, first = np.array([axis.low, axis.high]), np.zeros(1, dtype=np.int64)
        polynomials = np.zeros((3, WIDTH, WIDTH))
        polynomials[:, 0, 0] = 1.0
    else:
        breaks = knots[degree : len(knots) - degree]
        n = len(breaks) - 1
        first = np.arange(n, dtype=np.int64)
        width = np.diff(breaks)
        basis = BSpline(knots, np.eye(len(axis.cardinal)), degree)
        polynomials = np.zeros((n + 2, WIDTH, WIDTH))
        for power in range(degree + 1):
            # derivatives at the left end of every piece: scipy's are continuous from the right
            slopes = basis.derivative(power)(breaks[:-1]) if power else basis(breaks[:-1])
            for piece in range(n):
                own = slopes[piece, piece : piece + degree + 1]
                polynomials[piece, : degree + 1, power] = own * width[piece] ** power / math.factorial(power)
        # linear beyond the ends, from the value and the derivative there
        polynomials[n, :, :2] = polynomials[0, :, :2]
        last = polynomials[n - 1]
        polynomials[n + 1, :, 0] = last.sum(axis=1)
        polynomials[n + 1, :, 1] = last @ np.arange(WIDTH)
    return AxisTables(
        np.ascontiguousarray(breaks), first, polynomials, degree + 1, np.ascontiguousarray(edges),
        axis.low, float(axis.sites[0]), axis.period,
    )  # fmt: skip


@njit(**HELPER)
def _interval(edges, x):
    """Index of the interval between ascending edges that contains x, the outer ones for an x outside."""
    n = edges.shape[0] - 1
    guess = (x - edges[0]) * n / (edges[n] - edges[0])
    i = min(max(int(guess), 0), n - 1)
    while i > 0 and x < edges[i]:
        i -= 1
    while i < n - 1 and x >= edges[i + 1]:
        i += 1
    return i


@njit(**HELPER)
def _basis(breaks, first, polynomials, count, first_site, period, x, values):
    """Write the B-splines that are not 0 at x to ``values``; return the index of the first."""
    if period > 0.0:
        x = first_site + (x - first_site) % period
    n = breaks.shape[0] - 1
    piece = _interval(breaks, x)
    t = (x - breaks[piece]) / (breaks[piece + 1] - breaks[piece])
    row = piece
    if x < breaks[0]:
        row = n
    elif x > breaks[n]:
        row, t = n + 1, t - 1.0
    for b in range(count):
        p = polynomials[row, b]
        values[b] = p[0] + t * (p[1] + t * (p[2] + t * p[3]))
    return first[piece]


@njit(**HELPER)
def _cell(edges, low, period, x):
    """Index of the cell that contains x."""
    if period > 0.0:
        x = low + (x - low) % period
        if x >= edges[edges.shape[0] - 1]:  # within the tolerance of a whole turn
            return 0
    return _interval(edges, x)


@njit(nogil=True, cache=CACHE)
def evaluate(flavour, energy, cosine, azimuth, tables, coefficients, factor, out):
    """Compute the flux at points.

    Parameters
    ----------
    flavour : int array (n,)
    energy, cosine, azimuth : float64 arrays (n,)
        Coordinates of the three axes.
    tables : three AxisTables
    coefficients : float64 array (flavours, coefficients of each axis)
    factor : float64 array (flavours, cells of each axis)
        Factor on the exponential of the spline, constant in a cell.
    out : float64 array (n,)
        Filled with the fluxes.
    """
    t0, t1, t2 = tables
    b0, f0, p0, n0, e0 = t0.breaks, t0.first, t0.polynomials, t0.n_splines, t0.edges
    b1, f1, p1, n1, e1 = t1.breaks, t1.first, t1.polynomials, t1.n_splines, t1.edges
    b2, f2, p2, n2, e2 = t2.breaks, t2.first, t2.polynomials, t2.n_splines, t2.edges
    s0, s1, s2, per0, per1, per2 = t0.first_site, t1.first_site, t2.first_site, t0.period, t1.period, t2.period
    l0, l1, l2 = t0.low, t1.low, t2.low
    w0, w1, w2 = np.empty(4), np.empty(4), np.empty(4)
    for m in range(out.shape[0]):
        x, y, z, f = energy[m], cosine[m], azimuth[m], flavour[m]
        inside = factor[f, _cell(e0, l0, per0, x), _cell(e1, l1, per1, y), _cell(e2, l2, per2, z)]
        if inside == 0.0:
            out[m] = 0.0
            continue
        i0 = _basis(b0, f0, p0, n0, s0, per0, x, w0)
        i1 = _basis(b1, f1, p1, n1, s1, per1, y, w1)
        i2 = _basis(b2, f2, p2, n2, s2, per2, z, w2)
        total = 0.0
        for i in range(n0):
            row = 0.0
            for j in range(n1):
                c = coefficients[f, i0 + i, i1 + j]
                if n2 == WIDTH:
                    line = (c[i2] * w2[0] + c[i2 + 1] * w2[1]) + (c[i2 + 2] * w2[2] + c[i2 + 3] * w2[3])
                else:
                    line = 0.0
                    for k in range(n2):
                        line += c[i2 + k] * w2[k]
                row += line * w1[j]
            total += row * w0[i]
        out[m] = math.exp(total) * inside
