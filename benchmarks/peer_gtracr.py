"""Trace cosmic rays with gtracr and measure its speed, in its own Python: ``peer_gtracr.py in.npz out.npz``.

The input has lat, lon (one, or one for each trajectory), altitude_km, the names of the settings to run and, for each
trajectory, zenith_deg, azimuth_from_north_deg and rigidity_GV. The output has for each setting the CPU seconds (best of
two) and the decisions (allowed or not). No code of gtracr is copied: its public tracer is called once per trajectory,
with the start that its own coordinates give.
"""

from __future__ import annotations

import sys
import time

import numpy as np
from gtracr import geomagnetic_cutoffs as gmrc
from gtracr._libgtracr import TrajectoryTracer
from gtracr.constants import ELEMENTARY_CHARGE, KG_PER_GEVC2
from gtracr.trajectory import Trajectory
from gtracr.utils import ymd_to_dec

DATE = "2020-01-01"
FIRST_STEP_S, MAX_STEPS = 1e-5, 100_000
SETTINGS = {
    "table, default tolerance": (True, 1e-3, 1e-6),
    "table, tight tolerance": (True, 1e-6, 1e-9),
    "direct IGRF, default tolerance": (False, 1e-3, 1e-6),
}
"""Field table or not, absolute and relative tolerance of its adaptive Dormand-Prince solver."""


def main() -> None:
    """Read the input, trace, and write the output."""
    given = np.load(sys.argv[1])
    trajectories = [
        Trajectory(
            plabel="p+",
            latitude=float(lat),
            longitude=float(lon),
            detector_altitude=0.0,
            particle_altitude=float(given["altitude_km"]),
            zenith_angle=float(zenith),
            azimuth_angle=(180.0 - float(azimuth)) % 360.0,  # its azimuth is counted from south through east
            rigidity=float(rigidity),
            bfield_type="igrf",
            date=DATE,
        )
        for lat, lon, zenith, azimuth, rigidity in zip(
            *np.broadcast_arrays(
                *(given[key] for key in ("lat", "lon", "zenith_deg", "azimuth_from_north_deg", "rigidity_GV"))
            ),
            strict=True,
        )
    ]
    starts = [list(t.particle_sixvector) for t in trajectories]
    first = trajectories[0]
    folder, year = str(gmrc._DATA_DIR.resolve()), float(ymd_to_dec(DATE))
    charge, mass = first.charge * ELEMENTARY_CHARGE, first.mass * KG_PER_GEVC2
    rest = (first.start_alt, first.esc_alt, FIRST_STEP_S, MAX_STEPS)
    out = {}
    for name in map(str, given["settings"]):
        table, absolute, relative = SETTINGS[name]
        if table:
            field = gmrc._get_or_generate_igrf_table(folder, year)
            tracer = TrajectoryTracer(*field, charge, mass, *rest, (folder, year), "a", absolute, relative)
        else:
            tracer = TrajectoryTracer(charge, mass, *rest, "i", (folder, year), "a", absolute, relative)
        verdicts = np.zeros(len(starts), dtype=np.int8)
        seconds = []
        for _ in range(2):
            begun = time.process_time()
            for i, start in enumerate(starts):
                tracer.reset()
                tracer.evaluate(0.0, start)
                verdicts[i] = tracer.particle_escaped
            seconds.append(time.process_time() - begun)
        out[f"seconds {name}"] = np.array(min(seconds))
        out[f"verdicts {name}"] = verdicts
    np.savez(sys.argv[2], **out)


if __name__ == "__main__":
    main()
