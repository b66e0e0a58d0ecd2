"""Read measurements of muons near the ground, and compare spectra and charge ratios with them by chi2.

The data are in ``sim3d/reference/muons_*.csv``, with their citations. A set of data contains the conditions under which
it was taken: place, altitude or depth, month, date, zenith angles, cutoff.

Errors: where statistical and systematic errors are given apart, the systematic one is taken as common to all momenta of
the set (one nuisance parameter of unit width); errors given together are taken as independent. Charge ratios of
BESS-TeV have their statistical errors only, because its systematic ones are common to both charges for the most part.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from sim3d.conventions.arrays import Array
from sim3d.conventions.reference_files import reference_rows

BANDS_GEV = ((0.6, 1.6), (1.6, 5.0), (5.0, 20.0), (20.0, 100.0), (100.0, 500.0), (500.0, 10000.0))
"""Momenta (GeV/c) over which the ratio of model to data is averaged."""
OCTAVES_GEV = tuple((0.75 * 2.0**k, 1.5 * 2.0**k) for k in range(12))
"""The same in factors of two, from 0.75 GeV/c to 3 TeV/c."""
THREE_D_BELOW_GEV = 1.6
"""Below this momentum one dimension does not hold near the vertical, see :data:`THREE_D_FACTOR`."""
THREE_D_FACTOR = (0.95, 0.015)
"""Flux in three dimensions over that in one, and its error, at 0.6 to 1.6 GeV/c near the vertical: runs of this
program with and without ``transport.transverse``. It is stated beside comparisons and applied to none."""
BESS_WIDE_GEV = 20.6
"""BESS-TeV: momentum (GeV/c) above which zenith angles up to cos 0.90 are used."""


@dataclass(frozen=True)
class Conditions:
    """Where, when and in which directions muons were measured.

    Attributes
    ----------
    lat, lon : float
        Degrees.
    month : int
        Of the atmosphere.
    date : str
        Of the solar modulation.
    cosines, weights : tuple of float
        Directions and weights of the average over the acceptance.
    altitude_km : float
        Height of the detector.
    depth_g_cm2 : float or None
        Depth that the experiment states; it then counts, not the altitude.
    cutoff_GV : float
        Vertical cutoff that the experiment states; 0 where it does not matter for the momenta measured.
    """

    lat: float
    lon: float
    month: int
    date: str
    cosines: tuple[float, ...]
    weights: tuple[float, ...]
    altitude_km: float
    depth_g_cm2: float | None = None
    cutoff_GV: float = 0.0


_GAUSS = 0.5 / 3.0**0.5


def _range(low: float, high: float) -> tuple[tuple[float, float], tuple[float, float]]:
    """Two-point Gauss rule of an average over the cosine, that is over the solid angle."""
    middle, width = 0.5 * (low + high), high - low
    return (middle - _GAUSS * width, middle + _GAUSS * width), (0.5, 0.5)


_BESS_NARROW = Conditions(36.2, 140.1, 10, "2002-10-15", (0.99,), (1.0,), 0.030, cutoff_GV=11.4)
_BESS_WIDE = Conditions(36.2, 140.1, 10, "2002-10-15", *_range(0.90, 1.0), 0.030, cutoff_GV=11.4)
# Mean zenith angle 9 degrees, at most 20: the flux is nearly linear in the cosine, whose mean is near 0.985.
_CAPRICE = Conditions(56.5, -101.0, 7, "1994-07-19", (0.985,), (1.0,), 0.360, 1000.0, 0.5)
# The vertical bin of L3+C begins at cos 0.975. Two years of data: a mean month and the Sun in their middle.
_L3C = Conditions(46.25, 6.02, 4, "2000-01-15", (0.9875,), (1.0,), 0.450)


@dataclass(frozen=True)
class MuonData:
    """A spectrum of both charges together, or a charge ratio, of one experiment.

    Attributes
    ----------
    name : str
        Key, such as ``bess-tev``.
    title : str
    quantity : str
        ``flux`` (m^-2 s^-1 sr^-1 (GeV/c)^-1) or ``ratio`` (mu+/mu-).
    low_GeV, high_GeV, at_GeV : float64 arrays (n,)
        Edges of the momentum bins (GeV/c; equal to the momentum where they are not known) and their mean momenta.
    value, error : float64 arrays (n,)
        Measured values and total errors.
    covariance : float64 array (n, n)
        Of the errors, see the module's header.
    conditions : tuple of Conditions
        One for each point.
    """

    name: str
    title: str
    quantity: str
    low_GeV: Array
    high_GeV: Array
    at_GeV: Array
    value: Array
    error: Array
    covariance: Array
    conditions: tuple[Conditions, ...]


def _column(rows: Sequence[dict[str, str]], name: str) -> Array:
    """Cells of a column as numbers; a leading ``<`` (an upper limit of an error) is left out."""
    return np.array([float(row[name].lstrip("<")) for row in rows])


def _neighbours(error: Array, correlation: Array) -> Array:
    """Covariance of errors that are correlated with the next bin."""
    matrix = np.diag(error**2)
    for i in range(error.size - 1):
        matrix[i, i + 1] = matrix[i + 1, i] = correlation[i] * error[i] * error[i + 1]
    return matrix


def _data(
    name: str, title: str, quantity: str, bins: tuple[Array, Array, Array], value: Array, covariance: Array,
    conditions: Conditions | tuple[Conditions, ...],
) -> MuonData:  # fmt: skip
    error = np.sqrt(np.diag(covariance))
    each = conditions if isinstance(conditions, tuple) else (conditions,) * value.size
    return MuonData(name, title, quantity, *bins, value, error, covariance, each)


def _bess() -> list[MuonData]:
    rows = reference_rows("muons_bess_tev_2002_ground.csv")
    low, high = _column(rows, "p_lo"), _column(rows, "p_hi")
    at = 0.5 * (_column(rows, "p_mean_plus") + _column(rows, "p_mean_minus"))
    plus, minus = _column(rows, "flux_plus"), _column(rows, "flux_minus")
    stat = _column(rows, "stat_plus"), _column(rows, "stat_minus")
    syst = _column(rows, "syst_plus") + _column(rows, "syst_minus")
    conditions = tuple(_BESS_WIDE if p >= BESS_WIDE_GEV * 0.999 else _BESS_NARROW for p in low)
    bins = low, high, at
    ratio_error = plus / minus * np.hypot(stat[0] / plus, stat[1] / minus)
    covariance: Array = np.outer(syst, syst).astype(np.float64)
    covariance += np.diag(np.square(stat[0]) + np.square(stat[1]))
    return [
        _data("bess-tev", "BESS-TeV, Tsukuba 2002", "flux", bins, plus + minus, covariance, conditions),
        _data("bess-tev", "BESS-TeV, Tsukuba 2002", "ratio", bins, plus / minus, np.diag(ratio_error**2), conditions),
    ]


def _caprice() -> list[MuonData]:
    rows = reference_rows("muons_caprice94_ground.csv")
    bins = _column(rows, "p_lo"), _column(rows, "p_hi"), _column(rows, "p_mean")
    plus, minus = _column(rows, "flux_plus"), _column(rows, "flux_minus")
    errors = _column(rows, "err_plus"), _column(rows, "err_minus")
    ratio_error = plus / minus * np.hypot(errors[0] / plus, errors[1] / minus)
    title = "CAPRICE94, Lynn Lake 1994"
    flux = np.diag(errors[0] ** 2 + errors[1] ** 2)
    return [
        _data("caprice94", title, "flux", bins, plus + minus, flux, _CAPRICE),
        _data("caprice94", title, "ratio", bins, plus / minus, np.diag(ratio_error**2), _CAPRICE),
    ]


def _l3c() -> list[MuonData]:
    rows = reference_rows("muons_l3c_2004_vertical.csv")
    title = "L3+C, CERN 1999-2000"
    at = _column(rows, "p_mean")
    # GeV^2 cm^-2 s^-1 sr^-1 to m^-2 s^-1 sr^-1 (GeV/c)^-1
    flux = _column(rows, "p3flux") * 1.0e4 / at**3
    stat, syst = 0.01 * _column(rows, "stat_pct") * flux, 0.01 * _column(rows, "syst_pct") * flux
    covariance = _neighbours(stat, _column(rows, "corr_next")) + np.outer(syst, syst)
    measured = [row for row in rows if row["ratio"]]
    at_ratio, ratio = _column(measured, "p_mean"), _column(measured, "ratio")
    stat, syst = (0.01 * ratio * _column(measured, f"ratio_{kind}_pct") for kind in ("stat", "syst"))
    of_ratio = _neighbours(stat, _column(measured, "ratio_corr_next")) + np.outer(syst, syst)
    return [
        # a mean momentum is given for each bin, and the flux is that at it
        _data("l3c", title, "flux", (at, at, at), flux, covariance, _L3C),
        _data("l3c", title, "ratio", (at_ratio, at_ratio, at_ratio), ratio, of_ratio, _L3C),
    ]


def _ratios(name: str, title: str, file: str) -> MuonData:
    rows = reference_rows(file)
    at = _column(rows, "p_gevc")
    # bins and weights of the zenith angle are not known: the vertical at CERN's altitude stands for the surface
    return _data(
        name, title, "ratio", (at, at, at), _column(rows, "ratio"), np.diag(_column(rows, "err") ** 2), _L3C
    )  # fmt: skip


def muon_data() -> list[MuonData]:
    """Read all sets of data: spectra first, then charge ratios.

    Returns
    -------
    list of MuonData
    """
    spectra = [*_bess(), *_caprice(), *_l3c()]
    ratios = [
        _ratios("cms", "CMS, CERN 2006-2008", "muons_cms_2010_charge_ratio.csv"),
        _ratios("minos", "MINOS, Soudan 2003-2006", "muons_minos_far_2007_charge_ratio.csv"),
        _ratios("opera", "OPERA, Gran Sasso 2008", "muons_opera_2010_charge_ratio.csv"),
    ]
    return sorted([*spectra, *ratios], key=lambda data: data.quantity)


def chi2(data: MuonData, model: Array, least_GeV: float = THREE_D_BELOW_GEV) -> tuple[float, int]:
    """Compute chi2 of a model, with the correlations of the errors.

    Parameters
    ----------
    data : MuonData
    model : float64 array (n,)
        Values of the model at the points.
    least_GeV : float
        Points whose bin begins below are left out (GeV/c).

    Returns
    -------
    chi2 : float
    n : int
        Number of points.
    """
    used = data.low_GeV >= least_GeV * 0.999
    difference = (np.asarray(model) - data.value)[used]
    covariance = data.covariance[np.ix_(used, used)]
    return float(difference @ np.linalg.solve(covariance, difference)), int(used.sum())


def mean_ratio(data: MuonData, model: Array, band_GeV: tuple[float, float]) -> tuple[float, float] | None:
    """Compute the mean of model over data in a band of momentum, weighted with the errors.

    Parameters
    ----------
    data : MuonData
    model : float64 array (n,)
    band_GeV : (float, float)
        GeV/c.

    Returns
    -------
    (float, float) or None
        The mean and the error of the data in it, with correlations; None without points in the band.
    """
    used = (data.at_GeV >= band_GeV[0]) & (data.at_GeV < band_GeV[1])
    if not used.any():
        return None
    value = data.value[used]
    weights: Array = np.square(value / data.error[used])
    weights = weights / weights.sum()
    relative = data.covariance[np.ix_(used, used)] / np.outer(value, value)
    mean = float(weights @ (np.asarray(model)[used] / value))
    return mean, mean * float(np.sqrt(weights @ relative @ weights))
