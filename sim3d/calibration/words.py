"""Describe a calibration as text: chi2 by measurement, and the parameters that the measurements move."""

from __future__ import annotations

from sim3d.conventions.text_tables import text_table
from sim3d.files.calibration_file import Calibration


def summary(calibration: Calibration) -> str:
    """Format chi2 and the values of all parameters.

    Parameters
    ----------
    calibration : Calibration

    Returns
    -------
    str
    """
    record = calibration.record
    lines = [
        f"{calibration.name}: chi2 {record['chi2']:.1f} of {record['dof']} points, probability "
        f"{record['probability']:.2g}; priors {record['chi2_priors']:.1f}, nuisances {record['chi2_nuisances']:.1f}; "
        f"errors times {calibration.scale:.2f}",
        "",
    ]
    rows = [[one["name"], str(one["points"]), f"{one['chi2']:.1f}"] for one in record["sets"]]
    lines += text_table(["measurement", "points", "chi2"], rows, "lrr")
    for name, factors in record.get("enlarged", {}).items():
        for nuisance, factor in factors.items():
            lines.append(f"{name}: {nuisance} disagrees with the fit; its size is multiplied by {factor:.2f}")
    for one in record.get("truths", []):
        lines.append(
            f"{one['name']}: squared pulls of neutrinos {one['per_mode']:.2f} per mode, {one['per_point']:.2f} per "
            f"point; with {one['share']:.2f} of the difference in the errors {one['per_mode_after']:.2f}, "
            f"{one['per_point_after']:.2f}"
        )
    rows = [
        [
            one["name"], f"{one['value']:+.4g}", f"{one['error'] * calibration.scale:.3g}", f"{one['prior']:.3g}",
            f"{one['pull']:+.2f}",
        ]
        for one in record["parameters"]
    ]  # fmt: skip
    lines += ["", *text_table(["parameter", "value", "error", "prior", "value in prior sigma"], rows, "lrrrr")]
    return "\n".join(lines)
