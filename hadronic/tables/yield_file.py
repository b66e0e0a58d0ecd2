"""Read and write files of yields (HDF5): histograms of inclusive yields on air, and how they were made.

docs/manual/formats.md describes the format; `scripts/yields/build_yields.py` writes such files. Reading checks every
dataset.
"""

import hashlib
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import numpy as np

from hadronic.arrays import Array
from hadronic.errors import HadronicInputError
from hadronic.tables.yield_rows import MOMENTS, OTHER, PROJECTILES, ROWS, SPECIES

FORMAT: Final = "sim3d-yields"
VERSION: Final = 1


@dataclass(frozen=True)
class ProjectileYields:
    """Yields of one projectile.

    Attributes
    ----------
    T_GeV : float[nodes]
        Kinetic energies, ascending.
    events : float[nodes, ROWS]
        Interactions that the counts of a row are from.
    counts : float[nodes, ROWS, x bins]
        Secondaries in bins of x = T_sec/T.
    sigma_T_GeV, sigma_mb : float[m]
        Cross section on air that belongs to the yields, linear in ln T between, constant outside.
    angle_counts : float[nodes, ROWS, angle bins, s bins] or None
        Secondaries in bins of ln T_sec and of the angle's variable (`yield_histograms.angle_variable`).
    moments, moment_errors : float[nodes, SPECIES, MOMENTS] or None
        As the generator's events had them, and their statistical errors.
    other : float[nodes, OTHER] or None
        Energy over T in what the table leaves out.
    sources : tuple of str
        Generator of each node.
    """

    T_GeV: Array
    events: Array
    counts: Array
    sigma_T_GeV: Array
    sigma_mb: Array
    angle_counts: Array | None = None
    moments: Array | None = None
    moment_errors: Array | None = None
    other: Array | None = None
    sources: tuple[str, ...] = ()


@dataclass(frozen=True)
class YieldFile:
    """A whole file.

    Attributes
    ----------
    name, description : str
        Of the model.
    x_edges, s_edges : float[bins + 1]
    projectiles : dict
        `ProjectileYields` by projectile, all of `yield_rows.PROJECTILES`.
    provenance : dict
        Anything that can be JSON: generators, versions, events, seeds, date, command, target.
    sha256 : str
        Of the file that was read; empty for one not read from a file.
    """

    name: str
    description: str
    x_edges: Array
    s_edges: Array
    projectiles: dict[str, ProjectileYields]
    provenance: dict[str, Any] = field(default_factory=dict)
    sha256: str = ""


def write_yield_file(path: str | Path, content: YieldFile) -> None:
    """Write a file of yields, after the checks of a reader.

    Parameters
    ----------
    path : str or pathlib.Path
        The file.
    content : YieldFile
        Content of a file of yields.

    Raises
    ------
    HadronicInputError
        Where a dataset is not usable.
    """
    import h5py

    _check(str(path), content)
    with h5py.File(path, "w", track_order=True) as file:
        file.attrs.update({"format": FORMAT, "version": VERSION, "name": content.name})
        file.attrs.update({"description": content.description, "provenance": json.dumps(content.provenance)})
        file["x_edges"], file["s_edges"] = content.x_edges, content.s_edges
        file["rows"], file["species"], file["moments"], file["other"] = (
            list(names) for names in (ROWS, SPECIES, MOMENTS, OTHER)
        )
        for projectile, one in content.projectiles.items():
            group = file.create_group(projectile)
            group["T_GeV"] = one.T_GeV
            if one.sources:
                group["sources"] = list(one.sources)
            for name in ("sigma_T_GeV", "sigma_mb", "events", "counts", "angle_counts", "moments", "moment_errors"):
                _put(group, name, getattr(one, name))
            _put(group, "other", one.other)


def _put(group: Any, name: str, values: Array | None) -> None:
    if values is not None:
        packed = {"compression": "gzip", "compression_opts": 9, "shuffle": True} if values.size > 1000 else {}
        group.create_dataset(name, data=np.asarray(values, dtype=np.float32), **packed)


def read_yield_file(path: str | Path) -> YieldFile:
    """Read and check a file of yields.

    Parameters
    ----------
    path : str or pathlib.Path
        The file.

    Returns
    -------
    YieldFile
        Its content.

    Raises
    ------
    HadronicInputError
        One line that names the file, the dataset and what is wrong.
    """
    import h5py

    file = Path(path)
    try:
        digest = hashlib.sha256(file.read_bytes()).hexdigest()
    except FileNotFoundError:
        raise HadronicInputError(f"{file}: no such file") from None
    except OSError as exc:
        raise HadronicInputError(f"{file}: cannot be read ({exc.strerror})") from None
    try:
        with h5py.File(file, "r") as source:
            content = _read(str(file), source, digest)
    except HadronicInputError:
        raise
    # h5py raises all kinds for damaged files: OSError, RuntimeError, KeyError, UnicodeDecodeError (a ValueError).
    except (OSError, RuntimeError, KeyError, ValueError, TypeError, AttributeError, OverflowError) as exc:
        reason = (str(exc).splitlines() or [type(exc).__name__])[0][:160]
        raise HadronicInputError(f"{file}: not an HDF5 file of yields that can be read ({reason})") from None
    _check(str(file), content)
    return content


def _read(where: str, source: Any, digest: str) -> YieldFile:
    if _text(source.attrs.get("format", "")) != FORMAT:
        raise HadronicInputError(f"{where}: not a table of yields: attribute format is not {FORMAT!r}")
    if int(source.attrs.get("version", 0)) != VERSION:
        raise HadronicInputError(f"{where}: version {source.attrs.get('version')!r} of the format; known: {VERSION}")
    rows = [_text(one) for one in _array(where, source, "rows", None)]
    unknown = [row for row in rows if row not in ROWS]
    if unknown or len(set(rows)) != len(rows):
        raise HadronicInputError(f"{where}: rows: {(unknown or rows)[0]!r} is not known or there twice")
    places = [ROWS.index(row) for row in rows]
    missing = [name for name in PROJECTILES if name not in source]
    if missing:
        raise HadronicInputError(f"{where}: no projectile {missing[0]!r}; needs {', '.join(PROJECTILES)}")
    projectiles = {name: _read_projectile(where, source[name], name, places) for name in PROJECTILES}
    provenance = json.loads(_text(source.attrs.get("provenance", "{}")))
    return YieldFile(
        name=_text(source.attrs.get("name", Path(where).stem)),
        description=_text(source.attrs.get("description", "")),
        x_edges=_array(where, source, "x_edges"),
        s_edges=_array(where, source, "s_edges") if "s_edges" in source else np.array([0.0, 1.0]),
        projectiles=projectiles,
        provenance=provenance if isinstance(provenance, dict) else {"provenance": provenance},
        sha256=digest,
    )


def _read_projectile(where: str, group: Any, name: str, places: list[int]) -> ProjectileYields:
    here = f"{where}: {name}"
    T = _array(here, group, "T_GeV")
    spread: dict[str, Array] = {}
    for key in ("events", "counts", "angle_counts"):
        if key == "angle_counts" and key not in group:
            continue
        values = _array(here, group, key)
        if values.ndim < 2 or values.shape[:2] != (T.size, len(places)):
            shape = (T.size, len(places))
            raise HadronicInputError(f"{here}/{key}: shape {values.shape} does not begin with nodes, rows {shape}")
        # Rows that a file leaves out are empty; their number of events only has to be above 0.
        full = np.full((T.size, len(ROWS), *values.shape[2:]), 1.0 if key == "events" else 0.0)
        full[:, places] = values
        spread[key] = full
    optional = {
        key: _array(here, group, key) if key in group else None for key in ("moments", "moment_errors", "other")
    }
    return ProjectileYields(
        T_GeV=T,
        events=spread["events"],
        counts=spread["counts"],
        sigma_T_GeV=_array(here, group, "sigma_T_GeV"),
        sigma_mb=_array(here, group, "sigma_mb"),
        angle_counts=spread.get("angle_counts"),
        sources=tuple(_text(one) for one in _array(here, group, "sources", None)) if "sources" in group else (),
        **optional,
    )


def _array(where: str, group: Any, key: str, dtype: Any = np.float64) -> Array:
    if key not in group:
        raise HadronicInputError(f"{where}: no dataset {key!r}")
    try:
        values = group[key][()]
        return np.atleast_1d(np.asarray(values) if dtype is None else np.asarray(values, dtype=dtype))
    except (TypeError, ValueError, AttributeError):
        raise HadronicInputError(f"{where}: {key}: not numbers") from None


def _text(value: Any) -> str:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)


def _check(where: str, content: YieldFile) -> None:
    def require(condition: Any, place: str, words: str) -> None:
        if not bool(condition):
            raise HadronicInputError(f"{where}: {place}: {words}")

    def ascending(values: Array, place: str, least: int) -> None:
        require(values.ndim == 1 and values.size >= least, place, f"needs a list of at least {least} numbers")
        require(np.all(np.isfinite(values)), place, "not all numbers are finite")
        require(np.all(np.diff(values) > 0.0), place, "must ascend")

    ascending(content.x_edges, "x_edges", 3)
    require(content.x_edges[0] > 0.0 and content.x_edges[-1] <= 1.0 + 1e-6, "x_edges", "must lie above 0 and up to 1")
    ascending(content.s_edges, "s_edges", 2)
    require(content.s_edges[0] == 0.0, "s_edges", "must begin with 0")
    for name, one in content.projectiles.items():
        ascending(one.T_GeV, f"{name}/T_GeV", 2)
        require(one.T_GeV[0] >= 0.2 and one.T_GeV[-1] <= 1e9, f"{name}/T_GeV", "must lie in 0.2 to 1e9 GeV")
        ascending(one.sigma_T_GeV, f"{name}/sigma_T_GeV", 1)
        require(one.sigma_T_GeV[0] > 0.0, f"{name}/sigma_T_GeV", "must be above 0")
        nodes = one.T_GeV.size
        bins = content.x_edges.size - 1
        shapes: dict[str, tuple[int, ...]] = {
            "sigma_mb": one.sigma_T_GeV.shape,
            "events": (nodes, len(ROWS)),
            "counts": (nodes, len(ROWS), bins),
            "moments": (nodes, len(SPECIES), len(MOMENTS)),
            "moment_errors": (nodes, len(SPECIES), len(MOMENTS)),
            "other": (nodes, len(OTHER)),
        }
        if one.angle_counts is not None:
            require(one.angle_counts.ndim == 4, f"{name}/angle_counts", "must have 4 dimensions")
            wanted = (nodes, len(ROWS), one.angle_counts.shape[2], content.s_edges.size - 1)
            require(wanted[2] >= 2, f"{name}/angle_counts", "needs at least 2 bins of T_sec")
            shapes["angle_counts"] = wanted
        for key, shape in shapes.items():
            values = getattr(one, key)
            if values is None:
                continue
            require(values.shape == shape, f"{name}/{key}", f"shape {values.shape}, must be {shape}")
            require(np.all(np.isfinite(values)), f"{name}/{key}", "not all numbers are finite")
            require(values.min() >= 0.0, f"{name}/{key}", "has numbers below 0")
        require(one.events.min() > 0.0, f"{name}/events", "must be above 0")
        require(one.sigma_mb.min() >= 1.0 and one.sigma_mb.max() <= 1e5, f"{name}/sigma_mb", "must lie in 1 to 1e5 mb")
        mean = one.counts.sum(axis=2) / one.events
        require(mean.max() < 500.0, f"{name}/counts", "more than 500 secondaries of one kind per interaction")
        leading = mean[:, len(SPECIES) :]
        require(leading.max() <= 1.0 + 1e-6, f"{name}/counts", "more than one leading particle of one kind")
        require(mean.sum() > 0.0, f"{name}/counts", "no secondaries at all")
        require(len(one.sources) in (0, nodes), f"{name}/sources", f"needs {nodes} names")
