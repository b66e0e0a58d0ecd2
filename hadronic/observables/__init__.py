"""Quantities of a model: Z factors, energy fractions, numbers of secondaries, mean transverse momentum."""
