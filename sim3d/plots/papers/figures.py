"""List the figures of the two papers that can be drawn from a result, and the reason why one is left out.

The papers are Tserkovnyak et al. (names ``paper-...``) and Battistoni et al. (the FLUKA calculation, names
``fluka-...``). The drawing is done in :mod:`sim3d.plots.papers.tserkovnyak`, :mod:`sim3d.plots.papers.battistoni`,
:mod:`sim3d.plots.hadronic_models` and :mod:`geomag.plots`. Every figure that is left out has a reason in words.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from matplotlib import rc_context

from sim3d.analysis import asymmetry, matching
from sim3d.analysis.reference import FLUKA_SITE
from sim3d.errors import InputError
from sim3d.plots import style
from sim3d.plots.papers.plan import Drawn, MapOptions, NotMade, Plan, Skipped, require_hits
from sim3d.results.words import context_lines, field_in_words, place_in_words

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from geomag.cutoffs.whole_sky import WholeSky
    from geomag.field.igrf import FieldModel
    from hadronic.models import HadronicModel
    from sim3d.results.result import Result

PAPER = "Tserkovnyak et al."
FLUKA = "Battistoni et al., Astropart. Phys. 19 (2003) 269"

PAPER_SITES = ("sno", "kamioka")
"""Sites of the paper's cutoff maps, from top to bottom."""

_FLUKA_NOTE = "Lines or crosses: FLUKA at solar maximum, without bending in the air."


def run_label(result: Result) -> str:
    """Return the name of a run in a legend: the solar potential of its primaries.

    Parameters
    ----------
    result : Result

    Returns
    -------
    str
    """
    named = {"min": "solar minimum", "max": "solar maximum"}.get(result.record.config.primaries.solar or "")
    potential = result.attributes.get("solar_potential_MV")
    text = "" if potential is None else f"{float(potential):.0f} MV"
    return f"{named}, {text}" if named and text else named or text or "this run"


def _names(runs: Sequence[Result]) -> list[str]:
    """Return the names of runs in one figure: their solar potentials, where those differ."""
    labels = [run_label(one) for one in runs]
    if len(set(labels)) == len(labels):
        return labels
    return [f"{which}, {label}" for which, label in zip(("this run", "the other"), labels, strict=True)]


def field_of(result: Result) -> FieldModel:
    """Build the geomagnetic field of a run's configuration.

    Parameters
    ----------
    result : Result

    Returns
    -------
    FieldModel
    """
    from geomag.field.igrf import FieldModel

    table = result.record.config.field
    return FieldModel(table.date, table.degree)


def cutoff_sky(name: str, lat: float, lon: float, field: FieldModel, options: MapOptions) -> tuple[str, WholeSky]:
    """Compute the cutoff rigidities over the whole sky of a place.

    Parameters
    ----------
    name : str
        Title of the panel.
    lat, lon : float
        Degrees.
    field : FieldModel
    options : MapOptions

    Returns
    -------
    (str, WholeSky)
        Title and cutoffs.
    """
    from geomag.cutoffs.whole_sky import whole_sky_map

    sky = whole_sky_map(lat, lon, field, cell_deg=options.sky_cell_deg, step_GV=options.step_GV)
    return style.title(name), sky


def cutoff_figure(places: Sequence[tuple[str, float, float]], result: Result, options: MapOptions) -> Figure:
    """Draw cutoff maps of places in the field of a run.

    Parameters
    ----------
    places : sequence of (str, float, float)
        Name, latitude and longitude (degrees).
    result : Result
    options : MapOptions

    Returns
    -------
    Figure
    """
    from geomag.plots import whole_sky_figure

    field = field_of(result)
    maps = [cutoff_sky(*place, field, options) for place in places]
    return whole_sky_figure(maps, "Rigidity cutoff of the primary, for a neutrino that flies along it")


def _paper_cutoffs(result: Result, options: MapOptions) -> Figure:
    from geomag.sites import site

    known = [site(name) for name in PAPER_SITES]
    return cutoff_figure([(one.name, one.lat, one.lon) for one in known], result, options)


def _own_cutoffs(result: Result, site: str, options: MapOptions) -> Figure:
    here = result.sites[site]
    return cutoff_figure([(site, here.lat_deg, here.lon_deg)], result, options)


def _intensity(result: Result, options: MapOptions) -> Figure:
    from geomag.cutoffs.intensity import PAPER_MOMENTA_GV, intensity_map
    from geomag.plots import intensity_figure
    from sim3d.plots.geomagnetic.coastlines import coastlines

    field = field_of(result)
    maps = [
        intensity_map(momentum, field, cell_deg=options.cell_deg, directions=options.directions)
        for momentum in PAPER_MOMENTA_GV
    ]
    return intensity_figure(maps, field, "Primary protons that arrive, averaged over all angles", coastlines())


def _own_model(result: Result) -> HadronicModel:
    """Load the hadronic model of a run."""
    from hadronic.models import load_model

    table = result.record.config.hadronic
    return load_model(table.model, table.definition, table.table)


def _models(result: Result) -> tuple[list[HadronicModel], list[str]]:
    """Load the run's hadronic model and the others, and name those whose tables are not installed."""
    from hadronic.errors import HadronicInputError
    from hadronic.models import load_model, model_names

    found, missing = [_own_model(result)], []
    for name in model_names():
        if name == found[0].name:
            continue
        try:
            found.append(load_model(name))
        except (HadronicInputError, OSError, ImportError):
            missing.append(name)
    return found, missing


def _z_factors(result: Result) -> Figure:
    from sim3d.plots.hadronic_moments import pion_z_factors

    return pion_z_factors(*_models(result))


def _pions(result: Result) -> Figure:
    from sim3d.plots.hadronic_models import pion_production

    return pion_production(*_models(result))


def _secondaries(result: Result) -> Figure:
    from sim3d.plots.hadronic_models import secondary_spectra

    return secondary_spectra(_own_model(result))


def _of_site(function: str, result: Result, site: str, *, window: bool = False) -> Figure:
    """Draw a figure of :mod:`sim3d.plots.papers.tserkovnyak` or :mod:`sim3d.plots.result`, where there are hits."""
    from sim3d.plots import result as plots
    from sim3d.plots.papers import tserkovnyak as paper_figures

    require_hits(result, site, window=window)
    make: Any = getattr(paper_figures, function, None) or getattr(plots, function)
    return make(result, site)  # type: ignore[no-any-return]


def _zenith_spectra(result: Result, site: str, flavour: str) -> Figure:
    from sim3d.plots.papers.battistoni import zenith_spectra

    require_hits(result, site, flavour)
    return zenith_spectra(result, site, flavour)


def _averages(result: Result, other: Result | None, site: str) -> Figure:
    from sim3d.plots.papers.battistoni import sky_average

    require_hits(result, site)
    runs = [result] + ([other] if other is not None and site in other.sites else [])
    for one in runs:
        require_hits(one, site)
    named = list(zip(_names(runs), runs, strict=True))
    named.sort(key=lambda one: float(one[1].attributes.get("solar_potential_MV", 0.0)))
    return sky_average(named, site, len(runs) - 1)


def _ratio(result: Result, other: Result | None, site: str) -> Figure:
    from sim3d.plots.papers.battistoni import ratio

    if other is None:
        raise NotMade("a ratio of two runs (solar minimum over maximum) needs a second file: --other FILE2.h5")
    if site not in other.sites:
        raise NotMade(f"the other file has no site {site}")
    require_hits(result, site)
    require_hits(other, site)
    names = _names([result, other])
    return ratio((names[0], result), (names[1], other), site)


def _beside_fluka(kind: str, result: Result, site: str) -> Figure:
    from sim3d.plots import result as plots

    if site != FLUKA_SITE:
        raise NotMade(f"FLUKA's table is for {FLUKA_SITE} alone")
    require_hits(result, site)
    matched = matching.fluka_rows(result, site)
    if matched is None:
        raise NotMade("the run scores nothing in the range of FLUKA's table")
    return plots.fluka_ratio(site, matched) if kind == "ratio" else plots.fluka_zenith(result, site, matched)


def plans(result: Result, other: Result | None = None, options: MapOptions | None = None) -> list[Plan]:
    """List every figure that can be drawn from a result, in the order of the papers.

    Parameters
    ----------
    result : Result
    other : Result, optional
        A second run, for example of another solar activity.
    options : MapOptions, optional
        Resolution of the maps.

    Returns
    -------
    list of Plan
    """
    options = options or MapOptions()
    found = []
    if any(site in result.sites for site in PAPER_SITES):
        found.append(
            Plan(
                "paper-cutoff",
                PAPER,
                "Effective rigidity cutoff over the whole sky of SNO (top) and Super-Kamiokande (bottom), for a "
                "neutrino that flies along its primary; below the horizon the primary enters on the far side of the "
                "Earth.",
                partial(_paper_cutoffs, result, options),
            )
        )
    found += [
        Plan(
            "paper-intensity",
            PAPER,
            "Share of the primary protons of 2, 4, 6, 10, 20 and 50 GeV/c that reach the Earth, averaged over all "
            "angles; crosses: SNO and Super-Kamiokande; dashed: dip equator.",
            partial(_intensity, result, options),
        ),
        Plan(
            "paper-zfactors",
            PAPER,
            "Spectrum-weighted moments of charged pions in p-air against the proton's total energy, by hadronic model; "
            "points: FLUKA (p-air) and daemonflux (p-carbon).",
            partial(_z_factors, result),
        ),
        Plan(
            "paper-pions",
            PAPER,
            "Spectrum-weighted production of charged pions of 3-4 GeV/c, which make neutrinos of about 1 GeV, against "
            "the proton's total energy, by hadronic model.",
            partial(_pions, result),
        ),
    ]
    for site in result.sites:
        found += _site_plans(result, site, options)
    found.append(
        Plan(
            "fluka-secondaries",
            FLUKA,
            "Spectra of secondaries of p-air in x, total over total energy, of the run's hadronic model.",
            partial(_secondaries, result),
        )
    )
    for site in result.sites:
        found += _fluka_plans(result, other, site)
    return [replace(plan, about=tuple(_about(plan, result, other))) for plan in found]


def _about(plan: Plan, result: Result, other: Result | None) -> list[str]:
    """Say what a figure was made from: the run, or both runs where two are drawn."""
    site = next((name for name in result.sites if plan.name.endswith(f"-{name}")), None)
    lines = context_lines(result.record, site)
    if site is None and plan.name in _MODEL_FIGURES:
        name = result.record.models.get("hadronic_model", result.record.config.hadronic.model)
        if plan.name == "fluka-secondaries":
            return [f"hadronic model: {name}", _RECOIL]
        return [f"moments of the models' tables; the run's model: {name}", _GENERATORS]
    if plan.name.startswith(("paper-cutoff", "paper-intensity")):
        # those without a site are of fixed places, or of the whole Earth
        places = [place_in_words(one) for one in result.record.detectors if site == one.name]
        return ["; ".join([*places, field_in_words(result.record)])]
    if other is not None and plan.name.startswith(("fluka-average", "fluka-runs-ratio")):
        lines += ["second run: " + line for line in context_lines(other.record)]
    return lines


_GENERATORS = "urqmd-sibyll changes from UrQMD to Sibyll between 60 and 80 GeV"

_RECOIL = "p + n: the spike at small x are recoil nucleons of a few hundred MeV, which the model adds to leading ones"

_MODEL_FIGURES = ("paper-zfactors", "paper-pions", "fluka-secondaries")
"""Figures of hadronic models alone: place and dates play no role."""


def _site_plans(result: Result, site: str, options: MapOptions) -> list[Plan]:
    """List the figures of Tserkovnyak et al. for a site."""
    title, window = style.title(site), "0.5-3 GeV"
    note = f" {_FLUKA_NOTE}" if site == FLUKA_SITE else ""
    published = bool(asymmetry.published(site))
    found = []
    if site not in PAPER_SITES:
        caption = f"Effective rigidity cutoff over the whole sky of {title}, as in paper-cutoff."
        found.append(Plan(f"paper-cutoff-{site}", PAPER, caption, partial(_own_cutoffs, result, site, options)))
    for kind, caption, in_window in (
        ("energy", f"Energy spectra at {title}, averaged over the sky.{note}", False),
        (
            "azimuth",
            f"Azimuth at {title}, {window}, |cos zenith| < 0.5, with the asymmetry A"
            + (f" next to that of {PAPER}" if published else "."),
            True,
        ),
        ("zenith", f"Zenith angle at {title}, {window}.{note}", False),
    ):
        make = partial(_of_site, kind, result, site, window=in_window)
        found.append(Plan(f"paper-{kind}-{site}", PAPER, caption, make))
    beside = f", next to {PAPER} and Lipari" if published else ""
    caption = f"East-west asymmetries at {title}, {window}, |cos zenith| < 0.5{beside}."
    make = partial(_of_site, "east_west", result, site, window=True)
    return [*found, Plan(f"paper-asymmetry-{site}", PAPER, caption, make)]


def _fluka_plans(result: Result, other: Result | None, site: str) -> list[Plan]:
    """List the figures of Battistoni et al. for a site."""
    title = style.title(site)
    note = f" {_FLUKA_NOTE}" if site == FLUKA_SITE else ""
    found = [
        Plan(
            f"fluka-flux-{flavour}-{site}",
            FLUKA,
            f"E^2.5 times the flux of {flavour} at {title} against energy at the zenith angles of FLUKA's table, "
            f"up-going and down-going.{note}",
            partial(_zenith_spectra, result, site, flavour),
        )
        for flavour in ("nue", "nuebar", "numu", "numubar")
    ]
    found += [
        Plan(
            f"fluka-average-{site}",
            FLUKA,
            f"E^2.5 times the flux at {title}, averaged over the whole solid angle; with a second run in two columns, "
            f"the quieter sun to the left.{note}",
            partial(_averages, result, other, site),
        ),
        Plan(
            f"fluka-runs-ratio-{site}",
            FLUKA,
            f"Ratio of two runs at {title}, fluxes averaged over the whole solid angle.",
            partial(_ratio, result, other, site),
        ),
        Plan(
            f"fluka-zenith-{site}",
            FLUKA,
            f"Zenith dependence at {title} at four energies beside FLUKA's table.",
            partial(_beside_fluka, "zenith", result, site),
        ),
        Plan(
            f"fluka-ratio-{site}",
            FLUKA,
            f"Flux at {title} over that of FLUKA's table, bin by bin.",
            partial(_beside_fluka, "ratio", result, site),
        ),
    ]
    return found


def select(found: Sequence[Plan], only: Sequence[str]) -> list[Plan]:
    """Select the plans whose name begins with one of ``only``; all of them if it is empty.

    Parameters
    ----------
    found : sequence of Plan
    only : sequence of str

    Returns
    -------
    list of Plan
    """
    for start in only:
        if not any(plan.name.startswith(start) for plan in found):
            raise InputError("--only", start, f"a figure's name or its beginning: {', '.join(p.name for p in found)}")
    return [plan for plan in found if not only or plan.name.startswith(tuple(only))]


def draw(
    found: Sequence[Plan], folder: Path, progress: Callable[[str], object] | None = None
) -> tuple[list[Drawn], list[Skipped]]:
    """Draw and save the figures of plans, PNG and PDF of each.

    Parameters
    ----------
    found : sequence of Plan
    folder : Path
        Must exist.
    progress : callable, optional
        Called with the name of each figure before it is made.

    Returns
    -------
    drawn : list of Drawn
    skipped : list of Skipped
    """
    drawn, skipped = [], []
    for plan in found:
        if progress is not None:
            progress(plan.name)
        try:
            with rc_context(style.RC):
                figure = plan.make()
                files = tuple(style.save(figure, folder, plan.name, plan.about))
        except NotMade as reason:
            skipped.append(Skipped(plan.name, str(reason)))
            continue
        drawn.append(Drawn(plan.name, plan.source, plan.caption, files))
    return drawn, skipped


def captions(drawn: Sequence[Drawn], skipped: Sequence[Skipped], origin: str) -> str:
    """Write a page in Markdown with the caption and source of each figure, and what was left out and why.

    Parameters
    ----------
    drawn : sequence of Drawn
    skipped : sequence of Skipped
    origin : str
        What the figures were made from.

    Returns
    -------
    str
    """
    lines = [f"# Figures of {origin}", ""]
    lines += [f"- `{one.name}` (after {one.source}): {one.caption}" for one in drawn]
    if skipped:
        lines += ["", "Not made:", "", *(f"- `{one.name}`: {one.reason}" for one in skipped)]
    return "\n".join(lines) + "\n"
