"""Closing parts of a report: the configuration to copy, how to repeat and cite the run, its provenance."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from markupsafe import Markup

from sim3d.config.toml_text import config_text
from sim3d.conventions.text_tables import number
from sim3d.errors import InputError
from sim3d.report import page
from sim3d.report.page import Section, html
from sim3d.results.metadata import FORMAT as METADATA_FORMAT
from sim3d.results.summary import shortened
from sim3d.results.words import field_in_words, sun_in_short

if TYPE_CHECKING:
    from sim3d.results.result import Result

_SOURCES = (
    ("method", "Tserkovnyak, Komar, Nally, Waltham, Astropart. Phys. 18 (2003) 449"),
    ("field", "IGRF: Alken et al., Earth, Planets and Space 73 (2021) 49, through ppigrf"),
)
"""What every run rests on; docs/manual/citing.md has the sources of all parts."""

_HADRONS = {"fluka-z": "moments of Battistoni, Ferrari, Montaruli, Sala, Astropart. Phys. 19 (2003) 269"}
_PRIMARIES = {"ghls2001": "Gaisser, Honda, Lipari, Stanev, Proc. 27th ICRC (2001) 1643"}


def configuration(result: Result) -> Section:
    """Write the configuration as TOML: what was given, and folded with every default.

    Parameters
    ----------
    result : Result

    Returns
    -------
    Section
    """
    config = result.record.config
    given, every = config_text(config), config_text(config, everything=True)
    body = page.join(
        [
            html.paragraph("Copy this into a file, run.toml. Keys that are not in it have their default values."),
            html.preformatted(given),
            html.folded("With every key and its value", html.preformatted(every)),
        ]
    )
    return Section("configuration", "Configuration", body)


def repeat_and_cite(result: Result, file: Path, checksums: list[tuple[str, str]], tables: list[Path]) -> Section:
    """Write how to make the tables, how to repeat the run, and what to cite.

    Parameters
    ----------
    result : Result
    file : Path
        The result file.
    checksums : list of (str, str)
        See :func:`checksums`.
    tables : list of Path
        Tables that lie beside the report.

    Returns
    -------
    Section
    """
    version = result.record.provenance.get("sim3d", "")
    digest = dict(checksums).get("data sha256", "")
    commands = [
        "sim3d run run.toml -o again.h5      # run.toml: the configuration on this page",
        f"sim3d tables {file.name} --smooth    # flux tables, raw and smooth",
        f"sim3d report {file.name}             # this page",
    ]
    said = "The same version and configuration give the same numbers, bit by bit, on any number of threads and ranks"
    parts: list[Any] = [
        html.heading("Tables"),
        html.links([(path.name, path.name) for path in tables])
        if tables
        else html.paragraph(f"No tables lie beside this page; `sim3d tables {file.name} --smooth` writes them."),
        html.heading("How to repeat it"),
        html.preformatted("\n".join(commands)),
        html.paragraph(f"{said}{f' (data sha256 {digest})' if digest else ''}."),
        html.heading("How to cite it"),
        html.paragraph(citation(result, str(version))),
        html.paragraph("Rests on: " + "; ".join(f"{part}: {source}" for part, source in sources(result)) + "."),
    ]
    return Section("repeat", "Tables, repeating and citing", page.join(parts))


def citation(result: Result, version: str) -> str:
    """Write a sentence that names the calculation in a publication.

    Parameters
    ----------
    result : Result
    version : str
        Of sim3d; may be empty.

    Returns
    -------
    str
    """
    record = result.record
    models = record.models
    names = ", ".join(
        f"{what} {models[key]}"
        for what, key in (("primaries", "primary_model"), ("hadrons", "hadronic_model"), ("air", "atmosphere"))
        if models.get(key)
    )
    run = record.config.run
    return (
        f"Fluxes computed with sim3d{f' {version}' if version else ''} ({names + '; ' if names else ''}"
        f"{field_in_words(record)}; Sun: {sun_in_short(record)}; {record.counters['primaries']:,} primaries, "
        f"seed {run.seed})."
    )


def sources(result: Result) -> list[tuple[str, str]]:
    """List the publications behind a run, as far as its record names them.

    Parameters
    ----------
    result : Result

    Returns
    -------
    list of (str, str)
    """
    models = result.record.models
    found = list(_SOURCES)
    primary = str(models.get("primary_model", ""))
    source = models.get("primary_source") or _PRIMARIES.get(primary.partition("-")[0])
    if source:
        found.append(("primaries", str(source)))
    hadrons = _HADRONS.get(str(models.get("hadronic_model", "")))
    if hadrons:
        found.append(("hadrons", hadrons))
    return found


def tables_beside(folder: Path, result: Result) -> list[Path]:
    """Find the tables of this result in a folder, by their descriptions (``SITE.meta.json``).

    Parameters
    ----------
    folder : Path
    result : Result

    Returns
    -------
    list of Path
        Descriptions and tables that exist; those of another result are not among them.
    """
    ours = dict(checksums(result.path)).get("data sha256") if result.path is not None else None
    found: list[Path] = []
    for site in result.sites:
        described = folder / f"{site}.meta.json"
        try:
            document = json.loads(described.read_text(encoding="utf-8"))
            if document["format"] != METADATA_FORMAT or ours is None or document["result"].get("data_sha256") != ours:
                continue
            names = [str(one["name"]) for one in document["files"]]
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            continue
        found += [described, *(folder / name for name in names if (folder / name).is_file() and "/" not in name)]
    return found


def provenance(document: dict[str, Any], file: Path, sums: list[tuple[str, str]]) -> Section:
    """Write everything that the file states of the run, folded.

    Parameters
    ----------
    document : dict
        Of :func:`sim3d.results.summary.describe_result`.
    file : Path
    sums : list of (str, str)
        See :func:`checksums`.

    Returns
    -------
    Section
    """
    attributes = document["attributes"]
    rows: list[tuple[str, Any]] = [("name of the file", file.name), *sums]
    rows += [
        (key, shortened(value) if isinstance(value, str) else number(value))
        for key, value in attributes.items()
        if not key.startswith("convention_")
    ]
    conventions = [
        (key.removeprefix("convention_"), value) for key, value in attributes.items() if key.startswith("convention_")
    ]
    lost = [(f"primary {index}", reason) for index, reason in document["lost_primaries"]]
    parts: list[str] = []
    if lost:
        parts += [html.heading("Primaries left out"), html.table(("Primary", "Reason"), lost, text_columns=2)]
    everything = html.table(("Item", "Value"), [(k, v if v != "" else "–") for k, v in rows], text_columns=2)
    meanings = html.table(("Quantity", "Meaning"), conventions, text_columns=2)
    parts += [html.folded("Versions, counters, models and checksums", everything), html.folded("Conventions", meanings)]
    return Section("provenance", "Provenance", Markup(page.join(parts)))


def checksums(file: Path) -> list[tuple[str, str]]:
    """List the checksums of a result file, and whether it is as it was written.

    Parameters
    ----------
    file : Path

    Returns
    -------
    list of (str, str)
    """
    from sim3d.files.result_file import verify_result

    try:
        found = verify_result(file)
    except InputError as problem:
        return [("checksums", f"not checked: {problem}")]
    sealed = found["file"] == "sealed"
    return [
        (
            "state of the file",
            "unchanged since it was written" if sealed else "rewritten by another program, same numbers",
        ),
        ("data sha256", found["data_sha256"]),
        ("config sha256", found["config_sha256"]),
    ]
