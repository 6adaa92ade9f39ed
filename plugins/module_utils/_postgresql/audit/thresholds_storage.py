# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The limits of bloat, growth, sequences, vacuum and settings, with where each comes from."""

from __future__ import annotations

from ..._core.threshold import Threshold
from ..thresholds import VACUUM_THRESHOLDS, WRAPAROUND_THRESHOLDS

__all__ = ["STORAGE_THRESHOLDS"]

MIB = 1024**2
DAY = 86400

_REWRITE = (
    "Have it vacuumed more often, so that it stays as it is once it is rewritten: with pg_repack, or with VACUUM FULL, "
    "which locks it."
)
_REBUILD = "Run REINDEX INDEX CONCURRENTLY on it, or the module postgresql_reindex, which does so where it can."

STORAGE_THRESHOLDS = (
    Threshold(
        "table_bloat_percent",
        "percent",
        50,
        remedy=_REWRITE,
        source="pg_squeeze (50 % of free space); less comes back by itself in daily use",
    ),
    Threshold(
        "table_bloat_bytes",
        "bytes",
        10 * MIB,
        remedy=_REWRITE,
        source="pg_squeeze (8 MB), pg_index_watch (10 MB)",
    ),
    Threshold(
        "index_bloat_percent",
        "percent",
        50,
        remedy=_REBUILD,
        source="pg_index_watch (twice its best size); random inserts alone leave a btree a third empty",
    ),
    Threshold("index_bloat_bytes", "bytes", 10 * MIB, remedy=_REBUILD, source="pg_index_watch (10 MB)"),
    *VACUUM_THRESHOLDS,
    Threshold(
        "partitions_changed_percent",
        "percent",
        50,
        remedy="Run ANALYZE on the partitioned table regularly: autovacuum analyzes its partitions only.",
        source="five times autovacuum_analyze_scale_factor (10 %)",
    ),
    *WRAPAROUND_THRESHOLDS,
    Threshold(
        "sequence_percent",
        "percent",
        80,
        90,
        remedy="Give the column a wider type (bigint) and the sequence a higher limit before inserts fail.",
        source="PgHero (90 %); a change of type rewrites the table and has to be planned, so it warns earlier",
    ),
    Threshold(
        "table_bytes",
        "bytes",
        None,
        remedy="Archive or delete old rows, or divide the table into partitions.",
        source="off: set it to what backups and maintenance bear",
    ),
    Threshold(
        "table_growth_percent_per_day",
        "percent",
        10,
        remedy="Set a retention for it, or divide it into partitions while it is small.",
        source="doubles within eight days",
    ),
    Threshold(
        "autovacuum_seconds",
        "seconds",
        DAY,
        remedy="Raise autovacuum_vacuum_cost_limit, or lower autovacuum_vacuum_cost_delay, to what the disks bear.",
        source="a table should be vacuumed within a day",
    ),
    Threshold(
        "superusers",
        "count",
        3,
        remedy="Give people and applications roles with the rights they need (pg_monitor, pg_maintain, ownership).",
        source="an administrator, a deputy and the service's own",
    ),
)
