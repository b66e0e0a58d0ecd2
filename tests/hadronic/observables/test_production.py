"""Numbers by momentum and angle against the sampler, and in sum."""

import numpy as np
import pytest

from hadronic.interaction import kernels
from hadronic.models import load_model
from hadronic.observables.production import numbers_in_bins
from hadronic.observables.yields import number_between
from hadronic.species import PIP, P

EDGES = np.array([0.0, 0.03, 0.06, 0.1, 0.2, np.pi])
BINS = np.stack((EDGES[:-1], EDGES[1:]), axis=1)


@pytest.mark.parametrize("name", ["fluka-z", "urqmd-sibyll"])
def test_all_angles_together_are_the_number(name):
    model = load_model(name)
    p = np.tile([2.0, 3.0], (len(BINS), 1))
    total = numbers_in_bins(model, P, PIP, 12.0, p, BINS).sum()
    assert total == pytest.approx(number_between(model, P, PIP, 12.0, (2.0, 3.0)), rel=1e-3)


@pytest.mark.parametrize("name", ["fluka-z", "urqmd-sibyll"])
def test_shares_of_angles_are_those_drawn(name):
    """10000 angles of a momentum of 2.5 GeV/c at a node of the table."""
    model, rng = load_model(name), np.random.default_rng(1)
    tables, node, T = model.tables, 33, 12.0
    T = float(np.exp(tables.ln_T[node]))
    slot = next(s for s in range(*tables.slot_offset[P : P + 2]) if tables.slot_species[s] == PIP)
    x = (np.hypot(2.5, 0.13957) - 0.13957) / T
    sines = np.array([kernels.yield_angle(tables, slot, node, x, 2.5, u)[1] for u in rng.random(10_000)])
    p = np.tile([2.499, 2.501], (len(BINS), 1))
    shares = numbers_in_bins(model, P, PIP, T, p, BINS)
    drawn = np.histogram(np.arcsin(np.minimum(sines, 1.0)), EDGES)[0] / sines.size
    np.testing.assert_allclose(shares / shares.sum(), drawn, atol=0.02)
