"""Indices of the bins inside a window of energy or zenith, and fluxes averaged over the sky."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from sim3d.conventions.arrays import Array
from sim3d.errors import InputError

if TYPE_CHECKING:
    from sim3d.results.result import Result


# Fine bins 1 to 200 cover 0.1 to 1e4 GeV, 40 per decade; four together make 10 per decade.
_FIRST, _LAST, _MERGE = 1, 201, 4


def energy_bins(edges: NDArray[np.float64], window: tuple[float, float]) -> NDArray[np.intp]:
    """Find the energy bins whose logarithmic centre lies in a window.

    Parameters
    ----------
    edges : float64 array (n + 1,)
        Edges of the bins (GeV).
    window : (float, float)
        Lower and upper energy (GeV).

    Returns
    -------
    int array
        Indices of the bins.

    Raises
    ------
    InputError
        If the window is not valid or has no bin centre in it.
    """
    low, high = window
    if not 0.0 < low < high:
        raise InputError("energy", f"{low:g} {high:g} GeV", "two positive energies, the lower one first")
    centres = np.sqrt(edges[:-1] * edges[1:])
    chosen = np.flatnonzero((centres > low) & (centres < high))
    if len(chosen) == 0:
        raise InputError(
            "energy",
            f"{low:g} {high:g} GeV",
            f"a window with a bin centre, {edges[0]:.3g} to {edges[-1]:.5g} GeV",
        )
    return chosen


def cos_bins(edges: NDArray[np.float64], cos_max: float) -> NDArray[np.intp]:
    """Find the zenith bins whose centre has ``|cos_zenith| < cos_max``.

    Parameters
    ----------
    edges : float64 array (n + 1,)
        Edges of the bins in cos_zenith.
    cos_max : float

    Returns
    -------
    int array
        Indices of the bins.

    Raises
    ------
    InputError
        If there is no such bin, or ``cos_max`` is above 1.
    """
    centres = 0.5 * (edges[:-1] + edges[1:])
    chosen = np.flatnonzero(np.abs(centres) < cos_max)
    if len(chosen) == 0 or not cos_max <= 1.0:
        raise InputError("cos-max", cos_max, f"above {np.abs(centres).min():.3g}, at most 1")
    return chosen


def lowest_energy(result: Result) -> float:
    """Return the lowest neutrino energy (GeV) that a run scores, less a relative 1e-9 for rounding.

    A bin that extends below this energy is only partly filled.

    Parameters
    ----------
    result : Result

    Returns
    -------
    float
    """
    return result.record.config.scoring.energy_min_GeV * (1.0 - 1e-9)


def full_bins(result: Result, window: tuple[float, float]) -> NDArray[np.intp]:
    """Find the energy bins in a window that lie entirely above the lowest energy scored.

    Parameters
    ----------
    result : Result
    window : (float, float)
        Lower and upper energy (GeV).

    Returns
    -------
    int array
        Indices of the bins; may be empty.

    Raises
    ------
    InputError
        As :func:`energy_bins`.
    """
    edges = np.asarray(result.energy_edges_GeV)
    chosen = energy_bins(edges, window)
    return chosen[edges[chosen] >= lowest_energy(result)]


def require_site(result: Result, site: str) -> None:
    """Raise an error that lists the sites of a result unless ``site`` is one of them.

    Parameters
    ----------
    result : Result
    site : str

    Raises
    ------
    InputError
        If the result has no such site.
    """
    if site not in result.sites:
        raise InputError("site", site, ", ".join(result.sites))


def sky_average(result: Result, site: str) -> tuple[Array, Array]:
    """Compute the flux averaged over all directions for each group of batches, in 50 energy bins (10 per decade).

    A bin that extends below the lowest energy scored has flux 0.

    Parameters
    ----------
    result : Result
    site : str

    Returns
    -------
    flux : float64 array (N_GROUPS, flavour, 50)
        m^-2 s^-1 sr^-1 GeV^-1.
    energies : float64 array (50,)
        Logarithmic centres of the bins (GeV).
    """
    edges = np.asarray(result.energy_edges_GeV)
    # The four cos_zenith bands are equally wide, and so are the azimuth bins.
    sky = np.asarray(result.groups_azimuth(site)).mean(axis=(3, 4))[:, :, _FIRST:_LAST]
    width = np.diff(edges)[_FIRST:_LAST]
    counts = (sky * width).reshape(*sky.shape[:2], -1, _MERGE).sum(axis=-1)
    merged = edges[_FIRST : _LAST + 1 : _MERGE]
    counts[:, :, merged[:-1] < lowest_energy(result)] = 0.0
    return counts / np.diff(merged), np.sqrt(merged[:-1] * merged[1:])
