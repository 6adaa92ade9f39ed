# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The statement for what a table needs, with the options that the server's version knows. Pure."""

from __future__ import annotations

from typing import NamedTuple

from ..server import Server
from ..statement import Statement
from .decide_need import Needed
from .observation import Row, Tables
from .policy import Policy

__all__ = ["Work", "statement_for", "vacuum_full"]

LEAST_INDEXES = 2
"""Index vacuum is spread over workers by index, so one index takes none. Source: parallel_vacuum_init()."""


class Work(NamedTuple):
    """What it takes to carry an action out: the table as it was when that was decided, and the statement."""

    row: Row
    statement: Statement


def statement_for(needed: Needed, seen: Tables, policy: Policy) -> Statement:
    """Return VACUUM or ANALYZE of one table, which waits for no lock.

    Options by version: SKIP_LOCKED and TRUNCATE 12, PARALLEL 13, BUFFER_USAGE_LIMIT and SKIP_DATABASE_STATS 16,
    ONLY 18.
    """
    row, major = needed.row, seen.server.major
    if needed.kind == "analyze":
        # From version 18 on the partitions can be left out; they are analyzed where they need it themselves.
        only = "ONLY " if row.kind == "p" and major >= 18 else ""
        options = ["SKIP_LOCKED", *_buffers(policy, seen.server)]
        return _statement("ANALYZE", options, row.schema, row.name, only)
    options = [word for word, wanted in (("FREEZE", needed.kind == "freeze"), ("ANALYZE", needed.analyze)) if wanted]
    options.append("SKIP_LOCKED")
    # To give the pages at the end back, vacuum takes the exclusive lock; a standby replays it in front of its queries.
    if policy.truncate == "avoid" or (policy.truncate == "auto" and seen.facts.standbys):
        options.append("TRUNCATE false")
    if policy.index_workers is not None and row.indexes >= LEAST_INDEXES:
        options.append(f"PARALLEL {policy.index_workers}")
    options += _buffers(policy, seen.server)
    # It reads all of pg_class to find the oldest age of the database, which only freezing changes.
    if major >= 16 and needed.kind != "freeze":
        options.append("SKIP_DATABASE_STATS")
    return _statement("VACUUM", options, row.schema, row.name)


def vacuum_full(schema: str, name: str) -> Statement:
    """Return VACUUM FULL of one table, which takes the exclusive lock only if it is free at once.

    SKIP_LOCKED, because a request that waits would already keep everybody out.
    """
    return _statement("VACUUM", ["FULL", "ANALYZE", "SKIP_LOCKED"], schema, name)


def _buffers(policy: Policy, server: Server) -> list[str]:
    if policy.buffer_kib is None or server.major < 16:
        return []
    return [f"BUFFER_USAGE_LIMIT '{policy.buffer_kib} kB'"]


def _statement(command: str, options: list[str], schema: str, name: str, only: str = "") -> Statement:
    return Statement(
        "{command} ({options}) {only}{table}",
        names={"table": (schema, name)},
        parts={"command": command, "options": ", ".join(options), "only": only},
    )
