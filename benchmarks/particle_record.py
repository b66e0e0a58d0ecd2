"""Measure whether a structured record of a particle costs time against a row of an array with named columns.

    python benchmarks/particle_record.py [--repeats N]

Two kernels do the same work on a stack of particles, as the shower does: take the uppermost, move it, turn its
direction, slow it down, and put two daughters back while there is energy. One stack is a float64 array (n, 19) whose
columns have names (:mod:`sim3d.shower.stack`), the other an array of a structured type with the same 19 numbers. The
two run in turns; the results must be equal. The answer stands in docs/developers/architecture.md.
"""

from __future__ import annotations

import argparse
import statistics
import time

import numpy as np
from numba import njit

NAMES = (
    "x", "y", "z", "ux", "uy", "uz", "ex", "ey", "ez", "kinetic", "weight", "helicity", "turn", "shift_x", "shift_y",
    "shift_z", "decays", "crossed", "above",
)  # fmt: skip
RECORD = np.dtype([(name, np.float64) for name in NAMES])
(X, Y, Z, UX, UY, UZ, EX, EY, EZ, KINETIC, WEIGHT, HELICITY, TURN, SHIFT_X, SHIFT_Y, SHIFT_Z, DECAYS, CROSSED,
 ABOVE) = range(19)  # fmt: skip


@njit(nogil=True)
def columns(stack, showers):
    """Follow showers on a float64 array (n, 19); return the sum of the paths (km)."""
    total = 0.0
    for shower in range(showers):
        stack[0, :] = 0.0
        stack[0, UZ], stack[0, EX], stack[0, KINETIC], stack[0, WEIGHT] = -1.0, 1.0, 100.0 + shower % 7, 1.0
        n = 1
        while n > 0:
            n -= 1
            x, y, z = stack[n, X], stack[n, Y], stack[n, Z]
            ux, uy, uz = stack[n, UX], stack[n, UY], stack[n, UZ]
            ex, kinetic, weight = stack[n, EX], stack[n, KINETIC], stack[n, WEIGHT]
            turn, crossed = stack[n, TURN], stack[n, CROSSED]
            for _ in range(4):
                x, y, z = x + ux, y + uy, z + uz
                ux, uy = ux + 0.01 * uy, uy - 0.01 * ux
                turn += 1.0 / (kinetic + 1.0)
                kinetic *= 0.99
                crossed += 1.0
            total += weight * (crossed + turn)
            if kinetic > 1.0:
                for k in range(2):
                    row = n + k
                    stack[row, X], stack[row, Y], stack[row, Z] = x, y, z
                    stack[row, UX], stack[row, UY], stack[row, UZ] = ux, uy, uz
                    stack[row, EX], stack[row, EY], stack[row, EZ] = ex, 0.0, 0.0
                    stack[row, KINETIC], stack[row, WEIGHT], stack[row, HELICITY] = 0.45 * kinetic, weight, 0.0
                    stack[row, TURN], stack[row, SHIFT_X], stack[row, SHIFT_Y] = turn, x, y
                    stack[row, SHIFT_Z], stack[row, DECAYS] = z, 0.0
                    stack[row, CROSSED], stack[row, ABOVE] = crossed, 0.0
                n += 2
    return total


@njit(nogil=True)
def records(stack, showers):
    """Follow showers on an array of RECORD (n,); return the sum of the paths (km)."""
    total = 0.0
    for shower in range(showers):
        first = stack[0]
        first.x = first.y = first.z = first.ux = first.uy = first.ey = first.ez = first.helicity = first.turn = 0.0
        first.shift_x = first.shift_y = first.shift_z = first.decays = first.crossed = first.above = 0.0
        first.uz, first.ex, first.kinetic, first.weight = -1.0, 1.0, 100.0 + shower % 7, 1.0
        n = 1
        while n > 0:
            n -= 1
            one = stack[n]
            x, y, z = one.x, one.y, one.z
            ux, uy, uz = one.ux, one.uy, one.uz
            ex, kinetic, weight = one.ex, one.kinetic, one.weight
            turn, crossed = one.turn, one.crossed
            for _ in range(4):
                x, y, z = x + ux, y + uy, z + uz
                ux, uy = ux + 0.01 * uy, uy - 0.01 * ux
                turn += 1.0 / (kinetic + 1.0)
                kinetic *= 0.99
                crossed += 1.0
            total += weight * (crossed + turn)
            if kinetic > 1.0:
                for k in range(2):
                    new = stack[n + k]
                    new.x, new.y, new.z = x, y, z
                    new.ux, new.uy, new.uz = ux, uy, uz
                    new.ex, new.ey, new.ez = ex, 0.0, 0.0
                    new.kinetic, new.weight, new.helicity = 0.45 * kinetic, weight, 0.0
                    new.turn, new.shift_x, new.shift_y = turn, x, y
                    new.shift_z, new.decays = z, 0.0
                    new.crossed, new.above = crossed, 0.0
                n += 2
    return total


def main() -> None:
    """Print CPU seconds of compiling, and of equal work with both kinds of stack."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeats", type=int, default=15)
    repeats = parser.parse_args().repeats
    kinds = {"columns": (columns, np.zeros((64, 19))), "records": (records, np.zeros(64, RECORD))}
    sums: dict[str, float] = {}
    seconds: dict[str, list[float]] = {name: [] for name in kinds}
    for name, (kernel, stack) in kinds.items():
        started = time.process_time()
        sums[name] = kernel(stack, 7)
        print(f"{name}: compiled in {time.process_time() - started:.2f} CPU s")
    if sums["columns"] != sums["records"]:
        raise SystemExit(f"the results differ: {sums}")
    for repeat in range(repeats):
        for name in sorted(kinds, reverse=bool(repeat % 2)):
            kernel, stack = kinds[name]
            started = time.process_time()
            kernel(stack, 40_000)
            seconds[name].append(time.process_time() - started)
    for name, measured in seconds.items():
        print(f"{name}: {statistics.median(measured):.4f} CPU s (best {min(measured):.4f})")
    print(f"records over columns: {statistics.median(seconds['records']) / statistics.median(seconds['columns']):.3f}")


if __name__ == "__main__":
    main()
