"""The flight of one particle: steps through air and field until it interacts, decays, reaches the ground or leaves.

A step ends at the latest at the ground, at a level where particles are noted, after the largest step length, or where
energy loss would take more than a tenth of the kinetic energy.
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
"""Ends of a flight; a particle is lost at the ground, at the top of the air and when too slow to matter."""

THIN_AIR_KM = 20.0
"""Above this height, where 5% of the air is left, steps are twice as long: the depth of a step is then wrong by less
than 0.4% of itself ((2 km / 6.5 km)^2 / 24, the rule of the midpoint on an exponential)."""
# Highland: 13.6 MeV
_SCATTERING_GEV = 13.6e-3
# largest fraction of the kinetic energy lost in one step
_LOSS_FRACTION = 0.1
_SHORTEST_LOSS_STEP_KM = 0.01


class Medium(NamedTuple):
    """What flights read of a :class:`sim3d.shower.world.World` (numba argument).

    Attributes
    ----------
    layers, gauss, loss : float64 arrays
        Atmosphere, field coefficients, energy-loss table.
    step_km : float
        Largest step (km).
    reuse2 : float
        Square of the distance within which a field value is used again (km2).
    top_radius_km : float
        Distance of the top of the atmosphere from the Earth's centre.
    bending, scattering : bool
        Whether the field bends, whether muons scatter.
    """

    layers: np.ndarray
    gauss: np.ndarray
    loss: np.ndarray
    step_km: float
    reuse2: float
    top_radius_km: float
    bending: bool
    scattering: bool


@njit(nogil=True)
def medium_of(world):
    """The :class:`Medium` of a world."""
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
    """Length (km) of a step from radius r (km), ``rise`` the sine of its elevation; whether it ends at the ground."""
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
    """Shorten a step where it meets a level.

    Parameters
    ----------
    levels : Levels
    below : int
        Number of the next level below, -1 where it is not known.
    r, rise : float
        Radius (km) and sine of the elevation.
    ds, at_ground
        From :func:`step_to_ground`.

    Returns
    -------
    ds, at_ground, at_level, below
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
    """Density (g/cm2 per km) in the middle of a step of length ds (km)."""
    curvature = (1.0 - rise * rise) / r
    return density(r - EARTH_RADIUS_KM + ds * (0.5 * rise + 0.125 * ds * curvature), layers) * CM_PER_KM


@njit(**HELPER)
def lose_energy(species, t, momentum, mass, loss_factor, r, rise, ds, rho, layers, loss_table):
    """Energy loss of a charged particle on a step, which is shortened where it would take too much.

    Parameters
    ----------
    species : int
    t, momentum, mass : float
        Kinetic energy (GeV), momentum (GeV/c), mass (GeV) at the start of the step.
    loss_factor : float
        What the stopping power is multiplied by: Z/A of a nucleus, else 1.
    r, rise, ds, rho : float
        Radius (km), sine of the elevation, length (km), density (g/cm2 per km) in the middle.
    layers, loss_table : float64 arrays

    Returns
    -------
    ds, rho : float
        Of the step that is done.
    loss_rate : float
        GeV per km.
    momentum_mid : float
        Momentum (GeV/c) in its middle.
    """
    loss_rate = loss_factor * rho * stopping_power(species, momentum, mass, rho / CM_PER_KM, loss_table)
    if loss_rate * ds > _LOSS_FRACTION * t:
        shorter = max(_LOSS_FRACTION * t / loss_rate, _SHORTEST_LOSS_STEP_KM)
        if shorter < ds:
            # the middle of the step has moved; the loss scales with the density
            ds = shorter
            here = density_of_step(r, rise, ds, layers)
            loss_rate *= here / rho
            rho = here
    t_mid = max(t - 0.5 * loss_rate * ds, 0.5 * t)
    return ds, rho, loss_rate, math.sqrt(t_mid * (t_mid + 2.0 * mass))


@njit(**HELPER)
def field_near(x, y, z, anchor, gauss, reuse2):
    """Field (nT) at a position (km): the last value where that is near, else a new one.

    Parameters
    ----------
    x, y, z : float
    anchor : float64 array (6,)
        Position and value of the last evaluation; updated.
    gauss : float64 array
    reuse2 : float
        Square of the distance within which the value is used again (km2).
    """
    dx, dy, dz = x - anchor[0], y - anchor[1], z - anchor[2]
    if dx * dx + dy * dy + dz * dz > reuse2:
        anchor[3], anchor[4], anchor[5] = field_cartesian(x, y, z, gauss)
        anchor[0], anchor[1], anchor[2] = x, y, z
    return anchor[3], anchor[4], anchor[5]


@njit(**HELPER)
def scatter(ux, uy, uz, ex, ey, ez, momentum, mass, highland, rng):
    """Direction and carried vector after multiple scattering.

    Parameters
    ----------
    ux, uy, uz, ex, ey, ez : float
    momentum, mass : float
        GeV/c and GeV.
    highland : float
        Increase of :func:`sim3d.shower.energy_loss.highland_sum` on the step.
    rng : uint64 array (1,)
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
    """Follow a particle to the end of its flight; ``particle`` then holds its state there.

    Parameters
    ----------
    particle : float64 array (STACK_COLUMNS + carried columns,)
    species : int
    key : uint64
        Its random stream.
    charge, loss_factor : float
        Charge per nucleon; factor of the stopping power.
    mass, ctau, kinetic_min : float
        GeV, km, and the kinetic energy (GeV) at which it is lost.
    length : float
        Interaction length (g/cm2), infinite for what does not interact.
    optical_left, proper_left : float
        Interaction lengths to its interaction, and proper time times c (km) to its decay.
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
        Interaction lengths that it crossed.
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
                if loss_factor == 1.0:  # a nucleus is not a free proton
                    note_level(levels.crossings, below, species, momentum, weight, x, y, z, ux, uy, uz)
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
