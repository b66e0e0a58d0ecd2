"""Measure what a fit to a million events costs: fluxes with azimuth, and a likelihood with its gradient."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import numpy as np

from sim3d.files.flux_table import FluxTable
from sim3d.flux.interpolated import Flux
from sim3d.measurement.binning import Binning, category_axis, cos_axis, log_axis
from sim3d.measurement.fit import Likelihood
from sim3d.measurement.model import Component, Model, Slopes
from sim3d.measurement.parameters import Parameter, Prior
from sim3d.measurement.samples import Sample

Row = dict[str, Any]
EVENTS, NUISANCES = 1_000_000, 40


def _best(function: Callable[[], object], repeats: int = 5) -> float:
    """CPU seconds of a call, best of some, after one that is not counted."""
    function()
    times = []
    for _ in range(repeats):
        started = time.process_time()
        function()
        times.append(time.process_time() - started)
    return min(times)


def _flux() -> Flux:
    """A smooth made-up flux in Honda's bins with azimuth."""
    edges = 10 ** (np.arange(102) / 20 - 1.025)
    energy, cos, azimuth = np.sqrt(edges[1:] * edges[:-1]), np.linspace(-1, 1, 21), np.linspace(0, 360, 13)
    turn = 1.0 - 0.3 * np.sin(np.radians(0.5 * (azimuth[1:] + azimuth[:-1])))
    up = 1.0 + 0.2 * (cos[1:] + cos[:-1])
    values = np.arange(1.0, 5.0)[:, None, None, None] * energy[:, None, None] ** -3.2 * up[:, None] * turn
    table = FluxTable(values, None, energy, edges, "bins", cos, azimuth, "made", "made")
    return Flux(table.azimuth_average(), table)


def with_errors() -> list[Row]:
    """Measure fluxes with a covariance: the site of Kamioka, whose parameters are those of the shipped calibration.

    Returns
    -------
    list of dict
    """
    flux, rng = Flux.site("kamioka"), np.random.default_rng(2)
    point = ("numu", 10 ** rng.uniform(-0.5, 3.0, EVENTS), rng.uniform(-1.0, 1.0, EVENTS), rng.uniform(0, 360, EVENTS))
    n = len(flux.parameters)

    def all_of_them() -> None:
        flux.flux(*point)
        flux.derivatives(*point)
        flux.error(*point, kind="model")

    name = f"fluxes with azimuth, model errors and {n} derivatives at a million points"
    return [{"name": name, "value": _best(all_of_them, 3), "target": 2.0}]


def rows() -> list[Row]:
    """Measure on one thread; targets are CPU seconds.

    Returns
    -------
    list of dict
    """
    rng = np.random.default_rng(1)
    energy, cos = 10 ** rng.uniform(0.0, 4.0, EVENTS), rng.uniform(-1.0, 1.0, EVENTS)
    columns = {
        "energy_GeV": energy,
        "cos_zenith": cos,
        "azimuth_deg": rng.uniform(0.0, 360.0, EVENTS),
        "pdg": rng.choice([12, -12, 14, -14], EVENTS),
        "kind": rng.integers(0, 2, EVENTS),
    }
    sample, flux = Sample(columns), _flux()
    point = tuple(sample.role(name) for name in ("pdg", "energy_GeV", "cos_zenith", "azimuth_deg"))
    fluxes = _best(lambda: flux.flux(*point))

    x = np.log(energy / 100.0)
    size = 0.1 * rng.normal(size=(2, NUISANCES))
    names = tuple(f"nuisance {i}" for i in range(NUISANCES))
    slopes = Slopes(names, lambda at: x[at, None] * size[0] * 0.1 + cos[at, None] * size[1])
    nuisances = tuple(Parameter(name, 0.0) for name in names)
    prior = Prior.of(names, np.zeros(NUISANCES), np.eye(NUISANCES))
    steep, flat = 1e-3 * np.exp(-2.2 * x), 1e-4 * np.exp(-x)
    air = Component(
        "air", sample, steep, (Parameter("N_air", 1.0), *nuisances), ("N_air",), slopes=slopes, priors=(prior,)
    )
    far = Component("far", sample, flat, (Parameter("N_far", 1.0), Parameter("gamma", 2.5)), ("N_far",), {"gamma": -x})
    axes = (log_axis("energy_GeV", 1.0, 1e4, 20), cos_axis("cos_zenith", 10), category_axis("kind", [0, 1]))
    model = Model(Binning(*axes), [air, far])
    found: list[Row] = [
        {"name": "fluxes with azimuth at a million events", "value": fluxes, "target": 0.3},
    ]
    for kind in ("poisson", "effective"):
        like = Likelihood(model, model.asimov(), kind)  # type: ignore[arg-type]
        start = model.parameters.array()
        spent = _best(lambda like=like, start=start: like.evaluate(start + 0.01 * rng.normal(size=len(start))), 10)
        found.append({"name": f"{kind} likelihood and gradient, a million events", "value": spent, "target": 0.05})
    return [
        row
        | {
            "unit": "CPU s",
            "peer": "target",
            "ratio": row["value"] / row["target"],
            "met": row["value"] <= row["target"],
        }
        for row in [*found, *with_errors()]
    ]
