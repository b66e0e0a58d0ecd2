"""Compare settings of targeted sampling, of rotations and of the allocation: figure of merit by flavour and energy.

    python benchmarks/aims.py                                   default, and without the gain of low energies
    python benchmarks/aims.py --gain 3,3,1.5,1.5 --set tail_share=0.2 --primaries 200000
    python benchmarks/aims.py --gain --importance 3,2,1,0.5,1 1,1,1,1,1

Each setting simulates the same batches in turns, in one thread; its primaries' energies come from its own survey, as in
a run of 500,000 primaries or more. Printed are the ratios of the figures of merit, 1 / (relative variance x CPU
seconds), to those of the default, averaged over the Honda bins of half a decade around an energy, and the error of a
run of 600 CPU seconds by decade. Variances come from the scatter of batches of 500 primaries.
"""

from __future__ import annotations

import argparse
import time
from dataclasses import replace
from typing import Any

import numpy as np

from sim3d.config.load import make_config
from sim3d.conventions.flavours import FLAVOURS
from sim3d.sampling import aim_settings, allocation
from sim3d.sampling.batch import empty_scores
from sim3d.simulation.processes import Processes
from sim3d.simulation.setup import Setup, make_setup
from sim3d.simulation.survey import agreed_allocation

SIZE = 500
MERIT_GEV = (0.2, 0.3, 0.5, 1.0, 3.0, 10.0, 30.0, 100.0, 1000.0, 3000.0)
RUN_SECONDS = 600.0
HONDA_GEV = 10.0 ** (-1.0 + (np.arange(100) + 0.5) / 20)


class Setting:
    """A setup with its own aim, the sums of its batches and its CPU seconds.

    Parameters
    ----------
    label : str
    gain : tuple of float
        Value of :data:`sim3d.sampling.aim_settings.SLOW_GAIN`.
    importance : tuple of float
        Value of :data:`sim3d.sampling.allocation.IMPORTANCE`.
    changed : dict
        Fields of :class:`sim3d.sampling.aim_settings.Aim`.
    site : str
    seed : int
    """

    def __init__(
        self,
        label: str,
        gain: tuple[float, ...],
        importance: tuple[float, ...],
        changed: dict[str, Any],
        site: str,
        seed: int,
    ) -> None:
        run = {"primaries": 10**6, "batch_size": SIZE, "seed": seed}
        self.label, self.seconds = label, 0.0
        self.batches: list[np.ndarray] = []
        before = aim_settings.SLOW_GAIN, allocation.IMPORTANCE
        aim_settings.SLOW_GAIN, allocation.IMPORTANCE = gain, importance  # type: ignore[assignment]
        plain = make_setup(make_config({"run": run, "sites": [{"name": site}]}))
        aim = plain.aim._replace(**changed)
        kind = type("Changed", (Setup,), {"aim": property(lambda _: aim)})
        setup = kind(**{name: getattr(plain, name) for name in plain.__dataclass_fields__})
        chosen = agreed_allocation(setup, Processes(), 1, None)
        assert chosen is not None
        aim_settings.SLOW_GAIN, allocation.IMPORTANCE = before
        self.setup = replace(setup, source=setup.source._replace(law=chosen.law(setup.source.law)))
        self.run_batch = self.setup.batch_function()

    def simulate(self, batch: int) -> None:
        """Simulate a batch, and keep its flux averaged over the sky in Honda's bins."""
        scores = empty_scores(1, self.setup.n_azimuth)
        started = time.process_time()
        self.run_batch(batch, scores)
        self.seconds += time.process_time() - started
        sky = scores.flux[0].sum(axis=(2, 3))
        self.batches.append(sky[:, 1:201].reshape(4, 100, 2).sum(axis=-1))

    def variances(self) -> np.ndarray:
        """Relative variance of each bin for one primary, times CPU seconds of it: float64 (4, 100)."""
        flux = np.array(self.batches)
        with np.errstate(invalid="ignore", divide="ignore"):
            relative = flux.var(axis=0, ddof=1) / flux.mean(axis=0) ** 2
        return np.asarray(relative * self.seconds / len(self.batches))


def numbers(text: str) -> tuple[float, ...]:
    """Numbers of a list with commas."""
    return tuple(float(one) for one in text.split(","))


def main() -> None:
    """Simulate and print the comparison."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--primaries", type=int, default=100_000, help="of each setting  [default: 100000]")
    parser.add_argument("--gain", nargs="*", default=["0,0,0,0"], help="values of SLOW_GAIN, by flavour")
    parser.add_argument("--importance", nargs="*", default=[], help="values of IMPORTANCE, by decade")
    parser.add_argument("--set", nargs="*", default=[], help="fields of Aim, NAME=VALUE, each a setting of its own")
    parser.add_argument("--site", default="kamioka")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    gain, importance = aim_settings.SLOW_GAIN, allocation.IMPORTANCE
    wanted: list[tuple[str, tuple[float, ...], tuple[float, ...], dict[str, Any]]] = [("default", gain, importance, {})]
    wanted += [(f"gain {text}", numbers(text), importance, {}) for text in options.gain]
    wanted += [(f"importance {text}", gain, numbers(text), {}) for text in options.importance]
    wanted += [(text, gain, importance, {text.split("=")[0]: float(text.split("=")[1])}) for text in options.set]
    settings = [Setting(*one, options.site, options.seed) for one in wanted]
    for one in settings:  # kernels and caches
        one.run_batch(10**7, empty_scores(1, one.setup.n_azimuth))
    for batch in range(options.primaries // SIZE):
        for one in settings:
            one.simulate(batch)
    reference = settings[0].variances()
    near = [np.argsort(abs(np.log(HONDA_GEV / energy)))[:10] for energy in MERIT_GEV]
    for one in settings:
        variances = one.variances()
        print(f"{one.label}: {1e6 * one.seconds / len(one.batches) / SIZE:.1f} us for a primary")
        print("  figure of merit, GeV", *(f"{energy:7g}" for energy in MERIT_GEV), "   error of 600 s by decade, %")
        for name, mine, usual_row in zip(FLAVOURS, variances, reference, strict=True):
            ratios = [usual_row[bins].mean() / mine[bins].mean() for bins in near]
            errors = 100.0 * np.sqrt(mine.reshape(5, 20).mean(axis=1) / RUN_SECONDS)
            row = " ".join(f"{ratio:7.2f}" for ratio in ratios)
            print(f"  {name:20s} {row}    " + " ".join(f"{error:5.2f}" for error in errors))


if __name__ == "__main__":
    main()
