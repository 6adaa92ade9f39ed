# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Asks for keys of jobs, of which some may be no jobs: anybody may have written a key of that name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from .._redis.client import RedisClient
from .._redis.wire import name_of, packed

__all__ = ["JOB_FIELDS", "LETTER", "Fields", "ask_leniently", "fields_of"]

LETTER = "upkeepOf"
"""The field that only dead letters have, which queue_cleanup writes: the key of the failed job, and when it failed."""

JOB_FIELDS = ("timestamp", "opts", "processedOn", "finishedOn", "retriedOn", "atm", "ats", "attemptsMade", LETTER)

Fields = Mapping[str, "str | None"]


def ask_leniently(client: RedisClient, tried: str, commands: Sequence[Sequence[str | int | float]]) -> list[Any]:
    """Send commands in one go and return their answers as text; None where a key is of another type.

    :raises StoreError: the server refused anything else, or is gone.
    """
    replies = client.exchange(tried, packed(commands), len(commands))
    return [_understood(client, tried, reply) for reply in replies]


def fields_of(values: Sequence[str | None] | None) -> Fields:
    """Return a job's :data:`JOB_FIELDS` by name; all of them are absent where its key is no job's."""
    return dict(zip(JOB_FIELDS, values or [None] * len(JOB_FIELDS), strict=True))


def _understood(client: RedisClient, tried: str, reply: Any) -> Any:
    if isinstance(reply, Exception):
        if str(reply).startswith("WRONGTYPE"):
            return None
        raise client.explain(tried, reply)
    if isinstance(reply, list):
        return [name_of(item) if isinstance(item, bytes) else item for item in reply]
    return name_of(reply) if isinstance(reply, bytes) else reply
