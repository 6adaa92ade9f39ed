# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Questions to the real libraries about queues, for :func:`tests.stack.application.queues.run.ask_npm`."""

from __future__ import annotations

from typing import Any

import pytest
import redis

from tests.stack.application.queues.run import NPM_LIBRARIES

BULLMQ = [(library, version) for library, version in NPM_LIBRARIES if library == "bullmq"]
LIBRARIES = pytest.mark.parametrize(("library", "version"), NPM_LIBRARIES)


def add(queue: str, id_: str, **options: Any) -> dict[str, Any]:
    """The question that adds a job."""
    return {"ask": "add", "queue": queue, "name": "call", "data": {"n": id_}, "options": {**options, "jobId": id_}}


def fail(queue: str, reason: str = "connect ECONNREFUSED 127.0.0.1:80") -> dict[str, Any]:
    """The question that lets the next job fail."""
    return {"ask": "end", "queue": queue, "fail": True, "reason": reason}


def unlock(client: redis.Redis) -> None:
    """Remove the locks that Bull leaves for half a minute when a job is ended by hand and not by a worker."""
    for lock in client.keys("bull:*:lock"):
        client.delete(lock)


def flow(**options: Any) -> dict[str, Any]:
    """The question that adds a parent that waits for one child, which fails, and a second, which does not."""
    children = [{"name": "child", "queueName": "children", "opts": {**options, "jobId": id_}} for id_ in ("c1", "c2")]
    parent = {"name": "parent", "queueName": "parents", "opts": {"jobId": "p"}, "children": children}
    return {"ask": "flow", "flow": parent}


def drain(queue: str, expect: int) -> dict[str, Any]:
    """The question that lets a worker do what waits."""
    return {"ask": "drain", "queue": queue, "expect": expect, "idle": 100}
