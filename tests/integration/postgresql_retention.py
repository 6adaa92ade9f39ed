# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs the task of postgresql_retention, in this process or in one of its own that can be killed and measured.

Usage: python -m tests.integration.postgresql_retention <<< '{"options": {...}, "exclusive": true}'

Prints the module's result, with ``peak``, the greatest memory in bytes that the process had, and ``seconds``.
"""

from __future__ import annotations

import contextlib
import json
import os
import resource
import subprocess
import sys
import time
from dataclasses import replace
from typing import Any
from unittest import mock

from ansible_collections.dataops.upkeep.plugins.module_utils._core.deadline import Deadline
from ansible_collections.dataops.upkeep.plugins.module_utils._core.runner import run
from ansible_collections.dataops.upkeep.plugins.module_utils._postgresql import work
from ansible_collections.dataops.upkeep.plugins.module_utils._postgresql.retention.task import PostgresqlRetention
from tests.integration.health import context
from tests.integration.running import ROOT
from tests.stack.endpoint import Endpoint
from tests.stack.servers.postgresql import connect

DEFAULTS: dict[str, Any] = {
    "batch_target_ms": 25,
    "rest_ratio": 0.0,
    "max_replica_lag": "10s",
    "max_changes": None,
}

EVENTS = """
CREATE TABLE events (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, kind text NOT NULL, amount numeric(10, 2),
    doubled numeric GENERATED ALWAYS AS (amount * 2) STORED, note varchar(40), created_at timestamptz NOT NULL);
INSERT INTO events (kind, amount, note, created_at)
    SELECT CASE n % 10 WHEN 0 THEN 'failed' ELSE 'done' END, n / 100.0, 'note ' || n,
        now() - n * interval '1 hour' + interval '30 minutes'
    FROM generate_series(1, 4800) AS n;
ANALYZE events
"""
"""A table with a row for each hour of the last 200 days."""

READY = "ready\n"
"""What a process says when it has imported all that it needs."""

SHOWN = ("kind", "subject", "reason", "statement")
"""What of an action is the same in the plan and when it is done."""

OLD = 4800 - 90 * 24
"""How many of them are older than 90 days."""


def rule(action: str = "delete", **more: Any) -> dict[str, Any]:
    """A rule over the events older than 90 days."""
    return {
        "name": "old events",
        "table": "events",
        "age_column": "created_at",
        "older_than": "90d",
        "action": action,
        **more,
    }


def retain(
    endpoint: Endpoint, *rules: dict[str, Any], check: bool = False, seconds: float = 60, **params: Any
) -> dict[str, Any]:
    """Run the module's task in this process and return its result.

    :param seconds: its deadline.
    """
    task_context = replace(context(options_of(endpoint, *rules, **params)), deadline=Deadline(seconds))
    return run(PostgresqlRetention(task_context), task_context, check).as_dict()


def ask(endpoint: Endpoint, query: str) -> list[tuple[Any, ...]]:
    """The rows of a query."""
    with connect(endpoint) as session:
        return session.execute(query.encode()).fetchall()


def make(endpoint: Endpoint, *statements: str) -> None:
    """Run statements."""
    with connect(endpoint) as session:
        for statement in statements:
            session.execute(statement.encode())


def count(endpoint: Endpoint, what: str = "events") -> int:
    """How many rows there are."""
    ((rows,),) = ask(endpoint, f"SELECT count(*) FROM {what}")
    return int(rows)


def plan(result: dict[str, Any]) -> list[tuple[str, ...]]:
    """What the actions say, whatever became of them."""
    return [tuple(action[name] for name in SHOWN) for action in result["actions"]]


def options_of(endpoint: Endpoint, *rules: dict[str, Any], **params: Any) -> dict[str, Any]:
    """All options that the task reads."""
    guards = {"lock_timeout": "1s", **endpoint.options(connect_timeout="5s")}
    return {**guards, **DEFAULTS, **params, "rules": list(rules)}


def start(endpoint: Endpoint, *rules: dict[str, Any], exclusive: bool = True, **params: Any) -> subprocess.Popen[str]:
    """Start the module's task in a process of its own, which has imported everything when this returns.

    :param exclusive: whether it takes the lock that keeps two runs apart.
    """
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.integration.postgresql_retention"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": f"{ROOT / '.collections'}:{ROOT}"},
        text=True,
    )
    given, ready = process.stdin, process.stdout
    if given is None or ready is None or ready.readline() != READY:
        raise AssertionError("the process did not start")
    given.write(json.dumps({"options": options_of(endpoint, *rules, **params), "exclusive": exclusive}))
    given.close()
    process.stdin = None
    return process


def main() -> int:
    """Run the task that standard input describes."""
    print(READY, end="", flush=True)
    given = json.load(sys.stdin)
    started = time.monotonic()
    result = run_alone(given["options"], exclusive=given["exclusive"])
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    print(json.dumps({**result, "peak": peak, "seconds": time.monotonic() - started}))
    return 0


def run_alone(options: dict[str, Any], *, exclusive: bool = True) -> dict[str, Any]:
    """Run the task in this process, whose only one it is.

    :param options: all that the task reads.
    :param exclusive: whether it takes the lock that keeps two runs apart.
    """
    lock = contextlib.nullcontext() if exclusive else mock.patch.object(work, "advisory_lock", _no_lock)
    with lock:
        task_context = context(options)
        return run(PostgresqlRetention(task_context), task_context, check_mode=False).as_dict()


def _no_lock(*_given: Any) -> contextlib.AbstractContextManager[None]:
    return contextlib.nullcontext()


if __name__ == "__main__":
    sys.exit(main())
