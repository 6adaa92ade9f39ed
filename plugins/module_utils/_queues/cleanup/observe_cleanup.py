# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Reads queues and what there is to do in them, without changing anything."""

from __future__ import annotations

from collections.abc import Sequence

from ..._core.errors import AccessDenied
from ..._core.runner import Context
from ..._redis.client import RedisClient
from ..._redis.errors import Redirected
from ..._redis.stall import Pace
from ..client import QueueReader
from ..observations import Problem
from .observation import Place, QueueWork, Seen
from .options import Options

__all__ = ["observe_cleanup"]

WINDOW = 3600.0
"""Seconds that the reading of a queue looks back for finished jobs, which this task does not use."""


def observe_cleanup(nodes: Sequence[RedisClient], context: Context, pace: Pace, options: Options) -> Seen:
    """Read the queues on all nodes.

    :raises StoreError: a server is gone.
    """
    places, problems = _find(nodes, context, options)
    return Seen(
        now=context.clock.now(),
        scripts=all(_takes_scripts(node) for node in nodes),
        works=[_observe_queue(nodes[place.node], context, pace, options, place) for place in places],
        problems=problems,
    )


def _observe_queue(client: RedisClient, context: Context, pace: Pace, options: Options, place: Place) -> QueueWork:
    """Read what there is to do in one queue."""
    # What to retry is read here: observe_failed.
    return QueueWork(place, {})


def _find(nodes: Sequence[RedisClient], context: Context, options: Options) -> tuple[list[Place], list[Problem]]:
    """Return the queues, each with the node that has it, and those that could not be read.

    A queue that is named is asked for at every node of a cluster; all but one say that it is elsewhere.
    """
    places: dict[str, Place] = {}
    problems: list[Problem] = []
    for number, node in enumerate(nodes):
        reading = QueueReader(node, context, options.prefix, options.queues, WINDOW).take()
        for queue in reading.queues:
            places.setdefault(queue.name, Place(queue, f"{options.prefix}:{queue.name}:", number))
        problems += reading.problems
    found = bool(places)
    kept = [
        problem
        for problem in dict.fromkeys(problems)
        if problem.name not in places
        and not (found and not problem.name and problem.error is None)
        and not (len(nodes) > 1 and isinstance(problem.error, Redirected))
    ]
    return [places[name] for name in sorted(places)], kept


def _takes_scripts(client: RedisClient) -> bool:
    """Whether the server runs scripts for us: an ACL may forbid it, and managed services rename the command."""
    try:
        return bool(client.ask("try a script", lambda redis: redis.eval("return 1", 0)))
    except AccessDenied:
        return False
