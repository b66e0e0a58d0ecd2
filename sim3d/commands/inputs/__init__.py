"""Commands on the inputs of a run: cutoffs, primaries, atmosphere, sites, hadronic models."""
