"""Counter-based random-number streams, one for each particle of a shower.

Every draw of a run is a function of (run seed, primary index, position in the shower's tree, counter). The state of a
stream is a 64-bit key, and the n-th draw is ``mix64(key + n * GOLDEN)`` (SplitMix64: Steele, Lea and Flood, "Fast
splittable pseudorandom number generators", OOPSLA 2014, with the finaliser of Stafford's variant 13). The key of a
daughter is a hash of its parent's key and its number among the daughters. No draw depends on rank, thread or time, so
results are reproducible for any number of processes.
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit

from sim3d.jit_options import UNCOUNTED

GOLDEN = np.uint64(0x9E3779B97F4A7C15)
_M1 = np.uint64(0xBF58476D1CE4E5B9)
_M2 = np.uint64(0x94D049BB133111EB)
_S30 = np.uint64(30)
_S27 = np.uint64(27)
_S31 = np.uint64(31)
_S12 = np.uint64(12)
# constant of the hash of keys: any odd number unrelated to GOLDEN serves; this one is 2^64 / sqrt(2), rounded to odd
_BRANCH = np.uint64(0xB504F333F9DE6485)
_INV52 = 1.0 / 4503599627370496.0


# Branches: the child number of the stream from which each process of a particle or of a primary draws. A number must
# not change (every result would change) nor be used twice (the processes would be correlated).
BRANCH_INTERACTION = 1
BRANCH_DECAY = 2
BRANCH_SCATTERING = 3
BRANCH_NEXT_DECAY = 4
BRANCH_ROULETTE = 5
BRANCH_BREAKUP = 6
BRANCH_ALBEDO = 7
BRANCH_ROTATION = 9
BRANCH_SHOWER = 11
BRANCH_AIM = 12
BRANCH_OVERHEAD = 21
BRANCHES = {
    "interaction of a particle": BRANCH_INTERACTION,
    "decay of a particle": BRANCH_DECAY,
    "multiple scattering of a muon": BRANCH_SCATTERING,
    "what goes on after one of several decays": BRANCH_NEXT_DECAY,
    "roulette of a daughter of a decay": BRANCH_ROULETTE,
    "breakup of a nucleus": BRANCH_BREAKUP,
    "what goes on above the atmosphere": BRANCH_ALBEDO,
    "rotations and roulette of a primary (mode rotated)": BRANCH_ROTATION,
    "shower of a primary (mode targeted)": BRANCH_SHOWER,
    "rotations of a primary (mode targeted)": BRANCH_AIM,
    "muons of a primary": BRANCH_OVERHEAD,
}
"""Number of each branch, by the process that draws from it."""


FIRST_DRAW = 16
"""Draws of one decay after the first have the children FIRST_DRAW + 1, ... of its key; daughters have 1 to 4."""


@njit(**UNCOUNTED)
def mix64(z):
    """Compute SplitMix64's output function, a bijection of 64-bit integers.

    Parameters
    ----------
    z : uint64

    Returns
    -------
    uint64
    """
    z = (z ^ (z >> _S30)) * _M1
    z = (z ^ (z >> _S27)) * _M2
    return z ^ (z >> _S31)


@njit(**UNCOUNTED)
def next_uint64(state):
    """Draw 64 random bits from a stream.

    Parameters
    ----------
    state : uint64 array (1,)
        State of the stream; updated.

    Returns
    -------
    uint64
    """
    state[0] = state[0] + GOLDEN
    return mix64(state[0])


@njit(**UNCOUNTED)
def uniform(state):
    """Draw a uniform number from a stream, strictly between 0 and 1.

    Parameters
    ----------
    state : uint64 array (1,)
        State of the stream; updated.

    Returns
    -------
    float
    """
    return (float(next_uint64(state) >> _S12) + 0.5) * _INV52


@njit(**UNCOUNTED)
def child_key(key, index):
    """Compute the key of a daughter's stream.

    Parameters
    ----------
    key : uint64
        Key of the parent's stream.
    index : int
        Number of the daughter, 0 or more.

    Returns
    -------
    uint64
    """
    return mix64(mix64(key ^ _BRANCH) + np.uint64(index) * _BRANCH)


@njit(**UNCOUNTED)
def primary_key(seed, index):
    """Compute the key of a primary's stream; primaries of one run have distinct keys.

    Parameters
    ----------
    seed : int
        Seed of the run.
    index : int
        Number of the primary, 0 or more.

    Returns
    -------
    uint64
    """
    return mix64(mix64(np.uint64(seed) + GOLDEN) + np.uint64(index) * GOLDEN)


@njit(**UNCOUNTED)
def poisson(mean, state):
    """Draw a Poisson-distributed number from a stream.

    The method is multiplication of uniforms (Knuth), in chunks of mean 16 so that exp() cannot underflow. A sum of
    independent Poisson numbers is Poisson-distributed, so the chunks are exact.

    Parameters
    ----------
    mean : float
        0 or more.
    state : uint64 array (1,)
        State of the stream; updated.

    Returns
    -------
    int
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
