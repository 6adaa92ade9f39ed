# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Reads what tables need and what stands in the way, from statistics and the catalogue: no table is locked."""

from __future__ import annotations

from collections.abc import Collection

from ..client import PostgresqlClient
from ..observe_horizon import observe_holders
from ..observe_shapes import LOCKED
from .observation import Facts, Link, Now, Row, Tables

__all__ = ["MOST_HOLDERS", "observe_now", "observe_tables", "with_partitions"]

# The functions behind pg_stat_all_tables: the view itself adds up all indexes of all tables first. The size of a table
# can be asked for only where nobody has locked it for himself alone.
ROWS = """
WITH locked AS MATERIALIZED {locked}
SELECT c.oid::bigint AS oid, n.nspname::text AS schema, c.relname::text AS name, c.relkind::text AS kind,
    chosen.toast_of::bigint AS toast_of, c.reltuples::float8 AS rows, c.relpages AS pages,
    {frozen_pages} AS frozen_pages, coalesce(c.reloptions, '{{}}') AS options, s.live, s.dead, s.modified, s.inserted,
    extract(epoch FROM s.vacuumed)::float8 AS vacuumed, extract(epoch FROM s.analyzed)::float8 AS analyzed,
    w.pid AS worker,
    CASE WHEN c.relfrozenxid = '0' THEN 0 ELSE age(c.relfrozenxid) END::bigint AS transactions,
    CASE WHEN c.relminmxid = '0' THEN 0 ELSE mxid_age(c.relminmxid) END::bigint AS multixacts,
    (SELECT count(*) FROM pg_index i WHERE i.indrelid = c.oid) AS indexes,
    {permitted} OR NOT c.relisshared AND pg_has_role(d.datdba, 'USAGE') AS permitted,
    CASE WHEN c.relkind IN ('r', 'm') AND c.reltuples <= 0 AND c.relpages = 0 AND s.live = 0 AND s.analyzed IS NULL
            AND c.oid NOT IN (SELECT relation FROM locked)
        THEN coalesce(pg_relation_size(c.oid), 0) > 0 ELSE false END AS filled
FROM (
    SELECT oid, NULL::oid AS toast_of, relnamespace FROM pg_class WHERE {which}
    UNION ALL SELECT reltoastrelid, oid, relnamespace FROM pg_class WHERE {which} AND reltoastrelid <> 0
) chosen JOIN pg_class c ON c.oid = chosen.oid JOIN pg_namespace n ON n.oid = chosen.relnamespace
    JOIN pg_database d ON d.datname = current_database()
    CROSS JOIN LATERAL (SELECT pg_stat_get_live_tuples(c.oid) AS live, pg_stat_get_dead_tuples(c.oid) AS dead,
        pg_stat_get_mod_since_analyze(c.oid) AS modified, pg_stat_get_ins_since_vacuum(c.oid) AS inserted,
        greatest(pg_stat_get_last_vacuum_time(c.oid), pg_stat_get_last_autovacuum_time(c.oid)) AS vacuumed,
        greatest(pg_stat_get_last_analyze_time(c.oid), pg_stat_get_last_autoanalyze_time(c.oid)) AS analyzed) s
    LEFT JOIN (
        SELECT relid, min(pid) AS pid FROM (
            SELECT relid, pid, datname FROM pg_stat_progress_vacuum
            UNION ALL SELECT relid, pid, datname FROM pg_stat_progress_analyze) p
        WHERE datname = current_database() GROUP BY relid) w ON w.relid = c.oid
WHERE c.relpersistence <> 't'"""

CHOSEN = "oid = ANY (%(oids)s::oid[]) AND relkind IN ('r', 'm', 'p')"
ALL = """relkind IN ('r', 'm', 'p') AND (%(system)s OR relnamespace NOT IN (
        SELECT oid FROM pg_namespace WHERE nspname IN ('pg_catalog', 'information_schema')))"""

# Asked before and after each table, so it is kept simple: to plan the query above takes longer than a small vacuum.
NOW = """
SELECT pg_stat_get_dead_tuples(c.oid) AS dead, pg_stat_get_mod_since_analyze(c.oid) AS modified, c.relpages AS pages,
    extract(epoch FROM greatest(pg_stat_get_last_vacuum_time(c.oid), pg_stat_get_last_autovacuum_time(c.oid)))::float8
        AS vacuumed,
    extract(epoch FROM greatest(pg_stat_get_last_analyze_time(c.oid), pg_stat_get_last_autoanalyze_time(c.oid)))::float8
        AS analyzed,
    CASE WHEN c.relfrozenxid = '0' THEN 0 ELSE age(c.relfrozenxid) END::bigint AS transactions,
    CASE WHEN c.relminmxid = '0' THEN 0 ELSE mxid_age(c.relminmxid) END::bigint AS multixacts,
    coalesce((SELECT min(pid) FROM pg_stat_progress_vacuum WHERE relid = c.oid AND datname = current_database()),
        (SELECT min(pid) FROM pg_stat_progress_analyze WHERE relid = c.oid AND datname = current_database())) AS worker
FROM pg_class c WHERE c.oid = %(oid)s::oid"""

LINKS = """
WITH RECURSIVE below AS (
    SELECT c.oid AS root, i.inhrelid AS descendant FROM pg_class c JOIN pg_inherits i ON i.inhparent = c.oid
    WHERE c.relkind = 'p'
    UNION SELECT below.root, i.inhrelid FROM below JOIN pg_inherits i ON i.inhparent = below.descendant
)
SELECT root::bigint AS root, descendant::bigint AS descendant FROM below"""

MOST_HOLDERS = 100
"""Of a crowd of sessions the oldest are enough."""

# Who may not see other users' sessions sees their database all the same.
FACTS = """
SELECT current_setting('vacuum_freeze_table_age')::int AS table_age,
    current_setting('vacuum_multixact_freeze_table_age')::int AS multixact_table_age,
    current_setting('block_size')::int AS block_size,
    (SELECT count(*) FROM pg_stat_replication WHERE coalesce(state, '') <> 'backup') AS standbys,
    (SELECT count(*) FROM pg_stat_activity
        WHERE datid IS NOT NULL AND coalesce(backend_type, 'client backend') = 'client backend') AS connections"""


def observe_tables(client: PostgresqlClient, oids: Collection[int] | None, system: bool) -> Tables:
    """Read tables, partitions and what holds row versions, in four queries however many tables there are.

    :param oids: the tables that are asked for; None for all.
    :param system: whether the system catalogs are among all.
    """
    links = _links(client)
    found = _observe_rows(client, oids, system)
    facts = client.row("read the settings of vacuum", FACTS, Facts)
    return Tables(
        client.server,
        facts,
        {row.oid: row for row in found if row.toast_of is None},
        {row.toast_of: row for row in found if row.toast_of is not None},
        links,
        observe_holders(client, MOST_HOLDERS, here=True),
    )


def with_partitions(client: PostgresqlClient, oids: Collection[int]) -> set[int]:
    """Return tables together with the partitions of those that have any, by oid."""
    return {*oids, *(link.descendant for link in _links(client) if link.root in oids)}


def _observe_rows(client: PostgresqlClient, oids: Collection[int] | None, system: bool = False) -> list[Row]:
    """Read the statistics of tables and of their TOAST tables; of those that are gone there is no row."""
    major = client.server.major
    own = "pg_has_role(c.relowner, 'USAGE')"
    parts = {
        "frozen_pages": "c.relallfrozen" if major >= 18 else "NULL::int",
        "locked": LOCKED,
        "which": ALL if oids is None else CHOSEN,
        "permitted": f"{own} OR has_table_privilege(c.oid, 'MAINTAIN')" if major >= 17 else own,
    }
    values = {"oids": None if oids is None else sorted(oids), "system": system}
    return client.rows("read the tables' statistics", ROWS, Row, values, parts)


def observe_now(client: PostgresqlClient, oid: int) -> Now | None:
    """Read how one table stands; None if it is gone."""
    return next(iter(client.rows("read a table's statistics", NOW, Now, {"oid": oid})), None)


def _links(client: PostgresqlClient) -> tuple[Link, ...]:
    return tuple(client.rows("read the partitions", LINKS, Link))
