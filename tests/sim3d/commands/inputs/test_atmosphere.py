"""``sim3d atmosphere``, ``sim3d primaries`` and the atmosphere of a run."""

import json
from dataclasses import dataclass

import numpy as np
import pytest
from click.testing import CliRunner

from atmosphere import from_csv, from_msis, linsley
from sim3d.cli import cli, main
from sim3d.config.load import make_config
from sim3d.errors import InputError
from sim3d.simulation.engine import simulate
from sim3d.simulation.setup import make_setup


@pytest.fixture
def pymsis():
    """The library, or a skip that says how to get it."""
    return pytest.importorskip("pymsis", reason="pymsis is not installed (pip install 'sim3d[msis]')")


@dataclass
class Sites:
    """Configurations of two sites."""

    names: tuple[str, ...] = ("kamioka", "southpole")

    def config(self, count, **table):
        return make_config(
            {"sites": [{"name": n} for n in self.names[:count]], "atmosphere": {"model": "nrlmsis", **table}}
        )


def invoke(*arguments):
    result = CliRunner().invoke(cli, list(arguments))
    assert result.exit_code == 0, result.output
    return result.output


def test_standard_and_its_csv(tmp_path):
    """Without a place: US Standard 1976; the CSV written is read as the same atmosphere to 0.5% in depth to 80 km."""
    document = json.loads(invoke("atmosphere", "-o", str(tmp_path), "--json"))
    assert document["atmosphere"].startswith("US Standard 1976")
    np.testing.assert_allclose(document["density_ratio"], 1.0)
    again = from_csv(tmp_path / "atmosphere-us-standard.csv")
    heights = np.arange(0.0, 81.0, 4.0)
    np.testing.assert_allclose(again.depth(heights), linsley().depth(heights), rtol=5e-3)
    text = invoke("atmosphere", "--csv", str(tmp_path / "atmosphere-us-standard.csv"))
    assert "atmosphere-us-standard.csv; top 112.83 km" in text


def test_a_place_and_a_month(pymsis, tmp_path):
    """Table, CSV, figure; a run reads the CSV as what NRLMSIS itself gives it, to 0.3%."""
    out = invoke("atmosphere", "--site", "southpole", "--month", "7", "-o", str(tmp_path))
    assert "NRLMSIS 2.1" in out
    assert "of its depth" in out
    names = {path.name for path in tmp_path.iterdir()}
    assert names == {
        "atmosphere-southpole-07.csv",
        "atmosphere-southpole-seasons.png",
        "atmosphere-southpole-seasons.pdf",
    }
    config = make_config(
        {
            "sites": [{"name": "southpole"}],
            "atmosphere": {"model": "csv", "profile": str(tmp_path / "atmosphere-southpole-07.csv")},
        }
    )
    air = make_setup(config).atmosphere
    direct = from_msis(-89.99, -63.4531, month=7).atmosphere
    heights = np.arange(0.0, 61.0, 3.0)
    np.testing.assert_allclose(air.depth(heights), direct.depth(heights), rtol=3e-3)


def test_the_place_of_a_run(pymsis):
    """The only site's; of several the one that is named; any other by its coordinates; the date is the field's."""
    sites = Sites()
    assert "36.43 N 137.31 E, 1 January" in make_setup(sites.config(1)).atmosphere.name
    assert "89.99 S 63.45 W, July" in make_setup(sites.config(2, place="SouthPole", month=7)).atmosphere.name
    assert "5.00 N 10.00 E, 3 May" in make_setup(sites.config(2, lat=5.0, lon=10.0, date="2001-05-03")).atmosphere.name
    assert "46.48 N 81.20 W" in make_setup(sites.config(2, place="sno")).atmosphere.name


def test_places_that_are_not_clear():
    """Several sites need a place, and it must be known."""
    sites = Sites()
    with pytest.raises(InputError, match=r"atmosphere\.place.*2 sites.*kamioka, southpole"):
        sites.config(2)
    with pytest.raises(InputError, match=r"atmosphere\.place.*atlantis.*kamioka"):
        make_setup(sites.config(2, place="atlantis"))
    with pytest.raises(InputError, match="lat and lon"):
        sites.config(1, lat=5.0)
    with pytest.raises(InputError, match="either a place"):
        sites.config(1, lat=5.0, lon=5.0, place="sno")
    with pytest.raises(InputError, match="month or a date"):
        sites.config(1, month=5, date="2020-01-01")


@pytest.mark.parametrize(
    "arguments",
    [
        ["atmosphere", "--month", "7"],
        ["atmosphere", "--site", "sno", "--lat", "3"],
        ["atmosphere", "--lat", "3"],
        ["atmosphere", "--site", "sno", "--csv", "x.csv"],
        ["primaries", "--model", "nothing"],
        ["primaries", "--solar", "min", "--solar-potential", "500"],
        ["primaries", "--model", "ghls2001-low", "--solar", "date"],
    ],
)
def test_wrong_options(arguments, capsys):
    """Status 2 and one line."""
    assert main(arguments) == 2
    assert len(capsys.readouterr().err.strip().splitlines()) == 1


def test_primaries(tmp_path):
    """Fluxes of a model, as text, JSON and figures."""
    text = invoke("primaries", "--model", "ghls2001-average")
    assert "2.034e+01" in text
    document = json.loads(invoke("primaries", "--model", "ghls2001-average", "--solar", "max", "--json"))
    (model,) = document["models"]
    assert model["solar_potential_MV"] == 591.0 + 889.0 - 554.0
    assert model["nucleon_flux_error"] is None
    assert len(model["flux"]["He"]) == len(model["energy_GeV"])
    out = invoke("primaries", "--model", "ghls2001-high", "--model", "ghls2001-low", "-o", str(tmp_path))
    assert "primaries-groups.png" in out
    assert all(path.stat().st_size > 5000 for path in tmp_path.glob("*.png"))
    assert "crflux:H3a" in invoke("primaries", "--list")


def test_primaries_against_each_other(tmp_path):
    """Models of both libraries, with the errors of the Global Spline Fit."""
    for library in ("crflux", "globalsplinefit"):
        pytest.importorskip(library, reason=f"{library} is not installed (pip install 'sim3d[primaries]')")
    document = json.loads(invoke("primaries", "-o", str(tmp_path), "--json"))
    assert [model["model"] for model in document["models"]][-1] == "gsf:2026.1"
    errors = np.array(document["models"][-1]["nucleon_flux_error"])
    assert np.all(errors > 0)
    assert len(document["files"]) == 4


def test_a_run_states_its_models(pymsis):
    """Citation, versions, month and residual are in the result."""
    pytest.importorskip("globalsplinefit", reason="globalsplinefit is not installed (pip install 'sim3d[primaries]')")
    record = simulate(
        make_config(
            {
                "run": {"primaries": 200, "batch_size": 100},
                "primaries": {"model": "gsf:2026.1", "solar": "date", "energy_GeV": [10.0, 1e8]},
                "field": {"date": "2014-02-01"},
                "transport": {"bending": False},
                "sampling": {"mode": "rotated"},
                "scoring": {"energy_min_GeV": 3.0},
                "atmosphere": {"model": "nrlmsis", "month": 7},
                "sites": [{"name": "southpole"}],
            }
        ),
        threads=1,
    )
    assert record.models["primary_source"].startswith("Fedynitch")
    assert record.models["solar_modulation"].startswith("2014-02: 738 MV, +103 MV")
    assert record.models["atmosphere"].startswith("NRLMSIS 2.1, 89.99 S 63.45 W, July")
    assert "globalsplinefit" in record.provenance["libraries"]
    assert "pymsis" in record.provenance["libraries"]
    assert record.tallies[0].hits.sum() > 50
