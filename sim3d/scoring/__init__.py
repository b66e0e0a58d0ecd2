"""Crossings of the detector patches and the sums over them: flux, weights, gradients, heights, event records."""
