"""One-dimensional flux in the bins of a run's tables: the cascade equations of one direction, and coarse steps."""

import numpy as np
import pytest

from sim3d.cascade.energies import LOWEST_GEV, make_grid
from sim3d.cascade.flux import Place, solve_places
from sim3d.cascade.primaries import no_cutoff
from sim3d.cascade.solver import CascadeSolver
from sim3d.config.load import make_config
from sim3d.conventions.flavours import FLAVOURS
from sim3d.flux.interpolated import Flux
from sim3d.simulation.calibrated import run_values
from sim3d.simulation.setup import make_atmosphere, make_primaries
from sim3d.simulation.variation import run_hadronic
from sim3d.studies import run_shape

EDGES = 10.0 ** np.linspace(-1.0, 4.0, 26)
COS_EDGES = np.linspace(-1.0, 1.0, 41)


@pytest.fixture(scope="module")
def config():
    return make_config({"sites": [{"name": "sno"}], "run": {"primaries": 20_000}})


def test_the_shape_is_the_flux_of_the_cascade_equations(config):
    shape = run_shape.flux_shape(config, 1000.0, EDGES, COS_EDGES)
    assert shape.shape == (4, 25, 40)
    assert np.all(shape > 0.0)
    hadronic = run_hadronic(config.hadronic.model, config.hadronic.definition, None, run_values(config))
    air, primaries = make_atmosphere(config), make_primaries(config)
    solver = CascadeSolver(hadronic.tables, make_grid(LOWEST_GEV, 1e8, 20))
    places = [Place(c, air, primaries, height, no_cutoff()) for c, height in ((0.625, 1.0), (0.625, 0.0))]
    down, up = solve_places(solver, places)
    for f, flavour in enumerate(FLAVOURS):
        for found, column in ((down, 32), (up, 7)):
            ratio = shape[f, :, column] / found.mean_flux(flavour, EDGES[:-1], EDGES[1:])
            np.testing.assert_allclose(ratio, 1.0, atol=0.012)
    # muons that would decay in the last kilometre of air do so below the observer
    ratio = shape[2, 8:16, 32] / shape[2, 8:16, 7]
    assert np.all((ratio > 0.96) & (ratio < 0.99))


def test_the_shape_is_at_the_values_of_the_calibration(config):
    """The calibration changes it as the derivatives of simulated showers change the flux of the site (known to 1%)."""
    as_is = make_config({**config.model_dump(), "calibration": {"name": "none"}})
    edges, cosines = EDGES[16:22], np.array([0.0, 0.05, 0.25, 0.3, 0.95, 1.0])
    moved, plain = (run_shape.flux_shape(one, 0.0, edges, cosines)[:, :, ::2] for one in (config, as_is))
    found = np.log(moved / plain)
    middles = np.sqrt(edges[1:] * edges[:-1])[:, None]
    fluxes = [Flux.site("sno"), Flux.site("sno", calibration="none")]
    simulated = [[one.flux(flavour, middles, [0.025, 0.275, 0.975]) for flavour in FLAVOURS] for one in fluxes]
    expected = np.log(np.array(simulated[0]) / np.array(simulated[1]))
    assert np.ptp(expected) > 0.08
    np.testing.assert_allclose(found, expected, atol=0.025)


def test_no_shape_where_the_primaries_end(config):
    low = make_config(
        {"sites": [{"name": "sno"}], "run": {"primaries": 20_000}, "primaries": {"energy_GeV": [0.5, 1e3]}}
    )

    class Result:
        record = type("Record", (), {"config": low})
        sites = {"sno": type("Site", (), {"altitude_m": 0.0})}  # noqa: RUF012

        def binning_energy_edges(self, name):
            return EDGES

        def binning_cos_edges(self, name):
            return COS_EDGES

    assert run_shape.shape_of_result(Result(), "sno", "honda") is None
