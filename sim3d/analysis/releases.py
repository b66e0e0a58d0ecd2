"""Compare the fluxes that ship with those of an earlier release, of which a small table is kept.

The table of a release, ``sim3d/reference/releases/VERSION.csv``, has the fluxes of every site that shipped: means over
bins of a fifth of a decade and thirds of the sky, as simulated, with their statistical errors.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from sim3d.conventions.arrays import Array
from sim3d.conventions.reference_files import data_lines
from sim3d.errors import InputError
from sim3d.files.csv_files import write_records
from sim3d.flux.interpolated import Flux
from sim3d.results.jackknife import jackknife
from sim3d.results.result import Result

FOLDER = Path(__file__).parents[1] / "reference" / "releases"

ENERGIES_GEV = np.geomspace(0.1, 1.0e4, 26)
"""Edges of the bins of energy."""

THIRDS = (("up", -1.0, -1.0 / 3.0), ("horizon", -1.0 / 3.0, 1.0 / 3.0), ("down", 1.0 / 3.0, 1.0))

ROOT = Path(__file__).parents[2]
"""Where the changelog is in a source tree; an installed package has none."""

_INCLUDED = "changes in it: "
"""Begin of the comment with the fragments of the changelog that were there when the fluxes were made."""


@dataclass(frozen=True)
class Change:
    """Change of a flux since a release, over a decade of energy.

    Attributes
    ----------
    site, flavour, zenith : str
    low_GeV, high_GeV : float
    ratio : float
        Mean of now / then.
    error : float
        Its statistical error, with the errors of both; bins are taken as independent.
    """

    site: str
    flavour: str
    zenith: str
    low_GeV: float
    high_GeV: float
    ratio: float
    error: float


def release_rows(fluxes: Iterable[Flux]) -> list[dict[str, str | float]]:
    """List the fluxes of sites in the bins of a release.

    Parameters
    ----------
    fluxes : iterable of Flux
        One for each site.

    Returns
    -------
    list of dict
        ``site, flavour, zenith, energy_low_GeV, flux, error``; m^-2 s^-1 sr^-1 GeV^-1.
    """
    rows: list[dict[str, str | float]] = []
    for flux in fluxes:
        for flavour in flux.flavours:
            for zenith, low, high in THIRDS:
                bins = (ENERGIES_GEV, [low, high])
                mean = flux.bin_average(flavour, *bins)[:, 0]
                size = 2.0 * np.pi * (high - low) * np.diff(ENERGIES_GEV)
                error = flux.integral_error(flavour, *bins, kind="statistical")[:, 0] / size
                rows += [
                    {
                        "site": flux.table.name, "flavour": flavour, "zenith": zenith,
                        "energy_low_GeV": float(energy), "flux": float(value), "error": float(spread),
                    }
                    for energy, value, spread in zip(ENERGIES_GEV, mean, error, strict=False)
                ]  # fmt: skip
    return rows


def write_release(version: str, fluxes: Iterable[Flux], folder: Path = FOLDER) -> Path:
    """Keep the fluxes of a release.

    Parameters
    ----------
    version : str
    fluxes : iterable of Flux
    folder : Path

    Returns
    -------
    Path
        The file.

    Raises
    ------
    InputError
        If it cannot be written, or there is no flux.
    """
    rows = release_rows(fluxes)
    if not rows:
        raise InputError("release", version, "made when fluxes of sites ship; none does")
    folder.mkdir(parents=True, exist_ok=True)
    about = (f"fluxes of sim3d {version}: means over bins of energy (5 per decade) and thirds of the sky, as simulated",
             "m^-2 s^-1 sr^-1 GeV^-1; error: statistical, one standard deviation",
             f"{_INCLUDED}{', '.join(path.name.split('.')[0] for path in _fragments(ROOT))}")  # fmt: skip
    return write_records(folder / f"{version}.csv", about, rows)


def read_release(version: str, folder: Path = FOLDER) -> dict[tuple[str, str, str], Array]:
    """Read the fluxes of a release.

    Parameters
    ----------
    version : str
    folder : Path

    Returns
    -------
    dict of float64 arrays (energy, 2)
        By site, flavour and zenith: flux and error.

    Raises
    ------
    InputError
        If none of this version is kept.
    """
    known = sorted(path.stem for path in folder.glob("*.csv"))
    if version not in known:
        raise InputError("--release", version, f"one of {', '.join(known) or 'none, no release is kept yet'}")
    lines = data_lines((folder / f"{version}.csv").read_text(encoding="utf-8").splitlines())[1:]
    found: dict[tuple[str, str, str], list[list[float]]] = {}
    for line in lines:
        site, flavour, zenith, _, flux, error = line.split(",")
        found.setdefault((site, flavour, zenith), []).append([float(flux), float(error)])
    return {key: np.array(rows) for key, rows in found.items()}


def included(version: str, folder: Path = FOLDER) -> set[str]:
    """List the fragments ``numbers`` of the changelog whose changes the fluxes of a release have already.

    Parameters
    ----------
    version : str
    folder : Path

    Returns
    -------
    set of str
        Names without ``.numbers.md``.
    """
    path = folder / f"{version}.csv"
    lines = path.read_text(encoding="utf-8").splitlines() if path.is_file() else []
    found = [line.removeprefix(f"# {_INCLUDED}") for line in lines if line.startswith(f"# {_INCLUDED}")]
    return {name.strip() for line in found for name in line.split(",") if name.strip()}


def changes_of_run(version: str, result: Result, site: str, folder: Path = FOLDER) -> list[Change]:
    """Compare the sky averages of a run with those of a release, by flavour and decade of energy.

    Parameters
    ----------
    version : str
    result : Result
        A run of the same place, date, Sun and air as the release's.
    site : str
    folder : Path

    Returns
    -------
    list of Change
        With ``zenith`` "sky"; without the decades in which the run has no hits.

    Raises
    ------
    InputError
        As :func:`read_release`, or if the release has no such site.
    """
    then = read_release(version, folder)
    if (site, "numu", "up") not in then:
        raise InputError("site", site, f"one of release {version}: {', '.join(sorted({key[0] for key in then}))}")
    edges = np.asarray(result.energy_edges_GeV)
    middles = np.sqrt(edges[1:] * edges[:-1])
    sky = np.asarray(result.groups_azimuth(site)).mean(axis=(3, 4)) * np.diff(edges)
    decades = [(ENERGIES_GEV[i], ENERGIES_GEV[i + 5]) for i in range(0, len(ENERGIES_GEV) - 1, 5)]
    columns = [sky[:, :, (middles > low) & (middles < high)].sum(axis=-1) for low, high in decades]
    mean, spread = jackknife(lambda value: value, np.stack(columns, axis=-1), result.group_weights)
    width = np.diff(ENERGIES_GEV)
    out = []
    for f, flavour in enumerate(result.flavours):
        thirds = np.stack([then[site, flavour, zenith] for zenith, _, _ in THIRDS])
        for d, (low, high) in enumerate(decades):
            part = slice(5 * d, 5 * d + 5)
            old = float(np.sum(thirds[:, part, 0].mean(axis=0) * width[part]))
            old_error = float(np.sqrt(np.sum((thirds[:, part, 1] / len(THIRDS) * width[part]) ** 2)))
            if mean[f, d] > 0.0:
                ratio = mean[f, d] / old
                error = ratio * np.hypot(spread[f, d] / mean[f, d], old_error / old)
                out.append(Change(site, flavour, "sky", float(low), float(high), float(ratio), float(error)))
    return out


def changes(version: str, fluxes: Iterable[Flux], folder: Path = FOLDER) -> list[Change]:
    """Compare fluxes with those of a release, by decade of energy.

    Parameters
    ----------
    version : str
    fluxes : iterable of Flux
        One for each site; sites that the release lacks are left out.
    folder : Path

    Returns
    -------
    list of Change

    Raises
    ------
    InputError
        As :func:`read_release`.
    """
    then = read_release(version, folder)
    now: dict[tuple[str, str, str], list[list[float]]] = {}
    for row in release_rows(fluxes):
        key = (str(row["site"]), str(row["flavour"]), str(row["zenith"]))
        now.setdefault(key, []).append([float(row["flux"]), float(row["error"])])
    out = []
    for key, numbers in now.items():
        if key not in then:
            continue
        (a, da), (b, db) = np.array(numbers).T, then[key].T
        with np.errstate(divide="ignore", invalid="ignore"):
            ratio = a / b
            error = ratio * np.hypot(da / a, db / b)
        for first in range(0, len(ratio), 5):
            part = slice(first, first + 5)
            good = np.isfinite(ratio[part]) & np.isfinite(error[part])
            if good.any():
                value, spread = ratio[part][good], error[part][good]
                low, high = float(ENERGIES_GEV[first]), float(ENERGIES_GEV[first + 5])
                out.append(
                    Change(*key, low, high, float(value.mean()), float(np.sqrt(np.sum(spread**2)) / len(spread)))
                )
    return out


def announced(version: str, root: Path = ROOT, folder: Path = FOLDER) -> list[str]:
    """List the entries ``numbers`` of the changelog since a release.

    Parameters
    ----------
    version : str
    root : Path
        Of the source tree.
    folder : Path
        Of the releases.

    Returns
    -------
    list of str
        One line for each; empty without a source tree.
    """
    lines: list[str] = []
    known = included(version, folder)
    for path in _fragments(root):
        if path.name.split(".")[0] not in known:
            lines += _entries(path.read_text(encoding="utf-8"))
    changelog = root / "CHANGELOG.md"
    if changelog.is_file():
        parts = re.split(r"^## \[([^\]]+)\].*$", changelog.read_text(encoding="utf-8"), flags=re.M)[1:]
        for name, text in zip(parts[::2], parts[1::2], strict=True):
            if name == version:
                break
            found = re.search(r"^### Numbers$(.*?)(?=^### |\Z)", text, flags=re.M | re.S)
            lines += [] if found is None else _entries(found[1])
    return lines


def _fragments(root: Path) -> list[Path]:
    return sorted((root / "changelog.d").glob("*.numbers.md"))


def _entries(text: str) -> list[str]:
    """Join the lines of each entry."""
    entries = re.split(r"^- ", text.strip(), flags=re.M)[1:]
    return [" ".join(entry.split()) for entry in entries]
