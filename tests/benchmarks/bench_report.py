# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""How long a report takes: by the number of results and with a year of daily runs behind it.

Run with ``python -m tests.benchmarks.bench_report``. Exits with 1 if a report of ten times the results takes more than
``MOST_GROWTH`` times as long, or one with a year of history more than ``MOST_FOR_HISTORY`` times one without.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
import time
from datetime import timedelta
from pathlib import Path
from typing import Any

from ansible_collections.dataops.upkeep.plugins.module_utils._core.clock import Clock
from ansible_collections.dataops.upkeep.plugins.module_utils._core.deadline import Deadline
from ansible_collections.dataops.upkeep.plugins.module_utils._core.redact import Redactor
from ansible_collections.dataops.upkeep.plugins.module_utils._core.runner import Context, run
from ansible_collections.dataops.upkeep.plugins.module_utils._core.secrets import Secrets
from ansible_collections.dataops.upkeep.plugins.module_utils._core.severity import Severity
from ansible_collections.dataops.upkeep.plugins.module_utils._report.entries import gather
from ansible_collections.dataops.upkeep.plugins.module_utils._report.past import run_record
from ansible_collections.dataops.upkeep.plugins.module_utils._report.task import ReportTask
from ansible_collections.dataops.upkeep.plugins.module_utils._state.place import open_memory
from tests.unit._report.samples import NOW, finding, result

FINDINGS = 50
RUNS = 365
ROUNDS = 5
MOST_GROWTH = 13.0
MOST_FOR_HISTORY = 1.6
CASES = {"10 results": (10, False), "100 results": (100, False), "100 results, a year of runs": (100, True)}


def results(number: int, day: int) -> list[dict[str, Any]]:
    """Results with 50 findings and 35 metrics each."""
    remedy = "Give keys an expiry, or raise maxmemory; see which keys are the largest before."
    made = []
    for index in range(number):
        found = [
            finding(
                f"redis.f{row}",
                "warning",
                f"cache {row}",
                f"cache {row} of {index}: memory 91 %, above 85 %",
                91,
                85,
                remedy,
            )
            for row in range(FINDINGS)
        ]
        metrics = {f"redis_counter_{row}_total": float(row + day) for row in range(30)}
        plotted = {
            "redis_memory_used_percent": 50.0 + day % 7,
            "redis_ping_seconds": 0.001,
            "redis_clients_percent": 3.0,
        }
        made.append(result("redis", f"cache-{index}", found, {**metrics, **plotted}))
    return made


def a_year_of_runs(folder: Path) -> None:
    """Write the history of daily runs of 100 results, as the module does."""
    memory = open_memory(str(folder / "state"), Secrets())
    for day in range(RUNS):
        entries = gather([{**given, "findings": []} for given in results(100, day)], Redactor(Secrets()))
        record = run_record(entries, f"day-{day}", NOW - timedelta(days=RUNS - day), Severity.OK)
        memory.append("report/history/shop/daily", record, keep=400)


def seconds_for(folder: Path, number: int, day: int) -> float:
    """Write one report in all formats and return how long that took."""
    given = results(number, day)
    params: dict[str, Any] = {
        "results": given,
        "dest": str(folder / "reports"),
        "formats": ["html", "json", "markdown"],
    }
    params |= {"application": "shop", "cadence": "daily", "title": None, "run_id": None, "keep": 90}
    secrets = Secrets()
    memory = open_memory(str(folder / "state"), secrets)
    clock = Clock(now=lambda: NOW + timedelta(days=day))
    context = Context({**params, "state": None}, Deadline(300), clock, memory, {}, secrets)
    started = time.perf_counter()
    done = run(ReportTask(context), context, check_mode=False)
    took = time.perf_counter() - started
    if done.findings:
        raise RuntimeError(done.summary)
    return took


def main() -> int:
    """Measure, print a table, and return the exit code."""
    with tempfile.TemporaryDirectory(prefix="upkeep-bench-") as place:
        folders = {name: Path(place, str(index)) for index, name in enumerate(CASES)}
        for name, (_number, history) in CASES.items():
            folders[name].mkdir()
            if history:
                a_year_of_runs(folders[name])
        times: dict[str, list[float]] = {name: [] for name in CASES}
        for day in range(ROUNDS):
            for name, (number, _history) in CASES.items():
                times[name].append(seconds_for(folders[name], number, day))
        size = max(file.stat().st_size for file in folders["100 results, a year of runs"].glob("reports/*.html"))
    medians = {name: statistics.median(taken) for name, taken in times.items()}
    for name, median in medians.items():
        print(f"{name:30} {median:7.2f} s   (of {ROUNDS}: {min(times[name]):.2f} to {max(times[name]):.2f})")
    growth = medians["100 results"] / medians["10 results"]
    history = medians["100 results, a year of runs"] / medians["100 results"]
    print(f"{'largest page':30} {size / 1e6:7.2f} MB")
    print(f"{'ten times the results':30} {growth:7.2f} times as long, at most {MOST_GROWTH}")
    print(f"{'a year of history':30} {history:7.2f} times as long, at most {MOST_FOR_HISTORY}")
    return int(growth > MOST_GROWTH or history > MOST_FOR_HISTORY)


if __name__ == "__main__":
    sys.exit(main())
