# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Reads which transactions and sessions work on an index concurrently would have to wait for."""

from __future__ import annotations

from .blockers import Blocker
from .client import PostgresqlClient

__all__ = ["observe_blockers"]

# A rebuild waits, one after the other, for a lock on the table that vacuum and index builds take as well, for every
# transaction that uses the table, and for every snapshot of this database that is older than the new index; dropping
# does not wait for the snapshots. Vacuum's own snapshot does not count. Source: ReindexRelationConcurrently() and
# WaitForOlderSnapshots() in src/backend/commands/indexcmds.c.
BLOCKERS = """
SELECT a.pid, concat_ws(', ', 'user ' || a.usename::text, nullif('application ' || a.application_name, 'application '),
        CASE WHEN a.backend_type <> 'client backend' THEN a.backend_type END) AS name,
    a.state, extract(epoch FROM clock_timestamp() - a.xact_start)::float8 AS seconds
FROM pg_stat_activity a
WHERE a.pid <> pg_backend_pid() AND (
    EXISTS (SELECT FROM pg_locks l WHERE l.pid = a.pid AND l.granted AND l.locktype = 'relation'
        AND l.database = a.datid AND l.relation = %(table)s AND (
            a.xact_start < clock_timestamp() - %(younger)s::interval
            OR l.mode IN ('ShareUpdateExclusiveLock', 'ShareLock', 'ShareRowExclusiveLock', 'ExclusiveLock',
                'AccessExclusiveLock')))
    OR %(snapshots)s AND a.datid = (SELECT oid FROM pg_database WHERE datname = current_database())
        AND a.backend_xmin IS NOT NULL AND a.xact_start < clock_timestamp() - %(younger)s::interval
        AND a.backend_type IS DISTINCT FROM 'autovacuum worker'
        AND NOT EXISTS (SELECT FROM pg_stat_progress_vacuum v WHERE v.pid = a.pid))
UNION ALL
SELECT NULL, 'prepared transaction ' || p.gid, NULL, extract(epoch FROM clock_timestamp() - p.prepared)::float8
FROM pg_prepared_xacts p
WHERE p.database = current_database() AND EXISTS (
    SELECT FROM pg_locks l JOIN pg_locks own USING (virtualtransaction)
    WHERE l.pid IS NULL AND l.locktype = 'relation' AND l.relation = %(table)s
        AND own.pid IS NULL AND own.locktype = 'transactionid' AND own.transactionid = p.transaction)
ORDER BY 4 DESC NULLS LAST LIMIT 5"""


def observe_blockers(client: PostgresqlClient, table_oid: int, snapshots: bool, younger: float) -> list[Blocker]:
    """Return who would be waited for, the oldest first.

    :param snapshots: whether old snapshots are waited for.
    :param younger: seconds; a younger transaction is expected to end in time.
    """
    values = {"table": table_oid, "snapshots": snapshots, "younger": f"{younger} seconds"}
    return client.rows("look for old transactions", BLOCKERS, Blocker, values)
