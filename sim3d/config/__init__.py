"""The configuration of a run: its TOML tables, their types, defaults and checks."""
