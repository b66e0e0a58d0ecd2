"""Potentials by name and by date."""

import pytest

from sim3d.config.load import make_config
from sim3d.primaries.build import primary_model
from sim3d.primaries.groups import PrimaryInputError
from sim3d.primaries.solar import FIT_MONTH, SOLAR_POTENTIAL_MV, SolarInputError, monthly_potentials, potential_by_date
from sim3d.simulation.setup import make_setup


def test_table_is_whole():
    """All months from February 1951 to December 2024; values as printed by Usoskin et al. for some of them."""
    table = monthly_potentials()
    assert len(table) == 12 * 74 - 1
    assert min(table) == (1951, 2)
    assert max(table) == (2024, 12)
    assert (table[1998, 7], table[2009, 7], table[2002, 8], table[1997, 7]) == (554.0, 393.0, 889.0, 499.0)
    assert all(300.0 < value < 1500.0 for value in table.values())


def test_the_month_of_the_fit_changes_nothing():
    """July 1998 by date is the potential of the fit, bit by bit."""
    date = f"{FIT_MONTH[0]}-{FIT_MONTH[1]:02d}-20"
    assert potential_by_date(date)[0] == SOLAR_POTENTIAL_MV["fit"]
    by_date, by_name = primary_model("ghls2001-average", "date", date), primary_model()
    assert float(by_date.nucleon_flux(3.0)) == float(by_name.nucleon_flux(3.0))


def test_only_differences_of_one_series_are_used():
    """August 2002 is 335 MV above July 1998 in this series."""
    potential, words = potential_by_date("2002-08-01")
    assert potential == 591.0 + 889.0 - 554.0
    assert "+335 MV" in words
    assert "Usoskin" in words


@pytest.mark.parametrize("date", ["1951-01-31", "2025-01-01"])
def test_months_without_potential(date):
    """One line that says what there is."""
    with pytest.raises(SolarInputError, match="1951-02 to 2024-12"):
        potential_by_date(date)
    config = make_config({"sites": [{"name": "sno"}], "field": {"date": date}, "primaries": {"solar": "date"}})
    with pytest.raises(SolarInputError, match=r"primaries\.solar.*solar_potential_MV"):
        make_setup(config)


def test_date_reaches_the_run():
    """solar = "date" takes the month of field.date."""
    config = make_config({"sites": [{"name": "sno"}], "field": {"date": "2009-07-04"}, "primaries": {"solar": "date"}})
    setup = make_setup(config)
    assert setup.primaries.solar_potential_MV == 430.0
    assert setup.source.spectrum.delta_GV == pytest.approx(-0.161)


def test_a_date_is_needed():
    """From Python."""
    with pytest.raises(PrimaryInputError, match="needs a date"):
        primary_model("ghls2001-average", "date")
