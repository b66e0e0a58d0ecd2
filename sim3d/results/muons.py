"""Momentum spectra of muons, protons and neutrons in the atmosphere, by altitude, charge and zenith, with errors.

The fluxes are those of down-going particles at the altitudes or depths that the configuration asks for.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from sim3d.errors import InputError
from sim3d.files.flux_table import ERROR_KINDS, NO_LIMIT
from sim3d.results.bin_errors import BinErrors, Grid, bin_errors
from sim3d.results.jackknife import jackknife
from sim3d.scoring.muons import PARTICLE_CHARGE, PARTICLES, cos_edges, momentum_edges

if TYPE_CHECKING:
    from sim3d.results.result import Result

Array = np.ndarray

REFERENCE_INDEX = 2.7
"""Spectral index of the primaries (Particle Data Group, Review of Particle Physics, section Cosmic rays).

Spectra of muons and nucleons are compared between momentum bins after division by (1 + p)^-2.7, p in GeV/c.
"""


@dataclass(frozen=True)
class MuonSpectra:
    """Fluxes of down-going muons, protons and neutrons at the levels of a site.

    Attributes
    ----------
    site : str
    altitudes_km : float64 array (levels,)
        Highest first.
    depths_g_cm2 : float64 array (levels,)
        Vertical depth.
    momentum_edges_GeV : float64 array (n + 1,)
        GeV/c.
    cos_zenith_edges : float64 array (m + 1,)
    flux, error : float64 arrays (levels, particle, n, m)
        m^-2 s^-1 sr^-1 (GeV/c)^-1, the particles in the order of :data:`sim3d.scoring.muons.PARTICLES`; the mean over a
        bin, and its statistical error; in a bin without particles the flux is 0 and the error the 90% upper limit.
        Where particles are few it is the expected error (:mod:`sim3d.results.bin_errors`).
    kind : int8 array, same shape
        Kind of each error, an index of :data:`sim3d.files.flux_table.ERROR_KINDS`.
    groups : float64 array (N_GROUPS, levels, particle, n, m)
        Integral of the flux over each bin (m^-2 s^-1), for groups of batches.
    group_weights : int array (N_GROUPS,)
        Number of batches in each group.
    """

    site: str
    altitudes_km: Array
    depths_g_cm2: Array
    momentum_edges_GeV: Array
    cos_zenith_edges: Array
    flux: Array
    error: Array
    kind: Array
    groups: Array
    group_weights: Array

    @property
    def momenta_GeV(self) -> Array:
        """Logarithmic centres of the momentum bins (GeV/c)."""
        return np.sqrt(self.momentum_edges_GeV[1:] * self.momentum_edges_GeV[:-1])

    @property
    def cos_zeniths(self) -> Array:
        """Centres of the zenith bins."""
        return 0.5 * (self.cos_zenith_edges[1:] + self.cos_zenith_edges[:-1])

    def level(self, altitude_km: float) -> int:
        """Find the index of the level nearest to an altitude.

        Parameters
        ----------
        altitude_km : float

        Returns
        -------
        int
        """
        return int(np.argmin(np.abs(self.altitudes_km - altitude_km)))

    def _chosen(self, momentum_GeV: tuple[float, float], cos_zenith: tuple[float, float]) -> tuple[slice, slice]:
        """Find the bins of a window; its ends must be edges of bins (momenta to 1%, cosines to 1e-6)."""
        p, c = self.momentum_edges_GeV, self.cos_zenith_edges
        out = []
        for name, edges, window, slack in (
            ("momentum_GeV", p, momentum_GeV, 0.01 * p),
            ("cos_zenith", c, cos_zenith, np.full_like(c, 1e-6)),
        ):
            ends = []
            for end in window:
                if math.isinf(end):
                    ends.append(edges.size - 1)
                    continue
                i = int(np.argmin(np.abs(edges - end)))
                if abs(edges[i] - end) > slack[i]:
                    allowed = ", ".join(f"{edge:.4g}" for edge in edges)
                    raise InputError(name, end, f"an edge of the bins: {allowed}")
                ends.append(i)
            if ends[0] >= ends[1]:
                raise InputError(name, window, "two edges, the lower one first")
            out.append(slice(*ends))
        return out[0], out[1]

    def derived(
        self,
        quantity: Callable[[Array], Array],
        momentum_GeV: tuple[float, float] = (0.0, math.inf),
        cos_zenith: tuple[float, float] = (0.0, 1.0),
    ) -> tuple[Array, Array]:
        """Compute a function of the integral fluxes in a window of momentum and zenith, and its jackknife error.

        Parameters
        ----------
        quantity : callable
            Takes an array (levels, particle, momentum, cos_zenith) of integral fluxes (m^-2 s^-1) in the window.
        momentum_GeV, cos_zenith : (float, float)
            The window (GeV/c; cosine); its ends must be edges of bins.

        Returns
        -------
        value, error : arrays
            As :func:`sim3d.results.jackknife.jackknife`.

        Raises
        ------
        InputError
            If an end of the window is no edge of a bin.
        """
        low = (momentum_GeV[0] or self.momentum_edges_GeV[0], momentum_GeV[1])
        p, c = self._chosen(low, cos_zenith)
        return jackknife(quantity, self.groups[:, :, :, p, c], self.group_weights)

    def intensity(
        self,
        particles: Sequence[str],
        momentum_GeV: tuple[float, float] = (0.0, math.inf),
        cos_zenith: tuple[float, float] = (0.99, 1.0),
    ) -> tuple[Array, Array]:
        """Compute the integral intensity of particles at each level, averaged over a zenith window, and its error.

        Parameters
        ----------
        particles : sequence of str
            Particles to add up, of :data:`sim3d.scoring.muons.PARTICLES`.
        momentum_GeV, cos_zenith : (float, float)
            The window, see :meth:`derived`.

        Returns
        -------
        value, error : float64 arrays (levels,)
            m^-2 s^-1 sr^-1; in a window without particles the value is 0 and the error a 90% upper limit, or
            :data:`~sim3d.files.flux_table.NO_LIMIT`.

        Raises
        ------
        InputError
            As :meth:`derived`, and for an unknown particle.
        """
        rows = [_row(name) for name in particles]
        solid = 2.0 * math.pi * (cos_zenith[1] - cos_zenith[0])
        value, error = self.derived(lambda mean: mean[:, rows].sum(axis=(1, 2, 3)) / solid, momentum_GeV, cos_zenith)
        low = (momentum_GeV[0] or self.momentum_edges_GeV[0], momentum_GeV[1])
        p, c = self._chosen(low, cos_zenith)
        space = 2.0 * math.pi * np.diff(self.momentum_edges_GeV)[p, None] * np.diff(self.cos_zenith_edges)[c]
        # bins of one hit each: the limit of the window is that of its bin of the heaviest hits
        errors = self.error[:, rows][:, :, p, c]
        limit = (errors * space).max(axis=(1, 2, 3)) / solid
        limit[(errors >= NO_LIMIT).any(axis=(1, 2, 3))] = NO_LIMIT
        return value, np.where(value == 0.0, limit, error)

    def spectrum(self, particles: Sequence[str], cos_zenith: tuple[float, float]) -> tuple[Array, Array]:
        """Compute the differential flux of particles averaged over an acceptance in zenith, and its error.

        Parameters
        ----------
        particles : sequence of str
            Particles to add up, of :data:`sim3d.scoring.muons.PARTICLES`.
        cos_zenith : (float, float)
            The acceptance; the average is over its solid angle. Its ends must be edges of bins.

        Returns
        -------
        value, error : float64 arrays (levels, n)
            m^-2 s^-1 sr^-1 (GeV/c)^-1, means over the momentum bins; in a bin without particles the value is 0 and the
            error a 90% upper limit. Where particles are few it is the expected error (:attr:`error`).

        Raises
        ------
        InputError
            As :meth:`intensity`.
        """
        value, spread = self._sample_spectrum(particles, cos_zenith)
        batches = int(np.sum(self.group_weights))
        edges = np.asarray(cos_zenith, dtype=float)
        errors = spectrum_errors(
            value[:, None, :, None], spread[:, None, :, None], self.momentum_edges_GeV, edges, batches
        )
        return value, errors.error[:, 0, :, 0]

    def _sample_spectrum(self, particles: Sequence[str], cos_zenith: tuple[float, float]) -> tuple[Array, Array]:
        """Compute the spectrum in an acceptance with its sample error, 0 in bins without particles."""
        rows = [_row(name) for name in particles]
        space = 2.0 * math.pi * (cos_zenith[1] - cos_zenith[0]) * np.diff(self.momentum_edges_GeV)
        return self.derived(lambda mean: mean[:, rows].sum(axis=(1, 3)) / space, cos_zenith=cos_zenith)

    def charge_ratio(
        self, cos_zenith: tuple[float, float] = (0.94, 1.0), momentum_GeV: tuple[float, float] | None = None
    ) -> tuple[Array, Array]:
        """Compute the muon charge ratio mu+ / mu- at each level, and its error.

        Parameters
        ----------
        cos_zenith : (float, float)
            Zenith window, see :meth:`derived`.
        momentum_GeV : (float, float), optional
            One momentum window; by default every momentum bin.

        Returns
        -------
        value, error : float64 arrays (levels, n), with a momentum window (levels,)

        Raises
        ------
        InputError
            As :meth:`derived`.
        """
        if momentum_GeV is None:
            return self.derived(lambda m: m[:, 0].sum(axis=-1) / m[:, 1].sum(axis=-1), cos_zenith=cos_zenith)
        return self.derived(lambda m: m[:, 0].sum(axis=(1, 2)) / m[:, 1].sum(axis=(1, 2)), momentum_GeV, cos_zenith)

    def records(
        self, particles: Sequence[str] = ("mu+", "mu-"), cos_zenith: tuple[float, float] | None = None
    ) -> list[dict[str, Any]]:
        """List the flux and its error in every bin, one record per level, particle, momentum and zenith bin.

        Parameters
        ----------
        particles : sequence of str
        cos_zenith : (float, float), optional
            An acceptance in zenith to average over (:meth:`spectrum`), in the place of the zenith bins.

        Returns
        -------
        list of dict
            ``flux`` and ``error`` are in m^-2 s^-1 sr^-1 (GeV/c)^-1; ``momentum_GeV`` is the bin's logarithmic centre,
            ``cos_zenith`` its centre, that of the acceptance if one is given, and the edges are in
            ``momentum_low_GeV`` and so on. ``error_kind`` is ``sample``, ``expected`` or ``limit``.

        Raises
        ------
        InputError
            For an unknown particle, or an acceptance whose ends are no edges of bins.
        """
        edges = self.cos_zenith_edges if cos_zenith is None else np.asarray(cos_zenith, dtype=float)
        centres = 0.5 * (edges[1:] + edges[:-1])
        found = {}
        for name in particles:
            k = _row(name)
            found[name] = self.flux[:, k], self.error[:, k], self.kind[:, k]
            if cos_zenith is not None:
                mean, spread = (x[:, None, :, None] for x in self._sample_spectrum([name], cos_zenith))
                batches = int(np.sum(self.group_weights))
                errors = spectrum_errors(mean, spread, self.momentum_edges_GeV, edges, batches)
                found[name] = mean[:, 0], errors.error[:, 0], errors.kind[:, 0]
        out = []
        p, c = self.momentum_edges_GeV.tolist(), np.round(edges, 6).tolist()
        for level, altitude in enumerate(self.altitudes_km):
            for name, (flux, error, kind) in found.items():
                k = _row(name)
                for i, momentum in enumerate(self.momenta_GeV):
                    for j, cosine in enumerate(centres):
                        out.append(
                            {
                                "site": self.site,
                                "altitude_km": round(float(altitude), 6),
                                "particle": name,
                                "charge": PARTICLE_CHARGE[k],
                                "momentum_GeV": float(momentum),
                                "momentum_low_GeV": p[i],
                                "momentum_high_GeV": p[i + 1],
                                "cos_zenith": round(float(cosine), 6),
                                "cos_zenith_low": c[j],
                                "cos_zenith_high": c[j + 1],
                                "flux": float(flux[level, i, j]),
                                "error": float(error[level, i, j]),
                                "error_kind": ERROR_KINDS[kind[level, i, j]],
                            }
                        )
        return out


def _row(particle: str) -> int:
    if particle not in PARTICLES:
        raise InputError("particle", particle, ", ".join(PARTICLES))
    return PARTICLES.index(particle)


def spectrum_errors(flux: Array, error: Array, momentum_edges: Array, cosine_edges: Array, batches: int) -> BinErrors:
    """Compute errors and upper limits of spectra from their sample errors (:mod:`sim3d.results.bin_errors`).

    Parameters
    ----------
    flux, error : float64 arrays (levels, particle, n, m)
        Flux (m^-2 s^-1 sr^-1 (GeV/c)^-1) and its sample error, both 0 in bins without particles.
    momentum_edges, cosine_edges : arrays (n + 1,), (m + 1,)
        GeV/c.
    batches : int
        Number of batches that the sample errors are of.

    Returns
    -------
    BinErrors
        Of the shape of ``flux``.
    """
    momenta = np.sqrt(momentum_edges[1:] * momentum_edges[:-1])
    middles = 0.5 * (cosine_edges[1:] + cosine_edges[:-1])
    grid = Grid(momenta, middles, np.array([180.0]), (1.0 + momenta) ** -REFERENCE_INDEX)
    rows = (-1, len(momenta), len(middles), 1)
    return bin_errors(flux.reshape(rows), error.reshape(rows), grid, batches).reshaped(flux.shape)


def muon_spectra(result: Result, site: str | None = None) -> MuonSpectra:
    """Compute the spectra of muons and nucleons at a site of a result.

    Parameters
    ----------
    result : Result
        Of a run with ``scoring.muons = true``.
    site : str, optional
        By default the run's first site.

    Returns
    -------
    MuonSpectra

    Raises
    ------
    InputError
        If the run scored no muons, or has no such site.
    """
    config = result.record.config
    name = result.default_site(site)
    levels = result.extra("muons", name)
    place = list(result.sites).index(name)
    p, c = momentum_edges(config), cos_edges(config)
    space = 2.0 * math.pi * np.diff(p)[:, None] * np.diff(c)
    mean, error = levels.mean_and_error(result.n_batches)
    weights = result.group_weights
    errors = spectrum_errors(mean / space, error / space, p, c, result.n_batches)
    groups = levels.group_sums() / np.maximum(weights, 1).reshape(-1, 1, 1, 1, 1)
    attributes = result.attributes
    return MuonSpectra(
        site=name,
        altitudes_km=np.asarray(attributes["muon_altitudes_km"], dtype=float).reshape(len(result.sites), -1)[place],
        depths_g_cm2=np.asarray(attributes["muon_depths_g_cm2"], dtype=float).reshape(len(result.sites), -1)[place],
        momentum_edges_GeV=p,
        cos_zenith_edges=c,
        flux=mean / space,
        error=errors.error,
        kind=errors.kind,
        groups=groups,
        group_weights=weights,
    )
