"""Messages about a wrong configuration name the remedy; all in one line."""

import pytest

from sim3d.config.load import load_config, make_config
from sim3d.errors import InputError

SITES = {"sites": [{"name": "kamioka"}]}


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ({"sites": {"name": "kamioka"}}, r"sites: is one table; write \[\[sites\]\] with double brackets"),
        ({"sites": "kamioka"}, r"sites: 'kamioka' must be tables, written \[\[sites\]\]"),
        ({"sites": ["kamioka"]}, r'sites\[0\]: .* written \[\[sites\]\] and below it name = "kamioka"'),
        ({"scoring": {"variations": {"name": "x"}}}, r"scoring\.variations: .* \[\[scoring\.variations\]\]"),
        (
            {"primaries": {"energy_GeV": 10}},
            r"energy_GeV: 10 must be two numbers \[low, high\], such as energy_GeV = \[",
        ),
        ({"primaries": {"energy_GeV": [10.0]}}, r"energy_GeV: \[10\.0\] must be two numbers"),
        ({"primaries": {"energy_GeV": [1, 2, 3]}}, r"energy_GeV: \[1, 2, 3\] must be two numbers"),
        ({"run": {"target_energy_GeV": 1.0}}, r"target_energy_GeV: 1\.0 must be two numbers"),
        ({"muons": {"momentum_GeV": 1.0}}, r"muons\.momentum_GeV: 1\.0 must be two numbers"),
        ({"muons": {"altitudes_km": 5}}, r"altitudes_km: 5 must be a list, such as altitudes_km = \[5\]"),
        ({"primaries": {"solar": 700}}, "solar: 700 must be one of 'fit'.*written solar_potential_MV = 700"),
        ({"primaries": {"solar": "700"}}, "solar: '700' .*written solar_potential_MV = 700"),
        ({"primaries": {"solar_potential_MV": "max"}}, 'is a name, not a potential in MV; write solar = "max"'),
        ({"run": {"primaries": "1e3"}}, "primaries: '1e3' must be a whole number, without quotes: 1e3"),
        ({"run": {"primaries": 1000.5}}, r"primaries: 1000\.5 must be a whole number$"),
        ({"run": {"primaries": "many"}}, "primaries: 'many' must be a whole number$"),
        ({"run": 3}, r"run: 3 must be a table, written \[run\]$"),
        ({"run": [{"seed": 1}]}, r"written \[run\] with single brackets, once"),
        ({"sites": [{"name": "sno", "patch": 2}]}, r"patch: 2 must be a table, such as patch = \{ ns_deg = 2"),
        ({"run": {"azimuth_bins": 12}}, r"run\.azimuth_bins: is not a known key; it belongs into \[scoring\]; allowed"),
        (
            {"transport": {"step": 1}},
            r"transport\.step: is not a known key; do you mean step_km\?; allowed here: step_km",
        ),
        ({"transport": {"bending": "sometimes"}}, "bending: 'sometimes' must be true or false"),
        ({"atmosphere": {"profile": 3}}, 'profile: 3 must be text in quotes, such as profile = "3"'),
        ({"run": {"primaries": 1000, "batch_size": 1000}}, "less than two batches .*leave batch_size out"),
    ],
)
def test_the_remedy_is_named(data, message):
    with pytest.raises(InputError, match=message) as caught:
        make_config({**SITES, **data})
    assert "\n" not in str(caught.value)


def test_single_brackets_in_a_file(tmp_path):
    path = tmp_path / "c.toml"
    path.write_text('[run]\nprimaries = 1000\n[sites]\nname = "kamioka"\n')
    with pytest.raises(InputError, match=r"write \[\[sites\]\] with double brackets"):
        load_config(path)


def test_units_sites_and_files_are_named(tmp_path):
    path = tmp_path / "c.toml"
    path.write_text('[[sites]]\nname = "sno"\n[[sites]]\nname = "mylab"\nlat = 95\nlon = 3\n')
    with pytest.raises(InputError) as caught:
        load_config(path)
    assert str(caught.value) == f"{path}: sites[1].lat: 95 must be <= 90 degrees (site 'mylab')"
    path.write_text('[[sites]]\nname = "sno"\n')
    with pytest.raises(InputError) as caught:
        load_config(path, {"seed": -1})
    assert str(caught.value) == "run.seed: -1 must be >= 0", "the file has nothing wrong"
