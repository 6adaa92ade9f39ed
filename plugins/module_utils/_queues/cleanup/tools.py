# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What every action on a queue works with."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from ..._core.runner import Context
from ..._redis.client import RedisClient
from ..._redis.stall import Pace
from .options import Options

__all__ = ["Tools"]


class Tools(NamedTuple):
    """Connection, time and limits of an action.

    :param client: the connection to the server that has the queue.
    :param context: the task's context, with deadline and clock.
    :param pace: sizes the batches.
    :param options: what the user wants.
    :param scripts: whether the server takes scripts; if not, changes go through WATCH, MULTI and EXEC.
    :param keep_lock: to be called between two batches; raises a StoreError if the lock was lost.
    """

    client: RedisClient
    context: Context
    pace: Pace
    options: Options
    scripts: bool
    keep_lock: Callable[[], None]
