"""First interactions: the densities they are drawn from, and the way back to the top."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from numba import njit
from scipy.integrate import quad, solve_ivp

from atmosphere.kernels import density, slant_depth, vertical_depth
from atmosphere.layers import linsley
from geomag.field.igrf import FieldModel
from geomag.field.kernels import field_cartesian
from hadronic.interaction.kernels import interaction_length
from hadronic.models import load_model
from sim3d.conventions.constants import EARTH_RADIUS_KM
from sim3d.conventions.particles import MASS_GEV, PROTON
from sim3d.primaries.build import primary_model
from sim3d.primaries.groups import GROUP_CHARGE, GROUP_MASS_NUMBER
from sim3d.primaries.spectrum import group_flux, nucleon_flux
from sim3d.sampling.aiming import AIM_COLUMNS, apply, draw_uniform_rotation, set_reference
from sim3d.sampling.first_interaction import (
    GRAZING_MISS,
    HORIZON_SHARE,
    cosine_density,
    depth_density,
    draw_cosine,
    draw_depth,
    draw_point,
    effective_radius,
    grazing_cosine,
    grazing_density,
    secant,
    trace_to_top,
    vertex_density,
)
from sim3d.sampling.source import Source, draw_entry, draw_primary
from sim3d.sampling.targeted import draw_vertex
from sim3d.scoring.detectors import SITE_DTYPE
from sim3d.shower.energy_loss import stopping_power
from sim3d.shower.random_streams import primary_key
from sim3d.shower.rotations import KAPPA, rotate_about_field
from sim3d.shower.world import build_world

LAYERS = linsley().layers
TOP = linsley().top_km


@njit
def _cosines(radius, n):
    rng = np.array([primary_key(5, 1)], dtype=np.uint64)
    out = np.empty((n, 2))
    for i in range(n):
        c = draw_cosine(radius, HORIZON_SHARE, rng)
        out[i, 0], out[i, 1] = c, cosine_density(c, radius, HORIZON_SHARE)
    return out


@njit
def _depths(s, length, deepest, n):
    rng = np.array([primary_key(6, 1)], dtype=np.uint64)
    out = np.empty((n, 2))
    for i in range(n):
        depth = draw_depth(s, length, deepest, rng)
        out[i, 0], out[i, 1] = depth, depth_density(depth, s, length, deepest)
    return out


def uniformity(probability, n_bins=40):
    """Chi2 per degree of freedom of cumulative probabilities that should be uniform."""
    counts = np.bincount((probability * n_bins).astype(int).clip(0, n_bins - 1), minlength=n_bins)
    expected = len(probability) / n_bins
    return ((counts - expected) ** 2 / expected).sum() / (n_bins - 1)


def cumulative(points, density_at):
    """Cumulative probability at points, from the density at the same (sorted) points, by trapezoids."""
    order = np.argsort(points)
    x, y = points[order], density_at[order]
    integral = np.concatenate(([0.0], np.cumsum(0.5 * (y[1:] + y[:-1]) * np.diff(x))))
    out = np.empty_like(integral)
    out[order] = integral
    return out


@pytest.mark.parametrize("rigidity", [1.0, 10.0, 1.0e4])
def test_cosines_follow_their_density(rigidity):
    """What draw_cosine says it draws from is what it draws from, for soft and hard primaries."""
    drawn = _cosines(effective_radius(rigidity), 200_000)
    below = drawn[:, 0] < 0.0
    for part in (drawn[below], drawn[~below]):
        probability = cumulative(part[:, 0], part[:, 1])
        share = len(part) / len(drawn)
        assert probability.max() == pytest.approx(share, abs=5 * math.sqrt(share / len(drawn)) + 1e-3)
        assert uniformity(probability / probability.max()) < 1.0 + 5.0 * math.sqrt(2.0 / 39)
    assert drawn[:, 1].min() > 0.0
    assert -1.0 <= drawn[:, 0].min()
    assert drawn[:, 0].max() <= 1.0


@pytest.mark.parametrize("s", [1.0, 30.0, 1.0e4])
def test_depths_follow_their_density(s):
    """So do the depths, whose density integrates to 1."""
    drawn = _depths(s, 90.0, 1036.0, 200_000)
    probability = cumulative(drawn[:, 0], drawn[:, 1])
    assert probability.max() == pytest.approx(1.0, abs=5e-3)
    assert uniformity(probability / probability.max()) < 1.0 + 5.0 * math.sqrt(2.0 / 39)


@pytest.mark.parametrize("cosine", [1.0, 0.5, 0.2, 0.1, 0.05, 0.0])
def test_secant_of_a_straight_line(cosine):
    """Without bending s(c) is the ratio of slant to vertical depth, to what the scale height varies (15%)."""
    for height in (15.0, 25.0, 35.0):
        true = slant_depth(height, cosine, LAYERS) / vertical_depth(height, LAYERS)
        assert secant(cosine, EARTH_RADIUS_KM) == pytest.approx(true, rel=0.15)


def test_bent_paths_are_never_much_shorter_than_the_secant_says():
    """The density must fall more slowly than the truth, or weights would not be bounded: strongest bending included."""
    for rigidity in (0.8, 2.0, 5.0, 20.0):
        for cosine in (-0.2, -0.05, 0.0, 0.1, 0.3, 0.7):
            radius = effective_radius(rigidity)

            def altitude(length, c=cosine, k=1.0 / radius):
                return 20.0 + c * length + 0.5 * k * length * length

            if 20.0 - 0.5 * radius * min(cosine, 0.0) ** 2 < 0.0:
                continue  # this one meets the ground
            depth = quad(lambda x: density(max(altitude(x), 0.0), LAYERS) * 1e5, 0.0, 3000.0, limit=400)[0]
            assert depth > 0.75 * secant(cosine, radius) * vertical_depth(20.0, LAYERS)


@pytest.fixture(scope="module")
def worlds():
    """The same world without and with bending."""
    yields = load_model("fluka-z", "printed").tables
    gauss = FieldModel("2020-01-01", 10).gauss
    return [build_world(LAYERS, TOP, gauss, yields, bending=bending) for bending in (False, True)]


@pytest.mark.parametrize("above_km", [0.0, 0.5, 15.0, 40.0])
@pytest.mark.parametrize("site_km", [0.0, 1.37, 30.0])
def test_grazing_cosines_follow_their_density(above_km, site_km):
    """The density integrates to the probability between any two quantiles, beside the horizon and where it is missed.

    The signed root of the squared cosine of the crossing takes the cusp out of the integral.
    """
    r, sphere = EARTH_RADIUS_KM + above_km, EARTH_RADIUS_KM + site_km
    cosines = [grazing_cosine(r, sphere, u) for u in np.linspace(0.0, 1.0, 9)]
    assert all(b > a for a, b in itertools.pairwise(cosines))
    for k, (low, high) in enumerate(itertools.pairwise(cosines)):
        squares = [1.0 - (r / sphere) ** 2 * (1.0 - c * c) for c in (low, high)]
        roots = [math.copysign(math.sqrt(abs(square)), square) for square in squares]
        points = np.linspace(*roots, 4001)
        middle = 0.5 * (points[1:] + points[:-1])
        c = np.sqrt(1.0 - (1.0 - middle * abs(middle)) * (sphere / r) ** 2)
        density = np.array([grazing_density(one, r, sphere) for one in c])
        dc = 2.0 * abs(middle) * np.diff(points) * (sphere / r) ** 2 / (2.0 * c)
        assert (density * dc).sum() == pytest.approx(0.125, rel=1e-3), k
    assert grazing_density(-cosines[-1], r, sphere) == grazing_density(min(1.01 * cosines[-1], 1.0), r, sphere) == 0.0


COSINES = np.array([-0.03, 0.0, 0.04, 0.06, 0.08, 0.1, 0.15, 0.3, 0.6, 1.0])
DEPTHS = np.array([0.5, 2.0, 6.0, 20.0, 60.0])


@njit
def _inverse_densities(rigidity, length, sphere, layers, n, cosines, depths, out):
    """Sum and sum of squares of 1/h over drawn points, in rectangles of cosine and depth."""
    rng = np.array([primary_key(9, 1)], dtype=np.uint64)
    for _ in range(n):
        c, depth, _, density = draw_point(rigidity, length, sphere, layers, rng)
        a, b = _place(cosines, c), _place(depths, depth)
        if a >= 0 and b >= 0:
            out[a, b, 0] += 1.0 / density
            out[a, b, 1] += 1.0 / density**2


@pytest.mark.parametrize("rigidity", [3.0, 1.0e3])
def test_points_have_their_density(rigidity):
    """The mean of 1/h in a rectangle of cosine and depth is its area, whatever h is."""
    n, out = 2_000_000, np.zeros((COSINES.size - 1, DEPTHS.size - 1, 2))
    _inverse_densities(rigidity, 90.0, EARTH_RADIUS_KM + 1.37, LAYERS, n, COSINES, DEPTHS, out)
    mean = out[..., 0] / n
    error = np.sqrt(out[..., 1]) / n
    area = np.outer(np.diff(COSINES), np.diff(DEPTHS))
    known = (out[..., 0] ** 2 > 400.0 * out[..., 1]) & (error < 0.03 * area)
    pulls = ((mean - area) / error)[known]
    assert known.sum() > 24
    assert abs(pulls).max() < 4.5
    assert (pulls**2).mean() < 1.0 + 4.0 * math.sqrt(2.0 / known.sum())


@pytest.mark.parametrize("rigidity", [100.0, 1.0e4])
def test_vertices_of_hard_primaries_have_bounded_weights(rigidity):
    """The rate of first interactions over their density, times 1/|cos| of the crossing of the axis.

    Without the part drawn by the crossing it is 29 at a cosine of 0.005, the smallest that is scored.
    """
    length, deepest = 90.0, vertical_depth(0.0, LAYERS)
    for root in np.concatenate([-np.geomspace(0.005, GRAZING_MISS, 12), np.geomspace(0.005, 1.0, 30)]):
        largest = 0.0
        for height in np.linspace(3.0, 50.0, 16):
            r = EARTH_RADIUS_KM + height
            square = 1.0 - (1.0 - root * abs(root)) * (EARTH_RADIUS_KM / r) ** 2
            if square > 0.0:
                c, depth = math.sqrt(square), vertical_depth(height, LAYERS)
                rate = math.exp(-slant_depth(height, c, LAYERS) / length) / length
                density = vertex_density(c, depth, r, rigidity, length, EARTH_RADIUS_KM, deepest)
                largest = max(largest, rate / density / abs(root))
        assert largest < (3.0 if root > -0.99 * GRAZING_MISS else 5.0), root


def _pose(height, cosine, azimuth=0.7, latitude=0.6):
    """A vertex off the poles: position and direction."""
    up = np.array([math.cos(latitude), 0.0, math.sin(latitude)])
    east = np.array([0.0, 1.0, 0.0])
    north = np.cross(up, east)
    horizontal = math.cos(azimuth) * north + math.sin(azimuth) * east
    direction = -cosine * up + math.sqrt(1.0 - cosine**2) * horizontal
    return np.concatenate((up * (EARTH_RADIUS_KM + height), direction))


@pytest.mark.parametrize("cosine", [1.0, 0.3, 0.05, -0.03])
def test_straight_way_back(worlds, cosine):
    """Without bending the depth is that of the straight line."""
    entry = np.empty(6)
    height = 20.0 if cosine > 0 else 40.0
    depth, _, _ = trace_to_top(worlds[0], _pose(height, cosine), 10.0, 1.0, 1.0, 0.0, 0.0, 90.0, entry)
    assert depth == pytest.approx(slant_depth(height, cosine, LAYERS), rel=2e-3)
    assert np.linalg.norm(entry[:3]) == pytest.approx(EARTH_RADIUS_KM + TOP, abs=1e-3)


@pytest.mark.parametrize("step_km", [0.5, 3.0, 10.0])
@pytest.mark.parametrize(("height", "cosine"), [(12.0, 1.0), (20.0, 1.0), (35.0, 1.0), (20.0, 0.5), (20.0, 0.1)])
def test_depth_does_not_hang_on_the_step(worlds, step_km, height, cosine):
    """The flux is as wrong as the depth, so even the longest steps must give it (0.1% is a seam of the layers)."""
    entry = np.empty(6)
    world = worlds[0]._replace(step_km=step_km)
    depth, _, _ = trace_to_top(world, _pose(height, cosine), 10.0, 1.0, 1.0, 0.0, 0.0, 90.0, entry)
    assert depth == pytest.approx(slant_depth(height, cosine, LAYERS), rel=2e-3)


def test_no_way_back_through_the_ground(worlds):
    """A straight line from below gives nothing."""
    entry = np.empty(6)
    assert trace_to_top(worlds[0], _pose(5.0, -0.3), 10.0, 1.0, 1.0, 0.0, 0.0, 90.0, entry)[0] == math.inf


@pytest.mark.parametrize(("kinetic", "cosine"), [(1.0, 0.4), (3.0, 0.1), (10.0, 0.0)])
def test_bent_way_back_against_an_integrator(worlds, kinetic, cosine):
    """Position, depth and energy at the top agree with a high-order integration of the same equations."""
    world, pose, entry = worlds[1], _pose(25.0, cosine), np.empty(6)
    depth, top, slowing = trace_to_top(world, pose, kinetic, 1.0, 1.0, 0.0, 0.0, 90.0, entry)
    field = FieldModel("2020-01-01", 10)
    mass = MASS_GEV[PROTON]

    def loss(t, rho):
        return stopping_power(PROTON, math.sqrt(t * (t + 2 * mass)), mass, rho, world.loss)

    def slope(_, state):
        x, u, t = state[:3], state[3:6], state[6]
        rho = density(np.linalg.norm(x) - EARTH_RADIUS_KM, LAYERS)
        momentum = math.sqrt(t * (t + 2 * mass))
        turn = -KAPPA / momentum * np.cross(u, field.field_xyz(x[None])[0])
        return np.concatenate((-u, turn, [1e5 * rho * loss(t, rho), 1e5 * rho]))

    def outside(_, state):
        return np.linalg.norm(state[:3]) - EARTH_RADIUS_KM - TOP

    outside.terminal = True
    start = np.concatenate((pose, [kinetic, 0.0]))
    end = solve_ivp(slope, (0, 5000), start, events=outside, rtol=1e-9, atol=1e-9, max_step=5.0).y[:, -1]
    assert depth == pytest.approx(end[7], rel=3e-3)
    assert top - kinetic == pytest.approx(end[6] - kinetic, rel=5e-3)
    assert np.linalg.norm(entry[:3] - end[:3]) < 1.0
    rho = density(25.0, LAYERS)
    assert slowing == pytest.approx(loss(top, rho) / loss(kinetic, rho), rel=1e-2)


@njit
def _vertex_weights(world, source, n, cosine_limit):
    """Sum and sum of squares of the rate of first interactions, without bending, by the recipe of targeted_batch."""
    rng = np.array([primary_key(8, 1)], dtype=np.uint64)
    pose, entry = np.empty(9), np.empty(6)
    total, squares = 0.0, 0.0
    for i in range(n):
        kinetic, _, constant, _ = draw_vertex(world, source, i, n, rng, pose)
        length = interaction_length(world.yields, PROTON, math.log(kinetic))
        depth, top, slowing = trace_to_top(world, pose, kinetic, 1.0, 1.0, 0.0, 0.0, length, entry)
        r = math.sqrt(entry[0] ** 2 + entry[1] ** 2 + entry[2] ** 2)
        cosine = -(entry[0] * entry[3] + entry[1] * entry[4] + entry[2] * entry[5]) / r
        if depth == math.inf or not source.energy_low <= top <= source.energy_high or cosine < cosine_limit:
            continue
        length = interaction_length(world.yields, PROTON, math.log(top))
        w = constant * nucleon_flux(top, source.spectrum) * slowing * math.exp(-depth / length) / length
        total += w
        squares += (n * w) ** 2
    return total, math.sqrt(squares) / n


@pytest.mark.parametrize("cosine_limit", [-1.0, 0.3, 0.8])
def test_rate_of_first_interactions(worlds, cosine_limit):
    """All that come in through the top interact, but for exp(-X / lambda): the rate is known in closed form.

    pi 4 pi R^2 times the flux times the share that enters steeper than a cosine and interacts; protons only, so that
    no nuclei have to be told apart.
    """
    model = primary_model("ghls2001-average")
    fits = model.fits.copy()
    fits[1:] = 0.0
    spectrum = model.spectrum._replace(fits=fits)
    source = Source(spectrum, 5.0, 1000.0, 2.0)
    world = worlds[0]
    rate, error = _vertex_weights(world, source, 400_000, cosine_limit)
    radius = EARTH_RADIUS_KM + TOP

    def through(cosine):
        sine = math.sqrt(1.0 - cosine**2)
        if radius * sine < EARTH_RADIUS_KM:
            zenith = math.sqrt(1.0 - (radius * sine / EARTH_RADIUS_KM) ** 2)
            depth = slant_depth(0.0, zenith, LAYERS)
        else:
            depth = 2.0 * slant_depth(radius * sine - EARTH_RADIUS_KM, 0.0, LAYERS)
        return depth

    def interacting(energy):
        length = interaction_length(world.yields, PROTON, math.log(energy))
        low = max(cosine_limit, 0.0)
        share = quad(lambda c: 2.0 * c * (1.0 - math.exp(-through(c) / length)), low, 1.0, limit=200)[0]
        return share * nucleon_flux(energy, spectrum)

    grid = np.exp(np.linspace(math.log(5.0), math.log(1000.0), 60))
    values = np.array([interacting(e) * e for e in grid])
    integral = np.trapezoid(values, np.log(grid))
    expected = math.pi * 4.0 * math.pi * (radius * 1e3) ** 2 * integral
    assert rate == pytest.approx(expected, abs=4.0 * error + 4e-3 * expected)
    assert error < 0.01 * expected


BY_ENERGY = np.array([0.28, 1.5, 4.0, 15.0, 1e9])
BY_COSINE = np.array([-1.0, 0.0, 0.15, 0.4, 0.7, 1.0001])


@njit
def _place(edges, x):
    for i in range(edges.shape[0] - 1):
        if edges[i] <= x < edges[i + 1]:
            return i
    return -1


@njit
def _stepped_forward(world, source, n, key, by_energy, by_cosine, out):
    """Rate of first interactions from primaries at the top, stepped inwards, each step with its share of them."""
    rng = np.array([primary_key(key, 1)], dtype=np.uint64)
    start = np.empty(9)
    for i in range(n):
        t, group, w = draw_primary(source, i, n, world.top_km, rng)
        w *= draw_entry(world.top_km, start, rng)
        z_over_a = GROUP_CHARGE[group] / GROUP_MASS_NUMBER[group]
        length = interaction_length(world.yields, PROTON, math.log(t))
        mass = world.mass[PROTON]
        x, u, left = start[:3].copy(), start[3:6].copy(), 1.0
        while left > 1e-6:
            r = math.sqrt((x * x).sum())
            h, rise = r - EARTH_RADIUS_KM, (x * u).sum() / r
            if h < 0.0 or (h > world.top_km and rise > 0.0):
                break
            ds = 0.5 if h < 60.0 else 2.0
            rho = density(h + ds * (0.5 * rise + 0.125 * ds * (1.0 - rise * rise) / r), world.layers) * 1e5
            loss = z_over_a * rho * stopping_power(PROTON, math.sqrt(t * (t + 2.0 * mass)), mass, rho / 1e5, world.loss)
            middle = t - 0.5 * loss * ds
            if middle <= BY_ENERGY[0]:
                break
            f = 0.5 * KAPPA * z_over_a * ds / math.sqrt(middle * (middle + 2.0 * mass))
            bx, by, bz = field_cartesian(x[0], x[1], x[2], world.gauss)
            v = np.array(rotate_about_field(u[0], u[1], u[2], f * bx, f * by, f * bz))
            y = x + 0.5 * ds * (u + v)
            here = left * -math.expm1(-rho * ds / length)
            cosine = -0.5 * (rise + (y * v).sum() / math.sqrt((y * y).sum()))
            a, b = _place(by_energy, middle), _place(by_cosine, cosine)
            if a >= 0 and b >= 0:
                out[a, b] += w * here
            left -= here
            x, u, t = y, v, t - loss * ds


@njit
def _drawn(world, source, n, key, by_energy, by_cosine, out):
    """The same from drawn vertices, turned anyhow."""
    rng = np.array([primary_key(key, 1)], dtype=np.uint64)
    pose, turned, entry, g = np.empty(9), np.empty(9), np.empty(6), np.empty((3, 3))
    row, site = np.zeros(AIM_COLUMNS), np.zeros(1, SITE_DTYPE)[0]
    set_reference(row, 0.0, 0.0, 1.0, -1.0, 0.0, 0.0)
    site["up"][0] = site["magnetic_north"][1] = 1.0
    site["magnetic_east"][2] = -1.0
    for i in range(n):
        t, group, constant, _ = draw_vertex(world, source, i, n, rng, pose)
        draw_uniform_rotation(row, site, rng, g)
        for k in (0, 3):
            turned[k], turned[k + 1], turned[k + 2] = apply(g, pose[k], pose[k + 1], pose[k + 2])
        length = interaction_length(world.yields, PROTON, math.log(t))
        z_over_a = GROUP_CHARGE[group] / GROUP_MASS_NUMBER[group]
        depth, top, slowing = trace_to_top(world, turned, t, z_over_a, z_over_a, 0.0, 0.0, length, entry)
        if depth == math.inf or not source.energy_low <= top <= source.energy_high:
            continue
        length = interaction_length(world.yields, PROTON, math.log(top))
        w = constant * group_flux(top, group, source.spectrum)
        a, b = _place(by_energy, t), _place(by_cosine, -pose[5])
        if a >= 0 and b >= 0:
            out[a, b] += w * slowing * math.exp(-depth / length) / length


@pytest.mark.slow
def test_first_interactions_in_the_real_field(worlds):
    """All nuclei, bending and energy loss on: as many first interactions as when primaries are stepped inwards."""
    model = primary_model("ghls2001-average")
    source = Source(model.spectrum, 0.5, 1000.0, 1.8)
    n = 12
    shape = (n, len(BY_ENERGY) - 1, len(BY_COSINE) - 1)
    forward, drawn = np.zeros(shape), np.zeros(shape)
    for k in range(n):
        _stepped_forward(worlds[1], source, 2500, 100 + k, BY_ENERGY, BY_COSINE, forward[k])
        _drawn(worlds[1], source, 30_000, 500 + k, BY_ENERGY, BY_COSINE, drawn[k])
    for axes in ((1, 2), (2,), (1,)):
        a, b = drawn.sum(axis=axes), forward.sum(axis=axes)
        error = np.hypot(a.std(axis=0, ddof=1), b.std(axis=0, ddof=1)) / math.sqrt(n)
        assert np.all(abs(a.mean(axis=0) - b.mean(axis=0)) < 4.0 * error + 2e-3 * b.mean(axis=0))
    total = forward.sum(axis=(1, 2))
    assert total.std(ddof=1) / math.sqrt(n) < 0.01 * total.mean()
