"""Fluxes as continuous functions: interpolation, smoothing, exports to other programs."""
