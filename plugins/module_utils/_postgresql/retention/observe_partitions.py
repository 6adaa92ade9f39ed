# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Reads which partitions are old as a whole, and which tables were partitions until a run was cut off."""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

from ..client import PostgresqlClient
from ..identifier import quoted
from ..statement import Statement
from .decide_partitions import CONCURRENTLY, by_rows, is_ours, whole
from .observation import Column, Subject
from .partition import PREFIX, Detached, Partition, Partitions, Scheme
from .predicate import base_type, predicate_of, sql

__all__ = ["observe_partitions"]

SECONDS = 30.0

SCHEME = """
SELECT coalesce((SELECT a.attname FROM pg_attribute a WHERE a.attrelid = p.partrelid AND a.attnum = p.partattrs[0]
        AND p.partstrat = 'r' AND p.partnatts = 1), '')::text AS column,
    p.partdefid <> 0 AS default, pg_has_role(current_user, c.relowner, 'USAGE') AS owned,
    EXISTS (SELECT FROM pg_publication WHERE puballtables)
        OR EXISTS (SELECT FROM pg_publication_rel r WHERE r.prrelid IN (SELECT relid FROM pg_partition_tree(c.oid)))
        AS published
FROM pg_partitioned_table p JOIN pg_class c ON c.oid = p.partrelid WHERE p.partrelid = %(table)s::oid"""

# Bounds come as pg_get_expr writes them: FOR VALUES FROM ('2026-01-01') TO (MAXVALUE), in the session's date style.
PARTITIONS = """
WITH partition AS (
    SELECT c.*, n.nspname, {pending} AS pending, pg_get_expr(c.relpartbound, c.oid) AS bound,
        substring(pg_get_expr(c.relpartbound, c.oid) FROM ' FROM \\((.*)\\) TO \\(') AS low,
        substring(pg_get_expr(c.relpartbound, c.oid) FROM ' TO \\((.*)\\)$') AS high, i.inhparent
    FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE i.inhparent IN ({table}::oid, {archive}::oid)
), ranged AS (
    SELECT *, CASE WHEN low <> 'MINVALUE' THEN btrim(low, '''')::{type} END AS least,
        CASE WHEN high <> 'MAXVALUE' THEN btrim(high, '''')::{type} END AS beyond
    FROM partition WHERE bound LIKE 'FOR VALUES FROM%%'
)
SELECT r.oid::bigint AS oid, r.nspname::text AS schema, r.relname::text AS name, r.bound,
    r.least::text AS low, r.beyond::text AS high,
    coalesce(r.beyond <= %(before)s::{kind}, false) AS old, r.pending, r.reltuples::float8 AS rows,
    (SELECT coalesce(sum(pg_total_relation_size(t.relid)), 0)::bigint FROM pg_partition_tree(r.oid) t) AS bytes,
    coalesce(obj_description(r.oid, 'pg_class'), '') AS comment,
    pg_has_role(current_user, r.relowner, 'USAGE') AS owned,
    ARRAY(SELECT t.relid::oid::bigint FROM pg_partition_tree(r.oid) t WHERE t.isleaf) AS leaves,
    ARRAY(SELECT conname::text FROM pg_constraint WHERE conrelid = r.oid AND contype = 'f' ORDER BY 1) AS foreign_keys,
    NOT EXISTS (SELECT FROM ranged o WHERE o.inhparent = {archive}::oid
        AND (o.least IS NULL OR r.beyond IS NULL OR o.least < r.beyond)
        AND (o.beyond IS NULL OR r.least IS NULL OR r.least < o.beyond)) AS fits
FROM ranged r WHERE r.inhparent = {table}::oid ORDER BY r.beyond NULLS LAST"""

DETACHED = """
SELECT n.nspname::text AS schema, c.relname::text AS name, d.description AS comment,
    ARRAY(SELECT conname::text FROM pg_constraint WHERE conrelid = c.oid AND contype = 'f' ORDER BY 1) AS foreign_keys
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    JOIN pg_description d ON d.objoid = c.oid AND d.classoid = 'pg_class'::regclass AND d.objsubid = 0
WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition AND starts_with(d.description, %(prefix)s)
    AND c.relowner = (SELECT relowner FROM pg_class WHERE oid = %(table)s::oid)
ORDER BY 1, 2"""
"""Of the same owner: nobody else's table is taken for a partition because of what its comment says."""

OVERLAP = "SELECT EXISTS (SELECT FROM {archive} WHERE {within}) AS found"


class _Found(NamedTuple):
    found: bool


def observe_partitions(client: PostgresqlClient, subject: Subject, counted: bool) -> Subject:
    """Add what a rule that takes rows away needs to know of the table's partitions; take theirs out of its leaves.

    :param counted: whether no more than a number of rows may be taken.
    """
    rule, facts = subject.rule, subject.facts
    if facts.kind != "p" or not rule.takes_rows_away or rule.age_column is None or subject.before is None:
        return subject
    scheme = client.row("read how the table is partitioned", SCHEME, Scheme, {"table": facts.oid})
    column = subject.column(rule.age_column)
    found = Partitions(scheme, archive_ready=_is_ready(client, subject), counted=counted)
    if column is not None and not by_rows(subject, found):
        marked = client.rows("look for detached partitions", DETACHED, Detached, {"prefix": PREFIX, "table": facts.oid})
        partitions = [_checked(client, subject, column, entry) for entry in _partitions(client, subject, column)]
        ours = tuple(table for table in marked if is_ours(table.comment, subject))
        found = replace(found, partitions=tuple(partitions), detached=ours)
    gone = {leaf for partition in whole(subject, found) for leaf in partition.leaves}
    leaves = tuple(leaf for leaf in subject.leaves if leaf.oid not in gone)
    return replace(subject, leaves=leaves, more={**subject.more, "partitions": found})


def _partitions(client: PostgresqlClient, subject: Subject, column: Column) -> list[Partition]:
    archive = subject.archive.facts if subject.archive else None
    kind = sql(base_type(column.type))
    statement = Statement(
        PARTITIONS,
        values={"table": subject.facts.oid, "archive": archive.oid if archive else 0},
        parts={
            "pending": "i.inhdetachpending" if client.server.number >= CONCURRENTLY else "false",
            "type": kind,
            "kind": kind,
        },
        parameters={"before": predicate_of(subject).parameters["before"]},
    )
    return client.fetch("read the partitions", statement, Partition, SECONDS)


def _is_ready(client: PostgresqlClient, subject: Subject) -> bool:
    """Whether the archive takes partitions: it is partitioned alike and has the same columns, or will be made so."""
    archive, rule = subject.archive, subject.rule
    if archive is None or any(column.generated for column in subject.columns):
        return False
    if archive.facts is None:
        return True
    if archive.facts.kind != "p":
        return False
    scheme = client.row("read how the archive is partitioned", SCHEME, Scheme, {"table": archive.facts.oid})
    here, there = ({(column.name, column.type) for column in columns} for columns in (subject.columns, archive.columns))
    computed = any(column.generated or column.identity for column in archive.columns)
    return scheme.column == rule.age_column and scheme.owned and here == there and not computed


def _checked(client: PostgresqlClient, subject: Subject, column: Column, partition: Partition) -> Partition:
    """Look whether the archive has rows within a partition's bounds already, which would be in its way."""
    archive = subject.archive
    if archive is None or archive.facts is None or not partition.fits or not partition.old:
        return partition
    name, kind = sql(quoted(column.name)), sql(base_type(column.type))
    limits = {"low": (">=", partition.low), "high": ("<", partition.high)}
    terms = [f"{name} {sign} %({place})s::{kind}" for place, (sign, value) in limits.items() if value is not None]
    statement = Statement(
        OVERLAP,
        names={"archive": archive.name},
        parts={"within": " AND ".join(terms) or "true"},
        parameters={place: value for place, (_sign, value) in limits.items() if value is not None},
    )
    found = client.fetch("look for rows in the way", statement, _Found, SECONDS)[0].found
    return partition._replace(fits=not found)
