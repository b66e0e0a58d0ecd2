"""Primary nucleons in bins: the model's all-nucleon flux, neutrons of nuclei, cutoffs."""

from __future__ import annotations

import numpy as np
import pytest

from geomag.cutoffs.cutoff import CutoffTracer
from geomag.field.igrf import FieldModel
from sim3d.cascade.energies import make_grid
from sim3d.cascade.primaries import no_cutoff, primary_nucleons, sharp_cutoff, sky_cutoff
from sim3d.errors import InputError
from sim3d.primaries.build import primary_model
from sim3d.primaries.groups import NUCLEON_MASS_GEV


@pytest.fixture(scope="module")
def model():
    return primary_model("ghls2001-average")


def test_nucleons_are_those_of_the_model(model):
    grid = make_grid(0.1, 1e4, 20)
    protons, neutrons = primary_nucleons(model, grid, no_cutoff())
    i = int(np.argmin(np.abs(grid.centres_GeV - 20.0)))
    fine = np.geomspace(grid.edges_GeV[i], grid.edges_GeV[i + 1], 201)
    assert protons[i] + neutrons[i] == pytest.approx(np.trapezoid(model.nucleon_flux(fine), fine), rel=1e-4)
    # all neutrons are bound: half the nucleons of helium and CNO
    assert 0.05 < neutrons[i] / protons[i] < 0.2


def test_a_cutoff_acts_on_rigidity(model):
    """Below the cutoff of protons there are nuclei, whose rigidity is twice as high, and no free protons."""
    grid = make_grid(0.1, 1e4, 20)
    open_sky, cut = (primary_nucleons(model, grid, one) for one in (no_cutoff(), sharp_cutoff(12.0)))
    kinetic = np.hypot(12.0, NUCLEON_MASS_GEV) - NUCLEON_MASS_GEV
    between = (grid.edges_GeV[1:] < kinetic) & (grid.edges_GeV[:-1] > 6.0)
    np.testing.assert_allclose(cut[0][between] / cut[1][between], 7.0 / 7.0, rtol=0.15)
    above = grid.edges_GeV[:-1] > 1.02 * kinetic
    np.testing.assert_array_equal(cut[0][above], open_sky[0][above])
    assert cut[0][grid.edges_GeV[1:] < 5.0].sum() == 0.0


def test_energies_outside_the_range_are_left_out(model):
    grid = make_grid(0.1, 1e4, 10)
    protons, _ = primary_nucleons(model, grid, energy_GeV=(1.0, 100.0))
    assert protons[grid.edges_GeV[1:] <= 0.999].sum() == 0.0
    assert protons[grid.edges_GeV[:-1] >= 100.1].sum() == 0.0


def test_cutoffs_out_of_range_are_refused():
    with pytest.raises(InputError, match="cutoff"):
        sharp_cutoff(-1.0)


def test_the_sky_straight_above_is_the_penumbra_of_the_place():
    """All azimuths are one direction at the zenith: allowed above its upper cutoff, forbidden below its lower one."""
    found = sky_cutoff(36.4257, 137.3103, "2020-01-01", 1.0, 2)
    traced = CutoffTracer(36.4257, 137.3103, field=FieldModel("2020-01-01"), step_GV=0.1).cutoff()
    rigidity = np.array([traced.lower_GV - 0.3, traced.upper_GV + 0.3, 80.0])
    np.testing.assert_array_equal(found.share(rigidity), [0.0, 1.0, 1.0])
