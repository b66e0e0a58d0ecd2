"""Fluxes of a site as a histogram object (hist.Hist), for slicing, projecting and plotting.

The object follows the UHI protocol, which plotting libraries read.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from sim3d.conventions.binning import COS_EDGES, ENERGY_EDGES_GEV
from sim3d.conventions.flavours import FLAVOURS
from sim3d.errors import InputError

if TYPE_CHECKING:
    from hist import Hist


def _round_edges(edges: np.ndarray) -> np.ndarray:
    """Return the edges with twelve digits, so that ``hist.loc(1000)`` is the edge 1000 and not the bin below it."""
    return np.array([float(f"{edge:.12g}") for edge in edges])


def flux_hist(flux: np.ndarray, error: np.ndarray, azimuth_edges_deg: np.ndarray) -> Hist:
    """Fill a histogram object with the fluxes integrated over the fine bins, and their variances.

    Parameters
    ----------
    flux, error : float64 arrays (flavour, energy, cos_zenith, azimuth)
        Mean flux in each fine bin and its statistical error, m^-2 s^-1 sr^-1 GeV^-1.
    azimuth_edges_deg : float64 array (azimuth + 1,)
        Equally spaced from 0 to 360.

    Returns
    -------
    hist.Hist
        Axes ``flavour`` (names), ``energy`` (GeV, 202 bins), ``cos_zenith`` (40 bins) and ``azimuth`` (degrees, from
        south through east, circular); weighted storage. A value is the integral of the flux over the bin
        (m^-2 s^-1), so that sums over bins, such as projections, are integrals too. Divided by the size of the bin
        (GeV sr) it is the mean flux. The variance is the square of the statistical error of the bin. A sum of
        variances neglects that bins hit by the same showers are correlated. Errors that include the correlation are
        those of :meth:`sim3d.results.result.Result.binned`, or of a jackknife over groups.

    Raises
    ------
    InputError
        If the library hist is not installed.
    """
    try:
        import hist
    except ImportError:
        raise InputError("result.hist: needs the library hist; pip install 'sim3d[hist]'") from None

    energy = np.diff(ENERGY_EDGES_GEV)[:, None, None]
    solid_angle = np.diff(COS_EDGES)[:, None] * np.radians(np.diff(azimuth_edges_deg))
    histogram = hist.Hist(
        hist.axis.StrCategory(FLAVOURS, name="flavour", label="Flavour", overflow=False),
        hist.axis.Variable(_round_edges(ENERGY_EDGES_GEV), name="energy", label="Neutrino energy (GeV)", flow=False),
        hist.axis.Variable(COS_EDGES, name="cos_zenith", label="cos(zenith), +1 down-going", flow=False),
        hist.axis.Regular(
            len(azimuth_edges_deg) - 1,
            0.0,
            360.0,
            circular=True,
            name="azimuth",
            label="Azimuth of arrival from south through east (deg)",
        ),
        storage=hist.storage.Weight(),
    )
    view = histogram.view()
    view["value"] = flux * energy * solid_angle
    view["variance"] = (error * energy * solid_angle) ** 2
    return histogram
