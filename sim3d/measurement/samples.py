"""Samples of events as columns: true energy and direction, flavour, observables, and the weight of the generation.

A sample is read from JSON, CSV, HDF5, a pandas frame or a simweights weighter. Columns keep the names they have; those
that sim3d must understand are named by their role (:data:`ROLES`). Rows are counted from 1 in messages.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from sim3d.conventions.arrays import Array
from sim3d.conventions.flux_units import CM2_PER_M2
from sim3d.conventions.text_files import read_text
from sim3d.errors import InputError

ROLES = {
    "energy_GeV": "true energy, GeV, above 0",
    "cos_zenith": "true zenith cosine, -1 to 1, +1 for arrival from above",
    "zenith_rad": "true zenith angle instead of its cosine, 0 to pi",
    "zenith_deg": "the same in degrees, 0 to 180",
    "azimuth_deg": "true azimuth of arrival, degrees from south through east",
    "azimuth_rad": "the same in radians",
    "azimuth_from_north_deg": "true azimuth of arrival, degrees from north through east",
    "time": "time of the event, any unit (handed to functions of a user)",
    "pdg": "PDG id: 12, -12, 14, -14, 16 or -16",
    "generated": "generated flux, GeV^-1 sr^-1 cm^-2 (or m^-2), above 0",
    "weight": "factor on w = flux / generated: selection, detector, 0 or more",
}
"""Roles of columns, and the values that they take."""

NEUTRINOS = (12, -12, 14, -14, 16, -16)

_SAME = 1e-3
"""Largest difference of one direction that is given in two columns: of a cosine, or of an azimuth in degrees."""

_CHECKS: dict[str, tuple[Any, str]] = {
    "energy_GeV": (lambda x: x > 0.0, "above 0"),
    "cos_zenith": (lambda x: np.abs(x) <= 1.0, "-1 to 1"),
    "zenith_rad": (lambda x: (x >= 0.0) & (x <= np.pi), "0 to pi"),
    "zenith_deg": (lambda x: (x >= 0.0) & (x <= 180.0), "0 to 180"),
    "pdg": (lambda x: np.isin(x, NEUTRINOS), ", ".join(map(str, NEUTRINOS))),
    "generated": (lambda x: x > 0.0, "above 0"),
    "weight": (lambda x: x >= 0.0, "0 or more"),
}


class Sample:
    """Events as columns.

    Parameters
    ----------
    columns : mapping of array_like (n,)
        Columns by name, numbers or texts.
    names : mapping, optional
        Column of each role (:data:`ROLES`). A role that is left out is filled by the column of the role's own name, if
        there is one.
    area : "cm2" or "m2"
        Unit of area in ``generated``.
    source : str
        For messages: the file.

    Raises
    ------
    InputError
        If columns differ in length, a column is missing, or a value of a role is impossible; the message has the
        column and the row.

    Examples
    --------
    >>> sample = Sample({"E": [1e5, 2e5], "cos_zenith": [0.1, -0.3]}, {"energy_GeV": "E"})
    >>> sample.size, sample.role("energy_GeV").tolist(), sample.has("azimuth_deg")
    (2, [100000.0, 200000.0], False)
    """

    def __init__(
        self,
        columns: Mapping[str, Any],
        names: Mapping[str, str] | None = None,
        area: str = "cm2",
        source: str = "sample",
    ) -> None:
        self.source = source
        if area not in ("cm2", "m2"):
            raise InputError("area", area, "cm2 or m2")
        self.columns = {str(name): _column(values, str(name), source) for name, values in columns.items()}
        sizes = {name: len(values) for name, values in self.columns.items()}
        self.size = next(iter(sizes.values()), 0)
        for name, size in sizes.items():
            if size != self.size:
                raise InputError(f"{source}: column {name!r} has {size} rows, the first column {self.size}")
        given = dict(names or {})
        for role in given:
            if role not in ROLES:
                raise InputError(f"{source}: names: {role!r} is no role; allowed: {', '.join(ROLES)}")
        chosen = {role: given.get(role, role) for role in ROLES if role in given or role in self.columns}
        self._roles: dict[str, NDArray[Any]] = {}
        for role, name in chosen.items():
            self._roles[role] = self._checked(role, self[name], name)
        self._derive(area)

    def _checked(self, role: str, values: NDArray[Any], name: str) -> NDArray[Any]:
        if role == "time":
            return values
        numbers = self.numbers(name)
        test, allowed = _CHECKS.get(role, (np.isfinite, "a finite number"))
        bad = ~test(numbers)
        if bad.any():
            row = int(np.argmax(bad))
            raise InputError(f"{self.source}: column {name!r}, row {row + 1}", numbers[row].item(), allowed)
        return numbers.astype(np.int64) if role == "pdg" else numbers

    def _derive(self, area: str) -> None:
        """Fill the roles that follow from others: cosine, azimuth in degrees from south, area in m^2."""
        roles = self._roles
        for name, role, convert in (
            ("zenith_rad", "cos_zenith", np.cos),
            ("zenith_deg", "cos_zenith", lambda x: np.cos(np.radians(x))),
            ("azimuth_rad", "azimuth_deg", np.degrees),
            ("azimuth_from_north_deg", "azimuth_deg", lambda x: np.mod(180.0 - x, 360.0)),
        ):
            if name not in roles:
                continue
            found = convert(roles[name])
            known = roles.setdefault(role, found)
            away = np.abs(found - known)
            if role == "azimuth_deg":
                away = np.abs(np.mod(away + 180.0, 360.0) - 180.0)
            if np.any(away > _SAME):
                row = int(np.argmax(away > _SAME))
                raise InputError(f"{self.source}: row {row + 1}: {name} and {role} are two directions; name one column")
        if "generated" in roles and area == "cm2":
            roles["generated"] = roles["generated"] * CM2_PER_M2

    def __len__(self) -> int:
        return self.size

    def __getitem__(self, name: str) -> NDArray[Any]:
        if name not in self.columns:
            raise InputError(f"{self.source}: has no column {name!r}; it has {', '.join(self.columns) or 'none'}")
        return self.columns[name]

    def numbers(self, name: str) -> Array:
        """Return a column of finite numbers.

        Parameters
        ----------
        name : str

        Returns
        -------
        float64 array (n,)

        Raises
        ------
        InputError
            With the column and the row of a value that is no finite number.
        """
        values = self[name]
        if values.dtype.kind not in "biuf":
            row = next((i for i, value in enumerate(values.tolist()) if not _is_number(value)), 0)
            raise InputError(f"{self.source}: column {name!r}, row {row + 1}", values[row].item(), "a finite number")
        bad = ~np.isfinite(values)
        if bad.any():
            row = int(np.argmax(bad))
            raise InputError(f"{self.source}: column {name!r}, row {row + 1}", values[row].item(), "a finite number")
        return np.asarray(values, dtype=float)

    def has(self, role: str) -> bool:
        """Whether a role is filled."""
        return role in self._roles

    def role(self, role: str) -> Any:
        """Return the values of a role.

        Parameters
        ----------
        role : str
            One of :data:`ROLES`; ``cos_zenith`` and ``azimuth_deg`` also where they were given in another form.
            ``generated`` is per m^2.

        Returns
        -------
        array (n,)

        Raises
        ------
        InputError
            If no column fills it.
        """
        if role not in self._roles:
            meaning = ROLES.get(role, "")
            raise InputError(f"{self.source}: no column for {role!r} ({meaning}); give names={{{role!r}: COLUMN}}")
        return self._roles[role]

    def per_flux(self) -> Array:
        """Compute the rate of every event for a flux of 1 m^-2 s^-1 sr^-1 GeV^-1: weight / generated.

        Returns
        -------
        float64 array (n,)
            m^2 sr GeV. Times a flux at the event it is w = weight x flux / generated flux (s^-1).

        Raises
        ------
        InputError
            If there is no ``generated``.
        """
        weight = self._roles.get("weight", np.ones(self.size))
        return np.asarray(weight / self.role("generated"), dtype=float)

    def select(self, rows: Any) -> Sample:
        """Return the sample of some rows (a mask or indices)."""
        rows = np.asarray(rows)
        rows = rows.astype(int) if rows.size == 0 and rows.dtype != bool else rows
        if rows.dtype == bool and rows.shape != (self.size,):
            raise InputError(f"{self.source}: a mask of {rows.shape} for {self.size} rows")
        out = object.__new__(Sample)
        out.source = self.source
        out.columns = {name: values[rows] for name, values in self.columns.items()}
        out._roles = {name: values[rows] for name, values in self._roles.items()}
        out.size = len(next(iter(out.columns.values()), np.zeros(0)))
        return out


def read_sample(
    path: str | Path, names: Mapping[str, str] | None = None, area: str = "cm2", group: str = "/"
) -> Sample:
    """Read a sample from a file; its kind is that of the name's end.

    Parameters
    ----------
    path : str or Path
        ``.json``: ``{"mapping": {name: column}, "events": [[...], ...]}``. ``.csv`` (or ``.txt``, also gzipped): names
        in the first line that is no comment (#). ``.h5`` or ``.hdf5``: one-dimensional data sets, or one of a
        compound type.
    names, area
        As for :class:`Sample`.
    group : str
        Of an HDF5 file: the group with the columns, or the compound data set.

    Returns
    -------
    Sample

    Raises
    ------
    InputError
        If the file cannot be read; bad values are named by column and row.
    """
    path = Path(path)
    kind = "".join(path.suffixes[-2:]).lower().removesuffix(".gz")
    if kind.endswith((".h5", ".hdf5")):
        columns = _hdf5_columns(path, group)
    elif kind.endswith(".json"):
        columns = _json_columns(read_text(path, "sample "), str(path))
    elif kind.endswith((".csv", ".txt")):
        columns = _csv_columns(read_text(path, "sample "), str(path))
    else:
        raise InputError("sample", str(path), "a file .json, .csv, .txt, .h5 or .hdf5")
    return Sample(columns, names, area, str(path))


def sample_of_frame(frame: Any, names: Mapping[str, str] | None = None, area: str = "cm2") -> Sample:
    """Make a sample of a pandas frame, or of anything with ``columns`` and columns by name.

    Parameters
    ----------
    frame : pandas.DataFrame
    names, area
        As for :class:`Sample`.

    Returns
    -------
    Sample
    """
    if not hasattr(frame, "columns"):
        raise InputError("frame", type(frame).__name__, "a pandas frame")
    return Sample({str(name): np.asarray(frame[name]) for name in frame.columns}, names, area, "frame")


def sample_of_weighter(
    weighter: Any, columns: Mapping[str, Any] | None = None, names: Mapping[str, str] | None = None
) -> Sample:
    """Make a sample of a simweights weighter: its energies, zenith cosines and ids, and the flux it generated.

    Parameters
    ----------
    weighter : simweights.Weighter
        With columns ``energy``, ``cos_zen`` and ``pdgid``, as all weighters of neutrinos have.
    columns : mapping of array_like (n,), optional
        Further columns: observables, ``azimuth_deg``.
    names : mapping, optional
        As for :class:`Sample`, of the further columns.

    Returns
    -------
    Sample
        ``generated`` is 1 over the weight for a flux of 1 GeV^-1 cm^-2 sr^-1 s^-1. An event whose weight is 0 has a
        ``weight`` of 0.
    """
    if not hasattr(weighter, "get_weights"):
        raise InputError("weighter", type(weighter).__name__, "a simweights weighter")
    unit = np.asarray(weighter.get_weights(1.0), dtype=float)
    bad = ~(np.isfinite(unit) & (unit >= 0.0))
    if bad.any():
        row = int(np.argmax(bad))
        raise InputError(f"weighter: weight of row {row + 1}", float(unit[row]), "0 or more, finite")
    own = {
        "energy_GeV": weighter.get_weight_column("energy"),
        "cos_zenith": weighter.get_weight_column("cos_zen"),
        "pdg": weighter.get_weight_column("pdgid"),
        "generated": 1.0 / np.where(unit > 0.0, unit, 1.0),
        "weight": np.where(unit > 0.0, 1.0, 0.0),
    }
    return Sample(own | dict(columns or {}), names, "cm2", "weighter")


def _is_number(value: Any) -> bool:
    try:
        return bool(np.isfinite(float(value)))
    except (TypeError, ValueError):
        return False


def _column(values: Any, name: str, source: str) -> NDArray[Any]:
    array = np.asarray(values)
    if isinstance(values, np.ma.MaskedArray) and np.ma.getmaskarray(values).any():
        row = int(np.argmax(np.ma.getmaskarray(values)))
        raise InputError(f"{source}: column {name!r}, row {row + 1}", "masked", "a value")
    if array.ndim != 1:
        raise InputError(f"{source}: column {name!r} has {array.ndim} dimensions, one is allowed")
    if array.dtype.kind in "OS":
        texts = [value.decode() if isinstance(value, bytes) else value for value in array.tolist()]
        try:
            return np.array([float(value) for value in texts])
        except (TypeError, ValueError):
            return np.array([str(value) for value in texts])
    return array


def _json_columns(text: str, source: str) -> dict[str, Any]:
    try:
        data = json.loads(text, object_pairs_hook=lambda pairs: _without_repeats(pairs, source))
    except InputError:
        raise
    except ValueError as problem:
        raise InputError(f"{source}: no JSON ({problem})") from None
    if (
        not isinstance(data, dict)
        or not isinstance(data.get("mapping"), dict)
        or not isinstance(data.get("events"), list)
    ):
        raise InputError(f'{source}: needs {{"mapping": {{name: column}}, "events": [[...], ...]}}')
    mapping, events = data["mapping"], data["events"]
    for name, place in mapping.items():
        if not isinstance(place, int) or isinstance(place, bool) or place < 0:
            raise InputError(f"{source}: mapping {name!r}", place, "the number of a column, from 0")
    needed = max(mapping.values(), default=-1) + 1
    for row, event in enumerate(events):
        if not isinstance(event, list) or len(event) < needed:
            found = f"{len(event)} columns" if isinstance(event, list) else repr(event)[:40]
            raise InputError(f"{source}: row {row + 1}: has {found}, the mapping needs {needed}")
    return {name: _from_rows([event[place] for event in events], name, source) for name, place in mapping.items()}


def _without_repeats(pairs: list[tuple[str, Any]], source: str) -> dict[str, Any]:
    """Make a dict of the names and values of a JSON object; a name that is there twice is refused."""
    found: dict[str, Any] = {}
    for name, value in pairs:
        if name in found:
            raise InputError(f"{source}: the name {name!r} is there twice")
        found[name] = value
    return found


def _from_rows(values: Sequence[Any], name: str, source: str) -> NDArray[Any]:
    """Make a column of numbers, or of texts; a mixture is refused at its first odd row."""
    texts = [isinstance(value, str) for value in values]
    odd = [i for i, value in enumerate(values) if isinstance(value, list | dict | bool) or value is None]
    if any(texts) and not all(texts):
        odd.append(texts.index(not texts[0]))
    if odd:
        raise InputError(
            f"{source}: column {name!r}, row {odd[0] + 1}", values[odd[0]], "a number (or texts throughout)"
        )
    if not any(texts):
        large = [i for i, value in enumerate(values) if isinstance(value, int) and abs(value) >= 2**1023]
        if large:
            raise InputError(f"{source}: column {name!r}, row {large[0] + 1}: too large for a number")
    return np.array(values, dtype=str if any(texts) else float)


def _csv_columns(text: str, source: str) -> dict[str, Any]:
    lines = [(i, line) for i, line in enumerate(text.splitlines(), 1) if line.strip() and not line.startswith("#")]
    if not lines:
        raise InputError(f"{source}: has no row of column names")
    header = [name.strip() for name in next(csv.reader([lines[0][1]]))]
    if len(set(header)) != len(header) or "" in header:
        raise InputError(f"{source}: line {lines[0][0]}: every column needs a name of its own: {', '.join(header)}")
    rows = [line for _, line in lines[1:]]
    try:
        numbers = (
            np.loadtxt(io.StringIO("\n".join(rows)), delimiter=",", ndmin=2) if rows else np.zeros((0, len(header)))
        )
        if numbers.shape[1] == len(header):
            return dict(zip(header, numbers.T.copy(), strict=True))
    except ValueError:
        pass
    cells = list(csv.reader(rows))
    for row, (cell, (line, _)) in enumerate(zip(cells, lines[1:], strict=True)):
        if len(cell) != len(header):
            raise InputError(
                f"{source}: row {row + 1} (line {line}): has {len(cell)} columns, the first line {len(header)}"
            )
    columns: dict[str, Any] = {}
    for place, name in enumerate(header):
        texts = [cell[place].strip() for cell in cells]
        good = [_is_number(value) or value.lower() in ("nan", "inf", "-inf") for value in texts]
        if any(good) and not all(good):
            row = good.index(False)
            raise InputError(
                f"{source}: column {name!r}, row {row + 1} (line {lines[1:][row][0]})", texts[row], "a number"
            )
        columns[name] = np.array(texts, dtype=float if all(good) else str)
    return columns


def _hdf5_columns(path: Path, group: str) -> dict[str, Any]:
    if not path.is_file():
        raise InputError(f"{path}: no such file")
    try:
        with h5py.File(path, "r") as file:
            if group not in file:
                raise InputError(f"{path}: has no {group!r}; it has {', '.join(file) or 'nothing'}")
            item = file[group]
            if isinstance(item, h5py.Dataset):
                if item.dtype.names is None:
                    raise InputError(f"{path}: {group!r} is one data set without names of columns")
                table = item[()]
                return {name: table[name] for name in item.dtype.names}
            return {name: one[()] for name, one in item.items() if isinstance(one, h5py.Dataset) and one.ndim == 1}
    except OSError as problem:
        raise InputError(f"{path}: cannot be read as HDF5 ({str(problem)[:120]})") from None
