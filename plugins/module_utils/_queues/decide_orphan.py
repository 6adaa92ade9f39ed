# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Tells jobs from what else lies under a queue's name, and those old enough to be orphans. Pure.

The script ``orphans`` decides on the age once more, inside the server.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence

__all__ = ["JOB_FIELDS", "MOMENTS", "QUEUE_KEYS", "id_of", "is_orphan"]

MOMENTS = ("timestamp", "processedOn", "finishedOn")
JOB_FIELDS = (*MOMENTS, "name", "data", "opts")
"""What both libraries write to each job when it is added: the first, and the last three."""

QUEUE_KEYS = frozenset(
    {
        *("wait", "paused", "active", "completed", "failed", "delayed", "prioritized", "priority", "waiting-children"),
        *("marker", "events", "meta", "meta-paused", "id", "pc", "limiter", "stalled", "stalled-check", "drained"),
        *("repeat", "delay"),
    }
)
"""Keys of a queue's own that have no colon in their suffix."""

_SCHEDULED = re.compile(r"repeat:.+:\d{12,14}", re.DOTALL)


def id_of(name: str, queue: str, queues: Collection[str]) -> str | None:
    """Return the id of the job that a key may be; None: it is something else, or another queue's.

    An id with a colon is only taken where the libraries make it themselves, for ``mail:urgent:17`` may be the job 17 of
    a queue ``mail:urgent``.

    :param name: the key without prefix and colon.
    :param queue: the queue's name.
    :param queues: the names of all queues that are known.
    """
    if not name.startswith(f"{queue}:"):
        return None
    id_ = name[len(queue) + 1 :]
    if not id_ or id_ in QUEUE_KEYS:
        return None
    if ":" not in id_:
        return id_
    return id_ if _SCHEDULED.fullmatch(id_) and f"{queue}:repeat" not in queues else None


def is_orphan(fields: Sequence[str | None], before: float) -> bool:
    """Whether a hash that no state holds is a job, and was added, begun and ended by then.

    :param fields: the values of :data:`JOB_FIELDS`.
    :param before: milliseconds since 1970.
    """
    if any(value is None for value in (fields[0], *fields[len(MOMENTS) :])):
        return False
    try:
        return all(float(value) <= before for value in fields[: len(MOMENTS)] if value is not None)
    except ValueError:
        return False
