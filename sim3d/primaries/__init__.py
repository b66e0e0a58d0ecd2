"""Fluxes of primary cosmic rays at 1 au: models by mass group, with solar modulation."""
