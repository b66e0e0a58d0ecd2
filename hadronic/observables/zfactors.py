"""Sample the moments of a model's secondaries, and compare them with published ones.

The interactions are drawn exactly as a shower draws them (`hadronic.interaction.kernels`).
The deterministic moments, `HadronicModel.moments`, have no statistical error.
"""

import math
from dataclasses import dataclass
from typing import Final

import numpy as np
from numba import njit

from hadronic.arrays import Array
from hadronic.definitions import DEFAULT_DEFINITION, MESON_X, READINGS, Z_EXPONENT
from hadronic.errors import HadronicInputError
from hadronic.interaction.kernels import BERNOULLI, CACHE, YieldTables, first_slot, last_slot, pick_node, sample_x
from hadronic.models import HadronicModel, check_projectile
from hadronic.moments import Moments
from hadronic.reference import ReferenceValue, daemonflux_reference, fluka_reference
from hadronic.species import IS_BARYON, KL, KS, N_SPECIES, N, P, species_code

N_MOMENTS: Final = len(Moments._fields)

# What a published label counts, as species codes.
_LABELS: Final = {"K0": (KL, KS), "p+n": (P, N)}


def label_codes(label: str) -> tuple[int, ...]:
    """Return the species codes that a published label counts.

    Parameters
    ----------
    label : str
        As printed.

    Returns
    -------
    tuple of int
        "K0" is K0 + anti-K0 (KL and KS), "p+n" both nucleons.
    """
    return _LABELS.get(label) or (species_code(label),)


@njit(nogil=True, cache=CACHE)
def _tally(
    tables: YieldTables,
    projectile: int,
    T_GeV: float,
    z_exponent: float,
    number: int,
    rng: np.random.Generator,
    sums: Array,
    squares: Array,
) -> None:
    """Add the moments of `number` interactions, and their squares event by event, per secondary species.

    `sums` and `squares` have the shape (N_SPECIES, N_MOMENTS), in the order of `Moments`; `rng` is a numpy
    Generator.
    """
    ln_T = math.log(T_GeV)
    to_total = T_GeV / (T_GeV + tables.mass_GeV[projectile])
    event = np.zeros(sums.shape)
    for _ in range(number):
        event[:] = 0.0
        node = pick_node(tables, ln_T, rng.random())
        for slot in range(first_slot(tables, projectile), last_slot(tables, projectile)):
            mean = tables.slot_mean[slot, node]
            if tables.slot_kind[slot] == BERNOULLI:
                count = 1 if rng.random() < mean else 0
            else:
                # Knuth's product of uniforms; means are below 30.
                count = -1
                limit = math.exp(-mean)
                product = 1.0
                while product > limit or count < 0:
                    product *= rng.random()
                    count += 1
            species = tables.slot_species[slot]
            rest = tables.mass_GeV[species] / T_GeV
            for _ in range(count):
                x = sample_x(tables, slot, node, rng.random())
                x_ET = x + rest
                x_EE = x_ET * to_total
                event[species, 0] += 1.0
                event[species, 1] += x
                event[species, 2] += x_ET
                event[species, 3] += x_EE
                event[species, 4] += x**z_exponent
                event[species, 5] += x_ET**z_exponent
                event[species, 6] += x_EE**z_exponent
        for i in range(sums.shape[0]):
            for j in range(sums.shape[1]):
                sums[i, j] += event[i, j]
                squares[i, j] += event[i, j] * event[i, j]


@dataclass(frozen=True)
class SampledMoments:
    """Moments per interaction of all secondary species, with statistical errors (one standard deviation).

    Attributes
    ----------
    projectile : int
        Species code.
    T_GeV : float
        Kinetic energy [GeV].
    interactions : int
        Number sampled.
    values, errors : float[N_SPECIES, N_MOMENTS]
        In the order of `Moments`.
    """

    projectile: int
    T_GeV: float
    interactions: int
    values: Array
    errors: Array

    def of(self, secondary: int) -> Moments:
        """Return the moments of one species.

        Parameters
        ----------
        secondary : int
            Species code of the secondary.

        Returns
        -------
        Moments
            Per interaction.
        """
        return Moments(*(float(value) for value in self.values[secondary]))

    def error_of(self, secondary: int) -> Moments:
        """Return the statistical errors of the moments of one species.

        Parameters
        ----------
        secondary : int
            Species code of the secondary.

        Returns
        -------
        Moments
            One standard deviation.
        """
        return Moments(*(float(value) for value in self.errors[secondary]))


def sample_moments(
    model: HadronicModel, projectile: int, T_GeV: float, interactions: int = 100_000, seed: int = 1
) -> SampledMoments:
    """Sample interactions and average the moments of their secondaries.

    Parameters
    ----------
    model : HadronicModel
        The model.
    projectile : int
        Species code of the projectile.
    T_GeV : float
        Kinetic energy of the projectile, GeV.
    interactions : int
        Number of interactions to sample.
    seed : int
        Seed of the random numbers.

    Returns
    -------
    SampledMoments
        Means and statistical errors.

    Raises
    ------
    HadronicInputError
        For a projectile or an energy outside the tables, fewer than 2 interactions, or a negative seed.
    """
    check_projectile(model.tables, projectile, T_GeV)
    if interactions < 2:
        raise HadronicInputError(f"number of interactions {interactions}: needs at least 2")
    if seed < 0:
        raise HadronicInputError(f"seed {seed}: must not be negative")
    sums = np.zeros((N_SPECIES, N_MOMENTS))
    squares = np.zeros_like(sums)
    rng = np.random.default_rng(seed)
    _tally(model.tables, projectile, T_GeV, Z_EXPONENT, interactions, rng, sums, squares)
    mean = sums / interactions
    variance = np.maximum(squares / interactions - mean**2, 0.0) / (interactions - 1)
    return SampledMoments(projectile, T_GeV, interactions, mean, np.sqrt(variance))


def moment_field(definition: str, quantity: str, baryon: bool) -> str:
    """Return the field of `Moments` that a published quantity means under a definition.

    Parameters
    ----------
    definition : str
        One of `hadronic.definitions`, or "total": E/E for all species, as FLUKA's paper prints it.
    quantity : str
        "F" or "Z".
    baryon : bool
        Whether the secondary is a baryon.

    Returns
    -------
    str
        Such as "Z_TT".
    """
    if definition == "total":
        return f"{quantity}_EE"
    x = "T/T" if baryon else MESON_X[definition][quantity == "Z"]
    return f"{quantity}_{x.replace('/', '')}"


@dataclass(frozen=True)
class ComparedMoment:
    """A sampled moment next to the table's and, where there is one, the published value.

    `sampled` and `exact` hold the value under each reading of x (`READINGS`), the first being `definition`, the
    one the model was built for, to which `value`, `error` and `ratio` refer.
    """

    kinetic_energy_GeV: float
    quantity: str
    secondary: str
    definition: str
    sampled: dict[str, float]
    errors: dict[str, float]
    exact: dict[str, float]
    source: str | None
    reference: float | None
    reference_error: float | None

    @property
    def value(self) -> float:
        """Sampled moment under the model's own definition."""
        return self.sampled[self.definition]

    @property
    def error(self) -> float:
        """Statistical error of `value`, one standard deviation."""
        return self.errors[self.definition]

    def ratio(self, definition: str | None = None) -> float | None:
        """Ratio of the sampled to the published moment.

        Parameters
        ----------
        definition : str, optional
            Reading of x; the model's own if not given.

        Returns
        -------
        float or None
            None where nothing, or zero, is published.
        """
        if not self.reference:
            return None
        return self.sampled[definition or self.definition] / self.reference


def compare_protons(
    model: HadronicModel, energies_GeV: list[float], interactions: int, seed: int = 1
) -> list[ComparedMoment]:
    """Sample moments of p-air and set them beside FLUKA's, where that is tabulated.

    Parameters
    ----------
    model : HadronicModel
        The model.
    energies_GeV : list of float
        Kinetic energies, GeV.
    interactions : int
        Number of interactions at each energy.
    seed : int
        Seed of the random numbers.

    Returns
    -------
    list of ComparedMoment
        By energy and published quantity.
    """
    published = fluka_reference()
    labels = list(dict.fromkeys((one.quantity, one.secondary) for one in published))
    rows = []
    for number, energy in enumerate(energies_GeV):
        sampled = sample_moments(model, P, energy, interactions, seed + number)
        known = {
            (one.quantity, one.secondary): one
            for one in published
            if math.isclose(one.kinetic_energy_GeV, energy, rel_tol=1e-6)
        }
        for quantity, secondary in labels:
            rows.append(_row(model, sampled, quantity, secondary, known.get((quantity, secondary))))
    return rows


def compare_daemonflux(model: HadronicModel, interactions: int, seed: int = 1) -> list[ComparedMoment]:
    """Sample Z factors of p-air and set them beside daemonflux's (p-carbon).

    Parameters
    ----------
    model : HadronicModel
        The model.
    interactions : int
        Number of interactions at each energy.
    seed : int
        Seed of the random numbers.

    Returns
    -------
    list of ComparedMoment
        At daemonflux's energies inside the model's tables.
    """
    rows = []
    energies: dict[float, SampledMoments] = {}
    for one in daemonflux_reference():
        energy = one.kinetic_energy_GeV
        if energy > math.exp(model.tables.ln_T[-1]):
            continue
        if energy not in energies:
            energies[energy] = sample_moments(model, P, energy, interactions, seed + len(energies))
        rows.append(_row(model, energies[energy], one.quantity, one.secondary, one))
    return rows


def _row(
    model: HadronicModel,
    sampled: SampledMoments,
    quantity: str,
    secondary: str,
    published: ReferenceValue | None,
) -> ComparedMoment:
    """One row; species that a label sums are drawn independently, so their errors add in quadrature."""
    codes = label_codes(secondary)
    values, errors, exact = {}, {}, {}
    tables = [model.moments(sampled.projectile, code, sampled.T_GeV) for code in codes]
    own = model.definition if model.definition in READINGS else DEFAULT_DEFINITION
    for definition in (own, *(name for name in READINGS if name != own)):
        field = moment_field(definition, quantity, bool(IS_BARYON[codes[0]]))
        column = Moments._fields.index(field)
        values[definition] = float(sum(sampled.values[code, column] for code in codes))
        errors[definition] = math.sqrt(sum(sampled.errors[code, column] ** 2 for code in codes))
        exact[definition] = float(sum(table[column] for table in tables))
    return ComparedMoment(
        kinetic_energy_GeV=sampled.T_GeV,
        quantity=quantity,
        secondary=secondary,
        definition=own,
        sampled=values,
        errors=errors,
        exact=exact,
        source=published.source if published else None,
        reference=published.value if published else None,
        reference_error=published.error if published else None,
    )
