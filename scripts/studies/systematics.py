"""Compute systematic effects of all models on fluxes at Kamioka and SNO, as ratios to a base run.

    python scripts/studies/systematics.py -o output/systematics --threads 2
    python scripts/studies/systematics.py -o output/systematics --threads 2 --docs docs/reports/systematics.md
    python scripts/studies/systematics.py -o output/systematics --redraw docs/reports/systematics.md

The effects are listed next to FLUKA's estimates. Every variation is a run with the base's seed, so that ratios have
smaller errors than fluxes. There are two runs of each: one of all energies in mode targeted, with bending, for 0.3, 1
and 3 GeV; and one from 5 GeV up in mode rotated, without bending, for 10 and 100 GeV. Other primary models and other
solar activity need no runs: the event records of the base are reweighted.

Runs that exist in the folder are continued, or taken as they are if complete. Needs the extras `primaries` and `msis`;
variations that cannot be run are left out and named.
"""

from __future__ import annotations

import argparse
import json
import math
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from systematics_table import EFFECTS, WINDOWS_GEV, Row, draw, markdown, put_into, read_sizes, rows, sizes

from hadronic.definitions import FORMULA_MODELS
from hadronic.models import model_names as hadronic_names
from sim3d import load
from sim3d.config.load import make_config
from sim3d.errors import is_input_error
from sim3d.files.result_file import verify_result, write_result
from sim3d.primaries.catalogue import model_names as primary_names
from sim3d.primaries.solar import FORMER_POTENTIAL_MV
from sim3d.results.result import Result
from sim3d.simulation.engine import run_to_file
from sim3d.simulation.reweight import reweight

Tables = dict[str, dict[str, Any]]

SITES = ("kamioka", "sno")
SEED = 7
LARGEST_BATCH = 4000
FITS = ("ghls2001-low", "ghls2001-high")
PRIMARIES = ("gsf:2026.1", "crflux:H3a", "crflux:GST3", "crflux:GST4", "crflux:ZS")
INPUTS: Tables = {
    "primaries": {"model": "ghls2001-average", "solar": "fit"},
    "hadronic": {"model": "fluka-z", "definition": "printed"},
}
"""Inputs of the base run, with which the figures of docs/reports/systematics.md were made; sites lie at sea level."""
MONTHS = {"january": 1, "july": 7}


@dataclass(frozen=True)
class Variation:
    """Change of the configuration against the base run.

    Attributes
    ----------
    effect : str
        A key of :data:`systematics_table.EFFECTS`.
    name : str
        In the tables and, with special characters replaced, in file names.
    changes : dict
        Tables of the configuration that differ.
    parts : tuple of str
        The runs in which it makes a difference.
    model, solar : str, optional
        Primary model and solar activity, if made by reweighting event records.
    sites : tuple of str
        Sites at which it is evaluated.
    """

    effect: str
    name: str
    changes: Tables = field(default_factory=dict)
    parts: tuple[str, ...] = ("low", "high")
    model: str | None = None
    solar: str | None = None
    sites: tuple[str, ...] = SITES

    @property
    def reweights(self) -> bool:
        """Whether it is made by reweighting the base's event records."""
        return self.model is not None or self.solar is not None

    def file(self, part: str) -> str:
        """Return the file name of its result.

        Parameters
        ----------
        part : str
            ``low`` or ``high``.

        Returns
        -------
        str
        """
        slug = "".join(c if c.isalnum() or c in ".-" else "-" for c in self.name.lower())
        return f"{part}-{self.effect}-{slug}.h5"


def variations() -> list[Variation]:
    """List all variations, with one for each registered hadronic model.

    Returns
    -------
    list of Variation
    """
    known = primary_names()
    out = [Variation("fits", name, model=name) for name in FITS]
    out += [Variation("primaries", name, model=name) for name in PRIMARIES if name in known]
    out += [
        Variation("hadronic", name, {"hadronic": {"model": name, "definition": _definition(name)}})
        for name in hadronic_names()
        if name != INPUTS["hadronic"]["model"]
    ]
    for site in SITES:
        for month, number in MONTHS.items():
            air = {"model": "nrlmsis", "place": site, "month": number}
            out.append(Variation("atmosphere", f"{site}, {month}", {"atmosphere": air}, sites=(site,)))
    out += [
        Variation("epoch", "IGRF 2010", {"field": {"date": "2010-01-01"}}, ("low",)),
        Variation("degree", "degree 13", {"field": {"degree": 13}}, ("low",)),
        Variation("dipole", "degree 1", {"field": {"degree": 1}}, ("low",)),
        Variation("bending", "bending = false", {"transport": {"bending": False}}, ("low",)),
    ]
    return out + [Variation("solar", name, solar=str(potential)) for name, potential in FORMER_POTENTIAL_MV.items()]


def _definition(name: str) -> str | None:
    """Definition of x of a hadronic model: that of the base, for models that have one."""
    return str(INPUTS["hadronic"]["definition"]) if name in FORMULA_MODELS else None


def base(part: str, primaries: int) -> Tables:
    """Make the configuration of the base run of a part.

    Parameters
    ----------
    part : str
        ``low`` or ``high``.
    primaries : int

    Returns
    -------
    dict of dict
        Tables of the configuration.
    """
    # a fixed batch size, so that a run can be continued with more primaries; smaller only for too few batches
    run = {"seed": SEED, "primaries": primaries, "batch_size": min(LARGEST_BATCH, max(1, primaries // 48))}
    tables: Tables = {
        "run": run,
        "primaries": {**INPUTS["primaries"], "energy_GeV": [0.5, 1e6]},
        "hadronic": INPUTS["hadronic"],
        "scoring": {"energy_min_GeV": 0.19},
        "sites": [{"name": site, "altitude_m": 0.0} for site in SITES],  # type: ignore[dict-item]
    }
    if part == "high":
        tables["primaries"] = {**INPUTS["primaries"], "energy_GeV": [5.0, 1e6], "energy_index": 1.6}
        tables["transport"] = {"bending": False}
        tables["sampling"] = {"mode": "rotated"}
        tables["scoring"] = {"energy_min_GeV": 6.0}
    return tables


def merged(tables: Tables, changes: Mapping[str, Mapping[str, Any]]) -> Tables:
    """Merge the changes of a variation into tables of a configuration, key by key.

    Parameters
    ----------
    tables : dict of dict
    changes : mapping of mapping

    Returns
    -------
    dict of dict
    """
    return {**tables, **{name: {**tables.get(name, {}), **more} for name, more in changes.items()}}


class Campaign:
    """Set of base and varied runs in one folder.

    Parameters
    ----------
    folder : Path
        Where the results are.
    primaries : dict
        Number of primaries by part.
    threads : int
    """

    def __init__(self, folder: Path, primaries: Mapping[str, int], threads: int) -> None:
        self.folder, self.primaries, self.threads = folder, primaries, threads
        self.left_out: list[str] = []

        self.base_paths: dict[str, Path] = {}

    def bases(self) -> dict[str, Result]:
        """Simulate or read the base runs.

        They always have event records, because a run can be continued only with the scores it began with.

        Returns
        -------
        dict of Result
            By part.
        """
        for part, number in self.primaries.items():
            path = self.folder / f"{part}-base.h5"
            self._run(merged(base(part, number), {"scoring": {"events": True}}), path)
            self.base_paths[part] = path
        return {part: load(path) for part, path in self.base_paths.items()}

    def results(self, one: Variation) -> dict[str, Result]:
        """Simulate, reweight or read the results of a variation.

        Parameters
        ----------
        one : Variation

        Returns
        -------
        dict of Result
            By part; empty if the variation cannot be made here.
        """
        out = {}
        for part in one.parts:
            path = self.folder / one.file(part)
            try:
                if one.reweights:
                    self._reweight(one, part, path)
                else:
                    self._run(merged(base(part, self.primaries[part]), one.changes), path)
            except Exception as problem:
                if not is_input_error(problem):
                    raise
                print(f"left out: {one.effect}, {one.name}: {problem}", flush=True)
                self.left_out.append(f"{EFFECTS[one.effect].title}, {one.name}: {problem}")
                return {}
            out[part] = load(path)
        return out

    def _run(self, tables: Tables, path: Path) -> None:
        started = time.perf_counter()
        outcome = run_to_file(make_config(tables), path, self.threads, progress=True, resume=True)
        if outcome != "complete":
            raise SystemExit(f"{path}: {outcome}; call the script again to go on")
        print(f"{path}: {time.perf_counter() - started:.0f} s", flush=True)

    def _reweight(self, one: Variation, part: str, path: Path) -> None:
        source = self.base_paths[part]
        if path.exists():
            made_of = load(path).attributes.get("reweighted_from_data_sha256")
            if made_of == verify_result(source)["data_sha256"]:
                print(f"{path}: there already", flush=True)
                return
        started = time.perf_counter()
        write_result(reweight(source, one.model, one.solar, progress=True), path)
        print(f"{path}: {time.perf_counter() - started:.0f} s", flush=True)


def about(bases: Mapping[str, Result], left_out: list[str]) -> str:
    """Describe the contents of the tables in words.

    Parameters
    ----------
    bases : mapping of Result
        By part.
    left_out : list of str
        Variations that could not be made.

    Returns
    -------
    str
    """
    low, high = (bases[part].attributes for part in ("low", "high"))
    config = bases["low"].config
    windows = ", ".join(f"{a:g}-{b:g} GeV for {energy:g}" for energy, (a, b) in WINDOWS_GEV.items())
    lines = [
        f"Base: `{low['primary_model']}`, `{config['hadronic']['model']}`, US Standard Atmosphere, IGRF of "
        f"{config['field']['date']} to degree {config['field']['degree']}, bending; "
        f"{low['primaries']} primaries in `targeted` for 0.3, 1 and 3 GeV, {high['primaries']} in `rotated` without "
        f"bending for 10 and 100 GeV (field and bending at 10 GeV: from the first). Windows: {windows}.",
        "",
        "Errors are one standard deviation of the ratio, from pairs of groups of batches. A size is at least 0, so one "
        "as small as its error means that nothing is seen.",
    ]
    if left_out:
        lines += ["", *(f"Left out: {line}" for line in left_out)]
    return "\n".join(lines)


def document(found: list[Row], left_out: list[str]) -> dict[str, Any]:
    """Collect everything for JSON; numbers that are not finite become null.

    Parameters
    ----------
    found : list of Row
    left_out : list of str

    Returns
    -------
    dict
    """
    everything: list[Any] = [*found, *sizes(found)]
    plain = [
        {k: None if isinstance(v, float) and not math.isfinite(v) else v for k, v in asdict(one).items()}
        for one in everything
    ]
    return {
        "windows_GeV": {f"{energy:g}": window for energy, window in WINDOWS_GEV.items()},
        "effects": {name: asdict(effect) for name, effect in EFFECTS.items()},
        "ratios": plain[: len(found)],
        "sizes": plain[len(found) :],
        "left_out": left_out,
    }


def _below_the_figure(table: str) -> str:
    """Return the sentence on the base runs from the text above the tables, without Markdown."""
    line = next((line for line in table.splitlines() if line.startswith("Base: ")), "")
    return line.partition(" Windows:")[0].rstrip(".").replace("`", "")


def main(arguments: list[str] | None = None) -> None:
    """Simulate what is missing and write the tables.

    Parameters
    ----------
    arguments : list of str, optional
        Command line; that of the process if not given.
    """
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("-o", "--output", type=Path, default=Path("output/systematics"))
    parser.add_argument("--primaries", type=int, default=1_000_000, help="of each run of all energies")
    parser.add_argument("--high-primaries", type=int, help="of each run of high energies; default: as --primaries")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--only", nargs="+", choices=list(EFFECTS), metavar="EFFECT", help=f"of {', '.join(EFFECTS)}")
    parser.add_argument(
        "--docs", type=Path, metavar="FILE.md", help="put the tables between the marks of this page too"
    )
    parser.add_argument("--redraw", type=Path, metavar="FILE.md", help="draw the tables of this page, without a run")
    options = parser.parse_args(arguments)
    if options.redraw is not None:
        options.output.mkdir(parents=True, exist_ok=True)
        page = options.redraw.read_text(encoding="utf-8")
        for path in draw(read_sizes(page), options.output, _below_the_figure(page)):
            print(path)
        return
    high = options.primaries if options.high_primaries is None else options.high_primaries
    if min(options.primaries, high) < 480:
        parser.error("--primaries, --high-primaries: at least 480, ten in each of 48 batches")
    options.output.mkdir(parents=True, exist_ok=True)

    started = time.perf_counter()
    chosen = [one for one in variations() if options.only is None or one.effect in options.only]
    campaign = Campaign(options.output, {"low": options.primaries, "high": high}, options.threads)
    bases = campaign.bases()
    found: list[Row] = []
    for number, one in enumerate(chosen, start=1):
        print(f"[{number}/{len(chosen)}] {EFFECTS[one.effect].title}: {one.name}", flush=True)
        runs = campaign.results(one)
        if runs:
            found += rows(one.effect, one.name, one.sites, runs, bases)
    if not found:
        raise SystemExit("nothing to compare: all that was asked for had to be left out")
    table = markdown(found, about(bases, campaign.left_out))
    (options.output / "systematics.md").write_text(table, encoding="utf-8")
    text = json.dumps(document(found, campaign.left_out), indent=1, allow_nan=False)
    (options.output / "systematics.json").write_text(text + "\n", encoding="utf-8")
    pictures = draw(sizes(found), options.output, _below_the_figure(table))
    if options.docs is not None:
        options.docs.write_text(put_into(options.docs.read_text(encoding="utf-8"), table), encoding="utf-8")
    print(table)
    print(f"{time.perf_counter() - started:.0f} s; {options.output}: systematics.md, .json, {pictures[0].name}")


if __name__ == "__main__":
    main()
