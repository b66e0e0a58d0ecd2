"""Evaluate a tensor-product spline of ln(flux) at many points: the compiled loop, and the tables that it reads.

Between two knots a B-spline is a polynomial. The tables hold its coefficients, so that a point needs no recursion: per
axis the interval, four polynomials, and then the sum over the products of the axes. That sum always has four terms of
each axis, so that a compiler can make it four numbers wide; axes with a lower degree have zeros in the rest.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
from numba import njit
from scipy.interpolate import BSpline

from sim3d.conventions.arrays import Array
from sim3d.jit_cache import CACHE
from sim3d.jit_options import HELPER

WIDTH = 4
"""B-splines that are not 0 at a point, at most: those of degree 3."""

BLOCK = 16384
"""Points that are taken flavour by flavour: the coefficients of one flavour (300 kB) stay in a core's cache."""


class AxisTables(NamedTuple):
    """Tables of one axis for the kernel.

    Attributes
    ----------
    breaks : float64 array (pieces + 1,)
        Knots between the first and the last site.
    piece_scale : float
        Pieces per unit of the coordinate, on average: the first guess of a piece. It is right where pieces are equal.
    inverse : float64 array (pieces,)
        1 / width of each piece.
    polynomials : float64 array (pieces + 2, 4, 4)
        [piece, power, B-spline] of t, which is 0 at the left and 1 at the right end of a piece. The last two pieces
        are the linear continuations below (t in units of the first piece) and above (of the last).
    edges : float64 array (cells + 1,)
        Edges of the cells, less the tolerance.
    cell_scale : float
        As ``piece_scale``, of the cells.
    low, first_site, period : float
        Lowest edge, first site, and the period (0 if not periodic).
    """

    breaks: Array
    piece_scale: float
    inverse: Array
    polynomials: Array
    edges: Array
    cell_scale: float
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
        breaks = np.array([axis.low, axis.high])
        polynomials = np.zeros((3, WIDTH, WIDTH))
        polynomials[:, 0, 0] = 1.0
    else:
        breaks = np.ascontiguousarray(knots[degree : len(knots) - degree])
        n = len(breaks) - 1
        width = np.diff(breaks)
        basis = BSpline(knots, np.eye(len(axis.cardinal)), degree)
        polynomials = np.zeros((n + 2, WIDTH, WIDTH))
        for power in range(degree + 1):
            # derivatives at the left end of every piece: scipy's are continuous from the right
            slopes = basis.derivative(power)(breaks[:-1]) if power else basis(breaks[:-1])
            for piece in range(n):
                own = slopes[piece, piece : piece + degree + 1]
                polynomials[piece, power, : degree + 1] = own * width[piece] ** power / math.factorial(power)
        # linear beyond the ends, from the value and the derivative there
        polynomials[n, :2] = polynomials[0, :2]
        last = polynomials[n - 1]
        polynomials[n + 1, 0] = last.sum(axis=0)
        polynomials[n + 1, 1] = np.arange(WIDTH) @ last
    edges = np.ascontiguousarray(edges)
    return AxisTables(
        breaks, _scale(breaks), 1.0 / np.diff(breaks), polynomials, edges, _scale(edges),
        axis.low, float(axis.sites[0]), axis.period,
    )  # fmt: skip


def _scale(edges: Array) -> float:
    """Compute the mean number of intervals per unit."""
    return float((len(edges) - 1) / (edges[-1] - edges[0]))


def padded_shape(tables: tuple[AxisTables, ...]) -> tuple[int, ...]:
    """Return the numbers of coefficients of each axis that :func:`evaluate` reads; those added are 0.

    Parameters
    ----------
    tables : tuple of AxisTables

    Returns
    -------
    tuple of int
        Pieces + 3: the B-splines of a cubic spline.
    """
    return tuple(len(one.breaks) - 1 + WIDTH - 1 for one in tables)


@njit(**HELPER)
def _interval(edges, scale, x):
    """Index of the interval between ascending edges that contains x, the outer ones for an x outside."""
    n = edges.shape[0] - 1
    i = min(max(int((x - edges[0]) * scale), 0), n - 1)
    while i > 0 and x < edges[i]:
        i -= 1
    while i < n - 1 and x >= edges[i + 1]:
        i += 1
    return i


@njit(**HELPER)
def _place(axis, x):
    """Cell that contains x, piece and row of its polynomials, and t in that piece."""
    at_cell, at_piece = x, x
    end = axis.edges[axis.edges.shape[0] - 1]
    if axis.period > 0.0:
        at_cell = x - axis.period * np.floor((x - axis.low) / axis.period)
        if not (at_cell >= axis.low and at_cell <= axis.low + axis.period):  # very many turns
            at_cell = axis.low + (x - axis.low) % axis.period
        at_piece = at_cell if at_cell >= axis.first_site else at_cell + axis.period
        if at_cell >= end:  # within the tolerance of a whole turn
            at_cell = axis.low
    cell = _interval(axis.edges, axis.cell_scale, at_cell)
    piece = _interval(axis.breaks, axis.piece_scale, at_piece)
    t = (at_piece - axis.breaks[piece]) * axis.inverse[piece]
    n = axis.inverse.shape[0]
    row = piece
    if at_piece < axis.breaks[0]:
        row = n
    elif at_piece > axis.breaks[n]:
        row, t = n + 1, t - 1.0
    return cell, piece, row, t


@njit(**HELPER)
def _basis(polynomials, row, t, values):
    """Write the B-splines that are not 0 at t to ``values``."""
    p = polynomials[row]
    for b in range(WIDTH):
        values[b] = p[0, b] + t * (p[1, b] + t * (p[2, b] + t * p[3, b]))


@njit(**HELPER)
def _by_flavour(flavour, begin, end, starts, order):
    """Write the points from ``begin`` to ``end`` to ``order``, those of one flavour together."""
    starts[:] = 0
    for m in range(begin, end):
        starts[flavour[m] + 1] += 1
    for f in range(1, starts.shape[0]):
        starts[f] += starts[f - 1]
    for m in range(begin, end):
        f = flavour[m]
        order[starts[f]] = m
        starts[f] += 1


@njit(nogil=True, cache=CACHE)
def evaluate(flavour, energy, cosine, azimuth, x_axis, y_axis, z_axis, coefficients, shape, log_factor, out):
    """Compute the logarithm of the flux at points.

    Parameters
    ----------
    flavour : int array (n,)
    energy, cosine, azimuth : float64 arrays (n,)
        Coordinates of the three axes.
    x_axis, y_axis, z_axis : AxisTables
    coefficients : float64 array (flavours x nx x ny x nz,)
        Of the products of B-splines, with the zeros of :func:`padded_shape`.
    shape : (int, int, int)
        nx, ny, nz.
    log_factor : float64 array (flavours, cells of each axis)
        Added to the spline, constant in a cell; minus infinity where there is no flux.
    out : float64 array (n,)
        Filled with ln(flux).
    """
    nx, ny, nz = shape
    wx, wy, wz = np.empty(WIDTH), np.empty(WIDTH), np.empty(WIDTH)
    starts, order = np.empty(log_factor.shape[0] + 1, dtype=np.int64), np.empty(BLOCK, dtype=np.int64)
    for begin in range(0, out.shape[0], BLOCK):
        end = min(begin + BLOCK, out.shape[0])
        _by_flavour(flavour, begin, end, starts, order)
        for n in range(end - begin):
            m = order[n]
            f = flavour[m]
            cx, i, rx, tx = _place(x_axis, energy[m])
            cy, j, ry, ty = _place(y_axis, cosine[m])
            cz, k, rz, tz = _place(z_axis, azimuth[m])
            added = log_factor[f, cx, cy, cz]
            if added == -np.inf:
                out[m] = added
                continue
            _basis(x_axis.polynomials, rx, tx, wx)
            _basis(y_axis.polynomials, ry, ty, wy)
            _basis(z_axis.polynomials, rz, tz, wz)
            first = ((f * nx + i) * ny + j) * nz + k
            # four sums side by side, one for each B-spline in z; unsigned places are not tested for a negative sign
            s0, s1, s2, s3 = 0.0, 0.0, 0.0, 0.0
            for a in range(WIDTH):
                r0, r1, r2, r3 = 0.0, 0.0, 0.0, 0.0
                for b in range(WIDTH):
                    at, w = np.uint64(first + (a * ny + b) * nz), wy[b]
                    r0 += coefficients[at] * w
                    r1 += coefficients[at + np.uint64(1)] * w
                    r2 += coefficients[at + np.uint64(2)] * w
                    r3 += coefficients[at + np.uint64(3)] * w
                w = wx[a]
                s0 += r0 * w
                s1 += r1 * w
                s2 += r2 * w
                s3 += r3 * w
            out[m] = added + ((s0 * wz[0] + s1 * wz[1]) + (s2 * wz[2] + s3 * wz[3]))
