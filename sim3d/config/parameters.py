"""Parameters that a run can be varied in and gives gradients for: names, what they mean, which values are allowed.

Yields follow the scheme of daemonflux (Yanez and Fedynitch, Phys. Rev. D 107 (2023) 123037, section II): a factor per
secondary species and projectile energy, known at knots and linear in ln E between them. Here E is the projectile's
KINETIC energy, and the factor is constant outside the first and the last knot. Every parameter is 0 in the model.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping

from sim3d.primaries.groups import GROUPS, REFERENCE_ENERGY_GEV

YIELD_SPECIES = ("pi+", "pi-", "K+", "K-", "p", "n")

KNOTS_GEV = (31.0, 158.0, 2.0e4, 2.0e6)
"""Kinetic energies of the projectile at which the factors of yields are parameters (GeV)."""

SIGMA_KINDS = {
    "nucleon": "p, n, Lambda and, until its first interaction, the primary nucleus",
    "pion": "charged pions",
    "kaon": "charged and neutral kaons",
}

CLASSES = ("yields", "cross-sections", "primaries", "solar", "angles")


def yield_name(species: str, knot_GeV: float) -> str:
    """Name of the parameter of a yield at a knot."""
    return f"{species}@{knot_GeV:.0f}"


def _all() -> dict[str, tuple[str, str]]:
    """Class and description by name, in the order of the columns."""
    out = {}
    for species in YIELD_SPECIES:
        for knot in KNOTS_GEV:
            out[yield_name(species, knot)] = (
                "yields",
                f"relative change of the {species} that a proton makes at {knot:.0f} GeV (of a neutron: the mirror)",
            )
    for kind, who in SIGMA_KINDS.items():
        out[f"sigma:{kind}"] = ("cross-sections", f"relative change of the cross section on air of {who}")
    for group in GROUPS:
        out[f"primary:{group}:norm"] = ("primaries", f"relative change of the flux of {group} nuclei")
    for group in GROUPS:
        out[f"primary:{group}:slope"] = (
            "primaries",
            f"d in (E / {REFERENCE_ENERGY_GEV:.0f} GeV)^-d on the flux of {group} nuclei",
        )
    out["solar:MV"] = ("solar", "change of the solar potential in MV")
    out["angle:pion"] = ("angles", "relative change of the angles at which charged pions leave an interaction")
    return out


_PARAMETERS = _all()

PARAMETERS = {name: words for name, (_, words) in _PARAMETERS.items()}
"""Description of every parameter, in the order of their columns."""

CLASS_OF = {name: kind for name, (kind, _) in _PARAMETERS.items()}

UNITS = {"solar:MV": 100.0}
"""By how much a parameter is changed where a gradient is printed or drawn, if not by 1 (that is, 100%)."""


def in_units(name: str) -> str:
    """A parameter's name with the unit of :data:`UNITS`."""
    return f"{name} x {UNITS[name]:g}" if name in UNITS else name


_RANGES = {
    "yields": (-1.0, 10.0),
    "cross-sections": (-0.9, 10.0),
    "norm": (-0.99, 10.0),
    "slope": (-1.0, 1.0),
    "solar": (-3000.0, 3000.0),
    "angles": (-0.9, 10.0),
}


def allowed_range(name: str) -> tuple[float, float]:
    """Lowest and highest value of a parameter."""
    kind = CLASS_OF[name]
    return _RANGES[name.rsplit(":", 1)[1] if kind == "primaries" else kind]


def check_name(name: str) -> None:
    """Refuse an unknown parameter.

    Raises
    ------
    ValueError
    """
    if name not in PARAMETERS:
        raise ValueError(
            f"{name!r} is not a parameter; there are SPECIES@GEV with {', '.join(YIELD_SPECIES)} at "
            f"{', '.join(f'{knot:.0f}' for knot in KNOTS_GEV)}, sigma:{', sigma:'.join(SIGMA_KINDS)}, "
            f"primary:GROUP:norm and primary:GROUP:slope of {', '.join(GROUPS)}, solar:MV, angle:pion"
        )


def check_values(values: Mapping[str, float]) -> None:
    """Refuse unknown parameters and values out of their range.

    Raises
    ------
    ValueError
    """
    for name, value in values.items():
        check_name(name)
        low, high = allowed_range(name)
        if not (math.isfinite(value) and low <= value <= high):
            raise ValueError(f"{name} = {value:g} must be between {low:g} and {high:g}")


def selected(wanted: bool | Iterable[str]) -> tuple[str, ...]:
    """Names of the parameters that are asked for by name or class, in the order of their columns.

    Parameters
    ----------
    wanted : bool or names and classes
        True means all, False none.

    Raises
    ------
    ValueError
        For what is neither.
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
