"""Add the neutrinos of charm to the flux of a site that ships: those of the cascade equations under its models."""

from __future__ import annotations

from dataclasses import replace

from hadronic.models import load_model
from sim3d.cascade.charm import WORDS
from sim3d.cascade.prompt import prompt_fluxes
from sim3d.config.load import make_config
from sim3d.conventions.arrays import Array
from sim3d.errors import InputError
from sim3d.files.flux_table import FluxTable
from sim3d.files.site_flux_file import SiteFlux
from sim3d.simulation.calibrated import run_values
from sim3d.simulation.setup import make_atmosphere, make_primaries
from sim3d.simulation.variation import varied_hadronic


def site_prompt(site: SiteFlux) -> Array:
    """Compute the flux of the neutrinos of charm at a site, under the models of its runs; it takes seconds.

    Neither the Sun nor a calibration moves it: charm is of primaries of TeV, and no muon measures it.

    Parameters
    ----------
    site : SiteFlux

    Returns
    -------
    float64 array (flavour, energy, cos_zenith, 1)
        m^-2 s^-1 sr^-1 GeV^-1, the mean over the site's bins.

    Raises
    ------
    InputError
        If the file does not say which models it was made with.
    """
    configurations = site.record.get("configurations")
    if not configurations:
        raise InputError(f"charm: the file of {site.name} does not state its models")
    config = make_config(configurations[0])
    model = load_model(config.hadronic.model, config.hadronic.definition, config.hadronic.table)
    return prompt_fluxes(
        varied_hadronic(model, run_values(config)).tables, make_primaries(config), make_atmosphere(config),
        [1e-3 * site.altitude_m], config.primaries.energy_GeV, site.energy_edges_GeV, site.cos_edges,
    )[0][..., None]  # fmt: skip


def with_charm(table: FluxTable, prompt: Array) -> FluxTable:
    """Add the flux of the neutrinos of charm to a table.

    Parameters
    ----------
    table : FluxTable
    prompt : float64 array
        From :func:`site_prompt`.

    Returns
    -------
    FluxTable
        Its note states the model.
    """
    note = f"{table.note}; charm: {WORDS}" if table.note else f"charm: {WORDS}"
    return replace(table, flux=table.flux + prompt, note=note)
