# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""An application beside our work: it runs a query over and over, and another session watches whom it waits for."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field

import psycopg

from tests.stack.endpoint import Endpoint
from tests.stack.servers.postgresql import connect

BLOCKED = """
SELECT a.pid, EXISTS (
    SELECT FROM unnest(pg_blocking_pids(a.pid)) AS blocker JOIN pg_stat_activity b ON b.pid = blocker
    WHERE b.application_name = 'upkeep') AS by_us
FROM pg_stat_activity a WHERE a.application_name = 'probe'"""


@dataclass
class Probe:
    """What the application felt.

    :param latencies: seconds that each of its queries took.
    :param errors: queries of the application that failed.
    :param blocked: for how long, in seconds, it was seen to wait for a lock of ours, longest stretch.
    """

    latencies: list[float] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    blocked: float = 0.0

    def percentile(self, percent: float) -> float:
        """Latency that so many percent of the queries stay below, in seconds."""
        ordered = sorted(self.latencies)
        return ordered[min(len(ordered) - 1, int(len(ordered) * percent / 100))]


@contextlib.contextmanager
def probing(endpoint: Endpoint, statement: str, pause: float = 0.005) -> Iterator[Probe]:
    """Run an application's statement again and again beside what is done inside.

    :param statement: what it runs, each time in a transaction of its own.
    :param pause: seconds between two of them.
    """
    probe, stop = Probe(), threading.Event()
    application = connect(endpoint)
    application.execute("SET application_name = 'probe'")
    watcher = connect(endpoint)
    threads = [
        threading.Thread(target=_apply, args=(application, statement, pause, probe, stop)),
        threading.Thread(target=_watch, args=(watcher, probe, stop)),
    ]
    for thread in threads:
        thread.start()
    try:
        yield probe
    finally:
        stop.set()
        for thread in threads:
            thread.join()
        application.close()
        watcher.close()


def _apply(
    session: psycopg.Connection[tuple[object, ...]], statement: str, pause: float, probe: Probe, stop: threading.Event
) -> None:
    while not stop.is_set():
        started = time.monotonic()
        try:
            session.execute(statement.encode())
        except psycopg.Error as error:
            probe.errors.append(str(error))
        probe.latencies.append(time.monotonic() - started)
        stop.wait(pause)


def _watch(session: psycopg.Connection[tuple[object, ...]], probe: Probe, stop: threading.Event) -> None:
    since: float | None = None
    while not stop.is_set():
        seen = time.monotonic()
        blocked = any(by_us for _pid, by_us in session.execute(BLOCKED).fetchall())
        if blocked:
            since = seen if since is None else since
            probe.blocked = max(probe.blocked, time.monotonic() - since)
        else:
            since = None
        stop.wait(0.01)
