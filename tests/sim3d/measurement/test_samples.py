"""Samples from every kind of file, and the message for every wrong value: column and row."""

import gzip
import json
from types import SimpleNamespace

import h5py
import numpy as np
import pandas as pd
import pytest
import simweights

from sim3d.errors import InputError
from sim3d.measurement.samples import Sample, read_sample, sample_of_frame, sample_of_weighter

MAPPING = {"trueE": 0, "zen": 1, "id": 2, "topology": 3, "gen": 4}
EVENTS = [[1e5, 0.2, 14, 0, 2.0], [2e6, 3.0, -12, 1, 4.0], [7e4, 1.5, 12, 1, 5.0]]
NAMES = {"energy_GeV": "trueE", "zenith_rad": "zen", "pdg": "id", "generated": "gen"}


def check(sample):
    assert len(sample) == 3
    assert sample.role("energy_GeV").tolist() == [1e5, 2e6, 7e4]
    np.testing.assert_allclose(sample.role("cos_zenith"), np.cos([0.2, 3.0, 1.5]))
    assert sample.role("pdg").tolist() == [14, -12, 12]
    assert sample["topology"].tolist() == [0, 1, 1]
    # per m^2 from per cm^2
    np.testing.assert_allclose(sample.per_flux(), 1e-4 / np.array([2.0, 4.0, 5.0]))


def csv_text():
    rows = [",".join(f"{x:.17g}" for x in event) for event in EVENTS]
    return "# a comment\n" + ",".join(MAPPING) + "\n" + "\n".join(rows) + "\n"


def test_json_of_the_seed(tmp_path):
    path = tmp_path / "sim.json"
    path.write_text(json.dumps({"mapping": MAPPING, "events": EVENTS}))
    check(read_sample(path, NAMES))


def test_csv(tmp_path):
    path = tmp_path / "sim.csv"
    path.write_text(csv_text())
    check(read_sample(path, NAMES))
    packed = tmp_path / "sim.csv.gz"
    packed.write_bytes(gzip.compress(csv_text().encode()))
    check(read_sample(packed, NAMES))
    path.write_text("E,topology\n1e5,track\n2e5,cascade\n")
    assert read_sample(path)["topology"].tolist() == ["track", "cascade"]


def test_hdf5(tmp_path):
    columns = dict(zip(MAPPING, np.array(EVENTS).T, strict=True))
    with h5py.File(tmp_path / "sim.h5", "w") as file:
        for name, values in columns.items():
            file[f"events/{name}"] = values
        kinds = [(name, float) for name in MAPPING]
        file["table"] = np.array([tuple(event) for event in EVENTS], dtype=kinds)
    check(read_sample(tmp_path / "sim.h5", NAMES, group="events"))
    check(read_sample(tmp_path / "sim.h5", NAMES, group="table"))
    with pytest.raises(InputError, match=r"has no 'nothing'; it has events, table"):
        read_sample(tmp_path / "sim.h5", group="nothing")


def test_pandas():
    frame = pd.DataFrame(EVENTS, columns=list(MAPPING))
    check(sample_of_frame(frame, NAMES))
    frame["kind"] = ["a", "b", "c"]
    assert sample_of_frame(frame, NAMES)["kind"].tolist() == ["a", "b", "c"]


def test_simweights():
    """The weight for a flux is the one that simweights gives."""
    rng = np.random.default_rng(1)
    n = 500
    law = simweights.PowerLaw(-2, 1e4, 1e7, "energy")
    disc = simweights.CircleInjector(500.0, -1.0, 1.0, "cos_zen")
    events = simweights.Weighter([], n * simweights.generation_surface(14, law, disc))
    events.add_weight_column("pdgid", np.full(n, 14))
    events.add_weight_column("energy", law.ppf(rng.random(n)))
    events.add_weight_column("cos_zen", rng.uniform(-1.0, 1.0, n))
    sample = sample_of_weighter(events, {"azimuth_deg": rng.uniform(0, 360, n)})

    def model(energy):
        return 2.06e-18 * (energy / 1e5) ** -2.46

    # per cm^2 in simweights, per m^2 here
    ours = sample.per_flux() * 1e4 * model(sample.role("energy_GeV"))
    np.testing.assert_allclose(ours, events.get_weights(model(sample.role("energy_GeV"))), rtol=1e-12)
    assert sample.has("azimuth_deg")


def test_azimuth_conventions():
    given = {"energy_GeV": [1.0, 1.0], "compass": [90.0, 270.0]}
    # arrival from the east, then from the west
    assert Sample(given, {"azimuth_from_north_deg": "compass"}).role("azimuth_deg").tolist() == [90.0, 270.0]
    assert Sample({"a": [np.pi]}, {"azimuth_rad": "a"}).role("azimuth_deg") == pytest.approx([180.0])


def test_selection():
    sample = Sample({"energy_GeV": [1.0, 2.0, 3.0], "kind": ["a", "b", "c"]})
    part = sample.select(sample.role("energy_GeV") > 1.5)
    assert (len(part), part["kind"].tolist(), part.role("energy_GeV").tolist()) == (2, ["b", "c"], [2.0, 3.0])


@pytest.mark.parametrize(
    ("columns", "names", "message"),
    [
        ({"E": [1.0, -2.0]}, {"energy_GeV": "E"}, "sample: column 'E', row 2: -2.0, allowed: above 0"),
        ({"E": [1.0, np.nan]}, {"energy_GeV": "E"}, "sample: column 'E', row 2: nan, allowed: a finite number"),
        ({"cos_zenith": [0.1, 1.2]}, {}, "sample: column 'cos_zenith', row 2: 1.2, allowed: -1 to 1"),
        ({"z": [0.1, 3.2]}, {"zenith_rad": "z"}, "sample: column 'z', row 2: 3.2, allowed: 0 to pi"),
        ({"pdg": [14, 13]}, {}, "sample: column 'pdg', row 2: 13.0, allowed: 12, -12, 14, -14, 16, -16"),
        ({"g": [1.0, 0.0]}, {"generated": "g"}, "sample: column 'g', row 2: 0.0, allowed: above 0"),
        ({"E": ["1", "x"]}, {"energy_GeV": "E"}, "sample: column 'E', row 2: 'x', allowed: a finite number"),
        ({"a": [1.0], "b": [1.0, 2.0]}, {}, "sample: column 'b' has 2 rows, the first column 1"),
        ({"a": [1.0]}, {"energy_GeV": "E"}, "sample: has no column 'E'; it has a"),
        ({"a": [1.0]}, {"energy": "a"}, "sample: names: 'energy' is no role; allowed: energy_GeV"),
        ({"a": [[1.0]]}, {}, "sample: column 'a' has 2 dimensions"),
        ({"weight": [1.0, -1.0]}, {}, "sample: column 'weight', row 2: -1.0, allowed: 0 or more"),
        ({"a": np.ma.array([1.0, 2.0], mask=[0, 1])}, {}, "sample: column 'a', row 2: 'masked', allowed: a value"),
        (
            {"cos_zenith": [1.0, 0.5], "zenith_deg": [0.0, 10.0]},
            {},
            "sample: row 2: zenith_deg and cos_zenith are two directions",
        ),
        ({"azimuth_deg": [10.0], "azimuth_from_north_deg": [10.0]}, {}, "sample: row 1: azimuth_from_north_deg and"),
    ],
)
def test_bad_columns(columns, names, message):
    with pytest.raises(InputError) as caught:
        Sample(columns, names)
    assert str(caught.value).startswith(message)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ("{", "no JSON"),
        ([], "needs {"),
        ('{"mapping": {"E": 0, "E": 1}, "events": [[1, 2]]}', "the name 'E' is there twice"),
        ('{"mapping": {"E": 0}, "events": [[1], [1' + "0" * 400 + "]]}", "column 'E', row 2: too large for a number"),
        ({"mapping": {"E": 0.5}, "events": []}, "mapping 'E': 0.5, allowed: the number of a column"),
        ({"mapping": {"E": 1}, "events": [[1, 2], [1]]}, "row 2: has 1 columns, the mapping needs 2"),
        ({"mapping": {"E": 0}, "events": [[1], [None]]}, "column 'E', row 2: None, allowed: a number"),
        ({"mapping": {"E": 0}, "events": [[1], ["x"]]}, "column 'E', row 2: 'x', allowed: a number"),
    ],
)
def test_bad_json(tmp_path, data, message):
    path = tmp_path / "x.json"
    path.write_text(data if isinstance(data, str) else json.dumps(data))
    with pytest.raises(InputError) as caught:
        read_sample(path)
    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "has no row of column names"),
        ("a,a\n1,2\n", "line 1: every column needs a name of its own"),
        ("#c\na,b\n1,2\n3\n", "row 2 (line 4): has 1 columns, the first line 2"),
        ("a,b\n1,2\n3,x\n", "column 'b', row 2 (line 3): 'x', allowed: a number"),
    ],
)
def test_bad_csv(tmp_path, text, message):
    path = tmp_path / "x.csv"
    path.write_text(text)
    with pytest.raises(InputError) as caught:
        read_sample(path)
    assert message in str(caught.value)


def test_bad_files(tmp_path):
    with pytest.raises(InputError, match=r"a file \.json"):
        read_sample(tmp_path / "x.i3")
    (tmp_path / "x.h5").write_text("no")
    with pytest.raises(InputError, match="cannot be read as HDF5"):
        read_sample(tmp_path / "x.h5")
    with pytest.raises(InputError, match="no such file"):
        read_sample(tmp_path / "y.h5")
    with pytest.raises(InputError, match="no column for 'generated'"):
        Sample({"a": [1.0]}).per_flux()
    with pytest.raises(InputError, match="frame: 'list', allowed: a pandas frame"):
        sample_of_frame([1.0])
    with pytest.raises(InputError, match="weighter: 'list', allowed"):
        sample_of_weighter([1.0])
    with pytest.raises(InputError, match=r"a mask of \(3,\) for 1 rows"):
        Sample({"a": [1.0]}).select(np.ones(3, dtype=bool))
    assert len(Sample({"a": [1.0]}).select([])) == 0


@pytest.mark.parametrize("bad", [np.nan, -1.0])
def test_a_weighter_with_a_bad_weight(bad):
    """Refused with its row; it was taken for a weight of 0."""
    weighter = SimpleNamespace(
        get_weights=lambda flux: np.array([1.0, bad]),
        get_weight_column=lambda name: np.full(2, {"pdgid": 14}.get(name, 0.5)),
    )
    with pytest.raises(InputError, match=r"weighter: weight of row 2"):
        sample_of_weighter(weighter)


def test_one_direction_in_two_columns():
    """The same direction twice is fine, to rounding, also across a turn."""
    sample = Sample({"cos_zenith": [0.5], "zenith_deg": [60.0], "azimuth_deg": [359.9999], "azimuth_rad": [0.0]})
    assert sample.role("cos_zenith")[0] == 0.5
