"""Asymmetries: the known one comes back, with an honest error, the published values beside it."""

import json

import numpy as np
import pytest

from sim3d import cli
from sim3d.analysis import asymmetry
from sim3d.errors import InputError
from sim3d.results import windows
from sim3d.results.jackknife import jackknife


def test_the_known_asymmetry_comes_back(known):
    values = asymmetry.east_west(known.result, "kamioka")
    assert [one.flavour for one in values] == ["nue", "numubar", "numu", "nuebar"]
    for one in values:
        assert one.value == pytest.approx(known.asymmetry[one.flavour], abs=max(5 * one.error, 2e-3))
        assert 0 < one.error < 1e-3


def test_the_sign_is_of_the_direction_of_travel(fake_result):
    """More arriving from the west (180-360) means more travelling east: positive."""
    result = fake_result(sites=("ino",), noise=0.0)
    halves = result.groups_east_west("ino")[0, 0, 40, 20]
    assert halves[asymmetry.FROM_WEST] > halves[asymmetry.FROM_EAST]
    assert asymmetry.east_west(result, "ino")[0].value > 0


def test_window_is_bins_whose_centre_lies_inside():
    edges = 10 ** (np.arange(203) / 40 - 1.025)
    chosen = windows.energy_bins(edges, (0.5, 3.0))
    centres = np.sqrt(edges[:-1] * edges[1:])
    assert centres[chosen[0] - 1] < 0.5 < centres[chosen[0]]
    assert centres[chosen[-1]] < 3.0 < centres[chosen[-1] + 1]
    cosines = windows.cos_bins(np.linspace(-1, 1, 41), 0.5)
    assert cosines.tolist() == list(range(10, 30))


@pytest.mark.parametrize("window", [(3.0, 0.5), (0.0, 1.0), (-1.0, 1.0), (1.0, 1.001), (1e5, 1e6)])
def test_bad_windows(known, window):
    with pytest.raises(InputError, match="energy"):
        asymmetry.east_west(known.result, "kamioka", window)


@pytest.mark.parametrize("cos_max", [0.0, -0.5, 1.5, float("nan")])
def test_bad_cosines(known, cos_max):
    with pytest.raises(InputError, match="cos-max"):
        asymmetry.east_west(known.result, "kamioka", cos_max=cos_max)


def test_unknown_site(known):
    with pytest.raises(InputError, match="'atlantis', allowed: kamioka, sno"):
        asymmetry.east_west(known.result, "atlantis")


def test_no_hits_is_nan_not_a_crash(fake_result, capsys, tmp_path):
    result = fake_result(sites=("ino",), empty_above=0.2)
    assert all(np.isnan(one.value) for one in asymmetry.east_west(result, "ino"))
    fake_result.write(tmp_path / "run.h5", sites=("ino",), empty_above=0.2)
    assert cli.main(["asymmetry", str(tmp_path / "run.h5"), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["sites"]["ino"]["nue"] == {"asymmetry": None, "error": None}
    assert cli.main(["asymmetry", str(tmp_path / "run.h5")]) == 0
    assert "no hits" in capsys.readouterr().out


def test_published_values():
    sk, sno = asymmetry.published("kamioka"), asymmetry.published("sno")
    assert sk["nue"] == asymmetry.Published(0.390, 0.006, 0.335)
    assert sno["nuebar"] == asymmetry.Published(-0.034, 0.027, -0.061)
    assert set(sk) == {"nue", "nuebar", "numu", "numubar"}
    assert asymmetry.published("ino") == {}


def test_command(known, capsys):
    assert cli.main(["asymmetry", str(known.path), "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    nue = document["sites"]["kamioka"]["nue"]
    assert nue["asymmetry"] == pytest.approx(0.39, abs=0.01)
    assert (nue["paper"], nue["paper_error"], nue["lipari"]) == (0.39, 0.006, 0.335)
    assert cli.main(["asymmetry", str(known.path)]) == 0
    text = capsys.readouterr().out
    assert "+0.390 +- 0.006" in text
    assert text.index("numubar") < text.index("numu ") < text.index("nuebar")


def test_published_values_only_for_their_window(known, capsys):
    assert cli.main(["asymmetry", str(known.path), "--json", "--energy", "1", "5", "--cos-max", "0.3"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert set(document["sites"]["sno"]["numu"]) == {"asymmetry", "error"}
    assert document["energy_GeV"] == [1.0, 5.0]


def test_jackknife_of_a_mean_is_the_standard_error():
    x = np.random.default_rng(3).normal(5.0, 1.0, (12, 7))
    value, error = jackknife(lambda mean: mean, x, np.ones(12))
    assert value == pytest.approx(x.mean(axis=0))
    assert error == pytest.approx(x.std(axis=0, ddof=1) / np.sqrt(12))


def test_jackknife_of_a_ratio_covers():
    """68% of errors cover the truth, with groups of different sizes and a correlated denominator."""
    rng = np.random.default_rng(5)
    weights = np.array([4.0] * 15 + [5.0] * 5)
    trials = 2000
    base = rng.gamma(200.0, 1.0, (20, trials)) / np.sqrt(weights[:, None])
    common = 1 + rng.normal(0, 0.2, (20, trials)) / np.sqrt(weights[:, None])
    top = common * (2.0 + rng.normal(0, 0.3, base.shape) / np.sqrt(weights[:, None]))
    value, error = jackknife(lambda m: m[0] / m[1], np.stack([top, common], axis=1), weights)
    pull = (value - 2.0) / error
    assert pull.std() == pytest.approx(1.0, abs=0.08)
    assert abs(pull.mean()) < 0.1


def test_jackknife_needs_two_groups():
    value, error = jackknife(lambda mean: mean, np.ones((1, 3)), [4])
    assert value.tolist() == [1.0, 1.0, 1.0]
    assert np.all(np.isnan(error))


def test_one_group_with_all_hits_has_no_error():
    groups = np.zeros((4, 2))
    groups[1] = (1.0, 2.0)
    value, error = jackknife(lambda m: m[0] / m[1], groups, np.ones(4))
    assert value == 0.5
    assert np.isnan(error)
