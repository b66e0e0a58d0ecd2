"""Say how much energy the secondaries of a table of yields carry, and warn where that is unusual."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from hadronic.models import HadronicModel


def show_energy_carried(model: HadronicModel, quiet: bool = False) -> None:
    """Print on stderr what the secondaries carry, and a warning outside 0.85 to 1.1 of the projectile's energy.

    Parameters
    ----------
    model : HadronicModel
        A model from a file of yields.
    quiet : bool
        Print the warning alone.
    """
    from hadronic.energy_carried import energy_carried, range_in_words, warning_of

    rows = energy_carried(model)
    if not quiet:
        click.echo(f"{model.name}: {range_in_words(rows)}", err=True)
    if warning := warning_of(rows):
        click.echo(f"warning: {model.name}: {warning}", err=True)
