"""Measure what the angles of pions in the model accelerator do to neutrino fluxes.

    python scripts/studies/angles_effect.py
    python scripts/studies/angles_effect.py --scales

The table of the model is written with other angles, and simulated with the same seed. Yields and energies stay, so that
the showers are the same but for the directions of their pions. Mode is rotated, without bending in the air, cutoffs,
thinning and roulette, which would make the runs less alike. The angles are

    narrower  0.9 of the model's, of charged pions of all projectiles;
    measured  the model's times the scale that fits HARP (12 GeV/c) and NA61 (60 GeV/c) best, by x = p/p_beam: that of
              protons below 12 GeV/c, fading in ln T to 1 at 158 GeV; that of pions between the two energies and beyond;
    pythia8   those of this generator, of all species.

Printed are changes of the flux near the horizon (absolute cos_zenith below 0.2) and averaged over the sky, with the
jackknife error of pairs of groups of batches. `--scales` prints the scales alone.
"""

from __future__ import annotations

import argparse
import dataclasses
import itertools
import tempfile
import time
from pathlib import Path

import numpy as np

import sim3d
from hadronic.builders.accelerator import HARP_PION_GEV, HARP_PROTON_GEV, NA61_PION_GEV, bases
from hadronic.builders.accelerator import Options as BuildOptions
from hadronic.builders.data_points import angle_ratios
from hadronic.measurements import angle_data, mirrored
from hadronic.models import load_model
from hadronic.observables.production import numbers_in_bins
from hadronic.species import species_code
from hadronic.tables.yield_file import YieldFile, read_yield_file, write_yield_file
from hadronic.tables.yield_rows import LEADING_SUFFIX, ROWS
from sim3d.conventions.arrays import Array
from sim3d.results.pairs import jackknife_of_two
from sim3d.results.result import Result
from sim3d.results.windows import cos_bins, energy_bins

MODEL = "accelerator"
TABLES = Path(__file__).resolve().parents[2] / "hadronic" / "tables"
BATCH_SIZE = 1_000
PRIMARIES_GEV = (8.0, 1000.0)
"""Per nucleon. The lower end stands for the cutoff at Kamioka."""
ENERGY_GEV = (0.1, 0.3, 1.0, 3.0, 10.0)
BANDS = (("horizon", 0.2), ("sky", 1.0))
"""Names, and the largest absolute cosine of the zenith angle."""
NARROWER = 0.9
HARP_GEV, NA61_GEV, UNMEASURED_GEV = 12.0, 60.0, 158.0
LOWEST_T_SEC_GEV = 0.02
"""Lower end of the axis of angles in a table of yields."""
Scales = dict[tuple[str, str, float], tuple[Array, Array, Array]]
"""ln x, scale on the angles and its error, by projectile, secondary and beam momentum."""


def measured_scales() -> Scales:
    """Fit the scale on the model's angles to each measurement.

    Returns
    -------
    dict
        Ranges of momentum that were measured by several experiments are means, weighted by their errors.
    """
    model = load_model(MODEL)
    every: dict[tuple[str, str, float], list[tuple[Array, Array]]] = {}
    places: dict[tuple[str, str, float], Array] = {}
    for data in angle_data():
        if data.secondary not in ("pi+", "pi-"):
            continue
        projectile, secondary = mirrored(data.projectile, data.secondary)
        na61 = data.experiment.startswith("NA61")
        edges = NA61_PION_GEV if na61 else HARP_PROTON_GEV if projectile == "p" else HARP_PION_GEV
        code = species_code(projectile)

        def numbers(name: str, T: float, p: Array, theta: Array, code: int = code) -> Array:
            return numbers_in_bins(model, code, species_code(name), T, p, theta)

        beam = NA61_GEV if na61 else HARP_GEV
        ratios, scales = angle_ratios(numbers, data, secondary, np.array(edges))
        every.setdefault((projectile, secondary, beam), []).append((scales[:, 0], scales[:, 1]))
        places[projectile, secondary, beam] = ratios.ln_x
    out: Scales = {}
    for key, found in every.items():
        weight = np.array([1.0 / error**2 for _, error in found])
        mean = (weight * np.array([scale for scale, _ in found])).sum(axis=0) / weight.sum(axis=0)
        out[key] = places[key], mean, weight.sum(axis=0) ** -0.5
    return out


def scale_at(scales: Scales, projectile: str, secondary: str, T_GeV: float, ln_x: Array) -> Array:
    """Interpolate the measured scale.

    Parameters
    ----------
    scales : dict
    projectile, secondary : str
    T_GeV : float
        Of the projectile.
    ln_x : float[n]

    Returns
    -------
    float[n]
    """
    low = np.interp(ln_x, *scales[projectile, secondary, HARP_GEV][:2])
    if projectile == "p":
        high, end = np.ones_like(low), UNMEASURED_GEV
    else:
        high, end = np.interp(ln_x, *scales[projectile, secondary, NA61_GEV][:2]), NA61_GEV
    share = float(np.interp(np.log(T_GeV), np.log([HARP_GEV, end]), [0.0, 1.0]))
    return np.asarray((1.0 - share) * low + share * high)


def stretched(counts: Array, s_edges: Array, scale: Array) -> Array:
    """Scale angles in histograms of the angle's variable s, which grows as the angle squared.

    Counts are spread evenly in the bins of s, which widens the angles by up to 0.6% more.

    Parameters
    ----------
    counts : float[bins, s bins]
    s_edges : float[s bins + 1]
    scale : float[bins]
        On the angle.

    Returns
    -------
    float[bins, s bins]
    """
    out = np.empty_like(counts)
    for i, one in enumerate(counts):
        below = np.append(0.0, np.cumsum(one))
        moved = np.interp(s_edges / scale[i] ** 2, s_edges, below)
        moved[-1] = below[-1]
        out[i] = np.diff(moved)
    return out


def with_scales(content: YieldFile, scales: Scales | None) -> YieldFile:
    """Replace the angles of charged pions.

    Parameters
    ----------
    content : YieldFile
    scales : dict or None
        Measured scales; None for NARROWER everywhere.

    Returns
    -------
    YieldFile
    """
    assert content.s_edges is not None
    changed = dict(content.projectiles)
    for name in changed if scales is None else ("p", "pi+"):
        one = changed[name]
        assert one.angle_counts is not None
        angles = one.angle_counts.copy()
        bins = angles.shape[2]
        for (node, T), (row, label) in itertools.product(enumerate(one.T_GeV), enumerate(ROWS)):
            secondary = label.removesuffix(LEADING_SUFFIX)
            if secondary not in ("pi+", "pi-"):
                continue
            share = (np.arange(bins) + 0.5) / bins
            ln_x = (1.0 - share) * np.log(LOWEST_T_SEC_GEV / T)
            scale = np.full(bins, NARROWER) if scales is None else scale_at(scales, name, secondary, T, ln_x)
            angles[node, row] = stretched(angles[node, row], content.s_edges, scale)
        changed[name] = dataclasses.replace(one, angle_counts=angles)
    return dataclasses.replace(content, projectiles=changed)


def with_angles_of(content: YieldFile, other: YieldFile) -> YieldFile:
    """Replace all angles by those of another generator.

    Parameters
    ----------
    content, other : YieldFile

    Returns
    -------
    YieldFile
    """
    changed = {}
    base = bases(other, BuildOptions())
    for name, one in content.projectiles.items():
        if name in base:
            nodes = dataclasses.replace(base[name], left_out_GeV=(1.0, 1.0))
            angles = np.array([nodes.angle_counts(T) for T in one.T_GeV])
            one = dataclasses.replace(one, angle_counts=angles)
        changed[name] = one
    return dataclasses.replace(content, projectiles=changed)


def simulate(table: Path, arguments: argparse.Namespace) -> Result:
    """Simulate a run with a table of yields.

    Parameters
    ----------
    table : Path
    arguments : Namespace

    Returns
    -------
    Result
    """
    return sim3d.run(
        {
            "run": {"seed": arguments.seed, "primaries": arguments.primaries, "batch_size": BATCH_SIZE},
            "primaries": {"energy_GeV": list(PRIMARIES_GEV)},
            "transport": {"bending": False},
            "field": {"cutoff": False},
            "sampling": {"mode": "rotated", "thinning": 0.0, "roulette_energy_GeV": 0.0},
            "hadronic": {"model": "table", "table": str(table)},
            "calibration": {"name": "none"},
            "sites": [{"name": "kamioka"}],
        },
        threads=1,
    )


def bands(result: Result) -> Array:
    """Integrate the flux over bands of zenith and energy.

    Parameters
    ----------
    result : Result

    Returns
    -------
    float64 array (groups, band, flavour + 1, energy)
        m^-2 s^-1; the last row of flavours is their sum.
    """
    edges, cosines = np.asarray(result.energy_edges_GeV), np.asarray(result.cos_zenith_edges)
    groups = result.groups_east_west(result.default_site(None)).sum(axis=-1)
    groups = np.einsum("gfec,e,c->gfec", groups, np.diff(edges), np.diff(cosines))
    out = []
    for _, largest in BANDS:
        part = groups[..., cos_bins(cosines, largest)].sum(axis=-1)
        ranges = [part[:, :, energy_bins(edges, pair)].sum(axis=-1) for pair in itertools.pairwise(ENERGY_GEV)]
        flavours = np.stack(ranges, axis=-1)
        out.append(np.concatenate([flavours, flavours.sum(axis=1, keepdims=True)], axis=1))
    return np.stack(out, axis=1)


def main() -> None:
    """Simulate the runs and print the tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--primaries", type=int, default=400_000)
    parser.add_argument("--seed", type=int, default=100)
    parser.add_argument("--scales", action="store_true", help="print the measured scales alone")
    arguments = parser.parse_args()
    scales = measured_scales()
    if arguments.scales:
        for (projectile, secondary, beam), (ln_x, value, error) in scales.items():
            print(f"{projectile} to {secondary}, {beam:g} GeV/c, x: scale")
            print(
                "  "
                + ", ".join(f"{np.exp(x):.2f}: {v:.2f} ± {e:.2f}" for x, v, e in zip(ln_x, value, error, strict=True))
            )
        return
    start = time.process_time()
    content = read_yield_file(TABLES / f"{MODEL}.h5")
    variants = {
        "narrower": with_scales(content, None),
        "measured": with_scales(content, scales),
        "pythia8": with_angles_of(content, read_yield_file(TABLES / "pythia8.h5")),
    }
    ranges = [f"{low:g}-{high:g} GeV" for low, high in itertools.pairwise(ENERGY_GEV)]
    with tempfile.TemporaryDirectory() as folder:
        base = simulate(TABLES / f"{MODEL}.h5", arguments)
        print(f"{arguments.primaries} primaries each, changes of the flux in percent")
        for name, changed in variants.items():
            path = Path(folder) / f"{name}.h5"
            write_yield_file(path, changed)
            new = simulate(path, arguments)
            change, error = jackknife_of_two(lambda a, b: 100.0 * (a / b - 1.0), new, base, bands)
            print("|".join(["", f" {name} ", " ", *(f" {r} " for r in ranges), ""]))
            print("|".join(["", *["---"] * (len(ranges) + 2), ""]))
            for (label, _), values, errors in zip(BANDS, change, error, strict=True):
                for flavour, v, e in zip([*new.flavours, "all"], values, errors, strict=True):
                    row = "".join(f" {a:+.2f} ± {b:.2f} |" for a, b in zip(v, e, strict=True))
                    print(f"| {label} | {flavour} |{row}")
    print(f"{time.process_time() - start:.0f} s of CPU time")


if __name__ == "__main__":
    main()
