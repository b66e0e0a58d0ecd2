"""Counter-based random streams.

Every draw of a run is a function of (run seed, primary index, path in the shower tree, counter): the state of a
stream is a 64-bit key, the n-th draw of the stream is ``mix64(key + n * GOLDEN)`` (SplitMix64: Steele, Lea and
Flood, "Fast splittable pseudorandom number generators", OOPSLA 2014, with the finaliser of Stafford's variant 13),
and the key of a daughter is a hash of its parent's key and its place among the daughters. Nothing depends on rank,
thread or time.
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit

GOLDEN = np.uint64(0x9E3779B97F4A7C15)
_M1 = np.uint64(0xBF58476D1CE4E5B9)
_M2 = np.uint64(0x94D049BB133111EB)
_S30 = np.uint64(30)
_S27 = np.uint64(27)
_S31 = np.uint64(31)
_S12 = np.uint64(12)
# a second odd constant (MIX13's multiplier rotated is not needed: any odd number with no relation to GOLDEN will do;
# this one is 2^64 / sqrt(2), rounded to odd)
_BRANCH = np.uint64(0xB504F333F9DE6485)
_INV52 = 1.0 / 4503599627370496.0


# Branches: the child number under which each process draws from the stream of a particle or of a primary. A number may
# not change (it would change every result) nor be used twice.
BRANCH_INTERACTION = 1
BRANCH_DECAY = 2
BRANCH_SCATTERING = 3
BRANCH_NEXT_DECAY = 4
BRANCH_ROTATION = 9
BRANCH_TAPE = 11
BRANCH_AIM = 12
BRANCH_OVERHEAD = 21
BRANCHES = {
    "interaction of a particle": BRANCH_INTERACTION,
    "decay of a particle": BRANCH_DECAY,
    "multiple scattering of a muon": BRANCH_SCATTERING,
    "what goes on after one of several decays": BRANCH_NEXT_DECAY,
    "rotations and roulette of a primary (mode rotated)": BRANCH_ROTATION,
    "shower of a primary (mode targeted)": BRANCH_TAPE,
    "rotations of a primary (mode targeted)": BRANCH_AIM,
    "muons of a primary": BRANCH_OVERHEAD,
}
"""Every branch by what is drawn from it."""


@njit(nogil=True)
def mix64(z):
    """SplitMix64's output function: a bijection of 64-bit integers (uint64 to uint64)."""
    z = (z ^ (z >> _S30)) * _M1
    z = (z ^ (z >> _S27)) * _M2
    return z ^ (z >> _S31)


@njit(nogil=True)
def next_uint64(state):
    """Advance the stream in ``state`` (uint64 array of shape (1,)) and return 64 random bits."""
    state[0] = state[0] + GOLDEN
    return mix64(state[0])


@njit(nogil=True)
def uniform(state):
    """A double strictly inside (0, 1) from the stream in ``state`` (uint64 array of shape (1,))."""
    return (float(next_uint64(state) >> _S12) + 0.5) * _INV52


@njit(nogil=True)
def child_key(key, index):
    """Key (uint64) of daughter number ``index`` (integer >= 0) of the stream ``key`` (uint64)."""
    return mix64(mix64(key ^ _BRANCH) + np.uint64(index) * _BRANCH)


@njit(nogil=True)
def primary_key(seed, index):
    """Key (uint64) of primary number ``index`` of a run with ``seed``: distinct for distinct indices."""
    return mix64(mix64(np.uint64(seed) + GOLDEN) + np.uint64(index) * GOLDEN)


@njit(nogil=True)
def poisson(mean, state):
    """A Poisson number of the given mean (>= 0) from the stream in ``state``.

    Multiplication of uniforms (Knuth), in chunks of mean 16 so that exp() never underflows and the cost stays
    linear; a sum of independent Poisson numbers is Poisson, so the chunking is exact.
    """
    n = 0
    left = mean
    while left > 0.0:
        chunk = left if left < 16.0 else 16.0
        left -= chunk
        limit = math.exp(-chunk)
        product = uniform(state)
        while product > limit:
            n += 1
            product *= uniform(state)
    return n
