# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Reads queues and what there is to do in them, without changing anything."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime

from ..._core.errors import StoreError
from ..._core.runner import Context
from ..._redis.client import RedisClient
from ..._redis.errors import Redirected
from ..._redis.scripting import takes_scripts
from ..._redis.stall import Pace
from ..client import QueueReader
from ..observations import Place, Problem
from ..observe_ghosts import find_ghosts
from ..observe_orphans import find_orphans
from ..observe_queue import observe_queue
from .observation import QueueWork, Seen
from .observe_failed import count_failed
from .observe_finished import count_old
from .options import Options, milliseconds_before

__all__ = ["observe_cleanup"]

WINDOW = 3600.0
"""Seconds that the reading of a queue looks back for finished jobs, which this task does not use."""


def observe_cleanup(
    nodes: Sequence[RedisClient], context: Context, pace: Pace, options: Options, missing: Sequence[StoreError] = ()
) -> Seen:
    """Read the queues on all nodes.

    :param missing: why primaries are left out.
    :raises StoreError: a server is gone.
    """
    now = context.clock.now()
    scripts = all(takes_scripts(node) for node in nodes)
    reader = QueueReader(nodes, context, options.prefix, options.queues, WINDOW, missing)
    found, problems = reader.places(), reader.problems()
    names = [place.queue.name for place in found]
    places = [place for place in found if place.queue.name != options.dead_letter]
    works: list[QueueWork] = []
    for place in places:
        client = nodes[place.node]
        try:
            work = _observe_queue(client, pace, options, place, now)
            work = _with_orphans(client, pace, options, work, now, names, scripts)
            works.append(_with_failed(client, context, pace, options, work))
        except StoreError as error:
            if client.lost:
                raise
            problems.append(Problem(place.queue.name, error))
    cluster = nodes[0].info().flag("cluster_enabled")
    return Seen(now, scripts, works, problems, cluster, longest=pace.longest)


def _observe_queue(client: RedisClient, pace: Pace, options: Options, place: Place, now: datetime) -> QueueWork:
    """Read what there is to do in one queue."""
    old = {
        cleaning.state: count_old(
            client,
            pace,
            place,
            cleaning.state,
            milliseconds_before(cleaning.older_than, now),
            options.keep_last,
            options.ghosts,
        )
        for cleaning in options.cleanings
    }
    reach = {state: found.reach for state, found in old.items()}
    ghosts, unread = find_ghosts(client, pace, place, reach) if options.ghosts else ([], {})
    surplus = place.queue.events - place.queue.events_limit
    return QueueWork(
        place,
        {state: found.jobs for state, found in old.items()},
        kept={state: found.kept for state, found in old.items()},
        ghosts=ghosts,
        unread=unread,
        surplus_events=surplus if surplus > place.queue.events_limit else 0,
    )


def _with_orphans(
    client: RedisClient,
    pace: Pace,
    options: Options,
    work: QueueWork,
    now: datetime,
    names: Sequence[str],
    scripts: bool,
) -> QueueWork:
    """Add the jobs that are in no state, if they are asked for."""
    if options.orphans is None:
        return work
    if not scripts:
        return work._replace(orphans_unknown="the server takes no scripts, without which they cannot be told for sure")
    found = find_orphans(client, pace, work.place, names, milliseconds_before(options.orphans, now))
    return work._replace(orphans=found.ids, orphans_unknown=found.unknown)


def _with_failed(client: RedisClient, context: Context, pace: Pace, options: Options, work: QueueWork) -> QueueWork:
    """Add the failed jobs, if there are rules for them, and the queue that takes dead letters."""
    if options.retry is None:
        return work
    failed, letters = count_failed(client, pace, work.place, options.retry), None
    if options.dead_letter:
        with suppress(Redirected):  # in a cluster it is elsewhere then, which is said when that matters
            letters = observe_queue(client, context, options.prefix, options.dead_letter, WINDOW)
    return work._replace(failed=failed, letters=letters)
