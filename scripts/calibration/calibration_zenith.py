"""Compute what other zenith angles of the charge ratios would do to a calibration that ships.

    python scripts/calibration/calibration_zenith.py muons-2026

The zenith angles of CMS, MINOS and OPERA are not published as an acceptance. Their predictions are multiplied by the
ratio of the cascade equations for other angles to those of the measurement's file, at the best fit, and the parameters
are fitted again. Printed are the changes of the charge ratio, of chi2 and of the parameters in units of their errors,
and of neutrinos in percent.
"""

from __future__ import annotations

import argparse
from dataclasses import replace

import numpy as np

from sim3d.calibration.cascade_muons import CascadeMuons, charges_at
from sim3d.calibration.fit import fit
from sim3d.calibration.measurements import AcceptanceTable, Measurement, load_measurement
from sim3d.calibration.predictions import quantity
from sim3d.calibration.stored_sets import stored_prior, stored_sets
from sim3d.files.calibration_file import named_calibration, read_calibration
from sim3d.primaries.catalogue import highest_energy_GeV

CHANGES = {"cms": ((0.7, 1.0), (0.3, 1.0)), "minos": ((0.5, 1.0), (0.85, 1.0)), "opera": ((0.3, 1.0), (0.8, 1.0))}
"""Other ranges of cos_zenith than those of the files."""
SHOWN_GEV = (1.0, 10.0, 100.0, 1000.0)


def at_angles(measurement: Measurement, cos_zenith: tuple[float, float]) -> Measurement:
    """Copy a measurement with one acceptance for all momenta."""
    table = measurement.table.model_copy(update={"acceptance": (AcceptanceTable(cos_zenith=cos_zenith),)})
    points = tuple(replace(each, cos_zenith=(cos_zenith,) * len(each.value)) for each in measurement.points)
    return replace(measurement, table=table, points=points)


def main() -> None:
    """Fit again and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("name")
    stored = read_calibration(named_calibration(parser.parse_args().name))
    sets, prior = stored_sets(stored), stored_prior(stored)
    base = fit(sets, stored.parameters, prior, quick=True)
    errors = np.sqrt(np.diag(base.covariance))
    print(f"chi2 {base.chi2_total:.1f} (of the file: {stored.record['chi2']:.1f})")
    values = dict(zip(stored.parameters, stored.values.tolist(), strict=True))
    model = stored.record["models"] | {"highest_GeV": highest_energy_GeV(stored.record["models"]["primaries"])}
    energies, slopes = stored.arrays["neutrinos/energies_GeV"], stored.arrays["neutrinos/slopes"].mean(axis=2)
    for name, ranges in CHANGES.items():
        measurement = load_measurement(name)
        kinds = [each.table.quantity for each in measurement.points for _ in each.value]
        own = measurement.table.acceptance[-1].cos_zenith
        # one solution for all angles: the air and the cutoff are those of the measurement
        found = {}
        for angles in (own, *ranges):
            moved = at_angles(measurement, angles)
            found[angles] = quantity(kinds, charges_at(moved, CascadeMuons((moved,), model).fluxes(values)))
        for angles in ranges:
            ratio = found[angles] / found[own]
            new = tuple(
                replace(one, response=replace(one.response, values=one.response.values * ratio))
                if one.name == name
                else one
                for one in sets
            )
            again = fit(new, stored.parameters, prior, quick=True)
            move = (again.values - base.values) / errors
            largest = int(np.argmax(np.abs(move)))
            change = 100.0 * slopes @ ((again.values - base.values) * base.sigma)
            shown = [int(np.argmin(np.abs(np.log(energies / e)))) for e in SHOWN_GEV]
            words = ", ".join(f"{e:g}" for e in SHOWN_GEV)
            numu, nue = (", ".join(f"{change[k, i]:+.2f}" for i in shown) for k in (0, 2))
            print(
                f"{name}, cos_zenith {angles[0]:g}-{angles[1]:g} instead of {own[0]:g}-{own[1]:g}: ratio "
                f"{100 * (ratio.min() - 1):+.2f} to {100 * (ratio.max() - 1):+.2f}%, chi2 "
                f"{again.chi2_total - base.chi2_total:+.1f}, largest move {move[largest]:+.2f} errors "
                f"({stored.parameters[largest]}); numu and nue at {words} GeV: "
                f"{numu}; {nue}%",
                flush=True,
            )


if __name__ == "__main__":
    main()
