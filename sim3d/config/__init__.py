"""The configuration of a run: its TOML tables with types, defaults, allowed ranges and checks."""
