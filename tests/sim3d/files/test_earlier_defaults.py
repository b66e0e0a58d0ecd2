"""What earlier versions left unset in a stored configuration is read as what it stood for then."""

import json

import h5py
import pytest

from sim3d.config.load import make_config
from sim3d.errors import InputError
from sim3d.files.checksums import seal_in_place
from sim3d.files.earlier_defaults import stated
from sim3d.files.result_file import read_result
from sim3d.results.metadata import case_of_result
from sim3d.results.result import Result
from sim3d.results.tables import table_of_result
from sim3d.results.words import sun_in_words
from sim3d.simulation.calibrated import run_values
from sim3d.simulation.checkpoint import difference, resume_point
from sim3d.simulation.merge import merge_files

WORDS = "1997-07: 563 MV"


@pytest.mark.parametrize(
    ("before", "attributes", "after"),
    [
        ({"solar": None, "solar_potential_MV": None}, {}, ("fit", None)),
        ({"solar": None, "solar_potential_MV": 700.0}, {}, (None, 700.0)),
        ({"solar": "min", "solar_potential_MV": None}, {}, (None, 491.0)),
        ({"solar": "max", "solar_potential_MV": None}, {}, (None, 1109.0)),
        ({"solar": "min", "solar_potential_MV": None}, {"solar_modulation": WORDS}, ("min", None)),
        ({"solar": "date", "solar_potential_MV": None}, {"solar_modulation": WORDS}, ("date", None)),
        ({"solar": "fit", "solar_potential_MV": None}, {}, ("fit", None)),
    ],
)
def test_the_sun(before, attributes, after):
    """Unset was "fit", the names were potentials; those of today have words beside them."""
    primaries = stated({"primaries": before}, attributes, {})["primaries"]
    assert (primaries["solar"], primaries["solar_potential_MV"]) == after


@pytest.mark.parametrize("definition", ["printed", "balanced"])
def test_the_definition(definition):
    """From the attribute; a model without definitions keeps none."""
    attributes = {"hadronic_definition": definition}
    found = stated({"hadronic": {"model": "fluka-z", "definition": None}}, attributes, {})
    assert found["hadronic"]["definition"] == definition
    table = {"model": "pythia8", "definition": None}
    assert stated({"hadronic": table}, {"hadronic_definition": "generator"}, {})["hadronic"] == table


def test_the_calibration():
    """Without a table a run had none; what a table says stays."""
    assert stated({}, {}, {})["calibration"] == {"name": "none"}
    for keys in ({"name": "muons-2026", "file": None}, {"name": "none", "file": "own.h5"}):
        assert stated({"calibration": keys}, {}, {})["calibration"] == keys


def test_altitudes():
    """Of the detector in the file; those of a surface stay with it, and what is stated stays."""
    sites = [
        {"name": "kamioka", "altitude_m": None, "surface": None},
        {"name": "sno", "altitude_m": None, "surface": "hill.csv"},
        {"name": "ino", "altitude_m": 5.0},
    ]
    found = stated({"sites": sites}, {}, {"kamioka": 0.0, "sno": 300.0, "ino": 5.0})
    assert [site["altitude_m"] for site in found["sites"]] == [0.0, None, 5.0]
    assert sites[0]["altitude_m"] is None, "the argument is left as it is"


@pytest.mark.parametrize("broken", [{}, {"primaries": 3, "sites": 4, "hadronic": []}, {"sites": [1, {"name": 2}]}])
def test_what_is_no_configuration_is_left_to_its_check(broken):
    assert stated(broken, {}, {}).keys() == broken.keys() | {"calibration"}


def test_a_file_of_before(fake_result, tmp_path):
    """Read, it says what the run was made with; today's configuration of the same words is another one."""
    path = fake_result.write(tmp_path / "old.h5", sites=("kamioka",), hadronic={"model": "fluka-z"})
    with h5py.File(path, "r+") as file:
        config = json.loads(file.attrs["config_json"])
        config["primaries"] |= {"solar": "max", "solar_potential_MV": None, "model": "ghls2001-average"}
        config["primaries"]["energy_GeV"] = [0.5, 1.0e6]
        config["hadronic"]["definition"] = None
        config["sites"][0] |= {"altitude_m": None, "lat": None, "lon": None}
        file.attrs["config_json"] = json.dumps(config)
        file.attrs["hadronic_definition"] = "printed"
        file.attrs["solar_potential_MV"] = 1109.0
    seal_in_place(path)
    record = read_result(path)
    assert record.config.primaries.potential == 1109.0
    assert record.config.hadronic.definition == "printed"
    assert record.config.sites[0].altitude_m == record.detectors[0].altitude_m == 0.0
    assert sun_in_words(record) == "1109 MV"
    today = make_config(config)
    assert today.primaries.potential == "max"
    assert today.hadronic.definition == "balanced"
    assert today.sites[0].altitude_m == 1370.0


def test_a_file_without_a_calibration(fake_result, tmp_path):
    """It is of the models alone; today's default is another run, which does not go on from it or merge with it."""
    old = fake_result.write(tmp_path / "old.h5", sites=("kamioka",))
    with h5py.File(old, "r+") as file:
        config = json.loads(file.attrs["config_json"])
        del config["calibration"]
        file.attrs["config_json"] = json.dumps(config)
    seal_in_place(old)
    record = read_result(old)
    assert record.config.calibration.name == "none"
    assert run_values(record.config) == {}
    today = make_config(config)
    assert today.calibration.name == "muons-2026"
    with pytest.raises(
        InputError, match=r"^calibration.name: is 'muons-2026' now and was 'none' in .*old.h5"
    ) as problem:
        resume_point(old, today, record.models, record.detectors)
    assert "\n" not in str(problem.value)
    plain = make_config({**config, "calibration": {"name": "none"}})
    assert difference(record.config, {}, record.detectors, plain, {}, record.detectors) is None
    new = fake_result.write(tmp_path / "new.h5", sites=("kamioka",), calibration={"name": "muons-2026"})
    with pytest.raises(InputError, match=r"calibration.name"):
        merge_files([old, new])
    one, other = (Result(read_result(path), path) for path in (old, new))
    assert case_of_result(one, "kamioka")["calibration"] == "none"
    assert "though muons-2026 is of these models" in table_of_result(one, "kamioka").note
    assert "calibrated to muons: muons-2026, the default" in table_of_result(other, "kamioka").note
