"""A made-up file of the fluxes of a site, from formulas."""

import numpy as np

from sim3d.files.honda import HONDA_COS_EDGES, HONDA_ENERGIES_GEV
from sim3d.files.site_flux_file import SiteFlux
from sim3d.scoring.gradients import BINS

NAMES = ("pi+@31", "primary:p:norm")
SIGMA = np.array([0.1, 0.02])
COVARIANCE = np.array([[0.0025, 0.0002], [0.0002, 0.0002]])
POTENTIALS = np.array([300.0, 450.0, 600.0, 800.0, 1050.0, 1350.0])
DATES = ("2005-01-01", "2025-01-01")
STATISTICAL = 0.02


def sun(potential, energy):
    """ln(flux / flux at 600 MV): a force field moves ln(flux) by some 1e-3 GeV / (E + 1 GeV) per MV."""
    return -3.0 * np.log1p((potential - 600.0) * 1e-3 / (2.0 * energy + 2.0))


def made():
    e = HONDA_ENERGIES_GEV
    step = np.sqrt(e[1] / e[0])
    azimuth = np.linspace(0.0, 360.0, 13)
    middle = np.radians(0.5 * (azimuth[1:] + azimuth[:-1]))
    cos = 0.5 * (HONDA_COS_EDGES[1:] + HONDA_COS_EDGES[:-1])
    shape = np.log(100.0 * (1.0 - 0.3 * np.abs(cos)))[:, None] + np.log(1.0 - 0.2 * np.sin(middle))
    spectrum = -0.2 * np.log(1.0 + 1.0 / e)[:, None, None] + shape
    flavours = np.log([1.0, 0.9, 0.5, 0.4])[:, None, None, None] + spectrum
    drift = np.stack([flavours, flavours + 0.04])
    coarse = np.zeros((4, len(BINS.energies_GeV), 20, 1))
    months = np.array([100 * y + m for y in range(2000, 2031) for m in range(1, 13)])
    slopes = np.broadcast_to([0.05, 0.02], (*coarse.shape[:3], 2)).copy()
    slopes[2:, ..., 0] = 0.01
    return SiteFlux(
        name="kamioka", lat_deg=36.4, lon_deg=137.3, altitude_m=1370.0, field_dates=DATES,
        energy_edges_GeV=np.append(e / step, e[-1] * step), cos_edges=HONDA_COS_EDGES, azimuth_edges_deg=azimuth,
        log_flux=drift, log_error=np.full_like(drift, np.log(2.0 * STATISTICAL)),
        log_error_average=np.full(drift.shape[:-1], np.log(STATISTICAL)), base_MV=600.0, potentials_MV=POTENTIALS,
        log_sun=np.stack([np.broadcast_to(sun(p, BINS.energies_GeV)[:, None], coarse.shape[:3]) for p in POTENTIALS]),
        solar_months=months, solar_series_MV=700.0 + 350.0 * np.sin(months * 0.37),
        coarse_energy_edges_GeV=BINS.energy_edges_GeV, coarse_cos_edges=BINS.cos_edges, parameters=NAMES, sigma=SIGMA,
        covariance=COVARIANCE, prior=np.diag(SIGMA**2), modes=slopes @ np.array([[1.0, 0.5], [0.0, 2.0]]),
        mix=np.linalg.inv(np.array([[1.0, 0.5], [0.0, 2.0]])),
        height_quantiles_km=coarse + np.array([5.0, 8.0, 10.0, 15.0, 20.0, 23.0, 30.0]),
        record={"azimuth_frame": "site", "checks": {}},
    )  # fmt: skip
