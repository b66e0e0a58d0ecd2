"""Potentials by name and by date."""

import numpy as np
import pytest

from sim3d.config.load import make_config
from sim3d.primaries.build import primary_model
from sim3d.primaries.groups import PrimaryInputError
from sim3d.primaries.solar import (
    CYCLE_SIGMA_MV,
    CYCLE_YEARS,
    FIT_MONTH,
    FIT_POTENTIAL_MV,
    NAMED_MONTHS,
    SolarInputError,
    month_in_series,
    monthly_potentials,
    potential_by_date,
)
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
    assert potential_by_date(date)[0] == FIT_POTENTIAL_MV
    by_date, by_name = primary_model("ghls2001-average", "date", date), primary_model("ghls2001-average")
    assert float(by_date.nucleon_flux(3.0)) == float(by_name.nucleon_flux(3.0))


def test_only_differences_of_one_series_are_used():
    """August 2002 is 335 MV above July 1998 in this series."""
    potential, words = potential_by_date("2002-08-01")
    assert potential == 591.0 + 889.0 - 554.0
    assert "+335 MV" in words
    assert "Usoskin" in words


def test_names_are_months():
    """BESS's flights of solar minimum and maximum in the model's own series: 390 MV apart (Usoskin), 413 (GSF)."""
    for name, (year, month) in NAMED_MONTHS.items():
        for model in ("ghls2001-average", "gsf:2026.1"):
            by_name, by_date = primary_model(model, name), primary_model(model, "date", f"{year}-{month:02d}-28")
            assert by_name.solar_potential_MV == by_date.solar_potential_MV
            assert by_name.solar == by_date.solar
            assert float(by_name.nucleon_flux(2.0)) == float(by_date.nucleon_flux(2.0))
    for model, span in (("ghls2001-average", 889.0 - 499.0), ("gsf:2026.1", 975.2 - 562.6)):
        found = [primary_model(model, name).solar_potential_MV for name in ("min", "max")]
        assert found[1] - found[0] == pytest.approx(span, abs=0.1)


def test_a_month_before_the_series():
    """Is refused with a choice, in one line."""
    date = "1951-01-31"
    with pytest.raises(SolarInputError, match="1951-02 to 2024-12"):
        potential_by_date(date)
    config = make_config({"sites": [{"name": "sno"}], "field": {"date": date}})
    with pytest.raises(SolarInputError, match=r"primaries\.solar.*1951-01.*1975-01 to 2025-12.*solar_potential_MV"):
        make_setup(config)


@pytest.mark.parametrize(("date", "month"), [("2025-01-01", (2014, 1)), ("2030-01-01", (2019, 1))])
def test_a_month_after_the_series(date, month):
    """Takes the value of one cycle before, and says so."""
    potential, words = potential_by_date(date)
    assert potential == FIT_POTENTIAL_MV + monthly_potentials()[month] - monthly_potentials()[FIT_MONTH]
    assert words.startswith(f"{month[0]}-01 (11 years before {date[:7]}, one sigma 190 MV)")


def test_several_cycles_after_the_series():
    assert month_in_series({(2000, 1): 1.0, (2000, 2): 2.0}, (2033, 2)) == (
        (2000, 2),
        "2000-02 (33 years before 2033-02, one sigma 190 MV)",
    )


def test_error_of_a_cycle():
    """The stated standard deviation is that of months a cycle apart in the series, within 20 MV; it is no small one."""
    from globalsplinefit import GSFKineticEnergyPerNucleon

    fit = GSFKineticEnergyPerNucleon(version="2026.1")
    own = {(y, m): 1e3 * v for y, values in fit.phi.items() for m, v in enumerate(values, 1) if np.isfinite(v)}
    for series, expected in ((own, 186.0), (monthly_potentials(), 168.0)):
        pairs = [(series[y, m], series[y - CYCLE_YEARS, m]) for y, m in series if (y - CYCLE_YEARS, m) in series]
        found = float(np.sqrt(np.mean(np.diff(pairs, axis=1) ** 2)))
        assert found == pytest.approx(expected, abs=1.0)
        assert found == pytest.approx(CYCLE_SIGMA_MV, abs=25.0)
        assert found == pytest.approx(np.std(list(series.values())), rel=0.05)


def test_date_reaches_the_run():
    """solar = "date" takes the month of field.date."""
    old = {"model": "ghls2001-average", "solar": "date"}
    setup = make_setup(make_config({"sites": [{"name": "sno"}], "field": {"date": "2009-07-04"}, "primaries": old}))
    assert setup.primaries.solar_potential_MV == 430.0
    assert setup.source.spectrum.delta_GV == pytest.approx(-0.161)


def test_a_run_follows_its_date():
    """Without a key: the month of field.date in the model's own series, said in the result."""
    config = make_config({"sites": [{"name": "sno"}], "field": {"date": "2009-07-04"}, "calibration": {"name": "none"}})
    setup = make_setup(config)
    assert config.primaries.solar == "date"
    assert setup.primaries.name == "gsf:2026.1"
    assert setup.primaries.solar_potential_MV == pytest.approx(591.0 + 454.5 - 635.2)
    assert setup.models["solar_modulation"].startswith("2009-07: 454 MV, -181 MV from 1998-07")


def test_a_date_is_needed():
    """From Python."""
    with pytest.raises(PrimaryInputError, match="needs a date"):
        primary_model("ghls2001-average", "date")
