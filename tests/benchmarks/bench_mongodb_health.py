# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What mongodb_health_info costs beside a task that does nothing, and beside its commands run bare.

Usage: python -m tests.benchmarks.bench_mongodb_health

Held: one connection beside the driver's own to watch the server, and less than 1.3 times the fixed cost of a task (a
module of ours that imports the same driver and does nothing) plus the time of the same commands through pymongo alone.
Medians of interleaved rounds; the start of Ansible, measured with an empty playbook, is taken off.
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import Any

import pymongo
from pymongo import monitoring

from tests.benchmarks.bench_postgresql_health import MOST_RATIO, ROUNDS, TASKS, TRIVIAL, playbook_seconds
from tests.integration.test_mongodb_health_info import admin, look, options
from tests.stack.endpoint import Endpoint
from tests.stack.stack import Stack

CONNECTIONS = 2
"""The session's, and the one over which the driver watches the server."""

Command = tuple[str, dict[str, Any]]


class Recorder(monitoring.CommandListener):
    """Keeps the commands that are sent, without what the driver adds to each."""

    def __init__(self) -> None:
        self.commands: list[Command] = []
        self.recording = False

    def started(self, event: monitoring.CommandStartedEvent) -> None:
        """Keep a command; those of the login and of the driver itself are made anew by any client."""
        if self.recording and event.command_name not in ("saslStart", "saslContinue", "endSessions"):
            command = {name: value for name, value in event.command.items() if name[0] != "$" and name != "lsid"}
            self.commands.append((event.database_name, command))

    def succeeded(self, event: monitoring.CommandSucceededEvent) -> None:
        """Nothing to keep."""

    def failed(self, event: monitoring.CommandFailedEvent) -> None:
        """A command that fails would make the comparison worthless."""
        if self.recording:
            raise SystemExit(f"{event.command_name} failed: {event.failure}")


def bare_seconds(endpoint: Endpoint, commands: list[Command]) -> float:
    """Seconds for the same commands over one connection of the driver, with nothing of ours."""
    started = time.perf_counter()
    with pymongo.MongoClient(
        endpoint.host,
        endpoint.port,
        username=endpoint.monitor_user,
        password=endpoint.monitor_password,
        directConnection=True,
        serverMonitoringMode="poll",
    ) as client:
        for database, command in commands:
            client[database].command(dict(command))
    return time.perf_counter() - started


def connections_of(endpoint: Endpoint, run: Callable[[], object]) -> int:
    """How many connections ``run`` makes, as the server counts them."""
    with admin(endpoint) as client:

        def made() -> int:
            return int(client.admin.command("serverStatus")["connections"]["totalCreated"])

        before = made()
        run()
        return made() - before


def measure(endpoint: Endpoint, commands: list[Command]) -> dict[str, float]:
    """Medians in seconds: ``fixed``, ``module`` and ``commands``."""
    given = options(endpoint)
    with tempfile.TemporaryDirectory(prefix="upkeep-bench-") as name:
        folder = Path(name)
        (folder / "library").mkdir()
        (folder / "library/trivial.py").write_text(TRIVIAL.replace("PSYCOPG", "PYMONGO"), encoding="utf-8")
        trivial = {option: value for option, value in given.items() if option != "thresholds"}
        work: dict[str, Callable[[], float]] = {
            "empty": lambda: playbook_seconds(folder, "empty", None),
            "fixed": lambda: playbook_seconds(folder, "fixed", {"trivial": trivial}),
            "module": lambda: playbook_seconds(folder, "module", {"dataops.upkeep.mongodb_health_info": given}),
            "commands": lambda: bare_seconds(endpoint, commands),
        }
        taken: dict[str, list[float]] = {what: [] for what in work}
        for _round in range(ROUNDS):
            for what, run in work.items():
                taken[what].append(run())
    start = median(taken["empty"])
    tasks = {what: (median(taken[what]) - start) / TASKS for what in ("fixed", "module")}
    return {**tasks, "commands": median(taken["commands"])}


@contextmanager
def server() -> Iterator[Endpoint]:
    """A MongoDB replica set of one of its own."""
    with tempfile.TemporaryDirectory(prefix="upkeep-bench-") as folder:
        Path(folder).chmod(0o755)
        with Stack(Path(folder) / "stack", ("mongodb",), owned=True) as stack:
            yield stack.endpoints["mongodb"]


def main() -> int:
    """Print the table and return the exit code."""
    recorder = Recorder()
    monitoring.register(recorder)
    with server() as endpoint:
        connections = connections_of(endpoint, lambda: look(endpoint))
        recorder.recording = True
        look(endpoint)
        recorder.recording = False
        commands = recorder.commands
        figures = measure(endpoint, commands)
    ratio = figures["module"] / (figures["fixed"] + figures["commands"])
    for what, seconds in (
        ("fixed cost of a task that imports pymongo", figures["fixed"]),
        (f"connection and {len(commands)} commands, bare", figures["commands"]),
        ("mongodb_health_info, all checks", figures["module"]),
    ):
        print(f"{what:45} {seconds * 1000:7.1f} ms")
    print(f"ratio {ratio:.2f} (below {MOST_RATIO}), connections {connections} (exactly {CONNECTIONS})")
    return int(ratio >= MOST_RATIO or connections != CONNECTIONS)


if __name__ == "__main__":
    sys.exit(main())
