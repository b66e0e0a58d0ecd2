"""The steps of ``sim3d calibrate``: simulate the responses, fit, and repeat at the new centre until it converges."""

from __future__ import annotations

import hashlib
import itertools
import tomllib
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import numpy as np
from pydantic import Field, ValidationError, field_validator, model_validator

from sim3d.calibration.control import CascadePoints, Ratios
from sim3d.calibration.fit import Fit, FittedSet, as_record, fit_enlarged, left_out, simulation_noise
from sim3d.calibration.growth import Growth, neutrino_arrays
from sim3d.calibration.measurements import SHIPPED, Measurement, load_measurement
from sim3d.calibration.neutrino_points import NEUTRINOS
from sim3d.calibration.predictions import SOLAR, response, run_configuration, squared_correlations
from sim3d.calibration.priors import DEFAULT, MONTH_MV, prior_covariance
from sim3d.config.calibration import NO_CALIBRATION
from sim3d.config.messages import describe
from sim3d.config.parameters import PARAMETERS, allowed_range, check_name
from sim3d.config.schema import Config
from sim3d.config.table import Float, Int, Table
from sim3d.conventions.arrays import Array
from sim3d.conventions.text_files import read_text
from sim3d.errors import InputError, RunError
from sim3d.files.calibration_file import Calibration
from sim3d.files.result_file import verify_result
from sim3d.primaries.catalogue import highest_energy_GeV
from sim3d.results.muon_gradients import muon_gradients
from sim3d.results.result import load
from sim3d.scoring.exact_sums import N_GROUPS
from sim3d.simulation.calibrated import calibration_of
from sim3d.simulation.engine import run_to_file


class ModelTable(Table):
    """Table ``[model]``: models of the runs."""

    hadronic: str = "accelerator"
    primaries: str = "gsf:2026.1"
    atmosphere: str = "nrlmsis"


class ResponseTable(Table):
    """Table ``[responses.NAME]``: an earlier result file in the place of a run."""

    file: str
    sha256: str = Field(pattern=r"^[0-9a-f]{64}$")


class CalibrationTable(Table):
    """A calibration file; docs/manual/calibration.md describes every key."""

    name: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,39}$")
    measurements: tuple[str, ...] = SHIPPED
    parameters: tuple[str, ...] = DEFAULT
    primaries: Int = Field(2_000_000, ge=1000, le=10**12)
    primaries_of: dict[str, Int] = Field(default_factory=dict)
    seed: Int = Field(1, ge=0, lt=2**60)
    iterations: Int = Field(3, ge=1, le=20)
    schedule: tuple[Float, ...] = (1.0,)
    method: Literal["simulation", "cascade"] = "simulation"
    enlarge_above: Float | None = Field(None, gt=1.0, le=10.0)
    truths: tuple[str, ...] = ()
    derivatives: Int = Field(20, ge=1, le=20)
    tolerance: Float = Field(0.3, gt=0.0, le=10.0)
    priors: dict[str, Float] = Field(default_factory=dict)
    model: ModelTable = ModelTable()
    responses: dict[str, ResponseTable] = Field(default_factory=dict)

    @field_validator("parameters")
    @classmethod
    def _known(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for name in value:
            check_name(name)
        if len(set(value)) < len(value) or not value:
            raise ValueError("must be one or more different parameters")
        return tuple(name for name in PARAMETERS if name in value)

    @model_validator(mode="after")
    def _truths_by_cascade(self) -> CalibrationTable:
        if self.truths and self.method != "cascade":
            raise ValueError('truths need method = "cascade"')
        if len(set(self.truths)) < len(self.truths):
            raise ValueError(f"truths: a model is named twice: {', '.join(self.truths)}")
        return self

    @field_validator("schedule")
    @classmethod
    def _shares(cls, value: tuple[float, ...]) -> tuple[float, ...]:
        if not value or not all(0.0 < share <= 1.0 for share in value):
            raise ValueError("must be shares of the primaries above 0, at most 1, one for each iteration")
        return value

    @field_validator("priors")
    @classmethod
    def _positive(cls, value: dict[str, float]) -> dict[str, float]:
        for name, sigma in value.items():
            check_name(name)
            if not (np.isfinite(sigma) and sigma > 0.0):
                raise ValueError(f"{name} = {sigma:g} must be a standard deviation above 0")
        return value


@dataclass(frozen=True)
class Calibrated:
    """Result of a calibration.

    Attributes
    ----------
    table : CalibrationTable
    measurements : tuple of Measurement
    first, last : tuple of FittedSet
        With the responses at the start and at the end.
    found : Fit
    without : dict
        From :func:`sim3d.calibration.fit.left_out`.
    steps : list of dict
        Of every iteration: largest move in units of the error, and how the last linear prediction agrees: chi2 per
        point, 1 in the mean, and the standard deviation of it.
    files : dict of str
        SHA-256 of the data of the response files (``sim3d info`` prints it).
    enlarged : dict of dict of float
        By measurement, factors on the sizes of nuisances that disagree with the fit.
    neutrinos : CascadePoints or None
        Neutrinos of the cascade equations at the last centre, with derivatives.
    grown : Growth or None
        Errors that no parameter describes.
    """

    table: CalibrationTable
    measurements: tuple[Measurement, ...]
    first: tuple[FittedSet, ...]
    last: tuple[FittedSet, ...]
    found: Fit
    without: dict[str, tuple[Array, Array]]
    steps: list[dict[str, Any]]
    files: dict[str, str]
    enlarged: dict[str, dict[str, float]] = field(default_factory=dict)
    neutrinos: CascadePoints | None = None
    grown: Growth | None = None

    def stored(self) -> Calibration:
        """Return the calibration as a file keeps it."""
        found = self.found
        units = np.outer(found.sigma, found.sigma)
        arrays: dict[str, Array] = {}
        before = {one.name: one.response.values for one in self.first}
        for one in self.last:
            own = f"sets/{one.name}/"
            arrays[own + "data"] = one.data
            arrays[own + "data_covariance"] = one.covariance
            arrays[own + "before"] = before[one.name]
            arrays[own + "after"] = found.predictions[one.name]
            arrays[own + "pulls"] = found.pulls[one.name]
            arrays[own + "centre"] = one.centre
            for key in ("values", "slopes", "covariance", "nuisances"):
                arrays[f"{own}response/{key}"] = getattr(one.response, key)
            arrays[own + "nuisance_values"], arrays[own + "nuisance_errors"] = found.nuisances[one.name]
            if one.name in self.without:
                arrays[own + "left_out_values"] = self.without[one.name][0] * found.sigma
        record = {
            **as_record(found),
            "models": self.table.model.model_dump(),
            "method": self.table.method,
            "seed": self.table.seed,
            "steps": self.steps,
            "responses": self.files,
            "citations": {one.name: one.table.citation for one in self.measurements},
            "nuisances": {one.name: list(one.nuisance_names) for one in self.last},
            "enlarged": self.enlarged,
        }
        if self.neutrinos is not None:
            arrays |= neutrino_arrays(self.neutrinos)
        if self.grown is not None:
            record["truths"] = self.grown.record
            arrays |= {f"truths/{one.name}": one.difference for one in self.grown.truths}
        covariance, prior = found.covariance * units * found.scale**2, found.prior * units
        if SOLAR in found.parameters:
            # the fit's is the offset of the series; the month of a flux scatters about it, which no muon tells
            i = found.parameters.index(SOLAR)
            covariance[i, i] += MONTH_MV**2
            prior[i, i] += MONTH_MV**2
        return Calibration(
            self.table.name, found.parameters, np.sqrt(np.diag(prior)), found.values * found.sigma,
            covariance, prior, found.scale, record, arrays, None if self.grown is None else self.grown.modes,
        )  # fmt: skip


def load_calibration_table(path: Path) -> CalibrationTable:
    """Read and check a calibration's TOML file.

    Parameters
    ----------
    path : Path

    Returns
    -------
    CalibrationTable

    Raises
    ------
    InputError
        If it cannot be read or something in it is wrong.
    """
    if not path.is_file():
        raise InputError(f"{path}: no such calibration file")
    try:
        return CalibrationTable.model_validate(tomllib.loads(read_text(path)))
    except tomllib.TOMLDecodeError as problem:
        raise InputError(f"{path}: not valid TOML: {str(problem)[:200]}") from None
    except ValidationError as problem:
        raise InputError(f"{path}: {describe(problem)}") from None


def calibrate(
    table: CalibrationTable,
    folder: Path,
    work: Path,
    threads: int | None = None,
    say: Callable[[str], None] = lambda _: None,
) -> Calibrated:
    """Calibrate: simulate responses, fit, and simulate again at the new centre until it converges.

    Every response is a result file in ``work``; an interrupted calibration goes on from them, and the numbers are the
    same to the bit.

    Parameters
    ----------
    table : CalibrationTable
    folder : Path
        Folder in which relative paths of the table begin.
    work : Path
        Folder for the result files.
    threads : int, optional
        Of the runs.
    say : callable
        Takes lines of progress.

    Returns
    -------
    Calibrated

    Raises
    ------
    InputError
        If something does not fit together.
    RunError
        If a run failed or was interrupted.
    """
    measurements = tuple(load_measurement(name, folder) for name in table.measurements)
    names = [one.name for one in measurements]
    if len(set(names)) < len(names):
        raise InputError("measurements", ", ".join(names), "each name once")
    for key in (*table.responses, *table.primaries_of):
        if key not in names:
            raise InputError("responses, primaries_of", key, f"one of {', '.join(names)}")
    try:
        prior = prior_covariance(table.parameters, table.priors)
    except KeyError as problem:
        raise InputError("priors", str(problem), "a standard deviation: this parameter has none by default") from None
    centre = np.zeros(len(table.parameters))
    first: tuple[FittedSet, ...] = ()
    sets: tuple[FittedSet, ...] = ()
    beside: dict[str, CascadePoints] = {}
    ratios: dict[str, list[Ratios]] = {name: [] for name in names}
    steps: list[dict[str, Any]] = []
    files: dict[str, str] = {}
    while True:
        iteration = len(steps)
        before = sets
        beside = _cascade(measurements, table, work, centre, prior, iteration, say, beside)
        sets = tuple(
            _fitted_set(
                one, table, folder, work, centre, iteration, threads, files, say, beside.get(one.name), ratios[one.name]
            )
            for one in measurements
        )
        for one in sets:
            ratios[one.name] += [one.response.ratios] if one.response.ratios is not None else []
        first = first or sets
        agreement = [linear_agreement(old, new) for old, new in zip(before, sets, strict=True)] if before else []
        points = sum(len(one.data) for one in sets)
        per_point = sum(chi2 for chi2, _ in agreement) / points
        width = float(np.sqrt(sum(variance for _, variance in agreement))) / points
        sets, found, enlarged = fit_enlarged(sets, table.parameters, prior, table.enlarge_above)
        move = (found.values * found.sigma - centre) / (np.sqrt(np.diag(found.covariance)) * found.sigma)
        largest = int(np.argmax(np.abs(move)))
        noise = simulation_noise(sets, found)
        steps.append(
            {
                "iteration": iteration, "chi2": found.chi2_total, "dof": found.dof, "valid": found.valid,
                "largest_move": float(move[largest]), "parameter": table.parameters[largest],
                "linear_chi2_per_point": per_point if agreement else None,
                "linear_width": width if agreement else None,
                "noise": float(noise[largest]),
            }
        )  # fmt: skip
        say(
            f"iteration {iteration}: chi2 {found.chi2_total:.1f} of {found.dof} points; largest move "
            f"{move[largest]:+.2f} sigma ({table.parameters[largest]}), of which the statistics of the simulation "
            f"make {noise[largest]:.2f}"
            + (f"; runs about the linear prediction {per_point:.2f} +- {width:.2f}" if agreement else "")
        )
        stands = float(np.abs(move).max()) < table.tolerance
        given = all(name in table.responses for name in names)
        if stands or given or len(steps) >= table.iterations:
            break
        centre = _inside(table.parameters, found.values * found.sigma)
    neutrinos, without = beside.get(NEUTRINOS), left_out(sets, found)
    grown = None
    if table.truths and neutrinos is not None:
        from sim3d.calibration.truths import grow_by_truths

        say(f"other truths: {', '.join(table.truths)}")
        moved = {name: values for name, (values, _) in without.items()}
        grown = grow_by_truths(table.truths, measurements, _models(table), sets, found, prior, neutrinos, moved)
    return Calibrated(table, measurements, first, sets, found, without, steps, files, enlarged, neutrinos, grown)


def _inside(names: tuple[str, ...], values: Array) -> Array:
    """Move values into the allowed ranges, and round them to 12 digits, as a run's configuration holds them."""
    low, high = np.array([allowed_range(name) for name in names]).T
    return np.array([float(f"{value:.12g}") for value in np.clip(values, low, high)])


def linear_agreement(old: FittedSet, new: FittedSet) -> tuple[float, float]:
    """chi2 of a fresh prediction about the linear one of the step before, and its variance.

    Errors are those of both, point by point: the covariance of the points of a run cannot be inverted, as it comes from
    fewer groups of batches than points, and points closer than the bins of the run share bins. A variance from n
    degrees of freedom makes squared pulls too large by n / (n - 2) in the mean, which is divided out; then the
    variance of each is 2 (n - 1) / (n - 4). Points share primaries, so that the variance of the sum is larger than that
    of independent ones (:func:`sim3d.calibration.predictions.squared_correlations`).

    Parameters
    ----------
    old, new : FittedSet
        Of two iterations, with independent runs.

    Returns
    -------
    chi2 : float
        With the number of points as its mean.
    variance : float
    """
    linear = np.log(old.response.values) + old.response.slopes @ (new.centre - old.centre)
    values, covariance = new.response.simulated or (new.response.values, new.response.covariance)
    parts = np.diag(old.response.covariance), np.diag(covariance)
    freedom = (N_GROUPS - 1) * (parts[0] + parts[1]) ** 2 / (parts[0] ** 2 + parts[1] ** 2)  # Welch and Satterthwaite
    pulls = (np.log(values) - linear) ** 2 / (parts[0] + parts[1]) * (1.0 - 2.0 / freedom)
    tails = float(np.mean((freedom - 1.0) / (freedom - 4.0)))
    return float(pulls.sum()), 2.0 * tails * squared_correlations(old.response.covariance + covariance, N_GROUPS)


def _cascade(
    measurements: tuple[Measurement, ...], table: CalibrationTable, work: Path, centre: Array, prior: Array,
    iteration: int, say: Callable[[str], None], before: dict[str, CascadePoints],
) -> dict[str, CascadePoints]:  # fmt: skip
    """Fluxes of the cascade equations at the centre, kept in the folder of the runs; none if runs alone are used.

    After ``table.derivatives`` iterations the derivatives are those of the iteration before.
    """
    if table.method != "cascade":
        return {}
    # only where they are used: the solver takes a second to import
    from sim3d.calibration.cascade_muons import CascadeMuons, points_key, read_points, write_points

    model = _models(table)
    kept = before if iteration >= table.derivatives else None
    key = points_key(measurements, model, table.parameters, centre, kept)
    path = work / f"cascade-{iteration}.npz"
    found = read_points(path, key)
    if found is None:
        say("cascade equations")
        values = dict(zip(table.parameters, centre.tolist(), strict=True))
        found = CascadeMuons(measurements, model).points(table.parameters, values, np.sqrt(np.diag(prior)), kept)
        work.mkdir(parents=True, exist_ok=True)
        write_points(path, key, found)
    return found


def _models(table: CalibrationTable) -> dict[str, Any]:
    return {**table.model.model_dump(), "highest_GeV": highest_energy_GeV(table.model.primaries)}


def _fitted_set(
    measurement: Measurement, table: CalibrationTable, folder: Path, work: Path, centre: Array, iteration: int,
    threads: int | None, files: dict[str, str], say: Callable[[str], None], cascade: CascadePoints | None,
    earlier: list[Ratios],
) -> FittedSet:  # fmt: skip
    name = measurement.name
    if name in table.responses:
        path = folder / table.responses[name].file
        if not path.is_file():
            raise InputError(f"responses.{name}.file: {path}: no such file")
        digest = verify_result(path)["data_sha256"]
        if digest != table.responses[name].sha256:
            raise InputError(
                f"responses.{name}.sha256", table.responses[name].sha256, f"{digest}, of the data in {path}"
            )
    else:
        config = response_configuration(measurement, table, centre, iteration)
        work.mkdir(parents=True, exist_ok=True)
        path = work / f"{name}-{iteration}.h5"
        say(f"{name}: {config.run.primaries} primaries")
        outcome = run_to_file(config, path, threads=threads, resume=True)
        if outcome != "complete":
            raise RunError(f"{path}: the run was stopped ({outcome}); the same command goes on from there")
        digest = verify_result(path)["data_sha256"]
    files[f"{name}-{iteration}"] = digest
    result = load(path)
    if calibration_of(result.record.config) is not None:
        raise InputError(
            f"responses.{name}.file: {path}: the run is calibrated itself; make it with [calibration] "
            f'name = "{NO_CALIBRATION}"'
        )
    own = np.array([result.record.config.vary.get(one, 0.0) for one in table.parameters])
    if cascade is not None and not np.array_equal(own, centre):
        raise InputError(
            f"responses.{name}.file: {path}: the run is at other values of the parameters than this iteration, whose "
            'cascade equations would not fit to it; take method = "simulation"'
        )
    primaries = result.record.config.run.primaries
    found = response(measurement, muon_gradients(result), table.parameters, cascade, earlier, primaries)
    sizes = [len(each.value) for each in measurement.points]
    covariance = np.zeros((sum(sizes), sum(sizes)))
    ends = np.cumsum([0, *sizes])
    for each, (a, b) in zip(measurement.points, itertools.pairwise(ends.tolist()), strict=True):
        covariance[a:b, a:b] = each.covariance
    return FittedSet(
        found, own, np.concatenate([each.value for each in measurement.points]), covariance,
        tuple(one.name for one in measurement.table.nuisances),
        tuple((each.table.name, size) for each, size in zip(measurement.points, sizes, strict=True)),
    )  # fmt: skip


def response_configuration(
    measurement: Measurement, table: CalibrationTable, centre: Array, iteration: int = 0
) -> Config:
    """Make the configuration of the run for a response; its seed depends on the measurement and the iteration.

    Parameters
    ----------
    measurement : Measurement
    table : CalibrationTable
    centre : float64 array (parameters,)
        Own units.
    iteration : int

    Returns
    -------
    Config
    """
    model = _models(table)
    share = table.schedule[min(iteration, len(table.schedule) - 1)]
    primaries = max(1000, round(share * table.primaries_of.get(measurement.name, table.primaries)))
    number = int(hashlib.sha256(measurement.name.encode()).hexdigest()[:6], 16)
    # with the cascade equations a run gives fluxes alone; the Sun's derivative costs nothing
    gradients = (SOLAR,) if table.method == "cascade" else table.parameters
    return run_configuration(
        measurement, model, gradients, dict(zip(table.parameters, centre.tolist(), strict=True)),
        primaries, table.seed + 7919 * number + iteration,
    )  # fmt: skip
