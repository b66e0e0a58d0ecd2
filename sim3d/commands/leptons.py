"""``sim3d leptons``: electrons and muons that a result's neutrinos make in water."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from sim3d.commands.arguments import (
    cos_max_option,
    folder_option,
    json_option,
    open_result,
    output_folder,
    print_json,
    result_file,
)

if TYPE_CHECKING:
    from sim3d.lepton_asymmetry import Leptons, PublishedLeptons

LIKE = ("e", "mu")
STAGE_TITLES = {"neutrino": "neutrino's dir.", "lepton": "lepton's dir.", "detector": "reconstructed"}


@click.command()
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
    """East-west asymmetries and rates of quasi-elastic electrons and muons in water, next to published values.

    A = (N_E - N_W)/(N_E + N_W); N_E counts leptons travelling towards the east.  Three directions are counted:
    the neutrino's, the lepton's, and the lepton's as Super-Kamiokande would reconstruct it.  Published: Tserkovnyak
    et al. (paper), Lipari, and Super-Kamiokande's data, for 0.4-3 GeV and |cos_zenith| < 0.5.
    """
    from sim3d.asymmetry import DEFINITION
    from sim3d.lepton_asymmetry import is_published_window, leptons, published_leptons

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

        from sim3d.lepton_plots import draw

        for site, (ours, others) in sites.items():
            files += draw(site, ours, others, result.azimuth_edges_deg, energy, cos_max, target)
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


def _as_dict(ours: list[Leptons], others: dict[str, PublishedLeptons]) -> dict[str, Any]:
    """Leptons by species and by flavour; the published asymmetries only where there are any."""
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
    titles = "".join(f"  {title:>16s}" for title in STAGE_TITLES.values())
    has_data = any(known.data is not None for known in others.values())
    head = f"  {'A':12s}{titles}"
    if others:
        head += f"  {'paper':>6s}  {'Lipari':>6s}" + (f"  {'SK data':>14s}" if has_data else "")
    lines = [head]
    for row in ours:
        line = f"  {_name(row):12s}"
        for stage in STAGE_TITLES:
            line += "  " + _number(row.asymmetry[stage], row.asymmetry_error[stage], "+.3f")
        if row.species in others:
            known = others[row.species]
            line += f"  {_bare(known.paper, '+.2f'):>6s}  {_bare(known.lipari, '+.3f'):>6s}"
            if known.data is not None:
                line += f"  {_number(known.data, known.data_error, '+.2f')[2:]}"
        lines.append(line.rstrip())
    lines.append("  Events per kt, year and sr")
    for row in ours:
        line = f"  {_name(row):12s}"
        for stage in STAGE_TITLES:
            line += "  " + _number(row.rate[stage], row.rate_error[stage], ".3f")
        lines.append(line)
    for row in ours:
        if row.species in LIKE and not math.isnan(row.mean_angle_deg):
            lines.append(
                f"  {_name(row)}, whole sky: {row.sky_rate:.3f} +- {row.sky_rate_error:.3f}, "
                f"{row.antineutrino_share:.0%} from antineutrinos; "
                f"mean angle between neutrino and lepton {row.mean_angle_deg:.1f} degrees"
            )
    return lines


def _name(row: Leptons) -> str:
    return f"{row.species}-like" if row.species in LIKE else f"of {row.species}"


def _bare(value: float | None, form: str) -> str:
    return "" if value is None else format(value, form)


def _number(value: float, error: float | None, form: str) -> str:
    if math.isnan(value):
        return f"{'no hits':>16s}"
    text = format(value, form)
    if error is not None and not math.isnan(error):
        text += f" +- {format(error, form.lstrip('+'))}"
    return f"{text:>16s}"
