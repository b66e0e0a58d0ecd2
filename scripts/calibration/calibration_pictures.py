"""Draw a calibration: data over prediction of its measurements, and what it does to neutrinos.

    python scripts/calibration/calibration_pictures.py FILE.h5 -o FOLDER

FILE.h5 is the result of ``sim3d calibrate`` with ``method = "cascade"``, or the name of a calibration that ships.
Neutrinos are the mean of cos_zenith 0.3 and 1 at sea level, under a cutoff of 6 GV.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from matplotlib import rc_context

from sim3d.calibration.measurements import load_measurement
from sim3d.files.calibration_file import named_calibration, read_calibration
from sim3d.plots import calibration as plots
from sim3d.plots import style


def main() -> None:
    """Draw both pictures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("file")
    parser.add_argument("-o", "--output", type=Path, required=True, metavar="FOLDER")
    options = parser.parse_args()
    name = options.file
    found = read_calibration(Path(name) if name.endswith(".h5") else named_calibration(name))
    measurements = [load_measurement(one["name"], Path()) for one in found.record["sets"]]
    models = found.record["models"]
    chi2 = f"chi2 {found.record['chi2']:.0f} of {found.record['dof']} points"
    about = [f"{found.name}: {models['hadronic']}, {models['primaries']}; {chi2}"]
    options.output.mkdir(parents=True, exist_ok=True)
    with rc_context(style.RC):
        drawn = {
            "calibration-muons": plots.all_measurements(found, measurements),
            "calibration-neutrinos": plots.neutrino_errors(found),
        }
        for stem, figure in drawn.items():
            for path in style.save(figure, options.output, stem, about):
                print(path)


if __name__ == "__main__":
    main()
