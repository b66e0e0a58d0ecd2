"""Run full-statistics physics checks and write the validation report, with tables and pictures.

Run by ``make validate`` (about 90 minutes on two cores); ``--scale 0.05`` gives a quick look. Each section is one
simulation and a comparison; results are kept beside the report and reused with ``--reuse``.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import validation_figures as figures
from validation_cascade import cascade, cascade_high_energy
from validation_coverage import coverage
from validation_decades import decades
from validation_gradients import gradients
from validation_report import COVERAGE_PARTS, OLD_HADRONIC, OLD_PRIMARIES, Report, at_sea_level, figure_of
from validation_smoothing import smoothing
from validation_targeted import patches, targeted

from hadronic.definitions import DEFAULT_DEFINITION
from sim3d.analysis.matching import agreement, match
from sim3d.analysis.reference import fluka_table
from sim3d.config.load import load_config, make_config
from sim3d.conventions.flavours import FLAVOURS
from sim3d.results.result import Result
from sim3d.results.words import context_lines

ROOT = Path(__file__).resolve().parents[2]
FLUKA_RANGE_GEV = (0.29, 10.0)
FLUKA_LOWEST_GEV = (0.1, 0.13)
"""Energies of FLUKA's lowest row, 0.106 GeV."""


def _fluka_section(report: Report, definition: str) -> None:
    config = load_config(ROOT / "examples/fluka_kamioka.toml")
    tag = "fluka_kamioka" if definition == DEFAULT_DEFINITION else f"fluka_kamioka_{definition}"
    if definition != DEFAULT_DEFINITION:
        hadronic = config.hadronic.model_copy(update={"definition": definition})
        run = config.run.model_copy(update={"primaries": config.run.primaries // 5})
        config = config.model_copy(update={"hadronic": hadronic, "run": run})
    report.add("", f"## FLUKA's table of Super-Kamiokande, definition {definition!r}", "")
    result = report.run(tag, config)
    matched = match(result, "kamioka", fluka_table(), FLUKA_RANGE_GEV)
    rows = agreement(matched)
    report.add(
        "", "| flavour | median ratio | median abs(ratio-1) | rms | within 15% beyond statistics | median error |"
    )
    report.add("|---|---|---|---|---|---|")
    for row in rows:
        report.add(
            f"| {row.flavour} | {row.median_ratio:.3f} | {row.median_deviation:.3f} | {row.rms:.3f} "
            f"| {row.within:.3f} | {row.median_error:.3f} |"
        )
    report.add("")
    _fluka_sums(report, result)
    if definition == DEFAULT_DEFINITION:
        for row in agreement(match(result, "kamioka", fluka_table(), FLUKA_LOWEST_GEV)):
            report.check(
                f"FLUKA {row.flavour} at 0.106 GeV: median abs(ratio-1) at most 10%",
                f"{row.median_deviation:.3f} (median ratio {row.median_ratio:.3f}, error {row.median_error:.3f})",
                row.median_deviation <= 0.10,
            )
        for row in rows:
            report.check(
                f"FLUKA {row.flavour}: median abs(ratio-1) at most 7%",
                f"{row.median_deviation:.3f}",
                row.median_deviation <= 0.07,
            )
            report.check(
                f"FLUKA {row.flavour}: 90% of bins within 15% beyond statistics",
                f"{row.within:.3f}",
                row.within >= 0.90,
            )
        flux, error, _ = result.binned("kamioka", "fluka_aa")
        energies = result.binning_energies("fluka_aa")
        inside = (energies >= FLUKA_RANGE_GEV[0]) & (energies <= FLUKA_RANGE_GEV[1])
        relative = error[:, inside] / np.where(flux[:, inside] > 0, flux[:, inside], np.nan)
        report.add(
            f"Relative statistical error per FLUKA bin (40 zenith bins, 0.29-10 GeV): median "
            f"{np.nanmedian(relative):.4f}, 90% below {np.nanpercentile(relative, 90):.4f}."
        )
        report.check(
            "precision: median relative error per FLUKA bin",
            f"{np.nanmedian(relative):.4f}",
            bool(np.nanmedian(relative) <= 0.03),
        )


def _fluka_sums(report: Report, result: Result) -> None:
    """Add the ratios of sums over FLUKA's zenith bins; errors are those of independent bins."""
    matched = match(result, "kamioka", fluka_table(), (FLUKA_LOWEST_GEV[0], FLUKA_RANGE_GEV[1]))
    energies = np.unique(matched.energy_GeV)
    report.add("| GeV | " + " | ".join(f"{energy:.3g}" for energy in energies) + " |")
    report.add("|---|" + "---|" * len(energies))
    for flavour in FLAVOURS:
        cells = []
        for energy in energies:
            chosen = (matched.flavour == flavour) & (matched.energy_GeV == energy)
            total = matched.reference[chosen].sum()
            ratio, error = matched.flux[chosen].sum() / total, np.sqrt((matched.error[chosen] ** 2).sum()) / total
            cells.append(f"{ratio:.3f} ± {error:.3f}")
        report.add(f"| {flavour} | " + " | ".join(cells) + " |")
    report.add("")


def fluka(report: Report) -> None:
    """Compare fluxes with FLUKA's table bin by bin, with the definition of x that conserves energy, the default.

    Parameters
    ----------
    report : Report
    """
    _fluka_section(report, DEFAULT_DEFINITION)


def fluka_printed_definition(report: Report) -> None:
    """Compare fluxes with FLUKA's table with F of mesons read as E/E, as printed, for information only.

    Parameters
    ----------
    report : Report
    """
    _fluka_section(report, "printed")


def fluka_kinetic_definition(report: Report) -> None:
    """Compare fluxes with FLUKA's table with F of mesons read as E/T and Z as T/T, for information only.

    Parameters
    ----------
    report : Report
    """
    _fluka_section(report, "kinetic")


def east_west(report: Report) -> None:
    """Compare east-west asymmetries with the published values of the paper's detectors.

    Parameters
    ----------
    report : Report
    """
    from sim3d.analysis.asymmetry import east_west as asymmetries
    from sim3d.analysis.asymmetry import published

    report.add("", "## East-west asymmetries, 0.5-3 GeV, |cos zenith| < 0.5", "")
    result = report.run("paper", load_config(ROOT / "examples/paper.toml"))
    report.add("", "| site | flavour | A | error | paper | Lipari |", "|---|---|---|---|---|---|")
    checks = []
    values: dict[str, dict[str, float]] = {}
    for site in result.sites:
        values[site] = {}
        printed = published(site)
        for row in asymmetries(result, site):
            values[site][row.flavour] = row.value
            paper = printed[row.flavour]
            report.add(
                f"| {site} | {row.flavour} | {row.value:+.3f} | {row.error:.3f} "
                f"| {paper.paper:+.3f} +- {paper.paper_error:.3f} | {paper.lipari:+.3f} |"
            )
            allowed = 0.08 + 2.0 * float(np.hypot(row.error, paper.paper_error))
            checks.append((site, row.flavour, row.value - paper.paper, allowed, row.error))
    report.add("")
    for site, flavour, difference, allowed, error in checks:
        report.check(
            f"{site} {flavour}: within 0.08 + 2 sigma of the paper",
            f"{difference:+.3f} (allowed {allowed:.3f})",
            abs(difference) <= allowed,
        )
        report.check(f"{site} {flavour}: error at most 0.02", f"{error:.4f}", error <= 0.02)
    for site, a in values.items():
        ordered = a["nue"] > a["numubar"] > a["numu"] > a["nuebar"]
        report.check(f"{site}: order nue > numubar > numu > nuebar", str(ordered), ordered)


def _fold(per_cos: np.ndarray) -> np.ndarray:
    """Sum 40 zenith bins into 10 of |cos zenith|, ascending."""
    halves = per_cos[20:] + per_cos[19::-1]
    return halves[0::2] + halves[1::2]


def high_energy(report: Report) -> None:
    """Compare the zenith dependence at high energy with Volkova's expression (design 4.7, check 10).

    Parameters
    ----------
    report : Report
    """
    from atmosphere.layers import linsley
    from hadronic.models import load_model
    from hadronic.species import KM, KP, PIM, PIP, P

    report.add("", "## Zenith shape of numu + numubar at high energy", "")
    config = make_config(
        {
            "run": {"primaries": 4_000_000, "batch_size": 20_000},
            "primaries": {**OLD_PRIMARIES, "energy_GeV": [100.0, 1.0e6], "energy_index": 1.4},
            "field": {"cutoff": False},
            "transport": {"bending": False},
            "sampling": {"mode": "rotated", "thinning": 3.0, "roulette_energy_GeV": 0.0},
            "scoring": {"energy_min_GeV": 90.0},
            "hadronic": OLD_HADRONIC,
            "sites": at_sea_level("kamioka"),
        }
    )
    result = report.run("high_energy", config)
    flux, error, _ = result.binned("kamioka", "fine_aa")
    energies = result.binning_energies("fine_aa")
    centres = np.arange(0.05, 1.0, 0.1)  # |cos zenith|: without field and cutoff, down-going and up-going are one
    model = load_model(config.hadronic.model, config.hadronic.definition)
    pions = sum(model.moments(P, s, 1e4).Z_TT for s in (PIP, PIM))
    kaons = sum(model.moments(P, s, 1e4).Z_TT for s in (KP, KM))
    # K -> mu nu with branching 0.636 against pi -> mu nu: int x^1.7 of a flat spectrum up to 1 - r
    kaon_term = 0.636 * kaons / pions * ((1 - 0.0458) / (1 - 0.5731)) ** 1.7
    # effective cosine: the local one where a primary has crossed one interaction length
    atmosphere = linsley()

    def effective(cos_ground: float) -> float:
        low, high = 1.0, 100.0
        sine = np.sqrt(1 - cos_ground**2)
        for _ in range(60):
            h = 0.5 * (low + high)
            local = np.sqrt(1 - (sine * 6371.2 / (6371.2 + h)) ** 2)
            low, high = (h, high) if atmosphere.slant_depth(h, local) > 90.0 else (low, h)
        return float(local)

    def volkova(energy: np.ndarray, cosine: float) -> np.ndarray:
        return 1 / (1 + 6 * energy * cosine / 121) + kaon_term / (1 + 1.44 * energy * cosine / 897)

    bands = [(100.0, 200.0), (200.0, 500.0), (500.0, 1200.0), (1200.0, 3000.0)]
    shapes = []
    worst = 0.0
    for low, high in bands:
        chosen = (energies >= low) & (energies <= high)
        width = np.diff(result.binning_energy_edges("fine_aa"))[chosen]
        both = _fold((flux[:2][:, chosen] * width[None, :, None]).sum(axis=(0, 1)))
        # a crossing counts down and up, so the two halves are not independent
        sigma = np.sqrt(2.0 * _fold(((error[:2][:, chosen] * width[None, :, None]) ** 2).sum(axis=(0, 1))))
        weight = energies[chosen] ** -2.7 * width
        expected = np.array([(volkova(energies[chosen], effective(c)) * weight).sum() for c in centres])
        steep = centres > 0.3
        norm = (both[steep] / sigma[steep] ** 2 * expected[steep]).sum() / (
            expected[steep] ** 2 / sigma[steep] ** 2
        ).sum()
        ratio, spread = both / (norm * expected), sigma / (norm * expected)
        shapes.append((low, high, ratio, spread))
        excess = np.maximum(0.0, np.abs(ratio[steep] - 1.0) - 2.0 * spread[steep])
        worst = max(worst, float(excess.max()))
        report.add(
            f"- {low:g}-{high:g} GeV: rms deviation above |cos| = 0.3 "
            f"{np.sqrt(np.mean((ratio[steep] - 1) ** 2)):.3f}, mean statistical error {spread[steep].mean():.3f}"
        )
    report.check("Volkova shape within 10% beyond 2 sigma, |cos| > 0.3", f"{worst:.3f}", worst <= 0.10)

    heading = r"Shape of $\nu_\mu+\bar\nu_\mu$ by zenith angle, over Volkova's"
    about = ["no geomagnetic field; shaded: 10%", *context_lines(result.record, "kamioka")[1:]]
    figure_of(report, "high_energy", figures.zenith_shape(centres, shapes, heading), about)


def one_dimension(report: Report) -> None:
    """Check the 1-D limit, and the effects of bending and step length, at Kamioka without cutoff.

    Design 4.7, checks 8 and 9.

    Parameters
    ----------
    report : Report
    """
    report.add("", "## Switches: 1-D limit, step length", "")
    base: dict[str, Any] = {
        "run": {"primaries": 1_000_000, "batch_size": 20_000},
        "primaries": {**OLD_PRIMARIES, "energy_GeV": [2.0, 2000.0], "energy_index": 1.6},
        "field": {"cutoff": False},
        "transport": {"bending": False},
        "sampling": {"mode": "rotated", "thinning": 3.0, "roulette_energy_GeV": 0.0},
        "scoring": {"energy_min_GeV": 0.3},
        "hadronic": OLD_HADRONIC,
        "sites": at_sea_level("kamioka"),
    }
    runs = {
        "3-D, 1 km": base,
        "3-D, 0.5 km": {**base, "transport": {"bending": False, "step_km": 0.5}, "run": {**base["run"], "seed": 2}},
        "3-D, 2 km": {**base, "transport": {"bending": False, "step_km": 2.0}, "run": {**base["run"], "seed": 3}},
        "1-D": {**base, "transport": {"bending": False, "transverse": False}, "run": {**base["run"], "seed": 4}},
    }
    bands = [(0.3, 1.0), (1.0, 3.0), (3.0, 10.0), (10.0, 30.0)]
    values = {}
    for name, data in runs.items():
        result = report.run("switch_" + name.replace(",", "").replace(" ", "_").replace(".", ""), make_config(data))
        groups = result.groups_azimuth("kamioka")
        energies = result.binning_energies("fine_aa")
        width = np.diff(result.binning_energy_edges("fine_aa"))
        for b, (low, high) in enumerate(bands):
            chosen = (energies >= low) & (energies <= high)
            per_group = (groups.mean(axis=(3, 4))[:, :, chosen] * width[chosen]).sum(axis=2)
            values[name, b] = (per_group.mean(axis=0), per_group.std(axis=0, ddof=1) / np.sqrt(len(per_group)))
    report.add("", "| run | band (GeV) | numu | numubar | nue | nuebar | (ratio to 3-D, 1 km, averaged over the sky) |")
    report.add("|---|---|---|---|---|---|---|")
    worst = 0.0
    for name in list(runs)[1:]:
        for b, (low, high) in enumerate(bands):
            mean, sigma = values[name, b]
            mean0, sigma0 = values["3-D, 1 km", b]
            ratio = mean / mean0
            spread = ratio * np.hypot(sigma / mean, sigma0 / mean0)
            cells = " | ".join(f"{r:.3f} +- {s:.3f}" for r, s in zip(ratio, spread, strict=True))
            report.add(f"| {name} | {low:g}-{high:g} | {cells} | |")
            if name != "1-D":
                worst = max(worst, float((np.abs(ratio - 1) - 3 * spread).max()))
    report.add("")
    report.check(
        "step length 0.5 and 2 km change no band by more than 1% beyond 3 sigma", f"{worst:.4f}", worst <= 0.01
    )


def speed(report: Report) -> None:
    """Measure showers per second on one core: at least 20,000, bending on, E^-2 from 1.5 to 500 GeV, above 0.3 GeV.

    Parameters
    ----------
    report : Report
    """
    report.add("", "## Speed of the shower kernel", "")
    config = make_config(
        {
            "run": {"primaries": 200_000, "batch_size": 20_000},
            "primaries": {**OLD_PRIMARIES, "energy_GeV": [1.5, 500.0], "energy_index": 2.0},
            "sampling": {"mode": "analog", "thinning": 0.0},
            "scoring": {"energy_min_GeV": 0.3},
            "hadronic": OLD_HADRONIC,
            "sites": at_sea_level("kamioka"),
        }
    )
    from sim3d.simulation.engine import simulate

    record = simulate(config, threads=1)
    if record is None:
        raise RuntimeError("the speed check needs a single process")
    rate = record.counters["primaries"] / record.provenance["wall_time_s"]
    report.check("showers per second on one core, at least 20,000", f"{rate:.0f}", rate >= 20_000)


SECTIONS: dict[str, Callable[[Report], None]] = {
    "speed": speed,
    "high_energy": high_energy,
    "one_dimension": one_dimension,
    "cascade": cascade,
    "cascade_high_energy": cascade_high_energy,
    "fluka": fluka,
    "fluka_printed_definition": fluka_printed_definition,
    "fluka_kinetic_definition": fluka_kinetic_definition,
    "east_west": east_west,
    "targeted": targeted,
    "patches": patches,
    "decades": decades,
    "smoothing": smoothing,
    "gradients": gradients,
    "coverage": coverage,
}


def main() -> int:
    """Run the chosen sections; return 1 if a check failed."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--output", type=Path, default=Path("output/validation"))
    parser.add_argument("--scale", type=float, default=1.0, help="factor on the number of primaries")
    parser.add_argument("--only", nargs="+", choices=SECTIONS, default=list(SECTIONS))
    parser.add_argument(
        "--parts", nargs="+", choices=COVERAGE_PARTS, default=list(COVERAGE_PARTS), help="of the section coverage"
    )
    parser.add_argument("--reuse", action="store_true", help="take result files that are already there")
    parser.add_argument("--threads", type=int, default=None)
    arguments = parser.parse_args()
    if not 0 < arguments.scale <= 100:
        parser.error(f"--scale: {arguments.scale} is not between 0 and 100")
    report = Report(arguments.output, arguments.scale, arguments.reuse, arguments.threads, arguments.parts)
    for name in arguments.only:
        started = time.perf_counter()
        SECTIONS[name](report)
        report.add(f"({name}: {time.perf_counter() - started:.0f} s)")
    return 0 if report.write() else 1


if __name__ == "__main__":
    sys.exit(main())
