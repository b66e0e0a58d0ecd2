"""``sim3d asymmetry``: compute the east-west asymmetries of a result."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from sim3d.commands.arguments import cos_max_option, json_option, open_result, print_json, result_file
from sim3d.commands.paths import FileCommand
from sim3d.commands.worth import error_lines
from sim3d.conventions.text_tables import text_table, with_error

if TYPE_CHECKING:
    from sim3d.analysis.asymmetry import Asymmetry, Published


@click.command(cls=FileCommand)
@result_file
@click.option(
    "--energy",
    nargs=2,
    type=float,
    default=(0.5, 3.0),
    show_default=True,
    metavar="LOW HIGH",
    help="Energy window in GeV; bins whose centre lies in it count.",
)
@cos_max_option
@json_option
def command(file: Path, energy: tuple[float, float], cos_max: float, as_json: bool) -> None:
    """Compute east-west asymmetries of the four flavours at each site, next to published values.

    A = (N_E - N_W)/(N_E + N_W); N_E counts neutrinos travelling towards the east (arriving from the west).
    Published: Tserkovnyak et al. (paper) and Lipari, for kamioka and sno, 0.5-3 GeV and |cos_zenith| < 0.5.
    """
    from sim3d.analysis.asymmetry import DEFINITION, east_west, is_published_window, published

    result = open_result(file)
    comparable = is_published_window(energy, cos_max)
    sites = {
        site: (east_west(result, site, energy, cos_max), published(site) if comparable else {}) for site in result.sites
    }
    if as_json:
        print_json(
            {
                "definition": DEFINITION,
                "energy_GeV": energy,
                "cos_zenith_max": cos_max,
                "sites": {site: _as_dict(*values) for site, values in sites.items()},
            }
        )
        return
    click.echo(f"East-west asymmetry, {energy[0]:g}-{energy[1]:g} GeV, |cos zenith| < {cos_max:g}")
    click.echo(f"A = {DEFINITION}")
    for site, values in sites.items():
        click.echo(f"\n{site}")
        for line in _table(*values):
            click.echo(line)
    errors = {f"{row.flavour}, {site}": row.error for site, (ours, _) in sites.items() for row in ours}
    for line in ("", *error_lines("A", errors, (0.02, 0.01), result)):
        click.echo(line)


def _as_dict(ours: list[Asymmetry], others: dict[str, Published]) -> dict[str, Any]:
    """Return asymmetries by flavour, with the published values where there are any."""
    out: dict[str, Any] = {}
    for row in ours:
        out[row.flavour] = {"asymmetry": row.value, "error": row.error}
        if row.flavour in others:
            known = others[row.flavour]
            out[row.flavour] |= {
                "paper": known.paper,
                "paper_error": known.paper_error,
                "lipari": known.lipari,
            }
    return out


def _table(ours: list[Asymmetry], others: dict[str, Published]) -> list[str]:
    rows = []
    for row in ours:
        cells = [row.flavour, with_error(row.value, row.error, "+.3f")]
        if row.flavour in others:
            known = others[row.flavour]
            cells.append(with_error(known.paper, known.paper_error, "+.3f", missing=""))
            cells.append(with_error(known.lipari, None, "+.3f", missing=""))
        rows.append(cells)
    return text_table(["flavour", "A", *(["paper", "Lipari"] if others else [])], rows)
