"""Units of fluxes: every notation of one unit gives one factor; anything else is refused by name."""

import math

import pytest

from sim3d.conventions.flux_units import find_flux_units, parse_flux_unit
from sim3d.errors import InputError


@pytest.mark.parametrize(
    "text",
    [
        *("m^-2 s^-1 sr^-1 GeV^-1", "(m^2 sec sr GeV)^-1", "1/(m2 s sr GeV)", "/m^2/s/sr/GeV", "m-2 s-1 sr-1 GeV-1"),
        *("per m2 per s per sr per GeV", "m**-2 s**-1 sr**-1 GeV**-1", "m^{-2} s^{-1} sr^{-1} GeV^{-1}"),
        *("m⁻² s⁻¹ sr⁻¹ GeV⁻¹", "GeV^-1 m^-2 s^-1 sr^-1", "[m^-2·s^-1·sr^-1·GeV^-1]", "m^(-2) s^(-1) sr^(-1) GeV^(-1)"),
    ],
)
def test_one_unit_in_many_notations(text):
    unit = parse_flux_unit(text)
    assert unit.factor == 1.0
    assert (unit.area, unit.assumed) == ("m^-2", "")


@pytest.mark.parametrize(
    ("text", "factor"),
    [
        ("cm^-2 s^-1 sr^-1 GeV^-1", 1e4),
        ("m^-2 s^-1 sr^-1 MeV^-1", 1e3),
        ("cm^-2 s^-1 sr^-1 MeV^-1", 1e7),
        ("m^-2 s^-1 sr^-1 TeV^-1", 1e-3),
        ("km^-2 s^-1 sr^-1 GeV^-1", 1e-6),
        ("m^-2 day^-1 sr^-1 GeV^-1", 1 / 86400),
        ("m^-2 yr^-1 sr^-1 GeV^-1", 1 / (365.25 * 86400)),
        ("1/(cm2 s sr eV)", 1e13),
    ],
)
def test_factors(text, factor):
    assert parse_flux_unit(text).factor == pytest.approx(factor, rel=1e-14)


def test_parts_that_are_left_out():
    assert parse_flux_unit("cm^-2").assumed == "s^-1 sr^-1 GeV^-1"
    assert parse_flux_unit("cm^-2 s^-1").assumed == "sr^-1 GeV^-1"
    assert math.isclose(parse_flux_unit("cm^-2 s^-1 MeV^-1").factor, 1e7)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("GeV cm^-2 s^-1 sr^-1", r"a flux times E\^2"),
        ("GeV^2 m^-2 s^-1 sr^-1", r"a flux times E\^3"),
        ("m^-2 s^-1 sr^-1", "an integral over energy"),
        ("1/m^2 s sr GeV", "not clear what is divided"),
        ("per m^2 s sr GeV", "not clear what is divided"),
        ("m^2", "no flux per area"),
        ("GeV^-1", "no flux per area"),
        ("", "no flux per area"),
        ("furlong^-2 s^-1", "'furlong' is no unit of a flux"),
        ("m^-2 s^-2 sr^-1 GeV^-1", r"a power -2 where s\^-1 is needed"),
        ("m^-2 s^-1 sr^-1 GeV^-2", r"a power -2 where GeV\^-1 is needed"),
        ("(m^2 s", "a bracket is not closed"),
        ("m^-2 )", "cannot be read beyond"),
        ("^-2", "is out of place"),
        ("m^-2 ;", "';' is not understood"),
    ],
)
def test_refused_by_name(text, message):
    with pytest.raises(InputError, match=message) as caught:
        parse_flux_unit(text)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("# flux in cm^-2 s^-1 sr^-1 MeV^-1; cos_zenith > 0 is down-going", ["cm^-2 s^-1 sr^-1 MeV^-1"]),
        (" Enu(GeV)   NuMu  NuMubar  NuE  NuEbar  (m^2 sec sr GeV)^-1", ["(m^2 sec sr GeV)^-1"]),
        ("# given per cm^2 per s per sr per MeV, by Nobody", ["per cm^2 per s per sr per MeV"]),
        ("# cm^-2 or m^-2", ["cm^-2", "m^-2"]),
        ("# energies in GeV, 20 per decade, 5 m above the sea", []),
    ],
)
def test_units_in_a_sentence(line, found):
    assert find_flux_units(line) == found
