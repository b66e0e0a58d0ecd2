"""Construction of files of yields, from events of generators; no run needs it."""
