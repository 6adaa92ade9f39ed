# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""One page of requests to the server: sent in one go, timed, and its errors raised."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from .._redis.client import RedisClient
from .._redis.stall import Pace
from .._redis.wire import packed

__all__ = ["ask_page", "run_script"]


def ask_page(client: RedisClient, pace: Pace, tried: str, commands: Sequence[Sequence[Any]]) -> list[Any]:
    """Send commands in one go and return their replies, in bytes and numbers.

    :raises StoreError: the first error that any of them met.
    """
    with pace.page():
        replies = client.exchange(tried, packed(commands), len(commands))
    for reply in replies:
        if isinstance(reply, Exception):
            raise client.explain(tried, reply)
    return replies


def run_script(
    client: RedisClient, pace: Pace, tried: str, script: str, keys: Sequence[str], arguments: Sequence[Any]
) -> Any:
    """Run a script in the server and return its reply.

    The script is sent each time: it is small beside the work that it does, and a server may forget it at any moment.

    :raises StoreError: it failed. What it had done before stays done.
    """
    (reply,) = ask_page(client, pace, tried, [("EVAL", script, len(keys), *keys, *arguments)])
    return reply
