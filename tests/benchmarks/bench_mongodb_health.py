# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What mongodb_health_info costs beside a task that does nothing, and beside its commands run bare.

Usage: python -m tests.benchmarks.bench_mongodb_health

Held: what ``task_cost`` says, and one connection beside the driver's own to watch the server. Bare is pymongo alone.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from functools import partial
from typing import Any

import pymongo
from pymongo import monitoring

from tests.benchmarks.task_cost import Connections, Task, report, server
from tests.integration.test_mongodb_health_info import admin, look, options
from tests.stack.endpoint import Endpoint

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


def main() -> int:
    """Print the table and return the exit code."""
    recorder = Recorder()
    monitoring.register(recorder)
    with server("mongodb") as endpoint:
        connections = connections_of(endpoint, lambda: look(endpoint))
        recorder.recording = True
        look(endpoint)
        recorder.recording = False
        commands = recorder.commands
        work = f"connection and {len(commands)} commands"
        bare = partial(bare_seconds, endpoint, commands)
        task = Task("mongodb_health_info", options(endpoint), "import pymongo", bare, work)
        return report(task, Connections(connections, CONNECTIONS))


if __name__ == "__main__":
    sys.exit(main())
