"""Compute ratios of three-dimensional to one-dimensional fluxes, and the effect of bending in the atmosphere.

Up to three runs are compared: the full run, one without bending in the atmosphere, and a collinear (1-D) one. In one
dimension secondaries and decay products keep the direction of their primary and nothing bends in the atmosphere;
geomagnetic cutoffs stay.

The ratio "3-D / 1-D" contains the effects of angles and bending together. The largest is the enhancement of the flux
near the horizon at low energy (Battistoni et al., Astropart. Phys. 12 (2000) 315, and Lipari, Astropart. Phys. 14
(2000) 153; both cited from memory). The ratio "bending" is the full run over the one without bending. The ratio
"angles" is the run without bending over the collinear one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from sim3d.analysis.asymmetry import COS_ZENITH_MAX, ENERGY_WINDOW_GEV, FLAVOUR_ORDER, east_west_counts, towards_east
from sim3d.conventions.arrays import Array
from sim3d.conventions.text_tables import text_table, with_error
from sim3d.errors import InputError
from sim3d.results.jackknife import jackknife
from sim3d.results.pairs import jackknife_of_two
from sim3d.results.windows import full_bins, lowest_energy

if TYPE_CHECKING:
    from sim3d.config.schema import Config
    from sim3d.results.result import Result


FULL, STRAIGHT, COLLINEAR = "full", "no-bending", "collinear"
"""Names of the runs, and of their files."""

PAIRS = {
    "3-D / 1-D": (FULL, COLLINEAR),
    "bending": (FULL, STRAIGHT),
    "angles": (STRAIGHT, COLLINEAR),
}
"""Ratios by name: numerator and denominator."""

WINDOWS_GEV = ((0.1, 0.3), (0.3, 1.0), (1.0, 3.0), (3.0, 10.0), (10.0, 100.0))

BANDS: dict[str, Callable[[Array], NDArray[np.bool_]]] = {
    "horizon, |cos| < 0.1": lambda cosine: abs(cosine) < 0.1,
    "from above, cos > 0.5": lambda cosine: cosine > 0.5,
    "from below, cos < -0.5": lambda cosine: cosine < -0.5,
    "whole sky": lambda cosine: abs(cosine) <= 1.0,
}
"""Zenith bands of the table: conditions on the cosine of the bin centres."""


@dataclass(frozen=True)
class Ratio:
    """Ratio of the fluxes of two runs in an energy window; :data:`PAIRS` defines numerator and denominator.

    Attributes
    ----------
    pair, band, flavour : str
    energy_GeV : (float, float)
        Window, cut where the run scores nothing.
    value, error : float
        One standard error, jackknife over pairs of groups; NaN without hits.
    """

    pair: str
    band: str
    flavour: str
    energy_GeV: tuple[float, float]
    value: float
    error: float


@dataclass(frozen=True)
class EastWest:
    """East-west asymmetry of one flavour in each run, and the contribution of bending in the atmosphere.

    Attributes
    ----------
    flavour : str
    by_run : dict
        (asymmetry, error) by name of the run.
    bending : (float, float) or None
        Asymmetry in full less that without bending; its error takes both runs in pairs.
    """

    flavour: str
    by_run: dict[str, tuple[float, float]]
    bending: tuple[float, float] | None


def variants(config: Config) -> dict[str, Config]:
    """Derive the configurations to compare: full, without bending, and collinear.

    A configuration that has no bending itself gives two variants only.

    Parameters
    ----------
    config : Config

    Returns
    -------
    dict of Config
        By name of the run.

    Raises
    ------
    InputError
        If the configuration has no angles.
    """
    if not config.transport.transverse:
        raise InputError(
            "transport.transverse: False is the 1-D limit itself; give a configuration with transverse = true"
        )
    out = {FULL: config}
    if config.transport.bending:
        out[STRAIGHT] = _with(config, bending=False)
    out[COLLINEAR] = _with(config, bending=False, transverse=False)
    return out


def _with(config: Config, **transport: bool) -> Config:
    return config.model_copy(update={"transport": config.transport.model_copy(update=transport)})


def pairs_of(results: Mapping[str, Result]) -> dict[str, tuple[Result, Result]]:
    """Select the pairs of runs whose ratio can be formed from the given results.

    Parameters
    ----------
    results : mapping of Result
        By name of the run.

    Returns
    -------
    dict of (Result, Result)
        Numerator and denominator, by name of the pair (:data:`PAIRS`).
    """
    return {
        name: (results[above], results[below])
        for name, (above, below) in PAIRS.items()
        if above in results and below in results
    }


def quotient(above: Array, below: Array) -> Array:
    """Compute the ratio of two mean fluxes; the estimator that the jackknife is applied to.

    Parameters
    ----------
    above, below : float64 array
        Mean fluxes of numerator and denominator, same shape.

    Returns
    -------
    float64 array
        Of the same shape.
    """
    return above / below


def windows(result: Result) -> list[tuple[float, float]]:
    """Return the energy windows of :data:`WINDOWS_GEV`, cut at the lowest energy that the run scores.

    Parameters
    ----------
    result : Result

    Returns
    -------
    list of (float, float)
        GeV.
    """
    floor = lowest_energy(result)
    candidates = [(max(low, floor), high) for low, high in WINDOWS_GEV if high > floor * 1.3]
    return [window for window in candidates if len(full_bins(result, window))]


def zenith_groups(site: str, energy_GeV: tuple[float, float]) -> Callable[[Result], Array]:
    """Make a function that integrates a result's flux over an energy window and sums it over azimuth.

    Parameters
    ----------
    site : str
    energy_GeV : (float, float)
        Energy window, GeV.

    Returns
    -------
    callable
        Takes a result and returns the flux of each group of batches, (G, flavour, cos).
    """

    def groups(result: Result) -> Array:
        chosen = full_bins(result, energy_GeV)
        width = np.diff(result.energy_edges_GeV)[chosen]
        flux: Array = np.einsum("gfecd,e->gfc", np.asarray(result.groups_east_west(site))[:, :, chosen], width)
        return flux

    return groups


def azimuth_groups(site: str, energy_GeV: tuple[float, float]) -> Callable[[Result], Array]:
    """Make a function that integrates a result's flux over an energy window and ``|cos_zenith| < 0.5``, by azimuth.

    Parameters
    ----------
    site : str
    energy_GeV : (float, float)
        Energy window, GeV.

    Returns
    -------
    callable
        Takes a result and returns the flux of each group of batches, (G, flavour, azimuth).
    """

    def groups(result: Result) -> Array:
        chosen = full_bins(result, energy_GeV)
        width = np.diff(result.energy_edges_GeV)[chosen]
        # bands 1 and 2 of four are -0.5 to 0 and 0 to 0.5
        flux: Array = np.einsum("gfeba,e->gfa", np.asarray(result.groups_azimuth(site))[:, :, chosen, 1:3], width)
        return flux

    return groups


def band_groups(site: str, energy_GeV: tuple[float, float], band: str) -> Callable[[Result], Array]:
    """Make a function that integrates a result's flux over an energy window and a zenith band.

    Parameters
    ----------
    site : str
    energy_GeV : (float, float)
        Energy window, GeV.
    band : str
        Zenith band, a key of :data:`BANDS`.

    Returns
    -------
    callable
        Takes a result and returns the flux of each group of batches, (G, flavour).
    """
    by_zenith = zenith_groups(site, energy_GeV)

    def groups(result: Result) -> Array:
        edges = np.asarray(result.cos_zenith_edges)
        flux: Array = by_zenith(result)[:, :, BANDS[band](0.5 * (edges[1:] + edges[:-1]))].sum(axis=-1)
        return flux

    return groups


def ratios(results: Mapping[str, Result], site: str) -> Iterator[Ratio]:
    """Compute all flux ratios of a site with jackknife errors: by pair of runs, zenith band, flavour and energy.

    Parameters
    ----------
    results : mapping of Result
        By name of the run.
    site : str

    Yields
    ------
    Ratio
    """
    for pair, (above, below) in pairs_of(results).items():
        shown = windows(above)
        for band in BANDS:
            values = [jackknife_of_two(quotient, above, below, band_groups(site, window, band)) for window in shown]
            for i, flavour in enumerate(above.flavours):
                for window, (value, error) in zip(shown, values, strict=True):
                    yield Ratio(pair, band, flavour, window, float(value[i]), float(error[i]))


def east_west_window(result: Result) -> tuple[float, float] | None:
    """Return the energy window of the asymmetry, cut at the lowest energy that the run scores.

    Parameters
    ----------
    result : Result

    Returns
    -------
    (float, float) or None
        GeV; None if nothing of the window is scored.
    """
    low, high = ENERGY_WINDOW_GEV
    cut = (max(low, lowest_energy(result)), high)
    return cut if cut[0] < high and len(full_bins(result, cut)) else None


def bending_asymmetries(results: Mapping[str, Result], site: str) -> list[EastWest]:
    """Compute the east-west asymmetries of each run and the contribution of bending in the atmosphere.

    Parameters
    ----------
    results : mapping of Result
        By name of the run.
    site : str

    Returns
    -------
    list of EastWest
        From the flavour with the largest expected asymmetry to that with the smallest.
    """
    full = results[FULL]
    window = east_west_window(full)
    if window is None:
        return []

    def counts(result: Result) -> Array:
        return east_west_counts(result, site, window, COS_ZENITH_MAX)

    each = {name: jackknife(towards_east, counts(run), run.group_weights) for name, run in results.items()}
    added = None
    if STRAIGHT in results:
        added = jackknife_of_two(lambda a, b: towards_east(a) - towards_east(b), full, results[STRAIGHT], counts)
    out = []
    for flavour in FLAVOUR_ORDER:
        i = list(full.flavours).index(flavour)
        by_run = {name: (float(value[i]), float(error[i])) for name, (value, error) in each.items()}
        out.append(EastWest(flavour, by_run, None if added is None else (float(added[0][i]), float(added[1][i]))))
    return out


def table(rows: list[Ratio], pair: str) -> list[str]:
    """Format the ratios of one pair of runs as a text table, one block per zenith band.

    Parameters
    ----------
    rows : list of Ratio
    pair : str
        Name of the pair (:data:`PAIRS`).

    Returns
    -------
    list of str
        Lines of text.
    """
    chosen = [row for row in rows if row.pair == pair]
    shown = list(dict.fromkeys(row.energy_GeV for row in chosen))
    heads = [f"{low:.3g}-{high:g} GeV" for low, high in shown]
    lines: list[list[str]] = []
    by_key = {(row.band, row.flavour, row.energy_GeV): row for row in chosen}
    for band in dict.fromkeys(row.band for row in chosen):
        for k, flavour in enumerate(dict.fromkeys(row.flavour for row in chosen)):
            cells = [by_key[band, flavour, window] for window in shown]
            numbers = [with_error(cell.value, cell.error, missing="-") for cell in cells]
            lines.append([band if k == 0 else "", flavour, *numbers])
    return text_table(["", "", *heads], lines, "ll" + "r" * len(heads))
