"""Read the configurations that earlier versions stored, whose unset keys stood for other defaults than today's.

Today a stored configuration holds the value that stands for an unset key (:mod:`sim3d.config.schema`). In files of
earlier versions an unset key is null and stands for the default of that time. It is replaced by that default before the
configuration is checked. So a result states what it was made with, and runs with other inputs differ from it.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any

from hadronic.definitions import FORMULA_MODELS
from sim3d.config.calibration import NO_CALIBRATION
from sim3d.primaries.solar import FORMER_POTENTIAL_MV


def stated(config: Mapping[str, Any], attributes: Mapping[str, Any], altitude_m: Mapping[str, float]) -> dict[str, Any]:
    """Replace what is unset in a stored configuration by what the run was made with.

    Parameters
    ----------
    config : mapping
        The configuration as stored, not checked.
    attributes : mapping
        Attributes of the result file; ``solar_modulation`` and ``hadronic_definition`` are used.
    altitude_m : mapping of float
        Altitudes of the detectors (m) by the name of the site, from their groups in the file.

    Returns
    -------
    dict
        A copy; tables that are not as expected are left for the check of the configuration.

    Notes
    -----
    The Sun of ``[primaries]`` unset was "fit". "min" and "max" were the potentials 491 and 1109 MV; they are those of
    months since results state ``solar_modulation`` for them. The definition of ``[hadronic]`` unset was "printed". The
    altitude of a site, unset, was 0. Runs without a table ``[calibration]`` had none; it is not null in any file.

    Examples
    --------
    >>> old = {"primaries": {"solar": "max"}, "sites": [{"name": "sno", "altitude_m": None}]}
    >>> stated(old, {}, {"sno": 0.0})["primaries"]
    {'solar': None, 'solar_potential_MV': 1109.0}
    >>> stated(old, {}, {"sno": 0.0})["calibration"]
    {'name': 'none'}
    """
    out: dict[str, Any] = copy.deepcopy(dict(config))
    out.setdefault("calibration", {"name": NO_CALIBRATION})
    primaries = out.get("primaries")
    if isinstance(primaries, dict):
        solar = primaries.get("solar")
        if solar is None and primaries.get("solar_potential_MV") is None:
            primaries["solar"] = "fit"
        elif solar in FORMER_POTENTIAL_MV and "solar_modulation" not in attributes:
            primaries |= {"solar": None, "solar_potential_MV": FORMER_POTENTIAL_MV[solar]}
    hadronic = out.get("hadronic")
    if isinstance(hadronic, dict) and hadronic.get("definition") is None and hadronic.get("model") in FORMULA_MODELS:
        hadronic["definition"] = str(attributes["hadronic_definition"])
    sites = out.get("sites")
    for site in sites if isinstance(sites, list) else []:
        # a surface or a depth gives the altitude of its site
        if isinstance(site, dict) and all(site.get(key) is None for key in ("altitude_m", "surface", "depth_g_cm2")):
            site["altitude_m"] = altitude_m.get(site.get("name", ""))
    return out
