"""Keys of a run configuration for gradients of fluxes and for variations of parameters (docs/manual/gradients.md)."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import AfterValidator, Field, field_validator

from sim3d.config.parameters import CLASSES, check_values, selected
from sim3d.config.table import Float, Table


def _checked(values: dict[str, float]) -> dict[str, float]:
    check_values(values)
    return values


ParameterValues = Annotated[dict[str, Float], AfterValidator(_checked)]
"""Values of parameters by name, checked against the ranges of :mod:`sim3d.config.parameters`."""


def without_angles() -> tuple[str, ...]:
    """Return the classes of parameters that every hadronic model has.

    Models with tables of angles have no derivative with respect to ``angle:pion``: the likelihood ratio of a table that
    is linear between nodes is not smooth, so that no unbiased score exists.

    Returns
    -------
    tuple of str
    """
    return tuple(name for name in CLASSES if name != "angles")


class VariationTable(Table):
    """Table ``[[scoring.variations]]``: a point of parameters at which the flux is scored, too.

    Attributes
    ----------
    name : str
        Name of the point.
    parameters : dict of float
        Values by name of parameter; the others are 0.
    """

    name: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.+-]{0,39}$")
    parameters: ParameterValues


class GradientKeys(Table):
    """Keys of the table ``[scoring]`` for gradients.

    Attributes
    ----------
    gradients : bool or tuple of str
        Parameters, or classes of them, for which derivatives of the flux are scored; True for all that the hadronic
        model has (:class:`sim3d.config.schema.Config` replaces it by :func:`without_angles` where it is not all).
    variations : tuple of VariationTable
        Points of parameters at which the flux is scored by likelihood ratios.
    """

    gradients: bool | tuple[str, ...] = False
    variations: tuple[VariationTable, ...] = ()

    @field_validator("gradients", mode="before")
    @classmethod
    def _names(cls, value: Any) -> Any:
        value = (value,) if isinstance(value, str) else value
        if isinstance(value, bool):
            return value
        if not isinstance(value, list | tuple) or not all(isinstance(name, str) for name in value):
            raise ValueError("must be true, false, or a list of parameters and classes of them")
        selected(value)
        return value

    @field_validator("variations")
    @classmethod
    def _unlike(cls, value: tuple[VariationTable, ...]) -> tuple[VariationTable, ...]:
        names = [point.name for point in value]
        twice = [name for name in names if names.count(name) > 1]
        if twice:
            raise ValueError(f"have the name {twice[0]!r} twice")
        return value

    @property
    def parameters(self) -> tuple[str, ...]:
        """Parameters whose derivatives are scored, in the order of their columns."""
        return selected(self.gradients)

    @property
    def columns(self) -> tuple[str, ...]:
        """Names of the score columns: flux, derivatives, fluxes at the points; empty if nothing is asked for."""
        if not self.parameters and not self.variations:
            return ()
        return ("flux", *self.parameters, *(f"variation:{point.name}" for point in self.variations))
