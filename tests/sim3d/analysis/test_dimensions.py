"""Three dimensions against one: which runs are made, ratios of known fluxes, errors of pairs, the command."""

import csv
import json

import numpy as np
import pytest

import sim3d
from sim3d import cli
from sim3d.analysis import dimensions
from sim3d.config.load import make_config
from sim3d.errors import InputError
from sim3d.results.pairs import jackknife_of_two, paired

SITES = [{"name": "kamioka"}, {"name": "sno"}]


def test_three_runs_that_differ_in_transport_alone():
    config = make_config({"sites": SITES, "run": {"seed": 5}})
    runs = dimensions.variants(config)
    assert list(runs) == ["full", "no-bending", "collinear"]
    switches = [(one.transport.bending, one.transport.transverse) for one in runs.values()]
    assert switches == [(True, True), (False, True), (False, False)]
    for one in runs.values():
        assert one.model_copy(update={"transport": config.transport}) == config


def test_without_bending_there_are_two_runs():
    straight = {"transport": {"bending": False}, "sampling": {"mode": "rotated"}, "sites": SITES}
    runs = dimensions.variants(make_config(straight))
    assert list(runs) == ["full", "collinear"]
    with pytest.raises(InputError, match=r"transport\.transverse"):
        dimensions.variants(make_config({"transport": {"transverse": False}, "sites": SITES}))


class Scaled:
    """A result whose fluxes are those of another times a factor of flavour, zenith and half of the sky."""

    def __init__(self, result, factor):
        self._result, self._factor = result, factor

    def __getattr__(self, name):
        return getattr(self._result, name)

    def groups_east_west(self, site):
        return self._result.groups_east_west(site) * self._factor


def test_known_ratios_and_asymmetries(fake_result):
    below = fake_result(noise=0.05)
    cosines = np.abs(0.5 * (below.cos_zenith_edges[1:] + below.cos_zenith_edges[:-1]))
    factor = np.ones((1, 4, 1, 40, 2))
    factor[:, :, :, cosines < 0.1] = 2.5
    factor[:, 2] *= 3.0
    runs = {"full": Scaled(below, factor), "collinear": below}
    rows = {(r.band, r.flavour, r.energy_GeV): r for r in dimensions.ratios(runs, "kamioka")}
    assert len(rows) == 4 * 4 * 5
    for (band, flavour, _), row in rows.items():
        expected = (2.5 if band.startswith("horizon") else 1.0) * (3.0 if flavour == "nue" else 1.0)
        if band != "whole sky":
            assert row.value == pytest.approx(expected, rel=1e-9)
            # the same showers: the ratio has no error although the fluxes have one
            assert row.error == pytest.approx(0.0, abs=1e-9)
    # bending moves a fifth of what comes from the east to the west
    turned = np.ones((1, 4, 1, 1, 2))
    turned[..., 0], turned[..., 1] = 0.8, 1.2
    found = dimensions.bending_asymmetries(
        {"full": Scaled(below, turned), "no-bending": below, "collinear": below}, "kamioka"
    )
    assert [row.flavour for row in found] == ["nue", "numubar", "numu", "nuebar"]
    for row in found:
        a = row.by_run["no-bending"][0]
        assert row.by_run["full"][0] == pytest.approx((a + 0.2) / (1 + 0.2 * a), rel=1e-9)
        assert row.bending[0] == pytest.approx(row.by_run["full"][0] - a)
        # what the errors of the two have in common is gone: d(A' - a) = (1 - da/dA') dA'
        slope = 0.96 / (1 + 0.2 * a) ** 2
        assert row.bending[1] == pytest.approx(abs(1 - 1 / slope) * row.by_run["full"][1], rel=0.02)


def test_errors_of_independent_runs(fake_result):
    """Runs of different length cannot be paired; their errors add in quadrature, and cover the scatter."""
    one, two = fake_result(noise=0.2, batches=24), fake_result(noise=0.2, batches=12)
    assert not paired(one, two)
    assert paired(one, fake_result(batches=24))

    def groups(run):
        return run.groups_azimuth("kamioka").mean(axis=(2, 3, 4))

    value, error = jackknife_of_two(lambda a, b: a / b, one, two, groups)
    # one batch in each group that has any
    means = [groups(run)[run.group_weights > 0] for run in (one, two)]
    relative = [np.sqrt(np.var(mean, axis=0, ddof=1) / len(mean)) / mean.mean(axis=0) for mean in means]
    assert error / value == pytest.approx(np.hypot(*relative), rel=0.15)
    assert np.all(abs(value - 1.0) < 4.5 * error)


def test_windows_follow_what_is_scored(fake_result):
    assert dimensions.windows(fake_result())[0] == (0.1, 0.3)
    result = fake_result(scoring={"energy_min_GeV": 0.5})
    assert [round(low, 6) for low, _ in dimensions.windows(result)] == [0.5, 1.0, 3.0, 10.0]
    result = fake_result(scoring={"energy_min_GeV": 5.0})
    assert dimensions.bending_asymmetries({"full": result}, "kamioka") == []


def write(path, more="", site="kamioka"):
    path.write_text(
        f"[run]\nprimaries = 4800\nbatch_size = 100\n[primaries]\nenergy_GeV = [2.0, 300.0]\n"
        f'[scoring]\nenergy_min_GeV = 0.3\n{more}\n[[sites]]\nname = "{site}"\n[[sites]]\nname = "gransasso"\n'
    )
    return path


@pytest.mark.slow
def test_command_end_to_end(tmp_path, capsys):
    """Three runs, table, figures, JSON; once more goes on with what is there."""
    config = write(tmp_path / "c.toml")
    arguments = ["dimensions", str(config), "-o", str(tmp_path / "out"), "--threads", "1"]
    assert cli.main([*arguments, "--json"]) == 0
    captured = capsys.readouterr()
    document = json.loads(captured.out)
    assert document["pairs"] == {
        "3-D / 1-D": "full / collinear",
        "bending": "full / no-bending",
        "angles": "no-bending / collinear",
    }
    assert document["same_showers"] is True
    assert set(document["sites"]) == {"kamioka", "gransasso"}
    assert len(document["files"]) == 1 + 2 * 8
    for path in document["files"]:
        assert (tmp_path / path).stat().st_size > 500
    rows = document["sites"]["kamioka"]["ratios"]
    assert len(rows) == 3 * 4 * 4 * 4
    with (tmp_path / "out" / "dimensions.csv").open() as stream:
        table = list(csv.DictReader(stream))
    assert len(table) == 2 * len(rows)
    # the number printed is the ratio of the files' fluxes
    one = next(r for r in rows if (r["pair"], r["band"], r["flavour"]) == ("bending", "whole sky", "numu"))
    assert one["energy_GeV"] == [0.3, 1.0]
    fluxes = []
    for name in ("full", "no-bending"):
        result = sim3d.load(tmp_path / "out" / f"{name}.h5")
        flux = result.binned("kamioka", "fine_aa")[0][0].mean(axis=1)
        edges = result.energy_edges_GeV
        inside = (edges[:-1] >= 0.3) & (np.sqrt(edges[1:] * edges[:-1]) < 1.0)
        fluxes.append((flux * np.diff(edges))[inside].sum())
    assert one["value"] == pytest.approx(fluxes[0] / fluxes[1], rel=1e-6)

    before = (tmp_path / "out" / "full.h5").stat().st_mtime_ns
    assert cli.main([*arguments, "--site", "gransasso"]) == 0
    text = capsys.readouterr().out
    assert (tmp_path / "out" / "full.h5").stat().st_mtime_ns == before
    assert "gransasso: Three dimensions over one" in text
    assert "gransasso: East-west asymmetry" in text
    assert "kamioka:" not in text
    # more primaries go on from there
    assert cli.main([*arguments, "--primaries", "5000", "--quiet"]) == 0
    assert sim3d.load(tmp_path / "out" / "collinear.h5").attributes["primaries"] == 5000


def test_command_without_bending(tmp_path, capsys):
    more = '[transport]\nbending = false\n[sampling]\nmode = "rotated"'
    config = write(tmp_path / "c.toml", more)
    arguments = ["dimensions", str(config), "-o", str(tmp_path), "--site", "kamioka", "--threads", "1", "--quiet"]
    assert cli.main(arguments) == 0
    text = capsys.readouterr().out
    assert not (tmp_path / "no-bending.h5").exists()
    assert "bending adds" not in text
    assert "With bending" not in text
    assert "kamioka-bending" not in text


@pytest.mark.parametrize(
    ("more", "arguments", "expected"),
    [
        ("[transport]\ntransverse = false", [], "transport.transverse: False"),
        ("", ["--site", "sno"], "--site: 'sno', allowed: kamioka, gransasso"),
        ("", ["--primaries", "50"], "run.primaries: 50"),
        ("[transport]\nbend = true", [], "transport.bend"),
    ],
)
def test_error_lines(tmp_path, capsys, more, arguments, expected):
    config = write(tmp_path / "c.toml", more)
    assert cli.main(["dimensions", str(config), "-o", str(tmp_path / "out"), *arguments]) == 2
    error = capsys.readouterr().err
    assert error.startswith("sim3d: error: ")
    assert expected in error
    assert error.count("\n") == 1
    assert not list(tmp_path.glob("out/*.h5"))


def test_other_runs_in_the_folder_are_refused(tmp_path, capsys):
    """A folder with another seed's runs is not mixed with this one's."""
    config = write(tmp_path / "c.toml")
    assert cli.main(["run", str(config), "-o", str(tmp_path / "full.h5"), "--seed", "9", "--quiet"]) == 0
    assert cli.main(["dimensions", str(config), "-o", str(tmp_path), "--quiet"]) == 2
    assert "run.seed: is 1 now and was 9" in capsys.readouterr().err


def test_no_configuration_file(tmp_path, capsys):
    assert cli.main(["dimensions", str(tmp_path / "none.toml")]) == 2
    assert "no such configuration file" in capsys.readouterr().err
