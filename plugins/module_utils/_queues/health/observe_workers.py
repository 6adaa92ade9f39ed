# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Sees which workers are connected, by the names that the libraries give their connections.

Bull and BullMQ name a connection after prefix and queue (the latter in base64). BullMQ does so for workers only, with
``:w:`` and the worker's own name behind, if it has one. Bull does so for whoever uses the queue; a worker's connection
is the one that waits for jobs.
"""

from __future__ import annotations

import base64
import re
from collections import Counter
from collections.abc import Iterable

from ..._redis.client import RedisClient
from ..._redis.wire import name_of, packed, raw
from .observation import Workers

__all__ = ["MOST_CLIENTS", "observe_workers", "worker_name", "workers_of"]

MOST_CLIENTS = 5000
"""With more connections the list of them, which the server writes in one go, would be felt (a microsecond each)."""

_CLIENT = re.compile(r"(?:^| )(name|cmd)=(\S*)")
_WAITING = re.compile(r"b(?:zpop(?:min|max)|[lr]pop|rpoplpush|lmove)", re.IGNORECASE)


def worker_name(prefix: str, queue: str) -> str:
    """Return the name that the libraries give the connection of a worker of a queue."""
    return f"{prefix}:{base64.b64encode(raw(queue)).decode()}"


def workers_of(workers: Workers, name: str, is_bull: bool) -> int | None:
    """Return how many workers have a name of :func:`worker_name`, or one of their own behind it.

    :param is_bull: whether Bull keeps the queue.
    :return: None: that cannot be told. Connections without a name wait for work, maybe here; or who uses a Bull queue
        only adds jobs, or is a worker that has not had to wait yet.
    """
    named = [known for known in workers.names if known == name or known.startswith(f"{name}:w:")]
    number = sum((workers.fetching if is_bull else workers.names).get(known, 0) for known in named)
    return number or (None if workers.unnamed or named else 0)


def observe_workers(nodes: Iterable[RedisClient]) -> Workers | None:
    """Read the connections of all nodes; None where there are too many, or the server does not say how many there are.

    :raises StoreError: a server refused, or is gone.
    """
    names: Counter[str] = Counter()
    fetching: Counter[str] = Counter()
    unnamed = 0
    for node in nodes:
        clients = node.info().number("connected_clients")
        if clients is None or clients > MOST_CLIENTS:
            return None
        tried = "list the connections (CLIENT LIST)"
        (reply,) = node.exchange(tried, packed([("CLIENT", "LIST", "TYPE", "normal")]), 1)
        if isinstance(reply, Exception):
            raise node.explain(tried, reply)
        for line in name_of(reply).splitlines():
            told = dict(_CLIENT.findall(line))
            name = told.get("name", "")
            waits = bool(_WAITING.fullmatch(told.get("cmd", "")))
            if name:
                names[name] += 1
                fetching[name] += waits
            else:
                unnamed += waits
    return Workers(names, fetching, unnamed)
