"""Trace cosmic rays with OTSO and measure its speed, in its own Python: ``peer_otso.py in.npz out.npz``.

The input is that of `peer_gtracr.py`, and directions (map_zenith_deg, map_azimuth_deg) in which to compute the cutoff;
if wanted, places (place_lat, place_lon) at which to compute the vertical one. The output has for each setting the CPU
seconds and the decisions (allowed or not), and the CPU seconds of the cutoffs. OTSO's library is called in this
process, because starting processes and pandas would take most of the time. No code of it is copied.
"""

from __future__ import annotations

import sys
import time
from typing import Any

import numpy as np
import OTSO
from OTSO._core.inputs import cone_inputs, cutoff_inputs
from OTSO._core.libs.MiddleMan import Middleman
from OTSO._core.otso_functions import otso_cone, otso_cutoff
from OTSO._core.utils import cutoff_utils, fortran_data_utils

SETTINGS = {"5% step": 5.0, "1% step": 1.0}
"""Largest step in per cent of a gyration. With more than 5% OTSO's adaptive step takes more time in total."""


def prepared(module: Any, name: str, inputs: Any, call: Any, percent: float, place: list[Any], **more: Any) -> Any:
    """Build the input object of an OTSO call: preparation done, computation left out.

    Parameters
    ----------
    module : module
        Module of OTSO in which the computation is replaced.
    name : str
        Name of the computing class or function in it.
    inputs : callable
        OTSO's preparation of the input object.
    call : callable
        OTSO's public function.
    percent : float
        Step length in per cent of the gyration.
    place : list
        Location as OTSO takes it.
    **more
        Further arguments of ``call``.

    Returns
    -------
    object
    """
    kept: list[Any] = []
    setattr(module, name, kept.append)
    call(
        Stations=[],
        customlocations=[place],
        datetime_params={"year": 2020, "month": 1, "day": 1, "hour": 0},
        magfield_params={"internalmag": "IGRF", "externalmag": "NONE", "magnetopause": "Sphere", "spheresize": 10.0},
        integration_params={"gyropercent": percent, "minaltitude": 20, "startaltitude": 20, "maxdistance": 100},
        rigidity_params={"startrigidity": 50.0, "endrigidity": 0.0, "rigiditystep": 0.01},
        computation_params={"corenum": 1, "threadnum": 1, "Verbose": False},
        **more,
    )
    inputs(kept[0])
    return kept[0]


def main() -> None:
    """Read the input, trace, and write the output."""
    given = np.load(sys.argv[1])
    lat, lon, altitude = (float(given[k]) for k in ("lat", "lon", "altitude_km"))
    place = ["site", lat, lon]
    out = {}
    for name, percent in SETTINGS.items():
        data = prepared(otso_cone, "OTSO_cone", cone_inputs.ConeInputs, OTSO.cone, percent, place)
        task = fortran_data_utils.prepare_fortran_cone([*place, altitude, 0.0, 0.0], data)
        verdicts = np.zeros(len(given["rigidity_GV"]), dtype=np.int8)
        rigidity, lats, lons = np.zeros(1), np.zeros(1), np.zeros(1)
        found = np.zeros(1, dtype=np.int32)
        begun = time.process_time()
        for i in range(len(verdicts)):
            task.positionin = [altitude, lat, lon, given["zenith_deg"][i], given["azimuth_from_north_deg"][i]]
            task.startrigidity = given["rigidity_GV"][i]
            task.endrigidity, task.rigiditystep, task.n = given["rigidity_GV"][i] - 0.01, 0.01, 1
            Middleman.cone(task, data.g, data.h, rigidity, found, lats, lons)
            verdicts[i] = found[0] == 1
        out[f"seconds {name}"] = np.array(time.process_time() - begun)
        out[f"verdicts {name}"] = verdicts
        data = prepared(
            otso_cutoff, "OTSO_cutoff", cutoff_inputs.CutoffInputs, OTSO.cutoff, percent, place, cutoff_comp="Custom"
        )
        begun = time.process_time()
        for zenith, azimuth in zip(given["map_zenith_deg"], given["map_azimuth_deg"], strict=True):
            task = fortran_data_utils.prepare_fortran_cutoff([*place, altitude, zenith, azimuth], data)
            cutoff_utils.standard_cutoff(task, data.g, data.h, data)
        out[f"map seconds {name}"] = np.array(time.process_time() - begun)
        if "place_lat" not in given:
            continue
        spent = 0.0
        for place_lat, place_lon in zip(given["place_lat"], given["place_lon"], strict=True):
            one = ["place", float(place_lat), float(place_lon)]
            data = prepared(
                otso_cutoff,
                "OTSO_cutoff",
                cutoff_inputs.CutoffInputs,
                OTSO.cutoff,
                percent,
                one,
                cutoff_comp="Vertical",
            )
            task = fortran_data_utils.prepare_fortran_cutoff([*one, altitude, 0.0, 0.0], data)
            begun = time.process_time()
            cutoff_utils.standard_cutoff(task, data.g, data.h, data)
            spent += time.process_time() - begun
        out[f"places seconds {name}"] = np.array(spent)
    np.savez(sys.argv[2], **out)


if __name__ == "__main__":
    main()
