"""Change of the neutrino flux if primaries came in through the magnetosphere, from a run without cutoffs.

    sim3d run open.toml -o open.h5
    python scripts/studies/magnetosphere_effect.py open.h5 [--kp 2] [--time 00:00]

The run must have ``field.cutoff = false`` and ``scoring.events = true``.  The primary of each recorded neutrino is
traced twice by the integrator of order 8, through the IGRF alone to 10 Earth radii, and with Tsyganenko's field of 1989
to the magnetopause, in both cases on paths of up to 100 Earth radii, or of ``--max-path``.  The fluxes are sums of
scores of the allowed ones, so that their ratio has little noise; its error is a jackknife over batches.
"""

from __future__ import annotations

import argparse
import sys

import numpy as np

import sim3d
from geomag.errors import GeomagInputError
from geomag.field.igrf import FieldModel
from geomag.field.kernels import EARTH_RADIUS_KM
from geomag.field.magnetosphere import Magnetosphere
from geomag.geodesy import local_axes
from geomag.trajectories.precise import PreciseTracer
from sim3d.results.result import Result

ENERGY_GEV = ((0.1, 0.3), (0.3, 1.0), (1.0, 3.0), (3.0, 10.0))
SKY = {"all": (-1.0, 1.0), "above": (0.0, 1.0), "below": (-1.0, 0.0)}
NUCLEON_GEV = 0.9389
"""Mean mass of a nucleon."""
ALWAYS_ALLOWED_GV = 80.0
"""Above the highest cutoff in any direction."""
START_KM = 100.0
"""Height of the start; a few kilometres more or less change no share."""
GROUPS = 20


def rigidity_GV(events: np.ndarray) -> np.ndarray:
    """Rigidity of the primaries, GV."""
    total = events["primary_energy_GeV"].astype(float) + NUCLEON_GEV
    charge = events["primary_charge"].astype(float)
    return np.sqrt(total**2 - NUCLEON_GEV**2) * events["primary_mass_number"] / charge


def arrivals(events: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Places (km) and unit momenta of the primaries; records count azimuth from south through east."""
    lat, lon = events["entry_lat_deg"].astype(float), events["entry_lon_deg"].astype(float)
    axes = local_axes(lat, lon)
    cosine = events["entry_cos_zenith"].astype(float)
    side, azimuth = np.sqrt(1.0 - np.minimum(cosine**2, 1.0)), np.radians(events["entry_azimuth_deg"].astype(float))
    parts = np.stack([side * np.sin(azimuth), -side * np.cos(azimuth), cosine], axis=-1)
    source = np.einsum("ik,ikx->ix", parts, axes)
    return (EARTH_RADIUS_KM + START_KM) * axes[:, 2], -source


def report(result: Result, events: np.ndarray, with_it: np.ndarray, without: np.ndarray) -> list[str]:
    """Lines of the change in percent by site, sky and energy, all flavours together."""
    lines = []
    group = events["batch"] % GROUPS
    for place, site in enumerate(result.sites):
        for sky, (bottom, top) in SKY.items():
            for low, high in ENERGY_GEV:
                chosen = (events["site"] == place) & (events["energy_GeV"] >= low) & (events["energy_GeV"] < high)
                chosen &= (events["cos_zenith"] > bottom) & (events["cos_zenith"] <= top)
                sums = [
                    np.bincount(group[chosen], (events["score"] * allowed)[chosen], GROUPS)
                    for allowed in (with_it, without)
                ]
                left_out = [one.sum() - one for one in sums]
                parts = 100.0 * (left_out[0] / left_out[1] - 1.0)
                value = 100.0 * (sums[0].sum() / sums[1].sum() - 1.0)
                error = np.sqrt((GROUPS - 1) / GROUPS * ((parts - parts.mean()) ** 2).sum())
                words = f"{value:+.2f} +- {error:.2f} % ({chosen.sum()} neutrinos)"
                lines.append(f"{site}, sky {sky}, {low:g} to {high:g} GeV: {words}")
    return lines


def main() -> None:
    """Trace the primaries of a run's neutrinos and print what the magnetosphere changes."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("run")
    parser.add_argument("--kp", type=float, default=2.0)
    parser.add_argument("--time", default="00:00")
    parser.add_argument("--max-path", type=float, default=100.0)
    given = parser.parse_args()
    result = sim3d.load(given.run)
    settings = result.config["field"]
    if settings["cutoff"]:
        sys.exit(f"{given.run}: the run must have field.cutoff = false")
    field = FieldModel(settings["date"], settings["degree"])
    try:
        state = Magnetosphere(f"{field.date}T{given.time}", kp=given.kp)
    except GeomagInputError as problem:
        sys.exit(str(problem))
    events = np.concatenate(list(result.events()))
    rigidity = rigidity_GV(events)
    _, first, which = np.unique(events["primary"], return_index=True, return_inverse=True)
    places, momenta = arrivals(events[first])
    low = rigidity[first] < ALWAYS_ALLOWED_GV
    found = []
    for external in (state, None):
        tracer = PreciseTracer(field, 0.0, external, max_path_radii=given.max_path)
        allowed = np.ones(len(first), dtype=bool)
        allowed[low] = tracer.verdicts(places[low], momenta[low], rigidity[first][low]) == 1
        found.append(allowed[which])
    sys.stdout.write(f"{len(events)} neutrinos of {len(first)} primaries; {state}\n")
    sys.stdout.write("\n".join(report(result, events, *found)) + "\n")


if __name__ == "__main__":
    main()
