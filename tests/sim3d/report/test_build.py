"""The page of a run holds together: well-formed, complete, self-contained, and right when there is little to show."""

import base64
import dataclasses
import io
import json
import re
from html.parser import HTMLParser

import matplotlib.image
import numpy as np
import pytest

from sim3d import cli
from sim3d.plots import style
from sim3d.plots.papers.plan import MapOptions
from sim3d.report import build as report
from sim3d.report import page as report_page
from sim3d.results.result import Result

COARSE = MapOptions(sky_cell_deg=45.0, step_GV=5.0)
VOID = {"meta", "link", "img", "br"}


class Page(HTMLParser):
    """Parses strictly: every element is closed in order."""

    def __init__(self, text):
        super().__init__()
        self.open, self.images, self.links, self.ids, self.tags, self.text = [], [], [], [], set(), ""
        self.blocks = []
        self.feed(text)
        self.close()
        assert not self.open

    def handle_starttag(self, tag, attrs):
        attributes = dict(attrs)
        assert len(attributes) == len(attrs)
        self.tags.add(tag)
        if tag not in VOID:
            self.open.append(tag)
        if tag == "pre":
            self.blocks.append("")
        if tag == "img":
            self.images.append(attributes)
        self.links += [value for key, value in attrs if key in ("href", "src", "srcset", "action", "data", "poster")]
        self.ids += [value for key, value in attrs if key == "id"]

    def handle_endtag(self, tag):
        assert self.open
        assert self.open.pop() == tag

    def handle_data(self, data):
        if self.open and self.open[-1] not in ("style", "title"):
            self.text += data
            if self.open[-1] == "pre":
                self.blocks[-1] += data


@pytest.fixture(autouse=True)
def low_resolution(monkeypatch):
    from sim3d.report import pictures as report_pictures

    monkeypatch.setattr(report_pictures, "_DPI", 40)


@pytest.fixture
def quick(monkeypatch):
    """One small picture in place of all: drawing takes most of the time of these tests."""
    from sim3d.report import pictures as report_pictures

    stream = io.BytesIO()
    matplotlib.image.imsave(stream, np.eye(8), format="png")
    monkeypatch.setattr(report_pictures, "png", lambda make: stream.getvalue())


def check(text, beside=()):
    """A page that parses, with every picture whole, nothing from elsewhere but files ``beside`` it, no dead link."""
    page = Page(text)
    assert page.links
    for link in page.links:
        here = link.startswith("#") and link[1:] in page.ids
        assert link.startswith("data:") or here or link in beside
    assert len(set(page.ids)) == len(page.ids)
    assert "script" not in page.tags
    assert not re.search(r"url\(|@import|https?://", text)
    for image in page.images:
        assert len(image["alt"]) > 20
        kind, data = image["src"].split(",", 1)
        assert kind == "data:image/png;base64"
        pixels = matplotlib.image.imread(io.BytesIO(base64.b64decode(data, validate=True)), format="png")
        assert pixels.shape[:2] == (int(image["height"]), int(image["width"]))
        assert np.ptp(pixels[..., :3]) > 0.5
    return page


def test_a_full_page(known):
    text, skipped = report.build(known.result, known.path, COARSE)
    page = check(text)
    assert skipped == []
    # per site: precision, spectra, ratios, zenith, azimuth, asymmetry, cutoffs; and two beside FLUKA's table
    assert len(page.images) == 2 * 7 + 2
    assert page.ids == [
        "site-kamioka", "site-sno", "precision", "references", "repeat", "configuration", "provenance"
    ]  # fmt: skip
    assert 'name="viewport" content="width=device-width, initial-scale=1"' in text
    assert "prefers-color-scheme: dark" in text
    assert "@media print" in text
    for words in (
        "IGRF-14",
        "Precision reached",
        "Tserkovnyak et al.",
        "Lipari",
        "unchanged since it was written",
        "Median ratio",
    ):
        assert words in page.text
    assert known.path.parent.as_posix() not in text.replace("checksums", "").split("Provenance")[0]


def test_a_site_that_is_in_no_table(fake_result, tmp_path):
    """Nothing is compared; equal results give equal pages."""
    text, skipped = report.build(fake_result(sites=("ino",)), tmp_path / "run.h5", COARSE)
    assert report.build(fake_result(sites=("ino",)), tmp_path / "run.h5", COARSE) == (text, skipped)
    page = check(text)
    assert len(page.images) == 7
    assert skipped == ["comparison with FLUKA's table: the run has no site kamioka"]
    assert "references" not in page.ids
    assert "Tserkovnyak et al. and Lipari" not in page.text
    assert "nothing to compare" not in page.text


def test_without_a_single_hit(fake_result, tmp_path):
    result = fake_result(sites=("kamioka",), empty_above=0.01)
    text, skipped = report.build(result, tmp_path / "run.h5", COARSE)
    page = check(text)
    assert len(page.images) == 0
    assert "figures of kamioka: not once did a neutrino cross the patch of kamioka" in skipped
    assert any(line.startswith("precision of kamioka") for line in skipped)
    assert "no hits" in page.text


def test_one_flavour_without_hits_and_few_of_the_others(fake_result, tmp_path):
    result = fake_result(sites=("kamioka",), empty_above=0.6, batches=2, without=("nuebar",))
    page = check(report.build(result, tmp_path / "run.h5", COARSE)[0])
    assert len(page.images) == 9


def test_what_is_wrong_with_a_run_is_said_first(known, fake_result, quick):
    record = fake_result.record(field={"cutoff": False})
    done = np.arange(12) < 8
    record = dataclasses.replace(record, batches_done=done, provenance={"failure": "disk <full>"})
    text, _ = report.build(Result(record), known.path, COARSE)
    check(text)
    head = text[text.index("<header>") : text.index("</header>")]
    assert "The run is not finished: 8 of 12 batches are in it" in head
    assert "disk &lt;full&gt;" in head
    assert "this run let every primary in" in head


def test_place_dates_cutoff_and_spectrum_come_first(known, quick):
    """Before the first picture: place, vertical cutoff, date of the field, Sun; and that picture is the spectrum."""
    text, _ = report.build(known.result, known.path, COARSE)
    first = text.index("<img ")
    for words in ("36.40° N, 137.30° E", "Vertical cutoff", "IGRF-14 of 2020-01-01", "Sun", "Primaries"):
        assert text.index(words) < first
    page = check(text)
    assert page.images[0]["alt"].startswith("Energy spectra")
    assert text.index('id="site-kamioka"') < text.index('id="precision"') < text.index('id="provenance"')


def test_the_configuration_can_be_copied(known, quick):
    """What stands on the page, read as TOML, is the configuration of the run; so is the one with every key."""
    import tomllib

    from sim3d.config.load import make_config

    page = check(report.build(known.result, known.path, COARSE)[0])
    given, every = [block for block in page.blocks if "[run]" in block and "[[sites]]" in block]
    for block in (given, every):
        assert make_config(tomllib.loads(block)) == known.result.record.config
    assert len(every) > 2 * len(given)


def test_tables_beside_the_page_are_linked(known, quick):
    from sim3d.report.about import tables_beside
    from sim3d.results.metadata import write_metadata

    folder = known.path.parent
    table = folder / "kamioka-aa.d"
    table.write_text("numbers\n", encoding="utf-8")
    result = Result(known.result.record, known.path)
    assert tables_beside(folder, result) == []
    write_metadata(result, "kamioka", folder, [table])
    found = tables_beside(folder, result)
    assert [path.name for path in found] == ["kamioka.meta.json", "kamioka-aa.d"]
    text, _ = report.build(result, known.path, COARSE, tables=found)
    check(text, beside=[path.name for path in found])
    # tables of another result are not those of this page
    other = Result(dataclasses.replace(known.result.record, provenance={}), known.path.with_name("missing.h5"))
    assert tables_beside(folder, other) == []


def test_provenance_is_folded(known, quick):
    text, _ = report.build(known.result, known.path, COARSE)
    section = text[text.index('id="provenance"') :]
    assert section.index("<details>") < section.index("<table")


def without_east_west(fake_result, sign):
    """A result of an unknown site with the flux lowest from the west (-1) or the same from all sides (0)."""
    from sim3d.conventions.binning import COS_EDGES, ENERGY_EDGES_GEV

    energy = np.sqrt(ENERGY_EDGES_GEV[:-1] * ENERGY_EDGES_GEV[1:])
    sine = np.sin(np.radians(np.arange(12) * 30.0 + 15.0))
    flux = 100.0 * energy[None, :, None, None] ** -3 * np.ones((4, 1, len(COS_EDGES) - 1, 1)) * (1 - 0.3 * sign * sine)
    return fake_result(sites=("ino",), flux=flux, noise=0.3)


def test_captions_state_what_the_numbers_show(fake_result):
    """The usual sentence is true of the made-up result of Kamioka, false of a site with the effect turned round."""
    from sim3d.report import captions

    usual = fake_result(sites=("kamioka",))
    assert "lowest from the east (0." in captions.azimuth_caption(usual, "kamioka")
    assert "highest from the west (1." in captions.azimuth_caption(usual, "kamioka")
    assert "Tserkovnyak" in captions.asymmetry_caption(usual, "kamioka")
    turned = without_east_west(fake_result, -1)
    assert "lowest from the west (0." in captions.azimuth_caption(turned, "ino")
    assert "from the east (1." in captions.azimuth_caption(turned, "ino")
    assert "Tserkovnyak" not in captions.asymmetry_caption(turned, "ino")
    flat = without_east_west(fake_result, 0)
    assert "no quarter of the compass differs" in captions.azimuth_caption(flat, "ino")
    assert "None differs from 0" in captions.asymmetry_caption(flat, "ino")
    value, error = captions.quarters(usual, "kamioka")
    # mean of 1 - a sin over a quarter is 1 -+ a 2 sqrt(2) / pi, with the bins of 30 degrees shared at 45 degrees
    mean = np.average([0.22, 0.32, 0.39, 0.15], weights=[280, 270, 140, 125]) * np.pi / 2
    assert value[1] == pytest.approx(1 - mean * 2 * np.sqrt(2) / np.pi, abs=0.02)
    assert value[0] == pytest.approx(1.0, abs=4 * error[0])


def test_caption_of_the_cutoff_map():
    from geomag.cutoffs.whole_sky import WholeSky
    from sim3d.report.captions import cutoff_caption

    cosines, bearings = np.array([-0.75, -0.25, 0.25, 0.75]), np.arange(5.0, 360.0, 10.0)
    for peak, words in ((90.0, "highest from the east"), (225.0, "highest from the south-west")):
        cutoff = 10.0 + 5.0 * np.cos(np.radians(bearings - peak)) * np.ones((4, 1))
        sky = WholeSky(cosines, bearings, cutoff, cutoff, cutoff, 0, 0.1)
        assert words in cutoff_caption("X", sky)
    flat = np.full((4, 36), 3.0)
    assert "3.0 GV from all sides" in cutoff_caption("X", WholeSky(cosines, bearings, flat, flat, flat, 0, 0.1))


def test_texts_are_escaped(known, quick):
    path = known.path.with_name('a<b>&"c.h5')
    page = check(report.build(known.result, path, COARSE)[0])
    assert 'Report of a<b>&"c.h5' in page.text
    assert "Kamioka and SNO: atmospheric neutrino fluxes" in page.text
    assert report_page.html.table(["<x>"], [["&"]]).count("&lt;x&gt;") == 1


def test_errors_of_decades(fake_result):
    result = fake_result(sites=("ino",), noise=0.0, empty_above=150.0)
    errors = report.decade_errors(result, "ino")
    assert errors[:, :4] == pytest.approx(0.0, abs=1e-12)
    assert np.isnan(errors[:, 4]).all()


def test_command(known, fake_result, capsys, quick):
    folder = known.path.parent / "new"
    arguments = ["report", str(known.path), "-o", str(folder), "--sky-cell", "45", "--step", "5"]
    assert cli.main([*arguments, "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    path = folder / "run-report.html"
    assert document == {"file": str(path), "bytes": path.stat().st_size, "skipped": []}
    check(path.read_text(encoding="utf-8"))
    fake_result.write(known.path, sites=("sno",))
    assert cli.main(arguments) == 0
    shown = capsys.readouterr()
    assert shown.out == f"{path}\n"
    assert "sim3d: note: not in the report: comparison with FLUKA's table" in shown.err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--step", "0"], "--step: 0.0, allowed: 0.001 to 10 GV"),
        (["--sky-cell", "0"], "--sky-cell: 0.0, allowed: 0.5 to 45 degrees"),
    ],
)
def test_wrong_input(known, capsys, arguments, message):
    folder = known.path.parent / "new"
    assert cli.main(["report", str(known.path), "-o", str(folder), *arguments]) == 2
    assert capsys.readouterr().err == f"sim3d: error: {message}\n"
    assert not folder.exists()


@pytest.mark.parametrize("done", [0, 30])
def test_a_real_file_without_a_hit(tmp_path, capsys, done, quick):
    """Also the file of a run that has only begun."""
    from geomag.field.igrf import FieldModel
    from sim3d.config.load import make_config
    from sim3d.files.record import RunRecord, make_tally
    from sim3d.files.result_file import write_result
    from sim3d.sampling.counters import COUNTERS
    from sim3d.simulation.setup import make_detector

    tables = [{"name": "kamioka"}, {"name": "here", "lat": -10, "lon": 20}]
    config = make_config({"run": {"primaries": 300, "batch_size": 10}, "sites": tables})
    detectors = tuple(make_detector(table, FieldModel("2020-01-01", 10)) for table in config.sites)
    tallies = [make_tally(config, detector) for detector in detectors]
    begun = np.arange(30) < done
    record = RunRecord(config, detectors, tallies, dict.fromkeys(COUNTERS, 0), begun, {}, {"host": "x"})
    write_result(record, tmp_path / "run.h5")
    assert cli.main(["report", str(tmp_path / "run.h5"), "--sky-cell", "45", "--step", "5"]) == 0
    shown = capsys.readouterr()
    assert "figures of here: not once did a neutrino cross the patch of here" in shown.err
    page = check((tmp_path / "run-report.html").read_text(encoding="utf-8"))
    assert ("0 of 30 batches are in it" in page.text) == (done == 0)
    assert "unchanged since it was written" in page.text
    assert cli.main(["figures", str(tmp_path / "run.h5"), "--only", "paper-energy", "--only", "fluka-ratio"]) == 0
    shown = capsys.readouterr()
    assert shown.out == f"{tmp_path / 'captions.md'}\n"
    assert "paper-energy-here not made" in shown.err


def test_style_of_the_report_leaves_that_of_figures_alone():
    assert style.RC["savefig.dpi"] == 200
