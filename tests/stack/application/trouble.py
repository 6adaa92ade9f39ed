# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Live trouble: `python -m tests.stack.application.trouble`.

Holds a PostgreSQL session idle in a transaction, another that waits for its lock, and a long operation in MongoDB,
until the process is ended. If a store goes away, it tries again.
"""

from __future__ import annotations

import argparse
import contextlib
import threading
import time
from collections.abc import Callable
from pathlib import Path

import psycopg
import pymongo.errors

from tests.stack.application.mongodb import DATABASE
from tests.stack.application.runtime import Runtime
from tests.stack.endpoint import Endpoint
from tests.stack.servers import mongodb, postgresql

__all__ = ["main"]

RETRY_SECONDS = 1.0
LOCKED = "UPDATE deposits SET status = status WHERE id = 1"
WAITING = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE 'UPDATE deposits%'"
LONG_RUNNING = "sleep(2000)"  # for each of thousands of documents, none of which it lets through
LONG_OPERATIONS = {"active": True, "op": "query", "ns": f"{DATABASE}.deliveries"}


def main() -> None:
    """Make the trouble, then say so by a file."""
    parser = argparse.ArgumentParser(prog="python -m tests.stack.application.trouble")
    parser.add_argument("--runtime", type=Path, required=True, help="file with addresses")
    parser.add_argument("--ready", type=Path, required=True, help="file to make when the trouble is there")
    options = parser.parse_args()
    endpoints = Runtime.read(options.runtime).endpoints
    if "postgresql" in endpoints:
        _keep(_idle_in_transaction, endpoints["postgresql"])
        _keep(_blocked, endpoints["postgresql"])
        _until_blocked(endpoints["postgresql"])
    if "mongodb" in endpoints:
        _keep(_long_operation, endpoints["mongodb"])
        _until_long_operation(endpoints["mongodb"])
    options.ready.touch()
    threading.Event().wait()


def _keep(act: Callable[[Endpoint], None], endpoint: Endpoint) -> None:
    """Do it in a thread, and again when the store comes back."""

    def run() -> None:
        while True:
            with contextlib.suppress(psycopg.Error, pymongo.errors.PyMongoError):
                act(endpoint)
            time.sleep(RETRY_SECONDS)

    threading.Thread(target=run, daemon=True).start()


def _idle_in_transaction(endpoint: Endpoint) -> None:
    with postgresql.connect(endpoint) as session:
        session.execute("SET application_name = 'delauto-report'")
        session.execute("BEGIN")
        session.execute(LOCKED)
        while True:  # until the server hangs up, which raises; nothing is sent, or the session were not idle
            time.sleep(RETRY_SECONDS)
            session.pgconn.consume_input()


def _blocked(endpoint: Endpoint) -> None:
    time.sleep(RETRY_SECONDS / 4)  # let the other one have the lock
    with postgresql.connect(endpoint) as session:
        session.execute("SET application_name = 'delauto-worker'")
        session.execute(LOCKED)


def _until_blocked(endpoint: Endpoint) -> None:
    with postgresql.connect(endpoint) as session:
        while session.execute(WAITING).fetchone() == (0,):
            time.sleep(RETRY_SECONDS / 20)


def _long_operation(endpoint: Endpoint) -> None:
    with mongodb.connect(endpoint) as client:
        client[DATABASE].deliveries.find_one({"$where": LONG_RUNNING})


def _until_long_operation(endpoint: Endpoint) -> None:
    with mongodb.connect(endpoint) as client:
        while not list(client.admin.aggregate([{"$currentOp": {}}, {"$match": LONG_OPERATIONS}])):
            time.sleep(RETRY_SECONDS / 20)


if __name__ == "__main__":
    main()
