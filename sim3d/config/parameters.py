"""Parameters of the physics input (yields, cross sections, primaries, angles): names, descriptions and allowed ranges.

A run may use other values of them, and it can score the derivatives of fluxes with respect to them. Yields follow the
scheme of daemonflux (Yanez and Fedynitch, Phys. Rev. D 107 (2023) 123037, section II): a factor for each secondary
species as a function of the projectile's energy, given at knots and linear in ln E between them. Here E is the
projectile's kinetic energy, and the factor is constant below the first and above the last knot. Every parameter is 0 in
the unchanged model.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping

from sim3d.primaries.groups import GROUPS, REFERENCE_ENERGY_GEV

YIELD_SPECIES = ("pi+", "pi-", "K+", "K-", "p", "n")

KNOTS_GEV: dict[str, tuple[float, ...]] = {
    "pi+": (2.0, 5.0, 12.0, 31.0, 158.0, 2.0e4, 2.0e6),
    "pi-": (2.0, 5.0, 12.0, 31.0, 158.0, 2.0e4, 2.0e6),
    "K+": (31.0, 158.0, 2.0e4, 2.0e6),
    "K-": (31.0, 158.0, 2.0e4, 2.0e6),
    "p": (31.0, 158.0, 2.0e4, 2.0e6),
    "n": (31.0, 158.0, 2.0e4, 2.0e6),
    "tilt": (12.0, 31.0, 158.0),
    "slow": (12.0, 31.0, 158.0),
    "elasticity": (12.0, 158.0),
}
"""Kinetic energies of the projectile at which a change of the yields is a parameter (GeV), by kind of change."""

FADE_GEV = (2.0, 5.0)
"""Changes of p, n and elasticity are whole above the second energy and fade to none at the first, linear in ln E.

Below, there are too few slow nucleons and mesons to conserve baryon number and energy.
"""

PIVOTS_GEV = (5.0, 20.0, 100.0, 1.0e3, 1.0e4, 1.0e5, 1.0e6)
"""Kinetic energies per nucleon at which the flux of protons and of helium is a parameter (GeV)."""

PIVOT_GROUPS = ("p", "He")

SIGMA_KINDS = {
    "nucleon": "p, n, Lambda and, until its first interaction, the primary nucleus",
    "pion": "charged pions",
    "kaon": "charged and neutral kaons",
}

CLASSES = ("yields", "cross-sections", "primaries", "solar", "angles")


def yield_name(species: str, knot_GeV: float) -> str:
    """Return the name of the parameter of a yield at a knot.

    Parameters
    ----------
    species : str
        A key of :data:`KNOTS_GEV`.
    knot_GeV : float
        One of its :data:`KNOTS_GEV`.

    Returns
    -------
    str
        Such as ``pi+@158``.
    """
    return f"{species}@{knot_GeV:.0f}"


def _all() -> dict[str, tuple[str, str]]:
    """Class and description by name, in the order of the columns."""
    out = {}
    for species in YIELD_SPECIES:
        for knot in KNOTS_GEV[species]:
            fast = "fast " if species in ("p", "n") else ""
            out[yield_name(species, knot)] = (
                "yields",
                f"relative change of the {fast}{species} that a proton makes at {knot:.0f} GeV "
                "(of a neutron: the mirror)",
            )
    for knot in KNOTS_GEV["tilt"]:
        words = f"t in a factor (x / 0.2)^t on the pions of nucleons at {knot:.0f} GeV"
        out[yield_name("tilt", knot)] = ("yields", words)
    for knot in KNOTS_GEV["slow"]:
        words = f"s in a factor (x / 0.1)^s on the pions of nucleons at x below 0.1, at {knot:.0f} GeV"
        out[yield_name("slow", knot)] = ("yields", words)
    for knot in KNOTS_GEV["elasticity"]:
        out[yield_name("elasticity", knot)] = (
            "yields",
            f"relative change of the energy of the fast nucleons that a nucleon makes at {knot:.0f} GeV",
        )
    out["K0/K"] = ("yields", "relative change of the K+ of neutrons and, with them, of the K0 of protons")
    out["pion:pi"] = ("yields", "relative change of the charged pions that charged pions make; pi0 conserve energy")
    for kind, who in SIGMA_KINDS.items():
        out[f"sigma:{kind}"] = ("cross-sections", f"relative change of the cross section on air of {who}")
    for group in GROUPS:
        out[f"primary:{group}:norm"] = ("primaries", f"relative change of the flux of {group} nuclei")
    for group in GROUPS:
        out[f"primary:{group}:slope"] = (
            "primaries",
            f"d in (E / {REFERENCE_ENERGY_GEV:.0f} GeV)^-d on the flux of {group} nuclei",
        )
    for group in PIVOT_GROUPS:
        for pivot in PIVOTS_GEV:
            out[pivot_name(group, pivot)] = (
                "primaries",
                f"relative change of the flux of {group} nuclei at {pivot:.0f} GeV per nucleon, linear in ln E to the "
                "next pivots",
            )
    out["solar:MV"] = ("solar", "change of the solar potential in MV")
    out["angle:pion"] = ("angles", "relative change of the angles at which charged pions leave an interaction")
    return out


def pivot_name(group: str, pivot_GeV: float) -> str:
    """Return the name of the parameter of a group's flux at a pivot, such as ``primary:p@100``."""
    return f"primary:{group}@{pivot_GeV:.0f}"


_PARAMETERS = _all()

PARAMETERS = {name: words for name, (_, words) in _PARAMETERS.items()}
"""Description of every parameter, in the order of their columns."""

CLASS_OF = {name: kind for name, (kind, _) in _PARAMETERS.items()}

UNITS = {"solar:MV": 100.0}
"""Change of a parameter for which gradients are printed and drawn, if it is not 1 (that is, 100%)."""


def in_units(name: str) -> str:
    """Return a parameter's name with its unit from :data:`UNITS`.

    Parameters
    ----------
    name : str

    Returns
    -------
    str
        The name alone if the unit is 1.
    """
    return f"{name} x {UNITS[name]:g}" if name in UNITS else name


_RANGES = {
    "yields": (-1.0, 10.0),
    "cross-sections": (-0.9, 10.0),
    "norm": (-0.99, 10.0),
    "pivot": (-0.99, 10.0),
    "slope": (-1.0, 1.0),
    "tilt": (-0.5, 0.5),
    "slow": (-1.0, 1.0),
    "elasticity": (-0.5, 0.5),
    "solar": (-3000.0, 3000.0),
    "angles": (-0.9, 10.0),
}


def allowed_range(name: str) -> tuple[float, float]:
    """Return the allowed range of a parameter.

    Parameters
    ----------
    name : str
        One of :data:`PARAMETERS`.

    Returns
    -------
    low, high : float
    """
    kind = CLASS_OF[name]
    if kind == "primaries":
        kind = "pivot" if "@" in name else name.rsplit(":", 1)[1]
    return _RANGES[name.partition("@")[0] if name.startswith(("tilt@", "slow@", "elasticity@")) else kind]


def check_name(name: str) -> None:
    """Check that a parameter exists.

    Parameters
    ----------
    name : str

    Raises
    ------
    ValueError
        If it does not.
    """
    if name not in PARAMETERS:
        knots = "; ".join(f"{kind} at {', '.join(f'{k:.0f}' for k in at)}" for kind, at in KNOTS_GEV.items())
        raise ValueError(
            f"{name!r} is not a parameter; there are KIND@GEV with {knots}, K0/K, pion:pi, "
            f"sigma:{', sigma:'.join(SIGMA_KINDS)}, primary:GROUP:norm and primary:GROUP:slope of {', '.join(GROUPS)}, "
            f"primary:GROUP@GEV with {', '.join(PIVOT_GROUPS)} at {', '.join(f'{k:.0f}' for k in PIVOTS_GEV)}, "
            "solar:MV, angle:pion"
        )


def check_values(values: Mapping[str, float]) -> None:
    """Check that parameters exist and that their values are in the allowed ranges.

    Parameters
    ----------
    values : mapping of float
        Values by name.

    Raises
    ------
    ValueError
        For an unknown parameter or a value out of its range.
    """
    for name, value in values.items():
        check_name(name)
        low, high = allowed_range(name)
        if not (math.isfinite(value) and low <= value <= high):
            raise ValueError(f"{name} = {value:g} must be between {low:g} and {high:g}")


def selected(wanted: bool | Iterable[str]) -> tuple[str, ...]:
    """Select parameters by name or by class.

    Parameters
    ----------
    wanted : bool or iterable of str
        Names of parameters and classes (:data:`CLASSES`); True selects all parameters, False none.

    Returns
    -------
    tuple of str
        Names, in the order of their columns.

    Raises
    ------
    ValueError
        For a name that is neither a parameter nor a class.
    """
    if isinstance(wanted, bool):
        return tuple(PARAMETERS) if wanted else ()
    names = set()
    for one in wanted:
        if one in CLASSES:
            names |= {name for name, kind in CLASS_OF.items() if kind == one}
            continue
        try:
            check_name(one)
        except ValueError as problem:
            raise ValueError(f"{problem}; and the classes {', '.join(CLASSES)}") from None
        names.add(one)
    return tuple(name for name in PARAMETERS if name in names)
