"""Configurations: good ones are kept, bad ones end in one line that names the key (never in another exception)."""

import copy
import datetime
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from sim3d.config.load import load_config, make_config
from sim3d.config.schema import Config, Patch
from sim3d.errors import InputError, is_input_error
from sim3d.simulation.setup import make_setup

VALID = {
    "run": {"seed": 3, "primaries": 50_000, "batch_size": 5000},
    "primaries": {"model": "ghls2001-high", "solar": "max", "energy_GeV": [1.0, 1e4], "energy_index": 2.0},
    "field": {"date": "1995-06-01", "degree": 10, "cutoff": True},
    "atmosphere": {"model": "us-standard"},
    "hadronic": {"model": "fluka-z"},
    "transport": {"step_km": 1.0, "bending": True, "transverse": True},
    "sampling": {"mode": "analog", "thinning": 10.0},
    "sites": [
        {"name": "kamioka", "patch": {"ns_deg": 10, "ew_deg": 40}},
        {"name": "mine", "lat": -30.5, "lon": 18.0, "altitude_m": 1200.0, "patch": {"radius_deg": 1.0}},
    ],
    "scoring": {"azimuth_bins": 12, "energy_min_GeV": 0.3},
}
EXAMPLES = Path(__file__).parents[3] / "examples"


def changed(*path_and_value):
    """A copy of the valid configuration with one value replaced."""
    *path, value = path_and_value
    data = copy.deepcopy(VALID)
    target = data
    for key in path[:-1]:
        target = target.setdefault(key, {}) if isinstance(key, str) else target[key]
    target[path[-1]] = value
    return data


def problem(data):
    """The one line of the error that ``data`` must give."""
    with pytest.raises(InputError) as caught:
        make_config(data)
    message = str(caught.value)
    assert "\n" not in message
    return message


def test_a_valid_configuration_keeps_its_values():
    """And gives back an equal one from its own JSON, as the result file stores it."""
    config = make_config(VALID)
    assert config.run.seed == 3
    assert config.primaries.potential == "max"
    assert config.sites[1].lat == -30.5
    assert config.sites[0].patch.ew_deg == 40
    assert config.n_batches == 10
    assert Config.model_validate(config.model_dump(mode="json")) == config


def test_defaults():
    """A site alone is a configuration; the date is fixed, never today."""
    config = make_config({"sites": [{"name": "SNO"}]})
    assert config.sites[0].name == "sno"
    assert config.field.date == "2020-01-01"
    assert config.sampling.mode == "targeted"
    assert config.sites[0].patch == Patch(ns_deg=2.0, ew_deg=2.0)
    assert config.transport.bending
    assert config.primaries.model == "gsf:2026.1"
    assert config.primaries.solar == config.primaries.potential == "date"
    assert config.hadronic.model == "accelerator"
    assert config.hadronic.definition is None


def test_altitudes_are_stated():
    """Of the surface above a known site; sea level for an own place; what is given, 0 too; a file knows its own."""
    own = {"name": "kamioka2", "lat": 36.4, "lon": 137.3}
    sites = [{"name": "southpole"}, {"name": "ORCA"}, own, {**own, "name": "kamioka"}, {"name": "sno", "altitude_m": 0}]
    config = make_config({"sites": [*sites, {"name": "frejus", "surface": "mountain.csv"}]})
    assert [site.altitude_m for site in config.sites] == [2835.0, 0.0, 0.0, 0.0, 0.0, None]
    assert make_config({"sites": [{"name": "nowhere"}]}).sites[0].altitude_m == 0.0
    # what is stated by default is not written into a configuration file
    assert "altitude_m" not in config.model_dump(exclude_unset=True)["sites"][0]
    assert Config.model_validate(config.model_dump(mode="json")) == config


def test_modulation_and_definition_are_stated():
    """So that a result says what it was made with; a potential in MV is no date."""
    site = [{"name": "sno"}]
    given = make_config({"sites": site, "primaries": {"solar_potential_MV": 700.0}, "hadronic": {"model": "fluka-z"}})
    assert given.primaries.solar is None
    assert given.primaries.potential == 700.0
    assert given.hadronic.definition == "balanced"
    tuned = {"model": "muon-tuned", "definition": "printed"}
    assert make_config({"sites": site, "hadronic": tuned}).hadronic.definition == "printed"
    assert Config.model_validate(given.model_dump(mode="json")) == given


def test_all_gradients_of_the_model():
    """`true` leaves out the angles of models that have tables of them; a list is taken as it is."""
    site = [{"name": "sno"}]
    tables = make_config({"sites": site, "scoring": {"gradients": True}})
    formula = make_config({"sites": site, "scoring": {"gradients": True}, "hadronic": {"model": "fluka-z"}})
    assert set(formula.scoring.parameters) - set(tables.scoring.parameters) == {"angle:pion"}
    asked = make_config({"sites": site, "scoring": {"gradients": ["angles"]}})
    assert asked.scoring.parameters == ("angle:pion",)


def test_the_default_patch_follows_the_mode():
    """A true site for the targeted mode, the paper's large detector for the analog one; a given patch stays."""
    site = {"name": "a", "lat": 0, "lon": 0}
    own = {**site, "name": "b", "patch": {"radius_deg": 3}}
    config = make_config({"sampling": {"mode": "analog"}, "sites": [site, own]})
    assert config.thinning == 10.0
    targeted = make_config({"sites": [site]})
    assert targeted.thinning == 2.0
    assert make_config(targeted.model_dump(mode="json")) == targeted
    assert [s.patch for s in config.sites] == [Patch(ns_deg=10.0, ew_deg=40.0), Patch(radius_deg=3.0)]


def test_the_last_primary_rounds_up_to_a_whole_batch():
    """50,001 primaries in batches of 5,000 are eleven batches."""
    assert make_config(changed("run", "primaries", 50_001)).n_batches == 11


@pytest.mark.parametrize("file", sorted(EXAMPLES.glob("*.toml")), ids=lambda p: p.name)
def test_examples_are_valid(file):
    """Every shipped configuration loads and its models exist."""
    assert make_setup(load_config(file)).sites.shape[0] >= 1


BAD = {
    "unknown table": (("transprot", {}), ["transprot", "not a known key"]),
    "unknown key": (("transport", "step", 1.0), ["transport.step", "not a known key", "step_km"]),
    "unknown site key": (("sites", 0, "latitude", 3.0), ["sites[0].latitude", "not a known key"]),
    "unknown patch key": (("sites", 0, "patch", {"side": 3}), ["sites[0].patch.side", "not a known key"]),
    "no primaries": (("run", "primaries", 0), ["run.primaries", "0"]),
    "negative primaries": (("run", "primaries", -5), ["run.primaries", "-5"]),
    "fractional primaries": (("run", "primaries", 1000.5), ["run.primaries"]),
    "no batch": (("run", "batch_size", 0), ["run.batch_size"]),
    "one batch": (("run", "primaries", 5000), ["run.primaries", "run.batch_size"]),
    "negative seed": (("run", "seed", -1), ["run.seed"]),
    "seed too large": (("run", "seed", 2**63), ["run.seed"]),
    "unknown primaries": (("primaries", "model", "polygonato"), ["primaries.model", "ghls2001-average"]),
    "reversed energies": (("primaries", "energy_GeV", [100.0, 1.0]), ["primaries.energy_GeV", "low < high"]),
    "equal energies": (("primaries", "energy_GeV", [10.0, 10.0]), ["primaries.energy_GeV"]),
    "energies too low": (("primaries", "energy_GeV", [0.1, 10.0]), ["primaries.energy_GeV", "0.3"]),
    "energies too high": (("primaries", "energy_GeV", [1.0, 1e9]), ["primaries.energy_GeV", "1e8"]),
    "energies beyond the model": (("primaries", "energy_GeV", [1.0, 1e7]), ["primaries.energy_GeV", "1e+06", "H3a"]),
    "no joint here": (("primaries", "join_GeV", 50.0), ["primaries.join_GeV", "ghls2001"]),
    "joint too low": (("primaries", "join_GeV", 1.0), ["primaries.join_GeV", "10"]),
    "month without NRLMSIS": (("atmosphere", "month", 7), ["atmosphere", "month", "us-standard"]),
    "month of another calendar": (("atmosphere", "month", 13), ["atmosphere.month", "12"]),
    "negative energies": (("primaries", "energy_GeV", [-1.0, 10.0]), ["primaries.energy_GeV"]),
    "NaN energies": (("primaries", "energy_GeV", [float("nan"), 10.0]), ["primaries.energy_GeV"]),
    "one energy": (("primaries", "energy_GeV", [1.0]), ["primaries.energy_GeV"]),
    "three energies": (("primaries", "energy_GeV", [1.0, 2.0, 3.0]), ["primaries.energy_GeV"]),
    "boolean energy": (("primaries", "energy_GeV", [True, 10.0]), ["primaries.energy_GeV"]),
    "index": (("primaries", "energy_index", 9.0), ["primaries.energy_index"]),
    "solar word": (("primaries", "solar", "medium"), ["primaries.solar"]),
    "solar twice": (("primaries", "solar_potential_MV", 500.0), ["primaries", "solar"]),
    "date before the model": (("field", "date", "1899-12-31"), ["field.date", "1900-01-01"]),
    "date after the model": (("field", "date", "2030-01-02"), ["field.date", "2030-01-01"]),
    "date not a date": (("field", "date", "yesterday"), ["field.date", "YYYY-MM-DD"]),
    "impossible date": (("field", "date", "2001-02-29"), ["field.date"]),
    "degree": (("field", "degree", 14), ["field.degree"]),
    "degree zero": (("field", "degree", 0), ["field.degree"]),
    "csv without profile": (("atmosphere", "model", "csv"), ["atmosphere", "profile"]),
    "profile without csv": (("atmosphere", "profile", "a.csv"), ["atmosphere", "csv"]),
    "no step": (("transport", "step_km", 0.0), ["transport.step_km"]),
    "negative step": (("transport", "step_km", -1.0), ["transport.step_km"]),
    "NaN step": (("transport", "step_km", float("nan")), ["transport.step_km"]),
    "infinite step": (("transport", "step_km", float("inf")), ["transport.step_km"]),
    "boolean step": (("transport", "step_km", True), ["transport.step_km", "boolean"]),
    "boolean seed": (("run", "seed", True), ["run.seed", "boolean"]),
    "boolean latitude": (("sites", 1, "lat", False), ["sites[1].lat", "boolean"]),
    "boolean parameter": (("vary", {"solar:MV": True}), ["vary", "boolean"]),
    "boolean bins": (("scoring", "azimuth_bins", True), ["scoring.azimuth_bins", "boolean"]),
    "word for a switch": (("transport", "bending", "sometimes"), ["transport.bending"]),
    "unknown mode": (("sampling", "mode", "guided"), ["sampling.mode", "analog", "rotated"]),
    "rotated with bending": (("sampling", "mode", "rotated"), ["sampling.mode", "transport.bending"]),
    "negative thinning": (("sampling", "thinning", -1.0), ["sampling.thinning"]),
    "no sites": (("sites", []), ["sites", "at least one", "kamioka"]),
    "latitude 95": (("sites", 1, "lat", 95), ["sites[1].lat", "95", "90"]),
    "latitude -90.1": (("sites", 1, "lat", -90.1), ["sites[1].lat"]),
    "NaN latitude": (("sites", 1, "lat", float("nan")), ["sites[1].lat"]),
    "longitude": (("sites", 1, "lon", 400), ["sites[1].lon"]),
    "altitude": (("sites", 1, "altitude_m", 1e5), ["sites[1].altitude_m"]),
    "half a place": (("sites", 1, {"name": "a", "lat": 1.0}), ["sites[1]", "lat", "lon"]),
    "twice the same": (("sites", 1, {"name": "Kamioka"}), ["sites", "kamioka", "twice"]),
    "a path for a name": (("sites", 1, "name", "../etc"), ["sites[1].name"]),
    "nameless": (("sites", 1, {"lat": 1.0, "lon": 1.0}), ["sites[1].name", "missing"]),
    "rectangle past the poles": (("sites", 0, "patch", {"ns_deg": 181, "ew_deg": 4}), ["sites[0].patch", "Earth"]),
    "rectangle round twice": (("sites", 0, "patch", {"ns_deg": 1, "ew_deg": 361}), ["sites[0].patch", "Earth"]),
    "cap larger than the Earth": (("sites", 0, "patch", {"radius_deg": 181}), ["sites[0].patch", "Earth"]),
    "no width": (("sites", 0, "patch", {"ns_deg": 10, "ew_deg": 0}), ["sites[0].patch.ew_deg"]),
    "one side": (("sites", 0, "patch", {"ns_deg": 10}), ["sites[0].patch", "ew_deg"]),
    "two shapes": (("sites", 0, "patch", {"ns_deg": 1, "ew_deg": 1, "radius_deg": 1}), ["sites[0].patch", "either"]),
    "few azimuths": (("scoring", "azimuth_bins", 4), ["scoring.azimuth_bins", "12"]),
    "threshold below the bins": (("scoring", "energy_min_GeV", 0.01), ["scoring.energy_min_GeV"]),
    "a table that is a number": (("run", 3), ["run"]),
    "sites that is a table": (("sites", {"name": "sno"}), ["sites"]),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_configurations(case):
    """One line with the key and what is wrong."""
    path, words = BAD[case]
    message = problem(changed(*path))
    for word in words:
        assert word in message


def test_a_configuration_without_sites_says_so():
    """The empty file."""
    assert "sites" in problem({})


def test_overrides():
    """Command-line values replace those of [run]; None leaves them."""
    config = make_config(VALID, {"primaries": 20_000, "seed": None})
    assert (config.run.primaries, config.run.seed) == (20_000, 3)
    with pytest.raises(InputError, match=r"run\.primaries"):
        make_config(VALID, {"primaries": -1})
    with pytest.raises(InputError, match="run"):
        make_config({**VALID, "run": 3}, {"primaries": 10})


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (changed("sites", 0, {"name": "atlantis"}), ["atlantis", "kamioka", "southpole"]),
        (changed("hadronic", "model", "qgsjet"), ["qgsjet", "fluka-z"]),
        (changed("hadronic", "definition", "some"), ["some", "balanced"]),
        (changed("atmosphere", {"model": "csv", "profile": "no/such.csv"}), ["no/such.csv"]),
    ],
    ids=["site", "hadronic model", "definition", "profile"],
)
def test_what_only_the_models_know(data, words):
    """Names that are looked up when the run is set up: an input error in one line with what is allowed."""
    with pytest.raises(ValueError) as caught:
        make_setup(make_config(data))
    assert is_input_error(caught.value)
    assert "\n" not in str(caught.value)
    for word in words:
        assert word in str(caught.value)


PROFILES = {
    "gap at the ground": "height_km,density_g_cm3\n5,1e-3\n100,1e-9\n",
    "heights that fall": "height_km,density_g_cm3\n0,1e-3\n20,1e-4\n10,1e-5\n100,1e-9\n",
    "heights twice": "height_km,density_g_cm3\n0,1e-3\n0,1e-4\n100,1e-9\n",
    "negative density": "height_km,density_g_cm3\n0,1e-3\n10,-1e-4\n100,1e-9\n",
    "not a number": "height_km,density_g_cm3\n0,1e-3\n10,thin\n100,1e-9\n",
    "NaN": "height_km,density_g_cm3\n0,1e-3\n10,nan\n100,1e-9\n",
    "gap": "height_km,density_g_cm3\n0,1e-3\n100,1e-9\n",
    "one row": "height_km,density_g_cm3\n0,1e-3\n",
    "wrong header": "h,rho\n0,1e-3\n10,1e-4\n",
    "empty": "",
}


@pytest.mark.parametrize("case", PROFILES)
def test_profile_errors_reach_the_user_in_one_line(case, tmp_path):
    """A profile CSV with a gap, or heights out of order, names the file."""
    file = tmp_path / "air.csv"
    file.write_text(PROFILES[case])
    config = make_config(changed("atmosphere", {"model": "csv", "profile": str(file)}))
    with pytest.raises(ValueError) as caught:
        make_setup(config)
    assert is_input_error(caught.value)
    assert "\n" not in str(caught.value)
    assert "air.csv" in str(caught.value)


def test_a_profile_is_found_beside_its_configuration(tmp_path):
    """Relative paths are those of the TOML file's folder, not of the working folder."""
    file = tmp_path / "c.toml"
    file.write_text('[atmosphere]\nmodel = "csv"\nprofile = "air.csv"\n[[sites]]\nname = "sno"\n')
    assert load_config(file).atmosphere.profile == str(tmp_path / "air.csv")


@pytest.mark.parametrize("ends", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_any_marks_and_line_ends(tmp_path, ends, encoding):
    """As Notepad, PowerShell and old editors write them."""
    file = tmp_path / "c.toml"
    text = '# µ\n[run]\nprimaries = 1e3\n[[sites]]\nname = "kamioka"\n'
    file.write_bytes(text.replace("\n", ends).encode(encoding))
    assert load_config(file).run.primaries == 1000


def test_unreadable_files(tmp_path):
    """Missing, a folder, not text, not TOML: one line with the file's name."""
    binary = tmp_path / "b.toml"
    binary.write_bytes(b"\xff\xfe\x00")
    broken = tmp_path / "c.toml"
    broken.write_text("[run\nseed = 1\n")
    for path in (tmp_path / "a.toml", tmp_path, binary, broken):
        with pytest.raises(InputError) as caught:
            load_config(path)
        assert path.name in str(caught.value)
        assert "\n" not in str(caught.value)


@pytest.mark.parametrize("text", ["a = 1" + "0" * 5000, "a = " + "[" * 5000], ids=["long number", "deep list"])
def test_absurd_toml(tmp_path, text):
    """Still an input error that names the file."""
    file = tmp_path / "absurd.toml"
    file.write_text(text)
    with pytest.raises(InputError, match=r"absurd\.toml"):
        load_config(file)


def test_an_integer_too_long_to_print():
    """A number of 5,000 digits is out of range like any other."""
    assert "run.primaries" in problem(changed("run", "primaries", 10**5000))


SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(10**6), 10**6),
    st.integers(-(10**40), 10**40),
    st.floats(),
    st.text(max_size=8),
    st.sampled_from(["kamioka", "rotated", "analog", "min", "csv", "1e3", "2000-01-01", "nan", "us-standard"]),
    st.dates(),
    st.datetimes(),
    st.times(),
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(st.text(max_size=6), inner, max_size=3)),
    max_leaves=6,
)
PATHS = [(table,) for table in VALID]
PATHS += [(table, key) for table, values in VALID.items() if isinstance(values, dict) for key in values]
PATHS += [("sites", i, key) for i in (0, 1) for key in ("name", "lat", "lon", "altitude_m", "patch", "new")]
PATHS += [("sites", 0, "patch", key) for key in ("ns_deg", "ew_deg", "radius_deg")]
PATHS += [("primaries", "solar_potential_MV"), ("hadronic", "definition"), ("atmosphere", "profile"), ("run", "x")]


def accepted_or_refused(data, keys):
    """make_config gives a Config that survives its own JSON, or one line with one of the keys."""
    try:
        config = make_config(data)
    except InputError as exc:
        message = str(exc)
        assert "\n" not in message
        assert any(" ".join(key.split()) in message for key in keys)
        return False
    assert isinstance(config, Config)
    assert Config.model_validate(config.model_dump(mode="json")) == config
    return True


@settings(max_examples=500)
@given(path=st.sampled_from(PATHS), value=VALUES)
@example(path=("run", "seed"), value=5)
def test_fuzz_one_value(path, value):
    """Any value anywhere: kept, or refused in a line that names the table."""
    accepted_or_refused(changed(*path, value), [path[0]])


@settings(max_examples=200)
@given(data=st.dictionaries(st.one_of(st.sampled_from(list(VALID)), st.text(max_size=6)), VALUES, max_size=4))
def test_fuzz_whole_documents(data):
    """Any mapping: the line names one of its keys, or the missing sites."""
    accepted_or_refused(data, [*data, "sites"])


def test_fuzz_is_not_one_sided():
    """The harness above does tell kept from refused."""
    assert accepted_or_refused(changed("run", "seed", 7), ["run"])
    assert not accepted_or_refused(changed("run", "seed", "x"), ["run"])


@settings(max_examples=300)
@given(
    at=st.floats(0, 1),
    cut=st.integers(0, 12),
    paste=st.one_of(
        st.just(""), st.text(max_size=6), st.sampled_from(["[", "]", "=", '"', "\n", "-", "0", "e9", "true"])
    ),
)
def test_fuzz_toml_text(tmp_path_factory, at, cut, paste):
    """A slip in the text of an example: a Config or an InputError in one line, nothing else."""
    text = (EXAMPLES / "quickstart.toml").read_text()
    k = int(at * len(text))
    file = tmp_path_factory.getbasetemp() / "fuzz.toml"
    file.write_bytes((text[:k] + paste + text[k + cut :]).encode("utf-8", "surrogatepass"))
    message = ""
    try:
        assert isinstance(load_config(file), Config)
    except InputError as exc:
        message = str(exc)
    assert "\n" not in message


@given(day=st.dates(datetime.date(1900, 1, 1), datetime.date(2030, 1, 1)))
def test_every_date_of_the_field_model(day):
    """As TOML gives dates, and as text."""
    for value in (day, day.isoformat(), datetime.datetime(day.year, day.month, day.day, 12)):
        assert make_config(changed("field", "date", value)).field.date == day.isoformat()


@pytest.mark.parametrize(
    ("table", "key", "value"),
    [("sampling", "effort", 1e-323), ("sampling", "margin_deg", 20.0), ("scoring", "energy_min_GeV", 999.0)],
)
def test_values_that_would_leave_nothing(table, key, value):
    """No rotations, margins that are cut anyway, no primary above the threshold: refused by name."""
    data = {"sites": [{"name": "sno"}], "primaries": {"energy_GeV": [1.0, 100.0]}, table: {key: value}}
    with pytest.raises(InputError, match=key):
        make_config(data)


def test_patches_have_an_area():
    """A cap so small that its area is rounding is refused."""
    with pytest.raises(InputError, match="radius_deg"):
        make_config({"sites": [{"name": "sno", "patch": {"radius_deg": 1e-7}}]})
