"""The model `fluka-z`: inclusive yields on air with the energy fractions and Z factors of FLUKA's tables.

Nucleon projectiles follow docs/reports/hadronic-inputs.md section 2, pion and kaon projectiles section 5 (averages of
generators). Anti-baryons, Sigma and Xi are not in the table.
"""

from functools import lru_cache
from typing import Final

import numpy as np

from hadronic.definitions import DEFAULT_DEFINITION, DEFINITIONS
from hadronic.errors import HadronicInputError
from hadronic.fluka.meson_projectiles import add_kaon_projectiles, add_pion_projectiles
from hadronic.fluka.nucleon_projectiles import NucleonTuning, add_nucleon_projectiles
from hadronic.interaction.kernels import YieldTables
from hadronic.interaction.table_builder import YieldTableBuilder

# Nodes: 0.28 GeV (the pion threshold) to 1e6 GeV, 20 per decade, so that 1, 10, 100 GeV are nodes and 5,
# 50 GeV are within 0.3 % of one.
LG_T_NODES: Final = np.linspace(-0.55, 6.0, 132)


def build_fluka_z(definition: str = DEFAULT_DEFINITION, tuning: NucleonTuning | None = None) -> YieldTables:
    """Build the tables of `fluka-z` for all projectiles.

    Parameters
    ----------
    definition : str
        What x is in FLUKA's tables, see `hadronic.definitions`.
    tuning : NucleonTuning, optional
        Changes to the yields of nucleons.

    Returns
    -------
    YieldTables
        The tables; without tuning the same arrays at every call, not to be changed.

    Raises
    ------
    HadronicInputError
        For an unknown definition.
    """
    return _untuned(definition) if tuning is None else _build(definition, tuning)


@lru_cache(maxsize=len(DEFINITIONS))
def _untuned(definition: str) -> YieldTables:
    return _build(definition, None)


def _build(definition: str, tuning: NucleonTuning | None) -> YieldTables:
    if definition not in DEFINITIONS:
        raise HadronicInputError(
            f"hadronic model 'fluka-z' has no definition {definition!r}; allowed: {', '.join(DEFINITIONS)}"
        )
    T = 10.0**LG_T_NODES
    builder = YieldTableBuilder(np.log(T))
    add_nucleon_projectiles(builder, T, definition, tuning)
    add_pion_projectiles(builder, T)
    add_kaon_projectiles(builder, T)
    return builder.build()
