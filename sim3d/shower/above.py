"""Transport a charged particle above the atmosphere: through the magnetic field, in vacuum, until it comes back.

A particle that leaves the top of the atmosphere keeps its energy. The field turns it, and one of low rigidity may bring
it back elsewhere (albedo). It then goes on in the air as any other. Pions, kaons and muons may decay on the way.
"""

from __future__ import annotations

import math

from numba import njit

from geomag.field.kernels import field_cartesian
from sim3d.conventions.constants import EARTH_RADIUS_KM
from sim3d.jit_options import HELPER
from sim3d.shower.flight import DECAY, LOST
from sim3d.shower.random_streams import BRANCH_ALBEDO, child_key, uniform
from sim3d.shower.rotations import KAPPA, rotate_about_field
from sim3d.shower.stack import ABOVE, DECAYS, EX, EY, EZ, KINETIC, UX, UY, UZ, X, Y, Z, put_back

RETURNED = 3
"""End of a flight above the atmosphere, beside LOST and DECAY: the particle enters the air again."""

ESCAPE_RADII = 10.0
"""Distance from the Earth's centre, in Earth radii, at which a particle has left the field; that of back-tracking."""
LONGEST_PATH_RADII = 100.0
"""Path above the atmosphere, in Earth radii, after which a particle is no longer followed; that of back-tracking.

The paths of its ancestors are counted too. It is 2.1 s at the speed of light; particles on closed drift shells would go
on for longer.
"""
TURN_OF_STEP = 0.1
"""Largest angle (rad) by which a step turns the direction.

Turning in the middle of a step of angle a shortens a turn by a^2 / 12, here 0.08%.
"""
RADIUS_OF_STEP = 0.1
"""Largest step as a share of the distance from the Earth's centre."""
RE_ENTRY_KM = 0.1
"""A particle is brought back to within this height below the top. The air there has 1e-8 g/cm2 for each km."""


@njit(**HELPER)
def step_above(x, y, z, ux, uy, uz, h, k, gauss):
    """Make a step in the field: half of the way, the turn of the field there, the other half.

    Parameters
    ----------
    x, y, z, ux, uy, uz : float
        Geocentric position (km) and unit direction.
    h : float
        Length (km).
    k : float
        KAPPA q/p (rad per km and nT).
    gauss : float64 array
        Field coefficients, as in :mod:`geomag.field.kernels`.

    Returns
    -------
    x, y, z, vx, vy, vz : float
        Position and direction after the step.
    ax, ay, az : float
        Half of the turn, as an axis of that length (rad).
    """
    half = 0.5 * h
    mx, my, mz = x + half * ux, y + half * uy, z + half * uz
    bx, by, bz = field_cartesian(mx, my, mz, gauss)
    ax, ay, az = half * k * bx, half * k * by, half * k * bz
    vx, vy, vz = rotate_about_field(ux, uy, uz, ax, ay, az)
    return mx + half * vx, my + half * vy, mz + half * vz, vx, vy, vz, ax, ay, az


@njit(nogil=True)
def fly_above(particle, charge, mass, proper_left, top_radius_km, gauss):
    """Transport a charged particle in vacuum until it enters the air, decays or is lost; ``particle`` is updated.

    The rotation of :func:`sim3d.shower.rotations.rotate_about_field` keeps the momentum, and so energy and rigidity.

    Parameters
    ----------
    particle : float64 array (STACK_COLUMNS + carried columns,)
        State of the particle above the top, going outwards.
    charge, mass : float
        Charge; mass (GeV).
    proper_left : float
        Proper time times c to the decay (km).
    top_radius_km : float
        Distance of the top of the atmosphere from the Earth's centre.
    gauss : float64 array
        Field coefficients, as in :mod:`geomag.field.kernels`.

    Returns
    -------
    int
        RETURNED, DECAY, or LOST: beyond ESCAPE_RADII or after LONGEST_PATH_RADII.
    """
    x, y, z = particle[X], particle[Y], particle[Z]
    ux, uy, uz = particle[UX], particle[UY], particle[UZ]
    ex, ey, ez = particle[EX], particle[EY], particle[EZ]
    t, path = particle[KINETIC], particle[ABOVE]
    momentum = math.sqrt(t * (t + 2.0 * mass))
    k = KAPPA * charge / momentum
    top2 = top_radius_km * top_radius_km
    lowest2 = (top_radius_km - RE_ENTRY_KM) * (top_radius_km - RE_ENTRY_KM)
    far2 = (ESCAPE_RADII * EARTH_RADIUS_KM) * (ESCAPE_RADII * EARTH_RADIUS_KM)
    longest = LONGEST_PATH_RADII * EARTH_RADIUS_KM
    to_decay = proper_left * momentum / mass
    fate = LOST
    bx, by, bz = field_cartesian(x, y, z, gauss)
    turn = abs(k) * math.sqrt(bx * bx + by * by + bz * bz)
    while True:
        r = math.sqrt(x * x + y * y + z * z)
        h = min(TURN_OF_STEP / (turn + 1e-12), RADIUS_OF_STEP * r, to_decay)
        nx, ny, nz, vx, vy, vz, ax, ay, az = step_above(x, y, z, ux, uy, uz, h, k, gauss)
        r2 = nx * nx + ny * ny + nz * nz
        if r2 < top2:
            # the step ends in the air: bisect its length until it ends just below the top
            fate = RETURNED
            short, long = 0.0, h
            while r2 < lowest2 or r2 > top2:
                h = 0.5 * (short + long)
                nx, ny, nz, vx, vy, vz, ax, ay, az = step_above(x, y, z, ux, uy, uz, h, k, gauss)
                r2 = nx * nx + ny * ny + nz * nz
                if r2 > top2:
                    short = h
                else:
                    long = h
        elif h == to_decay:
            fate = DECAY
        ex, ey, ez = rotate_about_field(ex, ey, ez, ax, ay, az)
        turn = 2.0 * math.sqrt(ax * ax + ay * ay + az * az) / h if h > 0.0 else turn
        x, y, z, ux, uy, uz = nx, ny, nz, vx, vy, vz
        path += h
        to_decay -= h
        if fate != LOST or r2 > far2 or path > longest:
            break
    norm = 1.0 / math.sqrt(ux * ux + uy * uy + uz * uz)
    particle[X], particle[Y], particle[Z] = x, y, z
    particle[UX], particle[UY], particle[UZ] = norm * ux, norm * uy, norm * uz
    particle[EX], particle[EY], particle[EZ] = ex, ey, ez
    particle[ABOVE] = path
    return fate


@njit(**HELPER)
def follow_above(world, particle, species, key, medium, particles, species_of, key_of, n_stack, rng):
    """Follow a particle that is lost to the air if it left at the top; put it back on the stack if it comes back.

    Times to a decay and depths to an interaction have no memory, so both are drawn anew, here and for the way back in.

    Parameters
    ----------
    world : sim3d.shower.world.World
    particle : float64 array (STACK_COLUMNS + carried columns,)
        State of the particle at the end of its flight in the air.
    species : int
    key : uint64
        Key of its random stream.
    medium : sim3d.shower.flight.Medium
    particles, species_of, key_of : arrays
        The stack; it must have a free row.
    n_stack : int
        Particles on it.
    rng : uint64 array (1,)
        Work space.

    Returns
    -------
    fate : int
        LOST, also for one that is on the stack again, or DECAY.
    n_stack : int
        Particles on the stack afterwards.
    """
    x, y, z = particle[X], particle[Y], particle[Z]
    outside = x * x + y * y + z * z > medium.top_radius_km * medium.top_radius_km
    if not outside or x * particle[UX] + y * particle[UY] + z * particle[UZ] <= 0.0:
        return LOST, n_stack
    rng[0] = child_key(key, BRANCH_ALBEDO)
    proper_left = world.ctau_km[species]
    if proper_left < math.inf:
        proper_left *= -math.log(uniform(rng)) / particle[DECAYS]
    fate = fly_above(
        particle, world.charge[species], world.mass[species], proper_left, medium.top_radius_km, medium.gauss
    )
    if fate == RETURNED:
        species_of[n_stack] = species
        return LOST, put_back(particles, key_of, n_stack, particle, rng[0])
    return fate, n_stack
