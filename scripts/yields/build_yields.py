"""Compute yield tables of event generators: sample interactions through chromo, and write a table file of sim3d.

    pip install "sim3d[generators]"
    python scripts/yields/build_yields.py run --generator UrQMD34 --projectile p --events 20000 -o raw
    python scripts/yields/build_yields.py join --recipe urqmd-sibyll raw/*.npz -o urqmd-sibyll.h5

`run` writes one file of histograms for each energy. One process can use one generator and one projectile only, a limit
of chromo. Files of different seeds add up. `join` writes the table. See docs/reports/hadronic-models.md for the
recipes, and for what Pythia needs in addition to its wheel.
"""

from __future__ import annotations

import argparse
import contextlib
import importlib.metadata
import sys
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from hadronic.builders.prompt_decays import decay_all
from hadronic.builders.yield_histograms import NodeHistogram, without_elastic
from hadronic.builders.yield_join import RECIPES, Run, join
from hadronic.errors import HadronicInputError
from hadronic.species import PDG_IDS, species_code
from hadronic.tables.yield_file import write_yield_file
from hadronic.tables.yield_rows import PROJECTILES

# Kinetic energies [GeV]: those that the generator reaches for the projectile.
_PYTHIA = (1.0, 1.5, 2.0, 3.0, 5.0, 7.0, 10.0, 14.0, 20.0, 30.0, 60.0, 100.0, 300.0, 1e3, 1e4, 1e5, 1e6)
_SIBYLL = (80.0, 150.0, 300.0, 1e3, 3e3, 1e4, 3e4, 1e5, 3e5, 1e6)
ENERGIES_GEV: dict[str, dict[str, tuple[float, ...]]] = {
    "UrQMD34": {
        "p": (1.0, 1.5, 2.0, 3.0, 5.0, 10.0, 18.0, 30.0, 60.0),
        # Below 2 GeV UrQMD does not terminate for some pion collisions.
        "pi+": (2.0, 3.0, 5.0, 10.0, 18.0, 30.0, 60.0),
        "K+": (5.0, 10.0, 18.0, 30.0, 60.0),
        "K-": (5.0, 10.0, 18.0, 30.0, 60.0),
    },
    "Sibyll23d": dict.fromkeys(PROJECTILES, _SIBYLL),
    "Pythia8Cascade": dict.fromkeys(PROJECTILES, _PYTHIA),
}
# (A, Z); nitrogen stands for air in the tables.
TARGETS = {"N14": (14, 7), "O16": (16, 8), "C12": (12, 6)}
BATCH = 1000

# (event number, PDG ids, four-momenta) of a batch of interactions, for a kinetic energy and a number of them.
Batch = tuple[np.ndarray, np.ndarray, np.ndarray]


class ChromoSource:
    """Sampler of interactions of one chromo model: one projectile on one nucleus.

    Parameters
    ----------
    generator : str
        Name of the class in `chromo.models`.
    projectile : str
        One of `hadronic.tables.yield_rows.PROJECTILES`.
    first_GeV : float
        Kinetic energy to start with (the highest, as some models make their tables for it).
    seed : int
    target : str
        One of `TARGETS`.
    """

    def __init__(self, generator: str, projectile: str, first_GeV: float, seed: int, target: str = "N14") -> None:
        import chromo
        from chromo.kinematics import FixedTarget, KinEnergy

        warnings.filterwarnings("ignore", message=".*haven't been decayed")
        model = getattr(chromo.models, generator)
        options: dict[str, Any] = {"seed": seed}
        if generator == "Pythia8Cascade":
            # chromo's own limit of 10 GeV is that of its other Pythia models; PythiaCascade goes to 0.3 GeV kinetic.
            model._ecm_min = 1.5
            options["banner"] = False
        pdg = PDG_IDS[species_code(projectile)]

        def kinematics(T: float) -> Any:
            # KinEnergy: a bare number would be the TOTAL energy.
            return FixedTarget(KinEnergy(T), pdg, TARGETS[target])

        self._kinematics: Callable[[float], Any] = kinematics
        self.model = model(kinematics(first_GeV), **options)
        stable = [211, -211, 321, -321, 130, 310, 3122, 111, 2112, 13, -13]
        self.model.final_state_particles = stable
        self.elastic = generator == "UrQMD34" and projectile != "p"
        self.version = f"{model.label if hasattr(model, 'label') else generator}"

    def cross_section_mb(self, T_GeV: float) -> float:
        """Return the production cross section; nan where the model has none.

        Parameters
        ----------
        T_GeV : float
            Kinetic energy of the projectile.

        Returns
        -------
        float
            mb.
        """
        self.model.kinematics = self._kinematics(T_GeV)
        return float(self.model.cross_section().prod)

    def batches(self, T_GeV: float, events: int) -> Iterator[tuple[Batch, int]]:
        """Sample final states in batches.

        Parameters
        ----------
        T_GeV : float
            Kinetic energy of the projectile.
        events : int
            Number of interactions.

        Yields
        ------
        (batch, number)
            Final states, and the number of interactions in the batch.
        """
        self.model.kinematics = self._kinematics(T_GeV)
        parts: list[tuple[np.ndarray, np.ndarray]] = []
        for done, one in enumerate(self.model(events), 1):
            final = one.final_state()
            parts.append((np.array(final.pid), np.array([final.en, final.px, final.py, final.pz]).T))
            if len(parts) == BATCH or done == events:
                number = np.repeat(np.arange(len(parts)), [len(part[0]) for part in parts])
                pdg = np.concatenate([part[0] for part in parts])
                yield (number, pdg, np.concatenate([part[1] for part in parts])), len(parts)
                parts = []


def fill(source: Any, projectile: str, T_GeV: float, events: int, rng: np.random.Generator) -> NodeHistogram:
    """Sample interactions at one energy and fill their histogram.

    Interactions that count as elastic are removed, so the histogram may have fewer than ``events``.

    Parameters
    ----------
    source : object
        Such as :class:`ChromoSource`.
    projectile : str
    T_GeV : float
        Kinetic energy of the projectile.
    events : int
        Number of interactions.
    rng : numpy Generator
        For the decays.

    Returns
    -------
    NodeHistogram
    """
    histogram = NodeHistogram(projectile, T_GeV)
    for (event, pdg, four), number in source.batches(T_GeV, events):
        if source.elastic:
            keep = without_elastic(event, pdg, four, T_GeV, number)
            new_number = np.cumsum(keep) - 1
            kept = keep[event]
            event, pdg, four = new_number[event[kept]], pdg[kept], four[kept]
            number = int(keep.sum())
        histogram.add(*decay_all(event, pdg, four, rng), number)
    return histogram


def run(arguments: argparse.Namespace) -> None:
    """Run the generator at every energy, and write one file of histograms each.

    Parameters
    ----------
    arguments : argparse.Namespace
    """
    folder = Path(arguments.output).resolve()
    folder.mkdir(parents=True, exist_ok=True)
    # UrQMD writes its table of cross sections (tables.dat, 4 MB) into the current folder.
    with tempfile.TemporaryDirectory() as scratch, contextlib.chdir(scratch):
        _run_energies(arguments, folder)


def _run_energies(arguments: argparse.Namespace, folder: Path) -> None:
    """Run the generator, in the current folder; files of histograms go to `folder`."""
    energies = arguments.energy or ENERGIES_GEV[arguments.generator][arguments.projectile]
    source = ChromoSource(arguments.generator, arguments.projectile, max(energies), arguments.seed, arguments.target)
    rng = np.random.default_rng(arguments.seed)
    for T in energies:
        start = time.perf_counter()
        sigma = source.cross_section_mb(T)
        histogram = fill(source, arguments.projectile, T, arguments.events, rng)
        path = folder / f"{arguments.generator}_{arguments.projectile}_{T:g}_{arguments.target}_{arguments.seed}.npz"
        np.savez_compressed(
            path,
            generator=arguments.generator,
            version=source.version,
            chromo=importlib.metadata.version("chromo"),
            projectile=arguments.projectile,
            target=arguments.target,
            T_GeV=T,
            seed=arguments.seed,
            generated=arguments.events,
            events=histogram.events,
            cross_section_mb=sigma,
            counts=histogram.counts,
            angle_counts=histogram.angle_counts,
            moment_sums=histogram.moment_sums,
            moment_squares=histogram.moment_squares,
            other_sums=histogram.other_sums,
        )
        took = time.perf_counter() - start
        print(f"wrote {path}: {histogram.events} of {arguments.events} interactions, {took:.0f} s", flush=True)


def read_run(path: str) -> tuple[Run, str]:
    """Read a file that `run` wrote; only nitrogen is accepted as target.

    Parameters
    ----------
    path : str

    Returns
    -------
    run : Run
    version : str
        Of the chromo that made it.
    """
    with np.load(path) as file:
        histogram = NodeHistogram(str(file["projectile"]), float(file["T_GeV"]), int(file["events"]))
        for name in ("counts", "angle_counts", "moment_sums", "moment_squares", "other_sums"):
            setattr(histogram, name, file[name])
        target = str(file["target"]) if "target" in file else "N14"
        if target != "N14":
            raise HadronicInputError(f"{path}: is of {target}; tables are made of N14")
        sigma, seeds = float(file["cross_section_mb"]), [int(file["seed"])]
        return Run(str(file["generator"]), str(file["version"]), histogram, sigma, seeds), str(file["chromo"])


def join_runs(arguments: argparse.Namespace) -> None:
    """Combine runs into the table of a recipe, and write it.

    Parameters
    ----------
    arguments : argparse.Namespace
    """
    read = []
    for path in arguments.files:
        try:
            read.append(read_run(path))
        except (OSError, KeyError, ValueError) as exc:
            if isinstance(exc, HadronicInputError):
                raise
            raise HadronicInputError(f"{path}: not a file that run wrote") from None
    provenance = {
        "chromo": ", ".join({version for _, version in read}),
        "command": f"scripts/yields/build_yields.py join --recipe {arguments.recipe}",
        "definitions": "x = T_sec/T; nucleons above 0.1 GeV; eta, Sigma, Xi, Omega and antihyperons decayed",
    }
    name = arguments.name or arguments.recipe
    write_yield_file(arguments.output, join([run for run, _ in read], arguments.recipe, name, provenance))
    print(f"wrote {arguments.output}")


def parser() -> argparse.ArgumentParser:
    """Build the parser of the command line.

    Returns
    -------
    argparse.ArgumentParser
    """
    main_parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = main_parser.add_subparsers(dest="command", required=True)
    one = commands.add_parser("run", help="run a generator, write histograms")
    one.add_argument("--generator", required=True, choices=list(ENERGIES_GEV), help="class of chromo.models")
    one.add_argument("--projectile", required=True, choices=PROJECTILES)
    one.add_argument("--energy", type=float, action="append", metavar="T", help="kinetic energy in GeV (repeat)")
    one.add_argument("--events", type=int, default=20000, metavar="N", help="interactions at each energy")
    one.add_argument("--target", choices=list(TARGETS), default="N14", help="nucleus (default: N14)")
    one.add_argument("--seed", type=int, default=1, metavar="S", help="Pythia8Cascade takes none")
    one.add_argument("-o", "--output", required=True, metavar="DIR")
    one.set_defaults(call=run)
    two = commands.add_parser("join", help="make a table of yields from histograms")
    two.add_argument("files", nargs="+", metavar="FILE", help="files that `run` wrote")
    two.add_argument("--recipe", required=True, choices=list(RECIPES), help="what goes where")
    two.add_argument("--name", metavar="NAME", help="of the model; the recipe's if not given")
    two.add_argument("-o", "--output", required=True, metavar="FILE.h5")
    two.set_defaults(call=join_runs)
    return main_parser


def main(arguments: list[str] | None = None) -> int:
    """Run the command line; return the exit status.

    Parameters
    ----------
    arguments : list of str, optional
        That of the process if not given.

    Returns
    -------
    int
    """
    given = parser().parse_args(arguments)
    try:
        given.call(given)
    except HadronicInputError as exc:
        print(f"build_yields: {exc}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
