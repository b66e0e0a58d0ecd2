"""Compute the ratio of down-going neutrino fluxes in July to those in January, with NRLMSIS atmospheres.

    python scripts/studies/seasons.py -o output/seasons --primaries 2000000

Runs each site and month once (existing results are continued), prints a Markdown table and writes it to the folder of
the results. Needs the extras `msis` and `primaries`. One core does 2 million primaries in about 90 s.
"""

from __future__ import annotations

import argparse
import calendar
from pathlib import Path
from typing import Any

import numpy as np

from sim3d import load
from sim3d.config.load import make_config
from sim3d.conventions.flavours import FLAVOURS
from sim3d.results.jackknife import jackknife
from sim3d.results.result import Result
from sim3d.simulation.engine import run_to_file

MONTHS = (1, 7)
BANDS = {"0.5 to 1": 3, "0 to 0.5": 2}
"""Zenith bands (cosines) and their index in :meth:`sim3d.results.result.Result.groups_azimuth`."""
ENERGIES_GEV = ((10.0, 30.0), (30.0, 100.0), (100.0, 300.0), (300.0, 1000.0), (1000.0, 5000.0))


def configuration(site: str, month: int, primaries: int) -> dict[str, Any]:
    """Make the configuration of a run of down-going neutrinos above 10 GeV in the atmosphere of a month.

    Bending is left out, because its effect is negligible here and then every crossing of every shower counts.

    Parameters
    ----------
    site : str
    month : int
    primaries : int

    Returns
    -------
    dict
    """
    return {
        "run": {"seed": 7, "primaries": primaries, "batch_size": 20_000},
        "primaries": {"model": "gsf:2026.1", "solar": "fit", "energy_GeV": [10.0, 1e7], "energy_index": 1.6},
        # with which the figures of docs/reports/seasons.md were made; the ratio of two months hardly knows it
        "hadronic": {"model": "fluka-z", "definition": "printed"},
        "atmosphere": {"model": "nrlmsis", "month": month},
        "transport": {"bending": False},
        "sampling": {"mode": "rotated"},
        "scoring": {"energy_min_GeV": 10.0},
        "sites": [{"name": site, "altitude_m": 0.0}],
    }


def band(result: Result, flavours: tuple[int, ...], energy_GeV: tuple[float, float], zenith: int) -> np.ndarray:
    """Sum the flux of each group of batches over an energy window, a zenith band and azimuth.

    Parameters
    ----------
    result : Result
    flavours : tuple of int
        Indices of the flavours to add.
    energy_GeV : (float, float)
        Energy window, GeV.
    zenith : int
        Index of the zenith band.

    Returns
    -------
    float64 array (G,)
    """
    centre = np.sqrt(result.energy_edges_GeV[1:] * result.energy_edges_GeV[:-1])
    width = np.where((centre > energy_GeV[0]) & (centre < energy_GeV[1]), np.diff(result.energy_edges_GeV), 0.0)
    groups = result.groups_azimuth(next(iter(result.sites)))
    return np.einsum("gfea,e->g", groups[:, list(flavours)][:, :, :, zenith], width)


def ratio(july: Result, january: Result, *where: Any) -> tuple[float, float]:
    """Compute the ratio July / January and its error.

    The runs have the same random numbers, so the jackknife is over pairs of their groups.

    Parameters
    ----------
    july, january : Result
    *where
        Flavours, energy window and zenith band, as for :func:`band`.

    Returns
    -------
    value, error : float
    """
    pairs = np.stack([band(july, *where), band(january, *where)], axis=1)
    value, error = jackknife(lambda m: m[:1] / m[1:], pairs, july.group_weights)
    return float(value[0]), float(error[0])


def table(results: dict[tuple[str, int], Result], sites: list[str]) -> str:
    """Format the ratios as a Markdown table.

    Parameters
    ----------
    results : dict of Result
        By site and month.
    sites : list of str

    Returns
    -------
    str
    """
    muon, electron = FLAVOURS.index("numu"), FLAVOURS.index("nue")
    kinds = {"numu + numubar": (muon, muon + 1), "nue + nuebar": (electron, electron + 1)}
    lines = ["| Site | cos_zenith | Flavour | " + " | ".join(f"{a:g}-{b:g} GeV" for a, b in ENERGIES_GEV) + " |"]
    lines.append("|---" * (3 + len(ENERGIES_GEV)) + "|")
    for site in sites:
        july, january = results[site, MONTHS[1]], results[site, MONTHS[0]]
        for words, zenith in BANDS.items():
            for name, flavours in kinds.items():
                cells = []
                for energies in ENERGIES_GEV:
                    value, error = ratio(july, january, flavours, energies, zenith)
                    cells.append(f"{value:.4f} ± {error:.4f}")
                lines.append(f"| {site} | {words} | {name} | {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def main() -> None:
    """Simulate what is missing and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("-o", "--output", type=Path, default=Path("output/seasons"))
    parser.add_argument("--primaries", type=int, default=2_000_000, help="per site and month")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("sites", nargs="*", help="default: southpole kamioka")
    options = parser.parse_args()
    sites = options.sites or ["southpole", "kamioka"]
    options.output.mkdir(parents=True, exist_ok=True)
    results = {}
    for site in sites:
        for month in MONTHS:
            path = options.output / f"{site}-{calendar.month_abbr[month].lower()}.h5"
            config = make_config(configuration(site, month, options.primaries))
            run_to_file(config, path, options.threads, progress=True, resume=True)
            results[site, month] = load(path)
            print(f"{path}: {results[site, month].attributes['atmosphere']}")
    text = table(results, sites)
    (options.output / "seasons.md").write_text(text, encoding="utf-8")
    print(text)


if __name__ == "__main__":
    main()
