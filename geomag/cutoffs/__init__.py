"""Rigidity cutoffs at a place and over the sky, GV, and the share of primaries of a rigidity that reach the Earth."""
