# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Changes that hold only if what was looked at has stayed as it was, where the server takes no scripts.

WATCH, MULTI and EXEC: https://redis.io/docs/latest/develop/using-commands/transactions/
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any

from ..._core.errors import StoreError
from ..._redis.client import RedisClient
from ..._redis.stall import Pace
from ..page import ask_page

__all__ = ["TransactionContended", "transact"]

TRIES = 5
"""How often a transaction is begun anew that somebody came in between."""


class TransactionContended(StoreError):
    """Others change the same jobs all the time."""

    condition = "contended"


def transact(
    client: RedisClient,
    pace: Pace,
    tried: str,
    keys: Sequence[str],
    prepare: Callable[[], Sequence[Sequence[Any]]],
) -> list[Any]:
    """Make changes that depend on keys, all of them or none.

    :param keys: the keys that must not change between the look and the changes.
    :param prepare: looks, and returns the commands; called anew when somebody came in between.
    :return: the replies to the commands.
    :raises TransactionContended: somebody came in between each time.
    :raises StoreError: the server refused, or is gone.
    """
    for _time in range(TRIES):
        ask_page(client, pace, tried, [("WATCH", *keys)])
        try:
            commands = prepare()
            replies = ask_page(client, pace, tried, [("MULTI",), *commands, ("EXEC",)]) if commands else [[]]
        finally:
            with suppress(StoreError):
                ask_page(client, pace, tried, [("UNWATCH",)])
        done: list[Any] | None = replies[-1]
        if done is not None:
            for reply in done:
                if isinstance(reply, Exception):
                    raise client.explain(tried, reply)
            return done
    raise TransactionContended(
        tried, "others changed the same jobs meanwhile, each time", "Run again at a quieter hour."
    )
