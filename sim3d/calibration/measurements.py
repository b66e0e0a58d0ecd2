"""Measurements of muons as files: a TOML file with the conditions and the errors, beside a CSV file with the numbers.

The format is documented in docs/manual/calibration.md. Errors are of two kinds. *Statistical* errors belong to a point
(with a correlation to the next one, if stated). Errors that are common to points are *nuisances*: each changes the
predictions of some observables by a known function of momentum, times one number with a normal prior. A quoted
systematic error is never added in quadrature.
"""

from __future__ import annotations

import csv
import tomllib
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Annotated, Literal

import numpy as np
from pydantic import Field, ValidationError, model_validator

from sim3d.config.messages import describe
from sim3d.config.table import Float, Int, Table
from sim3d.conventions.arrays import Array
from sim3d.conventions.reference_files import data_lines
from sim3d.conventions.text_files import read_text
from sim3d.errors import InputError

SHIPPED = ("bess-tev", "caprice94", "l3c", "cms", "minos", "opera")
"""Measurements that ship with sim3d, files ``muons_NAME.toml`` of ``sim3d/reference``."""

Positive = Annotated[Float, Field(gt=0, allow_inf_nan=False)]


class ConditionsTable(Table):
    """Table ``[conditions]``: where and when muons were measured.

    Keys, units and allowed ranges: docs/manual/calibration.md.
    """

    lat: Float = Field(ge=-90, le=90)
    lon: Float = Field(ge=-360, le=360)
    altitude_m: Float = Field(0.0, ge=0, le=9000)
    depth_g_cm2: Float | None = Field(None, gt=0, le=1030)
    date: str
    month: Int = Field(ge=1, le=12)
    cutoff: bool = True


class AcceptanceTable(Table):
    """Zenith angles that are averaged over, from a momentum upwards."""

    above_GeV: Float = Field(0.0, ge=0)
    cos_zenith: tuple[Float, Float]

    @model_validator(mode="after")
    def _range(self) -> AcceptanceTable:
        low, high = self.cos_zenith
        if not 0.0 <= low < high <= 1.0 or any(abs(100 * x - round(100 * x)) > 1e-6 for x in (low, high)):
            raise ValueError("cos_zenith must be [low, high] from 0 to 1, multiples of 0.01")
        return self


class ObservableTable(Table):
    """Table ``[[observables]]``: a spectrum or a charge ratio, and its columns in a CSV file."""

    name: str = Field(pattern=r"^[a-z0-9][a-z0-9_-]{0,39}$")
    quantity: Literal["flux", "ratio", "mu+", "mu-"]
    file: str
    low: str | None = None
    high: str | None = None
    at: str
    value: str
    statistical: str
    percent: bool = False
    correlation: str | None = None
    factor: Float = 1.0
    momentum_power: Float = 0.0
    least_GeV: Float = Field(0.0, ge=0)
    window: Float = Field(1.1, gt=1.0, le=3.0)


class NuisanceTable(Table):
    """Table ``[[nuisances]]``: an error that is common to points, and where it was published."""

    name: str = Field(pattern=r"^[a-z0-9][a-z0-9_-]{0,39}$")
    kind: Literal[
        "norm", "power", "ramp", "momentum-offset", "momentum-scale", "curvature", "curvature-odd", "depth",
        "height-scale", "solar",
    ]  # fmt: skip
    size: Positive
    power: Float = 0.0
    at_GeV: Positive = 1.0
    until_GeV: Positive | None = None
    observables: tuple[str, ...] = ()
    source: str

    @model_validator(mode="after")
    def _ends(self) -> NuisanceTable:
        if self.kind == "ramp" and (self.until_GeV is None or self.until_GeV <= self.at_GeV):
            raise ValueError("until_GeV must be above at_GeV for a ramp")
        return self


class MeasurementTable(Table):
    """A whole measurement file."""

    name: str = Field(pattern=r"^[a-z0-9][a-z0-9_.-]{0,39}$")
    title: str
    citation: str
    conditions: ConditionsTable
    acceptance: tuple[AcceptanceTable, ...] = Field(min_length=1)
    observables: tuple[ObservableTable, ...] = Field(min_length=1)
    nuisances: tuple[NuisanceTable, ...] = ()

    @model_validator(mode="after")
    def _names(self) -> MeasurementTable:
        known = [one.name for one in self.observables]
        for one in self.nuisances:
            for name in one.observables:
                if name not in known:
                    raise ValueError(
                        f"nuisances: {one.name}: {name!r} is not one of the observables {', '.join(known)}"
                    )
        for names in (known, [one.name for one in self.nuisances]):
            if len(set(names)) < len(names):
                raise ValueError(f"a name is used twice: {', '.join(names)}")
        if min(one.above_GeV for one in self.acceptance) > 0.0:
            raise ValueError("acceptance: the first one must begin at 0 GeV")
        return self


@dataclass(frozen=True)
class Points:
    """Points of an observable.

    Attributes
    ----------
    table : ObservableTable
    low_GeV, high_GeV, at_GeV : float64 arrays (n,)
        Edges of the bins (GeV/c) and the momenta of the points. Where the file has no edges, they are a window around
        the momentum, and ``is_bin`` is false: the value is that at the momentum.
    is_bin : bool
    value : float64 array (n,)
        m^-2 s^-1 sr^-1 (GeV/c)^-1, or mu+/mu-.
    covariance : float64 array (n, n)
        Of the statistical errors.
    cos_zenith : tuple of (float, float)
        Acceptance of each point.
    """

    table: ObservableTable
    low_GeV: Array
    high_GeV: Array
    at_GeV: Array
    is_bin: bool
    value: Array
    covariance: Array
    cos_zenith: tuple[tuple[float, float], ...]


@dataclass(frozen=True)
class Measurement:
    """A measurement with its conditions, points and nuisances.

    Attributes
    ----------
    table : MeasurementTable
    points : tuple of Points
        One for each observable.
    """

    table: MeasurementTable
    points: tuple[Points, ...]

    @property
    def name(self) -> str:
        """Name of the measurement."""
        return self.table.name

    @property
    def momentum_GeV(self) -> tuple[float, float]:
        """Lowest and highest momentum of all points (GeV/c)."""
        low = min(float(each.low_GeV.min()) for each in self.points)
        return low, max(float(each.high_GeV.max()) for each in self.points)

    @property
    def cos_edges(self) -> tuple[float, ...]:
        """Edges of all acceptances, ascending."""
        return tuple(sorted({edge for each in self.table.acceptance for edge in each.cos_zenith}))


def load_measurement(name: str | Path, folder: Path | None = None) -> Measurement:
    """Read a measurement that ships with sim3d, by name, or a user's file.

    Parameters
    ----------
    name : str or Path
        One of :data:`SHIPPED`, or the path of a TOML file.
    folder : Path, optional
        Folder that a relative path begins in.

    Returns
    -------
    Measurement

    Raises
    ------
    InputError
        If a file cannot be read or something in it is wrong: one line that names it.
    """
    if str(name) in SHIPPED:
        home = resources.files("sim3d") / "reference"
        path = Path(str(home)) / f"muons_{name}.toml"
    else:
        path = (folder or Path()) / name
        if not path.is_file():
            raise InputError(f"{path}: no such measurement; those that ship are {', '.join(SHIPPED)}")
    try:
        table = MeasurementTable.model_validate(tomllib.loads(read_text(path)))
    except tomllib.TOMLDecodeError as problem:
        raise InputError(f"{path}: not valid TOML: {str(problem)[:200]}") from None
    except ValidationError as problem:
        raise InputError(f"{path}: {describe(problem)}") from None
    return Measurement(table, tuple(_points(table, one, path.parent) for one in table.observables))


def _points(table: MeasurementTable, one: ObservableTable, folder: Path) -> Points:
    path = folder / one.file
    rows = list(csv.DictReader(data_lines(read_text(path).split("\n"))))
    rows = [row for row in rows if (row.get(one.value.split("/")[0].split("+")[0].strip()) or "").strip()]

    def column(name: str) -> Array:
        try:
            return np.array([float((row[name] or "").lstrip("<")) for row in rows])
        except KeyError:
            raise InputError(f"{path}: column", name, f"one of {', '.join(rows[0] if rows else ())}") from None
        except ValueError as problem:
            raise InputError(f"{path}: column {name}: {problem}") from None

    at = column(one.at)
    edges = (column(one.low), column(one.high)) if one.low and one.high else (at / one.window, at * one.window)
    value, error = _value_and_error(one, column)
    scale = one.factor * at**-one.momentum_power
    value, error = value * scale, error * (0.01 * value * scale if one.percent else scale)
    covariance = np.diag(error**2)
    if one.correlation:
        next_one = column(one.correlation)
        for i in range(error.size - 1):
            covariance[i, i + 1] = covariance[i + 1, i] = next_one[i] * error[i] * error[i + 1]
    used = edges[0] >= one.least_GeV * 0.999
    if not used.any() or np.any(value[used] <= 0.0) or np.any(error[used] <= 0.0):
        raise InputError(f"{path}: {one.name}: needs points with values and errors above 0")
    places = np.flatnonzero(used)
    acceptances = sorted(table.acceptance, key=lambda each: each.above_GeV)
    cos = tuple(
        [each.cos_zenith for each in acceptances if low >= each.above_GeV * 0.999][-1] for low in edges[0][places]
    )
    return Points(
        one, edges[0][places], edges[1][places], at[places], one.low is not None and one.momentum_power == 0.0,
        value[places], covariance[np.ix_(places, places)], cos,
    )  # fmt: skip


def _value_and_error(one: ObservableTable, column: object) -> tuple[Array, Array]:
    """Values and their statistical errors; ``A+B`` and ``A/B`` combine the columns of both charges."""
    read = column
    assert callable(read)
    for sign in ("+", "/"):
        if sign in one.value:
            a, b = (read(name.strip()) for name in one.value.split(sign))
            da, db = (read(name.strip()) for name in one.statistical.split(sign))
            if sign == "+":
                return a + b, np.hypot(da, db)
            return a / b, a / b * np.hypot(da / a, db / b)
    return read(one.value), read(one.statistical)
