# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Passes once over all keys of every primary, without ever keeping a server busy for long."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from ..._core.clock import Clock
from ..client import RedisClient
from ..errors import Redirected
from ..no_touch import leave_no_trace
from ..scan import pages
from ..stall import Pace
from ..wire import packed, packed_each, raw
from .census import DETAIL_BYTES, Census, Detail
from .group import GONE
from .script import LENGTHS, UNTOUCHED_SECONDS, Glance, ScriptPage, busy_of, can_be_cut, number_of, page_of, request

__all__ = ["Pass"]

CLOSELY = 20_000
"""So many small keys are looked at closely; what takes a tenth of a store has some two thousand among them."""
MOST_PAGE = 1500
"""Keys of a page at most. More would save hardly a hundredth of the time."""
TRIED = "look at the keys"
_REFUSED = -1


class Pass:
    """One pass over the keys of one server.

    :param census: counts what is seen.
    :param heat: ``idle`` where the server says for how long a key was not used.
    :param most_keys: look at no more.
    :param seconds: look no longer.
    """

    def __init__(
        self, client: RedisClient, clock: Clock, census: Census, heat: str | None, most_keys: int | None, seconds: float
    ) -> None:
        self._client, self._clock, self._census, self._heat = client, clock, census, heat
        self._most = float("inf") if most_keys is None else most_keys
        self._end = clock.monotonic() + seconds
        self.pace = Pace(clock, size=200, largest=MOST_PAGE)
        self._asked_for = 0
        self.total = 0
        self.complete = False
        self.scripts = True
        self.sized = True

    def run(self) -> None:
        """Look at the keys, by scripts if the server lets us, else by asking for each.

        :raises StoreError: not even the keys' names may be read, or the server is gone.
        """
        self.total = int(self._client.ask("count the keys (DBSIZE)", lambda redis: redis.dbsize()))
        stride = max(1, self.total // CLOSELY)
        self._glance = Glance(stride, self._heat, touches=not leave_no_trace(self._client))
        self.scripts = self._by_scripts()
        if not self.scripts:
            self.pace.learn_idle(lambda: self._client.ask("ping the server", lambda redis: redis.ping()))
            self._by_pipelines()

    def _begin(self, cursor: bytes, apart: bool = False) -> Callable[[], list[Any]]:
        """Ask for a page, and return what reads the answer."""
        blob = request(cursor, self.pace.size, self._glance, self._asked_for, apart)
        self._asked = self._clock.monotonic()
        return self._client.begin(TRIED, blob, 1)

    def _by_scripts(self) -> bool:
        """Let the server look, one page ahead of what is counted here; return False if it refuses the first script."""
        cursor, first = b"0", True
        finish = self._begin(cursor)
        while True:
            (reply,) = finish()
            if isinstance(reply, Exception):
                if first:
                    return False
                raise self._client.explain(TRIED, reply)
            if not can_be_cut(reply):
                finish = self._begin(cursor, apart=True)
                continue
            first, cursor, busy = False, reply[0], busy_of(reply)
            self.pace.took(self._clock.monotonic() - self._asked if busy is None else busy)
            self._asked_for += number_of(reply)
            self.complete = cursor == b"0"
            over = self.complete or self._over(self._asked_for)
            if not over:
                finish = self._begin(cursor)  # before the answer is taken apart: the server need not wait for that
            self._count(page_of(reply))
            if over:
                return True

    def _over(self, seen: int) -> bool:
        return seen >= self._most or self._clock.monotonic() >= self._end

    def _count(self, page: ScriptPage) -> None:
        sizes = page.sizes
        if _REFUSED in sizes:
            self.sized = False
            sizes = [max(0, size) for size in sizes]
        self._census.take(page.keys, page.ttls, sizes, page.details)

    def _by_pipelines(self) -> None:
        """Ask for each key's TTL and size, in pages; then, for some, for more."""
        counted: Callable[[], None] = partial(self._census.take, (), (), ())
        for keys in pages(self._client, self.pace):
            blob = packed_each((b"PTTL",), keys)
            if self.sized:
                blob += packed_each((b"MEMORY", b"USAGE"), keys)
            with self.pace.page():
                finish = self._client.begin(TRIED, blob, len(keys) * (1 + self.sized))
                counted()  # the page before, while the server works on this one
                replies = finish()
            counted = partial(self._census.take, keys, *self._understood(keys, replies))
            self._asked_for += len(keys)
            if self._over(self._asked_for):
                break
        else:
            self.complete = True
        counted()

    def _understood(self, keys: Sequence[bytes], replies: Sequence[Any]) -> tuple[list[int], list[int], list[Detail]]:
        """Return the TTLs, the sizes and the details of a page.

        :raises StoreError: not even TTLs may be asked for.
        """
        ttls, sizes = list(replies[: len(keys)]), list(replies[len(keys) :])
        for at, reply in enumerate(ttls):
            if isinstance(reply, Exception):
                error = self._client.explain(TRIED, reply)
                if not isinstance(error, Redirected):
                    raise error
                ttls[at] = GONE  # of a cluster, on its way to another node
                sizes[at : at + 1] = [0] if sizes else []
        self.sized = self.sized and not any(isinstance(reply, Exception) for reply in sizes)
        found = [reply if isinstance(reply, int) else 0 for reply in sizes] or [0] * len(keys)
        return ttls, found, self._details(keys, found)

    def _ask(self, commands: Sequence[Sequence[bytes]]) -> list[object]:
        with self.pace.page():
            return self._client.exchange(TRIED, packed(commands), len(commands))

    def _details(self, keys: Sequence[bytes], sizes: Sequence[int]) -> list[Detail]:
        """Ask for type, encoding and use of the large keys and of some others, then for the large ones' elements."""
        chosen = [
            number
            for number, size in enumerate(sizes)
            if size >= DETAIL_BYTES or (self._asked_for + number) % self._glance.stride == self._glance.stride - 1
        ]
        questions: tuple[tuple[bytes, ...], ...] = ((b"TYPE",), (b"OBJECT", b"ENCODING"))
        if self._heat == "idle":
            questions += ((b"OBJECT", b"IDLETIME"),)
        replies = self._ask([(*question, keys[number]) for number in chosen for question in questions])
        answers = [replies[start : start + len(questions)] for start in range(0, len(replies), len(questions))]
        kinds = [_text(answer[0]) for answer in answers]
        large = [
            (number, (raw(LENGTHS[kind]), keys[number]))
            for number, kind, answer in zip(chosen, kinds, answers, strict=True)
            if sizes[number] >= DETAIL_BYTES and kind in LENGTHS and not self._rests(answer)
        ]
        counted = self._ask([command for _number, command in large]) if large else []
        elements = {number: reply for (number, _command), reply in zip(large, counted, strict=True)}
        return [
            Detail(
                number,
                1 if sizes[number] >= DETAIL_BYTES else self._glance.stride,
                kind,
                _text(answer[1]),
                _integer(elements.get(number)),
                _integer(answer[2] if len(answer) > 2 else None),
            )
            for number, kind, answer in zip(chosen, kinds, answers, strict=True)
        ]

    def _rests(self, answer: Sequence[object]) -> bool:
        """Whether a key was not used for a while, and would have been if it were asked for its elements."""
        idle = _integer(answer[2]) if len(answer) > 2 else None
        return self._glance.touches and idle is not None and idle >= UNTOUCHED_SECONDS


def _text(reply: object) -> str:
    return reply.decode("utf-8", "replace") if isinstance(reply, bytes) else "-"


def _integer(reply: object) -> int | None:
    return reply if isinstance(reply, int) else None
