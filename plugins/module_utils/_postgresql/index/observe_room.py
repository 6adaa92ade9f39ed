# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Finds out how much disk declared indexes that do not exist would take, and how much is free."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from ..._core.errors import StoreError
from ..client import PostgresqlClient
from ..identifier import quoted
from ..observe_spaces import observe_spaces
from .decide_room import Entries, Room, index_bytes
from .declared import Declared
from .explain import explained
from .observation import Index
from .wanted import Part, Wanted

__all__ = ["observe_room"]

# A name that no tablespace has means the database's own to the server, too.
TABLESPACE = """
SELECT coalesce((SELECT nullif(t.oid, d.dattablespace) FROM pg_tablespace t
    WHERE t.spcname = current_setting('default_tablespace')), 0)::bigint AS oid
FROM pg_database d WHERE d.datname = current_database()"""


class _Tablespace(NamedTuple):
    oid: int


def observe_room(client: PostgresqlClient, wanted: Sequence[Wanted], indexes: Sequence[Index]) -> Room:
    """Estimate the btrees that are to be made, and look how much disk is free; where none is, look at nothing.

    :param indexes: all indexes of the database.
    """
    lacking = [(each.declared, part) for each in wanted for part in _lacking(each, indexes)]
    if not lacking:
        return Room()
    free = observe_spaces(client).free.get(client.row("look where new indexes go", TABLESPACE, _Tablespace).oid)
    if free is None:
        return Room()
    needed = {}
    for declared, part in lacking:
        entries = _entries(client, declared, part)
        if entries is not None:
            needed[part.table.schema, part.name] = index_bytes(entries)
    return Room(free, needed)


def _lacking(wanted: Wanted, indexes: Sequence[Index]) -> list[Part]:
    """Return the tables on which there is no such index yet."""
    if wanted.locked or not wanted.declared.present or wanted.declared.method != "btree":
        return []
    served = {index.table_oid for index in indexes if index.valid and index.oid in wanted.same}
    return [part for part in wanted.parts if not part.partitioned and part.table.oid not in served]


def _entries(client: PostgresqlClient, declared: Declared, part: Part) -> Entries | None:
    """Ask the planner how many rows the index will have, and how wide; it knows expressions and conditions, too.

    Return None where it may not be asked, or would have to wait.
    """
    keys = [str(column.expression) if column.name is None else quoted(column.name) for column in declared.columns]
    columns = ", ".join([*keys, *map(quoted, declared.include)])
    try:
        plan = explained(client, f"estimate the index {part.name}", part.table.parts, columns, declared.where or "")
    except StoreError:
        if client.lost:
            raise
        return None
    return Entries(float(plan["Plan Rows"]), float(plan["Plan Width"]))
