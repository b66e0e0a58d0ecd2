"""Simulate one air shower particle by particle: transport, energy loss, interaction and decay."""
