"""``sim3d leptons``: compute rates and east-west asymmetries of quasi-elastic leptons in water."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from sim3d.analysis.asymmetry import DEFINITION
from sim3d.commands.arguments import (
    cos_max_option,
    folder_option,
    json_option,
    open_result,
    output_folder,
    print_json,
    result_file,
)
from sim3d.commands.paths import FileCommand
from sim3d.commands.worth import error_lines
from sim3d.conventions.text_tables import text_table, with_error

if TYPE_CHECKING:
    from sim3d.analysis.leptons import Leptons, PublishedLeptons

LIKE = ("e", "mu")
STAGE_TITLES = {"neutrino": "neutrino's dir.", "lepton": "lepton's dir.", "detector": "reconstructed"}


@click.command(cls=FileCommand)
@result_file
@click.option(
    "--energy",
    nargs=2,
    type=float,
    default=(0.4, 3.0),
    show_default=True,
    metavar="LOW HIGH",
    help="Total energy of the lepton in GeV.",
)
@cos_max_option
@click.option("--free", is_flag=True, help="Free nucleons: no Pauli blocking in oxygen.")
@click.option("--hydrogen", is_flag=True, help="Count water's two free protons too, not oxygen's nucleons alone.")
@folder_option("Draw azimuths and asymmetries there, as PNG and PDF; the folder is made if need be.")
@json_option
def command(
    file: Path,
    energy: tuple[float, float],
    cos_max: float,
    free: bool,
    hydrogen: bool,
    folder: Path | None,
    as_json: bool,
) -> None:
    """Compute east-west asymmetries and rates of quasi-elastic electrons and muons in water, next to published values.

    A = (N_E - N_W)/(N_E + N_W); N_E counts leptons travelling towards the east.  Three directions are counted:
    the neutrino's, the lepton's, and the lepton's as Super-Kamiokande would reconstruct it.  Published: Tserkovnyak
    et al. (paper), Lipari, and Super-Kamiokande's data, for 0.4-3 GeV and |cos_zenith| < 0.5.
    """
    from sim3d.analysis.leptons import is_published_window, leptons, published_leptons

    result = open_result(file)
    scored = result.record.config.scoring.energy_min_GeV
    if scored > energy[0]:
        click.echo(
            f"sim3d: note: {file} has no neutrinos below {scored:g} GeV: leptons from {energy[0]:g} GeV lack some",
            err=True,
        )
    comparable = is_published_window(energy, cos_max)
    sites = {
        site: (
            leptons(result, site, energy, cos_max, pauli=not free, hydrogen=hydrogen),
            published_leptons(site) if comparable else {},
        )
        for site in result.sites
    }
    files: list[Path] = []
    if folder is not None:
        target = output_folder(folder, file)

        from sim3d.plots.leptons import draw
        from sim3d.results.words import context_lines

        for site, (ours, others) in sites.items():
            about = context_lines(result.record, site)
            files += draw(site, ours, others, result.azimuth_edges_deg, energy, cos_max, target, about)
    nucleons = "water's nucleons" if hydrogen else "oxygen's nucleons"
    targets = f"{nucleons}, {'no Pauli blocking' if free else 'Pauli blocking'}"
    if as_json:
        print_json(
            {
                "definition": DEFINITION,
                "energy_GeV": energy,
                "cos_zenith_max": cos_max,
                "targets": targets,
                "rate_unit": "kt^-1 yr^-1 sr^-1",
                "azimuth_edges_deg": result.azimuth_edges_deg,
                "sites": {site: _as_dict(*values) for site, values in sites.items()},
                "files": files,
            }
        )
        return
    click.echo(f"Quasi-elastic leptons of {energy[0]:g}-{energy[1]:g} GeV on {targets}, |cos zenith| < {cos_max:g}")
    click.echo(f"A = {DEFINITION}")
    for site, values in sites.items():
        click.echo(f"\n{site}")
        for line in _table(*values):
            click.echo(line)
    for path in files:
        click.echo(path)
    errors = {
        f"{_name(row)}, {site}": row.asymmetry_error["lepton"] for site, (ours, _) in sites.items() for row in ours
    }
    for line in error_lines("A of the lepton's direction", errors, (0.02, 0.01), result):
        click.echo(line)


def _as_dict(ours: list[Leptons], others: dict[str, PublishedLeptons]) -> dict[str, Any]:
    """Return leptons by species and by flavour, with the published asymmetries where there are any."""
    out: dict[str, Any] = {}
    for row in ours:
        stages = {
            stage: {
                "asymmetry": row.asymmetry[stage],
                "asymmetry_error": row.asymmetry_error[stage],
                "rate": row.rate[stage],
                "rate_error": row.rate_error[stage],
                "azimuth_rate": row.azimuth_rate[stage],
                "azimuth_error": row.azimuth_error[stage],
            }
            for stage in STAGE_TITLES
        }
        out[row.species] = stages | {
            "sky_rate": row.sky_rate,
            "sky_rate_error": row.sky_rate_error,
            "antineutrino_share": row.antineutrino_share,
            "mean_angle_deg": row.mean_angle_deg,
        }
        if row.species in others:
            out[row.species] |= vars(others[row.species])
    return out


def _table(ours: list[Leptons], others: dict[str, PublishedLeptons]) -> list[str]:
    """Format asymmetries by species and stage with the published values, then rates, then averages over the sky."""
    has_data = any(known.data is not None for known in others.values())
    head = ["A", *STAGE_TITLES.values()]
    if others:
        head += ["paper", "Lipari", *(["SK data"] if has_data else [])]
    asymmetries = []
    for leptons in ours:
        cells = [_name(leptons)]
        cells += [
            with_error(leptons.asymmetry[stage], leptons.asymmetry_error[stage], "+.3f") for stage in STAGE_TITLES
        ]
        if leptons.species in others:
            known = others[leptons.species]
            cells += [
                with_error(known.paper, None, "+.2f", missing=""),
                with_error(known.lipari, None, "+.3f", missing=""),
                with_error(known.data, known.data_error, "+.2f", missing=""),
            ]
        asymmetries.append(cells)
    rates = [
        [_name(leptons), *(with_error(leptons.rate[stage], leptons.rate_error[stage]) for stage in STAGE_TITLES)]
        for leptons in ours
    ]
    lines = [*text_table(head, asymmetries), "", "  Events per kt, year and sr"]
    lines += text_table(["", *STAGE_TITLES.values()], rates)
    for leptons in ours:
        if leptons.species in LIKE and not math.isnan(leptons.mean_angle_deg):
            lines.append(
                f"  {_name(leptons)}, whole sky: {with_error(leptons.sky_rate, leptons.sky_rate_error)}, "
                f"{leptons.antineutrino_share:.0%} from antineutrinos; "
                f"mean angle between neutrino and lepton {leptons.mean_angle_deg:.1f} degrees"
            )
    return lines


def _name(leptons: Leptons) -> str:
    return f"{leptons.species}-like" if leptons.species in LIKE else f"of {leptons.species}"
