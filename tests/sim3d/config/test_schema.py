"""Mutated TOML files: each gives a configuration or one line of error, never a traceback, a hang or a huge array."""

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sim3d.config.load import load_config, make_config
from sim3d.config.schema import MOST_BATCHES, Config
from sim3d.errors import InputError

TEXT = """\
[run]
seed = 5
primaries = 100000
batch_size = 1000
checkpoint_minutes = 2.5
max_minutes = 55.0
max_lost = 3
target_error = 0.02
target_observable = "nue"
target_energy_GeV = [1.0, 10.0]
target_site = "mylab"
[primaries]
model = "ghls2001-high"
solar_potential_MV = 700
energy_GeV = [1.0, 1e5]
energy_index = 1.8
[field]
date = 2015-06-01
degree = 11
cutoff = true
[hadronic]
model = "fluka-z"
definition = "kinetic"
[transport]
step_km = 0.5
bending = true
transverse = true
[sampling]
mode = "analog"
thinning = 3.0
[scoring]
azimuth_bins = 24
energy_min_GeV = 0.3
[[sites]]
name = "mylab"
lat = -37.05
lon = 142.83
altitude_m = 100
patch = { ns_deg = 10, ew_deg = 20 }
[[sites]]
name = "kamioka"
"""
LINES = TEXT.splitlines()
TOKENS = st.one_of(
    st.sampled_from(
        [
            *(
                "0",
                "-1",
                "1",
                "1e400",
                "-0.0",
                "nan",
                "inf",
                "-inf",
                "true",
                "false",
                '""',
                "[]",
                "{}",
                "[1, 2]",
                "9" * 400,
            ),
            *(
                "1979-05-27",
                "07:32:00",
                "0x10",
                "1_000",
                '"max"',
                '"fit"',
                '"targeted"',
                '"rotated"',
                "[nan, inf]",
                "[[]]",
            ),
            *("1e-320", "9223372036854775807", "9223372036854775808", '"\\u0000"', "'''x\ny'''", "10000000000000"),
        ]
    ),
    st.integers(-(2**70), 2**70).map(str),
    st.floats().map(repr),
    st.text(max_size=8).map(lambda text: '"' + text.replace("\\", "").replace('"', "").replace("\n", " ") + '"'),
)


@st.composite
def mutated(draw):
    """The text above after one to four slips: other values, keys, missing, doubled or moved lines, stray characters."""
    lines = list(LINES)
    for _ in range(draw(st.integers(1, 4))):
        k = draw(st.integers(0, len(lines) - 1))
        slip = draw(st.sampled_from(["value", "value", "value", "key", "drop", "double", "move", "characters"]))
        if slip == "value":
            lines[k] = lines[k].split("=")[0] + "= " + draw(TOKENS)
        elif slip == "key":
            lines[k] = draw(st.text(max_size=6)) + lines[k]
        elif slip == "drop" and len(lines) > 1:
            del lines[k]
        elif slip == "double":
            lines.insert(k, lines[k])
        elif slip == "move":
            lines.insert(draw(st.integers(0, len(lines) - 1)), lines.pop(k))
        else:
            at = draw(st.integers(0, len(lines[k])))
            lines[k] = lines[k][:at] + draw(st.text(max_size=4)) + lines[k][at:]
    return "\n".join(lines)


def judge(folder, text):
    """Load a text as a user would; whether it was accepted."""
    file = folder / "mutated.toml"
    file.write_bytes(text.encode("utf-8", "surrogatepass"))
    started = time.monotonic()
    try:
        config = load_config(file)
    except InputError as problem:
        message = str(problem)
        assert message
        assert "\n" not in message
        assert len(message) < 1000
        return False
    finally:
        assert time.monotonic() - started < 5.0
    assert isinstance(config, Config)
    assert 2 <= config.n_batches <= MOST_BATCHES
    assert Config.model_validate(config.model_dump(mode="json")) == config
    return True


def test_the_text_itself_is_accepted(tmp_path):
    assert judge(tmp_path, TEXT)
    assert not judge(tmp_path, TEXT.replace("seed = 5", "sed = 5"))


@settings(max_examples=400)
@given(text=mutated())
def test_hundreds_of_mutations(tmp_path_factory, text):
    judge(tmp_path_factory.getbasetemp(), text)


@pytest.mark.slow
@settings(max_examples=10_000)
@given(text=mutated())
def test_ten_thousand_mutations(tmp_path_factory, text):
    judge(tmp_path_factory.getbasetemp(), text)


@pytest.mark.parametrize(("primaries", "size"), [(2, 1), (100, 2), (1000, 20), (480_000, 10_000), (10**9, 10_000)])
def test_a_batch_size_is_chosen_where_none_is_given(primaries, size):
    """At least 48 batches from 48 primaries on, and 10,000 in a batch as ever for large runs."""
    config = make_config({"run": {"primaries": primaries}, "sites": [{"name": "sno"}]})
    assert config.run.batch_size == size
    assert config.n_batches >= min(48, primaries)
    assert "batch_size" not in config.run.model_fields_set
    # stored in the file as a number, and set from then on
    again = make_config(config.model_dump(mode="json"))
    assert again == config
    assert "batch_size" in again.run.model_fields_set


def test_whole_floats_are_numbers_of_primaries():
    run = {"primaries": 1e6, "batch_size": 2e4, "seed": 3.0}
    config = make_config({"run": run, "sites": [{"name": "sno"}]})
    assert (config.run.primaries, config.run.batch_size, config.run.seed) == (1_000_000, 20_000, 3)
    assert isinstance(config.run.primaries, int)


@pytest.mark.parametrize(("model", "highest"), [(None, 1e7), ("crflux:H3a", 1e7), ("ghls2001-average", 1e6)])
def test_energies_end_where_the_model_does(model, highest):
    """Where no energies are given; those given are kept."""
    from sim3d.config.schema import PrimariesTable

    words = {} if model is None else {"model": model}
    assert PrimariesTable(**words).energy_GeV == (0.5, highest)
    assert PrimariesTable(**words, energy_GeV=(1.0, 1e5)).energy_GeV == (1.0, 1e5)
