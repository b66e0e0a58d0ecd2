"""Closure of a calibration: Asimov data, toys, other models as truth, and each measurement left out.

    python scripts/calibration/calibration_closure.py FILE.h5 [--toys 1000] [--seed 2026]

FILE.h5 is the result of ``sim3d calibrate`` with ``method = "cascade"`` and ``truths``, or the name of a calibration
that ships. Printed are the largest deviation of the fit to Asimov data of shifted parameters, means and widths of the
pulls of all parameters in toys that throw data, prior centres and nuisances, and for every truth the neutrinos of the
truth over those of the fit to its muons (numu and nue, mean of cos_zenith 1 and 0.3, cutoff 6 GV), before and after
the covariance grew.
"""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path

import numpy as np
from calibration_by_cascade import SHOWN_GEV, shown_neutrinos

from sim3d.calibration.fit import fit, toys
from sim3d.calibration.stored_sets import stored_prior, stored_sets
from sim3d.files.calibration_file import Calibration, named_calibration, read_calibration


def asimov(found: Calibration) -> float:
    """Largest deviation, in prior sigma, of the fit to the predictions at shifted parameters from these."""
    sets, prior = stored_sets(found), stored_prior(found)
    sigma = np.sqrt(np.diag(prior))
    truth = found.values + 0.5 * sigma * np.where(np.arange(len(sigma)) % 2, 1.0, -1.0)
    data = [one.response.values * np.exp(one.response.slopes @ (truth - one.centre)) for one in sets]
    own = [replace(one, data=each) for one, each in zip(sets, data, strict=True)]
    return float(np.abs(fit(own, found.parameters, prior, truth).values - truth / sigma).max())


def main() -> None:
    """Print all parts."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("file")
    parser.add_argument("--toys", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=2026)
    options = parser.parse_args()
    name = options.file
    found = read_calibration(Path(name) if name.endswith(".h5") else named_calibration(name))
    print(f"Asimov: largest deviation {asimov(found):.1e} sigma")
    if options.toys:
        pulls, chi2 = toys(stored_sets(found), stored_prior(found), options.toys, options.seed)
        mean, width, n = pulls.mean(axis=0), pulls.std(axis=0, ddof=1), len(pulls)
        off = np.abs(mean) * np.sqrt(n), np.abs(width - 1.0) * np.sqrt(2.0 * n)
        points = sum(len(one.data) for one in stored_sets(found))
        print(
            f"{n} toys: means {mean.min():+.3f} to {mean.max():+.3f}, widths {width.min():.3f} to {width.max():.3f}, "
            f"at most {off[0].max():.1f} and {off[1].max():.1f} standard errors off; chi2 {chi2.mean():.1f} of {points}"
        )
    print("percent (pull, without and with the terms that were added) at", SHOWN_GEV, "GeV")
    slopes = found.arrays["neutrinos/slopes"]
    # the month's Sun is no part of what a fit to muons claims
    own = found.covariance - (found.prior - stored_prior(found))
    variance = np.einsum("feci,ij,fecj->fec", slopes, own, slopes)
    grown = variance + (0.0 if found.modes is None else (found.modes.changes**2).sum(axis=0))
    for one in found.record["truths"]:
        difference = found.arrays[f"truths/{one['name']}"].reshape(variance.shape)
        print(
            f"{one['name']}: chi2 of muons {one['chi2_of_muons']:.0f}; {one['modes']} modes, squared pulls "
            f"{one['per_mode']:.2f} per mode, {one['per_point']:.2f} per point, largest pull {one['largest']:.1f}; "
            f"share {one['share']:.2f}: {one['per_mode_after']:.2f}, {one['per_point_after']:.2f}, "
            f"{one['largest_after']:.1f}"
        )
        parts = [shown_neutrinos(x.reshape(4, -1)) for x in (difference, variance, grown)]
        for k, flavour in enumerate(("numu", "nue")):
            here = slice(8 * k, 8 * k + 8)
            cells = [
                f"{100 * d:+.1f} ({abs(d) / np.sqrt(a):.1f}, {abs(d) / np.sqrt(b):.1f})"
                for d, a, b in zip(*(part[here] for part in parts), strict=True)
            ]
            print(f"  {flavour:4s}", " ".join(cells))


if __name__ == "__main__":
    main()
