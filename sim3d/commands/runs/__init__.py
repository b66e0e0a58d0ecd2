"""Commands that make or continue a run, reweight it, or replay its primaries."""
