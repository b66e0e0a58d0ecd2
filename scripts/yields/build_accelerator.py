"""Make the yields of the hadronic model `accelerator` from measurements, and the covariance of its parameters.

    python scripts/yields/build_accelerator.py make
    python scripts/yields/build_accelerator.py make --above generator --without-harp -o other.h5
    python scripts/yields/build_accelerator.py likelihood

`make` reads the measurements in hadronic/reference and the table urqmd-sibyll, and takes a few minutes. Without `-o`
it writes hadronic/tables/accelerator.h5 and hadronic/reference/accelerator_covariance.csv. `likelihood` lists how well
spreads and correlation lengths of the interpolation fit the measurements.
"""

from __future__ import annotations

import argparse
import itertools
import sys
import tempfile
from pathlib import Path

from hadronic.builders.accelerator import GENERATED, SCALED, Options, bases, make_file, measured_ratios
from hadronic.builders.accelerator_errors import covariance, covariance_csv
from hadronic.builders.data_ratio import PRIORS, DataRatio, Prior, kind_of
from hadronic.errors import HadronicInputError
from hadronic.models import load_model
from hadronic.tables.yield_file import read_yield_file, write_yield_file

HADRONIC = Path(__file__).resolve().parents[2] / "hadronic"
SPREADS = (0.15, 0.2, 0.3, 0.4, 0.5, 0.7)
LENGTHS_X = (0.5, 0.7, 1.0, 1.5, 2.0, 2.5)
LENGTHS_T = (0.8, 1.2, 1.6, 2.2, 3.0)


def make(arguments: argparse.Namespace) -> None:
    """Write the table and, with it as the model's own, the covariance.

    Parameters
    ----------
    arguments : argparse.Namespace
        Of the command line.
    """
    generator = read_yield_file(arguments.generator)
    options = Options(arguments.above, not arguments.without_harp)
    command = {"command": "scripts/yields/build_accelerator.py " + " ".join(sys.argv[1:])}
    content, made = make_file(generator, options, command)
    output = arguments.output or HADRONIC / "tables" / "accelerator.h5"
    write_yield_file(output, content)
    print(f"wrote {output}")
    if arguments.output is not None:
        return
    other, _ = make_file(generator, Options(GENERATED if options.above == SCALED else SCALED, options.harp), {})
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "other.h5"
        write_yield_file(path, other)
        names, matrix = covariance(
            made["p"], bases(generator, options)["p"], load_model(table=output), load_model(table=path)
        )
    target = HADRONIC / "reference" / "accelerator_covariance.csv"
    words = (
        "covariance of relative changes of the yields of protons in the model accelerator: docs/reports/accelerator.md"
    )
    target.write_text(covariance_csv(names, matrix, words), encoding="utf-8")
    print(f"wrote {target}")


def likelihood(arguments: argparse.Namespace) -> None:
    """Print the likelihood of the measurements for spreads and correlation lengths.

    Parameters
    ----------
    arguments : argparse.Namespace
        Of the command line.
    """
    generator = read_yield_file(arguments.generator)
    ratios = measured_ratios(generator, bases(generator, Options()), Options())
    for kind in PRIORS:
        chosen = [[one for one in group if kind_of(one.secondary) == kind] for group in ratios.values()]
        found = []
        for spread, length_x, length_T in itertools.product(SPREADS, LENGTHS_X, LENGTHS_T):
            priors = dict.fromkeys(PRIORS, Prior(spread, length_x, length_T))
            found.append(
                (sum(DataRatio(group, priors).log_likelihood() for group in chosen), spread, length_x, length_T)
            )
        for value, spread, length_x, length_T in sorted(found, reverse=True)[:6]:
            print(f"{kind:8s} ln L {value:8.2f}  spread {spread:g}  length in x {length_x:g}  in ln T {length_T:g}")


def parser() -> argparse.ArgumentParser:
    """Build the parser of the command line.

    Returns
    -------
    argparse.ArgumentParser
    """
    main_parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = main_parser.add_subparsers(dest="command", required=True)
    one = commands.add_parser("make", help="write the table and the covariance")
    one.add_argument("--above", choices=(SCALED, GENERATED), default=SCALED, help="above the measurements")
    one.add_argument("--without-harp", action="store_true", help="leave out the measurements at 12 GeV/c")
    one.add_argument("-o", "--output", metavar="FILE.h5", help="the table alone, somewhere else")
    one.set_defaults(call=make)
    two = commands.add_parser("likelihood", help="compare spreads and correlation lengths")
    two.set_defaults(call=likelihood)
    for command in (one, two):
        command.add_argument("--generator", metavar="FILE.h5", default=HADRONIC / "tables" / "urqmd-sibyll.h5")
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
        print(f"build_accelerator: {exc}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
