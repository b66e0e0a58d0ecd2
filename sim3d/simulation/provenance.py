"""Provenance of a result: names and numbers of the models, library versions, machine and division of work.

The result file stores these entries as attributes.
"""

from __future__ import annotations

import functools
import hashlib
import platform
from pathlib import Path
from typing import TYPE_CHECKING, Any

import sim3d
from sim3d.config.schema import NO_CHARM
from sim3d.conventions.constants import EARTH_RADIUS_KM
from sim3d.conventions.words import SITE_FRAME
from sim3d.jit_cache import source_hash
from sim3d.primaries.catalogue import MODELS
from sim3d.primaries.model import PrimaryModel
from sim3d.scoring.hit_weights import PRIMARIES
from sim3d.simulation.calibrated import calibration_entries

if TYPE_CHECKING:
    from atmosphere.layers import LayeredAtmosphere
    from geomag.field.igrf import FieldModel
    from hadronic.models import HadronicModel
    from sim3d.config.schema import Config
    from sim3d.sampling.muons import Overhead
    from sim3d.simulation.processes import Processes


@functools.cache
def _version(library: str) -> str:
    """Version of an installed library; reading it takes milliseconds."""
    from importlib.metadata import version

    return version(library)


@functools.cache
def _kernels() -> str:
    """Hash of the kernels' sources when the process first asks, which are those that it runs."""
    return source_hash()


def provenance(config: Config, primaries: PrimaryModel, processes: Processes, threads: int) -> dict[str, Any]:
    """List host, versions and division of work of this session, which may differ between runs with equal results.

    Parameters
    ----------
    config : Config
    primaries : PrimaryModel
    processes : Processes
    threads : int
        Threads of this process.

    Returns
    -------
    dict
    """
    names = ["numpy", "numba", "scipy", "h5py", "ppigrf", "particle"]
    names += ["crflux"] if primaries.name.startswith("crflux:") else []
    names += ["globalsplinefit"] if primaries.name.startswith("gsf:") else []
    names += ["pymsis"] if config.atmosphere.model == "nrlmsis" else []
    libraries = {name: _version(name) for name in names}
    return {
        "host": platform.node(),
        "platform": platform.platform(),
        "python": platform.python_version(),
        "sim3d": sim3d.__version__,
        "kernels": _kernels(),
        "ranks": processes.size,
        "threads": threads,
        "libraries": ", ".join(f"{k} {v}" for k, v in libraries.items()),
    }


def primary_entries(primaries: PrimaryModel, by_month: bool) -> dict[str, Any]:
    """List the solar potential of a primary model, and where they apply its source and the month of its modulation.

    Parameters
    ----------
    primaries : PrimaryModel
    by_month : bool
        Whether the modulation is that of a month (by date or by name), not a potential that was given.

    Returns
    -------
    dict
        ``primary_source`` is given for models of libraries, ``solar_modulation`` for a modulation by month.
    """
    entries: dict[str, Any] = {"solar_potential_MV": primaries.solar_potential_MV}
    if primaries.name not in MODELS:
        entries["primary_source"] = primaries.source
    if by_month:
        entries["solar_modulation"] = primaries.solar
    return entries


def profile_digest(config: Config) -> str | None:
    """Compute the SHA-256 checksum of the file of the user's atmospheric profile.

    Parameters
    ----------
    config : Config

    Returns
    -------
    str or None
        Hexadecimal; None without such a profile.
    """
    if config.atmosphere.profile is None:
        return None
    return hashlib.sha256(Path(config.atmosphere.profile).read_bytes()).hexdigest()


def model_entries(
    config: Config,
    field: FieldModel,
    atmosphere: LayeredAtmosphere,
    hadronic: HadronicModel,
    primaries: PrimaryModel,
    overhead: Overhead | None,
) -> dict[str, Any]:
    """List names, dates and numbers of the models of a run, as the result file states them.

    This reads the user's files, so a run calls it once, before its first batch.

    Parameters
    ----------
    config : Config
    field : FieldModel
    atmosphere : LayeredAtmosphere
    hadronic : HadronicModel
    primaries : PrimaryModel
    overhead : Overhead, optional
        Levels of the muons, if the run scores them.

    Returns
    -------
    dict
    """
    entries = {
        "field_generation": field.generation,
        "field_date": config.field.date,
        "field_degree": config.field.degree,
        "atmosphere": atmosphere.name,
        "atmosphere_top_km": float(atmosphere.top_km),
        "hadronic_model": hadronic.name,
        "hadronic_definition": hadronic.definition,
        **hadronic.provenance,
        "primary_model": primaries.name,
        **primary_entries(primaries, config.primaries.solar is not None),
        # sums in different frames, or of different things, must not be added up: resume and merge compare these entries
        "azimuth_frame": SITE_FRAME,
        "weights_of": PRIMARIES,
    }
    if config.scoring.columns:
        entries["gradient_columns"] = ", ".join(config.scoring.columns)
    if config.hadronic.charm != NO_CHARM:
        from sim3d.cascade.charm import WORDS

        entries["charm"] = WORDS
    entries |= calibration_entries(config)
    digest = profile_digest(config)
    if digest is not None:
        entries["atmosphere_profile_sha256"] = digest
    for site in config.sites:
        if site.surface is not None:
            entries[f"surface_sha256_{site.name}"] = hashlib.sha256(Path(site.surface).read_bytes()).hexdigest()
    if overhead is not None:
        entries["muon_altitudes_km"] = [round(float(r - EARTH_RADIUS_KM), 9) for r in overhead.radius_km.ravel()]
        entries["muon_depths_g_cm2"] = [float(depth) for depth in overhead.depth.ravel()]
    return entries
