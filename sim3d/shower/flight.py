"""Transport one particle through air and magnetic field until it interacts, decays, stops or leaves the atmosphere.

A step ends at the ground, at a recording level or after the largest step length, whichever comes first. It is shortened
where energy loss would exceed a tenth of the kinetic energy. The field rotates the direction, energy is lost at the
rate of the middle of the step, and muons scatter after the step.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numba import njit

from atmosphere.kernels import CM_PER_KM, density
from geomag.field.kernels import field_cartesian
from sim3d.conventions.constants import EARTH_RADIUS_KM
from sim3d.conventions.particles import LAMBDA, MUM, MUP
from sim3d.jit_options import HELPER
from sim3d.shower.energy_loss import highland_sum, stopping_power
from sim3d.shower.levels import level_below, note_level, way_down
from sim3d.shower.random_streams import BRANCH_SCATTERING, child_key, uniform
from sim3d.shower.rotations import KAPPA, rotate_about_field, turn
from sim3d.shower.stack import (
    CROSSED,
    EX,
    EY,
    EZ,
    KINETIC,
    SHIFT_X,
    SHIFT_Y,
    SHIFT_Z,
    TURN,
    UX,
    UY,
    UZ,
    WEIGHT,
    X,
    Y,
    Z,
)
from sim3d.shower.track import T_STEP, note

LOST, INTERACTION, DECAY = range(3)
"""Ends of a flight. A particle is LOST at the ground, at the top of the air, or below its lowest kinetic energy."""

THIN_AIR_KM = 20.0
"""Height above which steps are twice as long; 5% of the air lies above it.

The depth of a step of 2 km is then wrong by less than 0.4%: (2 km / 6.5 km)^2 / 24, the error of the midpoint rule on
an exponential with a scale height of 6.5 km.
"""
# constant of Highland's formula, 13.6 MeV
_SCATTERING_GEV = 13.6e-3
# largest fraction of the kinetic energy lost in one step
_LOSS_FRACTION = 0.1
_SHORTEST_LOSS_STEP_KM = 0.01


class Medium(NamedTuple):
    """The part of a :class:`sim3d.shower.world.World` that transport uses (numba argument).

    Attributes
    ----------
    layers, gauss, loss : float64 arrays
        Atmosphere, field coefficients and energy-loss table, as in :class:`sim3d.shower.world.World`.
    step_km : float
        Largest step (km).
    reuse2 : float
        Square of the distance within which a field value is used again (km2).
    top_radius_km : float
        Distance of the top of the atmosphere from the Earth's centre.
    bending, scattering : bool
        Whether the field bends charged particles; whether muons scatter.
    """

    layers: np.ndarray
    gauss: np.ndarray
    loss: np.ndarray
    step_km: float
    reuse2: float
    top_radius_km: float
    bending: bool
    scattering: bool


@njit(**HELPER)
def medium_of(world):
    """Select the :class:`Medium` of a :class:`sim3d.shower.world.World`."""
    return Medium(
        world.layers,
        world.gauss,
        world.loss,
        world.step_km,
        world.field_reuse_km * world.field_reuse_km,
        EARTH_RADIUS_KM + world.top_km,
        world.bending,
        world.transverse,
    )


@njit(**HELPER)
def step_to_ground(r, rise, step_km):
    """Compute the length of a step: the largest step length, or the distance to the ground if that is shorter.

    Parameters
    ----------
    r, rise : float
        Distance from the Earth's centre (km) and sine of the direction's elevation.
    step_km : float
        Largest step below :data:`THIN_AIR_KM` (km).

    Returns
    -------
    ds : float
        Length (km).
    at_ground : bool
        Whether the step ends at the ground.
    """
    h = r - EARTH_RADIUS_KM
    ds = step_km if h < THIN_AIR_KM else 2.0 * step_km
    if rise < 0.0 and h < ds:
        reach2 = EARTH_RADIUS_KM * EARTH_RADIUS_KM - r * r * (1.0 - rise * rise)
        if reach2 > 0.0:
            to_ground = -r * rise - math.sqrt(reach2)
            if to_ground <= ds:
                return max(to_ground, 0.0), True
    return ds, False


@njit(**HELPER)
def step_to_level(levels, below, r, rise, ds, at_ground):
    """Shorten a step so that it ends at the next recording level below, if it reaches that level.

    Parameters
    ----------
    levels : Levels
    below : int
        Index of the next level below, -1 if it is not known.
    r, rise : float
        Distance from the Earth's centre (km) and sine of the direction's elevation.
    ds : float
        Length of the step (km).
    at_ground : bool
        Whether it ends at the ground.

    Returns
    -------
    ds : float
        Length (km), shortened or as given.
    at_ground, at_level : bool
        Whether the step ends at the ground, and at the level.
    below : int
        Index of the next level below; -1 for a particle that goes up.
    """
    if rise >= 0.0:
        return ds, at_ground, False, -1
    if below < 0:
        below = level_below(levels, r)
    if below < levels.radius_km.shape[0]:
        to_level = way_down(levels, below, r, rise)
        if to_level <= ds:
            return to_level, at_ground and to_level == ds, True, below
    return ds, at_ground, False, below


@njit(**HELPER)
def density_of_step(r, rise, ds, layers):
    """Compute the air density in the middle of a step.

    Parameters
    ----------
    r, rise, ds : float
        Distance from the Earth's centre (km), sine of the direction's elevation, length (km).
    layers : float64 array (n, 4)
        Atmosphere, as in :mod:`atmosphere.kernels`.

    Returns
    -------
    float
        g/cm2 per km. The height in the middle is correct to second order in ds / r.
    """
    curvature = (1.0 - rise * rise) / r
    return density(r - EARTH_RADIUS_KM + ds * (0.5 * rise + 0.125 * ds * curvature), layers) * CM_PER_KM


@njit(**HELPER)
def lose_energy(species, t, momentum, mass, loss_factor, r, rise, ds, rho, layers, loss_table):
    """Compute the energy loss of a charged particle on a step; shorten the step if it exceeds a tenth of its energy.

    Parameters
    ----------
    species : int
    t, momentum, mass : float
        Kinetic energy (GeV), momentum (GeV/c), mass (GeV) at the start of the step.
    loss_factor : float
        Factor of the stopping power: that of a nucleus per nucleon, else 1.
    r, rise, ds, rho : float
        Distance from the Earth's centre (km), sine of the direction's elevation, length (km), density in the middle
        (g/cm2 per km).
    layers, loss_table : float64 arrays
        Atmosphere and energy-loss table.

    Returns
    -------
    ds, rho : float
        Length (km) of the step to make, and density in its middle (g/cm2 per km).
    loss_rate : float
        Energy loss (GeV per km).
    momentum_mid : float
        Momentum in the middle of the step (GeV/c).
    """
    loss_rate = loss_factor * rho * stopping_power(species, momentum, mass, rho / CM_PER_KM, loss_table)
    if loss_rate * ds > _LOSS_FRACTION * t:
        shorter = max(_LOSS_FRACTION * t / loss_rate, _SHORTEST_LOSS_STEP_KM)
        if shorter < ds:
            # the middle of the shorter step is at another height, and the loss is proportional to the density there
            ds = shorter
            here = density_of_step(r, rise, ds, layers)
            loss_rate *= here / rho
            rho = here
    t_mid = max(t - 0.5 * loss_rate * ds, 0.5 * t)
    return ds, rho, loss_rate, math.sqrt(t_mid * (t_mid + 2.0 * mass))


@njit(**HELPER)
def field_near(x, y, z, anchor, gauss, reuse2):
    """Compute the magnetic field at a position, or return the last value if that was computed nearby.

    Parameters
    ----------
    x, y, z : float
        Geocentric position (km).
    anchor : float64 array (6,)
        Position (km) and value (nT) of the last evaluation; updated.
    gauss : float64 array
        Field coefficients, as in :mod:`geomag.field.kernels`.
    reuse2 : float
        Square of the distance within which the value is used again (km2).

    Returns
    -------
    bx, by, bz : float
        Field (nT).
    """
    dx, dy, dz = x - anchor[0], y - anchor[1], z - anchor[2]
    if dx * dx + dy * dy + dz * dz > reuse2:
        anchor[3], anchor[4], anchor[5] = field_cartesian(x, y, z, gauss)
        anchor[0], anchor[1], anchor[2] = x, y, z
    return anchor[3], anchor[4], anchor[5]


@njit(**HELPER)
def scatter(ux, uy, uz, ex, ey, ez, momentum, mass, highland, rng):
    """Sample multiple Coulomb scattering on a step (Highland's Gaussian) and rotate the direction by it.

    Parameters
    ----------
    ux, uy, uz, ex, ey, ez : float
        Unit direction and carried perpendicular unit vector.
    momentum, mass : float
        GeV/c and GeV.
    highland : float
        Increase of :func:`sim3d.shower.energy_loss.highland_sum` on the step.
    rng : uint64 array (1,)
        Random stream.

    Returns
    -------
    tuple of float
        The new direction (3) and perpendicular vector (3).
    """
    beta_p = momentum * momentum / math.sqrt(momentum * momentum + mass * mass)
    # two projected Gaussians of this width make a Rayleigh-distributed space angle
    width2 = (_SCATTERING_GEV / beta_p) ** 2 * highland
    if width2 > 1e-12:
        theta = math.sqrt(-2.0 * width2 * math.log(uniform(rng)))
        phi = 2.0 * math.pi * uniform(rng)
        return turn(ux, uy, uz, ex, ey, ez, math.cos(theta), math.sin(theta), math.cos(phi), math.sin(phi))
    return ux, uy, uz, ex, ey, ez


@njit(**HELPER)
def fly(
    particle, species, key, charge, loss_factor, mass, ctau, kinetic_min, length, optical_left, proper_left,
    medium, anchor, rng, track, levels,
):  # fmt: skip
    """Transport a particle to its interaction, decay or loss; ``particle`` is updated to its state there.

    Parameters
    ----------
    particle : float64 array (STACK_COLUMNS + carried columns,)
        State of the particle (columns of :mod:`sim3d.shower.stack`).
    species : int
    key : uint64
        Key of its random stream.
    charge, loss_factor : float
        Charge (of a nucleus: per nucleon); factor of the stopping power.
    mass, ctau, kinetic_min : float
        Mass (GeV), mean proper decay length (km), and the kinetic energy (GeV) at which the particle is lost.
    length : float
        Interaction length (g/cm2), infinite for a particle that does not interact.
    optical_left, proper_left : float
        Optical depth to the interaction (in interaction lengths), and proper time times c to the decay (km).
    medium : Medium
    anchor : float64 array (6,)
        See :func:`field_near`.
    rng : uint64 array (1,)
        Work space.
    track, levels
        See :func:`sim3d.shower.kernel.shower`.

    Returns
    -------
    fate : int
        LOST, INTERACTION or DECAY.
    optical_depth : float
        Optical depth crossed (in interaction lengths).
    """
    layers, gauss, loss_table = medium.layers, medium.gauss, medium.loss
    x, y, z = particle[X], particle[Y], particle[Z]
    ux, uy, uz = particle[UX], particle[UY], particle[UZ]
    ex, ey, ez = particle[EX], particle[EY], particle[EZ]
    t, weight, field_turn = particle[KINETIC], particle[WEIGHT], particle[TURN]
    shift_x, shift_y, shift_z = particle[SHIFT_X], particle[SHIFT_Y], particle[SHIFT_Z]
    momentum = math.sqrt(t * (t + 2.0 * mass))
    is_hadron = species <= LAMBDA
    is_muon = species in (MUP, MUM)
    depth, highland = particle[CROSSED], 0.0
    if is_muon:
        rng[0] = child_key(key, BRANCH_SCATTERING)
        if depth > 0.0:
            highland = highland_sum(depth)
    optical_depth = 0.0
    below = -1
    while True:
        r = math.sqrt(x * x + y * y + z * z)
        rise = (x * ux + y * uy + z * uz) / r
        ds, at_ground = step_to_ground(r, rise, medium.step_km)
        at_level = False
        if levels is not None:
            ds, at_ground, at_level, below = step_to_level(levels, below, r, rise, ds, at_ground)
        rho = density_of_step(r, rise, ds, layers)
        loss_rate, momentum_mid = 0.0, momentum
        if charge != 0.0:
            wanted = ds
            ds, rho, loss_rate, momentum_mid = lose_energy(
                species, t, momentum, mass, loss_factor, r, rise, ds, rho, layers, loss_table
            )
            if ds < wanted:
                at_ground = at_level = False
        fate = LOST
        to_decay = proper_left * momentum_mid / mass
        if to_decay <= ds:
            ds = to_decay
            fate = DECAY
        if is_hadron and optical_left * length < rho * ds:
            ds = optical_left * length / rho
            fate = INTERACTION

        if charge != 0.0 and medium.bending:
            bx, by, bz = field_near(x, y, z, anchor, gauss, medium.reuse2)
            f = 0.5 * KAPPA * charge * ds / momentum_mid
            vx, vy, vz = rotate_about_field(ux, uy, uz, f * bx, f * by, f * bz)
            ex, ey, ez = rotate_about_field(ex, ey, ez, f * bx, f * by, f * bz)
            half = 0.5 * ds
            x += half * (ux + vx)
            y += half * (uy + vy)
            z += half * (uz + vz)
            ux, uy, uz = vx, vy, vz
        else:
            f = KAPPA * charge * ds / momentum_mid
            half = ds * (field_turn + 0.5 * f)
            field_turn += f
            shift_x += half * ux
            shift_y += half * uy
            shift_z += half * uz
            x += ds * ux
            y += ds * uy
            z += ds * uz
        if track is not None:
            note(track, T_STEP, species, x, y, z, t, weight)
        crossed = rho * ds / length
        optical_depth += crossed
        if charge != 0.0:
            t -= loss_rate * ds
            if t <= kinetic_min:
                fate = LOST
                break
            if is_muon and medium.scattering:
                depth += rho * ds
                before, highland = highland, highland_sum(depth)
                ux, uy, uz, ex, ey, ez = scatter(ux, uy, uz, ex, ey, ez, momentum_mid, mass, highland - before, rng)
            momentum = math.sqrt(t * (t + 2.0 * mass))
        if levels is not None:
            if is_muon:
                weight *= math.exp(-ds * mass / (momentum_mid * ctau))
            if at_level and fate == LOST:
                if charge * charge == abs(charge):  # nuclei, which have Z/A here, are not recorded as protons
                    note_level(levels.crossings, below, species, momentum, weight, x, y, z, ux, uy, uz, particle)
                below += 1
        if fate != LOST or at_ground:
            break
        proper_left -= ds * mass / momentum_mid
        optical_left -= crossed
        leaves = x * x + y * y + z * z > medium.top_radius_km * medium.top_radius_km
        if leaves and x * ux + y * uy + z * uz > 0.0:
            break
    particle[X], particle[Y], particle[Z] = x, y, z
    particle[UX], particle[UY], particle[UZ] = ux, uy, uz
    particle[EX], particle[EY], particle[EZ] = ex, ey, ez
    particle[KINETIC], particle[WEIGHT], particle[TURN], particle[CROSSED] = t, weight, field_turn, depth
    particle[SHIFT_X], particle[SHIFT_Y], particle[SHIFT_Z] = shift_x, shift_y, shift_z
    return fate, optical_depth
