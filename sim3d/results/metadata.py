"""Describe the tables of a site in a file ``<site>.meta.json`` beside them.

It states the place, the dates of field and Sun, the models, versions, primaries, conventions, the statistical quality,
and checksums of the result and of every table.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sim3d.config.calibration import NO_CALIBRATION
from sim3d.errors import InputError
from sim3d.files.atomic_files import write_bytes
from sim3d.results.quality import site_quality
from sim3d.results.words import degrees, sun_in_words

if TYPE_CHECKING:
    from sim3d.results.result import Result

FORMAT = "sim3d-table-metadata"
FORMAT_VERSION = 1

_MODELS = (
    "primary_model",
    "primary_source",
    "hadronic_model",
    "hadronic_definition",
    "charm",
    "atmosphere",
    "field_generation",
    "field_degree",
)
_BASE = "reweighted_from_data_sha256"
_VERSIONS = ("sim3d", "kernels", "python", "libraries")

FILE_KINDS = {
    ".model.err.d": "errors of the model of the fluxes of the .d file of this name; no fluxes",
    ".total.err.d": "statistical and model errors in quadrature of the fluxes of the .d file of this name; no fluxes",
    ".err.d": "statistical errors of the fluxes of the .d file of this name; no fluxes",
    ".d": "fluxes, Honda's format",
    ".csv": "fluxes and errors, one row per bin",
}
"""What a table file holds, by the end of its name."""


def site_metadata(result: Result, site: str, files: Iterable[Path] = ()) -> dict[str, Any]:
    """Describe the tables of one site.

    Parameters
    ----------
    result : Result
    site : str
    files : iterable of Path
        Tables of this site, for their checksums.

    Returns
    -------
    dict
        Plain dictionaries, lists, strings and numbers; infinite numbers are None.
    """
    info = result.sites[site]
    attributes = result.attributes
    config = result.record.config
    binning = result.binning("honda")
    edges = binning.energy_edges_GeV
    document = {
        "format": FORMAT,
        "format_version": FORMAT_VERSION,
        "site": {
            "name": info.name,
            "latitude_deg": info.lat_deg,
            "longitude_deg": info.lon_deg,
            "altitude_m": info.altitude_m,
            "detector": info.patch,
        },
        "field_date": config.field.date,
        "geomagnetic_cutoff": config.field.cutoff,
        "sun": sun_in_words(result.record),
        "solar_potential_MV": attributes.get("solar_potential_MV"),
        "models": {key: attributes[key] for key in _MODELS if attributes.get(key) not in (None, "")},
        "calibration": attributes.get("calibration", NO_CALIBRATION),
        "calibration_reason": config.calibration_in_words,
        "primaries": attributes["primaries"],
        "seed": attributes["seed"],
        "primary_energy_GeV_per_nucleon": list(config.primaries.energy_GeV),
        "versions": {key: attributes[key] for key in _VERSIONS if key in attributes},
        "created": attributes.get("created"),
        "conventions": {
            key.removeprefix("convention_"): value for key, value in attributes.items() if key.startswith("convention_")
        },
        "bins": {
            "energy": f"{binning.n_energy} from {edges[0]:.4g} to {edges[-1]:.5g} GeV, 20 per decade; listed energies "
            "are log centres, fluxes are means over the bins",
            "cos_zenith": f"{binning.n_cos} of equal width from -1 to 1",
            "azimuth": f"{len(result.azimuth_edges_deg) - 1} of equal width",
        },
        "quality": site_quality(result, site).as_dict() if config.scoring.neutrinos and result.n_batches else None,
        "result": _result_file(result) | _origin(result),
        "files": [_described(path) for path in files],
    }
    finite: dict[str, Any] = _finite(document)
    return finite


def write_metadata(result: Result, site: str, folder: Path, files: Iterable[Path] = ()) -> Path:
    """Write the description of a site's tables as ``<site>.meta.json``.

    Files that an earlier description in the folder lists stay listed while they exist, as of other formats.

    Parameters
    ----------
    result : Result
    site : str
    folder : Path
        Must exist.
    files : iterable of Path
        Tables of this site in this folder.

    Returns
    -------
    Path

    Raises
    ------
    InputError
        If it cannot be written.
    """
    path = folder / f"{site}.meta.json"
    document = site_metadata(result, site, files)
    named = {one["name"] for one in document["files"]}
    document["files"] += [
        one
        for one in _earlier(path, document["result"])
        if one["name"] not in named and (folder / one["name"]).is_file()
    ]
    text = json.dumps(document, indent=2, allow_nan=False, ensure_ascii=False) + "\n"
    return write_bytes(path, text.encode("utf-8"))


def case_of_result(result: Result, site: str) -> dict[str, str]:
    """State what two fluxes must have in common to agree: the place, the field, the Sun, the models.

    Parameters
    ----------
    result : Result
    site : str

    Returns
    -------
    dict of str
    """
    info, config = result.sites[site], result.record.config
    place = degrees(info.lat_deg, info.lon_deg)
    models = {"calibration": NO_CALIBRATION, **result.record.models}
    return _case(place, config.field.date, config.field.cutoff, models)


def case_of_table(path: Path) -> dict[str, str]:
    """State the same of a table file, from the description that lies beside it.

    Parameters
    ----------
    path : Path

    Returns
    -------
    dict of str
        Empty without a description that lists the file.
    """
    document = _description(path)
    try:
        place = degrees(document["site"]["latitude_deg"], document["site"]["longitude_deg"])
        others = {key: document[key] for key in ("solar_potential_MV", "calibration") if key in document}
        models = {**document["models"], **others}
        return _case(place, document["field_date"], document["geomagnetic_cutoff"], models)
    except (ValueError, KeyError, TypeError):
        return {}


def run_of_result(result: Result) -> str:
    """Return the checksum of the data of the run that simulated the showers of a result: of a reweighted one, its base.

    Parameters
    ----------
    result : Result

    Returns
    -------
    str
        Empty for a result that is in memory alone.
    """
    return _run_of(_result_file(result) | _origin(result))


def run_of_table(path: Path) -> str:
    """Return the same of a table file, from the description that lies beside it.

    Parameters
    ----------
    path : Path

    Returns
    -------
    str
        Empty without a description that lists the file.
    """
    found = _description(path).get("result")
    return _run_of(found) if isinstance(found, dict) else ""


def _run_of(checksums: Mapping[str, Any]) -> str:
    return str(checksums.get(_BASE) or checksums.get("data_sha256") or "")


def _description(path: Path) -> dict[str, Any]:
    """Read the description that lists a table file; empty where there is none."""
    for beside in sorted(path.parent.glob("*.meta.json")):
        try:
            document = json.loads(beside.read_text(encoding="utf-8"))
            if document["format"] == FORMAT and path.name in [one["name"] for one in document["files"]]:
                return dict(document)
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            continue
    return {}


def _case(place: str, date: str, cutoff: bool, models: Mapping[str, Any]) -> dict[str, str]:
    """State the case of a flux; what is not known is left out."""
    field = f"{models.get('field_generation') or 'field'} of {date}"
    case = {"place": place, "field": field if cutoff else f"{field}, every primary let in"}
    if models.get("solar_potential_MV") is not None:
        case["Sun"] = f"{float(models['solar_potential_MV']):.0f} MV"
    names = [str(models[key]) for key in ("primary_model", "hadronic_model", "atmosphere") if models.get(key)]
    names += ["with charm"] if models.get("charm") else []
    # descriptions of earlier versions do not name a calibration
    calibration = {"calibration": str(models["calibration"])} if "calibration" in models else {}
    return case | ({"models": ", ".join(names)} if names else {}) | calibration


def _earlier(path: Path, result: dict[str, Any]) -> list[dict[str, Any]]:
    """Files that the description in the folder lists, if it is of the same result."""
    try:
        old = json.loads(path.read_text(encoding="utf-8"))
        if old["format"] != FORMAT or old["result"].get("data_sha256") != result.get("data_sha256"):
            return []
        return [one for one in old["files"] if isinstance(one["name"], str)]
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return []


def _result_file(result: Result) -> dict[str, Any]:
    """Name and checksums of the result file; empty for a result in memory or a file without checksums."""
    if result.path is None:
        return {}
    from sim3d.files.result_file import verify_result

    try:
        checked = verify_result(result.path)
    except InputError:
        return {"name": result.path.name}
    return {
        "name": result.path.name,
        "data_sha256": checked["data_sha256"],
        "config_sha256": checked["config_sha256"],
    }


def _origin(result: Result) -> dict[str, str]:
    """State the checksum of the run that a reweighted result has its showers from; empty for others."""
    base = result.record.models.get(_BASE)
    return {_BASE: str(base)} if base else {}


def _described(path: Path) -> dict[str, Any]:
    what = next((words for ending, words in FILE_KINDS.items() if path.name.endswith(ending)), "")
    if "-pulls-" in path.name:
        what = "pulls of the smooth fluxes in every bin"
    elif "-smooth" in path.name:
        what = f"smooth {what}" if what.startswith("fluxes") else f"of the smooth fluxes: {what}"
    return {"name": path.name, "holds": what, "sha256": hashlib.sha256(path.read_bytes()).hexdigest()}


def _finite(value: Any) -> Any:
    """Replace NumPy numbers by Python's, and numbers that are not finite by None."""
    if isinstance(value, dict):
        return {str(key): _finite(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(item) for item in value]
    if hasattr(value, "tolist"):
        return _finite(value.tolist())
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value
