"""Closing lines of commands: the worst error, its name, and primaries that grow with its square."""

import numpy as np
import pytest

from sim3d import cli
from sim3d.commands import output, worth
from sim3d.results.quality import site_quality
from sim3d.scoring import hit_weights


def test_error_lines(fake_result):
    result = fake_result(sites=("ino",))
    (line,) = worth.error_lines("A", {"numu": 0.03, "nue": 0.04, "nuebar": float("nan")}, (0.02, 0.05), result)
    assert line == (
        "A: statistical error 0.04 at most (nue) with 1,000 primaries; 0.02 needs about 4,000, 0.05 is reached; "
        "1 of 3 have no hits."
    )
    (line,) = worth.error_lines("A", {"numu": float("nan")}, (0.02,), result)
    assert "no error is known with 1,000 primaries" in line


def test_precision_lines_are_those_of_the_quality(fake_result):
    result = fake_result(sites=("ino", "sno"), noise=0.5)
    (line,) = worth.precision_lines(result, ["sno"])
    quality = site_quality(result, "sno")
    assert line.startswith("sno, 0.3 to 10 GeV, averaged over azimuth: numu ")
    assert worth.counted(quality.needed(0.02)) in line
    assert len(worth.precision_lines(result)) == 2


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["asymmetry"], "A: statistical error "),
        (["export", "--to", "csv"], "kamioka, 0.3 to 10 GeV, averaged over azimuth: numu "),
        (["leptons"], "A of the lepton's direction: statistical error "),
    ],
)
def test_commands_end_with_it(known, capsys, tmp_path, arguments, words):
    name, *options = arguments
    if name == "export":
        options += ["-o", str(tmp_path)]
    assert cli.main([name, str(known.path), *options]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert any(line.startswith(words) for line in lines[-3:])
    assert "primaries" in lines[-1]


def test_json_has_no_such_line(known, capsys):
    assert cli.main(["asymmetry", str(known.path), "--json"]) == 0
    assert "primaries" not in capsys.readouterr().out


def test_a_part_leads_to_the_merge(fake_result):
    result = fake_result(sites=("ino",), noise=0.5)
    ((command, _),) = worth.steps_after_run("part 1.h5", result, "my.toml", part=True)
    assert command.startswith("sim3d merge 'part 1.h5' ")
    assert "--resume" in worth.steps_after_run("a.h5", result, "my.toml")[0][0]


def test_warnings_of_a_part_are_counted(known, capsys, monkeypatch):
    lines = ["kamioka numu, 1 to 10 GeV: heavy", "kamioka nue, 1 to 10 GeV: heavy"]
    monkeypatch.setattr(hit_weights, "outlier_warnings", lambda name, *_: lines if name == "kamioka" else [])
    output.report(known.path, 1.0, False)
    assert [line[10:] for line in capsys.readouterr().out.splitlines() if "WARNING" in line] == lines
    output.report(known.path, 1.0, False, part=True)
    printed = capsys.readouterr().out
    assert "  2 warnings about this part alone" in printed
    assert "WARNING" not in printed
    output.report(known.path, 1.0, False, merged=True)
    assert " batches, merged in 1.0 s" in capsys.readouterr().out


class Spectra:
    """Muon spectra with a known relative error by momentum."""

    site = "here"
    momenta_GeV = np.array([0.5, 2.0, 5.0, 20.0, 50.0, 200.0])

    def __init__(self, relative, empty=()):
        self.flux = np.ones((1, 4, 6, 3))
        self.flux[:, :, list(empty)] = 0.0
        self.error = self.flux * np.asarray(relative)[:, None]


def test_muon_lines(fake_result):
    result = fake_result(sites=("ino",))
    head, names, cells, needs = worth.muon_lines(Spectra([0.01, 0.03, 0.03, 0.1, 0.1, 0.3]), result)
    assert "mu+ and mu-" in head
    assert names.split() == ["0.1-1", "1-10", "10-100", "100-1000"]
    assert cells.split() == ["here", "1.0%", "3.0%", "10%", "30%"]
    assert needs == "here, 1 to 100 GeV/c, with 1,000 primaries: 5% needs about 4,000, 2% needs about 25,000."
    assert "above 100%" in worth.muon_lines(Spectra([1200.0] * 6), result)[2]
    *_, cells, needs = worth.muon_lines(Spectra([0.01] * 6, empty=(3, 4)), result)
    assert "half empty" in cells
    assert "at least ten times the 1,000 primaries" in needs
