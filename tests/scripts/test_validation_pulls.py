"""Comparison of two runs bin by bin, with toys: hits at random, with weights that scatter by a factor of e."""

import importlib.util
import sys
from pathlib import Path

import numpy as np
import pytest

FOLDER = Path(__file__).resolve().parents[2] / "scripts" / "validation"
spec = importlib.util.spec_from_file_location("validation_pulls", FOLDER / "validation_pulls.py")
pulls = importlib.util.module_from_spec(spec)
sys.modules["validation_pulls"] = pulls
spec.loader.exec_module(pulls)

NAME = "flavour, energy below 94 GeV (6), azimuth (12)"
GROUPS, TOYS = 24, 8
FLUX = np.broadcast_to(10.0 ** (-0.8 * np.arange(6))[:, None], (4, 6, 12))
"""Falls with energy as fluxes do."""


def toy(seed, hits, factor=1.0):
    """Return group means (group, flavour, energy, azimuth) of a run with so many hits in a bin."""
    random = np.random.default_rng(seed)
    counts = random.poisson(hits / GROUPS, (GROUPS, *FLUX.shape))
    weights = random.lognormal(-0.5, 1.0, counts.sum())  # of mean 1
    sums = np.add.reduceat(np.append(weights, 0.0), np.append(0, np.cumsum(counts)[:-1])) * (counts.ravel() > 0)
    return sums.reshape(counts.shape) * FLUX * factor / (hits / GROUPS)


def chi2_per_bin(hits, factor=1.0):
    """Return chi2 per bin of toys with few hits against well known ones, and what sample errors give."""
    found, sample = [], []
    for seed in range(TOYS):
        both = toy(seed, 1000.0), toy(100 + seed, hits, factor)
        found.append(np.mean(pulls.pulls_of(NAME, both).pull ** 2))
        (a, ea), (b, eb) = ((x.mean(axis=0), x.std(axis=0, ddof=1) / GROUPS**0.5) for x in both)
        sample.append(np.mean((a - b) ** 2 / (ea**2 + eb**2)))
    return np.mean(found), np.mean(sample)


def test_few_hits_do_not_raise_chi2():
    """Equal fluxes, 40 hits in a bin, worth 15: chi2 is 1, while sample errors give much more."""
    chi2, sample = chi2_per_bin(40.0)
    # 8 x 288 independent bins: 0.03 for normal pulls, 0.05 with the fourth moment of few hits
    assert chi2 == pytest.approx(1.0, abs=0.15)
    assert sample > 1.3


@pytest.mark.parametrize(
    ("factor", "rise"),
    [
        (1.1, 0.14),  # every bin 10% high: (0.1 / 0.26)^2 = 0.15
        (np.where(np.arange(12) == 7, 2.0, 1.0), 0.7),  # one azimuth of twelve doubled: (1 / 0.35)^2 / 12 = 0.7
    ],
)
def test_difference_is_found(factor, rise):
    """Different fluxes raise chi2 by the mean square of the shift over its error."""
    equal, _ = chi2_per_bin(40.0)
    different, _ = chi2_per_bin(40.0, factor)
    assert different - equal > 0.7 * rise


def test_many_hits_have_sample_errors():
    """With 1000 hits the errors are those of the groups."""
    both = toy(1, 1000.0), toy(2, 1000.0)
    found = pulls.pulls_of(NAME, both)
    assert found.few == 0.0
    assert np.allclose(found.errors[1], both[1].std(axis=0, ddof=1).ravel() / GROUPS**0.5)


def test_no_verdict_without_hits():
    """A bin without hits has no error."""
    both = toy(1, 1000.0), toy(2, 1000.0)
    both[1][:, 0, 0, 0] = 0.0
    assert pulls.pulls_of(NAME, both) is None
