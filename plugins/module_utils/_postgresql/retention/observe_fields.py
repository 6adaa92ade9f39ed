# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Reads what speaks against making columns anonymous and where else their data lies, and hands the server the key."""

from __future__ import annotations

from typing import NamedTuple

from ..client import PostgresqlClient
from .decide_fields import Elsewhere, FieldFacts, fields_of
from .key import LOG_SETTINGS, LogSettings, hand_over, hush, may_set, why_logged
from .observation import Subject

__all__ = ["give_key", "observe_exposure", "observe_fields"]

LINKS = """
SELECT ARRAY(SELECT DISTINCT a.attname::text FROM pg_constraint f JOIN pg_attribute a
        ON a.attrelid = %(table)s::oid AND a.attnum = ANY (CASE WHEN f.conrelid = %(table)s::oid THEN f.conkey END
            || CASE WHEN f.confrelid = %(table)s::oid THEN f.confkey END)
        WHERE f.contype = 'f' AND %(table)s::oid IN (f.conrelid, f.confrelid)) AS linked,
    ARRAY(SELECT DISTINCT a.attname::text FROM pg_index i
        JOIN pg_depend d ON d.classid = 'pg_class'::regclass AND d.objid = i.indexrelid
            AND d.refclassid = 'pg_class'::regclass AND d.refobjid = i.indrelid
        JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = d.refobjsubid
        WHERE i.indrelid = %(table)s::oid AND (i.indisunique OR i.indisexclusion)
        UNION SELECT a.attname::text FROM pg_constraint u JOIN pg_attribute a
            ON a.attrelid = u.conrelid AND a.attnum = ANY (u.conkey)
        WHERE u.conrelid = %(table)s::oid AND u.contype IN ('p', 'u', 'x')) AS unique"""
"""An index that a constraint owns depends on the constraint; the constraint has the columns."""

ELSEWHERE = """
SELECT ARRAY(SELECT n.nspname || '.' || c.relname || ' (' || string_agg(a.attname, ', ' ORDER BY a.attname) || ')'
        FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace JOIN pg_attribute a ON a.attrelid = c.oid
        WHERE c.relkind IN ('r', 'p', 'm', 'f') AND c.relpersistence <> 't' AND NOT c.relispartition
            AND n.nspname NOT IN ('pg_catalog', 'information_schema') AND c.oid <> %(table)s::oid
            AND a.attname::text = ANY (%(columns)s::text[]) AND NOT a.attisdropped
        GROUP BY n.nspname, c.relname ORDER BY 1) AS tables,
    (SELECT count(*)::int FROM pg_stat_replication) AS standbys,
    (SELECT count(*)::int FROM pg_replication_slots WHERE slot_type = 'logical')
        + (SELECT count(*)::int FROM pg_publication) AS slots,
    current_setting('archive_mode') <> 'off' AS archived,
    current_setting('log_statement') IN ('mod', 'all') OR (SELECT setting::int >= 0 FROM pg_settings
        WHERE name = 'log_min_duration_statement') AS logged"""


class _Links(NamedTuple):
    linked: list[str]
    unique: list[str]


def observe_exposure(client: PostgresqlClient) -> str:
    """Return why the server would keep a record of the key; empty: it would not."""
    parts = {"may_set": may_set(client.server.number)}
    return why_logged(client.rows("read what the server logs", LOG_SETTINGS, LogSettings, parts=parts)[0])


def give_key(client: PostgresqlClient, key: str, seconds: float) -> None:
    """Hand the session the key, out of sight of the server's log. Only where :func:`observe_exposure` sees no harm."""
    parts = {"may_set": may_set(client.server.number)}
    settings = client.rows("read what the server logs", LOG_SETTINGS, LogSettings, parts=parts)[0]
    if settings.may_set:
        client.execute("keep the key out of the log", hush(), seconds)
    client.execute("hand over the key", hand_over(key), seconds)


def observe_fields(client: PostgresqlClient, subject: Subject, exposed: str) -> FieldFacts:
    """Read what concerns the columns of a rule.

    :param exposed: as :func:`observe_exposure` gave it.
    """
    table = {"table": subject.facts.oid}
    links = client.row("read keys of the columns", LINKS, _Links, table)
    columns = {"columns": [entry.column for entry in fields_of(subject)]}
    elsewhere = client.row("read where such columns are", ELSEWHERE, Elsewhere, {**table, **columns})
    return FieldFacts(links.linked, links.unique, exposed, elsewhere)
