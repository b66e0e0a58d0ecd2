"""Spectra of primary cosmic rays at 1 au: models, mass groups, solar modulation."""
