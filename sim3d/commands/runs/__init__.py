"""Commands that make or continue a run, or follow its primaries."""
