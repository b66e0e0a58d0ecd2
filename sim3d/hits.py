"""Hits: where one neutrino crosses the patches of the sites, in which bins, and what it counts there."""

from __future__ import annotations

from numba import njit

from sim3d.binning import N_ENERGY, azimuth_bin, cos_bin, energy_bin, inverse_cosine
from sim3d.detectors import S_AREA, S_RADIUS, arrival_angles, inside_patch, sphere_crossings
from sim3d.shower import NU_ENERGY, NU_FLAVOUR, NU_UX, NU_UY, NU_UZ, NU_WEIGHT, NU_X, NU_Y, NU_Z


@njit(nogil=True)
def patch_hits(neutrino, sites, n_azimuth, hit_bins, hit_values, n_hits, angles=None):
    """Append the crossings of one neutrino through the sites' patches to a list of hits.

    Parameters
    ----------
    neutrino : float64 array (9,)
        A row of the shower kernel's list.
    sites : float64 array (n, SITE_COLUMNS)
    n_azimuth : int
    hit_bins : int64 array (capacity, 5)
        Receives site, flavour, energy, zenith and azimuth bin.
    hit_values : float64 array (capacity,)
        Receives weight / (area |cos|) (s^-1 m^-2 for weights in s^-1).
    n_hits : int
        Hits already in the list; the capacity must leave room for two per site.
    angles : float64 array (capacity, 2), optional
        Receives cos_zenith and azimuth (radians).

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
    for k in range(sites.shape[0]):
        radius = sites[k, S_RADIUS]
        down, up = sphere_crossings(x, y, z, ux, uy, uz, radius)
        for path in (down, up):
            if path <= 0.0:
                continue
            nx = (x + path * ux) / radius
            ny = (y + path * uy) / radius
            nz = (z + path * uz) / radius
            if not inside_patch(sites, k, nx, ny, nz):
                continue
            cos_zenith, azimuth = arrival_angles(nx, ny, nz, ux, uy, uz)
            hit_bins[n_hits, 0] = k
            hit_bins[n_hits, 1] = int(neutrino[NU_FLAVOUR])
            hit_bins[n_hits, 2] = i_energy
            hit_bins[n_hits, 3] = cos_bin(cos_zenith)
            hit_bins[n_hits, 4] = azimuth_bin(azimuth, n_azimuth)
            hit_values[n_hits] = neutrino[NU_WEIGHT] * inverse_cosine(cos_zenith) / sites[k, S_AREA]
            if angles is not None:
                angles[n_hits, 0], angles[n_hits, 1] = cos_zenith, azimuth
            n_hits += 1
    return n_hits
