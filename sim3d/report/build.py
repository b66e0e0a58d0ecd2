"""Build the HTML report of a run: sites with dates, cutoff and spectra first, then precision, comparison, provenance.

The page is one file without scripts, with its pictures embedded. Layout and style are in ``templates/report.html``, the
HTML of tables and pictures in :mod:`sim3d.report.page`, sentences about the numbers in :mod:`sim3d.report.captions`.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from markupsafe import Markup

from geomag.cutoffs.cutoff import CutoffTracer
from geomag.plots import whole_sky_figure
from sim3d.analysis import asymmetry, matching
from sim3d.analysis import reference as compare
from sim3d.conventions.text_tables import number, percent, with_error
from sim3d.plots import result as plots
from sim3d.plots import style
from sim3d.plots.papers.figures import cutoff_sky, field_of
from sim3d.plots.papers.plan import MapOptions, NotMade, require_hits
from sim3d.report import about, captions, page
from sim3d.report import pictures as report_pictures
from sim3d.report.errors import model_section
from sim3d.report.page import FLAVOURS, Section, html
from sim3d.results import windows
from sim3d.results.jackknife import jackknife
from sim3d.results.quality import site_quality
from sim3d.results.words import degrees, field_in_words, models_in_words, sun_in_short, three_digits
from sim3d.scoring.hit_weights import DECADE_EDGES_GEV, N_DECADES, PRIMARIES, summarise

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from sim3d.results.result import Result

_COMPARED_GEV = (0.29, 10.0)


@dataclass
class ReportPage:
    """State of a report while it is built: the result, options of its maps, and what was left out so far.

    Attributes
    ----------
    result : Result
    options : MapOptions
        Resolution of the cutoff maps.
    skipped : list of str
        What was left out and why, for the user and for the page.
    """

    result: Result
    options: MapOptions = field(default_factory=MapOptions)
    skipped: list[str] = field(default_factory=list)

    def picture(self, name: str, make: Callable[[], Any], alt: str, caption: Any = "") -> Markup:
        """Draw a picture and embed it, or write a line that says why there is none.

        Parameters
        ----------
        name : str
            Name of the picture, for the list of what was left out.
        make : callable
            Draws the figure, or raises :class:`~sim3d.plots.papers.plan.NotMade`.
        alt : str
            Description for readers who do not see the picture.
        caption : str or Markup

        Returns
        -------
        Markup
        """
        try:
            return page.picture(report_pictures.png(make), alt, caption or alt)
        except NotMade as reason:
            self.skipped.append(f"{name}: {reason}")
            return html.paragraph(f"Not drawn: {reason}.", "note")


def build(
    result: Result,
    file: Path,
    options: MapOptions | None = None,
    progress: Callable[[str], object] | None = None,
    tables: Sequence[Path] = (),
) -> tuple[str, list[str]]:
    """Build the HTML report of a run.

    Parameters
    ----------
    result : Result
    file : Path
        Where it was read from: for its name and its checksums.
    options : MapOptions, optional
        Resolution of the cutoff maps.
    progress : callable, optional
        Called with a word before each part.
    tables : sequence of Path
        Tables of the result that lie in the folder of the page, for links.

    Returns
    -------
    html : str
    skipped : list of str
        One line for each figure that was left out.
    """
    import sim3d
    from sim3d.results.summary import describe_result

    say = progress or (lambda _: None)
    report = ReportPage(result, options or MapOptions())
    document = describe_result(result)
    sums = about.checksums(file)
    sections = []
    for site in result.sites:
        say(site)
        sections.append(_site(report, site))
    say("precision")
    sections.append(_precision(report, document))
    of_model = model_section(result, {site: decade_errors(result, site) for site in result.sites})
    if of_model is not None:
        sections.append(of_model)
    say("comparison")
    sections += _references(report)
    sections += [
        about.repeat_and_cite(result, file, sums, list(tables)),
        about.configuration(result),
        about.provenance(document, file, sums),
    ]
    names = " and ".join(style.title(site) for site in result.sites)
    title = f"{names}: atmospheric neutrino fluxes"
    return page.page(title, _lead(result, document, file), sections, sim3d.__version__), report.skipped


def parts(result: Result) -> int:
    """Count the parts of a report: the number of times that :func:`build` calls its ``progress``.

    Parameters
    ----------
    result : Result

    Returns
    -------
    int
    """
    return len(result.sites) + 2


def _lead(result: Result, document: dict[str, Any], file: Path) -> Markup:
    """Write the first lines: dates, Sun, models and size of the run, and warnings about its state."""
    record = result.record
    shown: dict[str, Any] = {
        "Geomagnetic field": field_in_words(record),
        "Sun": sun_in_short(record),
        "Models": models_in_words(record),
        "Primaries": f"{record.counters['primaries']:,}",
    }
    lines = []
    if not document["complete"]:
        state = f"{document['batches']} of {document['batches_total']} batches are in it"
        lines.append(f"The run is not finished: {state}. Errors are right for what is there.")
    attributes = document["attributes"]
    if attributes.get("failure"):
        lines.append(f"The run failed: {attributes['failure']}")
    if document["target"]:
        lines.append(str(document["target"]))
    if document["lost_primaries"]:
        lines.append(f"{len(document['lost_primaries'])} primaries were left out (see the provenance).")
    if not record.config.field.cutoff:
        lines.append("field.cutoff = false: this run let every primary in.")
    name = html.paragraph(f"Report of {file.name}", "note")
    return page.join([name, html.facts(shown), html.warning("State of the run", lines)])


def decade_errors(result: Result, site: str) -> np.ndarray:
    """Compute the relative statistical error of the sky-averaged flux in each decade of energy.

    Parameters
    ----------
    result : Result
    site : str

    Returns
    -------
    float64 array (flavour, N_DECADES)
        NaN without hits, or with fewer than two groups of batches.
    """
    edges = np.asarray(result.energy_edges_GeV)
    centres = np.sqrt(edges[1:] * edges[:-1])
    sky = np.asarray(result.groups_azimuth(site)).mean(axis=(3, 4)) * np.diff(edges)
    columns = []
    for low, high in itertools.pairwise(DECADE_EDGES_GEV):
        columns.append(sky[:, :, (centres > low) & (centres < high)].sum(axis=-1))
    value, error = jackknife(lambda mean: mean, np.stack(columns, axis=-1), result.group_weights)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(np.where(value > 0, error / value, np.nan))


def _precision(report: ReportPage, document: dict[str, Any]) -> Section:
    """Write the statistical precision of the fluxes: error and effective number by decade."""
    result = report.result
    counted = "primaries with hits" if result.record.weights_of == PRIMARIES else "hits"
    parts: list[Markup] = [
        html.paragraph(
            "Statistical error (one standard deviation) of the flux over the whole sky, integrated over a decade of "
            f"energy; in brackets the effective number of {counted}, (Σw)²/Σw², with w relative to the flux at its "
            "energy."
        ),
        html.warning(f"Errors that rest on few {counted}", document["warnings"]),
    ]
    for site in result.sites:
        errors = decade_errors(result, site)
        histogram = result.hit_weights(site)
        rows = []
        for d in range(N_DECADES):
            cells = []
            for f in range(len(result.flavours)):
                effective = summarise(histogram[f, d]).effective
                error = errors[f, d]
                known = f"{percent(error)} ({number(round(effective))})" if effective else "no hits"
                cells.append(known)
            rows.append((f"{DECADE_EDGES_GEV[d]:g}–{DECADE_EDGES_GEV[d + 1]:g}", *cells))
        parts.append(html.heading(style.title(site)))
        parts.append(html.table(("Energy (GeV)", *(FLAVOURS[flavour] for flavour in result.flavours)), rows))
        alt = f"Relative statistical error of the four fluxes at {style.title(site)} against energy."

        def make(site: str = site) -> Any:
            require_hits(result, site)
            return report_pictures.precision(result, site)

        parts.append(report.picture(f"precision of {site}", make, alt))
    return Section("precision", "Precision reached", page.join(parts))


def _site(report: ReportPage, site: str) -> Section:
    """Write spectra, zenith and azimuth distributions and asymmetries of a site."""
    result, name = report.result, style.title(site)
    try:
        require_hits(result, site)
    except NotMade as reason:
        report.skipped.append(f"figures of {site}: {reason}")
        return Section(f"site-{site}", f"Fluxes at {name}", html.paragraph(f"No figures: {reason}."))

    def within(make: Callable[..., Any], *, window: bool) -> Callable[[], Any]:
        def drawn() -> Any:
            require_hits(result, site, window=window)
            return make(result, site)

        return drawn

    cutoffs = _cutoffs(report, site)
    parts = [
        html.facts(_place(report, site)),
        html.heading("Energy spectrum"),
        report.picture(
            f"spectra of {site}",
            within(plots.spectra, window=False),
            f"Energy spectra of the four flavours at {name}, averaged over the sky, times energy cubed.",
            captions.spectra_caption(result, site),
        ),
        html.folded("The same in numbers", _spectrum_table(result, site)),
        html.heading("Flavour ratios"),
        report.picture(
            f"ratios of {site}",
            within(plots.flavour_ratios, window=False),
            f"Ratios of fluxes averaged over the sky at {name} against energy, one panel each.",
        ),
        html.heading("Zenith"),
        report.picture(
            f"zenith of {site}",
            within(plots.zenith, window=False),
            f"Zenith angle distributions at {name} in four bands of energy; +1 is down-going.",
            captions.zenith_caption(result, site),
        ),
        html.heading("Azimuth"),
        report.picture(
            f"azimuth of {site}",
            within(plots.azimuth, window=True),
            f"Azimuth distributions at {name}, 0.5 to 3 GeV, near the horizon, over their mean, north-east-south-west.",
            captions.azimuth_caption(result, site),
        ),
        cutoffs,
        html.heading("East-west asymmetry"),
        _asymmetry_table(result, site),
        report.picture(
            f"asymmetry of {site}",
            within(plots.east_west, window=True),
            f"East-west asymmetries of the four flavours at {name}.",
            captions.asymmetry_caption(result, site),
        ),
    ]
    return Section(f"site-{site}", f"Fluxes at {name}", page.join(parts))


def _place(report: ReportPage, site: str) -> dict[str, Any]:
    """List the first facts of a site: place, vertical cutoff, altitude, errors."""
    result = report.result
    here = result.sites[site]
    found = CutoffTracer(here.lat_deg, here.lon_deg, field=field_of(result), step_GV=report.options.step_GV).cutoff()
    shown = {
        "Place": degrees(here.lat_deg, here.lon_deg),
        "Vertical cutoff": f"{found.effective_GV:.1f} GV",
        "Altitude": f"{here.altitude_m:.0f} m",
        "Detector": f"{here.patch}, {number(here.area_m2 * 1e-6)} km²",
    }
    quality = site_quality(result, site)
    worst = max(quality.median_error, key=lambda flavour: quality.median_error[flavour])
    if quality.median_error[worst] < 1.0:
        shown["Median error of a table bin, 0.3 to 10 GeV"] = f"{percent(quality.median_error[worst])} ({worst})"
    return shown


def _cutoffs(report: ReportPage, site: str) -> Markup:
    """Write the cutoff map over the sky of a site, in the same order of azimuth as the fluxes."""
    result, here, name = report.result, report.result.sites[site], style.title(site)
    found = cutoff_sky(site, here.lat_deg, here.lon_deg, field_of(result), report.options)
    alt = f"Map of the cutoff over the sky of {name}: azimuth N-E-S-W-N, zenith from below to above."
    text = html.paragraph(
        "Effective rigidity cutoff of the primary behind a neutrino of each direction, for a neutrino that flies along "
        "its primary; below the horizon the primary enters on the far side of the Earth. The simulation itself traces "
        "every primary and uses no such map."
    )

    def make() -> Any:
        return whole_sky_figure([found], "")

    picture = report.picture(f"cutoffs of {site}", make, alt, captions.cutoff_caption(name, found[1]))
    return page.join([html.heading("Geomagnetic cutoff over the sky"), text, picture])


def _spectrum_table(result: Result, site: str) -> Markup:
    """Write a table of sky averages, two energies per decade."""
    groups, centres = windows.sky_average(result, site)
    value, error = jackknife(lambda mean: mean, groups, result.group_weights)
    rows = []
    for j in range(2, len(centres), 5):
        if not value[:, j].any():
            continue
        with np.errstate(divide="ignore", invalid="ignore"):
            cells = [
                f"{value[f, j]:.3g} ± {percent(error[f, j] / value[f, j])}" if value[f, j] > 0 else "no hits"
                for f in range(len(result.flavours))
            ]
        rows.append((three_digits(centres[j]), *cells))
    head = ("Energy (GeV)", *(FLAVOURS[flavour] for flavour in result.flavours))
    return html.table(head, rows, "Average over the sky, m⁻² s⁻¹ sr⁻¹ GeV⁻¹")


def _asymmetry_table(result: Result, site: str) -> Markup:
    published = asymmetry.published(site)

    def cell(value: float | None, error: float | None) -> str:
        return with_error(value, error, "+.3f", missing="–", sign="±")

    rows = []
    for row in asymmetry.east_west(result, site):
        cells = [FLAVOURS[row.flavour], cell(row.value, row.error)]
        if published:
            known = published.get(row.flavour)
            cells += [cell(known.paper, known.paper_error), cell(known.lipari, None)] if known else ["–", "–"]
        rows.append(cells)
    head = ["Flavour", "This run"] + (["Tserkovnyak et al.", "Lipari"] if published else [])
    low, high = asymmetry.ENERGY_WINDOW_GEV
    caption = f"A = (W − E)/(W + E), W: neutrinos from the west; {low:g}–{high:g} GeV, |cos zenith| < 0.5"
    return Markup(html.table(head, rows, caption))


def _references(report: ReportPage) -> list[Section]:
    """Write the comparison with FLUKA's table, for the site it was made for; no section where there is none."""
    result, site = report.result, compare.FLUKA_SITE
    matched = matching.fluka_rows(result, site) if site in result.sites else None
    if matched is None:
        why = f"the run has no site {site}" if site not in result.sites else "the run scores nothing in its range"
        report.skipped.append(f"comparison with FLUKA's table: {why}")
        return []
    low, high = _COMPARED_GEV
    near = (matched.energy_GeV >= low) & (matched.energy_GeV <= high)
    rows = []
    if near.any():
        chosen = matched.where(near)
        rows = [
            (
                FLAVOURS[one.flavour],
                one.bins,
                one.empty,
                f"{one.median_ratio:.3f}",
                f"{one.median_deviation:.3f}",
                percent(one.median_error),
                f"{100 * one.within:.0f}%",
            )
            for one in matching.agreement(chosen)
        ]
    head = ("Flavour", "Bins", "Empty", "Median ratio", "Median |ratio − 1|", "Stat. error", "Within 15%")
    config = result.record.config
    same = config.primaries.solar == "max" and not config.transport.bending
    note = "" if same else " This run has another configuration than FLUKA's, and the difference includes that."
    name = style.title(site)

    def drawn(kind: str) -> Callable[[], Any]:
        def make() -> Any:
            require_hits(result, site)
            return plots.fluka_ratio(site, matched) if kind == "ratio" else plots.fluka_zenith(result, site, matched)

        return make

    parts = [
        html.paragraph(
            "FLUKA's Super-Kamiokande table (Battistoni et al., Astropart. Phys. 19 (2003) 269): solar maximum, "
            f"average primaries, no bending in the air.{note}"
        ),
        html.table(head, rows, f"{name}, {low:g}–{high:g} GeV, this run over FLUKA, bin by bin")
        if rows
        else html.paragraph(f"No bin of the run between {low:g} and {high:g} GeV is full.", "note"),
        report.picture(
            "ratio to FLUKA",
            drawn("ratio"),
            f"Flux at {name} over that of FLUKA's table, bin by bin, by flavour, against energy.",
        ),
        report.picture(
            "zenith beside FLUKA",
            drawn("zenith"),
            f"Zenith dependence at {name} at four energies: this run as lines, FLUKA as points.",
        ),
    ]
    return [Section("references", "Comparison with references", page.join(parts))]
