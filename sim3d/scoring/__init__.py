"""Crossings of the detector patches and the sums over them: flux, hit weights, gradients, heights, event records."""
