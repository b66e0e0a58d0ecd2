"""A generator's yields between its nodes and above the measurements."""

import numpy as np
import pytest

from hadronic.builders.base_yields import BaseYields, mass_of, row_sum
from hadronic.fluka.fluka_z import LG_T_NODES
from hadronic.models import GENERATOR_TABLES, load_model
from hadronic.species import PIP, P
from hadronic.tables.yield_file import read_yield_file
from hadronic.tables.yield_rows import ROWS


@pytest.fixture(scope="module")
def content():
    from importlib import resources

    assert "urqmd-sibyll" in GENERATOR_TABLES
    with resources.as_file(resources.files("hadronic").joinpath("tables", "urqmd-sibyll.h5")) as path:
        return read_yield_file(path)


def base(content, scale=np.inf, gap=(30.0, 150.0), projectile="p"):
    return BaseYields(projectile, content.projectiles[projectile], content.x_edges, gap, scale)


def test_nodes_are_the_file_s_and_the_gap_is_interpolated(content):
    one = base(content)
    at = content.projectiles["p"].T_GeV.tolist().index(10.0)
    expected = content.projectiles["p"].counts[at] / content.projectiles["p"].events[at][:, None]
    np.testing.assert_allclose(one.yields(10.0), expected)
    middle = one.yields(np.sqrt(30.0 * 150.0))
    np.testing.assert_allclose(middle, 0.5 * (one.yields(30.0) + one.yields(150.0)), rtol=1e-9)


def test_scaling_keeps_the_yields_at_high_x_and_one_leading_particle(content):
    one = base(content, 157.0)
    high, low = one.yields(1e5), one.yields(157.0)
    x = one.centres()
    for name in ("pi+", "K-", "pi0"):
        np.testing.assert_allclose(row_sum(high, name)[x > 0.021], row_sum(low, name)[x > 0.021], rtol=1e-9)
    own = one.own_yields(1e5)
    assert row_sum(high, "pi+")[x < 0.004].sum() == pytest.approx(row_sum(own, "pi+")[x < 0.004].sum())
    lead = [i for i, row in enumerate(ROWS) if row.endswith("leading")]
    assert high[lead].sum() <= max(own[lead].sum(), low[lead].sum()) * (1.0 + 1e-9)


def test_numbers_in_ranges_of_total_x_are_the_model_s(content):
    """A table between nodes mixes quantiles, the base numbers: 2 %."""
    one = base(content, gap=(60.0, 80.0))
    number, error = one.number_between("pi+", 10.0, np.array([0.05, 0.2]), np.array([0.2, 1.0]))
    model = load_model("urqmd-sibyll")
    from hadronic.observables.yields import density_in_x

    expected = density_in_x(model, P, PIP, 10.0, [0.05, 0.2, 1.0]) * np.array([0.15, 0.8])
    np.testing.assert_allclose(number, expected, rtol=0.02)
    assert np.all(error < 0.02)
    assert LG_T_NODES.size > 100
    assert mass_of("K0") == pytest.approx(0.4976, abs=1e-3)
