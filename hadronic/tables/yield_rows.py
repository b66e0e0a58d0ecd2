"""Names of the projectiles, rows, moments and remainders in a file of yields, in the order of its arrays."""

from typing import Final

SPECIES: Final = ("p", "n", "pi+", "pi-", "pi0", "K+", "K-", "K0", "Lambda")
LEADING_SUFFIX: Final = " leading"
LEADING_SPECIES: Final = ("p", "n", "pi+", "K+", "K-", "K0")
ROWS: Final = (*SPECIES, *(name + LEADING_SUFFIX for name in LEADING_SPECIES))
PROJECTILES: Final = ("p", "pi+", "K+", "K-")

MOMENTS: Final = ("multiplicity", "F_TT", "F_ET", "F_EE", "Z_TT", "Z_ET", "Z_EE", "pT")
"""Sums per interaction; pT [GeV/c] divided by the multiplicity is the mean transverse momentum."""
OTHER: Final = ("photons", "leptons", "antibaryons", "other")
"""What is not in the rows, by energy over T."""
