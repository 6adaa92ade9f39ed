# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Reads queues that BullMQ 6 keeps in PostgreSQL, in one read-only query a queue.

Tables and columns are those of the library's own migrations (schema ``bullmq`` by default), held against it by the
integration tests. Each count takes one of the library's indexes.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from ..._core.runner import Context
from ..._postgresql.client import PostgresqlClient, connect
from ..._postgresql.identifier import quoted
from .decide_kept import LATE_MILLISECONDS, Kept
from .elsewhere import Elsewhere
from .observation import RATE_SECONDS

__all__ = ["observe_kept"]

MOST_QUEUES = 1000
SAMPLED = 1000
"""Jobs that are looked at to learn for how long jobs wait; the first in line."""

MOST_BYTES = 63
"""So much of a connection's name PostgreSQL keeps."""

THERE = "SELECT to_regclass(%(job)s) IS NOT NULL AND to_regclass(%(meta)s) IS NOT NULL AS there"
NAMES = "SELECT DISTINCT queue AS name FROM {schema}.meta ORDER BY 1 LIMIT %(most)s"

QUEUE = """
SELECT (SELECT jsonb_object_agg(field, value) FROM {schema}.meta WHERE queue = %(name)s) AS meta,
    jsonb_build_object(
        'waiting', (SELECT count(*) FROM {schema}.job
            WHERE queue = %(name)s AND state = 'waiting' AND priority = 0),
        'prioritized', (SELECT count(*) FROM {schema}.job
            WHERE queue = %(name)s AND state = 'waiting' AND priority > 0),
        'active', (SELECT count(*) FROM {schema}.job WHERE queue = %(name)s AND state = 'active'),
        'delayed', (SELECT count(*) FROM {schema}.job WHERE queue = %(name)s AND state = 'delayed'),
        'waiting-children', (SELECT count(*) FROM {schema}.job WHERE queue = %(name)s AND state = 'waiting-children'),
        'completed', (SELECT count(*) FROM {schema}.job WHERE queue = %(name)s AND state = 'completed'),
        'failed', (SELECT count(*) FROM {schema}.job WHERE queue = %(name)s AND state = 'failed')
    ) AS counts,
    (SELECT id FROM {schema}.job WHERE queue = %(name)s AND state = 'waiting'
        ORDER BY priority, seq LIMIT 1) AS next_job,
    (SELECT min(greatest(added_at_ms + delay_ms, processed_at_ms, finished_at_ms)) FROM (
        SELECT * FROM {schema}.job WHERE queue = %(name)s AND state = 'waiting'
            ORDER BY priority, seq LIMIT %(sampled)s) AS first_in_line) AS waiting_since,
    (SELECT min(processed_at_ms) FROM {schema}.job WHERE queue = %(name)s AND state = 'active') AS active_since,
    ARRAY(SELECT id FROM {schema}.job WHERE queue = %(name)s AND state = 'active'
        AND locked_until_ms < %(unlocked)s ORDER BY locked_until_ms LIMIT %(sampled)s) AS stalled,
    (SELECT count(*) FROM {schema}.job
        WHERE queue = %(name)s AND state = 'delayed' AND process_at_ms < %(overdue)s) AS delayed_overdue,
    (SELECT added_at_ms FROM {schema}.job WHERE queue = %(name)s AND state = 'delayed'
        ORDER BY process_at_ms LIMIT 1) AS delayed_since,
    (SELECT added_at_ms FROM {schema}.job WHERE queue = %(name)s AND state = 'waiting-children'
        ORDER BY seq LIMIT 1) AS parent_since,
    (SELECT jsonb_object_agg(state, jsonb_build_object(
            'oldest', (SELECT min(finished_at_ms) FROM {schema}.job
                WHERE queue = %(name)s AND state = chosen.state),
            'recent', (SELECT count(*) FROM {schema}.job
                WHERE queue = %(name)s AND state = chosen.state AND finished_at_ms >= %(window)s),
            'lately', (SELECT count(*) FROM {schema}.job
                WHERE queue = %(name)s AND state = chosen.state AND finished_at_ms >= %(lately)s),
            'options', (SELECT opts FROM {schema}.job WHERE queue = %(name)s AND state = chosen.state
                ORDER BY finished_at_ms DESC LIMIT 1)))
        FROM unnest(enum_range(NULL::{schema}.job_state)) AS chosen(state)
        WHERE state IN ('completed', 'failed')) AS ended,
    (SELECT jsonb_object_agg(kind, jsonb_build_array(count, prev_ts, prev_count, to_jsonb(data[1:%(minutes)s])))
        FROM {schema}.metrics WHERE queue = %(name)s) AS metrics,
    (SELECT count(*) FROM {schema}.event WHERE queue = %(name)s) AS events,
    (SELECT count(*) FROM {schema}.scheduler WHERE queue = %(name)s) AS schedulers,
    (SELECT min(next_run_ms) FROM {schema}.scheduler WHERE queue = %(name)s) AS next_run,
    (SELECT coalesce(jsonb_agg(jsonb_build_array(scheduler_id, EXISTS (
            SELECT FROM {schema}.job WHERE queue = late.queue AND scheduler_id = late.scheduler_id
                AND state IN ('waiting', 'active', 'delayed', 'waiting-children'))) ORDER BY next_run_ms), '[]')
        FROM (SELECT * FROM {schema}.scheduler WHERE queue = %(name)s AND next_run_ms < %(overdue)s
            ORDER BY next_run_ms LIMIT 100) AS late) AS late,
    (SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND (application_name = %(name)s
        OR starts_with(application_name, %(name)s || ':w:'))) AS workers"""


class _There(NamedTuple):
    there: bool


class _Name(NamedTuple):
    name: str


def observe_kept(place: Elsewhere, context: Context, names: Sequence[str], window: float) -> Iterator[Kept]:
    """Yield those of the queues that are kept there; without names, all that are.

    :param window: how far back to count finished jobs, in seconds.
    :raises StoreError: there is no connection, or the server refused.
    :raises MissingDependency: psycopg is absent or too old.
    """
    with connect(place.connection, context.deadline) as client:
        tables = {table: quoted(place.schema, table) for table in ("job", "meta")}
        if not client.row("look for BullMQ's tables", THERE, _There, tables).there:
            return
        for name in [name for name in names if _is_text(name)] if names else _names(client, place.schema):
            found = _observe(client, place.schema, name, context.clock.now().timestamp() * 1000, window)
            if found.meta is not None or any(found.counts.values()):
                yield found


def _names(client: PostgresqlClient, schema: str) -> list[str]:
    parts = {"schema": quoted(schema)}
    return [
        row.name for row in client.rows("list the queues in PostgreSQL", NAMES, _Name, {"most": MOST_QUEUES}, parts)
    ]


def _observe(client: PostgresqlClient, schema: str, name: str, now: float, window: float) -> Kept:
    values = {
        "name": name,
        "sampled": SAMPLED,
        "unlocked": int(now - LATE_MILLISECONDS),
        "overdue": int(now - LATE_MILLISECONDS),
        "window": int(now - window * 1000),
        "lately": int(now - RATE_SECONDS * 1000),
        "minutes": int(window // 60) + 1,
    }
    (found,) = client.rows(f"read the queue {name}", QUEUE, Kept, values, {"schema": quoted(schema)})
    # A connection's name is cut, and only keeps ASCII.
    known = name.isascii() and len(name) <= MOST_BYTES - len(":w:")
    return found._replace(name=name, now=now, window=window, workers=found.workers if known else None)


def _is_text(name: str) -> bool:
    """Whether PostgreSQL can keep such a name at all."""
    return "\0" not in name and not any("\ud800" <= letter <= "\udfff" for letter in name)
