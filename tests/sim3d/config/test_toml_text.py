"""Configurations written as TOML are read back equal."""

import tomllib

import pytest

from sim3d.config.load import make_config
from sim3d.config.toml_text import config_text, toml_text

DATA = {
    "run": {"primaries": 200_000, "batch_size": 1000, "seed": 3},
    "primaries": {"solar": "max", "energy_GeV": [0.5, 1e6]},
    "sites": [{"name": "a.b", "lat": -30.19, "lon": 1e-7, "patch": {"radius_deg": 3.0}}, {"name": "kamioka"}],
    "scoring": {"variations": [{"name": "x", "parameters": {"pi+@158": 0.1}}], "gradients": ["solar:MV"]},
    "vary": {"primary:p:norm": -0.05},
}


@pytest.mark.parametrize("everything", [False, True])
def test_round_trip(everything):
    config = make_config(DATA)
    again = make_config(tomllib.loads(config_text(config, everything=everything)))
    assert again == config


def test_comments_and_quotes():
    text = toml_text({"run": {"name": 'a "b" \\', "n": 12_000, "x": None}}, {"run.n": "how many"})
    assert text == '[run]\nname = "a \\"b\\" \\\\"\nn = 12_000  # how many\n'
    assert tomllib.loads(text)["run"]["name"] == 'a "b" \\'
