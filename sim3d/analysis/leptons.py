"""Compute rates, azimuth distributions and east-west asymmetries of quasi-elastic electrons and muons in water.

All of them are linear in the neutrino flux: the flux of a result is folded with a response from
:mod:`sim3d.analysis.lepton_response`. Mean values come from the full flux in (energy, cos_zenith, azimuth). Errors need
the groups of batches, which a result keeps in two coarser binnings only. For these the response is replaced by its
least-squares fit with a sum of two functions, one on each binning (:func:`_project`). The fit reproduces the mean value
exactly and its scatter to good accuracy.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from scipy import constants

from sim3d.analysis import lepton_response as response
from sim3d.analysis import quasielastic
from sim3d.analysis.asymmetry import FLAVOUR_ORDER, REFERENCE_COLUMN
from sim3d.conventions.arrays import Array
from sim3d.conventions.reference_files import reference_rows
from sim3d.errors import InputError
from sim3d.results.jackknife import jackknife
from sim3d.results.windows import require_site
from sim3d.scoring.tally import N_BANDS

if TYPE_CHECKING:
    from sim3d.results.result import Result


SPECIES = {"e": ("nue", "nuebar"), "mu": ("numu", "numubar")}
"""Lepton species and the flavours that produce them: a water detector does not measure the sign of the charge."""

STAGES = ("neutrino", "lepton", "detector")
"""Direction and energy used: the neutrino's direction, the lepton's true ones, or the lepton's reconstructed ones."""

ENERGY_WINDOW_GEV = (0.4, 3.0)
COS_ZENITH_MAX = 0.5

HIGHEST_WINDOW_GEV = 100.0
"""Above this energy quasi-elastic leptons are a small part of all leptons, and keep the neutrino's direction."""

NEGLIGIBLE = 1e-7
"""Neutrino energies whose yield is below this fraction of the largest are left out."""

SECONDS_PER_YEAR = 365.25 * 86400.0
AVOGADRO = constants.N_A
WATER_G_PER_MOL = 18.015
MOLECULES_PER_KT = 1e9 / WATER_G_PER_MOL * AVOGADRO
OXYGEN_NEUTRONS = OXYGEN_PROTONS = 8
FREE_PROTONS = 2


@dataclass(frozen=True)
class Leptons:
    """Rates and asymmetries of leptons of one species, or from one flavour, at one site in an energy window.

    Attributes
    ----------
    species : str
        "e" (e-like: from nue and nuebar), "mu", or a flavour alone.
    mean_angle_deg : float
        Mean angle between neutrino and lepton, over the whole sky.
    sky_rate, sky_rate_error : float
        Events per kt, year and sr, averaged over all directions.
    antineutrino_share : float
        Share of antineutrinos in it.
    asymmetry, asymmetry_error : dict of float
        By stage (:data:`STAGES`), in the band of zenith; NaN without hits.
    rate, rate_error : dict of float
        By stage: events per kt, year and sr, averaged over the band.
    azimuth_rate, azimuth_error : dict of float64 arrays (azimuth,)
        By stage: the same in bins of the azimuth of arrival.
    """

    species: str
    mean_angle_deg: float
    sky_rate: float
    sky_rate_error: float
    antineutrino_share: float
    asymmetry: dict[str, float]
    asymmetry_error: dict[str, float]
    rate: dict[str, float]
    rate_error: dict[str, float]
    azimuth_rate: dict[str, Array]
    azimuth_error: dict[str, Array]


@dataclass(frozen=True)
class PublishedLeptons:
    """Published asymmetries of one lepton species at one site; None where the table has no value.

    Attributes
    ----------
    paper : float or None
        Asymmetry of Tserkovnyak et al.
    lipari : float or None
        Asymmetry computed by Lipari.
    data, data_error : float or None
        Asymmetry measured by Super-Kamiokande and its error.
    """

    paper: float | None
    lipari: float | None
    data: float | None
    data_error: float | None


def leptons(
    result: Result,
    site: str,
    energy_GeV: tuple[float, float] = ENERGY_WINDOW_GEV,
    cos_max: float = COS_ZENITH_MAX,
    *,
    pauli: bool = True,
    hydrogen: bool = False,
) -> list[Leptons]:
    """Compute rates and asymmetries of quasi-elastic leptons in water at one site.

    Parameters
    ----------
    result : Result
    site : str
    energy_GeV : (float, float)
        Window of the lepton's total energy, GeV; in the stage "detector" of the reconstructed one.
    cos_max : float
        The direction that counts has ``|cos_zenith| < cos_max``.
    pauli : bool
        Pauli blocking in oxygen.
    hydrogen : bool
        Whether the two free protons of the molecule count too; by default oxygen's nucleons alone.

    Returns
    -------
    list of Leptons
        Electrons, muons, then those of each flavour in the order of :data:`sim3d.analysis.asymmetry.FLAVOUR_ORDER`.
    """
    require_site(result, site)
    _check(energy_GeV, cos_max)
    sky = response.sky_response(np.asarray(result.cos_zenith_edges), len(result.azimuth_edges_deg) - 1, cos_max)
    sums = {
        flavour: _flavour_sums(result, site, flavour, species, sky, energy_GeV, pauli=pauli, hydrogen=hydrogen)
        for species, flavours in SPECIES.items()
        for flavour in flavours
    }
    rows = SPECIES | {flavour: (flavour,) for flavour in FLAVOUR_ORDER}
    return [
        _summarise(
            name,
            np.sum([sums[flavour][0] for flavour in flavours], axis=0),
            np.sum([sums[flavour][1] for flavour in flavours], axis=0),
            result.group_weights,
            cos_max,
        )
        for name, flavours in rows.items()
    ]


def _check(energy_GeV: tuple[float, float], cos_max: float) -> None:
    low, high = energy_GeV
    lowest = quasielastic.channel("numu").lepton_mass
    if not lowest < low < high <= HIGHEST_WINDOW_GEV:
        raise InputError(
            "energy",
            f"{low:g} {high:g} GeV",
            f"two energies above a muon's mass and up to {HIGHEST_WINDOW_GEV:g}, the lower one first",
        )
    if not 0.0 < cos_max <= 1.0:
        raise InputError("cos-max", cos_max, "above 0, at most 1")


def targets_per_kt(flavour: str, *, hydrogen: bool = False) -> tuple[int, int]:
    """Count the target nucleons in a water molecule that a flavour scatters on.

    Multiply by :data:`MOLECULES_PER_KT` for the number per kt.

    Parameters
    ----------
    flavour : str
    hydrogen : bool
        Whether the two free protons count as targets of antineutrinos.

    Returns
    -------
    in_oxygen, free : int
    """
    if flavour.endswith("bar"):
        return OXYGEN_PROTONS, FREE_PROTONS if hydrogen else 0
    return OXYGEN_NEUTRONS, 0


def _yields(
    flavour: str, edges: Array, window: tuple[float, float], pauli: bool, hydrogen: bool, smear: response.Resolution
) -> Array:
    """Events per kt and year in a flux of 1 m^-2 s^-1: [stage, energy, angle]."""
    bound, free = targets_per_kt(flavour, hydrogen=hydrogen)
    per_cm2 = MOLECULES_PER_KT * SECONDS_PER_YEAR * 1e-4

    def of_water(resolution: response.Resolution | None) -> Array:
        value = bound * response.angular_yield(flavour, edges, window, pauli=pauli, resolution=resolution)
        if free:
            value = value + free * response.angular_yield(flavour, edges, window, pauli=False, resolution=resolution)
        return np.asarray(per_cm2 * value)

    true = of_water(None)
    forward = np.zeros_like(true)
    forward[:, 0] = true.sum(axis=1)
    return np.stack([forward, true, of_water(smear) @ response.blur(smear.angle_deg)])


def _flavour_sums(
    result: Result,
    site: str,
    flavour: str,
    species: str,
    sky: Array,
    window: tuple[float, float],
    *,
    pauli: bool,
    hydrogen: bool,
) -> tuple[Array, Array]:
    """Compute events per kt and year of one flavour, by group of batches.

    Returns
    -------
    in_bins : float64 array (groups, stage, azimuth)
        In the band of zenith.
    in_sky : float64 array (groups, 3)
        In all directions: of neutrinos and antineutrinos, of antineutrinos, all times the scattering angle (degrees).
    """
    edges = np.asarray(result.energy_edges_GeV)
    azimuth = np.asarray(result.azimuth_edges_deg)
    i = list(result.flavours).index(flavour)
    # Neutrinos per m2 and s in each bin: the widths are in energy, cos_zenith and azimuth.
    d_energy, d_cos, d_azimuth = np.diff(edges), np.diff(result.cos_zenith_edges), np.radians(np.diff(azimuth))
    flux = result.binned(site, "fine")[0][i] * d_energy[:, None, None] * d_cos[:, None] * d_azimuth
    bands = np.asarray(result.groups_azimuth(site))[:, i] * d_energy[:, None, None] * 0.5 * d_azimuth
    halves = np.asarray(result.groups_east_west(site))[:, i] * d_energy[:, None, None] * d_cos[:, None] * math.pi
    yields = _yields(flavour, edges, window, pauli, hydrogen, response.SUPER_KAMIOKANDE[species])
    size = yields.sum(axis=(0, 2))
    in_bins = np.zeros((len(bands), len(STAGES) * len(d_azimuth)))
    in_sky = np.zeros((len(bands), 3))
    for e in np.flatnonzero(size > NEGLIGIBLE * size.max()):
        turned = np.einsum("sp,pcm->scm", yields[:, e], sky)
        of_band, of_half = _project(_by_bin(turned), flux[e])
        in_bins += np.einsum("obk,gbk->go", of_band, bands[:, e]) + np.einsum("och,gch->go", of_half, halves[:, e])
        true = yields[STAGES.index("lepton"), e]
        per_neutrino = [true.sum(), true.sum() * flavour.endswith("bar"), true @ response.ANGLES_DEG]
        in_sky += bands[:, e].sum(axis=(1, 2))[:, None] * np.array(per_neutrino)
    return in_bins.reshape(len(bands), len(STAGES), -1), in_sky


def _by_bin(turned: Array) -> Array:
    """Expand responses by azimuth shift into responses of every output bin.

    [stage, c, m] becomes [(stage, lepton bin), c, neutrino bin]; the shift m is the lepton's bin less the neutrino's.
    """
    n_stages, n_cos, n = turned.shape
    shift = (np.arange(n)[:, None] - np.arange(n)) % n
    return turned[:, :, shift].transpose(0, 2, 1, 3).reshape(n_stages * n, n_cos, n)


def _project(wanted: Array, flux: Array) -> tuple[Array, Array]:
    """Fit a response by the sum of a function of (zenith band, azimuth) and one of (zenith, half of the sky).

    Least squares over the bins of the sky, weighted with the flux.  What is left is orthogonal to every function of
    either binning, the constant included, so the sum over the flux itself comes out exactly.

    Parameters
    ----------
    wanted : float64 array (outputs, cos, azimuth)
    flux : float64 array (cos, azimuth)
        Weights.

    Returns
    -------
    of_band : float64 array (outputs, 4, azimuth)
    of_half : float64 array (outputs, cos, 2)
        Last index as in ``Result.groups_east_west``: from the east, from the west.
    """
    n_out, n_cos, n = wanted.shape
    # A bin that straddles 180 degrees (odd numbers of bins) belongs half to either, as in the tally.
    east = np.clip(0.5 * n - np.arange(n), 0.0, 1.0)
    half = np.stack([east, 1.0 - east])
    band = np.repeat(np.eye(N_BANDS), n_cos // N_BANDS, axis=1)
    n_left, n_right = N_BANDS * n, n_cos * 2
    matrix = np.zeros((n_left + n_right, n_left + n_right))
    matrix[:n_left, :n_left] = np.diag((band @ flux).ravel())
    cross = np.einsum("bc,ck,hk->bkch", band, flux, half).reshape(n_left, n_right)
    matrix[:n_left, n_left:] = cross
    matrix[n_left:, :n_left] = cross.T
    within = np.einsum("ck,hk,jk->chj", flux, half, half)
    matrix[n_left:, n_left:] = np.einsum("chj,cd->chdj", within, np.eye(n_cos)).reshape(n_right, n_right)
    weighted = wanted * flux
    right = np.concatenate(
        [
            np.einsum("bc,ock->obk", band, weighted).reshape(n_out, n_left),
            np.einsum("ock,hk->och", weighted, half).reshape(n_out, n_right),
        ],
        axis=1,
    )
    # The solution is not unique (a constant fits either function, empty bins fix nothing): take the smallest.
    solution = right @ np.linalg.pinv(matrix, rcond=1e-11, hermitian=True)
    return solution[:, :n_left].reshape(n_out, N_BANDS, n), solution[:, n_left:].reshape(n_out, n_cos, 2)


def _summarise(
    species: str, in_bins: Array, in_sky: Array, group_weights: NDArray[np.int64], cos_max: float
) -> Leptons:
    """Compute values and jackknife errors from the events of each group."""
    n = in_bins.shape[-1]
    per_bin = 4.0 * math.pi * cos_max / n
    east = np.clip(0.5 * n - np.arange(n), 0.0, 1.0)

    def asymmetry(mean: Array) -> Array:
        west_less_east, both = mean @ (1.0 - 2.0 * east), mean.sum(axis=-1)
        return np.asarray(west_less_east / both)

    def by_stage(values: Array) -> dict[str, float]:
        return {stage: float(value) for stage, value in zip(STAGES, values, strict=True)}

    ratio, ratio_error = jackknife(asymmetry, in_bins, group_weights)
    rate, rate_error = jackknife(lambda mean: mean.sum(axis=-1) / (n * per_bin), in_bins, group_weights)
    azimuth, azimuth_error = jackknife(lambda mean: mean / per_bin, in_bins, group_weights)
    sky, sky_error = jackknife(lambda mean: mean[0] / (4.0 * math.pi), in_sky, group_weights)
    share, _ = jackknife(lambda mean: mean[1:] / mean[0], in_sky, group_weights)
    return Leptons(
        species,
        float(share[1]),
        float(sky),
        float(sky_error),
        float(share[0]),
        by_stage(ratio),
        by_stage(ratio_error),
        by_stage(rate),
        by_stage(rate_error),
        dict(zip(STAGES, azimuth, strict=True)),
        dict(zip(STAGES, azimuth_error, strict=True)),
    )


def published_leptons(site: str) -> dict[str, PublishedLeptons]:
    """Read published lepton asymmetries of a site: Tserkovnyak et al., Lipari, and Super-Kamiokande's data.

    They hold for 0.4 to 3 GeV and |cos_zenith| < 0.5 (``reference/east_west_asymmetry.csv``; the data are those of
    Futagami et al., Phys. Rev. Lett. 82 (1999) 5194).

    Parameters
    ----------
    site : str

    Returns
    -------
    dict of PublishedLeptons
        By species; empty for a site without published values.
    """
    column = REFERENCE_COLUMN.get(site)
    if column is None:
        return {}

    def number(row: dict[str, str], name: str) -> float | None:
        return float(row[name]) if row.get(name) else None

    return {
        row["species"]: PublishedLeptons(
            number(row, f"{column}_paper"),
            number(row, f"{column}_lipari"),
            number(row, f"{column}_data"),
            number(row, f"{column}_data_err"),
        )
        for row in reference_rows("east_west_asymmetry.csv")
        if row["species"] in SPECIES
    }


def is_published_window(energy_GeV: tuple[float, float], cos_max: float) -> bool:
    """Return True if an energy window and zenith cut are those of the published lepton asymmetries.

    Parameters
    ----------
    energy_GeV : (float, float)
        Window of the lepton's total energy, GeV.
    cos_max : float
        Upper limit of ``|cos_zenith|``.

    Returns
    -------
    bool
    """
    return tuple(energy_GeV) == ENERGY_WINDOW_GEV and cos_max == COS_ZENITH_MAX
