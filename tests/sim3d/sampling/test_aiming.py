"""Aimed rotations: they are rotations, their density is the one they are drawn with, crossings are as predicted."""

from __future__ import annotations

import math

import numpy as np
import pytest
from numba import njit

from atmosphere.layers import linsley
from geomag.field.igrf import FieldModel
from hadronic.models import load_model
from sim3d.conventions.constants import EARTH_RADIUS_KM
from sim3d.sampling.aim_settings import make_aim
from sim3d.sampling.aiming import (
    A_KIND,
    A_SECTOR,
    AIM_COLUMNS,
    AXIS,
    N_SECTORS,
    aim_density,
    aim_point,
    apply,
    draw_rotation,
    draw_uniform_rotation,
    predicted_crossing,
    set_reference,
    site_rotation,
    smallest_rotation,
)
from sim3d.sampling.coarse_field import coarse_field
from sim3d.sampling.pilot import list_crossings
from sim3d.scoring.detectors import Detector, sphere_crossings
from sim3d.shower.kernel import shower
from sim3d.shower.neutrino_list import NEUTRINO_COLUMNS, NU_FLAVOUR, NU_TAG, NU_UX, NU_X
from sim3d.shower.random_streams import child_key, primary_key
from sim3d.shower.stack import new_stack
from sim3d.shower.world import build_world

FIELD = FieldModel("2020-01-01", 10)
COARSE = coarse_field(FIELD)


def site_row(lat=36.4, lon=137.3, declination=-7.0, **patch):
    """A row of the kernels' site table."""
    patch = patch or {"ns_deg": 4.0, "ew_deg": 4.0}
    return Detector("here", lat, lon, 0.0, lat, declination, **patch).row()


def listed(rows, bending, aims):
    """The table of crossings for the site above."""
    return list_crossings(
        rows, len(rows), site_row(), 1.0, make_aim(), COARSE, bending, aims, np.empty((3, 3)), np.empty(N_SECTORS)
    )


@pytest.fixture(scope="module")
def pilots():
    """Some showers from a vertex on the z axis: worlds, pose, and lists of neutrinos without and with bending."""
    yields = load_model("fluka-z", "printed").tables
    layers, top = linsley().layers, linsley().top_km
    worlds = [build_world(layers, top, FIELD.gauss, yields, bending=b, energy_min_GeV=0.3) for b in (False, True)]
    stack, alone = new_stack(32768), np.ones(2)
    out = []
    for i in range(60):
        cosine = (0.2, 0.5, 0.9)[i % 3]
        pose = np.array([0, 0, EARTH_RADIUS_KM + 18.0, math.sqrt(1 - cosine**2), 0, -cosine, 0, 1.0, 0])
        lists = []
        shower_key = np.uint64(child_key(np.uint64(primary_key(3, i)), 11))
        for world in worlds:
            rows = np.empty((4096, NEUTRINO_COLUMNS))
            n, rows, stack = shower(world, pose, 20.0, 1.0, shower_key, stack, rows, True, None, None, None, alone)
            lists.append(rows[:n].copy())
        out.append(lists)
    return out


@pytest.fixture(scope="module")
def crossings(pilots):
    """The table of crossings of all those showers' neutrinos."""
    rows = np.concatenate([unbent for unbent, _ in pilots])
    aims = np.empty((2 * len(rows) + 2, AIM_COLUMNS))
    n, total = listed(rows, True, aims)
    assert n > 100
    assert total > 0.0
    return aims[:n]


def test_smallest_rotation():
    """It takes a to b, keeps lengths and angles, and leaves what is perpendicular to both alone."""
    rng = np.random.default_rng(1)
    for _ in range(50):
        a, b, v, w = rng.normal(size=(4, 3))
        a, b = a / np.linalg.norm(a), b / np.linalg.norm(b)
        assert np.allclose(smallest_rotation(*a, *b, *a), b, atol=1e-12)
        tv, tw = (np.array(smallest_rotation(*a, *b, *x)) for x in (v, w))
        assert tv @ tw == pytest.approx(v @ w, abs=1e-10)
        axis = np.cross(a, b)
        assert np.allclose(smallest_rotation(*a, *b, *axis), axis, atol=1e-12)


@pytest.mark.parametrize("lat", [36.4, -90.0, 89.9])
def test_site_rotation(lat):
    """A proper rotation that takes the reference point to the site and its horizontal direction to the azimuth."""
    site, row, g = site_row(lat), np.zeros(AIM_COLUMNS), np.empty((3, 3))
    n = np.array([0.36, 0.48, 0.8])
    u = np.array([0.1, -0.9, 0.3])
    set_reference(row, *n, *(u / np.linalg.norm(u)))
    site_rotation(row, site, math.cos(0.8), math.sin(0.8), g)
    assert np.allclose(g @ g.T, np.eye(3), atol=1e-12)
    assert np.linalg.det(g) == pytest.approx(1.0)
    assert np.allclose(apply(g, *n), site["up"])
    assert np.allclose(g @ row[3:6], math.cos(0.8) * site["magnetic_north"] + math.sin(0.8) * site["magnetic_east"])


@njit
def _draws(row, site, aim, coarse, n, uniform_too):
    """Densities at aimed (or uniform) rotations, and a smooth function of them."""
    rng = np.array([primary_key(4, 2)], dtype=np.uint64)
    g, work = np.empty((3, 3)), np.empty((3, 3))
    density, value = np.empty(n), np.empty(n)
    for i in range(n):
        if uniform_too:
            draw_uniform_rotation(row, site, rng, g)
        else:
            draw_rotation(row, site, aim, coarse, True, rng, g, work)
        density[i] = aim_density(row, g, site, aim, coarse, True, work)
        value[i] = (1.0 + g[0, 0]) * (1.5 + g[1, 2]) * math.exp(g[2, 1])
    return density, value


@pytest.mark.parametrize("patch", [{"ns_deg": 60.0, "ew_deg": 90.0}, {"radius_deg": 40.0}])
@pytest.mark.parametrize("which", ["crossing", "axis"])
def test_density_of_aimed_rotations(crossings, patch, which):
    """The mean of f / density over aimed rotations is the mean of f over all rotations, and the density's is 1."""
    site = site_row(**patch)
    aim = make_aim()._replace(tail_share=0.5, axis_width=0.8)
    row = crossings[7].copy()
    if which == "axis":
        row[A_KIND], row[A_SECTOR:] = AXIS, 1.0
    n = 200_000
    aimed, f = _draws(row, site, aim, COARSE, n, False)
    everywhere, f_everywhere = _draws(row, site, aim, COARSE, n, True)
    assert everywhere.min() > 0.0
    for a, b in ((f / aimed, f_everywhere), (1.0 / aimed, np.ones(1)), (everywhere, np.ones(1))):
        error = math.hypot(a.std() / math.sqrt(n), b.std() / math.sqrt(n) if len(b) > 1 else 0.0)
        assert a.mean() == pytest.approx(b.mean(), abs=4.5 * error)
        assert error < 0.02


@njit
def _share_inside(row, site, aim, coarse, n):
    rng = np.array([primary_key(4, 3)], dtype=np.uint64)
    g, work = np.empty((3, 3)), np.empty((3, 3))
    inside = 0
    for _ in range(n):
        draw_rotation(row, site, aim, coarse, True, rng, g, work)
        found, x, y, z, _ = predicted_crossing(row, g, EARTH_RADIUS_KM, coarse, True)
        if found and x * site["up"][0] + y * site["up"][1] + z * site["up"][2] > math.cos(math.radians(3.0)):
            inside += 1
    return inside / n


def test_aim_hits_what_is_predicted(crossings):
    """Aimed at a patch of 4 degrees, all but the tail of the predicted crossings, which may hit too, are on it."""
    site, aim = site_row(), make_aim()
    shares = [_share_inside(row, site, aim, COARSE, 300) for row in crossings[:80]]
    assert np.median(shares) > 1.0 - aim.tail_share


def test_field_does_what_is_predicted(pilots):
    """The turn and shift noted by the pilot explain what bending does to a neutrino to within a tenth of it."""
    missing, moved, known = [], [], 0
    for unbent, bent in pilots:
        by_tag = {row[NU_TAG]: row for row in bent}
        known += sum(row[NU_TAG] in by_tag for row in unbent)
        for a in unbent:
            b = by_tag.get(a[NU_TAG])
            if b is None:
                continue  # a decay became an interaction, or it fell below the threshold
            assert a[NU_FLAVOUR] == b[NU_FLAVOUR]
            aims = np.empty((4, AIM_COLUMNS))
            n, _ = listed(a[None], True, aims)
            down, up = sphere_crossings(*b[NU_X : NU_X + 3], *b[NU_UX : NU_UX + 3], EARTH_RADIUS_KM)
            if n < 2 or down < 0:
                continue
            for row, path in zip(aims, (down, up), strict=False):
                true = (b[NU_X : NU_X + 3] + path * b[NU_UX : NU_UX + 3]) / EARTH_RADIUS_KM
                found, *told, _ = predicted_crossing(row, np.eye(3), EARTH_RADIUS_KM, COARSE, True)
                if found:
                    missing.append(np.linalg.norm(np.array(told) - true))
                    moved.append(np.linalg.norm(row[:3] - true))
    assert len(moved) > 150
    assert known > 0.98 * sum(len(unbent) for unbent, _ in pilots)
    moved, missing = np.array(moved), np.array(missing)
    far = moved > 0.02
    assert far.sum() > 30
    assert np.median(missing[far] / moved[far]) < 0.1
    assert np.median(missing) < np.radians(0.05)


def test_a_margin_of_ones_own():
    """margin_deg replaces what follows the displacement."""
    assert make_aim(margin_deg=2.0).margin == pytest.approx(math.radians(2.0))
    assert make_aim(margin_deg=2.0).shift_margin == 0.0
    assert make_aim().shift_margin > 0.0


def test_nothing_predicted_is_aimed_at_the_centre(crossings):
    """Where no crossing is predicted the aim is the centre itself, so that the density stays defined."""
    site, work = site_row(), np.empty((3, 3))
    row = crossings[0].copy()
    row[12:15] = row[9:12] / np.linalg.norm(row[9:12])  # flies straight up
    found, *place, margin = aim_point(row, site, math.cos(0.3), math.sin(0.3), make_aim(), COARSE, True, work)
    assert not found
    assert np.allclose(place, site["up"])
    assert margin == make_aim().margin
