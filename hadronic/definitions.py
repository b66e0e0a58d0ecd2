"""Definitions of x in FLUKA's tables of energy fractions F and Z factors; a run chooses one, as the paper leaves doubt.

The paper (Battistoni, Ferrari, Montaruli, Sala, Astropart. Phys. 19 (2003) 269) says total over total energy.
For baryons that cannot be: slow target nucleons are counted, and their rest energy would be too. They are T/T
in every definition. For mesons (T kinetic, E total energy; docs/reports/hadronic-inputs.md section 1):

"balanced", the default: F with E/T, Z with E/E. E/T is the only reading of F under which the secondaries carry no
  more energy than the projectile (0.979 of it at 5 GeV, the sum of FLUKA's column). For Z the paper's own words hold:
  UrQMD, read so, gives the table's Z of pi+ at 5 GeV (0.0390; FLUKA 0.0388).
"kinetic": F as in "balanced", Z with T/T, like the baryons.
"printed": the paper's words, E/E in both F and Z. The secondaries of 2-20 GeV protons then carry more than the proton
  brought (1.054 of its energy at 5 GeV), so the words cannot hold exactly below 20 GeV.
"printed" was the default first, because the paper says so, and was given up after comparisons with FLUKA's neutrinos at
Kamioka (28% too many at 0.11 GeV) and with yields (1.56 pi+ per proton of 5 GeV; UrQMD makes 1.03, Pythia 0.95,
"balanced" 1.09). So the comparison with FLUKA's table is not blind to this choice; docs/reports/validation.md gives it
under each definition.
"""

from typing import Final

Z_EXPONENT: Final = 1.7
"""Exponent gamma - 1 of the spectrum-weighted moments, gamma = 2.7 (FLUKA's, Battistoni et al., Astropart. Phys. 19
(2003) 269)."""

# Definition -> x in F and in Z of mesons; the first is the default.
MESON_X: Final = {
    "balanced": ("E/T", "E/E"),
    "kinetic": ("E/T", "T/T"),
    "printed": ("E/E", "E/E"),
}
FORMULA_MODELS: Final = ("fluka-z", "muon-tuned")
"""Models that are solved for moments, so that they have a definition; their angles follow a formula, not tables."""

DEFAULT_DEFINITION: Final = next(iter(MESON_X))

# Words for file headers and messages; "total" is a way of reading a model's moments, not one of building it.
DEFINITIONS: Final = {
    name: (f"F and Z: {f}" if f == z else f"F: {f}, Z: {z}") + " for mesons; T/T for baryons"
    for name, (f, z) in MESON_X.items()
}
READINGS: Final = {**DEFINITIONS, "total": "F and Z: E/E for all species"}
