"""Tests of :mod:`sim3d.scoring.surface`: mountains over a site."""

import math

import numpy as np
import pytest

from sim3d.api import run
from sim3d.config.load import load_config, make_config
from sim3d.conventions.constants import EARTH_RADIUS_KM
from sim3d.errors import InputError
from sim3d.scoring.detectors import Detector
from sim3d.scoring.hits import HIT_DTYPE, hits_of_shower
from sim3d.scoring.surface import born_in_rock, read_surface, site_rows, surface_km
from sim3d.shower.neutrino_list import NEUTRINO_COLUMNS, NU_ENERGY, NU_UX, NU_WEIGHT, NU_X
from sim3d.simulation.setup import make_setup

AZIMUTHS = tuple(range(0, 360, 30))
SLOPE = math.radians(25.0)


def write(path, rows, columns="zenith_deg, azimuth_deg, altitude_m"):
    path.write_text("# made up\n" + columns + "\n" + "".join(f"{', '.join(map(repr, row))}\n" for row in rows))
    return path


def constant(path, altitude):
    return write(path, [(zenith, turn, altitude) for zenith in (0.0, 45.0, 90.0) for turn in (0.0, 120.0, 300.0)])


def detector(altitude_m=0.0):
    return Detector("here", 0.0, 0.0, altitude_m, 0.0, 0.0, radius_deg=1.0)


def rows_of(path, altitude=None):
    surface, at = read_surface(path, altitude)
    return site_rows([detector(at)], [surface])


def config(surface=None, altitude=None, mode="targeted"):
    site = {"name": "kamioka", "surface": surface, "altitude_m": altitude}
    return make_config(
        {
            "run": {"primaries": 1500, "batch_size": 500},
            "sampling": {"mode": mode},
            "transport": {"bending": mode != "rotated"},
            "sites": [{key: value for key, value in site.items() if value is not None}],
        }
    )


def test_flat_sites_have_no_nodes(tmp_path):
    """Nodes are those of the sites that have a surface, one site after the other."""
    sites, nodes = site_rows([detector()], [None])
    assert nodes.size == sites["zeniths"][0] == 0
    assert make_setup(config(altitude=350.0)).surfaces.size == 0
    surfaces = [read_surface(constant(tmp_path / f"{height}.csv", height), 0.0)[0] for height in (1000.0, 2000.0)]
    sites, nodes = site_rows([detector()] * 3, [surfaces[0], None, surfaces[1]])
    assert [surface_km(sites[k], nodes, 0.5, 1.0) for k in (0, 2)] == pytest.approx([1.0, 2.0])
    assert nodes.size == sum(surface.nodes().size for surface in surfaces)
    assert not born_in_rock(sites[1], nodes, 0.0, 0.0, 0.0, 1.0, 0.0)


@pytest.mark.parametrize("mode", ["targeted", "rotated"])
def test_a_surface_of_constant_altitude_is_the_flat_altitude(tmp_path, mode):
    """The same altitude in all directions gives the run with altitude_m, bit for bit."""
    surface = str(constant(tmp_path / "flat.csv", 873.21))
    with_file, flat = run(config(surface, mode=mode)), run(config(altitude=873.21, mode=mode))
    expected = flat.binned("kamioka")
    assert expected[2].sum() > 100
    for one, other in zip(with_file.binned("kamioka"), expected, strict=True):
        assert np.array_equal(one, other)


def test_neutrinos_from_rock_alone_are_missing(tmp_path):
    """The same showers under 3 km of rock: no bin gains, none from below changes, and some from above lose."""
    surface = str(constant(tmp_path / "high.csv", 3000.0))
    over, flat = (run(one).binned("kamioka")[2] for one in (config(surface, 0.0), config(altitude=0.0)))
    below = flat.shape[2] // 2
    assert np.array_equal(over[:, :, :below], flat[:, :, :below])
    assert np.all(over <= flat)
    assert over[:, :, below:].sum() < flat[:, :, below:].sum()


def cone(path, top_m, column):
    """A cone with its apex over the detector: on a line of zenith t the rock is H / (cos t + sin t tan slope) thick."""
    rows = []
    for zenith in np.linspace(0.0, 90.0, 181):
        t = math.radians(zenith)
        length = top_m / (math.cos(t) + math.sin(t) / math.tan(SLOPE))
        value = length if column == "thickness_m" else length * math.cos(t)
        rows += [(float(zenith), float(turn), value) for turn in (AZIMUTHS if column == "thickness_m" else (0,))]
    return write(path, rows, f"zenith_deg, azimuth_deg, {column}")


@pytest.mark.parametrize("column", ["thickness_m", "altitude_m"])
def test_a_cone(tmp_path, column):
    """Births just inside a cone are in rock, births just outside are not, on every line; both columns are alike."""
    rows, nodes = rows_of(cone(tmp_path / "cone.csv", 1000.0, column), 0.0)
    for zenith in (0.0, 11.3, 33.3, 60.2, 85.1):
        t = math.radians(zenith)
        length = 1.0 / (math.cos(t) + math.sin(t) / math.tan(SLOPE))
        for factor, inside in ((0.998, True), (1.002, False)):
            x, y = EARTH_RADIUS_KM + factor * length * math.cos(t), factor * length * math.sin(t)
            for azimuth in (0.0, 1.0, 6.2):
                assert born_in_rock(rows[0], nodes, x, y, 0.0, math.cos(t), azimuth) == inside
    assert not born_in_rock(rows[0], nodes, EARTH_RADIUS_KM, 0.0, 0.0, -0.5, 0.0)


def test_count_under_a_slab(tmp_path):
    """Vertical neutrinos born evenly up to 10 km: under 2 km of rock 8 of 10 are counted, from below all are."""
    rows, nodes = rows_of(constant(tmp_path / "slab.csv", 2000.0), 500.0)
    n = 1000
    neutrinos = np.zeros((2 * n, NEUTRINO_COLUMNS))
    neutrinos[:, NU_ENERGY], neutrinos[:, NU_WEIGHT] = 1.0, 1.0
    height = 10.0 * (np.arange(n) + 0.5) / n
    neutrinos[:n, NU_X], neutrinos[n:, NU_X] = EARTH_RADIUS_KM + height, -EARTH_RADIUS_KM - height
    neutrinos[:n, NU_UX], neutrinos[n:, NU_UX] = -1.0, 1.0
    hits, found = hits_of_shower(neutrinos, 2 * n, 0.0, rows, nodes, 0, 12, np.empty(64, HIT_DTYPE))
    from_above = hits[:found]["cos_zenith"] > 0.0
    assert from_above.sum() == 800
    assert found - from_above.sum() == n


def test_linear_between_directions(tmp_path):
    """Altitudes are linear in zenith and azimuth, also across south."""
    rows = [(z, a, 500.0 + 10.0 * z * (1.0 + a / 360.0)) for z in (0.0, 30.0, 90.0) for a in (10.0, 100.0, 350.0)]
    sites, nodes = rows_of(write(tmp_path / "plane.csv", rows))

    def at(zenith, azimuth):
        return 1e3 * surface_km(sites[0], nodes, math.cos(math.radians(zenith)), math.radians(azimuth))

    assert at(15.0, 55.0) == pytest.approx(500.0 + 150.0 * (1.0 + 55.0 / 360.0))
    assert at(60.0, 100.0) == pytest.approx(500.0 + 600.0 * (1.0 + 100.0 / 360.0))
    middle = 500.0 + 300.0 * (1.0 + 0.5 * (10.0 + 350.0) / 360.0)
    assert at(30.0, 0.0) == pytest.approx(middle)
    assert at(30.0, 355.0) == pytest.approx(0.5 * (middle + at(30.0, 350.0)))


def test_both_azimuths(tmp_path):
    """Azimuths from north through east are turned into those from south through east."""
    south = [(z, a, 100.0 + z * (2 + math.sin(math.radians(a)))) for z in (0.0, 90.0) for a in AZIMUTHS]
    north = [(z, (180.0 - a) % 360.0, height) for z, a, height in south]
    one, _ = read_surface(write(tmp_path / "a.csv", south), None)
    other, _ = read_surface(write(tmp_path / "b.csv", north, "zenith_deg, azimuth_from_north_deg, altitude_m"), None)
    assert np.allclose(one.azimuth_deg, other.azimuth_deg)
    assert np.allclose(one.altitude_m, other.altitude_m)


@pytest.mark.parametrize(
    ("text", "altitude", "message"),
    [
        ("", None, "no column azimuth_deg or azimuth_from_north_deg"),
        ("zenith_deg,azimuth_deg\n0,0\n", None, "no column altitude_m or thickness_m"),
        ("zenith_deg,azimuth_deg,altitude_m,thickness_m\n", None, "give one column of altitude_m or thickness_m"),
        ("zenith_deg,azimuth_deg,altitude_m\n", None, "has no rows"),
        ("zenith_deg,azimuth_deg,altitude_m\n95,0,1\n", None, "row 1: zenith_deg 95, allowed: 0 to 90"),
        ("zenith_deg,azimuth_deg,altitude_m\n5,0,\n", None, "row 1: altitude_m blank, allowed: -5000 to 9000"),
        ("zenith_deg,azimuth_deg,altitude_m\n5,0,1\n5,360,2\n", None, "row 2: zenith 5, azimuth 0 was given before"),
        ("zenith_deg,azimuth_deg,altitude_m\n5,0,1\n9,90,2\n", None, "no row for zenith 5, azimuth 90"),
        ("zenith_deg,azimuth_deg,altitude_m\n0,0,1\n0,90,2\n", None, "1 m between azimuths at zenith 0"),
        ("zenith_deg,azimuth_deg,altitude_m\n5,0,1\n", 2.0, "altitude 1 m, below the detector"),
        ("zenith_deg,azimuth_deg,thickness_m\n5,0,1\n", None, "the site needs altitude_m"),
        ("zenith_deg,azimuth_deg,thickness_m\n5,0,-1\n", 1.0, "thickness_m -1, allowed: 0 to 100000"),
    ],
    ids=lambda value: None if value is None else str(value)[-18:].strip().replace("\n", " "),
)
def test_wrong_files(tmp_path, text, altitude, message):
    """Every fault of a file is one line that names the file and the fault."""
    path = tmp_path / "wrong.csv"
    path.write_text(text)
    with pytest.raises(InputError) as caught:
        read_surface(path, altitude)
    assert message in str(caught.value)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_path_is_relative_to_the_configuration(tmp_path):
    """A run file names its surface by a path beside it; a missing file is one line."""
    (tmp_path / "site.toml").write_text('[[sites]]\nname = "kamioka"\nsurface = "hill.csv"\n')
    named = load_config(tmp_path / "site.toml")
    assert named.sites[0].surface == str(tmp_path / "hill.csv")
    with pytest.raises(InputError, match=r"hill\.csv"):
        make_setup(named)
    constant(tmp_path / "hill.csv", 700.0)
    setup = make_setup(named)
    assert setup.detectors[0].altitude_m == 700.0
    assert len(setup.models["surface_sha256_kamioka"]) == 64
