# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What postgresql_health_info costs beside a task that does nothing, and beside its queries run bare.

Usage: python -m tests.benchmarks.bench_postgresql_health

Held: one connection, and less than 1.3 times the fixed cost of a task (a module of ours that imports the same driver
and does nothing) plus the time of the same queries through psycopg alone. Medians of interleaved rounds; the start of
Ansible, measured with an empty playbook, is taken off.
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import Any
from unittest import mock

import psycopg

from tests.integration.postgresql_health import Health, parameters
from tests.integration.running import run_playbook
from tests.stack.endpoint import Endpoint
from tests.stack.servers.postgresql import connect
from tests.stack.stack import Stack

ROUNDS = 5
TASKS = 5
"""Equal tasks in one playbook."""

MOST_RATIO = 1.3

TRIVIAL = """#!/usr/bin/python
from ansible_collections.dataops.upkeep.plugins.module_utils._core.arguments import (
    common_arguments, connection_arguments, state_arguments
)
from ansible_collections.dataops.upkeep.plugins.module_utils._core.dependency import PSYCOPG
from ansible_collections.dataops.upkeep.plugins.module_utils._core.module import run_module
from ansible_collections.dataops.upkeep.plugins.module_utils._core.runner import Decision, InfoTask
from ansible_collections.dataops.upkeep.plugins.module_utils._state.place import open_memory


class Nothing(InfoTask):
    subject = "nothing"

    def observe(self):
        PSYCOPG.load()

    def decide(self, observation):
        return Decision()

    def server(self, observation):
        return dict()


if __name__ == "__main__":
    arguments = connection_arguments().merge(common_arguments(), state_arguments())
    run_module(arguments, lambda context: Nothing(), open_memory)
"""

Query = tuple[Any, Any]


def statements_of(endpoint: Endpoint) -> list[Query]:
    """The statements that the module sends, with their values, as it sends them."""
    sent: list[Query] = []
    execute = psycopg.Cursor.execute

    def recording(self: Any, query: Any, params: Any = None, **more: Any) -> Any:
        sent.append((query, params))
        return execute(self, query, params, **more)

    with mock.patch.object(psycopg.Cursor, "execute", recording):
        Health(endpoint).run()
    return sent


def bare_seconds(endpoint: Endpoint, queries: list[Query]) -> float:
    """Seconds for the same queries over one connection of the driver, with nothing of ours."""
    started = time.perf_counter()
    with connect(endpoint) as session:
        for query, values in queries:
            session.execute(query, values).fetchall()
    return time.perf_counter() - started


def playbook_seconds(folder: Path, name: str, task: dict[str, Any] | None) -> float:
    """Seconds for one run of a playbook of TASKS equal tasks, or of none."""
    tasks = [{"name": f"Task {number}", **task} for number in range(TASKS)] if task else []
    variables = {"ansible_python_interpreter": sys.executable}
    play = {"hosts": "localhost", "connection": "local", "gather_facts": False, "vars": variables, "tasks": tasks}
    path = folder / f"{name}.json"
    path.write_text(json.dumps([play]), encoding="utf-8")
    started = time.perf_counter()
    run = run_playbook(path, "-i", "localhost,", env={"ANSIBLE_LIBRARY": str(folder / "library")})
    seconds = time.perf_counter() - started
    if run.code != 0 or any(done["outcome"] != "ok" for done in run.tasks):
        raise SystemExit(f"{name} failed:\n{run.output}")
    return seconds


@contextmanager
def server() -> Iterator[Endpoint]:
    """A PostgreSQL 18 of its own."""
    with tempfile.TemporaryDirectory(prefix="upkeep-bench-") as folder:
        Path(folder).chmod(0o755)
        with Stack(Path(folder) / "stack", ("postgresql18",), owned=True) as stack:
            yield stack.endpoints["postgresql18"]


def measure(endpoint: Endpoint, queries: list[Query]) -> dict[str, float]:
    """Medians in seconds: ``fixed``, ``module`` and ``queries``."""
    options = parameters(endpoint)
    with tempfile.TemporaryDirectory(prefix="upkeep-bench-") as name:
        folder = Path(name)
        (folder / "library").mkdir()
        (folder / "library/trivial.py").write_text(TRIVIAL, encoding="utf-8")
        module = {"dataops.upkeep.postgresql_health_info": options}
        work: dict[str, Callable[[], float]] = {
            "empty": lambda: playbook_seconds(folder, "empty", None),
            "fixed": lambda: playbook_seconds(folder, "fixed", {"trivial": options}),
            "module": lambda: playbook_seconds(folder, "module", module),
            "queries": lambda: bare_seconds(endpoint, queries),
        }
        taken: dict[str, list[float]] = {what: [] for what in work}
        for _round in range(ROUNDS):
            for what, run in work.items():
                taken[what].append(run())
    start = median(taken["empty"])
    tasks = {what: (median(taken[what]) - start) / TASKS for what in ("fixed", "module")}
    return {**tasks, "queries": median(taken["queries"])}


def connections_of_one_run(endpoint: Endpoint) -> int:
    """How many connections one run makes, by the server's own count of a database that nobody else uses."""
    with connect(endpoint) as session:
        session.execute("CREATE DATABASE bench")
        Health(endpoint.with_database("bench")).run()
        for _attempt in range(100):
            row = session.execute("SELECT sessions FROM pg_stat_database WHERE datname = 'bench'").fetchone()
            if row and row[0]:
                return int(str(row[0]))
            time.sleep(0.05)
    return 0


def main() -> int:
    """Print the table and return the exit code."""
    with server() as endpoint:
        connections = connections_of_one_run(endpoint)
        queries = statements_of(endpoint)
        figures = measure(endpoint, queries)
    ratio = figures["module"] / (figures["fixed"] + figures["queries"])
    for what, seconds in (
        ("fixed cost of a task that imports psycopg", figures["fixed"]),
        (f"connection and {len(queries)} statements, bare", figures["queries"]),
        ("postgresql_health_info, all checks", figures["module"]),
    ):
        print(f"{what:45} {seconds * 1000:7.1f} ms")
    print(f"ratio {ratio:.2f} (below {MOST_RATIO}), connections {connections} (exactly 1)")
    return int(ratio >= MOST_RATIO or connections != 1)


if __name__ == "__main__":
    sys.exit(main())
