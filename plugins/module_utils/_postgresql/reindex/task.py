# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The task of postgresql_reindex."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar

from ..._core.action import Action, ActionState
from ..._core.errors import InvalidInput, StateError
from ..._core.finding import Finding
from ..._core.memory import NoMemory
from ..._core.runner import Context, Decision
from ..._core.severity import Severity
from ..._core.units import parse_duration, parse_size
from ..bloat import BLOCK, STALE_PERCENT
from ..client import PostgresqlClient
from ..observe_locked import observe_locked
from ..observe_shapes import observe_index_shapes
from ..observe_spaces import observe_spaces
from ..relation import INDEXES, TABLES, resolve_relations
from ..spaces import Spaces
from ..work import WorkTask, retried
from .act_reindex import Patience, Reindexer
from .decide_bloat import worth_measuring
from .decide_proof import doubt_of, left_by
from .decide_reindex import REBUILD, Limits, decide_reindex, invalid_finding
from .ledger import LEAST_BYTES, Entry, noted, read_ledger, written_ledger
from .observation import Index, Indexes
from .observe_indexes import (
    measure,
    observe_busy,
    observe_indexes,
    observe_prepared,
    observe_tables,
)

__all__ = ["PostgresqlReindex"]

MEASURE_SHARE = 0.2
"""Part of the deadline that measuring may take."""


class PostgresqlReindex(WorkTask[Indexes]):
    """Rebuilds bloated indexes, one at a time, and drops what failed rebuilds left."""

    job: ClassVar[str] = "reindex"

    def __init__(self, context: Context) -> None:
        params = context.params
        self._limits = Limits(
            label="",
            percent=_percent(params["min_bloat_percent"]),
            least=parse_size(params["min_size"], "min_size"),
            clean=params["clean_leftovers"],
            most_changes=_count(params["max_changes"], "max_changes"),
        )
        self._measure_most = parse_size(params["measure_max_size"], "measure_max_size")
        self._wait = parse_duration(params["wait_for_transactions"], "wait_for_transactions")
        self._retries = _count(params["retries"], "retries") or 0
        super().__init__(context)
        self._limits = self._limits._replace(label=self.label)
        self._remembers = not isinstance(context.memory, NoMemory)
        self._reindexer: Reindexer | None = None
        self._after: tuple[Index, ...] = ()
        self._done: set[tuple[str, str]] = set()

    def read(self, client: PostgresqlClient) -> Indexes:
        """Read the indexes, and measure those that may be bloated."""
        named = resolve_relations(client, "indexes", self.params["indexes"], INDEXES)
        tables = resolve_relations(client, "tables", self.params["tables"], TABLES)
        chosen, about = observe_tables(client, named, tables)
        least = min(LEAST_BYTES, self._limits.least) if self._remembers else self._limits.least
        found = retried(self.context, lambda: observe_indexes(client, chosen, about, least))
        indexes, busy = observe_busy(client, found)
        seen = Indexes(
            server=client.server,
            indexes=indexes,
            chosen=chosen,
            shapes={found.oid: found.shape for found in observe_index_shapes(client, self._limits.least // BLOCK)},
            measured={},
            busy=busy,
            ledger=self._ledger(),
            prepared=observe_prepared(client),
            spaces=observe_spaces(client) if indexes else Spaces({}),
            locked=observe_locked(client),
        )
        wanted = worth_measuring(seen, self._limits.percent, self._limits.least, self._measure_most)
        deadline = self.context.deadline
        return seen._replace(measured=measure(client, wanted, deadline.remaining * MEASURE_SHARE, deadline))

    def _ledger(self) -> dict[str, Entry]:
        """Return what earlier runs remember; nothing where it cannot be read, which ``remember`` reports."""
        try:
            return read_ledger(self.context.memory.read(self._key)[0])
        except StateError:
            return {}

    def decide(self, observation: Indexes) -> Decision:
        """Choose what is rebuilt and what is dropped."""
        return decide_reindex(observation, self._limits)

    def carry_out(self, client: PostgresqlClient, action: Action) -> Action:
        """Rebuild or drop one index."""
        if self._reindexer is None:
            self._reindexer = Reindexer(client, self.context, Patience(self._wait, self.lock_timeout, self._retries))
        return self._reindexer.rebuild(action) if action.kind == REBUILD else self._reindexer.drop(action)

    def prove(self, observation: Indexes, actions: Sequence[Action]) -> list[Finding]:
        """See that what was rebuilt is valid, new, and no larger, and that what was dropped is gone."""
        done = [action for action in actions if action.state is ActionState.DONE]
        tables = sorted({action.work.target.table_oid for action in done})
        self._after = retried(self.context, lambda: observe_indexes(self.client, None, tables, 0, locked=True))
        self._done = {action.work.target.parts for action in done if action.kind == REBUILD}
        return [*self._unproved(done), *self._left(done)]

    def _unproved(self, done: Sequence[Action]) -> list[Finding]:
        doubts = [(action, doubt_of(action, self._after)) for action in done]
        return [
            Finding("postgresql.unproved", Severity.CRITICAL, f"{self.label} index {action.subject}", doubt)
            for action, doubt in doubts
            if doubt
        ]

    def _left(self, done: Sequence[Action]) -> list[Finding]:
        database = self.client.server.database
        rebuilt = [action for action in done if action.kind == REBUILD]
        left = {index.oid: index for action in rebuilt for index in left_by(action, self._after)}
        why = "its removal was broken off; the next run drops it"
        return [invalid_finding(index, self._after, database, self.label, why) for index in left.values()]

    def remember(self, observation: Indexes, decision: Decision) -> None:
        """Keep the best bytes per row of every index, and what a rebuild reached."""
        if not self._remembers:
            return
        document, version = self.context.memory.read(self._key)
        known = read_ledger(document)
        whole = not self.params["indexes"] and not self.params["tables"]
        kept: dict[str, Entry] = {} if whole else dict(known)
        for index in observation.indexes:
            if index.usable and index.changed_percent <= STALE_PERCENT:
                _note(kept, known, index)
            elif index.label in known:
                kept[index.label] = known[index.label]
        for index, density in self._rebuilt():
            _note(kept, known, index, rebuilt=True, density=density)
        self.context.memory.compare_and_set(self._key, written_ledger(kept), version)

    @property
    def _key(self) -> str:
        return f"{self.job}/postgresql/{self.label}/{self.client.server.database}"

    def _rebuilt(self) -> list[tuple[Index, float | None]]:
        """Return the indexes that were rebuilt, as they are now, with the density that this gave them."""
        found = [index for index in self._after if index.parts in self._done and index.usable]
        densities = measure(self.client, found, self.context.deadline.remaining / 2, self.context.deadline)
        return [(index, densities[index.oid].leaf_density if index.oid in densities else None) for index in found]


def _note(
    kept: dict[str, Entry],
    known: Mapping[str, Entry],
    index: Index,
    rebuilt: bool = False,
    density: float | None = None,
) -> None:
    entry = noted(known.get(index.label), index.shape, index.bytes, index.rows, rebuilt, density)
    if entry is not None:
        kept[index.label] = entry


def _percent(value: float) -> float:
    if not 0 <= value < 100:
        raise InvalidInput("min_bloat_percent", f"{value:g} is no share of an index", "Give 0 to 99; 0 means all.")
    return value


def _count(value: int | None, option: str) -> int | None:
    if value is not None and value < 0:
        raise InvalidInput(option, f"{value} is less than nothing", "Give a whole number of 0 or more.")
    return value
