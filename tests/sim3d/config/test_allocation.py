"""The table [allocation]: defaults, spellings, and one clear line for what is wrong."""

import pytest

from sim3d.config.allocation import AUTOMATIC_FROM
from sim3d.config.load import make_config
from sim3d.errors import InputError

SITES = {"sites": [{"name": "kamioka"}]}


def test_the_default_is_the_whole_table_in_large_runs():
    config = make_config(SITES)
    assert config.allocation.whole
    assert config.allocates
    assert not make_config({**SITES, "run": {"primaries": AUTOMATIC_FROM - 1}}).allocates


@pytest.mark.parametrize(
    "changes",
    [
        {"allocation": {"mode": "off"}},
        {"sampling": {"mode": "analog"}},
        {"primaries": {"energy_index": 1.1}},
        {"scoring": {"muons": True}},
    ],
)
def test_runs_without_an_allocation(changes):
    assert not make_config({**SITES, **changes}).allocates


def test_a_part_of_the_table_turns_it_on():
    table = {"flavours": ["nue_bar", 12], "energy_GeV": [1e3, 1e4], "cos_zenith": [-0.2, 0.2]}
    config = make_config({**SITES, "run": {"primaries": 1000}, "allocation": table})
    assert config.allocation.flavours == ("nue", "nuebar")
    assert config.allocation.mode == "on"
    assert config.allocates
    assert not config.allocation.whole
    again = make_config(config.model_dump(mode="json"))
    assert again == config


def test_a_named_part_can_be_turned_off():
    config = make_config({**SITES, "allocation": {"mode": "off", "flavours": ["nue"]}})
    assert not config.allocates


@pytest.mark.parametrize(
    ("table", "words"),
    [
        ({"flavours": ["nutau"]}, "allocation.flavours"),
        ({"flavours": []}, "each once"),
        ({"flavours": ["nue", "nue"]}, "each once"),
        ({"energy_GeV": [10.0, 1.0]}, "low < high"),
        ({"energy_GeV": [1.0, 1e6]}, "allocation.energy_GeV"),
        ({"energy_GeV": [1.0, 1.001]}, "narrower than one energy bin"),
        ({"cos_zenith": [-2.0, 0.0]}, "-1 <= low < high <= 1"),
        ({"cos_zenith": [0.001, 0.002]}, "narrower than one zenith bin"),
        ({"mode": "maybe"}, "allocation.mode"),
        ({"corner": 1}, "corner"),
    ],
)
def test_what_is_wrong_is_said_in_one_line(table, words):
    with pytest.raises(InputError) as caught:
        make_config({**SITES, "allocation": table})
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "changes",
    [
        {"sampling": {"mode": "analog"}},
        {"primaries": {"energy_index": 1.1}},
        {"scoring": {"muons": True, "neutrinos": False}},
    ],
)
def test_what_an_allocation_cannot_serve(changes):
    with pytest.raises(InputError, match="allocation"):
        make_config({**SITES, **changes, "allocation": {"mode": "on"}})
