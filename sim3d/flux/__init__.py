"""Fluxes as smooth functions: interpolation, smoothing, exports to other programs."""
