"""Change of the neutrino flux if primaries came in through the magnetosphere, from a run without cutoffs.

    sim3d run open.toml -o open.h5
    python scripts/studies/magnetosphere_effect.py open.h5 [--kp 2] [--time 00:00] [-o table.csv]

The run must have ``field.cutoff = false`` and ``scoring.events = true``.  Each recorded neutrino's primary gets two
verdicts: through the IGRF alone to 10 Earth radii, as in runs, and with Tsyganenko's field of 1989 to the magnetopause.
Both fluxes are sums over the same neutrinos, so that only primaries whose verdict changes add to the difference and its
error, a jackknife over groups of batches.

Tracing through the magnetosphere is slow, so not all primaries are.  A primary is *near* a cutoff if its verdict in the
IGRF changes between 0.5 and 2 times its rigidity, or within 0.5 GV of it.  Of these and of the others a random share is
traced, in proportion to the root of its neutrinos' scores, and weighted with the inverse of its probability, which
keeps the sum unbiased.
"""

from __future__ import annotations

import argparse
import csv
import sys
from pathlib import Path

import numpy as np

import sim3d
from geomag.errors import GeomagInputError
from geomag.field.igrf import FieldModel
from geomag.field.kernels import EARTH_RADIUS_KM
from geomag.field.magnetosphere import Magnetosphere
from geomag.geodesy import local_axes
from geomag.trajectories.batch import BatchTracer
from geomag.trajectories.precise import PreciseTracer
from geomag.trajectories.tracing import trace_params

ENERGY_GEV = ((0.1, 0.3), (0.3, 1.0), (1.0, 3.0), (3.0, 10.0), (0.1, 10.0))
SKY = {"all": (-1.0, 1.0), "above": (0.0, 1.0), "below": (-1.0, 0.0)}
NUCLEON_GEV = 0.9389
"""Mean mass of a nucleon."""
ALWAYS_ALLOWED_GV = 80.0
"""Above the highest cutoff in any direction."""
START_KM = 100.0
"""Height of the start; a few kilometres more or less change no share."""
GROUPS = 20
NEAR_FACTORS = (0.5, 0.7, 0.85, 0.95, 1.05, 1.2, 1.4, 2.0)
NEAR_GV = (-0.5, -0.25, -0.1, 0.1, 0.25, 0.5)
"""Rigidities around that of a primary at which its verdict must be the same for it to be far from a cutoff."""
FAR_SHARE = 0.05
"""Share of the trajectories traced with the magnetosphere that is spent on primaries far from a cutoff."""
TOLERANCE = 1e-7
"""Error per step of both tracings; in the penumbra it moves single verdicts, as many one way as the other."""


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


def entries(events: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """First record of each entry of a primary, and the number of the entry of each record.

    A shower is turned to several places and so has several entries.
    """
    names = ("primary", "entry_lat_deg", "entry_lon_deg", "entry_cos_zenith", "entry_azimuth_deg")
    order = np.lexsort([events[name] for name in names])
    ordered = events[order]
    new = np.ones(len(events), dtype=bool)
    new[1:] = np.any([ordered[name][1:] != ordered[name][:-1] for name in names], axis=0)
    number = np.empty(len(events), dtype=int)
    number[order] = np.cumsum(new) - 1
    return order[new], number


def is_near(tracer: BatchTracer, places: np.ndarray, momenta: np.ndarray, rigidity: np.ndarray) -> np.ndarray:
    """Tell which arrivals are near a cutoff of the internal field (the module's header says what that is)."""
    allowed = tracer.verdicts(places, momenta, rigidity) == 1
    near = np.zeros(len(rigidity), dtype=bool)
    around = [rigidity * factor for factor in NEAR_FACTORS]
    around += [np.maximum(rigidity + change, 0.05) for change in NEAR_GV]
    for other in around:
        rest = np.flatnonzero(~near)
        near[rest] = (tracer.verdicts(places[rest], momenta[rest], other[rest]) == 1) != allowed[rest]
    return near


def drawing_probability(worth: np.ndarray, near: np.ndarray, count: int) -> np.ndarray:
    """Probability with which each arrival is traced, so that about `count` are: in proportion to its worth, at most 1.

    `worth` is the root of the sum of its neutrinos' scores, a compromise between the energies.
    """
    probability = np.zeros(len(worth))
    for these, share in ((near, 1.0 - FAR_SHARE), (~near, FAR_SHARE)):
        wanted = share * count
        if wanted >= these.sum():
            probability[these] = 1.0
            continue
        scale = wanted / worth[these].sum()
        for _ in range(20):
            scale *= wanted / np.minimum(scale * worth[these], 1.0).sum()
        probability[these] = np.minimum(scale * worth[these], 1.0)
    return probability


def changes(events: np.ndarray, change: np.ndarray, without: np.ndarray) -> tuple[float, float]:
    """Change of the flux in percent, and its error, of some records.

    Parameters
    ----------
    events : record array, shape (K,)
        Records.
    change : array, shape (K,)
        Verdict with the magnetosphere less that without, times the weight of the draw.
    without : bool array, shape (K,)
        Allowed without the magnetosphere.
    """
    group = events["batch"] % GROUPS
    difference, total = (np.bincount(group, events["score"] * one, GROUPS) for one in (change, without))
    left_out = 100.0 * (difference.sum() - difference) / (total.sum() - total)
    error = np.sqrt((GROUPS - 1) / GROUPS * ((left_out - left_out.mean()) ** 2).sum())
    return 100.0 * float(difference.sum() / total.sum()), float(error)


def table(
    sites: list[str], flavours: list[str], events: np.ndarray, change: np.ndarray, without: np.ndarray
) -> list[dict[str, object]]:
    """Rows of the change in percent by site, sky, flavour and energy."""
    rows: list[dict[str, object]] = []
    for place, site in enumerate(sites):
        for sky, (bottom, top) in SKY.items():
            for flavour in ("all", *flavours):
                for low, high in ENERGY_GEV:
                    chosen = (events["site"] == place) & (events["energy_GeV"] >= low) & (events["energy_GeV"] < high)
                    chosen &= (events["cos_zenith"] > bottom) & (events["cos_zenith"] <= top)
                    if flavour != "all":
                        chosen &= events["flavour"] == flavours.index(flavour)
                    value, error = changes(events[chosen], change[chosen], without[chosen])
                    rows.append(
                        {
                            "site": site,
                            "sky": sky,
                            "flavour": flavour,
                            "energy_low_GeV": low,
                            "energy_high_GeV": high,
                            "change_percent": round(value, 3),
                            "error_percent": round(error, 3),
                            "neutrinos": int(chosen.sum()),
                        }
                    )
    return rows


def main() -> None:
    """Trace the primaries of a run's neutrinos and print what the magnetosphere changes."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("run")
    parser.add_argument("--kp", type=float, default=2.0)
    parser.add_argument("--time", default="00:00")
    parser.add_argument("--max-path", type=float, default=100.0)
    parser.add_argument("--traced", type=int, default=20_000, help="trajectories through the magnetosphere")
    parser.add_argument("-o", "--output", type=Path, help="also write the rows as CSV")
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
    events = events[(events["energy_GeV"] >= ENERGY_GEV[-1][0]) & (events["energy_GeV"] < ENERGY_GEV[-1][1])]
    first, number = entries(events)
    rigidity = rigidity_GV(events[first])
    places, momenta = arrivals(events[first])
    low = np.flatnonzero(rigidity < ALWAYS_ALLOWED_GV)
    params = trace_params(field, 0.0, True, 1e-4, max_path_radii=given.max_path)
    near = np.zeros(len(first), dtype=bool)
    near[low] = is_near(BatchTracer(field, params), places[low], momenta[low], rigidity[low])
    without = np.ones(len(first), dtype=bool)
    tracer = PreciseTracer(field, 0.0, max_path_radii=given.max_path, tolerance=TOLERANCE)
    without[low] = tracer.verdicts(places[low], momenta[low], rigidity[low]) == 1
    worth = np.sqrt(np.bincount(number, events["score"], len(first)))
    probability = np.zeros(len(first))
    probability[low] = drawing_probability(worth[low], near[low], given.traced)
    drawn = np.flatnonzero(np.random.default_rng(1).random(len(first)) < probability)
    tracer = PreciseTracer(field, 0.0, state, max_path_radii=given.max_path, tolerance=TOLERANCE)
    inside = tracer.verdicts(places[drawn], momenta[drawn], rigidity[drawn]) == 1
    change = np.zeros(len(first))
    change[drawn] = (inside.astype(float) - without[drawn]) / probability[drawn]
    moved = change[drawn] != 0.0
    sys.stdout.write(
        f"{len(events)} neutrinos of {len(first)} entries, {near.sum()} near a cutoff; {state}\n"
        f"{len(drawn)} traced through it, {moved.sum()} verdicts changed, {(moved & ~near[drawn]).sum()} far from one\n"
    )
    rows = table(list(result.sites), list(result.flavours), events, change[number], without[number])
    for row in rows:
        sys.stdout.write(
            "{site}, sky {sky}, {flavour}, {energy_low_GeV:g} to {energy_high_GeV:g} GeV: "
            "{change_percent:+.2f} +- {error_percent:.2f} % ({neutrinos} neutrinos)\n".format(**row)
        )
    if given.output:
        with given.output.open("w", newline="", encoding="utf-8") as stream:
            writer = csv.DictWriter(stream, list(rows[0]))
            writer.writeheader()
            writer.writerows(rows)


if __name__ == "__main__":
    main()
