"""Collect sections, verdicts, runs and pictures of a validation report."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from matplotlib import rc_context

import sim3d
from sim3d.config.schema import Config
from sim3d.plots.style import RC, add_context, save_as
from sim3d.results.result import Result
from sim3d.simulation.engine import run_to_file

if TYPE_CHECKING:
    from matplotlib.figure import Figure

OLD_PRIMARIES: dict[str, Any] = {"model": "ghls2001-average", "solar": "fit"}
OLD_HADRONIC: dict[str, Any] = {"model": "fluka-z", "definition": "printed"}
"""Inputs with which the figures of docs/reports were made, where a section does not state others; not the defaults."""


def at_sea_level(*names: str) -> list[dict[str, Any]]:
    """List known sites as detectors at sea level, where those figures have them.

    Parameters
    ----------
    *names : str

    Returns
    -------
    list of dict
        Tables of ``[[sites]]``.
    """
    return [{"name": name, "altitude_m": 0.0} for name in names]


COVERAGE_PARTS = ("shipped", "muons", "varied", "neutrinos")


class Report:
    """Validation report in the making: sections, verdicts and timings.

    Parameters
    ----------
    folder : Path
        Where report.md, pictures and results go.
    scale : float
        Factor on the number of primaries of every run.
    reuse : bool
        Whether existing result files are used.
    threads : int or None
        Threads of the runs.
    parts : sequence of str
        Parts of the section ``coverage``, of COVERAGE_PARTS.
    """

    def __init__(
        self, folder: Path, scale: float, reuse: bool, threads: int | None, parts: Sequence[str] = COVERAGE_PARTS
    ) -> None:
        self.folder = folder
        self.scale = scale
        self.reuse = reuse
        self.threads = threads
        self.parts = tuple(parts)
        self.lines = [f"# sim3d {sim3d.__version__}: validation report", ""]
        self.checks: list[tuple[str, str, bool]] = []
        folder.mkdir(parents=True, exist_ok=True)

    def add(self, *lines: str) -> None:
        """Append lines to the report and print them.

        Parameters
        ----------
        *lines : str
        """
        for line in lines:
            print(line, flush=True)
            self.lines.append(line)

    def check(self, name: str, value: str, passed: bool) -> None:
        """Record the verdict of one check.

        Parameters
        ----------
        name : str
        value : str
            What was found.
        passed : bool
        """
        self.checks.append((name, value, bool(passed)))
        self.add(f"- {'PASS' if passed else 'FAIL'} {name}: {value}")

    def run(self, name: str, config: Config) -> Result:
        """Run a configuration at the report's scale, or reuse its file.

        Parameters
        ----------
        name : str
            Stem of the result file.
        config : Config

        Returns
        -------
        Result
        """
        size = config.run.batch_size
        primaries = max(2 * size, int(config.run.primaries * self.scale))
        config = config.model_copy(update={"run": config.run.model_copy(update={"primaries": primaries})})
        path = self.folder / f"{name}.h5"
        if not (self.reuse and path.exists() and sim3d.load(path).complete):
            outcome = run_to_file(config, path, threads=self.threads, progress=True, resume=self.reuse)
            if outcome == "interrupted":
                raise KeyboardInterrupt
        result = sim3d.load(path)
        a = result.attributes
        self.add(
            f"`{path.name}`: {a['primaries']} primaries, {a['batches']} batches, "
            f"{a['wall_time_s']:.0f} s with {a['threads']} threads and {a['ranks']} ranks."
        )
        return result

    def write(self) -> bool:
        """Write report.md and checks.json.

        Returns
        -------
        bool
            Whether all checks passed.
        """
        summary = ["", "## Summary", "", "| check | value | verdict |", "|---|---|---|"]
        summary += [f"| {n} | {v} | {'pass' if p else 'FAIL'} |" for n, v, p in self.checks]
        (self.folder / "report.md").write_text("\n".join(self.lines + summary) + "\n", encoding="utf-8")
        document = [{"check": n, "value": v, "passed": p} for n, v, p in self.checks]
        (self.folder / "checks.json").write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")
        return all(p for _, _, p in self.checks)


def figure_of(report: Report, name: str, figure: Figure, about: Sequence[str]) -> None:
    """Save a figure as PNG and add it to the report.

    Parameters
    ----------
    report : Report
    name : str
        Stem of the file.
    figure : Figure
        Of :mod:`validation_figures`.
    about : sequence of str
        What the runs were, for the lines below the figure.
    """
    add_context(figure, about)
    with rc_context(RC):
        save_as(figure, report.folder / f"{name}.png")
    report.add("", f"![{name}]({name}.png)", "")
