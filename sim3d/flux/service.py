"""Fluxes in bins of energy and zenith from a spline of a Honda table, in the interface of an analysis chain.

The interface, its keys, defaults and formula are those of the page "Stage 1: Flux" of the PINGU/IceCube low-energy
simulation chain: a service with ``get_flux(ebins, czbins, prim)`` and a function that makes maps for four primaries.
"""

from __future__ import annotations

import itertools
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.interpolate import RectBivariateSpline

from sim3d.conventions.arrays import Array
from sim3d.errors import InputError
from sim3d.flux.interpolated import Flux
from sim3d.flux.point_errors import ErrorKind
from sim3d.results.model_parameters import ParameterErrors, ordered_values

PRIMARIES = {"nue": "nue", "nue_bar": "nuebar", "numu": "numu", "numu_bar": "numubar"}
"""The service's names of the primaries, in the order of its maps, and sim3d's."""

DEFAULT_EBINS = np.geomspace(1.0, 80.0, 40)
"""40 edges from 1 to 80 GeV, logarithmic."""

DEFAULT_CZBINS = np.linspace(-1.0, 0.0, 21)
"""21 edges from -1 (up-going) to 0 (horizontal), linear."""

DEFAULT_SMOOTH = 0.05

_SLACK = 0.02
"""Relative tolerance in the comparison of a bin's width with the table's, for the rounding of edges."""


class FluxService(Protocol):
    """Interface that :func:`get_flux_maps` needs."""

    def get_flux(self, ebins: ArrayLike, czbins: ArrayLike, prim: str) -> Any:
        """Compute the flux of a primary in bins, m^-2 s^-1, shape (energy, cos_zenith)."""


class HondaFluxService:
    """Fluxes in bins, from a spline of the log10 of a table's flux over log10(E) and cos_zenith.

    Parameters
    ----------
    flux_file : str or Path
        A Honda table (``.d``) or a result file; azimuth bins are averaged.
    smooth : float
        Smoothing parameter ``s`` of scipy: upper limit of the sum of the squared residuals of log10(flux). With 0 the
        spline passes through every number. The default, 0.05, lets 2,020 numbers of 101 energies and 20 zeniths
        deviate by 1.1% on average.
    integrate : bool, optional
        Whether :meth:`get_flux` integrates over the bins instead of multiplying the flux at their centre by
        their size. At a spectral index of 3.5 the integral is 0.3% more in the default bins, 1.2% in bins of a tenth
        of a decade. By default it integrates over the bins that are wider than the table's, in energy or in
        cos_zenith, and no others. With False it never does, and warns of such bins.
    site : str, optional
        Of a result file.
    errors : ParameterErrors, optional
        Model parameters with errors, see :meth:`sim3d.Flux.load`; by default those of the run's calibration.

    Attributes
    ----------
    flux : Flux
        The file as an interpolated flux: azimuths, statistical errors, and derivatives by the model parameters.
    energy_range_GeV : dict of (float, float)
        By primary, the energies between which every zenith bin of the table has a flux.

    Raises
    ------
    InputError
        If the file cannot be used, or ``smooth`` is negative.
    """

    def __init__(
        self,
        flux_file: str | Path | None = None,
        smooth: float = DEFAULT_SMOOTH,
        integrate: bool | None = None,
        site: str | None = None,
        errors: ParameterErrors | None = None,
    ) -> None:
        if flux_file is None:
            raise InputError("flux_file: give a Honda table (.d) or a result file, none ships with sim3d")
        if not (np.isfinite(smooth) and smooth >= 0.0):
            raise InputError("smooth", smooth, "0 or more")
        self.flux_file, self.smooth, self.integrate = str(flux_file), float(smooth), integrate
        self.flux = Flux.load(flux_file, site, errors=errors)
        table = self.flux.table
        cos = 0.5 * (table.cos_edges[1:] + table.cos_edges[:-1])
        if len(cos) < 4 or len(table.energies_GeV) < 4:
            raise InputError(f"{flux_file}: needs four energies and four zenith bins or more for a spline")
        self._cos_range = (float(table.cos_edges[0]), float(table.cos_edges[-1]))
        # sizes of the table's bins: the largest, since they are all alike but for rounding
        self._log_width = float(np.diff(np.log(table.energies_GeV)).max())
        self._cos_width = float(np.diff(table.cos_edges).max())
        self.energy_range_GeV: dict[str, tuple[float, float]] = {}
        self._splines: dict[str, RectBivariateSpline] = {}
        for prim, flavour in PRIMARIES.items():
            flux = table.flux[table.flavours.index(flavour), :, :, 0]
            rows = _longest_run(np.all(flux > 0.0, axis=1))
            if rows.stop - rows.start < 4:
                raise InputError(
                    f"{flux_file}: {flavour} has no four energies in a row with a flux in every zenith bin; "
                    "simulate more, or smooth the table with sim3d tables --smooth"
                )
            energies = table.energies_GeV[rows]
            self.energy_range_GeV[prim] = (float(energies[0]), float(energies[-1]))
            self._splines[prim] = RectBivariateSpline(
                np.log10(energies),
                cos,
                np.log10(flux[rows]),
                # the table's bins reach half a bin beyond their outermost centres
                bbox=[np.log10(energies[0]), np.log10(energies[-1]), *self._cos_range],
                s=self.smooth,
            )

    def differential_flux(self, energy_GeV: ArrayLike, cos_zenith: ArrayLike, prim: str) -> Array:
        """Evaluate the spline of the differential flux at points, broadcast over the arguments.

        Parameters
        ----------
        energy_GeV, cos_zenith : array_like
        prim : str
            nue, nue_bar, numu or numu_bar (or sim3d's names).

        Returns
        -------
        float64 array
            m^-2 s^-1 sr^-1 GeV^-1.

        Raises
        ------
        InputError
            For an unknown primary or a point outside the table.
        """
        name = _primary(prim)
        energy, cos = np.broadcast_arrays(np.asarray(energy_GeV, dtype=float), np.asarray(cos_zenith, dtype=float))
        self._check("energy_GeV", energy, self.energy_range_GeV[name])
        self._check("cos_zenith", cos, self._cos_range)
        return np.asarray(10.0 ** self._splines[name].ev(np.log10(energy), cos))

    @property
    def parameters(self) -> list[str]:
        """Names of the model parameters that have errors; empty for a table without derivatives."""
        return self.flux.parameters

    def get_flux(
        self,
        ebins: ArrayLike,
        czbins: ArrayLike,
        prim: str,
        azbins: ArrayLike | None = None,
        values: Mapping[str, float] | None = None,
    ) -> Array:
        """Compute the flux of a primary in bins.

        Parameters
        ----------
        ebins, czbins : array_like
            Edges, ascending: energies in GeV, cos_zenith (+1 down-going).
        prim : str
            nue, nue_bar, numu or numu_bar (or sim3d's names).
        azbins : array_like, optional
            Edges of azimuth bins, degrees from south through east, see :meth:`sim3d.Flux.integral`; the table must have
            azimuths.
        values : mapping, optional
            Values of the model parameters in units of their sigma, see :meth:`sim3d.Flux.shifted`; the factor is taken
            at the centres of the bins.

        Returns
        -------
        float64 array (energy, cos_zenith), with azimuths (energy, cos_zenith, azimuth)
            m^-2 s^-1: the differential flux at the bin's centre times 2 pi dE dcos, or its integral, as ``integrate``
            says. The centre in energy is that of :func:`centres`, in cos_zenith the midpoint. Azimuth bins share the
            flux of all azimuths as the interpolated table does, so that those of a whole turn add up to it.

        Raises
        ------
        InputError
            For edges that are not ascending, an unknown primary, or bins outside the table. (Of bins that are not
            integrated only the centres must be inside the table's energies.)

        Warns
        -----
        UserWarning
            With ``integrate=False``, if a bin is wider than the table's.
        """
        energy, cos = _bin_edges("ebins", ebins), _bin_edges("czbins", czbins)
        name = _primary(prim)
        self._check("czbins", cos, self._cos_range)
        # edges typed with a few digits are no wider than the exact ones
        wide_energy = np.diff(np.log(np.maximum(energy, 1e-300))) > self._log_width * (1.0 + _SLACK)
        wide = wide_energy[:, None] | (np.diff(cos) > self._cos_width * (1.0 + _SLACK))
        if self.integrate is False and wide.any():
            warnings.warn(
                f"{np.count_nonzero(wide)} of {wide.size} bins are wider than those of {self.flux_file}: their flux is "
                "that at one point; leave integrate=False out",
                UserWarning,
                stacklevel=2,
            )
        chosen = wide if self.integrate is None else np.full(wide.shape, self.integrate)
        rows = np.asarray(chosen.any(axis=1))
        result = np.zeros(wide.shape)
        if not chosen.all():
            points = ~chosen.all(axis=1)
            middle = 0.5 * (cos[1:] + cos[:-1])
            flux = self.differential_flux(centres(energy)[points, None], middle, name)
            result[points] = 2.0 * np.pi * np.diff(energy)[points, None] * np.diff(cos) * flux
        if rows.any():
            self._check("ebins", np.concatenate([energy[:-1][rows], energy[1:][rows]]), self.energy_range_GeV[name])
            sums = np.array([self._integrals(low, high, cos, name) for low, high in _bins(energy, rows)])
            result[rows] = np.where(chosen[rows], sums, result[rows])
        if values:
            changes = ordered_values(self.flux.parameters, values)
            result *= np.exp(self.get_derivatives(energy, cos, name) @ changes)
        return result if azbins is None else result[..., None] * self._shares(energy, cos, name, azbins)

    def _shares(self, energy: Array, cos: Array, name: str, azbins: ArrayLike) -> Array:
        """Share of each azimuth bin in the flux of all azimuths, (energy, cos_zenith, azimuth)."""
        inside = np.clip(energy, *self.flux.energy_range_GeV)
        if not np.all(np.diff(inside) > 0.0):
            raise InputError("ebins: with azimuths every bin must overlap the energies of the table")
        parts = self.flux.integral(PRIMARIES[name], inside, cos, azbins)
        whole = self.flux.integral(PRIMARIES[name], inside, cos, [0.0, 360.0])
        width = np.mod(np.diff(np.asarray(azbins, dtype=float)), 360.0)
        # bins of energy and zenith in which the table has no flux are shared by size
        even = np.where(width > 0.0, width, 360.0) / 360.0
        return np.asarray(np.where(whole > 0.0, parts / np.where(whole > 0.0, whole, 1.0), even))

    def get_derivatives(self, ebins: ArrayLike, czbins: ArrayLike, prim: str) -> Array:
        """Compute d ln(flux) / d(parameter) at the centres of bins.

        Parameters
        ----------
        ebins, czbins, prim
            As for :meth:`get_flux`.

        Returns
        -------
        float64 array (energy, cos_zenith, parameters)
            Per sigma of each parameter; the covariance of the parameters is ``flux.parameter_covariance``.
        """
        return self._at_centres(ebins, czbins, prim, self.flux.derivatives)

    def get_error(self, ebins: ArrayLike, czbins: ArrayLike, prim: str, kind: ErrorKind = "total") -> Array:
        """Compute the error of :meth:`get_flux`, one standard deviation, from the relative error at the bin's centre.

        Parameters
        ----------
        ebins, czbins, prim
            As for :meth:`get_flux`.
        kind : "statistical", "model" or "total"
            Of the simulation, of the model parameters (those of a calibration), or both, see :meth:`sim3d.Flux.error`.

        Returns
        -------
        float64 array (energy, cos_zenith)
            m^-2 s^-1. Errors of bins are correlated: for the model part see :meth:`get_derivatives`.

        Raises
        ------
        InputError
            As :meth:`sim3d.Flux.error`: for a table without the errors that are asked for.
        """
        error = self._at_centres(ebins, czbins, prim, lambda f, e, c: self.flux.error(f, e, c, kind=kind))
        flux = self._at_centres(ebins, czbins, prim, self.flux.flux)
        relative = np.divide(error, flux, out=np.ones_like(flux), where=flux > 0.0)
        return relative * self.get_flux(ebins, czbins, prim)

    def _at_centres(self, ebins: ArrayLike, czbins: ArrayLike, prim: str, function: Any) -> Array:
        """Evaluate a function of flavour, energy and cosine at the centres of bins, (energy, cos_zenith, ...)."""
        energy, cos = _bin_edges("ebins", ebins), _bin_edges("czbins", czbins)
        e, c = np.meshgrid(centres(energy), 0.5 * (cos[1:] + cos[:-1]), indexing="ij")
        found = np.asarray(function(PRIMARIES[_primary(prim)], e.ravel(), c.ravel()))
        return found.reshape(*e.shape, *found.shape[1:])

    def _integrals(self, low: float, high: float, cos: Array, name: str) -> Array:
        """Integrate the flux over one energy bin and over bins of cos_zenith, m^-2 s^-1."""
        # five Gauss-Legendre nodes in each part no wider than two bins of the table are accurate to 1e-6
        x, x_weight = _nodes(np.log([low, high]), 2.0 * self._log_width)
        result = np.zeros(len(cos) - 1)
        for c, (left, right) in enumerate(itertools.pairwise(cos)):
            y, y_weight = _nodes(np.array([left, right]), 2.0 * self._cos_width)
            flux = self.differential_flux(np.exp(x)[:, None], y, name)
            result[c] = 2.0 * np.pi * (x_weight * np.exp(x)) @ flux @ y_weight
        return result

    def _check(self, name: str, values: Array, allowed: tuple[float, float]) -> None:
        low, high = allowed
        slack = 1e-9 * max(abs(low), abs(high))
        bad = ~((values >= low - slack) & (values <= high + slack))
        if bad.any():
            where = f"where {self.flux_file} has a flux in every zenith bin (sim3d tables --smooth fills empty bins)"
            raise InputError(name, float(values[bad].flat[0]), f"{low:.5g} to {high:.5g}, {where}")


def get_flux_maps(flux_service: FluxService, ebins: ArrayLike | None = None, czbins: ArrayLike | None = None) -> Any:
    """Compute maps of the flux of the four primaries in bins of energy and zenith.

    Parameters
    ----------
    flux_service : object with ``get_flux(ebins, czbins, prim)``
    ebins : array_like, optional
        Edges, GeV; by default 40 from 1 to 80, logarithmic.
    czbins : array_like, optional
        Edges of cos_zenith; by default 21 from -1 (up-going) to 0.

    Returns
    -------
    dict
        For each of ``nue``, ``nue_bar``, ``numu``, ``numu_bar`` a dict of ``ebins``, ``czbins`` and ``map``, arrays;
        map is (energy, cos_zenith) in m^-2 s^-1.

    Raises
    ------
    InputError
        As the service does.
    """
    energy = _bin_edges("ebins", DEFAULT_EBINS if ebins is None else ebins)
    cos = _bin_edges("czbins", DEFAULT_CZBINS if czbins is None else czbins)
    return {
        prim: {"ebins": energy, "czbins": cos, "map": flux_service.get_flux(energy, cos, prim)} for prim in PRIMARIES
    }


def centres(edges: Array) -> Array:
    """Compute the centres of energy bins: geometric means, or midpoints where the edges are rather equally spaced.

    Edges are taken as logarithmic unless their differences vary less (standard deviation over mean) than their
    ratios do. So the rounding of typed edges does not matter, and a single bin has its geometric mean.

    Parameters
    ----------
    edges : float64 array (n + 1,)

    Returns
    -------
    float64 array (n,)
    """
    if edges[0] > 0.0 and _spread(np.log(edges)) <= _spread(edges):
        return np.sqrt(edges[1:] * edges[:-1])
    return 0.5 * (edges[1:] + edges[:-1])


def _spread(edges: Array) -> float:
    """Standard deviation of the widths of bins, relative to their mean."""
    widths = np.diff(edges)
    return float(np.std(widths) / np.mean(widths))


def _bins(edges: Array, chosen: NDArray[np.bool_]) -> list[tuple[float, float]]:
    """List the edges of the chosen bins."""
    return [pair for pair, one in zip(itertools.pairwise(edges.tolist()), chosen, strict=True) if one]


def _nodes(ends: Array, widest: float) -> tuple[Array, Array]:
    """Compute Gauss-Legendre nodes and weights of an interval, five in each of its parts of at most ``widest``."""
    edges = np.linspace(ends[0], ends[1], 1 + int(np.ceil((ends[1] - ends[0]) / widest)))
    t, w = np.polynomial.legendre.leggauss(5)
    half = 0.5 * np.diff(edges)[:, None]
    return (edges[:-1, None] + half * (1.0 + t)).ravel(), (half * w).ravel()


def _bin_edges(name: str, values: ArrayLike) -> Array:
    edges = np.asarray(values, dtype=float)
    if edges.ndim != 1 or len(edges) < 2 or not np.all(np.diff(edges) > 0.0):
        raise InputError(f"{name}: needs two or more edges that rise")
    return edges


def _primary(prim: str) -> str:
    for name, ours in PRIMARIES.items():
        if prim in (name, ours):
            return name
    raise InputError("prim", prim, f"one of {', '.join(PRIMARIES)}")


def _longest_run(good: np.ndarray) -> slice:
    """Find the longest run of True."""
    best = slice(0, 0)
    start = 0
    for i in range(len(good) + 1):
        if i == len(good) or not good[i]:
            if i - start > best.stop - best.start:
                best = slice(start, i)
            start = i + 1
    return best
