"""Sums over batches that do not depend on the order in which batches arrive.

A batch is summed in doubles by one worker in index order. Its result is then turned into integers (fixed point, with a
scale that is a power of two fixed per energy bin) and only integers are added: that is exactly associative, so the
total is bitwise the same for any number of threads and ranks and any order of merging.

Kept per site, beside the plain sum: sums of squared batch values for each binning of :mod:`sim3d.conventions.binning`
(neutrinos of one shower are correlated, so errors come from batches, and bins that are merged need their own
squares), and plain sums over N_GROUPS groups of batches in two reduced binnings, from which the error of any derived
quantity follows by jackknife.
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit

from sim3d.conventions.binning import BINNINGS, COS_WIDTH, ENERGY_EDGES_GEV, N_COS, N_ENERGY, N_FLAVOURS
from sim3d.jit_cache import CACHE
from sim3d.scoring.exact_sums import LIMB, LIMB_BITS, N_GROUPS, ExactSums, TallyOverflowError
from sim3d.scoring.hit_weights import empty_weights

N_BANDS = 4

_LIMB = LIMB
_MASK = np.int64(2**LIMB_BITS - 1)
_LARGEST_VALUE = 2.0**58
_RESOLUTION_BITS = 30


def scale_exponents(n_azimuth: int, share: float = 1.0) -> np.ndarray:
    """Binary exponents k of the fixed-point scale, int64 (N_ENERGY,): integer = round(value * 2^k).

    The value of a bin is its integral flux (m^-2 s^-1). The scale follows a reference flux of 1.5e4 E^-2.7
    m^-2 s^-1 sr^-1 GeV^-1 (the proton fit without its low-energy turnover, above any neutrino flux) so that one
    unit of it is 2^30, and 2^28 such units still fit in a batch.

    Parameters
    ----------
    n_azimuth : int
    share : float
        Share of the Earth's surface that a patch has, times the primaries of a batch. A single crossing counts for
        1/share of the flux; where that is large the scale is coarser by the same factor, beyond 2^10.
    """
    energies = np.sqrt(ENERGY_EDGES_GEV[1:] * ENERGY_EDGES_GEV[:-1])
    unit = 1.5e4 * energies**-2.7 * np.diff(ENERGY_EDGES_GEV) * COS_WIDTH * 2.0 * math.pi / n_azimuth
    coarser = max(0, math.ceil(-math.log2(share)) - 10)
    return (_RESOLUTION_BITS - coarser - np.round(np.log2(unit))).astype(np.int64)


@njit(nogil=True, cache=CACHE)
def rebin(values, energy_start, energy_group, n_energy, cos_group, keep_azimuth):
    """Sum fine bins (4, N_ENERGY, N_COS, azimuth) into a coarser binning, always in index order."""
    n_azimuth = values.shape[3]
    out = np.zeros((values.shape[0], n_energy, values.shape[2] // cos_group, n_azimuth if keep_azimuth else 1))
    for f in range(values.shape[0]):
        for e in range(n_energy * energy_group):
            for c in range(values.shape[2]):
                for a in range(n_azimuth):
                    v = values[f, energy_start + e, c, a]
                    if v != 0.0:
                        out[f, e // energy_group, c // cos_group, a if keep_azimuth else 0] += v
    return out


@njit(nogil=True, cache=CACHE)
def _fits(values, exponents):
    """Whether all values (4, energy, cos, azimuth) are finite and fit the fixed-point scale."""
    for f in range(values.shape[0]):
        for e in range(values.shape[1]):
            limit = _LARGEST_VALUE * 2.0 ** -exponents[e]
            for c in range(values.shape[2]):
                for a in range(values.shape[3]):
                    if not abs(values[f, e, c, a]) < limit:
                        return False
    return True


@njit(nogil=True, cache=CACHE)
def _add_plain(values, exponents, total):
    """Add values (4, energy, cos, azimuth) to the integer sum of the same shape."""
    for f in range(values.shape[0]):
        for e in range(values.shape[1]):
            scale = 2.0 ** exponents[e]
            for c in range(values.shape[2]):
                for a in range(values.shape[3]):
                    v = values[f, e, c, a]
                    if v != 0.0:
                        total[f, e, c, a] += np.int64(round(v * scale))


@njit(nogil=True, cache=CACHE)
def _add_squares(values, exponents, high, low):
    """Add the squares of values (4, energy, cos, azimuth), as integers, to a two-limb sum."""
    for f in range(values.shape[0]):
        for e in range(values.shape[1]):
            scale = 2.0 ** exponents[e]
            for c in range(values.shape[2]):
                for a in range(values.shape[3]):
                    v = values[f, e, c, a]
                    if v != 0.0:
                        square = (v * scale) ** 2
                        upper = math.floor(square / _LIMB)
                        lower = low[f, e, c, a] + np.int64(round(square - upper * _LIMB))
                        high[f, e, c, a] += np.int64(upper) + (lower >> LIMB_BITS)
                        low[f, e, c, a] = lower & _MASK


@njit(nogil=True, cache=CACHE)
def _add_groups(values, exponents, east_west, bands):
    """Add a batch to its group's reduced sums.

    east_west (4, N_ENERGY, N_COS, 2): azimuth halves, 0 = arriving from the east (0-180 degrees), 1 = west.
    bands (4, N_ENERGY, 4, azimuth): zenith bands of a quarter of the sphere's cosines each.
    An azimuth bin that straddles 180 degrees (odd numbers of bins) is shared half and half.
    """
    n_azimuth = values.shape[3]
    per_band = values.shape[2] // 4
    for f in range(values.shape[0]):
        for e in range(values.shape[1]):
            scale = 2.0 ** exponents[e]
            for c in range(values.shape[2]):
                for a in range(n_azimuth):
                    v = values[f, e, c, a]
                    if v == 0.0:
                        continue
                    q = np.int64(round(v * scale))
                    bands[f, e, c // per_band, a] += q
                    if 2 * (a + 1) <= n_azimuth:
                        east_west[f, e, c, 0] += q
                    elif 2 * a >= n_azimuth:
                        east_west[f, e, c, 1] += q
                    else:
                        half = q // 2
                        east_west[f, e, c, 0] += half
                        east_west[f, e, c, 1] += q - half


def carry_limbs(high: np.ndarray, low: np.ndarray) -> None:
    """Carry what exceeds the low limb of a two-limb sum, in place."""
    high += low >> LIMB_BITS
    low &= _MASK


class SiteTally:
    """Exact sums of one site.

    Parameters
    ----------
    n_azimuth : int
    share : float
        See :func:`scale_exponents`.
    extras : dict of ExactSums, optional
        Statistics beside the flux, by name.

    Attributes
    ----------
    total : int64 array (4, N_ENERGY, N_COS, n_azimuth)
        Sum over batches of the integral flux in each bin, in units of 2^-k m^-2 s^-1.
    hits : int64 array, same shape
        Crossings.
    weights : int64 array (4, N_DECADES, N_WEIGHTS)
        Histogram of the weights of the crossings (:mod:`sim3d.scoring.hit_weights`).
    squares : dict of (int64, int64) arrays
        Two-limb sums of squared batch values per binning, units 2^-2k.
    east_west, bands : int64 arrays (N_GROUPS, 4, N_ENERGY, N_COS, 2), (N_GROUPS, 4, N_ENERGY, 4, n_azimuth)
        Sums over the batches of each group.
    """

    def __init__(self, n_azimuth: int, share: float = 1.0, extras: dict[str, ExactSums] | None = None) -> None:
        self.n_azimuth = n_azimuth
        self.extras = extras or {}
        self.exponents = scale_exponents(n_azimuth, share)
        fine = (N_FLAVOURS, N_ENERGY, N_COS, n_azimuth)
        self.total = np.zeros(fine, dtype=np.int64)
        self.hits = np.zeros(fine, dtype=np.int64)
        self.weights = empty_weights()
        self.squares = {
            name: (
                np.zeros(binning.shape(n_azimuth), dtype=np.int64),
                np.zeros(binning.shape(n_azimuth), dtype=np.int64),
            )
            for name, binning in BINNINGS.items()
        }
        self.east_west = np.zeros((N_GROUPS, N_FLAVOURS, N_ENERGY, N_COS, 2), dtype=np.int64)
        self.bands = np.zeros((N_GROUPS, N_FLAVOURS, N_ENERGY, N_BANDS, n_azimuth), dtype=np.int64)

    def coarse_exponents(self, name: str) -> np.ndarray:
        """Scale exponents of a binning: those of the first fine energy bin of each of its bins."""
        binning = BINNINGS[name]
        stop = binning.energy_start + binning.n_energy * binning.energy_group
        return self.exponents[binning.energy_start : stop : binning.energy_group]

    def add_batch(self, scores: np.ndarray, hits: np.ndarray, weights: np.ndarray, batch: int) -> None:
        """Add one batch.

        Parameters
        ----------
        scores : float64 array (4, N_ENERGY, N_COS, n_azimuth)
            Integral flux of the batch in each bin (m^-2 s^-1).
        hits : int64 array, same shape
        weights : int64 array (4, N_DECADES, N_WEIGHTS)
            Histogram of the batch's weights.
        batch : int
            Number of the batch (its group is batch mod N_GROUPS).

        Raises
        ------
        TallyOverflowError
            If a value does not fit the scale or is not finite.
        """
        self.add_prepared(scores, hits, weights, batch, self.prepare(scores, batch))

    def prepare(self, scores: np.ndarray, batch: int) -> dict[str, np.ndarray]:
        """The scores of a batch in all binnings, checked; changes nothing (parameters as :meth:`add_batch`).

        Nothing of a batch may be added before all of it, at every site, is known to fit: a failed batch leaves no
        trace. It is also the larger part of the work, and needs no lock.

        Raises
        ------
        TallyOverflowError
            If a value does not fit the scale or is not finite.
        """
        coarse = {
            name: rebin(scores, b.energy_start, b.energy_group, b.n_energy, b.cos_group, b.azimuth)
            for name, b in BINNINGS.items()
        }
        if not all(_fits(values, self.coarse_exponents(name)) for name, values in coarse.items()):
            raise TallyOverflowError(
                f"batch {batch}: a score is not finite or too large for the sums (use larger batches)"
            )
        return coarse

    def add_prepared(
        self, scores: np.ndarray, hits: np.ndarray, weights: np.ndarray, batch: int, coarse: dict[str, np.ndarray]
    ) -> None:
        """Add one batch with what :meth:`prepare` made of it; cannot fail."""
        _add_plain(scores, self.exponents, self.total)
        self.hits += hits
        self.weights += weights
        for name, values in coarse.items():
            _add_squares(values, self.coarse_exponents(name), *self.squares[name])
        group = batch % N_GROUPS
        _add_groups(scores, self.exponents, self.east_west[group], self.bands[group])

    def arrays(self) -> dict[str, np.ndarray]:
        """All integer arrays by dataset name.

        What is here is stored, read, added over ranks, cleared after that, and merged, with nothing more to do; a pair
        ``NAME/high`` and ``NAME/low`` is a sum in two limbs (see LIMB_BITS).
        """
        out = {
            "total": self.total,
            "hits": self.hits,
            "weights": self.weights,
            "east_west": self.east_west,
            "bands": self.bands,
        }
        for name, (high, low) in self.squares.items():
            out[f"squares/{name}/high"] = high
            out[f"squares/{name}/low"] = low
        for name, sums in self.extras.items():
            out |= {f"{name}/{part}": array for part, array in sums.arrays().items()}
        return out

    def add(self, other: SiteTally) -> None:
        """Add the sums of other batches of the same run."""
        theirs = other.arrays()
        for name, array in self.arrays().items():
            array += theirs[name]
        self.normalise()

    def clear(self) -> None:
        """Forget all batches."""
        for array in self.arrays().values():
            array[...] = 0

    def normalise(self) -> None:
        """Carry the low limbs after two sums were added elementwise."""
        mine = self.arrays()
        for name, low in mine.items():
            if name.endswith("/low"):
                carry_limbs(mine[name.removesuffix("low") + "high"], low)

    def square_sum(self, name: str) -> np.ndarray:
        """Sum of squared batch values of a binning as floats (m^-4 s^-2)."""
        high, low = self.squares[name]
        scale = 2.0 ** (-2.0 * self.coarse_exponents(name))
        return (high.astype(float) * _LIMB + low.astype(float)) * scale[None, :, None, None]

    def plain_sum(self) -> np.ndarray:
        """Sum of batch values in fine bins as floats (m^-2 s^-1)."""
        return self.total.astype(float) * (2.0 ** (-self.exponents.astype(float)))[None, :, None, None]

    def group_sums(self) -> tuple[np.ndarray, np.ndarray]:
        """The two reduced group sums as floats (m^-2 s^-1)."""
        scale = 2.0 ** (-self.exponents.astype(float))
        return (
            self.east_west.astype(float) * scale[None, None, :, None, None],
            self.bands.astype(float) * scale[None, None, :, None, None],
        )
