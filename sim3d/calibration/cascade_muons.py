"""Muons of measurements, and neutrinos, by the cascade equations, with their derivatives by all parameters.

The air, the Sun, the level and the hadronic model are those of the run that simulates the measurement. The cutoff is
the effective vertical one, all muons fly straight, and an acceptance is averaged by two points of Gauss's rule (its
middle where it is narrow). What that leaves out is small above a few GeV/c and smooth in momentum:
:mod:`sim3d.calibration.control` takes it from the simulation. Neutrinos at sea level, under a cutoff of 6 GV, show what
a fit does to them (:mod:`sim3d.calibration.growth`).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np

from atmosphere.layers import linsley
from hadronic.models import load_model
from sim3d.calibration.control import CascadePoints
from sim3d.calibration.measurements import Measurement
from sim3d.calibration.neutrino_points import NEUTRINO_COSINES, NEUTRINO_CUTOFF_GV, NEUTRINO_GEV, NEUTRINOS
from sim3d.calibration.predictions import DEPTH_STEP_KM, run_configuration
from sim3d.cascade.energies import make_grid
from sim3d.cascade.flux import CascadeFlux, Place, mean_over, solve_places
from sim3d.cascade.path import DEPTH_STEP_G_CM2
from sim3d.cascade.primaries import no_cutoff, sharp_cutoff, vertical_cutoff
from sim3d.cascade.solver import CascadeSolver
from sim3d.config.parameters import CLASS_OF
from sim3d.conventions.arrays import Array
from sim3d.conventions.flavours import FLAVOURS
from sim3d.files.atomic_files import write_bytes
from sim3d.primaries.build import primary_model
from sim3d.simulation.setup import make_atmosphere, make_primaries
from sim3d.simulation.variation import varied_hadronic, varied_primaries

LOWEST_GEV, HIGHEST_GEV, BINS_PER_DECADE = 0.1, 1.0e7, 10
"""Grid of kinetic energies: from below the lowest muons to a thousand times the highest momenta measured."""
COARSE_STEP_G_CM2 = 25.0
"""Steps of depth for derivatives, in which their error cancels."""
NARROW = 0.03
"""Width of an acceptance in the cosine up to which its middle stands for it."""
SOLAR_STEP_MV, LARGEST_STEP, STEP_SHARE = 20.0, 0.05, 0.5
"""Steps of finite differences: of the Sun, the largest of others, and the share of a prior's error that they are."""
PARTS = ("charges", "higher", "slopes")
_GAUSS = 0.5 / 3.0**0.5

Fluxes = dict[tuple[str, tuple[float, float]], CascadeFlux]
"""By measurement and acceptance."""


class CascadeMuons:
    """Muons of all measurements, for any values of the parameters.

    Parameters
    ----------
    measurements : sequence of Measurement
    model : mapping
        Names of the models, as for :func:`sim3d.calibration.predictions.run_configuration`.
    """

    def __init__(self, measurements: Sequence[Measurement], model: Mapping[str, Any]) -> None:
        self.measurements = tuple(measurements)
        self.grid = make_grid(LOWEST_GEV, HIGHEST_GEV, BINS_PER_DECADE)
        self._conditions = []
        for one in self.measurements:
            where = one.table.conditions
            config = run_configuration(one, model, (), {}, 1000, 0)
            air, spectrum = make_atmosphere(config), make_primaries(config)
            height = where.altitude_m * 1e-3 if where.depth_g_cm2 is None else float(air.height(where.depth_g_cm2))
            cutoff = vertical_cutoff(where.lat, where.lon, where.date) if where.cutoff else no_cutoff()
            for cosines in sorted({each for points in one.points for each in points.cos_zenith}):
                self._conditions.append((one.name, cosines, air, height, cutoff, spectrum))
        spectrum = primary_model(model["primaries"], "fit", None, None)
        for cosine in NEUTRINO_COSINES:
            under = sharp_cutoff(NEUTRINO_CUTOFF_GV)
            self._conditions.append((NEUTRINOS, (cosine, cosine), linsley(), 0.0, under, spectrum))
        self.hadronic = load_model(config.hadronic.model, config.hadronic.definition, config.hadronic.table)
        self._kept: tuple[tuple[tuple[str, float], ...], CascadeSolver] | None = None

    def fluxes(
        self, values: Mapping[str, float], higher_km: float = 0.0, depth_step_g_cm2: float = DEPTH_STEP_G_CM2
    ) -> Fluxes:
        """Solve the equations for all measurements.

        Parameters
        ----------
        values : mapping
            Of parameters that are not 0.
        higher_km : float
            Height of all observers above their own.
        depth_step_g_cm2 : float
            Largest step.

        Returns
        -------
        dict of CascadeFlux
        """
        own = {name: v for name, v in values.items() if v != 0.0 and CLASS_OF[name] in ("yields", "cross-sections")}
        rest = {name: v for name, v in values.items() if v != 0.0 and CLASS_OF[name] in ("primaries", "solar")}
        places, keys = [], []
        for name, (low, high), air, height, cutoff, spectrum in self._conditions:
            primaries = varied_primaries(spectrum, rest)
            for part in (-_GAUSS, _GAUSS) if high - low > NARROW else (0.0,):
                cosine = 0.5 * (low + high) + part * (high - low)
                places.append(Place(cosine, air, primaries, height + higher_km, cutoff))
                keys.append((name, (low, high)))
        found = solve_places(self._solver(own), places, depth_step_g_cm2=depth_step_g_cm2)
        out: Fluxes = {}
        for key in dict.fromkeys(keys):
            parts = [one for other, one in zip(keys, found, strict=True) if other == key]
            out[key] = mean_over(parts, [1.0] * len(parts))
        return out

    def _solver(self, own: Mapping[str, float]) -> CascadeSolver:
        key = tuple(sorted(own.items()))
        if self._kept is None or self._kept[0] != key:
            self._kept = key, CascadeSolver(varied_hadronic(self.hadronic, own).tables, self.grid)
        return self._kept[1]

    def points(
        self,
        names: Sequence[str],
        values: Mapping[str, float],
        sigma: Array,
        known: Mapping[str, CascadePoints] | None = None,
    ) -> dict[str, CascadePoints]:
        """Compute the fluxes at all points, and their derivatives.

        Parameters
        ----------
        names : sequence of str
            Parameters.
        values : mapping
            Where the derivatives are taken.
        sigma : float64 array (parameters,)
            Errors of the priors, which set the steps.
        known : mapping, optional
            Points at other values, whose derivatives are kept.

        Returns
        -------
        dict of CascadePoints
            By measurement, and under :data:`NEUTRINOS` those of neutrinos by flavour.
        """
        base, higher = self.fluxes(values), self.fluxes(values, DEPTH_STEP_KM)
        slopes = self.slopes(names, values, sigma) if known is None else {key: one.slopes for key, one in known.items()}
        out = {
            one.name: CascadePoints(charges_at(one, base), charges_at(one, higher), slopes[one.name])
            for one in self.measurements
        }
        neutrinos = neutrinos_at(base)
        out[NEUTRINOS] = CascadePoints(neutrinos, neutrinos, slopes[NEUTRINOS])
        return out

    def slopes(self, names: Sequence[str], values: Mapping[str, float], sigma: Array) -> dict[str, Array]:
        """Compute the derivatives of ln(flux), by finite differences.

        Parameters
        ----------
        names, values, sigma
            As for :meth:`points`.

        Returns
        -------
        dict of float64 arrays (2, points, parameters)
            By measurement.
        """
        base = self.fluxes(values, depth_step_g_cm2=COARSE_STEP_G_CM2)
        start = self._logs(base)
        out = {name: np.zeros((*each.shape, len(names))) for name, each in start.items()}
        # primaries first: they share the yields of the centre
        for i in sorted(range(len(names)), key=lambda i: CLASS_OF[names[i]] not in ("primaries", "solar")):
            name = names[i]
            if CLASS_OF[name] == "angles":
                continue
            step = SOLAR_STEP_MV if name == "solar:MV" else min(STEP_SHARE * float(sigma[i]), LARGEST_STEP)
            moved = self.fluxes({**values, name: values.get(name, 0.0) + step}, depth_step_g_cm2=COARSE_STEP_G_CM2)
            for key, logs in self._logs(moved).items():
                out[key][..., i] = (logs - start[key]) / step
        return out

    def _logs(self, fluxes: Fluxes) -> dict[str, Array]:
        found = {one.name: np.log(charges_at(one, fluxes)) for one in self.measurements}
        return {**found, NEUTRINOS: np.log(neutrinos_at(fluxes))}


def neutrinos_at(fluxes: Fluxes) -> Array:
    """Collect the fluxes of neutrinos at :data:`NEUTRINO_GEV` and :data:`NEUTRINO_COSINES`.

    Parameters
    ----------
    fluxes : dict of CascadeFlux

    Returns
    -------
    float64 array (flavours, energies times cosines)
    """
    by_cosine = [fluxes[NEUTRINOS, (c, c)] for c in NEUTRINO_COSINES]
    return np.array(
        [np.stack([one.flux(each, np.array(NEUTRINO_GEV)) for one in by_cosine], axis=-1).ravel() for each in FLAVOURS]
    )


def charges_at(measurement: Measurement, fluxes: Fluxes) -> Array:
    """Compute the fluxes of mu+ and mu- at all points of a measurement.

    Parameters
    ----------
    measurement : Measurement
    fluxes : dict of CascadeFlux

    Returns
    -------
    float64 array (2, points)
    """
    out = []
    for points in measurement.points:
        here = np.empty((2, len(points.value)))
        for i, cosines in enumerate(points.cos_zenith):
            flux = fluxes[measurement.name, cosines]
            for k, charge in enumerate(("mu+", "mu-")):
                if points.is_bin:
                    here[k, i] = flux.mean_flux(charge, points.low_GeV[i], points.high_GeV[i])
                else:
                    here[k, i] = flux.flux(charge, points.at_GeV[i])
        out.append(here)
    return np.concatenate(out, axis=1)


def points_key(
    measurements: Sequence[Measurement],
    model: Mapping[str, Any],
    names: Sequence[str],
    centre: Array,
    kept: Mapping[str, CascadePoints] | None = None,
) -> str:
    """Make a digest of all that the points depend on.

    Parameters
    ----------
    measurements : sequence of Measurement
    model : mapping
    names : sequence of str
    centre : float64 array (parameters,)
    kept : mapping of CascadePoints, optional
        Points whose derivatives are used; by default the points have their own.

    Returns
    -------
    str
    """
    conditions = [
        (one.name, one.table.conditions.model_dump(), [each.at_GeV.tolist() for each in one.points])
        for one in measurements
    ]
    neutrinos = [NEUTRINO_GEV, NEUTRINO_COSINES, NEUTRINO_CUTOFF_GV]
    given = [version("sim3d"), conditions, dict(model), list(names), centre.tolist(), neutrinos]
    text = json.dumps(given, sort_keys=True)
    slopes = b"" if kept is None else b"".join(kept[name].slopes.tobytes() for name in sorted(kept))
    return hashlib.sha256(text.encode() + slopes).hexdigest()


def write_points(path: Path, key: str, points: Mapping[str, CascadePoints]) -> None:
    """Write points to a file of NumPy.

    Parameters
    ----------
    path : Path
    key : str
        From :func:`points_key`.
    points : mapping of CascadePoints
    """
    arrays = {f"{name}/{part}": getattr(one, part) for name, one in points.items() for part in PARTS}
    stream = BytesIO()
    np.savez(stream, key=np.array(key), **arrays)  # type: ignore[arg-type]
    write_bytes(path, stream.getvalue())


def read_points(path: Path, key: str) -> dict[str, CascadePoints] | None:
    """Read points from a file of :func:`write_points`.

    Parameters
    ----------
    path : Path
    key : str

    Returns
    -------
    dict of CascadePoints or None
        None if there is no file with this key.
    """
    if not path.is_file():
        return None
    with np.load(path) as data:
        if str(data["key"]) != key:
            return None
        names = {name.rpartition("/")[0] for name in data.files if "/" in name}
        return {name: CascadePoints(*(data[f"{name}/{part}"] for part in PARTS)) for name in sorted(names)}
