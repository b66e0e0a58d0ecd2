"""Make the flux files of the named sites that ship with sim3d: run, smooth, check, write; a site at a time.

    python scripts/campaigns/site_tables.py -o FOLDER [--sites kamioka,sno] [--primaries N] [--launch "mpirun -n 64"]

Every site's file, FOLDER/<site>.h5, is complete in itself: an interrupted campaign goes on with the next site, and
`--sites` shares it among machines (job arrays). A run that was cut short is taken up (`sim3d run --resume`). Sites
share nothing but the compiled kernels: each has its own air, field and cutoffs. After a change of models, statistics or
calibration the files are made again: one of other runs than those of this configuration is replaced.

`--more N` adds a further run of N primaries, with another seed, to that of each date: statistics of a site are improved
without losing what is there.

`--release VERSION` keeps the fluxes in FOLDER as those of a release (sim3d/reference/releases/VERSION.csv), for
`sim3d compare --release`, and simulates nothing.

`--azimuth` adds what the Sun does to the dependence on azimuth to the files in FOLDER that lack it, as those made by
earlier versions do, and simulates nothing.

A site is simulated once for each date of the field, and once more with another seed and a tenth of the primaries as a
check: chi2 per bin, sky averages and east-west asymmetries of both are in the file's record and in FOLDER/checks.csv.
The exit status is 1 if a check failed.
"""

from __future__ import annotations

import argparse
import csv
import hashlib
import json
import shlex
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from geomag.sites import SITES
from sim3d.analysis.releases import write_release
from sim3d.calibration.priors import DEFAULT, prior_covariance
from sim3d.config.toml_text import config_text
from sim3d.files.calibration_file import named_calibration, read_calibration
from sim3d.files.site_flux_file import read_site_flux, write_site_flux
from sim3d.flux.interpolated import Flux
from sim3d.results.model_parameters import ParameterErrors
from sim3d.results.result import Result, load
from sim3d.simulation.merge import merge_files
from sim3d.studies.site_tables import (
    SECOND_RUN,
    SitePlan,
    agreement,
    make_site_flux,
    more_primaries,
    precision,
    site_configuration,
)
from sim3d.studies.sun_by_azimuth import with_azimuth_factors

MODELS = {"hadronic": "accelerator", "primaries": "gsf:2026.1", "atmosphere": "nrlmsis"}
FIELD_DATES = ("2005-01-01", "2025-01-01")
LARGEST_PULL, CHI2, CHI2_OF_ALL = 4.0, (0.8, 1.25), (0.9, 1.1)
"""Bounds of a check: pulls of sky averages and asymmetries; chi2 per bin of a flavour with 100 bins or more, and of all
flavours together."""


def arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("-o", "--output", type=Path, required=True, metavar="FOLDER")
    parser.add_argument("--sites", default=",".join(SITES), help="names, with commas; default all")
    parser.add_argument("--primaries", type=int, default=20_000_000, help="of each run")
    parser.add_argument("--more", type=int, default=0, metavar="N", help="primaries of a second run of each date")
    parser.add_argument("--calibration", default="none", help="name of one that ships, a file, or none: the priors")
    parser.add_argument("--field-dates", default=",".join(FIELD_DATES))
    parser.add_argument("--parameters", default="", help="with commas; default those of the calibration")
    for key, value in MODELS.items():
        parser.add_argument(f"--{key}-model", default=value)
    parser.add_argument("--seed", type=int, default=20260101)
    parser.add_argument("--launch", default="", metavar="COMMAND", help='such as "mpirun -n 64"')
    parser.add_argument("--threads", metavar="T")
    parser.add_argument("--release", metavar="VERSION")
    parser.add_argument("--azimuth", action="store_true")
    return parser.parse_args()


def errors_of(chosen: argparse.Namespace) -> tuple[ParameterErrors, np.ndarray, dict[str, str]]:
    """Return parameters with covariance, their prior, and the table [calibration] of the runs."""
    if chosen.calibration == "none":
        names = tuple(filter(None, chosen.parameters.split(","))) or DEFAULT
        prior = prior_covariance(names)
        return ParameterErrors.of_matrix(names, prior), prior, {}
    is_file = chosen.calibration.endswith(".h5")
    found = read_calibration(Path(chosen.calibration) if is_file else named_calibration(chosen.calibration))
    errors = ParameterErrors.of_matrix(found.parameters, found.covariance, found.sigma, found.prior, found.scale)
    return errors, found.prior, {"file" if is_file else "name": chosen.calibration}


def run(config, path: Path, chosen: argparse.Namespace) -> None:
    """Run a configuration to a file, or go on with it."""
    toml = path.with_suffix(".toml")
    toml.write_text(config_text(config), encoding="utf-8")
    command = [
        *shlex.split(chosen.launch),
        sys.executable,
        "-m",
        "sim3d.cli",
        "run",
        str(toml),
        "-o",
        str(path),
        "--resume",
    ]
    status = subprocess.run(command + (["--threads", chosen.threads] if chosen.threads else []), check=False).returncode
    if status:
        sys.exit(status)


def good(row: dict[str, float]) -> bool:
    """Whether a flavour passes the check."""
    pulls = [row[key] for key in ("sky_pull", "east_west_pull") if np.isfinite(row[key])]
    judged = row["bins"] >= 100
    return all(abs(pull) < LARGEST_PULL for pull in pulls) and (not judged or CHI2[0] < row["chi2_per_bin"] < CHI2[1])


def all_good(checks: Mapping[str, dict[str, float]]) -> bool:
    """Whether each flavour passes the check, and chi2 per bin of all of them."""
    judged = [row for row in checks.values() if row["bins"] >= 100]
    total = chi2_of_all(checks)
    return all(good(row) for row in checks.values()) and (not judged or CHI2_OF_ALL[0] < total < CHI2_OF_ALL[1])


def chi2_of_all(checks: Mapping[str, dict[str, float]]) -> float:
    """Compute chi2 per bin of all flavours with bins to compare; NaN without any."""
    rows = [(row["bins"], row["chi2_per_bin"]) for row in checks.values() if row["bins"] > 0]
    return sum(n * chi2 for n, chi2 in rows) / sum(n for n, _ in rows) if rows else float("nan")


def make(name: str, plan: SitePlan, errors: ParameterErrors, prior: np.ndarray, chosen: argparse.Namespace) -> bool:
    """Make the file of a site, if it is not there from the same runs; return whether its checks are good."""
    place = SITES[name]
    table = {"name": name, "lat": place.lat, "lon": place.lon, "altitude_m": place.surface_m}
    target = chosen.output / f"{name}.h5"
    work = chosen.output / "work"
    work.mkdir(parents=True, exist_ok=True)
    dates = range(len(plan.field_dates))
    configs = [site_configuration(plan, table, i) for i in dates]
    further = [more_primaries(config, chosen.more) for config in configs] if chosen.more else []
    checked = site_configuration(plan, table, len(plan.field_dates) - 1, check=True)
    wanted = [config.model_dump(mode="json") for config in (*configs, *further, checked)]
    if target.is_file() and read_site_flux(target).record.get("configurations") == wanted:
        print(f"{name}: is there")
        return all_good(read_site_flux(target).record["checks"])
    # the configuration is in the name, so that runs of another one are left alone
    paths = []
    for config, document in zip((*configs, *further, checked), wanted, strict=True):
        digest = hashlib.sha256(json.dumps(document, sort_keys=True).encode()).hexdigest()[:8]
        paths.append(work / f"{name}-{digest}.h5")
        run(config, paths[-1], chosen)
    other = load(paths.pop())
    results = (
        [load(path) for path in paths]
        if not further
        else [Result(merge_files([paths[i], paths[i + len(configs)]])) for i in dates]
    )
    made = make_site_flux(results, errors, prior)
    checks = agreement(made, other)
    made.record.update(configurations=wanted, checks=checks, calibration=chosen.calibration, scale=errors.scale)
    made.record["precision"] = precision(made)
    write_site_flux(target, made)
    for row in made.record["precision"]:
        print(
            f"{name}: {row['low_GeV']:g}-{row['high_GeV']:g} GeV: statistical error {row['median']:.1%} in half, "
            f"{row['in_95_percent']:.1%} in 95% of the bins (goal {row['goal']:.0%})"
        )
    for flavour, row in checks.items():
        words = ", ".join(f"{key} {value:.3g}" for key, value in row.items())
        print(f"{name}: {flavour}: {words}{'' if good(row) else '  CHECK FAILED'}")
    verdict = "" if all_good(checks) else "  CHECK FAILED"
    print(f"{name}: chi2 per bin of all flavours {chi2_of_all(checks):.3g}{verdict}", flush=True)
    return all_good(checks)


def main() -> int:
    """Make the files of the chosen sites; return the exit status."""
    chosen = arguments()
    if chosen.release:
        print(
            write_release(
                chosen.release, (Flux.site(path, calibration="none") for path in sorted(chosen.output.glob("*.h5")))
            )
        )
        return 0
    if chosen.azimuth:
        for path in sorted(chosen.output.glob("*.h5")):
            if not (site := read_site_flux(path)).log_sun_azimuth.size:
                print(write_site_flux(path, with_azimuth_factors(site)), flush=True)
        return 0
    names = [name.strip() for name in chosen.sites.split(",") if name.strip()]
    unknown = [name for name in names if name not in SITES]
    if unknown:
        print(f"site_tables: --sites: {unknown[0]!r} is not one of {', '.join(SITES)}", file=sys.stderr)
        return 2
    if chosen.more < 0 or (chosen.more and len(chosen.field_dates.split(",")) > SECOND_RUN - 1):
        print(f"site_tables: --more: {chosen.more} must not be negative, and 0 with 5 dates or more", file=sys.stderr)
        return 2
    errors, prior, calibration = errors_of(chosen)
    models = {key: getattr(chosen, f"{key}_model") for key in MODELS}
    dates = tuple(chosen.field_dates.split(","))
    plan = SitePlan(chosen.primaries, dates, errors.names, models, calibration, chosen.seed)
    chosen.output.mkdir(parents=True, exist_ok=True)
    status = {name: make(name, plan, errors, prior, chosen) for name in names}
    rows = [
        {"site": path.stem, "flavour": flavour, **row}
        for path in sorted(chosen.output.glob("*.h5"))
        for flavour, row in read_site_flux(path).record["checks"].items()
    ]
    with (chosen.output / "checks.csv").open("w", newline="", encoding="utf-8") as stream:
        writer = csv.DictWriter(stream, rows[0].keys())
        writer.writeheader()
        writer.writerows(rows)
    return 0 if all(status.values()) else 1


if __name__ == "__main__":
    sys.exit(main())
