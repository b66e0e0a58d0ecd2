"""The pure parts of scripts/studies/systematics.py, and the script itself with a handful of primaries."""

import importlib.util
import json
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from hadronic.models import model_names
from sim3d.config.load import make_config

SCRIPTS = Path(__file__).parents[2] / "scripts" / "studies"


def script(name):
    """A script as a module; its neighbours are found as when it is called."""
    if name not in sys.modules:
        sys.path.insert(0, str(SCRIPTS))
        try:
            spec = importlib.util.spec_from_file_location(name, SCRIPTS / f"{name}.py")
            sys.modules[name] = importlib.util.module_from_spec(spec)
            spec.loader.exec_module(sys.modules[name])
        finally:
            sys.path.remove(str(SCRIPTS))
    return sys.modules[name]


table = script("systematics_table")
systematics = script("systematics")


class Fake:
    """The parts of a result that the tables use: ``phi = scale_f E^-2 / (1 + E) (1.2 - 0.4 |cos|)``, with noise."""

    def __init__(self, noise):
        self.energy_edges_GeV = 10 ** (np.arange(203) / 40 - 1.025)
        self.cos_zenith_edges = np.linspace(-1, 1, 41)
        self.group_weights = np.full(8, 4)
        self.record = SimpleNamespace(config=SimpleNamespace(run=SimpleNamespace(batch_size=10)))
        e = np.sqrt(self.energy_edges_GeV[1:] * self.energy_edges_GeV[:-1])
        c = 0.5 * (self.cos_zenith_edges[1:] + self.cos_zenith_edges[:-1])
        scale = np.array([280.0, 270.0, 140.0, 125.0])
        phi = scale[:, None, None, None] * (e**-2 / (1 + e))[:, None, None] * (1.2 - 0.4 * abs(c))[:, None]
        scatter = np.random.default_rng(1).normal(1.0, noise, (8, 4, 202, 40, 2))
        self._groups = 0.5 * phi * scatter

    def groups_east_west(self, site):
        return self._groups


class Scaled:
    """A result whose fluxes are those of another times a factor by flavour."""

    def __init__(self, result, factor):
        self._result, self._factor = result, np.asarray(factor)[None, :, None, None, None]

    def __getattr__(self, name):
        return getattr(self._result, name)

    def groups_east_west(self, site):
        return self._result.groups_east_west(site) * self._factor


def test_every_registered_hadronic_model_is_run():
    chosen = systematics.variations()
    names = [one.name for one in chosen if one.effect == "hadronic"]
    base = systematics.base("low", 4800)["hadronic"]["model"]
    assert names == [name for name in model_names() if name != base]
    assert {one.effect for one in chosen} == set(table.EFFECTS)
    files = [one.file(part) for one in chosen for part in one.parts]
    assert len(set(files)) == len(files)
    assert all("/" not in name and " " not in name for name in files)


def test_all_configurations_are_allowed_and_share_the_seed():
    for one in systematics.variations():
        for part in one.parts:
            config = make_config(systematics.merged(systematics.base(part, 4800), one.changes))
            assert config.run == make_config(systematics.base(part, 4800)).run
            assert [site.name for site in config.sites] == ["kamioka", "sno"]
            assert config.transport.bending == (part == "low" and one.effect != "bending")


def test_more_primaries_go_on_from_fewer():
    sizes = {make_config(systematics.base("low", n)).run.batch_size for n in (200_000, 1_000_000, 5_000_000)}
    assert sizes == {systematics.LARGEST_BATCH}
    assert make_config(systematics.base("high", 480)).n_batches == 48


def test_tables_are_merged_key_by_key():
    merged = systematics.merged(
        {"field": {"date": "2020-01-01", "degree": 10}}, {"field": {"degree": 1}, "air": {"x": 2}}
    )
    assert merged == {"field": {"date": "2020-01-01", "degree": 1}, "air": {"x": 2}}


def test_known_ratios():
    """Four flavours with factors of their own: fluxes and flavour ratios, without error as the showers are the same."""
    base, factor = Fake(0.1), (1.1, 0.9, 1.2, 0.8)
    found = table.rows("hadronic", "other", ["kamioka"], {"low": Scaled(base, factor)}, {"low": base})
    assert {one.energy_GeV for one in found} == {0.3, 1.0, 3.0, 10.0}
    by = {(one.band, one.energy_GeV, one.observable): one for one in found}
    for band in table.BANDS:
        for flavour, expected in zip(table.FLAVOURS, factor, strict=True):
            assert by[band, 1.0, flavour].ratio == pytest.approx(expected, rel=1e-9)
            assert by[band, 1.0, flavour].error == pytest.approx(0.0, abs=1e-9)
        assert by[band, 3.0, "numu/numubar"].ratio == pytest.approx(1.1 / 0.9)
        assert by[band, 3.0, "nue/nuebar"].ratio == pytest.approx(1.5)
    # fluxes of the fake are 280, 270, 140, 125 in each bin, up to noise that averages out
    expected = (280 * 1.1 + 270 * 0.9) / (140 * 1.2 + 125 * 0.8) / (550 / 265)
    assert by["sky", 1.0, "mu/e"].ratio == pytest.approx(expected, rel=0.01)


def test_the_window_and_band_that_are_asked_for():
    result = Fake(0.0)
    for energy, (low, high) in table.WINDOWS_GEV.items():
        assert low < energy < high
        for band, (bottom, top) in table.BANDS.items():
            flux = table.fluxes("kamioka", (low, high), band)(result)[0, 0]
            cosines = np.linspace(bottom, top, 2001)
            e = np.geomspace(low, high, 2001)
            zenith = np.mean(1.2 - 0.4 * abs(cosines)) * (top - bottom) / 0.05
            exact = 280 * np.trapezoid(e**-2 / (1 + e), e) * zenith
            assert flux == pytest.approx(exact, rel=0.12)


@pytest.mark.parametrize(
    ("measure", "ratios", "expected"),
    [
        ("spread", [(1.2, 0.03), (1.1, 0.01)], (0.1, 0.015)),
        ("spread", [(1.2, 0.03), (0.9, 0.04)], (0.15, 0.025)),
        ("between", [(1.2, 0.03), (1.1, 0.04)], (0.05, 0.025)),
        ("between", [(1.2, 0.03)], (0.1, 0.015)),
        ("shift", [(0.95, 0.02)], (0.05, 0.02)),
    ],
)
def test_size_of_an_effect(measure, ratios, expected):
    assert table.size(measure, ratios) == pytest.approx(expected)


def test_which_run_a_number_is_from():
    both, low = {"low": None, "high": None}, {"low": None}
    assert [table.part_of(e, both) for e in table.WINDOWS_GEV] == ["low", "low", "low", "high", "high"]
    assert [table.part_of(e, low) for e in table.WINDOWS_GEV] == ["low", "low", "low", "low", None]


def test_tables_and_json():
    base = Fake(0.1)
    runs = {"low": Scaled(base, (1.1, 0.9, 1.2, 0.8))}
    found = table.rows("bending", "bending = false", ["kamioka", "sno"], runs, {"low": base})
    text = table.markdown(found, "Words.")
    assert text.startswith("Words.\n")
    assert "| No bending in the air | 2 | numu | 10.0 ± 0.0 | 10.0 ± 0.0 | 10.0 ± 0.0 | 10.0 ± 0.0 |  |" in text
    assert "| No bending in the air | bending = false | nuebar | 0.800 ± 0.000 |" in text
    lines = [line for line in text.splitlines() if line.startswith("|")]
    assert {line.count("|") for line in lines} == {9}
    document = systematics.document(found, ["x"])
    json.dumps(document, allow_nan=False)
    assert len(document["ratios"]) == len(found)
    sizes = [s for s in document["sizes"] if (s["site"], s["band"], s["observable"]) == ("sno", "up", "nue")]
    assert [s["size"] for s in sizes] == pytest.approx([0.2] * 4)


def test_the_figure_is_drawn_from_the_page(tmp_path):
    """The sizes read from the tables are those written, and the script draws them without a run."""
    base = Fake(0.1)
    found = table.rows("bending", "x", ["kamioka", "sno"], {"low": Scaled(base, (1.1, 0.9, 1.2, 0.8))}, {"low": base})
    found += table.rows("fits", "high", ["sno"], {"low": Scaled(base, (1.02, 0.9, 1.04, 0.8))}, {"low": base})
    page = table.markdown(found, "Base: words. Windows: none.")
    read = {(s.site, s.effect, s.energy_GeV, s.observable): (s.size, s.error) for s in table.read_sizes(page)}
    written = [s for s in table.sizes(found) if s.band == "sky" and s.effect != "dipole"]
    assert read
    for one in written:
        if np.isfinite(one.size):
            size, error = read.pop((one.site, one.effect, one.energy_GeV, one.observable))
            assert size == pytest.approx(one.size, abs=5.1e-4)
            assert error == pytest.approx(one.error, abs=5.1e-4)
    assert not read
    (tmp_path / "page.md").write_text(page, encoding="utf-8")
    systematics.main(["-o", str(tmp_path), "--redraw", str(tmp_path / "page.md")])
    assert (tmp_path / "systematics.png").stat().st_size > 10_000


def test_table_in_a_page():
    page = "before\n<!-- systematics: begin -->\nold\n<!-- systematics: end -->\nafter\n"
    new = table.put_into(page, "| a |\n")
    assert "old" not in new
    assert new.startswith("before\n")
    assert new.endswith("\nafter\n")
    assert table.put_into(new, "| a |\n") == new
    with pytest.raises(ValueError, match="marks"):
        table.put_into("nothing", "x")
    table.put_into((SCRIPTS.parents[1] / "docs" / "reports" / "systematics.md").read_text(), "x")


@pytest.mark.slow
def test_the_script(tmp_path, capsys):
    """Bending and the Sun with 480 primaries; called again it makes nothing anew."""
    arguments = ["-o", str(tmp_path), "--primaries", "480", "--only", "bending", "solar"]
    systematics.main(arguments)
    out = capsys.readouterr().out
    assert "[3/3]" in out
    names = sorted(path.name for path in tmp_path.glob("*.h5") if "events" not in path.name)
    assert names == [
        "high-base.h5",
        "high-solar-max.h5",
        "high-solar-min.h5",
        "low-base.h5",
        "low-bending-bending---false.h5",
        "low-solar-max.h5",
        "low-solar-min.h5",
    ]
    document = json.loads((tmp_path / "systematics.json").read_text())
    sun = {
        (r["variation"], r["observable"]): r["ratio"]
        for r in document["ratios"]
        if (r["site"], r["effect"], r["band"], r["energy_GeV"]) == ("sno", "solar", "sky", 0.3)
    }
    assert sun["min", "numu"] > 1.0 > sun["max", "numu"]
    assert (tmp_path / "systematics.png").stat().st_size > 5000
    times = {name: (tmp_path / name).stat().st_mtime_ns for name in names}
    systematics.main(arguments)
    assert {name: (tmp_path / name).stat().st_mtime_ns for name in names} == times
    capsys.readouterr()


def test_too_few_primaries(tmp_path):
    with pytest.raises(SystemExit):
        systematics.main(["-o", str(tmp_path), "--primaries", "100"])
