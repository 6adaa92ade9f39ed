# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Reads an entry's source and looks which of its keys are there, without changing anything."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import closing

from .._core.deadline import Deadline
from .._redis.cleanup.spared import Spared
from .._redis.client import RedisClient
from .._redis.errors import Redirected
from .._redis.stall import Pace
from .._redis.wire import packed
from .decide_item import items_of
from .entry import Entry
from .names import Names
from .observation import Item, Tally
from .observe_queues import QueueSearch
from .placement import Owner, by_owner
from .remembered import Remembered
from .source import Source, SourceUnread, rows_of

__all__ = ["OF_QUEUES", "Looker"]

TRIED = "look whether keys are there (TYPE)"

OF_QUEUES = (b"bull:", b"{bull}:")
"""Beside the queues that are there, what Bull and BullMQ call theirs where nobody says otherwise."""

COUNTING = 0.5
"""Part of the deadline that may be spent on counting; what is not counted by then is warmed uncounted."""


class Looker:
    """Looks at entries.

    :param sources: by an entry's name.
    :param pace: of the pages of commands.
    :param most_bytes: of a key and what it holds.
    """

    def __init__(
        self,
        clients: Sequence[RedisClient],
        owner: Owner,
        sources: Mapping[str, Source],
        pace: Pace,
        deadline: Deadline,
        most_bytes: int,
    ) -> None:
        self._clients = clients
        self._owner = owner
        self._sources = sources
        self._pace = pace
        self._deadline = deadline
        self._most_bytes = most_bytes
        self._spared = Spared(())
        self._queues = QueueSearch(clients, owner, pace, self._spared.queues)
        self.remembered = Remembered()

    def look(self, entry: Entry) -> Tally:
        """Count what an entry is about, and remember what is due unless that is too much.

        A source that cannot be read is told in the tally.

        :raises StoreError: Redis refused, or is gone.
        """
        tally = Tally(entry)
        try:
            with closing(self.items(entry, tally)) as batches:
                for batch in batches:
                    self._count(entry, tally, batch)
                    if self._deadline.remaining <= self._deadline.seconds * COUNTING:
                        tally.complete = False
                        break
        except SourceUnread as error:
            tally.error = error
        if tally.error or not tally.complete:
            self.remembered.forget(entry.name)
        return tally

    def items(self, entry: Entry, tally: Tally) -> Generator[list[Item], None, None]:
        """Yield the keys that an entry's rows make, each once, and those only that may be set.

        :param tally: counts what is passed over.
        :raises SourceUnread: the source cannot be read.
        """
        known = Names()
        for rows in rows_of(self._sources[entry.name]):
            items = items_of(entry, rows, self._most_bytes, tally)
            new = [item for item in items if known.add(item.key)]
            tally.repeated += len(items) - len(new)
            self._queues.look(item.key for item in new)
            free = set(self._spared.free(item.key for item in new if not item.key.startswith(OF_QUEUES)))
            tally.protected += len(new) - len(free)
            yield new if len(free) == len(new) else [item for item in new if item.key in free]

    def _count(self, entry: Entry, tally: Tally, items: Sequence[Item]) -> None:
        due = []
        tally.away += len(items)
        for item, kind in self._kinds(items):
            tally.away -= 1
            if kind == b"none" or (kind == entry.kind and not entry.nx):
                due.append(item)
            elif kind == entry.kind:
                tally.there += 1
            else:
                tally.other_type += 1
        tally.due += len(due)
        tally.bytes += sum(item.size for item in due)
        self.remembered.add(entry.name, due)

    def _kinds(self, items: Sequence[Item]) -> Iterator[tuple[Item, bytes]]:
        """Yield keys with the type of what they hold, but for those whose server cannot be reached or has changed."""
        for number, group in by_owner(self._owner, items, lambda item: item.key).items():
            client, at = self._clients[number], 0
            while at < len(group):
                page = group[at : at + self._pace.size]
                at += len(page)
                blob = packed((b"TYPE", item.key) for item in page)
                with self._pace.page():
                    kinds = client.exchange(TRIED, blob, len(page))
                for item, kind in zip(page, kinds, strict=True):
                    if isinstance(kind, Exception):
                        error = client.explain(TRIED, kind)
                        if not isinstance(error, Redirected):
                            raise error
                    else:
                        yield item, kind
