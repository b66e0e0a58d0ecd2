"""Assembly of `YieldTables` from spectra and slots."""

import numpy as np

from hadronic.cross_sections import interaction_length_table
from hadronic.errors import HadronicInputError
from hadronic.forms import Spectrum, quantile_table
from hadronic.kernels import BERNOULLI, POISSON, YieldTables
from hadronic.species import MASS_GEV, N_PROJECTILES, NAMES


class YieldTableBuilder:
    """Collects tables (shapes of x spectra) and slots (who draws from them, how many), then makes the arrays.

    Parameters
    ----------
    ln_T : float[nodes]
        Uniform axis of ln T [ln GeV].
    """

    def __init__(self, ln_T: np.ndarray) -> None:
        self.ln_T = ln_T
        self._tables: list[np.ndarray] = []
        self._slots: list[list[tuple[int, int, int, np.ndarray]]] = [[] for _ in range(N_PROJECTILES)]

    def add_table(self, table: Spectrum | np.ndarray) -> int:
        """Add a spectrum, or quantiles of ln x of shape (nodes, N_QUANTILES); returns the row's number."""
        self._tables.append(quantile_table(table) if isinstance(table, Spectrum) else table)
        return len(self._tables) - 1

    def add_slot(self, projectile: int, species: int, table: int, mean: np.ndarray, *, bernoulli: bool = False) -> None:
        """Let `projectile` make `mean` (per node) of `species` with x from row `table`."""
        kind = BERNOULLI if bernoulli else POISSON
        self._slots[projectile].append((species, kind, table, mean))

    def slots_of(self, projectile: int) -> list[tuple[int, int, int, np.ndarray]]:
        """Slots so far, each (species, kind, table row, mean per node), to be mirrored."""
        return list(self._slots[projectile])

    def build(self) -> YieldTables:
        """The finished tables; raises `HadronicInputError` where a yield is not usable."""
        flat = [slot for slots in self._slots for slot in slots]
        counts = [len(slots) for slots in self._slots]
        lambda_ln_T, lambdas = interaction_length_table()
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
        )
        check_tables(tables)
        return tables


def check_tables(tables: YieldTables) -> None:
    """Raise `HadronicInputError` unless means are finite and positive, and quantiles increase up to x = 1."""
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
