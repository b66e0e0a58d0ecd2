"""Inputs of runs as they were by default until version 0.1, for tests whose expected numbers were measured with them.

Found by every test: ``pythonpath`` in pyproject.toml names this folder.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

PRIMARIES = {"model": "ghls2001-average", "solar": "fit"}
HADRONIC = {"model": "fluka-z", "definition": "printed"}
UNCALIBRATED = {"hadronic": HADRONIC, "calibration": {"name": "none"}}
"""Tables of a configuration whose hadronic tables are made in a tenth of the time that the calibrated ones take."""
UNCALIBRATED_TOML = """
[hadronic]
model = "fluka-z"
definition = "printed"
[calibration]
name = "none"
"""
"""The same for a configuration file: for tests that start many processes and do not depend on the model."""


def with_earlier_inputs(tables: Mapping[str, Any]) -> dict[str, Any]:
    """Complete a configuration with the earlier inputs, where it does not state its own.

    Parameters
    ----------
    tables : mapping
        As for :func:`sim3d.config.load.make_config`.

    Returns
    -------
    dict
        Primaries and Sun, hadronic model, no calibration, and sites at sea level; for every other key the default.
    """
    out = dict(tables)
    primaries = dict(out.get("primaries", {}))
    earlier = PRIMARIES
    if "solar_potential_MV" in primaries:
        earlier = {"model": PRIMARIES["model"]}
    out["primaries"] = {**earlier, **primaries}
    out.setdefault("hadronic", HADRONIC)
    out.setdefault("calibration", {"name": "none"})
    out["sites"] = [site if "surface" in site else {"altitude_m": 0.0, **site} for site in out.get("sites", [])]
    return out
