"""Measure the error per Honda bin of a default run from 0.1 GeV to 10 TeV, by flavour and decade, with a picture.

    python benchmarks/decades.py                     120 CPU seconds, scaled to a run of 600
    python benchmarks/decades.py --seconds 600 --seed 7 --table
    python benchmarks/decades.py --allocation off    with the fixed density of the primaries' energies
    python benchmarks/decades.py --of run.h5 --seconds 280      from a result, and the CPU seconds that it took
    python benchmarks/decades.py --length 300        scaled to five minutes

The site is Kamioka with a patch of 2 x 2 degrees, in one thread; compiling is not counted. The error is that of the sky
average of a bin, from the scatter of batches, as the rms over the bins of a decade and the largest of them, of which
none should be above twice the rms. The time of
the survey that chooses the energies of the primaries is part of the run. ``--table``
also counts the empty bins of the azimuth-averaged table of 20 zenith bins. The picture is output/decades.png.
"""

from __future__ import annotations

import argparse
import math
import time
from pathlib import Path
from typing import Any

import numpy as np

from sim3d.config.load import make_config
from sim3d.conventions.binning import ENERGY_EDGES_GEV, N_FLAVOURS
from sim3d.conventions.flavours import FLAVOURS
from sim3d.results.result import load
from sim3d.sampling.batch import empty_scores
from sim3d.simulation.processes import Processes
from sim3d.simulation.setup import make_setup
from sim3d.simulation.survey import agreed_allocation

BATCH = 2000
RUN_SECONDS = 600.0
DECADES_GEV = ((0.1, 1.0), (1.0, 10.0), (10.0, 100.0), (100.0, 1000.0), (1000.0, 10000.0))
TARGETS = {
    "numu": (1.3, 1.0, 1.1, 1.4, 2.3),
    "numubar": (1.3, 1.0, 1.1, 1.4, 2.3),
    "nue": (1.4, 1.1, 2.0, 2.7, 3.5),
    "nuebar": (1.4, 1.1, 2.0, 2.7, 3.5),
}
"""Percent, for a run of RUN_SECONDS."""
PICTURE = Path(__file__).resolve().parents[1] / "output" / "decades.png"

Row = dict[str, Any]


def measure(seconds: float, seed: int, allocation: str = "auto") -> tuple[np.ndarray, np.ndarray, int]:
    """Compute the relative errors of a run of RUN_SECONDS from one of another length.

    Parameters
    ----------
    seconds : float
        CPU seconds.
    seed : int
    allocation : str
        ``allocation.mode`` of the configuration.

    Returns
    -------
    energy : float64 array (101,)
        Honda's energies (GeV).
    error : float64 array (4, 101)
        Relative errors of the sky averages; NaN for an empty bin.
    empty : int
        Bins of the azimuth-averaged table without a hit, of all flavours, after the seconds that were simulated.
    """
    site = {"name": "kamioka", "patch": {"ns_deg": 2.0, "ew_deg": 2.0}}
    run = {"primaries": 10**9, "batch_size": BATCH, "seed": seed}
    setup = make_setup(make_config({"run": run, "sites": [site], "allocation": {"mode": allocation}}))
    scores = empty_scores(1, setup.n_azimuth)
    setup.batch_function()(0, scores)
    started = time.process_time()
    setup = setup.with_allocation(agreed_allocation(setup, Processes(), 1, None))
    length = RUN_SECONDS - (time.process_time() - started)
    run_batch = setup.batch_function()
    values, used, batch = [], 0.0, 0
    sky: np.ndarray = np.zeros(scores.flux.shape[1:4])
    while used < seconds or batch < 2:
        batch += 1
        scores.flux[:] = 0.0
        started = time.process_time()
        run_batch(batch, scores)
        used += time.process_time() - started
        sky += scores.flux[0].sum(axis=-1)
        values.append(scores.flux[0].sum(axis=(2, 3)).reshape(N_FLAVOURS, -1, 2).sum(axis=2))
    flux = np.array(values)
    with np.errstate(invalid="ignore", divide="ignore"):
        error = flux.std(axis=0, ddof=1) / math.sqrt(batch) / flux.mean(axis=0) * math.sqrt(used / length)
    table = sky.reshape(N_FLAVOURS, sky.shape[1] // 2, 2, sky.shape[2] // 2, 2).sum(axis=(2, 4))
    energy = np.sqrt(ENERGY_EDGES_GEV[:-1:2] * ENERGY_EDGES_GEV[2::2])
    return energy, error, int((table == 0.0).sum())


def measure_result(path: Path, seconds: float) -> tuple[np.ndarray, np.ndarray, int]:
    """Compute the relative errors of a run of RUN_SECONDS from a result of Kamioka.

    Parameters
    ----------
    path : pathlib.Path
    seconds : float
        CPU seconds of its run.

    Returns
    -------
    energy, error, empty
        As :func:`measure` returns them; the errors come from groups of batches.
    """
    result = load(path)
    filled = result.group_weights > 0
    edges = result.binning_energy_edges("fine_aa")
    groups = result.groups_east_west("kamioka")[filled].mean(axis=(3, 4)) * np.diff(edges)
    groups = groups.reshape(*groups.shape[:2], -1, 2).sum(axis=3)
    with np.errstate(invalid="ignore", divide="ignore"):
        error = groups.std(axis=0, ddof=1) / math.sqrt(len(groups)) / groups.mean(axis=0)
    table = result.binned("kamioka", "honda_aa")[0]
    return np.sqrt(edges[:-1:2] * edges[2::2]), error * math.sqrt(seconds / RUN_SECONDS), int((table == 0.0).sum())


def of_decades(energy: np.ndarray, error: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Compute the rms and the largest error over the bins of each decade (percent).

    Parameters
    ----------
    energy, error
        As :func:`measure` returns them.

    Returns
    -------
    rms, largest : float64 arrays (4, 5)
    """
    chosen = [(energy > 0.99 * low) & (energy < 0.99 * high) for low, high in DECADES_GEV]
    rms = np.array([[math.sqrt(np.mean(one[k] ** 2)) for k in chosen] for one in error])
    largest = np.array([[np.max(one[k]) for k in chosen] for one in error])
    return 100.0 * rms, 100.0 * largest


def draw(energy: np.ndarray, error: np.ndarray, path: Path, length: float = RUN_SECONDS) -> None:
    """Draw the errors by energy, with the targets as steps.

    Parameters
    ----------
    energy, error
        As :func:`measure` returns them.
    path : pathlib.Path
        File of the picture.
    length : float
        CPU seconds to which the errors are scaled; the targets are scaled with them.
    """
    import matplotlib.pyplot as plt
    from matplotlib.ticker import FuncFormatter

    scale = math.sqrt(RUN_SECONDS / length)
    error, targets = scale * error, {name: scale * np.array(one) for name, one in TARGETS.items()}
    figure, axes = plt.subplots(figsize=(7.0, 4.2), layout="constrained")
    for f, flavour in enumerate(FLAVOURS):
        (line,) = axes.plot(energy, 100.0 * error[f], label=flavour)
        if flavour in ("numu", "nue"):
            edges = [*(low for low, _ in DECADES_GEV), DECADES_GEV[-1][1]]
            axes.stairs(targets[flavour], edges, color=line.get_color(), linestyle="--", linewidth=0.8)
    axes.set(xscale="log", yscale="log", xlabel="neutrino energy (GeV)", ylabel="error of the sky average (%)")
    low, high = axes.get_ylim()
    axes.set_ylim(max(low, 0.5), high)
    axes.set_yticks([one for one in (0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 50.0) if one <= high])
    axes.yaxis.set_minor_formatter("")
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axes.set_title(f"{length:.0f} CPU s, Kamioka, 2 x 2 degrees; dashed: wanted of numu and nue", fontsize=9)
    axes.legend(frameon=False)
    path.parent.mkdir(exist_ok=True)
    figure.savefig(path, dpi=150)
    plt.close(figure)


def decades(seconds: float = 120.0, seed: int = 11) -> list[Row]:
    """Measure the errors and compare them with the targets.

    Parameters
    ----------
    seconds : float
    seed : int

    Returns
    -------
    list of dict
    """
    energy, error, empty = measure(seconds, seed)
    rms, largest = of_decades(energy, error)
    draw(energy, error, PICTURE)
    uneven = largest / rms
    shape: list[Row] = [
        {
            "name": f"largest error of a Honda bin over the rms of its decade, {flavour}",
            "value": float(np.max(one)),
            "unit": "",
            "peer": "target",
            "ratio": float(np.max(one) / 2.0),
            "target": 2.0,
            "met": bool(np.max(one) <= 2.0),
        }
        for flavour, one in zip(FLAVOURS, uneven, strict=True)
    ]
    shape.append(
        {
            "name": f"empty bins of the azimuth-averaged table after {seconds:.0f} CPU s",
            "value": float(empty),
            "unit": f"of {N_FLAVOURS * 101 * 20}",
            "peer": "target",
            "ratio": None,
            "target": None,
            "met": None,
        }
    )
    return shape + [
        {
            "name": f"error per Honda bin, {low:g}-{high:g} GeV, {flavour}, {RUN_SECONDS:.0f} CPU s",
            "value": float(rms[f, d]),
            "unit": "%",
            "peer": "target",
            "ratio": float(rms[f, d] / TARGETS[flavour][d]),
            "target": TARGETS[flavour][d],
            "met": bool(rms[f, d] <= TARGETS[flavour][d]),
        }
        for f, flavour in enumerate(FLAVOURS)
        for d, (low, high) in enumerate(DECADES_GEV)
    ]


def main() -> None:
    """Print the table and draw the picture."""
    parser = argparse.ArgumentParser(description="Errors per Honda bin of a default run, by flavour and decade.")
    parser.add_argument("--seconds", type=float, default=120.0, help="CPU seconds  [default: 120]")
    parser.add_argument("--length", type=float, default=RUN_SECONDS, help="scale to these CPU seconds  [default: 600]")
    parser.add_argument("--of", type=Path, help="a result of Kamioka that took --seconds, instead of a run")
    parser.add_argument("--seed", type=int, default=11, help="seed  [default: 11]")
    parser.add_argument("--table", action="store_true", help="count the empty bins of the azimuth-averaged table")
    parser.add_argument("--allocation", choices=("auto", "off"), default="auto", help="survey or fixed density")
    arguments = parser.parse_args()
    if arguments.of is None:
        energy, error, empty = measure(arguments.seconds, arguments.seed, arguments.allocation)
    else:
        energy, error, empty = measure_result(arguments.of, arguments.seconds)
    rms, largest = (math.sqrt(RUN_SECONDS / arguments.length) * one for one in of_decades(energy, error))
    length = f"{arguments.length:.0f} CPU s"
    print(f"Error per Honda bin in {length}, rms (largest) of each decade, %; from {arguments.seconds:g} s")
    print(f"{'GeV':10s}" + "".join(f"{f'{low:g}-{high:g}':>16s}" for low, high in DECADES_GEV))
    for f, flavour in enumerate(FLAVOURS):
        print(f"{flavour:10s}" + "".join(f"{a:9.2f} ({b:4.1f})" for a, b in zip(rms[f], largest[f], strict=True)))
    if arguments.table:
        print(f"empty bins of the azimuth-averaged table: {empty} of {N_FLAVOURS * 101 * 20}")
    draw(energy, error, PICTURE, arguments.length)
    print(PICTURE)


if __name__ == "__main__":
    main()
