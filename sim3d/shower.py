"""The shower kernel: follow one primary nucleon and all it makes, and list the neutrinos.

The kernel takes a start state, a random stream key and a carried frame, and knows nothing of detectors, weights of
primaries or sampling modes: :mod:`sim3d.analog`, :mod:`sim3d.rotated` and :mod:`sim3d.targeted` call it.

With bending off, the kernel also accumulates the first-order rotation angle and displacement that a uniform field would
cause; :mod:`sim3d.aiming` uses them to predict the crossing. All turns in such a field are turns about one axis, so
they add up along an ancestry: a neutrino's direction would be turned about B by -T |B|, with the turn T the sum of
KAPPA q ds / p over its ancestors, and its birth would be moved by S x B to first order, with the shift S the sum of
T u ds. (Scattering does not disturb this, because its azimuths are drawn in a frame that turns along.)

A fast muon decays several times along its one path, each time with its part of the weight
(:func:`sim3d.weight_sharing.muon_decays`): most reach the ground otherwise, and electron neutrinos of many GeV are
rare.
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit

from atmosphere.kernels import density
from geomag.kernels import field_cartesian
from hadronic.kernels import interaction_length, pick_node, sample_x, slot_survival, yield_angle
from sim3d.decays import NEUTRINO, decay
from sim3d.energy_loss import highland_sum, stopping_power
from sim3d.levels import level_below, meson_decays, muon_stops_above, note_level, way_down
from sim3d.particles import KM, LAMBDA, MUM, MUP, N_SPECIES, NEUTRON, PIM, PIP, PROTON
from sim3d.random_streams import (
    BRANCH_DECAY,
    BRANCH_INTERACTION,
    BRANCH_NEXT_DECAY,
    BRANCH_SCATTERING,
    child_key,
    poisson,
    uniform,
)
from sim3d.shower_gradients import add_angle, add_yield, end_flight, new_ancestry
from sim3d.shower_stack import (
    CROSSED,
    DECAYS,
    EX,
    EY,
    EZ,
    HELICITY,
    KINETIC,
    SHIFT_X,
    SHIFT_Y,
    SHIFT_Z,
    STACK_COLUMNS,
    TURN,
    UX,
    UY,
    UZ,
    WEIGHT,
    X,
    Y,
    Z,
    grown,
    put,
)
from sim3d.shower_track import T_END, T_START, T_STEP, note
from sim3d.transport import KAPPA, rotate_about_field, turn
from sim3d.weight_sharing import muon_decays, survives_thinning
from sim3d.world import EARTH_RADIUS_KM

# columns of the neutrino list
(
    NU_FLAVOUR,
    NU_ENERGY,
    NU_WEIGHT,
    NU_X,
    NU_Y,
    NU_Z,
    NU_UX,
    NU_UY,
    NU_UZ,
    NU_TURN,
    NU_SHIFT_X,
    NU_SHIFT_Y,
    NU_SHIFT_Z,
    NU_TAG,
) = range(14)
NEUTRINO_COLUMNS = 14

_TAG_SHIFT = np.uint64(11)  # what is left fits a double exactly
_LOST, _INTERACTION, _DECAY = range(3)

_CM_PER_KM = 1.0e5
THIN_AIR_KM = 20.0
"""Above this height, where 5% of the air is left, steps are twice as long: the depth of a step is then wrong by less
than 0.4% of itself ((2 km / 6.5 km)^2 / 24, the rule of the midpoint on an exponential)."""
KINETIC_PER_DECAY_GEV = 2.5
"""Default of ``World.kinetic_per_decay`` for runs: about one decay of a fast muon in the air. A variance-reduction
setting: it changes statistical errors, not expectation values."""
# Highland: 13.6 MeV
_SCATTERING_GEV = 13.6e-3
# largest fraction of the kinetic energy lost in one step
_LOSS_FRACTION = 0.1
_SHORTEST_LOSS_STEP_KM = 0.01
# a single interaction pushes far fewer particles than this; the stack grows between interactions
_STACK_RESERVE = 16384


@njit(nogil=True)
def shower(
    world,
    start,
    kinetic,
    z_over_a,
    key,
    stack,
    species_of,
    key_of,
    neutrinos,
    interacts,
    track=None,
    levels=None,
    gradients=None,
):
    """Follow a primary nucleon (free or bound in a nucleus) and its secondaries.

    Parameters
    ----------
    world : World
        Medium, field and models.
    start : float64 array (9,)
        Position (km, geocentric), direction, carried perpendicular unit vector.
    kinetic : float
        Kinetic energy per nucleon (GeV).
    z_over_a : float
        1 for a proton; a nucleus bends and loses energy with its Z/A until its first interaction, where a proton
        (probability Z/A) or a neutron goes on.
    key : uint64
        Stream of this primary.
    stack, species_of, key_of : arrays
        Work space from :func:`sim3d.shower_stack.new_stack`.
    neutrinos : float64 array (n, NEUTRINO_COLUMNS)
        Receives flavour, energy (GeV), weight, position (km), direction of every neutrino above the threshold, and
        (without bending) the turn (rad/nT) and the shift (km rad/nT), see the module's header. The last column is an
        identifier of the neutrino's position in the decay tree; showers with the same key give the same identifiers.
    interacts : bool
        Whether the primary interacts right at its start (which is then its first interaction).
    track : float64 array (n, TRACK_COLUMNS), optional
        Receives the paths of all particles, see :func:`sim3d.shower_track.note`. Without it (in production) no code
        for it is made.
    levels : Levels, optional
        Where muons and nucleons are noted as they come down, see :class:`sim3d.levels.Levels`.
    gradients : Gradients, optional
        What particles carry along for derivatives, see :mod:`sim3d.shower_gradients`; ``stack`` and ``neutrinos`` then
        have as many further columns. Likewise.

    Returns
    -------
    n, neutrinos, stack, species_of, key_of
        Number of neutrinos and the (possibly enlarged) arrays.
    """
    rng = np.empty(1, dtype=np.uint64)
    scatter_rng = np.empty(1, dtype=np.uint64)
    codes = np.empty(4, dtype=np.int64)
    momenta = np.empty((4, 4))
    helicities = np.empty(4)

    # taken out once: numba counts a reference, atomically, whenever an array is taken out of a tuple
    layers, gauss, loss_table = world.layers, world.gauss, world.loss
    masses, charges, ctau_km, kinetic_min = world.mass, world.charge, world.ctau_km, world.kinetic_min
    yields = world.yields
    slot_offset, slot_species = yields.slot_offset, yields.slot_species
    slot_mean, slot_kind = yields.slot_mean, yields.slot_kind

    n_neutrinos = 0
    for k in range(9):
        stack[0, k] = start[k]
    stack[0, KINETIC] = kinetic
    stack[0, WEIGHT] = 1.0
    for k in range(HELICITY, STACK_COLUMNS):
        stack[0, k] = 0.0
    species_of[0] = PROTON
    key_of[0] = key
    if gradients is not None:
        own = new_ancestry(gradients)
        stack[0, STACK_COLUMNS:] = own
    n_stack = 1
    is_primary = True

    # field value in use and where it was computed
    anchor_x, anchor_y, anchor_z = 0.0, 0.0, 0.0
    bx, by, bz = 0.0, 0.0, 0.0
    reuse2 = world.field_reuse_km * world.field_reuse_km
    r_top = EARTH_RADIUS_KM + world.top_km

    while n_stack > 0:
        if n_stack + _STACK_RESERVE > stack.shape[0]:
            rows = 2 * stack.shape[0] + _STACK_RESERVE
            stack = grown(stack, rows)
            more_species = np.empty(rows, dtype=np.int64)
            more_species[: species_of.shape[0]] = species_of
            species_of = more_species
            more_keys = np.empty(rows, dtype=np.uint64)
            more_keys[: key_of.shape[0]] = key_of
            key_of = more_keys
        if n_neutrinos + 8 > neutrinos.shape[0]:
            neutrinos = grown(neutrinos, 2 * neutrinos.shape[0] + 8)

        n_stack -= 1
        x, y, z = stack[n_stack, X], stack[n_stack, Y], stack[n_stack, Z]
        ux, uy, uz = stack[n_stack, UX], stack[n_stack, UY], stack[n_stack, UZ]
        ex, ey, ez = stack[n_stack, EX], stack[n_stack, EY], stack[n_stack, EZ]
        t = stack[n_stack, KINETIC]
        weight = stack[n_stack, WEIGHT]
        helicity = stack[n_stack, HELICITY]
        field_turn = stack[n_stack, TURN]
        shift_x, shift_y, shift_z = stack[n_stack, SHIFT_X], stack[n_stack, SHIFT_Y], stack[n_stack, SHIFT_Z]
        species = species_of[n_stack]
        own_key = key_of[n_stack]

        mass = masses[species]
        charge = z_over_a if is_primary else charges[species]
        loss_factor = z_over_a if is_primary else 1.0
        is_hadron = species <= LAMBDA
        is_muon = species in (MUP, MUM)
        t_min = kinetic_min[species]
        ctau = ctau_km[species]
        momentum = math.sqrt(t * (t + 2.0 * mass))

        rng[0] = own_key
        optical_left = -math.log(uniform(rng))
        proper_left = ctau
        if ctau < math.inf:
            proper_left = -ctau * math.log(uniform(rng))
        length = math.inf
        if is_hadron:
            length = interaction_length(yields, species, math.log(t))
        decays_left = 1.0
        scattered_depth = 0.0
        highland_before = 0.0
        if is_muon:
            scatter_rng[0] = child_key(own_key, BRANCH_SCATTERING)
            decays_left = stack[n_stack, DECAYS]
            if decays_left == 0.0:
                decays_left = muon_decays(t, world.kinetic_per_decay)
            proper_left /= decays_left
            scattered_depth = stack[n_stack, CROSSED]
            if scattered_depth > 0.0:
                highland_before = highland_sum(scattered_depth)

        if track is not None:
            note(track, T_START, species, x, y, z, t, weight)
        below = -1  # the next level; unknown
        if levels is not None:
            # muons do not decay here: their weight is the probability that they have not
            if is_muon and muon_stops_above(levels, t, math.sqrt(x * x + y * y + z * z), t_min, layers):
                continue
            if is_muon:
                proper_left = math.inf
            elif PIP <= species <= KM:
                decays_left = stack[n_stack, DECAYS]
                if decays_left == 0.0:
                    decays_left = meson_decays(t)
                proper_left /= decays_left
        if gradients is not None:
            own[:] = stack[n_stack, STACK_COLUMNS:]
            optical_depth = 0.0
        forced = is_primary and interacts
        fate = _INTERACTION if forced else _LOST
        while not forced:
            r = math.sqrt(x * x + y * y + z * z)
            h = r - EARTH_RADIUS_KM
            rise = (x * ux + y * uy + z * uz) / r
            ds = world.step_km if h < THIN_AIR_KM else 2.0 * world.step_km
            at_ground = False
            if rise < 0.0 and h < ds:
                reach2 = EARTH_RADIUS_KM * EARTH_RADIUS_KM - r * r * (1.0 - rise * rise)
                if reach2 > 0.0:
                    to_ground = -r * rise - math.sqrt(reach2)
                    if to_ground <= ds:
                        ds = max(to_ground, 0.0)
                        at_ground = True
            at_level = False
            if levels is not None:
                if rise >= 0.0:
                    below = -1
                else:
                    if below < 0:
                        below = level_below(levels, r)
                    if below < levels.radius_km.shape[0]:
                        to_level = way_down(levels, below, r, rise)
                        if to_level <= ds:
                            at_ground = at_ground and to_level == ds
                            ds = to_level
                            at_level = True
            curvature = (1.0 - rise * rise) / r
            rho = density(h + ds * (0.5 * rise + 0.125 * ds * curvature), layers) * _CM_PER_KM

            loss_rate = 0.0
            momentum_mid = momentum
            if charge != 0.0:
                loss_rate = loss_factor * rho * stopping_power(species, momentum, mass, rho / _CM_PER_KM, loss_table)
                if loss_rate * ds > _LOSS_FRACTION * t:
                    shorter = max(_LOSS_FRACTION * t / loss_rate, _SHORTEST_LOSS_STEP_KM)
                    if shorter < ds:
                        # the middle of the step has moved; the loss scales with the density
                        ds = shorter
                        at_ground = at_level = False
                        here = density(h + ds * (0.5 * rise + 0.125 * ds * curvature), layers) * _CM_PER_KM
                        loss_rate *= here / rho
                        rho = here
                t_mid = max(t - 0.5 * loss_rate * ds, 0.5 * t)
                momentum_mid = math.sqrt(t_mid * (t_mid + 2.0 * mass))

            fate = _LOST
            to_decay = proper_left * momentum_mid / mass
            if to_decay <= ds:
                ds = to_decay
                fate = _DECAY
            if is_hadron and optical_left * length < rho * ds:
                ds = optical_left * length / rho
                fate = _INTERACTION

            if charge != 0.0 and world.bending:
                dx, dy, dz = x - anchor_x, y - anchor_y, z - anchor_z
                if dx * dx + dy * dy + dz * dz > reuse2:
                    bx, by, bz = field_cartesian(x, y, z, gauss)
                    anchor_x, anchor_y, anchor_z = x, y, z
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
            if gradients is not None:
                optical_depth += rho * ds / length
            if charge != 0.0:
                t -= loss_rate * ds
                if t <= t_min:
                    fate = _LOST
                    break
                if is_muon and world.transverse:
                    scattered_depth += rho * ds
                    highland = highland_sum(scattered_depth)
                    beta_p = momentum_mid * momentum_mid / math.sqrt(momentum_mid * momentum_mid + mass * mass)
                    # two projected Gaussians of this width make a Rayleigh-distributed space angle
                    width2 = (_SCATTERING_GEV / beta_p) ** 2 * (highland - highland_before)
                    highland_before = highland
                    if width2 > 1e-12:
                        theta = math.sqrt(-2.0 * width2 * math.log(uniform(scatter_rng)))
                        phi = 2.0 * math.pi * uniform(scatter_rng)
                        ux, uy, uz, ex, ey, ez = turn(
                            ux,
                            uy,
                            uz,
                            ex,
                            ey,
                            ez,
                            math.cos(theta),
                            math.sin(theta),
                            math.cos(phi),
                            math.sin(phi),
                        )
                momentum = math.sqrt(t * (t + 2.0 * mass))
            if levels is not None:
                if is_muon:
                    weight *= math.exp(-ds * mass / (momentum_mid * ctau))
                if at_level and fate == _LOST:
                    if loss_factor == 1.0:  # a nucleus is not a free proton
                        note_level(levels.crossings, below, species, momentum, weight, x, y, z, ux, uy, uz)
                    below += 1
            if fate != _LOST or at_ground:
                break
            proper_left -= ds * mass / momentum_mid
            optical_left -= rho * ds / length
            if x * x + y * y + z * z > r_top * r_top and x * ux + y * uy + z * uz > 0.0:
                break

        if track is not None:
            note(track, T_END + fate, species, x, y, z, t, weight)
        if gradients is not None and is_hadron and not forced:
            end_flight(own, gradients, species, optical_depth, fate == _INTERACTION)
        if fate == _INTERACTION:
            branch = child_key(own_key, BRANCH_INTERACTION)
            rng[0] = branch
            projectile = species
            if is_primary and uniform(rng) > z_over_a:
                projectile = NEUTRON
            node = pick_node(yields, math.log(t), uniform(rng))
            for slot in range(slot_offset[projectile], slot_offset[projectile + 1]):
                secondary = slot_species[slot]
                if secondary > LAMBDA:
                    continue  # pi0: its energy goes to photons
                survival = slot_survival(yields, slot, node, kinetic_min[secondary] / t)
                mean = slot_mean[slot, node] * survival
                if mean <= 0.0:
                    continue
                slot_key = child_key(branch, slot + 1)
                rng[0] = slot_key
                if slot_kind[slot] == 1:
                    number = 1 if uniform(rng) < mean else 0
                else:
                    number = poisson(mean, rng)
                for j in range(number):
                    rng[0] = child_key(slot_key, j + 1)
                    t_sec = t * sample_x(yields, slot, node, 1.0 - survival * uniform(rng))
                    new_weight = survives_thinning(world, kinetic, t_sec, weight, rng)
                    if new_weight == 0.0:
                        continue
                    m_sec = masses[secondary]
                    if world.transverse:
                        p_sec = math.sqrt(t_sec * (t_sec + 2.0 * m_sec))
                        sharper = world.pion_sharpness if secondary in (PIP, PIM) else 1.0
                        c, s = yield_angle(yields, slot, node, t_sec / t, p_sec, uniform(rng), sharper)
                        phi = 2.0 * math.pi * uniform(rng)
                        vx, vy, vz, gx, gy, gz = turn(ux, uy, uz, ex, ey, ez, c, s, math.cos(phi), math.sin(phi))
                    else:
                        vx, vy, vz, gx, gy, gz = ux, uy, uz, ex, ey, ez
                    put(
                        stack,
                        n_stack,
                        x,
                        y,
                        z,
                        vx,
                        vy,
                        vz,
                        gx,
                        gy,
                        gz,
                        t_sec,
                        new_weight,
                        0.0,
                        field_turn,
                        shift_x,
                        shift_y,
                        shift_z,
                    )
                    if gradients is not None:
                        stack[n_stack, STACK_COLUMNS:] = own
                        add_yield(stack[n_stack, STACK_COLUMNS:], gradients, slot, node)
                        if world.transverse:
                            add_angle(stack[n_stack, STACK_COLUMNS:], gradients, secondary, p_sec, c, sharper)
                    species_of[n_stack] = secondary
                    key_of[n_stack] = rng[0]
                    n_stack += 1
        elif fate == _DECAY:
            branch = child_key(own_key, BRANCH_DECAY)
            rng[0] = branch
            n = decay(species, t + mass, momentum, helicity, rng, codes, momenta, helicities)
            share = weight / decays_left
            if decays_left > 1.0:
                # the first of several decays of one particle: it goes on with what is left of its weight
                put(
                    stack,
                    n_stack,
                    x,
                    y,
                    z,
                    ux,
                    uy,
                    uz,
                    ex,
                    ey,
                    ez,
                    t,
                    weight - share,
                    helicity,
                    field_turn,
                    shift_x,
                    shift_y,
                    shift_z,
                )
                stack[n_stack, DECAYS] = decays_left - 1.0
                stack[n_stack, CROSSED] = scattered_depth
                if gradients is not None:
                    stack[n_stack, STACK_COLUMNS:] = own
                species_of[n_stack] = species
                key_of[n_stack] = child_key(own_key, BRANCH_NEXT_DECAY)
                n_stack += 1
            for k in range(n):
                code = codes[k]
                is_neutrino = code >= NEUTRINO
                if not is_neutrino and (code >= N_SPECIES or code == 9):
                    continue  # electrons and pi0
                energy = momenta[k, 0]
                if is_neutrino:
                    if energy < world.energy_min:
                        continue
                elif energy - masses[code] <= kinetic_min[code]:
                    continue
                vx, vy, vz, gx, gy, gz = ux, uy, uz, ex, ey, ez
                if world.transverse:
                    px, py, pz = momenta[k, 1], momenta[k, 2], momenta[k, 3]
                    pt = math.sqrt(px * px + py * py)
                    p = math.sqrt(pt * pt + pz * pz)
                    if pt > 0.0:
                        vx, vy, vz, gx, gy, gz = turn(ux, uy, uz, ex, ey, ez, pz / p, pt / p, px / pt, py / pt)
                if is_neutrino:
                    neutrinos[n_neutrinos, NU_FLAVOUR] = code - NEUTRINO
                    neutrinos[n_neutrinos, NU_ENERGY] = energy
                    neutrinos[n_neutrinos, NU_WEIGHT] = share
                    neutrinos[n_neutrinos, NU_X] = x
                    neutrinos[n_neutrinos, NU_Y] = y
                    neutrinos[n_neutrinos, NU_Z] = z
                    neutrinos[n_neutrinos, NU_UX] = vx
                    neutrinos[n_neutrinos, NU_UY] = vy
                    neutrinos[n_neutrinos, NU_UZ] = vz
                    neutrinos[n_neutrinos, NU_TURN] = field_turn
                    neutrinos[n_neutrinos, NU_SHIFT_X] = shift_x
                    neutrinos[n_neutrinos, NU_SHIFT_Y] = shift_y
                    neutrinos[n_neutrinos, NU_SHIFT_Z] = shift_z
                    neutrinos[n_neutrinos, NU_TAG] = float(child_key(branch, k + 1) >> _TAG_SHIFT)
                    if gradients is not None:
                        neutrinos[n_neutrinos, NEUTRINO_COLUMNS:] = own
                    n_neutrinos += 1
                else:
                    t_k, spin = energy - masses[code], helicities[k]
                    put(
                        stack,
                        n_stack,
                        x,
                        y,
                        z,
                        vx,
                        vy,
                        vz,
                        gx,
                        gy,
                        gz,
                        t_k,
                        share,
                        spin,
                        field_turn,
                        shift_x,
                        shift_y,
                        shift_z,
                    )
                    if gradients is not None:
                        stack[n_stack, STACK_COLUMNS:] = own
                    species_of[n_stack] = code
                    key_of[n_stack] = child_key(branch, k + 1)
                    n_stack += 1
        is_primary = False

    return n_neutrinos, neutrinos, stack, species_of, key_of
