# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""postgresql_vacuum with several tables at once, beside one at a time. Nothing is held: it depends on disk and cores.

Usage: python -m tests.benchmarks.bench_postgresql_vacuum_jobs [--tables N] [--rows N] [--rounds N] [--jobs N]
"""

from __future__ import annotations

import argparse
import sys
import time
from statistics import median

from tests.benchmarks.bench_postgresql_maintenance import DEADLINE, bring_into_need, prepared
from tests.integration.postgresql_vacuum import vacuum
from tests.stack.endpoint import Endpoint


def main() -> int:
    """Print the medians and their ratio; the exit code is 0."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tables", type=int, default=20)
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--jobs", type=int, default=2)
    chosen = parser.parse_args()
    with prepared(chosen.tables, chosen.rows) as place:
        taken: dict[int, list[float]] = {1: [], chosen.jobs: []}
        for _round in range(chosen.rounds):
            for jobs, seconds in taken.items():
                bring_into_need(place, chosen.tables, chosen.rows)
                seconds.append(measure(place, jobs, chosen.tables))
    for jobs, seconds in taken.items():
        print(f"{chosen.tables} tables, {jobs} at once: {median(seconds):8.2f} s")
    ratios = [one / several for one, several in zip(taken[1], taken[chosen.jobs], strict=True)]
    print(f"ratio: {median(ratios):.2f} ({min(ratios):.2f} to {max(ratios):.2f})")
    return 0


def measure(place: Endpoint, jobs: int, tables: int) -> float:
    """Vacuum once and return the seconds; all of the tables have to be done."""
    started = time.perf_counter()
    result = vacuum(place, deadline=DEADLINE, jobs=jobs)
    seconds = time.perf_counter() - started
    done = sum(action["state"] == "done" for action in result["actions"])
    if done != tables:
        raise SystemExit(f"{done} of {tables} tables were done")
    return seconds


if __name__ == "__main__":
    sys.exit(main())
