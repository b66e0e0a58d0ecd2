"""The model `muon-tuned`: `fluka-z` with its moments of p-air moved to daemonflux's, which are calibrated to muons.

Targets: Z of daemonflux (Yanez and Fedynitch, Phys. Rev. D 107 (2023) 123037, table 2, p-carbon) at 31 GeV (pi+-,
K+-), 158 GeV (pi+-, K+-, p, n) and 20 TeV (pi+-). Its 2 PeV values have errors up to 228 % and are left out. They are
reached exactly, with x as the model's definition has it for Z. daemonflux's own x is E_sec/E_proj of total energies, as
MCEq has it (from memory); at 31 GeV T/T differs from it by about 1 % for pions. Z of carbon stands for Z of air: that
ratio, which the generators put within 2 % of 1 for pions, is not corrected for.

Its targets are a fit to muons, not a measurement of particle production: NA61 measured another split of pions at 31 GeV
(docs/reports/accelerator.md).

Mesons: the number of each species is multiplied, the shape stays: the factor is linear in ln T between the energies
with a target, constant above them, and fades linearly in ln T to 1 at 10 GeV, of which they say nothing. Kaons keep
that of 158 GeV above. K0 has the mean of the factors of K+ and K-; pi0 stays, as more of it would need energy that is
not there (`HadronicModel.energy_balance`).

Nucleons: baryon number must stay, so the two targets at 158 GeV fix two things that leave it alone. A share of the
leading protons becomes leading neutrons (charge exchange), with the neutrons' spectrum; and x of the leading
nucleons is raised to a power h > 1 (softer; what they lose is there for mesons). Both fade linearly in ln T to
nothing at 31 GeV, where daemonflux has no nucleons and FLUKA's table stands, and stay as they are above 158 GeV.
"""

from functools import lru_cache
from typing import Final

import numpy as np
from scipy.optimize import root

from hadronic.arrays import Array
from hadronic.definitions import DEFAULT_DEFINITION, MESON_X
from hadronic.errors import HadronicInputError
from hadronic.fluka.fluka_z import build_fluka_z
from hadronic.fluka.nucleon_projectiles import NucleonTuning
from hadronic.interaction.kernels import YieldTables
from hadronic.moments import Moments, moments_of_row
from hadronic.reference import daemonflux_reference
from hadronic.species import N, P, species_code

# Factors of mesons have faded to 1 here [GeV]: a target at 31 GeV says nothing of lower energies.
FADED_GEV: Final = 10.0
# Above this [GeV] daemonflux's values are not used.
LAST_TARGET_GEV: Final = 1.0e5
MESONS: Final = ("pi+", "pi-", "K+", "K-")


def targets() -> dict[str, tuple[Array, Array]]:
    """Return daemonflux's Z factors that the model reproduces.

    Returns
    -------
    dict of (float[n], float[n])
        Kinetic energies, GeV, and Z by secondary.
    """
    used = [one for one in daemonflux_reference() if one.kinetic_energy_GeV < LAST_TARGET_GEV]
    out = {}
    for name in (*MESONS, "p", "n"):
        own = [one for one in used if one.secondary == name]
        out[name] = (np.array([one.kinetic_energy_GeV for one in own]), np.array([one.value for one in own]))
    return out


@lru_cache(maxsize=len(MESON_X))
def build_muon_tuned(definition: str = DEFAULT_DEFINITION) -> YieldTables:
    """Build the tables of `muon-tuned`.

    Parameters
    ----------
    definition : str
        Definition of x, see `hadronic.definitions`.

    Returns
    -------
    YieldTables
        The tables; the same arrays at every call, not to be changed.
    """
    return build_fluka_z(definition, solve_tuning(definition))


def solve_tuning(definition: str) -> NucleonTuning:
    """Solve for the changes that give `fluka-z` the Z factors of daemonflux.

    Parameters
    ----------
    definition : str
        Definition of x, see `hadronic.definitions`.

    Returns
    -------
    NucleonTuning
        Factors, exchange and hardness at the nodes of the model.

    Raises
    ------
    HadronicInputError
        If there is no solution.
    """
    tables = build_fluka_z(definition)
    factors: dict[str, Array] = {}
    for name in MESONS:
        factors[name] = _meson_factor(tables, name, definition)
    factors["K0"] = 0.5 * (factors["K+"] + factors["K-"])
    exchange, hardness = _nucleons(tables)
    return NucleonTuning(factors, exchange, hardness)


def _shares(T_GeV: float, ln_T: Array) -> list[tuple[int, float]]:
    """Nodes on both sides of an energy, with the weights that a shower draws them with."""
    position = (np.log(T_GeV) - ln_T[0]) / (ln_T[1] - ln_T[0])
    low = int(position)
    return [(low, 1.0 - (position - low)), (low + 1, position - low)]


def _meson_factor(tables: YieldTables, name: str, definition: str) -> Array:
    """Factor at the nodes; Z at the targets is linear in the factors there, so a linear system gives them."""
    energies, wanted = targets()[name]
    code = species_code(name)
    column = Moments._fields.index(f"Z_{MESON_X[definition][1].replace('/', '')}")
    shares = np.eye(energies.size + 1)
    points = np.log([FADED_GEV, *energies])
    faded, *hats = (np.interp(tables.ln_T, points, one) for one in shares)
    matrix = np.zeros((energies.size, energies.size))
    rest = wanted.copy()
    for i, T in enumerate(energies):
        for slot in range(tables.slot_offset[P], tables.slot_offset[P + 1]):
            if tables.slot_species[slot] != code:
                continue
            for node, share in _shares(T, tables.ln_T):
                z = share * tables.slot_mean[slot, node] * moments_of_row(tables, slot, node, float(T), P)[column]
                matrix[i] += [z * hat[node] for hat in hats]
                rest[i] -= z * faded[node]
    factor: Array = np.interp(tables.ln_T, points, [1.0, *np.linalg.solve(matrix, rest)])
    return factor


def _nucleons(tables: YieldTables) -> tuple[Array, Array]:
    """Share of leading protons exchanged, and power h of the leading nucleons' x, at the nodes."""
    wanted = targets()
    (energy,), (z_p,) = wanted["p"]
    z_n = wanted["n"][1][0]
    start = wanted["pi+"][0][0]
    ramp = np.interp(tables.ln_T, np.log([start, energy]), [0.0, 1.0])
    slots: dict[int, list[int]] = {P: [], N: []}
    for slot in range(tables.slot_offset[P], tables.slot_offset[P + 1]):
        if tables.slot_species[slot] in slots:
            slots[int(tables.slot_species[slot])].append(slot)

    def z_of(exchange: float, power: float) -> tuple[float, float]:
        out = {P: 0.0, N: 0.0}
        for node, share in _shares(energy, tables.ln_T):
            h = 1.0 + (power - 1.0) * ramp[node]
            moved = exchange * ramp[node] * tables.slot_mean[slots[P][0], node]
            for code in (P, N):
                # The first slot of a species is the leading one (nucleon_projectiles).
                for number, slot in enumerate(slots[code]):
                    mean = tables.slot_mean[slot, node] + ((-moved, moved)[code == N] if number == 0 else 0.0)
                    moments = moments_of_row(tables, slot, node, energy, P, h if number == 0 else 1.0)
                    out[code] += share * mean * moments[Moments._fields.index("Z_TT")]
        return out[P], out[N]

    found = root(lambda at: np.subtract(z_of(*at), (z_p, z_n)), (0.05, 1.1), tol=1e-12)
    exchange, power = found.x
    if not (found.success and 0.0 <= exchange < 1.0 and power > 0.0):
        raise HadronicInputError("muon-tuned: no nucleon spectra with daemonflux's moments were found")
    return exchange * ramp, 1.0 + (power - 1.0) * ramp
