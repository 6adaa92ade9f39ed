# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a script that removes keys by hand leaves of jobs: ids without a job, and jobs in no state."""

from __future__ import annotations

from tests.stack.application.queues.plan import PREFIX, QUEUES
from tests.stack.endpoint import Endpoint
from tests.stack.servers.redis import connect

__all__ = ["GHOSTS", "ORPHANS", "plant_remains"]

GHOSTS = 3
"""Failed jobs of the second queue whose keys are gone, their ids not."""
ORPHANS = 3
"""Completed jobs of the first queue whose ids are gone, their keys not."""


def plant_remains(server: Endpoint) -> None:
    """Take the keys of the last jobs that failed, and the ids of the first that were completed.

    Old ones that failed would be cleaned with the others.
    """
    orphaned, haunted = (f"{PREFIX}:{queue}:" for queue in QUEUES)
    with connect(server) as client:
        failed = client.zrange(f"{haunted}failed", -GHOSTS, -1)
        client.delete(*(f"{haunted}{job}" for job in failed))
        completed = client.zrange(f"{orphaned}completed", 0, ORPHANS - 1)
        client.zrem(f"{orphaned}completed", *completed)
