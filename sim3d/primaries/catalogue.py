"""List the models of the primary flux by name, with their citations and highest energies.

This module holds data only and imports no numerical library, so that a configuration is checked quickly.
"""

from __future__ import annotations

from dataclasses import dataclass

MODELS = {
    "ghls2001-average": "mean of the high and low fits (the central model of the FLUKA calculation)",
    "ghls2001-high": "high fits of helium and heavier nuclei",
    "ghls2001-low": "low fits of helium and heavier nuclei",
}
DEFAULT_MODEL = "gsf:2026.1"
"""Model of a run that names none."""
GHLS_SOURCE = "Gaisser, Honda, Lipari and Stanev, Proc. 27th ICRC (2001) 1643"
HIGHEST_GHLS_GEV = 1.0e6
"""Kinetic energy per nucleon (GeV) up to which the GHLS fits may be used; they have no knee."""


@dataclass(frozen=True)
class LibraryModel:
    """Description of a primary-flux model of crflux or globalsplinefit.

    Attributes
    ----------
    title : str
        Name for figures.
    citation : str
        Publication of the model.
    construct : tuple
        crflux: class and its arguments; globalsplinefit: the version of the fit.
    joins : bool
        Whether the GHLS fits replace it at low energies.
    kinetic : bool
        Whether the formula's energy is kinetic, as in its publication (crflux calls all of them total).
    highest_GeV : float
        Kinetic energy per nucleon up to which it may be used.
    """

    title: str
    citation: str
    construct: tuple[str, ...]
    joins: bool = True
    kinetic: bool = False
    highest_GeV: float = 1.0e8


_GSF = "Fedynitch, Fujisue, Dembinski and Engel, arXiv:2609.32649 (2026)"
LIBRARY_MODELS: dict[str, LibraryModel] = {
    "crflux:H3a": LibraryModel("H3a", "Gaisser, Astropart. Phys. 35 (2012) 801", ("HillasGaisser2012", "H3a")),
    "crflux:H4a": LibraryModel("H4a", "Gaisser, Astropart. Phys. 35 (2012) 801", ("HillasGaisser2012", "H4a")),
    "crflux:GST3": LibraryModel(
        "GST 3-gen", "Gaisser, Stanev and Tilav, arXiv:1303.3565 (2013)", ("GaisserStanevTilav", "3-gen")
    ),
    "crflux:GST4": LibraryModel(
        "GST 4-gen", "Gaisser, Stanev and Tilav, arXiv:1303.3565 (2013)", ("GaisserStanevTilav", "4-gen")
    ),
    "crflux:polygonato": LibraryModel("poly-gonato", "Hoerandel, Astropart. Phys. 19 (2003) 193", ("PolyGonato",)),
    "crflux:H3a-polygonato": LibraryModel(
        "H3a, poly-gonato", "Gaisser, Astropart. Phys. 35 (2012) 801, modified", ("H3a_polygonato", "H3a")
    ),
    "crflux:GH-H3a": LibraryModel(
        "GH + H3a",
        "Fedynitch, Becker Tjus and Desiati, Phys. Rev. D 86 (2012) 114024",
        ("CombinedGHandHG", "H3a"),
        joins=False,
        kinetic=True,
    ),
    "crflux:GH-H4a": LibraryModel(
        "GH + H4a",
        "Fedynitch, Becker Tjus and Desiati, Phys. Rev. D 86 (2012) 114024",
        ("CombinedGHandHG", "H4a"),
        joins=False,
        kinetic=True,
    ),
    "crflux:GH": LibraryModel(
        "Gaisser-Honda",
        "Gaisser and Honda, Annu. Rev. Nucl. Part. Sci. 52 (2002) 153",
        ("GaisserHonda",),
        joins=False,
        kinetic=True,
        highest_GeV=1.0e6,
    ),
    "crflux:ZS": LibraryModel(
        "Zatsepin-Sokolskaya",
        "Zatsepin and Sokolskaya, Astron. Astrophys. 458 (2006) 1",
        ("ZatsepinSokolskaya", "default"),
        kinetic=True,
        highest_GeV=1.0e6,
    ),
    "crflux:ZSP": LibraryModel(
        "Zatsepin-Sokolskaya (PAMELA)",
        "Zatsepin and Sokolskaya, Astron. Astrophys. 458 (2006) 1; PAMELA, Science 332 (2011) 69",
        ("ZatsepinSokolskaya", "pamela"),
        kinetic=True,
        highest_GeV=1.0e6,
    ),
    "crflux:TIG": LibraryModel(
        "TIG", "Thunman, Ingelman and Gondolo, Astropart. Phys. 5 (1996) 309, protons alone", ("Thunman",)
    ),
    "crflux:power-law-2.7": LibraryModel(
        "$E^{-2.7}$", "power law through Thunman et al. (1996), protons alone", ("SimplePowerlaw27",), highest_GeV=1.0e6
    ),
    **{
        f"gsf:{name}": LibraryModel(f"GSF {name}", citation, (name,), joins=False)
        for name, citation in {
            "2026.1": _GSF,
            "2026.1-USO": f"{_GSF}, potentials of Usoskin et al. (2017)",
            "2026.1-SIB23e": f"{_GSF}, composition by Sibyll 2.3e",
            "2026.1-EPOSLHCR": f"{_GSF}, composition by EPOS LHC-R",
            "2025": "Global Spline Fit 2025 (ICRC 2025)",
            "2019": "Global Spline Fit 2019",
            "2017": "Dembinski et al., PoS(ICRC2017) 533",
        }.items()
    },
}
"""Models of libraries, by their names in a configuration.

These are all models of crflux 2.1 (its GlobalSplineFitBeta is gsf:2017) and the Global Spline Fits.
"""


def model_names() -> tuple[str, ...]:
    """Return the names of all models, those of libraries included (installed or not)."""
    return (*MODELS, *LIBRARY_MODELS)


def highest_energy_GeV(name: str) -> float:
    """Return the kinetic energy per nucleon up to which a model may be used.

    Parameters
    ----------
    name : str
        One of :func:`model_names`.

    Returns
    -------
    float
        GeV per nucleon.
    """
    return HIGHEST_GHLS_GEV if name in MODELS else LIBRARY_MODELS[name].highest_GeV


def joins(name: str) -> bool:
    """Test whether the GHLS fits replace a model at low energies.

    Parameters
    ----------
    name : str
        One of :func:`model_names`.

    Returns
    -------
    bool
    """
    return name not in MODELS and LIBRARY_MODELS[name].joins
