# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Prepares the commands that put jobs where workers take them from, where the server takes no scripts.

The scripts do the same inside the server, in ``enqueue``; the tests put both before the libraries.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..._core.errors import StoreError
from ..._redis.wire import name_of
from ..keys import MOST_IN_LIST
from ..observe_queue import PRIORITY_SCORE, STREAM_LIMIT
from ..page import ask_page
from ..values import whole_of
from .layout import BULL, FOURTH, SIXTH, WITH_MARKER
from .tools import Tools

__all__ = ["Command", "Entrance"]

Command = Sequence[Any]


class Entrance:
    """Where jobs come into a queue, within one transaction: looked at once, then watched.

    :param base: what the queue's keys begin with.
    :param layout: the queue's.
    :param urgent: whether there are jobs with a priority among those to come.
    """

    def __init__(self, tools: Tools, base: str, layout: str, urgent: bool, tried: str) -> None:
        self._base, self._layout = base, layout
        paused_key = base + ("meta-paused" if layout == BULL else "meta")
        _watched, paused, (most, events), active, waiting, held, counter = ask_page(
            tools.client,
            tools.pace,
            tried,
            [
                ("WATCH", paused_key, *self._crowded(urgent)),
                ("EXISTS", paused_key) if layout == BULL else ("HEXISTS", paused_key, "paused"),
                ("HMGET", base + "meta", "concurrency", "opts.maxLenEvents"),
                ("LLEN", base + "active"),
                ("LLEN", base + "wait"),
                ("LLEN", base + "paused"),
                ("GET", base + "pc"),
            ],
        )
        self.paused, self._nobody_waits = bool(paused), waiting == 0
        limit = whole_of(most)
        self._full = limit is not None and int(active) >= limit
        self._counter, self._most_events = whole_of(counter) or 0, whole_of(events) or STREAM_LIMIT
        self._list = base + ("paused" if self.paused and layout != SIXTH else "wait")
        self._line: list[str] = []
        self._ahead: list[int] = []
        if urgent and layout == BULL:
            self._read_line(tools, max(waiting, held), tried)

    def _read_line(self, tools: Tools, length: int, tried: str) -> None:
        """Read the list, in which Bull has a place for each priority."""
        if length > MOST_IN_LIST:
            raise StoreError(tried, f"{length} jobs wait, too many to be read", "Allow the user to run scripts.")
        line, ahead = ask_page(
            tools.client,
            tools.pace,
            tried,
            [("LRANGE", self._list, 0, -1), ("ZRANGE", self._base + "priority", 0, -1, "WITHSCORES")],
        )
        self._line = [name_of(id_) for id_ in line]
        self._ahead = [int(float(priority)) for priority in ahead[1::2]]

    def _crowded(self, urgent: bool) -> list[str]:
        """Keys that change often, and are watched only where the place of a job depends on others."""
        if not urgent:
            return []
        if self._layout == BULL:
            return [self._base + key for key in ("wait", "paused", "priority")]
        return [self._base + "pc", *([self._base + "wait"] if self._layout == FOURTH else [])]

    def put(self, id_: str, priority: int, lifo: bool) -> list[Command]:
        """Return what puts one job in."""
        if priority == 0:
            self._nobody_waits = False
            self._line.insert(len(self._line) if lifo else 0, id_)
            commands: list[Command] = [("RPUSH" if lifo else "LPUSH", self._list, id_)]
        elif self._layout == BULL:
            commands = self._put_in_line(id_, priority)
        else:
            self._counter += 1
            score = priority * PRIORITY_SCORE + self._counter % PRIORITY_SCORE
            commands = [("INCR", self._base + "pc"), ("ZADD", self._base + "prioritized", score, id_)]
            if self._layout == FOURTH and not self.paused and self._nobody_waits:
                self._nobody_waits = False
                commands.append(("LPUSH", self._base + "wait", "0:0"))
        return [*commands, *self._wake()]

    def _put_in_line(self, id_: str, priority: int) -> list[Command]:
        """Put a job behind those that are as urgent, or more so."""
        ahead = sum(1 for theirs in self._ahead if theirs <= priority)
        self._ahead.append(priority)
        noted = ("ZADD", self._base + "priority", priority, id_)
        if not 0 < ahead <= len(self._line):
            self._line.append(id_)
            return [noted, ("RPUSH", self._list, id_)]
        at = len(self._line) - ahead
        behind = self._line[at]
        self._line.insert(at, id_)
        return [noted, ("LINSERT", self._list, "BEFORE", behind, id_)]

    def _wake(self) -> list[Command]:
        """From BullMQ 5 on idle workers wait for the marker. One too many does no harm."""
        if self.paused or self._full or self._layout not in WITH_MARKER:
            return []
        return [("ZADD", self._base + "marker", 0, "0")]

    def told(self, event: str, id_: str) -> list[Command]:
        """Return what tells BullMQ's listeners. Bull's are told by PUBLISH, for which a user may have no right."""
        if self._layout == BULL:
            return []
        limit = ("MAXLEN", "~", self._most_events)
        return [("XADD", self._base + "events", *limit, "*", "event", event, "jobId", id_, "prev", "failed")]
