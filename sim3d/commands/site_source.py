"""Commands that take the name of a site in the place of a file: the flux that ships with sim3d is read then."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from sim3d.errors import InputError

if TYPE_CHECKING:
    from sim3d.flux.interpolated import Flux

date_option = click.option(
    "--date",
    metavar="YYYY-MM-DD",
    help="Of a site's name: month of the Sun, date of the field.  [default: as simulated]",
)

calibration_option = click.option(
    "--calibration",
    metavar="NAME|FILE.h5|none",
    help="Of a site's name: `sim3d calibrate --list`, a file, or none.  [default: the one of the site's models]",
)

charm_option = click.option(
    "--charm", is_flag=True, help="Of a site's name: add neutrinos of charmed hadrons, as `sim3d cascade --charm`."
)


def site_flux(file: Path, date: str | None, calibration: str | None = None, charm: bool = False) -> Flux | None:
    """Read the flux of a site that ships, if an argument is a name and no file.

    Parameters
    ----------
    file : Path
        The argument.
    date, calibration : str or None
    charm : bool

    Returns
    -------
    Flux or None
        None for a file.

    Raises
    ------
    InputError
        For a name of a site that has no flux, or a date or a calibration beside a file.
    """
    from sim3d.files.site_flux_file import is_site_flux

    if file.exists() and not is_site_flux(file):
        if date is not None:
            raise InputError("--date", date, "left out beside a file, which has its own")
        if calibration is not None:
            raise InputError("--calibration", calibration, "left out beside a file, which has its own")
        if charm:
            raise InputError('--charm: left out beside a file; a run has it with [hadronic] charm = "measured"')
        return None
    if not file.exists() and (file.suffix or len(file.parts) != 1):
        return None
    from sim3d.flux.interpolated import Flux

    return Flux.site(file if file.exists() else str(file), date, calibration=calibration, charm=charm)
