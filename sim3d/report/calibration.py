"""The HTML report of a calibration."""

from __future__ import annotations

from importlib.metadata import version
from pathlib import Path

import numpy as np
from markupsafe import Markup

from sim3d.calibration.fit import eigenmodes
from sim3d.calibration.neutrino_points import NEUTRINO_COSINES, NEUTRINO_GEV
from sim3d.calibration.workflow import Calibrated
from sim3d.conventions.flavours import FLAVOURS
from sim3d.files.atomic_files import write_bytes
from sim3d.plots import calibration as plots
from sim3d.report.page import Section, html, join, page, picture
from sim3d.report.pictures import png


def write_report(path: Path, calibrated: Calibrated) -> Path:
    """Write the report of a calibration.

    Parameters
    ----------
    path : Path
    calibrated : Calibrated

    Returns
    -------
    Path
        The file written.
    """
    found = calibrated.found
    lead = Markup("<p>{}</p>").format(
        f"chi2 {found.chi2_total:.1f} of {found.dof} points (probability {found.probability:.2g}), of which priors "
        f"{found.chi2_priors:.1f} and nuisances {found.chi2_nuisances:.1f}. Errors are multiplied by {found.scale:.2f}."
    )
    sections = [
        Section("sets", "Measurements", _sets(calibrated)),
        Section("parameters", "Parameters", _parameters(calibrated)),
        Section("nuisances", "Common errors of the measurements", _nuisances(calibrated)),
        Section("modes", "Directions that muons see, and do not", _modes(calibrated)),
        Section("without", "Each measurement left out", _without(calibrated)),
        *([] if calibrated.grown is None else [Section("truths", "Other models as truth", _truths(calibrated))]),
        Section("steps", "Iterations and provenance", _steps(calibrated)),
    ]
    text = page(f"Calibration {calibrated.table.name}", lead, sections, version("sim3d"))
    return write_bytes(path, text.encode())


def _sets(calibrated: Calibrated) -> Markup:
    found = calibrated.found
    rows = []
    pieces: list[str] = []
    for one, last, first in zip(calibrated.measurements, calibrated.last, calibrated.first, strict=True):
        worst = found.pulls[one.name][int(np.argmax(np.abs(found.pulls[one.name])))]
        own = np.sqrt(np.diag(last.response.covariance)) / (np.sqrt(np.diag(last.covariance)) / last.data)
        rows.append(
            [
                one.table.title, str(found.n_points[one.name]), f"{found.chi2[one.name]:.1f}", f"{worst:+.1f}",
                f"{np.median(own):.2f}", one.table.citation,
            ]
        )  # fmt: skip
        name = one.name
        drawn = png(lambda one=one, first=first, last=last: plots.data_over_prediction(one, first, last, found))  # type: ignore[misc]
        pieces.append(picture(drawn, f"Data over prediction of {name}", f"{one.table.title}: data over prediction"))
    head = ["Measurement", "Points", "chi2", "Largest pull", "Error of the simulation over the data's", "Citation"]
    return join([html.table(head, rows), *pieces])


def _parameters(calibrated: Calibrated) -> Markup:
    found = calibrated.found
    errors = np.sqrt(np.diag(found.covariance))
    rows = [
        [n, f"{v * s:+.4f}", f"{e * s * found.scale:.4f}", f"{s:.4f}", f"{v - c:+.2f}"]
        for n, v, e, s, c in zip(found.parameters, found.values, errors, found.sigma, found.prior_centre, strict=True)
    ]
    return join(
        [
            picture(png(lambda: plots.pulls(found)), "Pulls of the parameters", "Values in units of the priors"),
            html.table(["Parameter", "Value", "Error", "Prior", "Value in prior sigma"], rows),
            picture(png(lambda: plots.correlations(found)), "Correlation matrix", "Correlations after the fit"),
        ]
    )


def _nuisances(calibrated: Calibrated) -> Markup:
    rows = []
    for one in calibrated.measurements:
        values, errors = calibrated.found.nuisances[one.name]
        for nuisance, value, error in zip(one.table.nuisances, values, errors, strict=True):
            factor = calibrated.enlarged.get(one.name, {}).get(nuisance.name, 1.0)
            rows.append([one.name, nuisance.name, f"{value:+.2f}", f"{error:.2f}", f"{factor:.2f}", nuisance.source])
    head = ["Measurement", "Error", "Pull", "Error of it", "Size over the published one", "Source"]
    return join([html.table(head, rows)])


def _modes(calibrated: Calibrated) -> Markup:
    share, modes = eigenmodes(calibrated.found)
    names = calibrated.found.parameters
    seen = int(np.sum(share < 0.5))
    rows = []
    for k, part in enumerate(share):
        largest = np.argsort(-np.abs(modes[:, k]))[:4]
        rows.append([f"{part:.3f}", ", ".join(f"{modes[i, k]:+.2f} {names[i]}" for i in largest)])
    words = Markup("<p>{}</p>").format(
        f"{seen} of {len(share)} directions have less than half of their prior variance after the fit; those with "
        "1 are not seen by muons, and their error is the prior's."
    )
    return join([words, html.table(["Variance after over before", "Largest components, in prior sigma"], rows)])


def _without(calibrated: Calibrated) -> Markup:
    found = calibrated.found
    errors = np.sqrt(np.diag(found.covariance))
    rows = []
    for name, (values, covariance) in calibrated.without.items():
        moved = (values - found.values) / np.sqrt(np.diag(covariance))
        largest = int(np.argmax(np.abs(moved)))
        wider = np.sqrt(np.diag(covariance)) / errors
        rows.append(
            [name, f"{moved[largest]:+.2f}", found.parameters[largest], f"{wider.max():.2f}",
             found.parameters[int(np.argmax(wider))]]
        )  # fmt: skip
    head = ["Without", "Largest move in errors", "of", "Largest error over that with it", "of"]
    return join([html.table(head, rows)])


def _truths(calibrated: Calibrated) -> Markup:
    """Other models in the place of the data, and errors of neutrinos by what makes them."""
    grown, neutrinos, found = calibrated.grown, calibrated.neutrinos, calibrated.found
    assert grown is not None
    assert neutrinos is not None
    rows = [
        [
            one["name"], f"{one['chi2_of_muons']:.0f}", f"{one['per_mode']:.2f}", f"{one['per_point']:.2f}",
            f"{one['largest']:.1f}", f"{one['share']:.2f}", f"{one['per_mode_after']:.2f}",
            f"{one['per_point_after']:.2f}", f"{one['largest_after']:.1f}",
        ]
        for one in grown.record
    ]  # fmt: skip
    words = Markup("<p>{}</p>").format(
        "Muons of other models are fitted in the place of the data. Neutrinos of the model over those of the fit are "
        "compared with the covariance: mean squared pulls per eigenmode and per point (below 2 is wanted), and the "
        "largest pull. Of a fit without a measurement the largest pull must be below 1. Where that fails, a share of "
        "the difference becomes a part of the error."
    )
    head = ["Truth", "chi2 of muons", "per mode", "per point", "largest", "share", "then per mode", "per point"]
    slopes = neutrinos.slopes.reshape(len(FLAVOURS), len(NEUTRINO_GEV), len(NEUTRINO_COSINES), -1)
    units = np.outer(found.sigma, found.sigma) * found.scale**2
    own = np.einsum("feci,ij,fecj->fec", slopes, found.covariance * units, slopes)
    parts = [[f"{energy:g}"] for energy in NEUTRINO_GEV]
    for f in range(len(FLAVOURS)):
        # mean variance over the zenith angles
        columns = [own[f].mean(axis=1), *((change[f] ** 2).mean(axis=1) for change in grown.modes.changes)]
        for e, row in enumerate(parts):
            row.append(" ".join(f"{100.0 * np.sqrt(column[e]):.1f}" for column in columns))
    of = ", ".join(["parameters", *grown.modes.names])
    second = Markup("<p>{}</p>").format(f"Errors of neutrinos (percent), mean over zenith angles, made by: {of}.")
    return join([words, html.table([*head, "largest"], rows), second, html.table(["GeV", *FLAVOURS], parts)])


def _steps(calibrated: Calibrated) -> Markup:
    rows = [
        [
            str(step["iteration"]), f"{step['chi2']:.1f}", f"{step['largest_move']:+.2f}", step["parameter"],
            ""
            if step["linear_chi2_per_point"] is None
            else f"{step['linear_chi2_per_point']:.2f} ± {step['linear_width']:.2f}",
        ]
        for step in calibrated.steps
    ]  # fmt: skip
    head = [
        "Iteration",
        "chi2",
        "Largest move",
        "of",
        "Fresh run against linear prediction, chi2 per point (expected 1 ± its width)",
    ]
    files = [[name, digest] for name, digest in sorted(calibrated.files.items())]
    model = calibrated.table.model
    words = Markup("<p>{}</p>").format(f"Models: {model.hadronic}, {model.primaries}, {model.atmosphere}.")
    return join([words, html.table(head, rows), html.table(["Response", "SHA-256"], files)])
