"""Find a neutrino's crossings of the detector patches, with their bins and flux contributions.

The hits of a shower are listed once; :mod:`sim3d.scoring.shower_scores` adds them to all scores.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from sim3d.conventions.binning import N_ENERGY
from sim3d.jit_options import UNCOUNTED
from sim3d.scoring.bins import azimuth_bin, cos_bin, energy_bin, inverse_cosine
from sim3d.scoring.detectors import angles_in_site_frame, inside_patch, sphere_crossings
from sim3d.scoring.surface import born_in_rock
from sim3d.shower.neutrino_list import NU_ENERGY, NU_FLAVOUR, NU_UX, NU_UY, NU_UZ, NU_WEIGHT, NU_X, NU_Y, NU_Z

HIT_DTYPE = np.dtype(
    [
        ("site", np.int64),
        ("flavour", np.int64),
        ("energy_bin", np.int64),
        ("cos_bin", np.int64),
        ("azimuth_bin", np.int64),
        ("neutrino", np.int64),
        ("value", np.float64),
        ("cos_zenith", np.float64),
        ("azimuth", np.float64),
    ]
)
"""A hit: index of the site in the run, flavour and bins, row of the neutrino in its shower's list, weight / (area
|cos|) (s^-1 m^-2 for weights in s^-1), zenith cosine and azimuth (radians, in the frame of the site) of arrival."""


@njit(**UNCOUNTED)
def fill_hit(hit, site, row, flavour, i_energy, cos_zenith, azimuth, n_azimuth, value):
    """Fill a record of HIT_DTYPE; the zenith and azimuth bins are computed from the angles.

    Parameters
    ----------
    hit : record of HIT_DTYPE
    site, row, flavour, i_energy : int
        Index of the site in the run, row of the shower's list, flavour and fine energy bin.
    cos_zenith, azimuth : float
        Arrival direction; azimuth in radians.
    n_azimuth : int
        Number of azimuth bins.
    value : float
        Field ``value``.
    """
    hit["site"] = site
    hit["flavour"] = flavour
    hit["energy_bin"] = i_energy
    hit["cos_bin"] = cos_bin(cos_zenith)
    hit["azimuth_bin"] = azimuth_bin(azimuth, n_azimuth)
    hit["neutrino"] = row
    hit["value"] = value
    hit["cos_zenith"] = cos_zenith
    hit["azimuth"] = azimuth


@njit(**UNCOUNTED)
def patch_hits(neutrino, row, sites, surfaces, first_site, n_azimuth, hits, n_hits):
    """Append the crossings of one neutrino with the sites' patches to a list of hits.

    Parameters
    ----------
    neutrino : float64 array (NEUTRINO_COLUMNS,)
        Row number ``row`` of the shower kernel's list.
    row : int
    sites : SITE_DTYPE array (n,)
        Sites to score; the first is number ``first_site`` of the run.
    surfaces : float64 array
        Mountains over the sites, see :func:`sim3d.scoring.surface.site_rows`.
    first_site, n_azimuth : int
    hits : HIT_DTYPE array (capacity,)
    n_hits : int
        Hits already in the list; the capacity must leave room for two per site.

    Returns
    -------
    int
        New number of hits.
    """
    i_energy = energy_bin(neutrino[NU_ENERGY])
    if i_energy < 0 or i_energy >= N_ENERGY:
        return n_hits
    x, y, z = neutrino[NU_X], neutrino[NU_Y], neutrino[NU_Z]
    ux, uy, uz = neutrino[NU_UX], neutrino[NU_UY], neutrino[NU_UZ]
    flavour = int(neutrino[NU_FLAVOUR])
    for k in range(sites.shape[0]):
        site = sites[k]
        radius = site["radius_km"]
        down, up = sphere_crossings(x, y, z, ux, uy, uz, radius)
        for path in (down, up):
            if path <= 0.0:
                continue
            nx = (x + path * ux) / radius
            ny = (y + path * uy) / radius
            nz = (z + path * uz) / radius
            if not inside_patch(site, nx, ny, nz):
                continue
            cos_zenith, azimuth = angles_in_site_frame(site, nx, ny, nz, ux, uy, uz)
            if born_in_rock(site, surfaces, x, y, z, cos_zenith, azimuth):
                continue
            value = neutrino[NU_WEIGHT] * inverse_cosine(cos_zenith) / site["area_m2"]
            fill_hit(hits[n_hits], first_site + k, row, flavour, i_energy, cos_zenith, azimuth, n_azimuth, value)
            n_hits += 1
    return n_hits


@njit(**UNCOUNTED)
def _list_hits(neutrinos, first, n, energy_min, sites, surfaces, first_site, n_azimuth, hits, n_hits):
    """List the hits of neutrinos number ``first`` to n - 1, until the list is full; returns where to go on."""
    for i in range(first, n):
        if neutrinos[i, NU_ENERGY] < energy_min:
            continue
        if n_hits + 2 * sites.shape[0] > hits.shape[0]:
            return i, n_hits
        n_hits = patch_hits(neutrinos[i], i, sites, surfaces, first_site, n_azimuth, hits, n_hits)
    return max(first, n), n_hits


@njit(nogil=True)
def hits_of_shower(neutrinos, n, energy_min, sites, surfaces, first_site, n_azimuth, hits):
    """List the crossings of a shower's neutrinos with the patches.

    Parameters
    ----------
    neutrinos, n
        The shower kernel's list and its length.
    energy_min : float
        Neutrinos below this energy (GeV) are not scored.
    sites, surfaces, first_site, n_azimuth
        As for :func:`patch_hits`.
    hits : HIT_DTYPE array (capacity,)
        Work space.

    Returns
    -------
    hits, n_hits
        The (possibly larger) array and the number of hits in it.
    """
    # numbers of one type: literals would compile the loop a second time
    first, n_hits = np.int64(0), np.int64(0)
    while True:
        first, n_hits = _list_hits(
            neutrinos, first, n, energy_min, sites, surfaces, first_site, n_azimuth, hits, n_hits
        )  # fmt: skip
        if first >= n:
            return hits, n_hits
        more = np.empty(2 * hits.shape[0] + 2 * sites.shape[0], HIT_DTYPE)
        for j in range(n_hits):
            more[j] = hits[j]
        hits = more
