# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the queues of the sample application hold: one plan for every library that fills them."""

from __future__ import annotations

import random
from dataclasses import asdict, dataclass, field
from typing import Any

from tests.stack.application.people import generator, phone
from tests.stack.application.settings import Settings
from tests.stack.endpoint import Endpoint

__all__ = ["PREFIX", "QUEUES", "QueuePlan", "as_input", "plans"]

PREFIX = "bull"
QUEUES = ("customer-calls", "notifications")
HOUR = 3600
RETRYABLE = (
    "connect ECONNREFUSED 127.0.0.1:5060",
    "connect ETIMEDOUT 10.1.2.3:443",
    "getaddrinfo ENOTFOUND sip.example.com",
    "read ECONNRESET",
)
FINAL = ("Invalid phone number", "Customer has opted out")


@dataclass
class QueuePlan:
    """The jobs of one queue. Ages are seconds before now; the libraries see a clock set back by them."""

    name: str
    completed: list[dict[str, Any]] = field(default_factory=list)
    failed: list[dict[str, Any]] = field(default_factory=list)
    """With `reason` and `attempts`: how often the job was tried before it failed for good."""
    stalled: list[dict[str, Any]] = field(default_factory=list)
    """Taken by a worker whose lock is gone."""
    delayed: list[dict[str, Any]] = field(default_factory=list)
    """With `delay` in seconds from now."""
    prioritized: list[dict[str, Any]] = field(default_factory=list)
    waiting: list[dict[str, Any]] = field(default_factory=list)
    paused: bool = False


def plans(settings: Settings) -> list[QueuePlan]:
    """The queues of the application; planted ones are in trouble, clean ones have a few completed jobs."""
    return [_plan(name, settings, generator(settings.seed, f"queue.{name}")) for name in QUEUES]


def as_input(server: Endpoint, queues: list[QueuePlan]) -> dict[str, Any]:
    """What a filling script reads from its standard input."""
    connection = {"host": server.host, "port": server.port}
    if server.password is not None:
        connection |= {"username": server.user or "default", "password": server.password}
    return {"connection": connection, "prefix": PREFIX, "queues": [asdict(queue) for queue in queues]}


def _plan(name: str, settings: Settings, source: random.Random) -> QueuePlan:
    if not settings.planted:
        return QueuePlan(
            name, completed=[_job(source, age=source.randrange(HOUR)) for _number in range(settings.count(20))]
        )
    share = 1.0 if name == "customer-calls" else 0.4
    oldest = 14 * 24 * HOUR  # some older than the 24 hours and 7 days after which jobs ought to be cleaned

    def jobs(number: int, youngest: int = 60, oldest: int = oldest) -> list[dict[str, Any]]:
        count = max(1, round(number * share * settings.scale))
        return [_job(source, age=source.randrange(youngest, oldest)) for _number in range(count)]

    failed = [
        job
        | {"reason": source.choice(RETRYABLE if source.random() < 0.7 else FINAL), "attempts": source.choice((1, 1, 3))}
        for job in jobs(25) + jobs(25, oldest=20 * HOUR)
    ]
    return QueuePlan(
        name,
        completed=jobs(60) + jobs(40, oldest=20 * HOUR),
        failed=failed,
        stalled=[_job(source, age=2 * HOUR) for _number in range(3)] if name == "customer-calls" else [],
        delayed=[job | {"delay": source.randrange(2 * HOUR, 9 * HOUR)} for job in jobs(20, oldest=HOUR)],
        prioritized=[job | {"priority": source.randrange(1, 6)} for job in jobs(20, oldest=HOUR)],
        waiting=jobs(30, youngest=HOUR, oldest=3 * HOUR),
        paused=name == "notifications",
    )


def _job(source: random.Random, age: int) -> dict[str, Any]:
    kind = source.choice(("call", "remind", "notify"))
    return {"job": kind, "data": {"phone": phone(source), "retryCount": source.randrange(3)}, "age": age}
