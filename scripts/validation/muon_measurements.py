"""Compare all hadronic models with measured muons by the cascade equations: two figures and a table of chi2.

    python scripts/validation/muon_measurements.py -o output/muon_measurements

Spectra of BESS-TeV, CAPRICE94 and L3+C, charge ratios of these and of CMS, MINOS and OPERA, each under its own
conditions (`sim3d.studies.muon_measurements`). Needs the extras `msis` and `primaries`; `--atmosphere us-standard`
does without the first. Models are all of the catalogue, with their default definition of x, or those of `--models`,
as NAME or NAME:DEFINITION. No model is fitted to anything here.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

from hadronic.models import load_model, model_names
from sim3d.plots.muon_measurements import draw
from sim3d.studies.muon_comparison import PRIMARIES, as_text, compare_models
from sim3d.studies.muon_measurements import BANDS_GEV, OCTAVES_GEV, THREE_D_BELOW_GEV, THREE_D_FACTOR


def main() -> None:
    """Compute, print and draw the comparison."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("-o", "--output", type=Path, default=Path("output/muon_measurements"))
    parser.add_argument("--models", nargs="+", metavar="NAME", default=list(model_names()))
    parser.add_argument("--primaries", default=PRIMARIES)
    parser.add_argument("--atmosphere", choices=("nrlmsis", "us-standard"), default="nrlmsis")
    parser.add_argument("--octaves", action="store_true", help="average the ratios over factors of two in momentum")
    options = parser.parse_args()
    started = time.perf_counter()
    models = []
    for text in options.models:
        name, _, definition = text.partition(":")
        models.append(load_model(name, definition or None))
    compared = compare_models(models, options.primaries, options.atmosphere)
    text = as_text(compared, OCTAVES_GEV if options.octaves else BANDS_GEV)
    print(text)
    options.output.mkdir(parents=True, exist_ok=True)
    (options.output / "chi2.txt").write_text(text + "\n", encoding="utf-8")
    title = (
        f"cascade equations in one dimension, primaries {options.primaries} and air {options.atmosphere} of each set"
    )
    low, spread = THREE_D_FACTOR
    note = f"shaded: below {THREE_D_BELOW_GEV:g} GeV/c three dimensions give {low:g} +- {spread:g} of the flux in one"
    for path in draw(compared, title, options.output, [f"{note}; not applied"]):
        print(path)
    print(f"{time.perf_counter() - started:.0f} s")


if __name__ == "__main__":
    main()
