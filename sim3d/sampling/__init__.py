"""Sampling of primaries and their importance weights: analog, rotated, targeted and overhead modes."""
