"""Stop a run at a target precision: relative error of an observable, tested after fixed numbers of batches.

The observable is the flux of ``run.target_observable`` at ``run.target_site``, integrated over all directions and
``run.target_energy_GeV``, or a whole table: then the error is that which 95% of the azimuth-averaged bins of the part
in ``[allocation]`` do not exceed. The batch values are summed as integers, so the error after a given set of
batches is the same for any number of ranks. It is tested only when exactly a scheduled number of batches is finished.
So the batch at which a run stops does not depend on the ranks or on interruptions.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from sim3d.config.allocation import AllocationTable
from sim3d.config.schema import ENERGY_CENTRES_GEV, Config
from sim3d.conventions.binning import BINNINGS, N_COS, N_FLAVOURS
from sim3d.conventions.flavours import FLAVOURS
from sim3d.scoring.exact_sums import LIMB, LIMB_BITS
from sim3d.scoring.tally import SiteTally

FIRST_TEST = 24
"""Batches before the first test: with fewer the estimated error is not reliable."""

TABLE_SHARE = 0.95
"""Fraction of a table's bins that must have the target error."""

_GROWTH = (6, 5)
"""Each test comes after 6/5 of the batches of the one before: a run overshoots by 20% at most."""


def next_test(batches: int) -> int:
    """Next number of batches after which the error is tested.

    Parameters
    ----------
    batches : int
        Number of batches finished.

    Returns
    -------
    int
        The first number of the schedule that is larger.
    """
    point = FIRST_TEST
    while point <= batches:
        point = -(-point * _GROWTH[0] // _GROWTH[1])
    return point


class Watch:
    """Exact sums of the observable whose error stops the run.

    Parameters
    ----------
    config : Config
    exponents : sequence of int64 arrays (N_ENERGY,)
        Scale exponents of the sites' tallies (:func:`sim3d.scoring.tally.scale_exponents`).

    Attributes
    ----------
    sums : int64 array (3,)
        Sum of batch values (unit 2^-exponent m^-2 s^-1), and high and low limb of the sum of their squares.
    exponent : int
        Binary exponent of the fixed-point scale.
    """

    def __init__(self, config: Config, exponents: list[np.ndarray]) -> None:
        run = config.run
        names = [site.name for site in config.sites]
        self.site = names.index(run.target_site) if run.target_site else 0
        low, high = run.target_energy_GeV
        inside = np.flatnonzero((low <= ENERGY_CENTRES_GEV) & (high >= ENERGY_CENTRES_GEV))
        self.energies = slice(int(inside[0]), int(inside[-1]) + 1)
        self.part = config.allocation if run.target_observable == "table" else None
        if run.target_observable in ("flux", "table"):
            self.flavours = slice(0, N_FLAVOURS)
        else:
            first = FLAVOURS.index(run.target_observable)
            self.flavours = slice(first, first + 1)
        bins = (self.flavours.stop - self.flavours.start) * len(inside) * N_COS * config.scoring.azimuth_bins
        # a single bin fits 58 bits in the scale of its energy; so does the sum of all in the coarsest scale, shifted
        self.exponent = int(np.min(exponents[self.site][self.energies])) - math.ceil(math.log2(bins))
        self.sums = np.zeros(3, dtype=np.int64)

    def value(self, scores: np.ndarray) -> int:
        """Batch value of the observable in integer units.

        Parameters
        ----------
        scores : float64 array (sites, 4, N_ENERGY, N_COS, azimuth)
            Integral flux of the batch in each bin (m^-2 s^-1).

        Returns
        -------
        int
        """
        return round(float(scores[self.site, self.flavours, self.energies].sum()) * 2.0**self.exponent)

    def add_value(self, value: int) -> None:
        """Add one batch to the sums.

        Parameters
        ----------
        value : int
            From :meth:`value`.
        """
        self.sums[0] += value
        self._set_squares(self._squares() + value * value)

    def add(self, sums: np.ndarray) -> None:
        """Add the sums of other batches.

        Parameters
        ----------
        sums : int64 array (3,)
        """
        self.sums += sums
        self._set_squares(self._squares())

    def relative_error(self, batches: int) -> float:
        """Relative standard error of the observable's mean, from the scatter of the batch values.

        Parameters
        ----------
        batches : int
            Number of batches in the sums.

        Returns
        -------
        float
            Infinite for fewer than two batches or a sum of zero.
        """
        total = int(self.sums[0])
        if batches < 2 or total <= 0:
            return math.inf
        # n^2 (n - 1) variance of the mean, as an integer: no rounding before the last step
        scatter = max(0, batches * self._squares() - total * total)
        return math.sqrt(scatter / (batches - 1)) / total

    def error(self, batches: int, tallies: Sequence[SiteTally]) -> float:
        """Relative standard error that is compared with the target: of the observable, or of 95% of a table's bins.

        Parameters
        ----------
        batches : int
            Number of batches in the sums.
        tallies : sequence of SiteTally
            Sums of the same batches, by site.

        Returns
        -------
        float
            Infinite for fewer than two batches, and where it is that of an empty bin.
        """
        if self.part is None:
            return self.relative_error(batches)
        return table_error(tallies[self.site], batches, self.part)

    def _squares(self) -> int:
        return (int(self.sums[1]) << LIMB_BITS) + int(self.sums[2])

    def _set_squares(self, squares: int) -> None:
        self.sums[1], self.sums[2] = squares >> LIMB_BITS, squares & ((1 << LIMB_BITS) - 1)


def table_error(tally: SiteTally, batches: int, part: AllocationTable) -> float:
    """Relative standard error that 95% of the azimuth-averaged bins of a table do not exceed.

    Parameters
    ----------
    tally : SiteTally
    batches : int
        Number of batches in its sums.
    part : AllocationTable
        Part of the table: flavours, and the ranges in which the centres of the bins lie.

    Returns
    -------
    float
        Infinite for fewer than two batches, and where it is that of an empty bin.
    """
    if batches < 2:
        return math.inf
    binning = BINNINGS["honda_aa"]
    scale = 2.0 ** tally.exponents.astype(np.float64)
    fine = tally.total.sum(axis=-1) / scale[None, :, None]
    shape = (N_FLAVOURS, binning.n_energy, binning.energy_group, binning.n_cos, binning.cos_group)
    total = fine.reshape(shape).sum(axis=(2, 4))
    high, low = tally.squares["honda_aa"]
    coarse = 2.0 ** (2.0 * tally.coarse_exponents("honda_aa"))
    squares = ((high.astype(np.float64) * LIMB + low)[..., 0]) / coarse[None, :, None]
    with np.errstate(invalid="ignore", divide="ignore"):
        error = np.sqrt(np.maximum(batches * squares - total**2, 0.0) / (batches - 1)) / total
    cosines = 0.5 * (binning.cos_edges[1:] + binning.cos_edges[:-1])
    energies = binning.energies_GeV
    chosen = error[[FLAVOURS.index(name) for name in part.flavours]]
    chosen = chosen[:, (energies >= part.energy_GeV[0]) & (energies <= part.energy_GeV[1])]
    chosen = chosen[..., (cosines >= part.cos_zenith[0]) & (cosines <= part.cos_zenith[1])]
    if not chosen.size:
        return math.inf
    return float(np.quantile(np.where(np.isfinite(chosen), chosen, np.inf), TABLE_SHARE, method="higher"))


def describe_observable(config: Config) -> str:
    """Name the observable, its site and energy range in words.

    Parameters
    ----------
    config : Config

    Returns
    -------
    str
    """
    run = config.run
    if run.target_observable == "table":
        part, site = config.allocation, run.target_site or config.sites[0].name
        return (
            f"{TABLE_SHARE:.0%} of the bins of {', '.join(part.flavours)} at {site}, "
            f"{part.energy_GeV[0]:.3g}-{part.energy_GeV[1]:.5g} GeV, cos zenith {part.cos_zenith[0]:g} to "
            f"{part.cos_zenith[1]:g}"
        )
    what = "flux of all flavours" if run.target_observable == "flux" else f"{run.target_observable} flux"
    low, high = run.target_energy_GeV
    return f"{what} at {run.target_site or config.sites[0].name}, {low:g}-{high:g} GeV"
