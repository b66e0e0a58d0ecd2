"""Whole numbers of the command line in every notation, and what is none."""

import click
import pytest
from click.testing import CliRunner

from sim3d.commands.numbers import WholeNumber, whole_number
from sim3d.commands.output import parse_range, part_range
from sim3d.errors import InputError


@pytest.mark.parametrize(
    ("text", "value"),
    [("0", 0), ("1000", 1000), ("1e3", 1000), ("1E6", 10**6), ("2.5e6", 2_500_000), ("1_000", 1000), ("1e0", 1),
     ("-5", -5), ("12300e-2", 123), ("9223372036854775807", 2**63 - 1)],
)  # fmt: skip
def test_whole(text, value):
    assert whole_number(text) == value


@pytest.mark.parametrize("text", ["", "many", "1.5", "1e-3", "nan", "inf", "1e999999999", "1,000", "0x10"])
def test_not_whole(text):
    assert whole_number(text) is None


@click.command()
@click.option("--primaries", type=WholeNumber(min=1), metavar="N", help="Number.")
@click.option("--seed", type=WholeNumber(), metavar="S", help="Any.")
def command(primaries, seed):
    """Print the numbers."""
    click.echo(f"{primaries!r} {seed!r}")


def test_an_option():
    run = CliRunner().invoke
    assert run(command, ["--primaries", "1e3", "--seed", "-2e1"]).output == "1000 -20\n"
    for text in ("0", "1.5", "many", "1e99999999"):
        found = run(command, ["--primaries", text])
        assert found.exit_code == 2
        assert "--primaries" in found.output
    helped = run(command, ["--help"]).output
    assert "x>=1" in helped
    assert "None" not in helped


def test_a_range_of_batches():
    assert parse_range("0:1e3") == (0, 1000)


@pytest.mark.parametrize("batches", [3, 10, 1001])
def test_parts_have_every_batch_once(batches):
    ranges = [part_range(f"{k}/3", batches) for k in (1, 2, 3)]
    assert [b for first, last in ranges for b in range(first, last)] == list(range(batches))


@pytest.mark.parametrize("text", ["0/3", "4/3", "1", "1/0", "a/b", "1/11", "-1/3"])
def test_wrong_parts(text):
    with pytest.raises(InputError, match="--part"):
        part_range(text, 10)
