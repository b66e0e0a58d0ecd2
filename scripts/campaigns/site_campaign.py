"""Simulate a list of sites in one run, and write flux tables and east-west asymmetries for each of them.

    python scripts/campaigns/site_campaign.py BASE.toml SITES.csv -o FOLDER [--launch "mpirun -n 64"] [--threads T]

One run serves all sites, because every shower is scored at every site. BASE.toml is a run configuration without
[[sites]]. SITES.csv has a column ``name`` and, for places that ``sim3d sites`` does not know, ``lat`` and ``lon``
(degrees). Further columns are ``altitude_m``, ``ns_deg``, ``ew_deg``, ``radius_deg`` as in
docs/manual/configuration.md.

Started again after an interruption, the script continues the run and makes only what is missing. With
``run.max_minutes`` in BASE.toml it exits with status 3 until the run is finished, so it can be the command of a chain
of jobs.
"""

from __future__ import annotations

import argparse
import csv
import shlex
import subprocess
import sys
import tomllib
from pathlib import Path

NUMBERS = ("lat", "lon", "altitude_m")
PATCH = ("ns_deg", "ew_deg", "radius_deg")
TABLES = (("honda", "tables"), ("csv", "csv"))


def read_sites(path: Path) -> list[dict[str, str]]:
    """Read the list of sites, without empty lines and comments.

    Parameters
    ----------
    path : Path
        The CSV file.

    Returns
    -------
    list of dict
        One per site: text by column.
    """
    with path.open(newline="", encoding="utf-8") as file:
        lines = [line for line in file if line.strip() and not line.lstrip().startswith("#")]
    rows = list(csv.DictReader(lines, skipinitialspace=True))
    if not rows or "name" not in rows[0]:
        sys.exit(f"site_campaign: {path}: needs a header line with a column `name`, and at least one site")
    unknown = set(rows[0]) - {"name", *NUMBERS, *PATCH}
    if unknown:
        allowed = ", ".join(("name", *NUMBERS, *PATCH))
        sys.exit(f"site_campaign: {path}: column {sorted(map(str, unknown))[0]!r}, allowed: {allowed}")
    return rows


def site_table(row: dict[str, str]) -> str:
    """Format a site as a [[sites]] table of the configuration.

    Parameters
    ----------
    row : dict
        Text by column.

    Returns
    -------
    str
        TOML.
    """
    given = {key: (value or "").strip() for key, value in row.items() if key}
    lines = ["[[sites]]", f'name = "{given["name"]}"']
    for key in (*NUMBERS, *PATCH):
        if given.get(key):
            try:
                float(given[key])
            except ValueError:
                sys.exit(f"site_campaign: {given['name']}: {key} = {given[key]!r} is not a number")
    lines += [f"{key} = {float(given[key])!r}" for key in NUMBERS if given.get(key)]
    patch = [f"{key} = {float(given[key])!r}" for key in PATCH if given.get(key)]
    if patch:
        lines.append(f"patch = {{ {', '.join(patch)} }}")
    return "\n".join(lines) + "\n"


def main() -> int:
    """Write the configuration, start or continue the run, and make the tables; return the exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("base", type=Path, metavar="BASE.toml")
    parser.add_argument("sites", type=Path, metavar="SITES.csv")
    parser.add_argument("-o", "--output", type=Path, required=True, metavar="FOLDER")
    parser.add_argument("--launch", default="", metavar="COMMAND", help='such as "mpirun -n 64"')
    parser.add_argument("--threads", metavar="T")
    chosen = parser.parse_args()
    for path in (chosen.base, chosen.sites):
        if not path.is_file():
            sys.exit(f"site_campaign: {path}: no such file")
    base = chosen.base.read_text(encoding="utf-8")
    if "sites" in tomllib.loads(base):
        sys.exit(f"site_campaign: {chosen.base}: has [[sites]]; they come from {chosen.sites}")
    chosen.output.mkdir(parents=True, exist_ok=True)
    config, result = chosen.output / "campaign.toml", chosen.output / "campaign.h5"
    text = base.rstrip() + "\n\n" + "\n".join(site_table(row) for row in read_sites(chosen.sites))
    config.write_text(text, encoding="utf-8")
    sim3d = [sys.executable, "-m", "sim3d.cli"]
    command = [*shlex.split(chosen.launch), *sim3d, "run", str(config), "-o", str(result), "--resume"]
    status = subprocess.run(command + (["--threads", chosen.threads] if chosen.threads else []), check=False).returncode
    if status:
        return status
    for kind, folder in TABLES:
        tables = [*sim3d, "tables", str(result), "--format", kind, "-o", str(chosen.output / folder)]
        subprocess.run(tables, check=True, stdout=subprocess.DEVNULL)
    done = subprocess.run([*sim3d, "asymmetry", str(result)], check=True, stdout=subprocess.PIPE, text=True)
    (chosen.output / "asymmetry.txt").write_text(done.stdout, encoding="utf-8")
    print(f"tables of {len(read_sites(chosen.sites))} sites are in {chosen.output}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
