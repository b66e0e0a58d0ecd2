"""Exact sums over batches of an array of any shape: fixed point, plain and squared, like those of the flux.

For statistics beside the flux that a configuration asks for. A batch's values are turned into integers on a scale
that is a power of two per element, and only integers are added (see :mod:`sim3d.scoring.tally`): totals are bitwise
the same for any order, threads, ranks and merges.
"""

from __future__ import annotations

import numpy as np

N_GROUPS = 24
LIMB_BITS = 62
"""A squared sum is hi * 2^62 + lo with 0 <= lo < 2^62."""
LIMB = 2.0**LIMB_BITS
_LARGEST_VALUE = 2.0**58


class TallyOverflowError(RuntimeError):
    """A batch value that is not finite or does not fit the fixed-point scale."""


class ExactSums:
    """Sums of one array over batches.

    Parameters
    ----------
    exponents : int array
        Binary exponent k of the scale of every element: integer = round(value * 2^k). Its shape is that of the sums.
    squares : bool
        Keep the squares of batch values, for errors.
    groups : bool
        Keep the sums of N_GROUPS groups of batches, for the error of anything made of the values.

    Attributes
    ----------
    total : int64 array
        In units of 2^-k.
    """

    def __init__(self, exponents: np.ndarray, *, squares: bool = True, groups: bool = False) -> None:
        self.exponents = np.asarray(exponents, dtype=np.int64)
        self.total = np.zeros(self.exponents.shape, dtype=np.int64)
        self.high = np.zeros(self.exponents.shape if squares else 0, dtype=np.int64)
        self.low = np.zeros_like(self.high)
        self.groups = np.zeros((N_GROUPS, *self.exponents.shape) if groups else 0, dtype=np.int64)

    def check(self, values: np.ndarray, name: str, batch: int) -> None:
        """Whether the values of a batch fit; changes nothing.

        Raises
        ------
        TallyOverflowError
        """
        if not np.all(np.abs(values) < np.ldexp(_LARGEST_VALUE, -self.exponents)):
            raise TallyOverflowError(
                f"batch {batch}: a value of {name} is not finite or too large for the sums (use larger batches)"
            )

    def add(self, values: np.ndarray, batch: int) -> None:
        """Add the values of a batch, which fit; cannot fail."""
        places = np.nonzero(values)
        scaled = np.ldexp(values[places], self.exponents[places])
        integers = np.rint(scaled).astype(np.int64)
        self.total[places] += integers
        if self.groups.size:
            self.groups[batch % N_GROUPS][places] += integers
        if self.high.size:
            square = scaled * scaled
            upper = np.floor(square / LIMB)
            lower = self.low[places] + np.rint(square - upper * LIMB).astype(np.int64)
            self.high[places] += upper.astype(np.int64) + (lower >> LIMB_BITS)
            self.low[places] = lower & np.int64(2**LIMB_BITS - 1)

    def arrays(self) -> dict[str, np.ndarray]:
        """The integer arrays by name; limbs as in :meth:`sim3d.scoring.tally.SiteTally.arrays`."""
        out = {"total": self.total}
        if self.high.size:
            out |= {"squares/high": self.high, "squares/low": self.low}
        if self.groups.size:
            out["groups"] = self.groups
        return out

    def plain_sum(self) -> np.ndarray:
        """Sum of the batch values."""
        return np.ldexp(self.total.astype(float), -self.exponents)

    def square_sum(self) -> np.ndarray:
        """Sum of the squared batch values."""
        return np.ldexp(self.high.astype(float) * LIMB + self.low.astype(float), -2 * self.exponents)

    def group_sums(self) -> np.ndarray:
        """Sums of the groups of batches, shape (N_GROUPS, ...)."""
        return np.ldexp(self.groups.astype(float), -self.exponents)

    def mean_and_error(self, n_batches: int) -> tuple[np.ndarray, np.ndarray]:
        """Mean of the batch values and its statistical error."""
        n = max(n_batches, 1)
        total = self.plain_sum()
        variance = np.maximum(0.0, self.square_sum() - total**2 / n) / (n * max(n - 1, 1))
        return total / n, np.sqrt(variance)
