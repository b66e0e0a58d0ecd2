"""Probability distributions of the height at which the neutrinos of a result are produced."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from sim3d.conventions.flavours import FLAVOURS
from sim3d.errors import InputError
from sim3d.files.csv_files import write_rows
from sim3d.scoring.heights import BINS, HEIGHT_EDGES_KM

if TYPE_CHECKING:
    from sim3d.results.result import Result


@dataclass(frozen=True)
class ProductionHeights:
    """Distributions of the production height of neutrinos at a site.

    Attributes
    ----------
    site : str
    energy_edges_GeV, cos_zenith_edges, height_edges_km : float64 arrays
        Edges of the bins.
    density, error : float64 arrays (flavour, energy, cos_zenith, height)
        Probability per km, and its statistical error from the batches, without the error of the normalisation. All 0
        in a bin of energy and zenith without neutrinos.
    """

    site: str
    energy_edges_GeV: np.ndarray
    cos_zenith_edges: np.ndarray
    height_edges_km: np.ndarray
    density: np.ndarray
    error: np.ndarray

    @property
    def mean_km(self) -> np.ndarray:
        """Mean production height (km), shape (flavour, energy, cos_zenith); NaN in empty bins."""
        middle = 0.5 * (self.height_edges_km[1:] + self.height_edges_km[:-1])
        share = self.density * np.diff(self.height_edges_km)
        total = share.sum(axis=-1)
        with np.errstate(invalid="ignore", divide="ignore"):
            return np.where(total > 0.0, (share * middle).sum(axis=-1) / total, np.nan)

    def quantile_km(self, q: float) -> np.ndarray:
        """Compute a quantile of the production height, with linear interpolation inside a height bin.

        Parameters
        ----------
        q : float
            Probability, between 0 and 1.

        Returns
        -------
        float64 array (flavour, energy, cos_zenith)
            Height (km) below which a fraction ``q`` of the neutrinos is produced; NaN in empty bins.

        Raises
        ------
        InputError
            If ``q`` is not between 0 and 1.
        """
        if not 0.0 < q < 1.0:
            raise InputError("q", q, "a number between 0 and 1")
        share = np.cumsum(self.density * np.diff(self.height_edges_km), axis=-1)
        out = np.full(share.shape[:-1], np.nan)
        for place in np.ndindex(out.shape):
            if share[place][-1] > 0.0:
                out[place] = np.interp(q, np.concatenate(([0.0], share[place])), self.height_edges_km)
        return out

    def write_csv(self, folder: Path) -> Path:
        """Write ``<site>-heights.csv``: one row per bin, with the mean, quantiles and the whole distribution.

        Parameters
        ----------
        folder : Path

        Returns
        -------
        Path
            The file.

        Raises
        ------
        InputError
            If the file cannot be written.
        """
        path = folder / f"{self.site}-heights.csv"
        quantiles = {name: self.quantile_km(q) for name, q in (("p10", 0.1), ("median", 0.5), ("p90", 0.9))}
        mean, energy, cosine = self.mean_km, self.energy_edges_GeV, self.cos_zenith_edges
        columns = ["flavour", "energy_low_GeV", "energy_high_GeV", "cos_low", "cos_high", "mean_km"]
        columns += [f"{name}_km" for name in quantiles]
        columns += [f"{a:g}-{b:g}" for a, b in itertools.pairwise(HEIGHT_EDGES_KM)]
        rows = []
        for f, e, c in np.ndindex(mean.shape):
            if np.isnan(mean[f, e, c]):
                continue
            row = [FLAVOURS[f], *(f"{x:.5g}" for x in (energy[e], energy[e + 1], cosine[c], cosine[c + 1]))]
            row += [f"{mean[f, e, c]:.4g}", *(f"{q[f, e, c]:.4g}" for q in quantiles.values())]
            rows.append(row + [f"{x:.4g}" for x in self.density[f, e, c]])
        about = "heights of neutrino production above the sphere of 6371.2 km; probabilities per km"
        return write_rows(path, (about,), columns, rows)


def production_heights(result: Result, site: str | None = None) -> ProductionHeights:
    """Compute the distributions of the production height at a site of a result.

    Parameters
    ----------
    result : Result
        Of a run with ``scoring.heights = true``.
    site : str, optional
        By default the run's first site.

    Returns
    -------
    ProductionHeights

    Raises
    ------
    InputError
        If the run counted no heights, or has no such site.
    """
    name = result.default_site(site)
    mean, error = result.extra("heights", name).mean_and_error(result.n_batches)
    total = mean.sum(axis=-1, keepdims=True)
    space = np.where(total > 0.0, total, 1.0) * np.diff(HEIGHT_EDGES_KM)
    return ProductionHeights(name, BINS.energy_edges_GeV, BINS.cos_edges, HEIGHT_EDGES_KM, mean / space, error / space)
