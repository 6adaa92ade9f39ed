# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The limits of a healthy PostgreSQL server, with where each comes from."""

from __future__ import annotations

from ..._core.threshold import Threshold
from ..thresholds import VACUUM_THRESHOLDS, WRAPAROUND_THRESHOLDS

__all__ = ["HEALTH_THRESHOLDS"]

MIB = 1024**2
GIB = 1024**3
MINUTE = 60
HOUR = 3600
DAY = 86400

_HELD = "Ask its owner to end it; pg_terminate_backend(pid) ends the session. Set idle_in_transaction_session_timeout."

HEALTH_THRESHOLDS = (
    Threshold(
        "latency_milliseconds",
        "milliseconds",
        1000,
        3000,
        remedy="Look for load on the server's host, and at the network between.",
        source="requirement B2 (1000 ms)",
    ),
    Threshold(
        "unsupported_days",
        "days",
        0,
        remedy="Upgrade to a supported major version. Where a distribution maintains this one, switch the limit off.",
        source="postgresql.org/support/versioning",
    ),
    Threshold(
        "restarts",
        "count",
        0,
        remedy="Find out why the server was restarted: its log, the kernel's (out of memory), the service manager's.",
        source="a restart nobody planned ended every session",
    ),
    Threshold(
        "connections_percent",
        "percent",
        80,
        95,
        remedy="Find who keeps connections open (pg_stat_activity), close idle ones, pool, or raise max_connections.",
        source="requirement B2 (80 %); check_postgres (95 %)",
    ),
    Threshold(
        "connection_limit_percent",
        "percent",
        80,
        95,
        remedy="Find who keeps connections open (pg_stat_activity), or raise the CONNECTION LIMIT.",
        source="as connections_percent",
    ),
    Threshold(
        "transaction_seconds",
        "seconds",
        30 * MINUTE,
        4 * HOUR,
        remedy="Long transactions keep vacuum from its work. End it, or raise the limit where a dump is meant to run.",
        source="longer than the requests and reports of a web back end; a dump may be longer",
    ),
    Threshold(
        "idle_in_transaction_seconds",
        "seconds",
        MINUTE,
        10 * MINUTE,
        remedy=_HELD,
        source="PgHero (60 s for long-running work)",
    ),
    Threshold(
        "blocked_seconds",
        "seconds",
        5,
        MINUTE,
        remedy="End the session that blocks (pg_terminate_backend) if nobody needs it; set lock_timeout in migrations.",
        source="beyond deadlock_timeout (1 s) it is no passing wait",
    ),
    Threshold(
        "prepared_transaction_seconds",
        "seconds",
        5 * MINUTE,
        HOUR,
        remedy="Let its transaction manager finish it, or run ROLLBACK PREPARED: it holds locks until then.",
        source="PostgreSQL documentation, PREPARE TRANSACTION: not for long",
    ),
    Threshold(
        "replication_lag_seconds",
        "seconds",
        30,
        5 * MINUTE,
        remedy="Look at the standby's load, disk and network, and for queries there that hold up replay.",
        source="more than a reader of a standby expects",
    ),
    Threshold(
        "replication_lag_bytes",
        "bytes",
        100 * MIB,
        GIB,
        remedy="Look at the standby's load, disk and network, and for queries there that hold up replay.",
        source="some six WAL files; a checkpoint's worth (max_wal_size 1 GB)",
    ),
    Threshold(
        "slot_retained_bytes",
        "bytes",
        GIB,
        10 * GIB,
        remedy="Bring its receiver back or drop the slot (pg_drop_replication_slot): its WAL fills the disk. Set "
        "max_slot_wal_keep_size.",
        source="a checkpoint's worth of WAL (max_wal_size 1 GB)",
    ),
    Threshold(
        "slot_inactive_seconds",
        "seconds",
        HOUR,
        DAY,
        remedy="Bring its receiver back, or drop the slot (pg_drop_replication_slot): it keeps WAL for nobody.",
        source="longer than a restart of the receiver",
    ),
    *WRAPAROUND_THRESHOLDS,
    Threshold(
        "cache_hit_percent",
        "percent",
        90,
        below=True,
        remedy="Raise shared_buffers, or find the queries that read whole tables in pg_stat_statements.",
        source="below PgHero's 99 %, for a table read once is no fault",
    ),
    Threshold(
        "deadlocks",
        "count",
        0,
        50,
        remedy="Read the server's log for the two statements, and let the application lock in one order.",
        source="each deadlock is an error in the application",
    ),
    Threshold(
        "temporary_bytes_per_hour",
        "bytes",
        GIB,
        remedy="Find queries that sort or hash too much (log_temp_files), add an index, or raise work_mem for them.",
        source="beyond what memory would take in",
    ),
    Threshold(
        "checksum_failures",
        "count",
        None,
        0,
        remedy="Data on disk are damaged. Take the server out of use, keep a copy of its files, check disk and memory, "
        "and restore from a backup made before.",
        source="PostgreSQL documentation, data checksums",
    ),
    Threshold(
        "checkpoints_requested_percent",
        "percent",
        50,
        remedy="Raise max_wal_size, so that checkpoints come by the clock (checkpoint_timeout), not by amount of WAL.",
        source="PostgreSQL documentation, max_wal_size; checkpoint_warning",
    ),
    Threshold(
        "archive_failures",
        "count",
        0,
        remedy="Run archive_command by hand for the file named and read the server's log.",
        source="each failure delays what a point-in-time recovery needs",
    ),
    Threshold(
        "archive_waiting",
        "count",
        20,
        200,
        remedy="See whether archive_command hangs or is too slow: the WAL that waits fills the disk.",
        source="20 files are 320 MB of changes that no archive has",
    ),
    Threshold(
        "database_bytes",
        "bytes",
        None,
        remedy="Archive or delete old rows, or plan for more disk.",
        source="off: set it to what the disk bears",
    ),
    Threshold(
        "growth_percent_per_day",
        "percent",
        20,
        remedy="Find the table that grows (pg_total_relation_size) and set a retention for it.",
        source="doubles within four days",
    ),
    *VACUUM_THRESHOLDS,
)
