"""The description that lies beside the tables of a site."""

import hashlib
import json

from sim3d.results.metadata import case_of_result, case_of_table, site_metadata, write_metadata
from sim3d.results.result import load
from sim3d.results.tables import write_csv_tables, write_honda_tables


def test_place_models_quality_and_checksums(known, tmp_path):
    result = load(known.path)
    files = [path for path in write_honda_tables(result, tmp_path) if path.name.startswith("sno-")]
    path = write_metadata(result, "sno", tmp_path, files)
    document = json.loads(path.read_text())
    assert path.name == "sno.meta.json"
    assert document["site"]["latitude_deg"] == known.result.sites["sno"].lat_deg
    assert document["field_date"] == "2020-01-01"
    assert document["quality"]["primaries"] == document["primaries"] == 1000
    assert document["result"]["name"] == known.path.name
    sums = {one["name"]: one["sha256"] for one in document["files"]}
    assert sums == {one.name: hashlib.sha256(one.read_bytes()).hexdigest() for one in files}
    holds = {one["name"]: one["holds"] for one in document["files"]}
    assert holds["sno-honda-aa.err.d"].startswith("statistical errors")


def test_tables_of_other_formats_stay_listed(known, tmp_path):
    write_metadata(
        known.result, "sno", tmp_path, [tmp_path / p.name for p in write_honda_tables(known.result, tmp_path)]
    )
    csv = [path for path in write_csv_tables(known.result, tmp_path) if path.name.startswith("sno-")]
    document = json.loads(write_metadata(known.result, "sno", tmp_path, csv).read_text())
    names = [one["name"] for one in document["files"]]
    assert names[:2] == ["sno-aa.csv", "sno-azimuth.csv"]
    assert "sno-honda-aa.d" in names
    (tmp_path / "sno-honda-aa.d").unlink()
    assert "sno-honda-aa.d" not in write_metadata(known.result, "sno", tmp_path, csv).read_text()


def test_a_result_in_memory_has_no_checksums(fake_result):
    document = site_metadata(fake_result(sites=("ino",), batches=2), "ino")
    assert document["result"] == {}
    json.dumps(document, allow_nan=False)


def test_the_case_of_a_table_is_that_of_its_result(known, tmp_path):
    files = [path for path in write_honda_tables(known.result, tmp_path) if path.name.startswith("sno-")]
    assert case_of_table(files[0]) == {}
    write_metadata(known.result, "sno", tmp_path, files)
    case = case_of_result(known.result, "sno")
    assert case["place"] == "36.40° N, 137.30° E"
    assert case["field"] == "IGRF-14 of 2020-01-01"
    assert case_of_table(files[0]) == case
    assert case_of_table(tmp_path / "kamioka-honda-aa.d") == {}
    (tmp_path / "sno.meta.json").write_text("{}")
    assert case_of_table(files[0]) == {}
