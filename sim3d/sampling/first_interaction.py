"""Draw the point and direction of a primary's first interaction, and compute the slant depth above it for the weight.

The rate of first interactions in the atmosphere per volume, solid angle, energy and time is
J(E) rho / lambda exp(-X / lambda). J is the flux at the top of the atmosphere where the primary enters, and X the slant
depth along its (bent) path. A vertex is drawn by the zenith cosine c of the primary's arrival and by its vertical depth
T. Their density h(c, T) approximates this rate and is positive everywhere. The importance weight is the ratio.

The density: consider a path of zenith cosine c in an atmosphere of scale height H, bent as if the ground were a sphere
of radius R_eff. Its slant depth is s(c) T with

    s(c) = sqrt(pi R_eff / 2 H) exp(y^2) erfc(y),  y = c sqrt(R_eff / 2 H)

(the integral of exp(-(c l + l^2 / 2 R_eff) / H) dl / H; for no bending the limit of Chapman's function for large radii,
S. Chapman, Proc. Phys. Soc. 43 (1931) 483). 1 / R_eff = 1 / R_Earth + the largest curvature that the field can give,
so that s(c) underestimates the slant-depth ratio, which bounds the weights. As a safety, 5% of the depths are drawn
from the distribution of a vertical path.

A crossing at zenith cosine C counts 1/|C|. A part of the vertices is therefore drawn so that the shower's axis crosses
the site's sphere at cosines that are uniform around 0. Their density is proportional to 1/|C| there.
"""

from __future__ import annotations

import math

from numba import njit

from atmosphere.kernels import CM_PER_KM, density, height_of_depth, vertical_depth
from geomag.field.kernels import field_cartesian
from sim3d.conventions.constants import EARTH_RADIUS_KM
from sim3d.conventions.particles import PROTON
from sim3d.jit_options import UNCOUNTED
from sim3d.shower.energy_loss import stopping_power
from sim3d.shower.random_streams import uniform
from sim3d.shower.rotations import KAPPA, rotate_about_field

SCALE_HEIGHT_KM = 7.0
LARGEST_HORIZONTAL_FIELD_NT = 4.2e4
"""Approximate largest horizontal field at the ground in the IGRF (42,061 nT at most in samples of 1900-2030). It enters
the density that vertices are drawn from, and changes no expectation value."""

_STEEP = 0.8
"""Most depths are drawn with this times the rate s(c) / lambda: a slower decrease with depth bounds the weights."""
_SHALLOW = 0.25
_P_STEEP, _P_SHALLOW, _P_VERTICAL = 0.86, 0.09, 0.05
_LARGEST_SECANT = 1.0e5
_UPWARD_WIDTH = 1.3
"""Width of the Gaussian that upward-going vertices (c < 0) are drawn from, in units of the true width sqrt(H/R_eff)."""
# The steps on the way to the top, each the shortest of five lengths.
_LONGEST_STEP_KM = 16.0
_CLIMB_KM, _CLIMB_FROM_KM, _CLIMB_GROWTH = 2.0, 30.0, 0.2
"""Change of height: 2 km up to a height of 30 km, and 0.2 of the height above that more. 1.2% of the air lies there."""
_FLATTEST = 0.2
"""Added to the sine of the elevation, by which the change of height is divided: a flat path curves away."""
_STEP_PER_GV_KM = 3.0
"""Length per rigidity (GV): a step turns the direction by 0.045 rad at most."""
_LOSS_FRACTION, _LOSS_GEV_CM2 = 0.02, 2.0e-3
"""Largest fraction of the kinetic energy that is lost, for the loss (GeV cm2/g) of a fast proton."""
_NEGLIGIBLE = 40.0
"""Depth in interaction lengths beyond which survival (4e-18) is neglected."""
HORIZON_SHARE, HARD_HORIZON_SHARE, HORIZON_COSINE = 0.25, 0.08, 0.3
"""Fractions of the downward-going vertices, of soft and of hard primaries, drawn uniformly below this zenith cosine."""
GRAZING_SHARE, HARD_GV = 0.25, 30.0
"""Fraction of the vertices of hard primaries drawn by the crossing of the axis, near the horizon; the rigidity (GV) of
half of it. The neutrinos of soft primaries leave the axis too far."""
GRAZING_SQUARE, GRAZING_MISS = 0.09, 0.06
"""Largest squared cosine of these crossings; root of the largest negative one, where the axis misses the sphere."""
_GRAZING_SECANT = 11.0
"""Ratio of slant to vertical depth with which their depths are drawn; that of paths tangent to the ground is 9 to 17
between 35 and 8 km."""
_INV_SQRT_2PI = 1.0 / math.sqrt(2.0 * math.pi)


@njit(**UNCOUNTED)
def effective_radius(rigidity_GV):
    """Effective radius (km) that replaces the Earth's in the slant depth of the most strongly bent path.

    Parameters
    ----------
    rigidity_GV : float

    Returns
    -------
    float
    """
    return 1.0 / (1.0 / EARTH_RADIUS_KM + KAPPA * LARGEST_HORIZONTAL_FIELD_NT / rigidity_GV)


@njit(**UNCOUNTED)
def secant(c, radius_km):
    """Ratio s(c) of slant depth to vertical depth; see the module's header.

    Parameters
    ----------
    c : float
        Zenith cosine of the arrival direction at the vertex.
    radius_km : float
        From :func:`effective_radius`.

    Returns
    -------
    float
        At most 1e5.
    """
    y = c * math.sqrt(radius_km / (2.0 * SCALE_HEIGHT_KM))
    if y < -5.0:
        return _LARGEST_SECANT
    if y > 8.0:
        return 1.0 / c
    s = math.sqrt(0.5 * math.pi * radius_km / SCALE_HEIGHT_KM) * math.exp(y * y) * math.erfc(y)
    return min(s, _LARGEST_SECANT)


@njit(**UNCOUNTED)
def _upward_share(radius_km):
    """Fraction of the vertices drawn with an upward-going primary (c < 0)."""
    return 0.02 + 0.4 * math.sqrt(SCALE_HEIGHT_KM / radius_km)


@njit(**UNCOUNTED)
def draw_cosine(radius_km, horizon, rng):
    """Draw the zenith cosine c of the primary at its first interaction, with the density :func:`cosine_density`.

    Parameters
    ----------
    radius_km, horizon
        As for :func:`cosine_density`.
    rng : uint64 array (1,)
        State of the random stream.

    Returns
    -------
    float
    """
    if uniform(rng) < _upward_share(radius_km):
        width = _UPWARD_WIDTH * math.sqrt(SCALE_HEIGHT_KM / radius_km)
        c = -2.0
        while c < -1.0:
            r = width * math.sqrt(-2.0 * math.log(uniform(rng)))
            c = -abs(r * math.cos(2.0 * math.pi * uniform(rng)))
        return c
    if uniform(rng) < horizon:
        return HORIZON_COSINE * uniform(rng)
    c = 2.0 * uniform(rng)
    return 2.0 * c / (1.0 + math.sqrt(1.0 + 4.0 * c))


@njit(**UNCOUNTED)
def cosine_density(c, radius_km, horizon):
    """Probability density of the zenith cosine c of the primary at its first interaction.

    Downward-going: (1 + 2 c) / 2, flatter than the true c, mixed with a uniform density below HORIZON_COSINE.
    Upward-going: half a Gaussian.

    Parameters
    ----------
    c : float
    radius_km : float
        From :func:`effective_radius`.
    horizon : float
        Share of the uniform density.

    Returns
    -------
    float
    """
    upward = _upward_share(radius_km)
    if c < 0.0:
        width = _UPWARD_WIDTH * math.sqrt(SCALE_HEIGHT_KM / radius_km)
        inside = math.erf(1.0 / (width * math.sqrt(2.0)))
        return upward * 2.0 * _INV_SQRT_2PI / width * math.exp(-0.5 * (c / width) ** 2) / inside
    density = (1.0 - horizon) * (0.5 + c)
    if c < HORIZON_COSINE:
        density += horizon / HORIZON_COSINE
    return (1.0 - upward) * density


@njit(**UNCOUNTED)
def draw_depth(s, length, deepest, rng):
    """Draw the vertical depth of a first interaction, with the density :func:`depth_density`.

    Parameters
    ----------
    s, length, deepest
        As for :func:`depth_density`.
    rng : uint64 array (1,)
        State of the random stream.

    Returns
    -------
    float
        g/cm2.
    """
    u = uniform(rng)
    rate = 1.0 / length
    if u < _P_STEEP:
        rate = _STEEP * s / length
    elif u < _P_STEEP + _P_SHALLOW:
        rate = _SHALLOW * s / length
    return -math.log(1.0 - uniform(rng) * (-math.expm1(-rate * deepest))) / rate


@njit(**UNCOUNTED)
def depth_density(depth, s, length, deepest):
    """Probability density of the vertical depth: a mixture of three exponentials, truncated at ``deepest``.

    Parameters
    ----------
    depth : float
        g/cm2.
    s : float
        From :func:`secant`.
    length : float
        Interaction length (g/cm2).
    deepest : float
        Vertical depth at the ground (g/cm2).

    Returns
    -------
    float
        (g/cm2)^-1.
    """
    value = 0.0
    for k in range(3):
        if k == 0:
            share, rate = _P_STEEP, _STEEP * s / length
        elif k == 1:
            share, rate = _P_SHALLOW, _SHALLOW * s / length
        else:
            share, rate = _P_VERTICAL, 1.0 / length
        value += share * rate * math.exp(-rate * depth) / (-math.expm1(-rate * deepest))
    return value


@njit(**UNCOUNTED)
def _grazing_range(r_km, sphere_km):
    """Lowest and highest signed root of the squared cosine of an axis' crossing, from a vertex at a radius."""
    level = 1.0 - (r_km / sphere_km) ** 2  # of a horizontal axis
    low = max(level, -(GRAZING_MISS**2))
    return math.copysign(math.sqrt(abs(low)), low), math.sqrt(max(level, 0.0) + GRAZING_SQUARE)


@njit(**UNCOUNTED)
def grazing_cosine(r_km, sphere_km, u):
    """Zenith cosine at a vertex whose axis crosses the site's sphere near the horizon.

    With b the distance of the axis from the Earth's centre, the squared cosine of the crossing, 1 - (b / R)^2, is
    negative where the axis misses the sphere. Its signed root is uniform.

    Parameters
    ----------
    r_km : float
        Distance of the vertex from the Earth's centre (km).
    sphere_km : float
        Radius R of the site's sphere (km).
    u : float
        Cumulative probability.

    Returns
    -------
    float
        0 or more: the crossing lies ahead.
    """
    low, high = _grazing_range(r_km, sphere_km)
    root = low + u * (high - low)
    return math.sqrt(max(0.0, 1.0 - (1.0 - root * abs(root)) * (sphere_km / r_km) ** 2))


@njit(**UNCOUNTED)
def grazing_density(c, r_km, sphere_km):
    """Probability density of the zenith cosine of :func:`grazing_cosine`, for a vertex at a radius.

    Parameters
    ----------
    c : float
    r_km, sphere_km
        As for :func:`grazing_cosine`.

    Returns
    -------
    float
        0 outside of their range.
    """
    low, high = _grazing_range(r_km, sphere_km)
    square = 1.0 - (r_km / sphere_km) ** 2 * (1.0 - c * c)
    size = math.sqrt(abs(square))
    if c <= 0.0 or not low <= math.copysign(size, square) <= high:
        return 0.0
    return (r_km / sphere_km) ** 2 * c / (max(size, 1e-9) * (high - low))


@njit(**UNCOUNTED)
def vertex_density(c, depth, r_km, rigidity_GV, length, sphere_km, deepest):
    """Probability density h(c, T) of a first interaction.

    Parameters
    ----------
    c : float
        Zenith cosine of the arrival direction.
    depth : float
        Vertical depth T (g/cm2).
    r_km : float
        Distance from the Earth's centre (km) at that depth.
    rigidity_GV : float
    length : float
        Interaction length (g/cm2).
    sphere_km : float
        Radius of the site's sphere (km).
    deepest : float
        Vertical depth at the ground (g/cm2).

    Returns
    -------
    float
        (g/cm2)^-1.
    """
    grazing, horizon = _shares(rigidity_GV)
    radius = effective_radius(rigidity_GV)
    value = cosine_density(c, radius, horizon) * depth_density(depth, secant(c, radius), length, deepest)
    beside = grazing_density(c, r_km, sphere_km) * depth_density(depth, _GRAZING_SECANT, length, deepest)
    return (1.0 - grazing) * value + grazing * beside


@njit(**UNCOUNTED)
def _shares(rigidity_GV):
    """Share of the vertices drawn by the crossing of the axis, and of the others' uniform part at the horizon."""
    hard = rigidity_GV / (rigidity_GV + HARD_GV)
    return GRAZING_SHARE * hard, HORIZON_SHARE + (HARD_HORIZON_SHARE - HORIZON_SHARE) * hard


@njit(**UNCOUNTED)
def draw_point(rigidity_GV, length, sphere_km, layers, rng):
    """Draw zenith cosine and depth of a first interaction with the density :func:`vertex_density`.

    Parameters
    ----------
    rigidity_GV : float
    length : float
        Interaction length (g/cm2).
    sphere_km : float
        Radius of the site's sphere (km).
    layers : float64 array
        Layers of the atmosphere.
    rng : uint64 array (1,)
        State of the random stream.

    Returns
    -------
    c, depth : float
        Zenith cosine, vertical depth (g/cm2).
    r_km : float
        Distance from the Earth's centre (km).
    density : float
        (g/cm2)^-1.
    """
    grazing, horizon = _shares(rigidity_GV)
    deepest = vertical_depth(0.0, layers)
    if uniform(rng) < grazing:
        depth = draw_depth(_GRAZING_SECANT, length, deepest, rng)
        r = EARTH_RADIUS_KM + vertex_height(depth, layers)
        c = grazing_cosine(r, sphere_km, uniform(rng))
    else:
        radius = effective_radius(rigidity_GV)
        c = draw_cosine(radius, horizon, rng)
        depth = draw_depth(secant(c, radius), length, deepest, rng)
        r = EARTH_RADIUS_KM + vertex_height(depth, layers)
    return c, depth, r, vertex_density(c, depth, r, rigidity_GV, length, sphere_km, deepest)


@njit(**UNCOUNTED)
def vertex_height(depth, layers):
    """Height (km) of a vertex above the ground; 0 where the depth exceeds that at the ground.

    Parameters
    ----------
    depth : float
        Vertical depth (g/cm2).
    layers : float64 array
        Layers of the atmosphere, see :mod:`atmosphere.kernels`.

    Returns
    -------
    float
    """
    return max(height_of_depth(depth, layers), 0.0)


@njit(**UNCOUNTED)
def trace_to_top(world, pose, kinetic, z_over_a, loss_factor, flown, free_charge, length, entry):
    """Integrate a primary's path backwards from its first interaction to the top of the atmosphere.

    The path includes ionisation loss and, with bending, deflection by the field. The survival probability is only as
    accurate as the slant depth, so the depth is summed by Simpson's rule: on average it is good to 1e-3 of the
    interaction length, direction and position at the top to 0.02 degrees and 0.1 km. Steps are long where the path is
    straight and the air thin. A value of the field serves for ``World.field_reuse_km``; it is that in the middle.

    Parameters
    ----------
    world : World
    pose : float64 array (at least 6)
        Position (km) and direction of flight at the vertex.
    kinetic : float
        Kinetic energy per nucleon there (GeV).
    z_over_a, loss_factor : float
        Charge per nucleon, and loss of energy over a proton's.
    flown : float
        Depth (g/cm2) that the nucleon has flown alone, after its nucleus broke up; 0 if it interacted in the nucleus.
    free_charge : float
        Charge of the nucleon on that part, which is also the factor of its loss.
    length : float
        Interaction length (g/cm2), to stop at a depth that is too large to matter.
    entry : float64 array (6,)
        Receives position (km) and direction at the top of the atmosphere.

    Returns
    -------
    depth : float
        Slant depth along the path (g/cm2); infinite where the path meets the ground or is too long.
    top_kinetic : float
        Kinetic energy per nucleon at the top (GeV).
    slowing : float
        Ratio a(top_kinetic) / a(kinetic) of the stopping powers: the Jacobian of the energies. (Along a path with
        energy loss f p^2 a is conserved, f being the density in phase space; both are taken at the vertex's density.)
    """
    x, y, z = pose[0], pose[1], pose[2]
    ux, uy, uz = pose[3], pose[4], pose[5]
    mass = world.mass[PROTON]
    t = kinetic
    depth = 0.0
    rho_vertex, rho_here = 0.0, -1.0
    r_top = EARTH_RADIUS_KM + world.top_km
    shorter = min(world.step_km, 1.0)
    bent_charge = max(z_over_a, 0.1)
    losing = _LOSS_GEV_CM2 / _LOSS_FRACTION * max(loss_factor, free_charge)
    # field, and where it was computed
    bx, by, bz = 0.0, 0.0, 0.0
    px, py, pz = 0.0, 0.0, 0.0
    reuse = world.field_reuse_km
    layers, gauss, loss_table = world.layers, world.gauss, world.loss
    while True:
        r = math.sqrt(x * x + y * y + z * z)
        h = r - EARTH_RADIUS_KM
        rise = -(x * ux + y * uy + z * uz) / r
        if h >= world.top_km and rise > 0.0:
            break
        if rho_here < 0.0:
            rho_here = density(h, layers) * CM_PER_KM
            rho_vertex = rho_here / CM_PER_KM
        momentum = math.sqrt(t * (t + 2.0 * mass))
        climb = _CLIMB_KM + _CLIMB_GROWTH * max(h - _CLIMB_FROM_KM, 0.0)
        ds = min(climb / (_FLATTEST + abs(rise)), _STEP_PER_GV_KM * momentum / bent_charge, _LONGEST_STEP_KM)
        if losing * rho_here * ds > t:
            ds = t / (losing * rho_here)
        ds *= shorter
        curvature = (1.0 - rise * rise) / r
        end = h + ds * (rise + 0.5 * ds * curvature)
        if end < 0.0:
            return math.inf, t, 1.0
        if rise > 0.0 and end > world.top_km:
            b = r * rise
            ds = max(math.sqrt(b * b + (r_top - r) * (r_top + r)) - b, 1.0e-6)
            end = h + ds * (rise + 0.5 * ds * curvature)
        rho = density(h + ds * (0.5 * rise + 0.125 * ds * curvature), layers) * CM_PER_KM
        rho_end = density(end, layers) * CM_PER_KM
        rho = (rho_here + 4.0 * rho + rho_end) / 6.0
        rho_here = rho_end
        charge, factor = z_over_a, loss_factor
        if depth < flown:
            charge = factor = free_charge
        loss = factor * rho * stopping_power(PROTON, momentum, mass, rho / CM_PER_KM, loss_table) * ds
        middle = t + 0.5 * loss
        momentum = math.sqrt(middle * (middle + 2.0 * mass))
        if world.bending:
            dx, dy, dz = x - px, y - py, z - pz
            if dx * dx + dy * dy + dz * dz > reuse * reuse:
                ahead = 0.5 * max(reuse, ds)
                bx, by, bz = field_cartesian(x - ahead * ux, y - ahead * uy, z - ahead * uz, gauss)
                px, py, pz = x, y, z
            f = -0.5 * KAPPA * charge * ds / momentum
            vx, vy, vz = rotate_about_field(ux, uy, uz, f * bx, f * by, f * bz)
        else:
            vx, vy, vz = ux, uy, uz
        half = 0.5 * ds
        x -= half * (ux + vx)
        y -= half * (uy + vy)
        z -= half * (uz + vz)
        ux, uy, uz = vx, vy, vz
        t += loss
        depth += rho * ds
        if depth > _NEGLIGIBLE * length:
            return math.inf, t, 1.0
    entry[0], entry[1], entry[2] = x, y, z
    entry[3], entry[4], entry[5] = ux, uy, uz
    below = stopping_power(PROTON, math.sqrt(kinetic * (kinetic + 2.0 * mass)), mass, rho_vertex, loss_table)
    above = stopping_power(PROTON, math.sqrt(t * (t + 2.0 * mass)), mass, rho_vertex, loss_table)
    return depth, t, above / below
