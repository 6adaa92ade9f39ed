# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Reads how far the database's sequences are."""

from __future__ import annotations

from ..._core.runner import Context
from ..client import PostgresqlClient
from .observation import Sequence, Sequences

__all__ = ["observe_sequences"]

# A sequence feeds the column that owns it (serial, IDENTITY), and each column whose default depends on it. A domain has
# its base type's output function, however many domains lie between.
# Others' temporary sequences cannot be read, and unlogged ones have no value on a standby.
SEQUENCES = """
SELECT n.nspname::text AS schema, c.relname::text AS name,
    CASE WHEN readable THEN pg_sequence_last_value(c.oid) END AS last,
    s.seqmin AS least, s.seqmax AS most, s.seqincrement AS step, s.seqcycle AS cycles,
    fed.label AS column, fed.bytes AS column_bytes, readable
FROM pg_sequence s JOIN pg_class c ON c.oid = s.seqrelid JOIN pg_namespace n ON n.oid = c.relnamespace
    CROSS JOIN LATERAL (
        SELECT coalesce(has_sequence_privilege(c.oid, 'SELECT,USAGE'), false) AS readable OFFSET 0
    ) AS rights
    LEFT JOIN LATERAL (
        SELECT t.relname || '.' || a.attname AS label,
            CASE y.typoutput WHEN 'int2out'::regproc THEN 2 WHEN 'int4out'::regproc THEN 4
                WHEN 'int8out'::regproc THEN 8 END AS bytes
        FROM (
            SELECT refobjid AS relid, refobjsubid AS number FROM pg_depend
            WHERE classid = 'pg_class'::regclass AND objid = c.oid AND refclassid = 'pg_class'::regclass
                AND refobjsubid > 0 AND deptype IN ('a', 'i')
            UNION
            SELECT f.adrelid, f.adnum FROM pg_depend d JOIN pg_attrdef f ON f.oid = d.objid
            WHERE d.classid = 'pg_attrdef'::regclass AND d.refclassid = 'pg_class'::regclass AND d.refobjid = c.oid
        ) AS feeds
            JOIN pg_class t ON t.oid = relid JOIN pg_attribute a ON a.attrelid = relid AND a.attnum = number
            JOIN pg_type y ON y.oid = a.atttypid
        ORDER BY bytes NULLS LAST, label LIMIT 1
    ) AS fed ON true
WHERE c.relpersistence <> 't' AND NOT (c.relpersistence = 'u' AND pg_is_in_recovery())
ORDER BY abs(CASE WHEN readable THEN pg_sequence_last_value(c.oid) END) DESC NULLS FIRST LIMIT 10000"""


def observe_sequences(client: PostgresqlClient, _context: Context) -> Sequences:
    """Read each sequence's last value, its own limits and the type of the column that it feeds."""
    return Sequences(client.server, tuple(client.rows("read the sequences", SEQUENCES, Sequence)))
