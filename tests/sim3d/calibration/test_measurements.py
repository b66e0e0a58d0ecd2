"""Measurement files: what ships with sim3d, a user's own, what is refused."""

from __future__ import annotations

import numpy as np
import pytest

from sim3d.calibration.measurements import SHIPPED, load_measurement
from sim3d.errors import InputError

OWN = """
name = "mine"
title = "My muons"
citation = "none"
[conditions]
lat = 50.0
lon = 8.0
date = "2010-06-01"
month = 6
[[acceptance]]
cos_zenith = [0.9, 1.0]
[[observables]]
name = "flux"
quantity = "flux"
file = "mine.csv"
low = "lo"
high = "hi"
at = "p"
value = "plus + minus"
statistical = "dplus + dminus"
[[nuisances]]
name = "norm"
kind = "norm"
size = 0.02
source = "mine"
"""
ROWS = "# comment\nlo,hi,p,plus,dplus,minus,dminus\n10,20,14,2.0,0.3,1.0,0.4\n20,50,30,0.2,0.03,0.1,0.04\n"


def own(tmp_path, text=OWN, rows=ROWS):
    (tmp_path / "mine.csv").write_text(rows)
    path = tmp_path / "mine.toml"
    path.write_text(text)
    return path


def test_those_that_ship_are_read():
    found = {name: load_measurement(name) for name in SHIPPED}
    sizes = {name: [len(each.value) for each in one.points] for name, one in found.items()}
    assert sizes == {
        "bess-tev": [57, 57], "caprice94": [18, 18], "l3c": [14, 12], "cms": [9], "minos": [24], "opera": [5],
    }  # fmt: skip
    for one in found.values():
        assert one.table.citation
        for each in one.points:
            assert np.linalg.eigvalsh(each.covariance).min() > 0.0
    bess = found["bess-tev"].points[0]
    assert bess.value[0] == pytest.approx(20.6)
    assert np.sqrt(bess.covariance[0, 0]) == pytest.approx(np.hypot(0.1, 0.1))
    assert bess.cos_zenith[0] == (0.98, 1.0)
    assert bess.cos_zenith[-1] == (0.9, 1.0)
    l3c = found["l3c"].points[0]
    assert l3c.value[0] == pytest.approx(0.217e4 / 23.18**3)
    assert l3c.covariance[0, 1] == pytest.approx(-0.24 * np.sqrt(l3c.covariance[0, 0] * l3c.covariance[1, 1]))
    assert found["caprice94"].momentum_GeV[0] >= 0.6


def test_quoted_systematics_are_nuisances_that_reproduce_the_columns():
    """L3+C: norm, energy loss and curvature in quadrature are syst_pct, norm and alignment ratio_syst_pct."""
    l3c = load_measurement("l3c")
    sizes = {one.name: one.size for one in l3c.table.nuisances}
    p = l3c.points[0].at_GeV
    index = np.gradient(np.log(l3c.points[0].value), np.log(p))
    total = np.sqrt(
        sizes["norm"] ** 2 + (sizes["energy-loss"] * index / p) ** 2 + (sizes["curvature"] * (index + 2) * p) ** 2
    )
    published = 0.01 * np.array([4.4, 3.7, 3.3, 3.0, 2.8, 2.6, 2.5, 2.4, 2.3, 2.2, 2.2, 2.4, 3.5, 8.4])
    np.testing.assert_allclose(total, published, rtol=0.15)
    p = l3c.points[1].at_GeV
    index = index[: len(p)]
    of_ratio = np.hypot(sizes["ratio"], sizes["alignment"] * 2.0 * (index + 2.0) * p)
    published = 0.01 * np.array([1.5, 1.5, 1.5, 1.5, 1.5, 1.5, 1.5, 1.5, 1.6, 2.1, 3.7, 7.2])
    np.testing.assert_allclose(of_ratio, published, rtol=0.35)


def test_a_users_file(tmp_path):
    found = load_measurement(own(tmp_path))
    np.testing.assert_allclose(found.points[0].value, [3.0, 0.3])
    np.testing.assert_allclose(found.points[0].covariance, np.diag([0.25, 0.0025]))
    assert found.momentum_GeV == (10.0, 50.0)
    assert load_measurement("mine.toml", tmp_path).name == "mine"


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ('quantity = "flux"', 'quantity = "mass"', "quantity"),
        ("size = 0.02", "size = -1", "size"),
        ('value = "plus + minus"', 'value = "plus + none"', "none"),
        ("cos_zenith = [0.9, 1.0]", "cos_zenith = [0.9, 0.8]", "multiples of 0.01"),
        ('name = "norm"', 'name = "norm"\nobservables = ["ratio"]', "not one of the observables"),
        ("lat = 50.0", "lat = 500.0", "conditions.lat"),
        ("[conditions]", "[conditions", "not valid TOML"),
    ],
)
def test_what_is_refused(tmp_path, old, new, words):
    assert old in OWN
    with pytest.raises(InputError, match=words) as problem:
        load_measurement(own(tmp_path, OWN.replace(old, new)))
    assert "\n" not in str(problem.value)


def test_files_and_numbers_that_are_not_there(tmp_path):
    with pytest.raises(InputError, match="those that ship are"):
        load_measurement("bess")
    with pytest.raises(InputError, match="column plus"):
        load_measurement(own(tmp_path, rows=ROWS.replace("2.0", "two")))
    with pytest.raises(InputError, match="above 0"):
        load_measurement(own(tmp_path, rows=ROWS.replace("2.0,0.3", "-2.0,0.3")))
