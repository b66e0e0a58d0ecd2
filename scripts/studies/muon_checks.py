"""Compare simulated muons with CAPRICE94 by hadronic model, near the ground and at float altitude; and by season.

    python scripts/studies/muon_checks.py -o output/muon_checks --threads 2

Sections (`--only`): `models` (muons at Lynn Lake under the conditions of CAPRICE94 and all hadronic models: 1000 g/cm2,
NRLMSIS and Sun of July 1994, zenith angles up to 20 degrees), `float` (charge ratio under 5 g/cm2, as measured by
CAPRICE94), `seasons` (ratio of July to January at the South Pole and Kamioka). Needs the extras `msis` and
`primaries`. Spectra of more experiments without a simulation: scripts/validation/muon_measurements.py.

Existing results are continued. Prints Markdown and writes it to the folder of the results.
"""

from __future__ import annotations

import argparse
import calendar
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from hadronic.models import model_names
from sim3d import load
from sim3d.config.load import make_config
from sim3d.results.jackknife import jackknife
from sim3d.results.muons import MuonSpectra, muon_spectra
from sim3d.simulation.engine import run_to_file
from sim3d.studies.muon_measurements import muon_data

LYNN_LAKE = {"name": "lynn-lake", "lat": 56.5, "lon": -101.0, "altitude_m": 360.0, "patch": {"radius_deg": 2.0}}
GROUND = {
    "primaries": {"model": "gsf:2026.1", "solar": "date", "energy_GeV": [2.0, 1e6], "energy_index": 1.3},
    "field": {"date": "1994-07-19"},
    "atmosphere": {"model": "nrlmsis", "month": 7},
    "muons": {"ground": False, "depths_g_cm2": [1000.0], "momentum_GeV": [1.0, 1000.0]},
}
"""Conditions of CAPRICE94 at the ground; the depth counts that the experiment states."""
ACCEPTANCE = (0.94, 1.0)
"""Zenith angles up to 20 degrees. Their mean in CAPRICE94 is 9, here 13 degrees: 1.5% in the flux at 1 GeV/c."""
CAPRICE94 = (1.59, 0.06)
"""Charge ratio at 0-2 GeV/c, M. Boezio et al., Phys. Rev. Lett. 82 (1999) 4757, as Tserkovnyak et al. quote it."""
BANDS_GEV = ((1.0, 10.0), (10.0, 100.0), (100.0, 1000.0))
MONTHS = (1, 7)

Run = Callable[[str, dict[str, Any]], MuonSpectra]


def configuration(site: dict[str, Any], number: int, **tables: Any) -> dict[str, Any]:
    """Make the configuration of a run that scores muons only.

    Parameters
    ----------
    site : dict
        A table of [[sites]].
    number : int
        Number of primaries.
    **tables
        Other tables of the configuration.

    Returns
    -------
    dict
    """
    return {
        "run": {"seed": 5, "primaries": number, "batch_size": 5000},
        # what a section does not state is as in the figures of docs/reports/muons.md, not as in today's defaults
        "primaries": {"model": "ghls2001-average", "solar": "fit", "energy_GeV": [2.0, 1e6], "energy_index": 1.3},
        "hadronic": {"model": "fluka-z", "definition": "printed"},
        "scoring": {"neutrinos": False, "muons": True},
        "muons": {"momentum_GeV": [1.0, 1000.0]},
        "calibration": {"name": "none"},
        "sites": [site],
    } | tables


def models(run: Run, primaries: int) -> str:
    """Compute intensities and charge ratios at 1000 g/cm2, Lynn Lake, with all hadronic models, beside CAPRICE94.

    Parameters
    ----------
    run : callable
        Simulates a configuration under a name, or reads its result.
    primaries : int

    Returns
    -------
    str
        Markdown.
    """
    lines = [
        "| Model | 1-100 GeV/c, cos above 0.94 (m^-2 s^-1 sr^-1) | mu+/mu-, 1-10 GeV/c | 10-100 | 100-1000 |",
        "|---|---|---|---|---|",
    ]
    for name in model_names():
        ours = run(f"models-{name}", configuration(LYNN_LAKE, primaries, hadronic={"model": name}, **GROUND))
        value, error = ours.intensity(["mu+", "mu-"], (1.0, 100.0), ACCEPTANCE)
        cells = []
        for band in BANDS_GEV:
            ratio, spread = ours.charge_ratio(ACCEPTANCE, band)
            cells.append(f"{ratio[0]:.3f} ± {spread[0]:.3f}")
        lines.append(f"| {name} | {value[0]:.1f} ± {error[0]:.1f} | {' | '.join(cells)} |")
    lines.append(f"| CAPRICE94 | {measured_intensity():.1f} | | | |")
    return "\n".join(lines)


def measured_intensity() -> float:
    """Sum the spectrum that CAPRICE94 measured over 1 to 100 GeV/c, m^-2 s^-1 sr^-1; its last bin in part."""
    data = next(one for one in muon_data() if one.name == "caprice94" and one.quantity == "flux")
    width = np.clip(data.high_GeV, 1.0, 100.0) - np.clip(data.low_GeV, 1.0, 100.0)
    return float(data.value @ width)


def float_altitude(run: Run, primaries: int) -> str:
    """Compute the charge ratio under 5 g/cm2 at Lynn Lake in August 1994.

    Parameters
    ----------
    run : callable
        Simulates a configuration under a name, or reads its result.
    primaries : int

    Returns
    -------
    str
        Markdown.
    """
    lines = ["| Model | mu+/mu- 0.2-2 GeV/c under 5 g/cm2, cos above 0.9 | CAPRICE94 |", "|---|---|---|"]
    for name in model_names():
        tables = {
            "primaries": {
                "model": "ghls2001-average",
                "solar": "date",
                "energy_GeV": [1.0, 1e5],
                "energy_index": 1.8,
            },
            "field": {"date": "1994-08-08"},
            "muons": {"ground": False, "depths_g_cm2": [5.0], "momentum_GeV": [0.2, 2.0], "bins_per_decade": 5},
            "hadronic": {"model": name},
        }
        ours = run(f"float-{name}", configuration(LYNN_LAKE, primaries, **tables))
        ratio, spread = ours.charge_ratio((0.9, 1.0), (0.0, math.inf))
        lines.append(f"| {name} | {ratio[0]:.2f} ± {spread[0]:.2f} | {CAPRICE94[0]} ± {CAPRICE94[1]} |")
    return "\n".join(lines)


def seasons(run: Run, primaries: int) -> str:
    """Compute the ratio of muon intensities in July to those in January.

    Parameters
    ----------
    run : callable
        Simulates a configuration under a name, or reads its result.
    primaries : int

    Returns
    -------
    str
        Markdown.
    """
    lines = ["| Site | 1-10 GeV/c | 10-100 GeV/c | 100-1000 GeV/c |", "|---|---|---|---|"]
    for site, altitude in (("southpole", 2835.0), ("kamioka", 0.0)):
        both = []
        for month in MONTHS:
            tables = {"atmosphere": {"model": "nrlmsis", "month": month}}
            place = {"name": site, "altitude_m": altitude, "patch": {"radius_deg": 2.0}}
            config = configuration(place, primaries, **tables)
            both.append(run(f"seasons-{site}-{calendar.month_abbr[month].lower()}", config))
        cells = []
        for low, high in BANDS_GEV:
            p = (both[0].momenta_GeV > low) & (both[0].momenta_GeV < high)
            c = both[0].cos_zeniths > 0.5
            sums = [one.groups[:, 0, :2][:, :, p][..., c].sum(axis=(1, 2, 3)) for one in both]
            pairs = np.stack((sums[1], sums[0]), axis=1)
            value, error = jackknife(lambda m: m[:1] / m[1:], pairs, both[0].group_weights)
            cells.append(f"{value[0]:.4f} ± {error[0]:.4f}")
        lines.append(f"| {site} | {' | '.join(cells)} |")
    return "\n".join(lines)


SECTIONS = {"models": models, "float": float_altitude, "seasons": seasons}


def main() -> None:
    """Simulate what is missing and print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("-o", "--output", type=Path, default=Path("output/muon_checks"))
    parser.add_argument("--primaries", type=int, default=1_000_000, help="per run")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--only", nargs="+", choices=list(SECTIONS), default=list(SECTIONS))
    options = parser.parse_args()
    options.output.mkdir(parents=True, exist_ok=True)

    def run(name: str, config: dict[str, Any]) -> MuonSpectra:
        path = options.output / f"{name}.h5"
        run_to_file(make_config(config), path, options.threads, progress=True, resume=True)
        return muon_spectra(load(path))

    for section in options.only:
        text = f"{section}\n\n{SECTIONS[section](run, options.primaries)}\n"
        (options.output / f"{section}.md").write_text(text, encoding="utf-8")
        print(text, flush=True)


if __name__ == "__main__":
    main()
