"""Sentences of the report that state what the numbers of this run show; each is computed, none is fixed text.

A difference is stated as such only where it is larger than :data:`SIGMAS` standard errors.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from sim3d.analysis import asymmetry
from sim3d.analysis.trends import known_range
from sim3d.results import windows
from sim3d.results.jackknife import jackknife
from sim3d.results.words import three_digits

if TYPE_CHECKING:
    from geomag.cutoffs.whole_sky import WholeSky
    from sim3d.results.result import Result

SIGMAS = 3.0
"""Number of standard errors beyond which a difference is stated."""

SMALLEST = 0.01
"""Smallest relative difference that is stated."""

QUARTERS = ("north", "east", "south", "west")


def spectra_caption(result: Result, site: str) -> str:
    """State how far the spectra are known, and the sizes of the errors.

    Parameters
    ----------
    result : Result
    site : str

    Returns
    -------
    str
    """
    groups, energies = windows.sky_average(result, site)
    value, error = jackknife(lambda mean: mean, groups, result.group_weights)
    span = known_range(energies, value, error)
    text = "Flux averaged over the sky, times energy cubed; lines are smooth curves with a band of one standard error."
    if span is None:
        return f"{text} No energy is known to 50%."
    low, high = (three_digits(energy) for energy in span)
    return f"{text} Known to better than 50% from {low} to {high} GeV; the axis ends there."


def zenith_caption(result: Result, site: str) -> str:
    """State the ratio of the flux from below to that from above.

    Parameters
    ----------
    result : Result
    site : str

    Returns
    -------
    str
    """
    low, high = asymmetry.ENERGY_WINDOW_GEV
    chosen = windows.energy_bins(np.asarray(result.energy_edges_GeV), (low, high))
    width = np.diff(result.energy_edges_GeV)[chosen]
    groups = np.asarray(result.groups_azimuth(site)).mean(axis=-1)[:, :, chosen]
    bands = np.einsum("gfeb,e->gb", groups, width)
    value, error = jackknife(lambda mean: mean[0] / mean[3], bands, result.group_weights)
    text = "Flux by zenith angle in four ranges of energy; +1 is down-going."
    if not np.isfinite(value) or not np.isfinite(error):
        return text
    ratio = f"{float(value):.2f} ± {float(error):.2f}"
    return f"{text} From below over from above (|cos| over 0.5), {low:g} to {high:g} GeV, all flavours: {ratio}."


def quarters(result: Result, site: str) -> tuple[np.ndarray, np.ndarray]:
    """Compute the flux near the horizon in the quarters of the compass over its mean, all flavours together.

    Parameters
    ----------
    result : Result
    site : str

    Returns
    -------
    value, error : float64 arrays (4,)
        From the north, east, south and west, in the energies of the east-west asymmetry.
    """
    chosen = windows.energy_bins(np.asarray(result.energy_edges_GeV), asymmetry.ENERGY_WINDOW_GEV)
    width = np.diff(result.energy_edges_GeV)[chosen]
    groups = np.asarray(result.groups_azimuth(site))[:, :, chosen, 1:3].mean(axis=3)
    by_azimuth = np.einsum("gfea,e->ga", groups, width)
    edges = np.asarray(result.azimuth_edges_deg)
    bearing = (180.0 - 0.5 * (edges[1:] + edges[:-1])) % 360.0
    # weight of each azimuth bin in each quarter: a bin half in one and half in another counts in both
    apart = np.abs((bearing - 90.0 * np.arange(4)[:, None] + 180.0) % 360.0 - 180.0)
    half = 0.5 * (edges[1] - edges[0])
    share = np.clip((45.0 + half - apart) / (2.0 * half), 0.0, 1.0)
    share /= share.sum(axis=1, keepdims=True)
    return jackknife(lambda mean: share @ mean / mean.mean(), by_azimuth, result.group_weights)


def azimuth_caption(result: Result, site: str) -> str:
    """State from which quarter of the compass the flux near the horizon is lowest and highest, if that is certain.

    Parameters
    ----------
    result : Result
    site : str

    Returns
    -------
    str
    """
    value, error = quarters(result, site)
    low, high = asymmetry.ENERGY_WINDOW_GEV
    text = (
        f"Flux by direction of arrival over its mean, {low:g} to {high:g} GeV, |cos zenith| < 0.5, in the order of the "
        "compass: north, east, south, west, north."
    )
    if not np.all(np.isfinite(value)) or not np.all(np.isfinite(error)):
        return text
    least, most = int(np.argmin(value)), int(np.argmax(value))
    if value[most] - value[least] < max(SIGMAS * float(np.hypot(error[most], error[least])), SMALLEST):
        return f"{text} All flavours together, no quarter of the compass differs from another beyond the errors."
    ends = [
        f"{name} from the {QUARTERS[k]} ({value[k]:.2f} ± {error[k]:.2f})"
        for name, k in (("lowest", least), ("highest", most))
    ]
    return f"{text} All flavours together, the flux is {' and '.join(ends)}."


def asymmetry_caption(result: Result, site: str) -> str:
    """State the mean asymmetry of the flavours in words, and what stands beside this run's values.

    Parameters
    ----------
    result : Result
    site : str

    Returns
    -------
    str
    """
    found = [one for one in asymmetry.east_west(result, site) if np.isfinite(one.value) and np.isfinite(one.error)]
    sure = [one.flavour for one in found if abs(one.value) > SIGMAS * one.error]
    beside = " beside those of Tserkovnyak et al. and Lipari" if asymmetry.published(site) else ""
    text = f"East-west asymmetry of the four flavours{beside}; positive: more neutrinos come from the west."
    if not found:
        return text
    if not sure:
        return f"{text} None differs from 0 by {SIGMAS:g} errors."
    return f"{text} Different from 0 by {SIGMAS:g} errors or more: {', '.join(sure)}."


def cutoff_caption(name: str, sky: WholeSky) -> str:
    """State from which directions above the horizon the cutoff is highest and lowest.

    Parameters
    ----------
    name : str
        Of the site.
    sky : WholeSky

    Returns
    -------
    str
    """
    rows = (sky.cos_zenith > 0.0) & (sky.cos_zenith < 0.5)
    text = f"Effective cutoff over the sky of {name}; dotted: horizon."
    if not rows.any():
        return text
    by_bearing = sky.effective_GV[rows].mean(axis=0)
    least, most = int(np.argmin(by_bearing)), int(np.argmax(by_bearing))
    if by_bearing[most] < by_bearing[least] + sky.step_GV:
        return f"{text} Near the horizon it is {by_bearing.mean():.1f} GV from all sides."
    ends = [
        f"{word} from the {_point(float(sky.azimuth_from_north_deg[k]))} ({by_bearing[k]:.1f} GV)"
        for word, k in (("highest", most), ("lowest", least))
    ]
    return f"{text} Between the horizon and 60° from the vertical it is {' and '.join(ends)}, mean over zenith."


def _point(bearing_deg: float) -> str:
    words = ("north", "north-east", "east", "south-east", "south", "south-west", "west", "north-west")
    return words[int(np.floor(bearing_deg / 45.0 + 0.5)) % 8]
