"""The Sun and the part of a flux that depends on azimuth: ratios of primaries between the cutoffs of a place."""

from __future__ import annotations

import numpy as np
import pytest
from made_site_flux import made

from geomag.cutoffs.whole_sky import whole_sky_map
from geomag.field.igrf import FieldModel
from sim3d.errors import InputError
from sim3d.primaries.build import primary_model
from sim3d.primaries.groups import GROUP_CHARGE, GROUP_MASS_NUMBER, GROUPS, NUCLEON_MASS_GEV
from sim3d.scoring.gradients import BINS
from sim3d.studies.site_tables import SitePlan, site_configuration
from sim3d.studies.sun_by_azimuth import azimuth_factors, nucleons, with_azimuth_factors

MODELS = {"hadronic": "accelerator", "primaries": "gsf:2026.1", "atmosphere": "us-standard"}
PLACE = {"name": "kamioka", "lat": 36.4, "lon": 137.3, "altitude_m": 0.0}
CONFIG = site_configuration(SitePlan(1000, ("2020-01-01",), (), MODELS, {}), PLACE, 0)
BASE_MV, OTHERS_MV = 600.0, (300.0, 600.0, 1050.0)


@pytest.fixture(scope="module")
def factors():
    return azimuth_factors(CONFIG, PLACE["lat"], PLACE["lon"], BASE_MV, OTHERS_MV)


def test_nucleons_by_rigidity():
    # the integral over rigidity is the sum of those over energy of all groups
    model, rigidity = primary_model("gsf:2026.1", BASE_MV), np.geomspace(10.0, 500.0, 2000)
    expected = 0.0
    for group, charge, mass_number in zip(GROUPS, GROUP_CHARGE, GROUP_MASS_NUMBER, strict=True):
        energy = np.hypot(rigidity * charge / mass_number, NUCLEON_MASS_GEV) - NUCLEON_MASS_GEV
        expected += mass_number * np.trapezoid(model.flux(group, energy), energy)
    assert np.trapezoid(nucleons(model, rigidity), rigidity) == pytest.approx(expected, rel=1e-4)


def test_no_change_at_the_base(factors):
    known = np.isfinite(factors[1])
    assert known.any()
    np.testing.assert_allclose(factors[1][known], 0.0, atol=1e-12)


def test_between_the_ratios_of_the_band(factors):
    sky = whole_sky_map(PLACE["lat"], PLACE["lon"], FieldModel("2020-01-01"), cell_deg=9.0, step_GV=0.5)
    base = primary_model("gsf:2026.1", BASE_MV)
    for k in (0, 2):
        other = primary_model("gsf:2026.1", OTHERS_MV[k])
        for i in range(20):
            # the cutoffs fall between nodes of the rigidities, whose bands reach beyond them
            band = np.geomspace(0.5 * sky.effective_GV[i].min(), 1.5 * sky.effective_GV[i].max(), 30)
            ratio = np.log(nucleons(other, band) / nucleons(base, band))
            here = factors[k, :, i][np.isfinite(factors[k, :, i])]
            assert np.all((here > ratio.min()) & (here < ratio.max()))


def test_weaker_for_higher_energies(factors):
    energy = BINS.energies_GeV
    low, high = (int(np.argmin(np.abs(energy - e))) for e in (0.3, 3.0))
    # neutrinos of higher energy come from the upper end of the band, which the Sun changes less
    level = slice(8, 12)
    assert np.all(factors[2, low, level] < factors[2, high, level])
    assert np.all(factors[0, low, level] > factors[0, high, level])
    # at 300 GeV the cutoffs do not matter
    assert np.all(np.isnan(factors[:, np.argmin(np.abs(energy - 300.0))]))


def test_a_site_without_configurations():
    with pytest.raises(InputError, match="kamioka: its record has no configuration"):
        with_azimuth_factors(made())


def test_added_to_a_site(factors):
    site = made()
    site.record["configurations"] = [CONFIG.model_dump(mode="json")]
    new = with_azimuth_factors(site)
    assert new.log_sun_azimuth.shape == (6, len(BINS.energies_GeV), 20)
    np.testing.assert_allclose(new.log_sun_azimuth[0], factors[0], rtol=1e-6, atol=1e-9)
