"""Compute east-west asymmetries of neutrino fluxes, and read the published values to compare with.

A = (N_E - N_W) / (N_E + N_W), where N_E counts neutrinos TRAVELLING towards the east, that is, arriving from
the west (azimuth 180 to 360 degrees in the files' convention).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from sim3d.conventions.reference_files import reference_rows
from sim3d.results.jackknife import jackknife
from sim3d.results.windows import cos_bins, energy_bins, require_site

if TYPE_CHECKING:
    from sim3d.results.result import Result

DEFINITION = "(N_E - N_W)/(N_E + N_W), N_E travelling towards the east (arriving from the west)"
"""The asymmetry A, for titles and JSON."""

FLAVOUR_ORDER = ("nue", "numubar", "numu", "nuebar")
"""From the largest asymmetry to the smallest, as the paper prints them."""

ENERGY_WINDOW_GEV = (0.5, 3.0)
COS_ZENITH_MAX = 0.5

FROM_EAST, FROM_WEST = 0, 1
"""Last index of ``Result.groups_east_west``: the half of the sky a neutrino arrives FROM."""

# Our name of a site and the column it has in the reference table.
REFERENCE_COLUMN = {"kamioka": "SK", "sno": "SNO"}


@dataclass(frozen=True)
class Asymmetry:
    """East-west asymmetry of one neutrino flavour at one site.

    Attributes
    ----------
    flavour : str
    value, error : float
        A and its statistical error (1 sigma, jackknife over groups of batches); NaN if nothing was hit.
    """

    flavour: str
    value: float
    error: float


@dataclass(frozen=True)
class Published:
    """Published asymmetries of one flavour at one site; None where the table has no value.

    Attributes
    ----------
    paper, paper_error : float or None
        Asymmetry of Tserkovnyak et al. and its error.
    lipari : float or None
        Asymmetry computed by Lipari.
    """

    paper: float | None
    paper_error: float | None
    lipari: float | None


def east_west(
    result: Result,
    site: str,
    energy_GeV: tuple[float, float] = ENERGY_WINDOW_GEV,
    cos_max: float = COS_ZENITH_MAX,
) -> list[Asymmetry]:
    """Compute the east-west asymmetries of the four flavours at one site.

    Parameters
    ----------
    result : Result
    site : str
    energy_GeV : (float, float)
        Window, GeV: the bins whose log centre lies in it.
    cos_max : float
        Bins whose centre has ``|cos_zenith| < cos_max``.

    Returns
    -------
    list of Asymmetry
        In the order of :data:`FLAVOUR_ORDER`.
    """
    counts = east_west_counts(result, site, energy_GeV, cos_max)
    value, error = jackknife(towards_east, counts, result.group_weights)
    order = [list(result.flavours).index(flavour) for flavour in FLAVOUR_ORDER]
    return [
        Asymmetry(flavour, float(value[i]), float(error[i])) for flavour, i in zip(FLAVOUR_ORDER, order, strict=True)
    ]


def east_west_counts(
    result: Result,
    site: str,
    energy_GeV: tuple[float, float] = ENERGY_WINDOW_GEV,
    cos_max: float = COS_ZENITH_MAX,
) -> NDArray[np.float64]:
    """Integrate the flux over the energy window, separately for arrival from the east and from the west.

    The group axis keeps the groups of batches, which the jackknife needs.

    Parameters
    ----------
    result : Result
    site : str
    energy_GeV : (float, float)
        Energy window, GeV: the bins whose log centre lies in it.
    cos_max : float
        Bins whose centre has ``|cos_zenith| < cos_max``.

    Returns
    -------
    float64 array (G, flavour, 2)
        Flux integrated over energy and summed over the zenith bins, m^-2 s^-1 sr^-1. The last index is
        :data:`FROM_EAST` or :data:`FROM_WEST`.
    """
    require_site(result, site)
    edges = np.asarray(result.energy_edges_GeV)
    energies = energy_bins(edges, energy_GeV)
    cosines = cos_bins(np.asarray(result.cos_zenith_edges), cos_max)
    groups = np.asarray(result.groups_east_west(site))[:, :, energies][:, :, :, cosines]
    counts: NDArray[np.float64] = np.einsum("gfecd,e->gfd", groups, np.diff(edges)[energies])
    return counts


def towards_east(mean: NDArray[np.float64]) -> NDArray[np.float64]:
    """Compute the asymmetry A = (N_E - N_W) / (N_E + N_W), N_E travelling towards the east.

    Parameters
    ----------
    mean : float64 array (..., flavour, 2)
        Mean over groups of what :func:`east_west_counts` returns.

    Returns
    -------
    float64 array (..., flavour)
    """
    east, west = mean[..., FROM_WEST], mean[..., FROM_EAST]
    return (east - west) / (east + west)


def published(site: str) -> dict[str, Published]:
    """Read the published asymmetries of a site, by Tserkovnyak et al. and by Lipari.

    They hold for 0.5 to 3 GeV and |cos_zenith| < 0.5 (``reference/east_west_asymmetry.csv``).

    Parameters
    ----------
    site : str

    Returns
    -------
    dict of Published
        By flavour; empty for a site without published values.
    """
    column = REFERENCE_COLUMN.get(site)
    if column is None:
        return {}

    def number(text: str | None) -> float | None:
        return float(text) if text else None

    return {
        row["species"]: Published(
            number(row[f"{column}_paper"]),
            number(row[f"{column}_paper_err"]),
            number(row[f"{column}_lipari"]),
        )
        for row in reference_rows("east_west_asymmetry.csv")
        if row["species"] in FLAVOUR_ORDER
    }


def is_published_window(energy_GeV: tuple[float, float], cos_max: float) -> bool:
    """Return True if an energy window and zenith cut are those of the published asymmetries.

    Parameters
    ----------
    energy_GeV : (float, float)
        Energy window, GeV.
    cos_max : float
        Upper limit of ``|cos_zenith|``.

    Returns
    -------
    bool
    """
    return tuple(energy_GeV) == ENERGY_WINDOW_GEV and cos_max == COS_ZENITH_MAX
