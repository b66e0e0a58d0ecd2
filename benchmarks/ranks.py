"""Measure the time that rank 0 spends on other ranks, and the time to add up their sums (docs/reports/costs.md).

    mpirun -n 2 --bind-to none python benchmarks/ranks.py

Rank 0 serves 5000 requests that have arrived already (CPU time of each), then the sums of one site are added up.
"""

from __future__ import annotations

import time

from sim3d.scoring.tally import SiteTally
from sim3d.simulation.processes import connect
from sim3d.simulation.ranks import RankReport

REQUESTS = 5000


def main() -> None:
    """Measure, and print on rank 0."""
    processes = connect()
    tally = SiteTally(12)
    size = sum(array.nbytes for array in tally.arrays().values())
    if processes.first:
        time.sleep(2.0)
        served, started = 0, time.process_time()
        while served < REQUESTS * (processes.size - 1):
            for rank, _ in processes.receive():
                processes.send([served], rank)
                served += 1
        if served:
            print(f"a request: {1e6 * (time.process_time() - started) / served:.1f} us of rank 0")
    else:
        for _ in range(REQUESTS):
            processes.send(RankReport(1, 1), 0)
        for _ in range(REQUESTS):
            processes.wait_for_message()
    processes.finish_sending()
    processes.barrier()
    started = time.perf_counter()
    for _ in range(5):
        processes.collect(tally.arrays())
    if processes.first:
        seconds = (time.perf_counter() - started) / 5
        print(f"the sums of one site ({size / 1e6:.1f} MB) of {processes.size} ranks: {seconds:.3f} s")


if __name__ == "__main__":
    main()
