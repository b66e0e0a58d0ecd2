"""Names of flavours: every usual spelling, PDG ids, and what is no flavour."""

import pytest

from sim3d.conventions.flavours import ALL_FLAVOURS, FLAVOUR_PDG_IDS, FLAVOURS, flavour_index, flavour_name
from sim3d.errors import InputError

SPELLINGS = {
    "numu": ["numu", "nu_mu", "NuMu", "NUMU", r"$\nu_\mu$", "νμ", "ν_µ", "14", " 14 ", 14, 14.0],
    "numubar": [
        *("numubar", "numu_bar", "nu_mu_bar", "NuMuBar", "NuMubar", "anumu", "antinumu", "anti_nu_mu", "anti-nu_mu"),
        *("nubar_mu", "nubarmu", r"$\bar{\nu}_\mu$", r"\overline{\nu}_{\mu}", "ν̄μ", "-14", -14),
    ],
    "nue": ["nue", "nu_e", "NuE", r"\nu_e", "νe", "+12", 12],
    "nuebar": ["nuebar", "nue_bar", "NuEBar", "anue", "anti_nu_e", "antinue", "nu_e_bar", "-12", -12],
    "nutau": ["nutau", "nu_tau", "16", 16],
    "nutaubar": ["nutaubar", "anutau", "nu_tau_bar", -16],
}


@pytest.mark.parametrize("name", SPELLINGS)
def test_spellings(name):
    for text in SPELLINGS[name]:
        assert flavour_name(text) == name, text
        assert flavour_index(text) == min(ALL_FLAVOURS.index(name), len(FLAVOURS))


@pytest.mark.parametrize(
    "text", ["", "mu", "mu-", "numubarbar", "nux", "13", "140", 13, None, [12], "a", "bar", "flux"]
)
def test_no_flavours(text):
    assert flavour_name(text) is None
    with pytest.raises(InputError, match="is not one of numu, numubar, nue, nuebar, nutau, nutaubar or a PDG id"):
        flavour_index(text)


def test_indices_are_those_of_the_codes():
    assert [flavour_index(name) for name in FLAVOURS] == [flavour_index(i) for i in FLAVOUR_PDG_IDS] == [0, 1, 2, 3]
