"""Exact sums of batch values: flux, squares and groups of batches, independent of the order in which batches arrive.

One worker sums a batch in double precision, in index order. Its result is converted to integers (fixed point, with one
power-of-two scale per energy bin), and only integers are added. Integer addition is exactly associative, so the total
is bitwise the same for any number of threads and ranks and any order of merging.

Three kinds of sums are kept per site. The plain sum gives the flux. Sums of squared batch values are kept for each
binning of :mod:`sim3d.conventions.binning`: neutrinos of one shower are correlated, so errors come from batches, and
merged bins need their own squares. Plain sums over N_GROUPS groups of batches, in two reduced binnings, give the
jackknife error of any derived quantity.
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
    """Binary exponents k of the fixed-point scale: integer = round(value * 2^k).

    The value of a bin is its integral flux (m^-2 s^-1). The scale follows a reference flux of 1.5e4 E^-2.7
    m^-2 s^-1 sr^-1 GeV^-1 (the proton fit without its low-energy turnover, above any neutrino flux). One unit of it is
    2^30, and 2^28 such units still fit in a batch.

    Parameters
    ----------
    n_azimuth : int
    share : float
        Fraction of the Earth's surface that a patch covers, times the primaries of a batch. A single crossing counts
        for 1/share of the flux; where that is large the scale is coarser by the same factor, beyond 2^10.

    Returns
    -------
    int64 array (N_ENERGY,)
    """
    energies = np.sqrt(ENERGY_EDGES_GEV[1:] * ENERGY_EDGES_GEV[:-1])
    unit = 1.5e4 * energies**-2.7 * np.diff(ENERGY_EDGES_GEV) * COS_WIDTH * 2.0 * math.pi / n_azimuth
    coarser = max(0, math.ceil(-math.log2(share)) - 10)
    return (_RESOLUTION_BITS - coarser - np.round(np.log2(unit))).astype(np.int64)


@njit(nogil=True, cache=CACHE)
def rebin(values, energy_start, energy_group, n_energy, cos_group, keep_azimuth):
    """Sum fine bins into a coarser binning, always in index order.

    Parameters
    ----------
    values : float64 array (4, N_ENERGY, N_COS, azimuth)
    energy_start, energy_group : int
        First fine energy bin, and fine energy bins per coarse one.
    n_energy : int
        Number of coarse energy bins.
    cos_group : int
        Fine zenith bins per coarse one.
    keep_azimuth : bool
        Whether azimuth bins are kept, or summed.

    Returns
    -------
    float64 array (4, n_energy, N_COS / cos_group, azimuth or 1)
    """
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
    """Add values (4, energy, cos, azimuth), converted to integers, to the integer sum of the same shape."""
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
    """Add the squares of values (4, energy, cos, azimuth), converted to integers, to a two-limb sum."""
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
    """Add a batch to the two reduced sums of its group.

    east_west (4, N_ENERGY, N_COS, 2): azimuth halves, 0 = arriving from the east (0-180 degrees), 1 = west.
    bands (4, N_ENERGY, 4, azimuth): four zenith bands of equal width in cos_zenith.
    An azimuth bin that contains 180 degrees (odd numbers of bins) is split in two halves.
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
    """Carry the overflow of the low limb of a two-limb sum into the high limb, in place.

    Parameters
    ----------
    high, low : int64 arrays of one shape
    """
    high += low >> LIMB_BITS
    low &= _MASK


class SiteTally:
    """Exact sums over the batches at one site.

    Parameters
    ----------
    n_azimuth : int
    share : float
        See :func:`scale_exponents`.
    extras : dict of ExactSums, optional
        Sums of further quantities, by name.

    Attributes
    ----------
    total : int64 array (4, N_ENERGY, N_COS, n_azimuth)
        Sum over batches of the integral flux in each bin, in units of 2^-k m^-2 s^-1.
    hits : int64 array, same shape
        Number of crossings.
    weights : int64 array (4, N_DECADES, N_WEIGHTS)
        Histogram of the weights of the primaries (:mod:`sim3d.scoring.hit_weights`).
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
        """Scale exponents of a binning: those of the first fine energy bin in each of its bins.

        Parameters
        ----------
        name : str
            Name in :data:`sim3d.conventions.binning.BINNINGS`.

        Returns
        -------
        int64 array (n_energy,)
        """
        binning = BINNINGS[name]
        stop = binning.energy_start + binning.n_energy * binning.energy_group
        return self.exponents[binning.energy_start : stop : binning.energy_group]

    def add_batch(self, scores: np.ndarray, hits: np.ndarray, weights: np.ndarray, batch: int) -> None:
        """Add one batch to the sums.

        Parameters
        ----------
        scores : float64 array (4, N_ENERGY, N_COS, n_azimuth)
            Integral flux of the batch in each bin (m^-2 s^-1).
        hits : int64 array, same shape
            Number of crossings.
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
        """Rebin the scores of a batch to all binnings and check that they fit; no sum is changed.

        A batch may be added only after all of its values, at every site, are known to fit. So a failed batch leaves
        the sums unchanged. This is also the larger part of the work, and it needs no lock.

        Parameters
        ----------
        scores : float64 array (4, N_ENERGY, N_COS, n_azimuth)
            Integral flux of the batch in each bin (m^-2 s^-1).
        batch : int
            Number of the batch, for the message.

        Returns
        -------
        dict of float64 arrays
            Rebinned scores by the name of the binning.

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
        """Add one batch that :meth:`prepare` has rebinned and checked; cannot fail.

        Parameters
        ----------
        scores, hits, weights, batch
            As for :meth:`add_batch`.
        coarse : dict of float64 arrays
            From :meth:`prepare`.
        """
        _add_plain(scores, self.exponents, self.total)
        self.hits += hits
        self.weights += weights
        for name, values in coarse.items():
            _add_squares(values, self.coarse_exponents(name), *self.squares[name])
        group = batch % N_GROUPS
        _add_groups(scores, self.exponents, self.east_west[group], self.bands[group])

    def arrays(self) -> dict[str, np.ndarray]:
        """List all integer arrays by the name of their dataset.

        Every array listed here is stored, read, added over ranks, cleared after that, and merged, without further code.
        A pair ``NAME/high`` and ``NAME/low`` is a sum in two limbs (see LIMB_BITS).

        Returns
        -------
        dict of int64 arrays
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
        """Add the sums of other batches of the same run.

        Parameters
        ----------
        other : SiteTally
        """
        theirs = other.arrays()
        for name, array in self.arrays().items():
            array += theirs[name]
        self.normalise()

    def clear(self) -> None:
        """Set all sums to zero."""
        for array in self.arrays().values():
            array[...] = 0

    def normalise(self) -> None:
        """Carry the overflow of the low limbs, after two sums were added elementwise."""
        mine = self.arrays()
        for name, low in mine.items():
            if name.endswith("/low"):
                carry_limbs(mine[name.removesuffix("low") + "high"], low)

    def square_sum(self, name: str) -> np.ndarray:
        """Sum of squared batch values of a binning, as floats (m^-4 s^-2).

        Parameters
        ----------
        name : str
            Name in :data:`sim3d.conventions.binning.BINNINGS`.

        Returns
        -------
        float64 array (4, energy, cos_zenith, azimuth)
        """
        high, low = self.squares[name]
        scale = 2.0 ** (-2.0 * self.coarse_exponents(name))
        return (high.astype(float) * _LIMB + low.astype(float)) * scale[None, :, None, None]

    def plain_sum(self) -> np.ndarray:
        """Sum of batch values in the fine bins, as floats (m^-2 s^-1).

        Returns
        -------
        float64 array (4, N_ENERGY, N_COS, n_azimuth)
        """
        return self.total.astype(float) * (2.0 ** (-self.exponents.astype(float)))[None, :, None, None]

    def group_sums(self) -> tuple[np.ndarray, np.ndarray]:
        """Convert the group sums in the two reduced binnings to floats (m^-2 s^-1).

        Returns
        -------
        east_west, bands : float64 arrays
            Shapes as in the attributes.
        """
        scale = 2.0 ** (-self.exponents.astype(float))
        return (
            self.east_west.astype(float) * scale[None, None, :, None, None],
            self.bands.astype(float) * scale[None, None, :, None, None],
        )
