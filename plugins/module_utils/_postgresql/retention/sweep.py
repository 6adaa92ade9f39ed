# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Goes through tables piece by piece and has a mover take the rows of each; how a mover is written: ``piece.py``.

A piece is tried without looking for locks first: that is the quickest. If somebody else holds one of its rows, it is
tried again without the rows that are held, so it waits for nobody. A last look at the end finds what was held, or moved
while the sweep went by. Nothing is remembered between runs: what is left still fulfils the rule.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from ..._core.errors import StoreError, StoreTimeout
from ..._core.runner import Context
from ..._core.throttle import Throttle
from ..client import PostgresqlClient
from ..errors import TRANSIENT_CODES
from ..statement import Statement
from ..work import retried
from .observation import Leaf, Reference
from .piece import Mover, Piece
from .predicate import Predicate, unreferred
from .walk import Walk

__all__ = ["FEW", "Policy", "Sweep", "Swept"]

PIECE_SECONDS = 30.0
"""Longest that the server lets one statement of a piece run."""

LOOK_SECONDS = 1.0
"""How often the replicas' lag is looked at."""

FEW = 1000
"""Rows that the last look takes at once."""

ROUNDS = 3
"""How often the last look tries for rows that others hold."""

ROW_SECONDS = 5e-6
"""Time for a row before any was taken. Measured: 2.5 to 4 us for small rows that move to another table; rows that take
four times as long make a first piece of four times the target, and no second one.
"""

LAG = """
SELECT coalesce(max(extract(epoch FROM replay_lag)), 0)::float8 AS seconds FROM pg_catalog.pg_stat_replication"""


class _Lag(NamedTuple):
    seconds: float


class _Left(NamedTuple):
    rows: int


class _Held(NamedTuple):
    place: str


@dataclass(frozen=True)
class Policy:
    """How gently rows are taken.

    :param target_seconds: how long a piece should take.
    :param most: rows that may be taken in one run; None: any number.
    :param lag_seconds: how far replicas may be behind before the sweep waits for them.
    :param rest_ratio: rest after each piece for this fraction of the time that it took.
    :param lock_seconds: how long a statement may wait for a lock.
    """

    target_seconds: float = 0.025
    most: int | None = None
    lag_seconds: float = 10.0
    rest_ratio: float = 0.0
    lock_seconds: float = 1.0


@dataclass
class Swept:
    """What a sweep did.

    :param held: rows left behind because others held them, as far as the last look saw; None: there was none.
    :param stopped: why it ended before its end: empty, or for people.
    :param note: what the mover has to say.
    """

    rows: int = 0
    pieces: int = 0
    retries: int = 0
    longest: float = 0.0
    rested: float = 0.0
    held: int | None = None
    stopped: str = ""
    note: str = ""


class Sweep:
    """One rule's way through its tables.

    :param references: foreign keys whose rows must not be changed by taking what they refer to: whether there are any
        is looked at again once the rows are locked.
    """

    def __init__(
        self,
        client: PostgresqlClient,
        context: Context,
        mover: Mover,
        policy: Policy,
        references: Sequence[Reference] = (),
    ) -> None:
        self.client = client
        self.swept = Swept()
        self._context = context
        self._mover = mover
        self._policy = policy
        self._references = references
        self._throttle = Throttle(policy.target_seconds, size=FEW, rest_ratio=policy.rest_ratio)
        self._row_seconds = ROW_SECONDS
        self._looked = context.clock.monotonic()

    def run(self, walks: Sequence[Walk]) -> Swept:
        """Go all the ways.

        :raises StoreError: a piece failed; ``swept`` has what was done before.
        """
        try:
            self._mover.begin(self.client)
            for walk in walks:
                self._go(walk)
            for walk in walks:
                self._look_again(walk.leaf, walk.predicate)
            self.swept.note = self._mover.finish(self.client)
        finally:
            self._mover.close()
        return self.swept

    def _go(self, walk: Walk) -> None:
        if self._over():
            return
        walk.begin(self.client, self._context.deadline.remaining)
        while not self._over():
            size = self._throttle.size
            piece = walk.next(self.client, size, PIECE_SECONDS)
            if piece is None:
                return
            left = self._left()
            if left is not None and left < size:
                piece = piece.unlocked(left)
            walk.took(self._take(piece, size))

    def _over(self) -> bool:
        """Whether to end here; says why."""
        if self._context.deadline.expired:
            self.swept.stopped = "the deadline is over"
        elif self._left() == 0:
            self.swept.stopped = f"max_changes ({self._policy.most}) is reached"
        return bool(self.swept.stopped)

    def _left(self) -> int | None:
        return None if self._policy.most is None else max(0, self._policy.most - self.swept.rows)

    def _take(self, piece: Piece, size: int) -> int:
        """Take a piece; adapt the size; rest."""
        started = self._context.clock.monotonic()
        try:
            taken = self._once(piece)
        except StoreError as error:
            if error.code not in TRANSIENT_CODES:
                raise
            self.swept.retries += 1
            taken = retried(self._context, lambda: self._once(piece.unlocked()))
        seconds = self._context.clock.monotonic() - started
        self.swept.rows += taken
        self.swept.pieces += 1
        self.swept.longest = max(self.swept.longest, seconds)
        if taken >= FEW // 10:
            self._row_seconds = (self._row_seconds + seconds / taken) / 2
        # The next piece may be full of rows to take, however few there were in this one.
        self._throttle = self._throttle.after(seconds + max(0, size - taken) * self._row_seconds)
        self._rest(seconds)
        return taken

    def _once(self, piece: Piece) -> int:
        tried = f"take rows of {'.'.join(piece.source)}"
        try:
            with self.client.transaction(tried):
                chosen = self._held_by_us(piece) if self._references else piece
                taken = self._mover.move(self.client, chosen, PIECE_SECONDS)
        except BaseException:
            self._mover.undone()
            raise
        self._mover.settled()
        return taken

    def _held_by_us(self, piece: Piece) -> Piece:
        """Lock the rows first: from then on nobody can come to refer to them, and whether anybody does is certain."""
        lock = piece.statement("SELECT ctid::text AS place FROM {source} WHERE {chosen} FOR UPDATE SKIP LOCKED")
        rows = self.client.fetch("lock rows", lock, _Held, PIECE_SECONDS)
        chosen = f"ctid = ANY (%(places)s::tid[]) AND {unreferred(self._references, piece.source[1])}"
        return Piece(piece.source, chosen, {"places": [row.place for row in rows]})

    def _rest(self, seconds: float) -> None:
        """Rest as the throttle says, and while a replica is too far behind."""
        pause = self._throttle.pause(seconds)
        clock, deadline = self._context.clock, self._context.deadline
        while clock.monotonic() - self._looked >= LOOK_SECONDS:
            (lag,) = self.client.fetch("read the replicas' lag", Statement(LAG), _Lag, PIECE_SECONDS)
            behind = self._throttle.pause(0.0, lag.seconds, self._policy.lag_seconds)
            if behind == 0.0 or deadline.remaining <= LOOK_SECONDS:
                self._looked = clock.monotonic()
                break
            clock.sleep(LOOK_SECONDS)
            self.swept.rested += LOOK_SECONDS
        if pause > 0:
            clock.sleep(deadline.limit(pause))
            self.swept.rested += pause

    def _look_again(self, leaf: Leaf, predicate: Predicate) -> None:
        """Take what others held when the sweep passed, and count what they hold still."""
        everything = Piece.of(leaf.parts, predicate, "", {})
        left = self._count(everything)
        for attempt in range(ROUNDS):
            while left and not self._over():
                most = min(FEW, self._left() or FEW)
                if not self._take(everything.unlocked(most), FEW):
                    break
                left = self._count(everything)
            if not left or self._over():
                break
            if attempt < ROUNDS - 1:
                self._context.clock.sleep(self._context.deadline.limit(0.2 * (attempt + 1)))
                left = self._count(everything)
        if left is not None:
            self.swept.held = (self.swept.held or 0) + left

    def _count(self, everything: Piece) -> int | None:
        """Count what still fulfils the rule, up to a few; None where there was no time for it."""
        if self.swept.stopped:
            return None
        count = everything.statement(
            "SELECT count(*)::int AS rows FROM (SELECT FROM {source} WHERE {chosen} LIMIT {few}) AS few",
            parts={"few": str(FEW + 1)},
        )
        try:
            return self.client.fetch("look again", count, _Left, self._context.deadline.remaining)[0].rows
        except StoreTimeout:
            return None
