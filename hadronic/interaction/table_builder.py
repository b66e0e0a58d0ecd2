"""Assemble `YieldTables` from spectra and from slots (secondaries of a projectile)."""

import numpy as np

from hadronic.arrays import Array
from hadronic.errors import HadronicInputError
from hadronic.interaction.cross_sections import interaction_length_table
from hadronic.interaction.kernels import BERNOULLI, NO_ANGLES, POISSON, YieldTables
from hadronic.interaction.spectrum import Spectrum, quantile_table
from hadronic.species import MASS_GEV, N_PROJECTILES, NAMES


class YieldTableBuilder:
    """Builder of `YieldTables` from tables (spectra of x) and slots (secondaries of a projectile, with mean numbers).

    Parameters
    ----------
    ln_T : float[nodes]
        Uniform axis of ln T [ln GeV].
    interaction_lengths : (float[k], float[N_SPECIES, k]), optional
        Uniform axis of ln T and interaction lengths [g/cm2] that belong to the yields; FLUKA's if not given.
    """

    def __init__(self, ln_T: Array, interaction_lengths: tuple[Array, Array] | None = None) -> None:
        self.ln_T = ln_T
        self._lengths = interaction_lengths
        self._tables: list[Array] = []
        self._angles: list[Array] = []
        self._slots: list[list[tuple[int, int, int, Array]]] = [[] for _ in range(N_PROJECTILES)]

    def add_table(self, table: Spectrum | Array, angles: Array | None = None) -> int:
        """Add a spectrum, as a row that slots can draw from.

        Parameters
        ----------
        table : Spectrum or float[nodes, N_QUANTILES]
            The spectrum, or its quantiles of ln x.
        angles : float[nodes, bins, N_ANGLE_QUANTILES], optional
            The row of `YieldTables.angle_scale`: for all rows or for none.

        Returns
        -------
        int
            Number of the row.
        """
        self._tables.append(quantile_table(table) if isinstance(table, Spectrum) else table)
        if angles is not None:
            self._angles.append(angles)
        return len(self._tables) - 1

    def add_slot(self, projectile: int, species: int, table: int, mean: Array, *, bernoulli: bool = False) -> None:
        """Add a secondary of a projectile.

        Parameters
        ----------
        projectile : int
            Species code of the projectile.
        species : int
            Species code of the secondary.
        table : int
            Number of the row that x is drawn from.
        mean : float[nodes]
            Mean number per interaction.
        bernoulli : bool
            At most one per interaction; a Poisson number otherwise.
        """
        kind = BERNOULLI if bernoulli else POISSON
        self._slots[projectile].append((species, kind, table, mean))

    def slots_of(self, projectile: int) -> list[tuple[int, int, int, Array]]:
        """Return the slots that a projectile has so far, to be mirrored.

        Parameters
        ----------
        projectile : int
            Species code of the projectile.

        Returns
        -------
        list of (int, int, int, float[nodes])
            Species, kind, row of the table, mean number at the nodes.
        """
        return list(self._slots[projectile])

    def build(self) -> YieldTables:
        """Make the arrays of all tables and slots.

        Returns
        -------
        YieldTables
            The arrays.

        Raises
        ------
        HadronicInputError
            Where a yield is not usable.
        """
        flat = [slot for slots in self._slots for slot in slots]
        counts = [len(slots) for slots in self._slots]
        lambda_ln_T, lambdas = interaction_length_table() if self._lengths is None else self._lengths
        tables = YieldTables(
            ln_T=np.ascontiguousarray(self.ln_T),
            slot_offset=np.concatenate(([0], np.cumsum(counts))).astype(np.int64),
            slot_species=np.array([slot[0] for slot in flat], dtype=np.int64),
            slot_kind=np.array([slot[1] for slot in flat], dtype=np.int64),
            slot_table=np.array([slot[2] for slot in flat], dtype=np.int64),
            slot_mean=np.array([slot[3] for slot in flat], dtype=np.float64),
            ln_x=np.array(self._tables, dtype=np.float64),
            mass_GeV=np.array(MASS_GEV),
            lambda_ln_T=lambda_ln_T,
            interaction_length=lambdas,
            angle_scale=np.array(self._angles, dtype=np.float64) if self._angles else NO_ANGLES,
        )
        check_tables(tables)
        return tables


def check_tables(tables: YieldTables) -> None:
    """Check that means are finite and positive, and that quantiles increase up to x = 1.

    Parameters
    ----------
    tables : YieldTables
        Tables of the model.

    Raises
    ------
    HadronicInputError
        If they are not.
    """
    projectile_of_slot = np.repeat(np.arange(N_PROJECTILES), np.diff(tables.slot_offset))
    for slot, mean in enumerate(tables.slot_mean):
        name = f"{NAMES[projectile_of_slot[slot]]} -> {NAMES[tables.slot_species[slot]]}"
        if not np.all(np.isfinite(mean)) or mean.min() < 0.0:
            raise HadronicInputError(f"yield table {name}: a mean multiplicity is negative or not finite")
        if tables.slot_kind[slot] == BERNOULLI and mean.max() > 1.0:
            raise HadronicInputError(f"yield table {name}: a Bernoulli mean of {mean.max():.4g} is above 1")
        if np.any(np.diff(tables.ln_x[tables.slot_table[slot]], axis=1) < 0.0):
            raise HadronicInputError(f"yield table {name}: quantiles do not increase")
        # x <= 1 matters where something is drawn.
        if np.any(tables.ln_x[tables.slot_table[slot], mean > 0.0, -1] > 1.0e-12):
            raise HadronicInputError(f"yield table {name}: x above 1")
    if not np.all(np.isfinite(tables.interaction_length)) or tables.interaction_length.min() <= 0.0:
        raise HadronicInputError("interaction lengths: not all finite and above 0")
    if tables.angle_scale.shape[0] not in (0, len(tables.ln_x)) or not np.all(tables.angle_scale >= 0.0):
        raise HadronicInputError("angles: not one row of numbers of 0 or more for each row of yields")
