# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is planted in the sample application, and who has to find it.

One table for people and tests: the daily run on a planted application has to report the `finding` of every row whose
`module` it runs, and none of them on a clean one.
"""

from __future__ import annotations

from dataclasses import dataclass

from tests.stack.places import CHECKOUT

__all__ = ["PLANTED", "Plant", "as_markdown", "planted_for"]


@dataclass(frozen=True)
class Plant:
    """One planted trouble."""

    id: str
    subject: str
    """The kind of store, or `queue`, `http`, `log`."""
    what: str
    where: str
    """The object: a table, an index, a key pattern, a queue, a file."""
    finding: str
    """Id of the finding that names it; empty where an action does away with it."""
    module: str
    """The module that has to find it."""
    action: str = ""
    """Kind of the action that does away with it."""


PG, MG, RD = "postgresql_health_info", "mongodb_health_info", "redis_health_info"
PG_AUDIT, MG_AUDIT, RD_AUDIT = "postgresql_audit_info", "mongodb_audit_info", "redis_audit_info"
QUEUE, HTTP, LOG = "queue_health_info", "http_health_info", "log_analysis_info"
PG_KEEP, MG_KEEP, RD_KEEP, QU_KEEP = "postgresql_retention", "mongodb_retention", "redis_cleanup", "queue_cleanup"

PLANTED = (
    Plant(
        "pg-invalid-index",
        "postgresql",
        "a unique index whose building failed over duplicate values",
        "users.idx_users_phone",
        "postgresql.invalid_index",
        PG,
    ),
    Plant(
        "pg-idle-in-transaction",
        "postgresql",
        "a session that holds a lock and does nothing",
        "delauto-report",
        "postgresql.idle_in_transaction",
        PG,
    ),
    Plant(
        "pg-blocked",
        "postgresql",
        "a session that waits for that lock",
        "delauto-worker",
        "postgresql.blocked_session",
        PG,
    ),
    Plant(
        "pg-vacuum-overdue",
        "postgresql",
        "two dead rows for each live one, never vacuumed nor analyzed, autovacuum off",
        "invoices",
        "postgresql.vacuum_overdue",
        PG,
    ),
    Plant(
        "pg-analyze-overdue",
        "postgresql",
        "the planner knows nothing of the same table",
        "invoices",
        "postgresql.analyze_overdue",
        PG,
    ),
    Plant(
        "pg-autovacuum-disabled",
        "postgresql",
        "autovacuum is switched off for a table that is written to",
        "invoices",
        "postgresql.autovacuum_disabled",
        PG_AUDIT,
    ),
    Plant(
        "pg-bloat",
        "postgresql",
        "two thirds of the pages are free space",
        "events",
        "postgresql.table_bloat",
        PG_AUDIT,
    ),
    Plant(
        "pg-duplicate-index",
        "postgresql",
        "an index equal to another",
        "events.idx_events_type_status",
        "postgresql.duplicate_index",
        PG_AUDIT,
    ),
    Plant(
        "pg-redundant-index",
        "postgresql",
        "an index that is the beginning of another",
        "events.idx_events_status",
        "postgresql.redundant_index",
        PG_AUDIT,
    ),
    Plant(
        "pg-unused-index",
        "postgresql",
        "an index that no query has used",
        "events.idx_events_priority",
        "postgresql.unused_index",
        PG_AUDIT,
    ),
    Plant(
        "pg-foreign-key",
        "postgresql",
        "a foreign key without an index",
        "events.user_id",
        "postgresql.foreign_key_without_index",
        PG_AUDIT,
    ),
    Plant(
        "pg-missing-index",
        "postgresql",
        "queries by time read the whole table",
        "events.created_at",
        "postgresql.missing_index",
        PG_AUDIT,
    ),
    Plant(
        "pg-old-submissions",
        "postgresql",
        "submissions older than 30 days",
        "product_term_submissions",
        "",
        PG_KEEP,
        "delete",
    ),
    Plant(
        "mg-long-operation",
        "mongodb",
        "a query that runs for hours",
        "deliveries",
        "mongodb.long_operation",
        MG,
    ),
    Plant(
        "mg-unused-index",
        "mongodb",
        "an index that no query has used",
        "deliveries.old_index_name",
        "mongodb.unused_index",
        MG_AUDIT,
    ),
    Plant(
        "mg-redundant-index",
        "mongodb",
        "an index that is the beginning of another",
        "deliveries.status_only",
        "mongodb.redundant_index",
        MG_AUDIT,
    ),
    Plant(
        "mg-missing-index",
        "mongodb",
        "queries by delivery_id read the whole collection",
        "call_logs.delivery_id",
        "mongodb.collection_scan",
        MG_AUDIT,
    ),
    Plant(
        "mg-expired-sessions",
        "mongodb",
        "sessions that are over",
        "sessions",
        "mongodb.retention_due",
        MG_KEEP,
    ),
    Plant(
        "rd-memory",
        "redis",
        "nine tenths of maxmemory used, nothing may be evicted",
        "maxmemory",
        "redis.memory",
        RD,
    ),
    Plant(
        "rd-slowlog",
        "redis",
        "scripts that hold up everybody for more than a tenth of a second",
        "EVAL",
        "redis.slow_command",
        RD,
    ),
    Plant("rd-latency", "redis", "the same scripts, as a spike of latency", "EVAL", "redis.latency_event", RD),
    Plant(
        "rd-save",
        "redis",
        "the last background save failed",
        "dump.rdb",
        "redis.rdb_failed",
        RD,
    ),
    Plant(
        "rd-no-ttl",
        "redis",
        "keys that never expire",
        "analytics:*",
        "redis.no_ttl",
        RD_AUDIT,
    ),
    Plant(
        "rd-big-key",
        "redis",
        "a hash of thirty thousand fields",
        "analytics:visitors:all",
        "redis.big_key",
        RD_AUDIT,
    ),
    Plant(
        "rd-response-ttl",
        "redis",
        "responses kept for longer than five minutes",
        "response:*",
        "redis.ttl_too_long",
        RD_AUDIT,
    ),
    Plant(
        "rd-stale-sessions",
        "redis",
        "sessions without activity for 30 days",
        "sess:*",
        "",
        RD_KEEP,
        "unlink",
    ),
    Plant(
        "rd-lasting-analytics",
        "redis",
        "the same keys that never expire",
        "analytics:*",
        "",
        RD_KEEP,
        "unlink",
    ),
    Plant(
        "qu-stalled",
        "queue",
        "jobs taken by a worker that is gone",
        "customer-calls",
        "queue.stalled",
        QUEUE,
    ),
    Plant(
        "qu-oldest-active",
        "queue",
        "the same jobs, taken two hours ago",
        "customer-calls",
        "queue.oldest_active",
        QUEUE,
    ),
    Plant(
        "qu-failure-rate",
        "queue",
        "more than a third of the jobs of the last day failed",
        "customer-calls",
        "queue.failure_rate",
        QUEUE,
    ),
    Plant("qu-paused", "queue", "a paused queue with jobs in it", "notifications", "queue.paused", QUEUE),
    Plant(
        "qu-old-waiting",
        "queue",
        "jobs that have waited for hours",
        "customer-calls",
        "queue.oldest_waiting",
        QUEUE,
    ),
    Plant(
        "qu-no-workers",
        "queue",
        "jobs wait, and no worker is connected",
        "customer-calls",
        "queue.no_workers",
        QUEUE,
    ),
    Plant("qu-ghosts", "queue", "failed jobs whose keys somebody removed", "notifications", "queue.ghosts", QUEUE),
    Plant("qu-ghost-ids", "queue", "the ids that are left of them", "notifications", "", QU_KEEP, "remove_ghosts"),
    Plant("qu-orphans", "queue", "jobs that are in no state", "customer-calls", "", QU_KEEP, "remove_orphans"),
    Plant(
        "qu-refused",
        "queue",
        "jobs that failed over a connection, tried once",
        "customer-calls",
        "",
        QU_KEEP,
        "retry",
    ),
    Plant(
        "qu-failed-for-good",
        "queue",
        "jobs that failed for another reason, or were tried three times",
        "customer-calls",
        "",
        QU_KEEP,
        "dead_letter",
    ),
    Plant("qu-old-jobs", "queue", "jobs completed days ago", "customer-calls", "", QU_KEEP, "clean"),
    Plant("ht-latency", "http", "answers take more than a second", "/health", "http.latency", HTTP),
    Plant("ht-headers", "http", "no security headers", "/", "http.security_headers", HTTP),
    Plant("ht-compression", "http", "a page above 1 kB comes uncompressed", "/", "http.compression", HTTP),
    Plant("lg-error-rate", "log", "four in a hundred requests fail", "access.log", "log.error_rate", LOG),
    Plant("lg-repeated", "log", "the same error more than ten times in an hour", "combined.log", "log.repeated", LOG),
    Plant(
        "lg-marker",
        "log",
        "the job that expires payments has not run",
        "bot-order",
        "log.missing_marker",
        LOG,
    ),
)


def planted_for(*modules: str) -> tuple[Plant, ...]:
    """The rows that these modules have to find."""
    return tuple(plant for plant in PLANTED if plant.module in modules)


def as_markdown(existing: frozenset[str]) -> str:
    """The table for people: what is planted, and which finding names it.

    :param existing: the modules that there are; troubles of others stand in a list of their own.
    """
    rows = "".join(
        f"| {plant.subject} | {plant.where} | {plant.what} | {_found_as(plant)} | `{plant.module}` |\n"
        for plant in PLANTED
        if plant.module in existing
    )
    waiting = "".join(
        f"* {plant.subject} {plant.where}: {plant.what} (`{plant.module}`)\n"
        for plant in PLANTED
        if plant.module not in existing
    )
    return f"{HEAD}{rows}{LATER}{waiting}"


def _found_as(plant: Plant) -> str:
    return f"`{plant.finding}`" if plant.finding else f"gone, by the action `{plant.action}`"


HEAD = """\
<!--
SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
SPDX-License-Identifier: GPL-3.0-or-later
-->
# What is planted, and what finds it

`make demo` runs on a sample application with these troubles in it. Each of them is real: the index is invalid, the
session waits, the worker is gone. `tests/faults/test_planted.py` holds that the daily run reports every row of the
modules that it runs, reports nothing else, and finds nothing in the same application without them; beside it,
`test_planted_audit.py` and `test_planted_redis_audit.py` hold the same of an audit, and `test_planted_cleanup.py` of
what is to be done about it in Redis. (What the daily run says of the host is true of the machine that it runs on. The
embedded servers are old releases on purpose; the sample's inventory switches the warning about that off.)

| of | where | planted | found as | by |
| --- | --- | --- | --- | --- |
"""

LATER = """
These are in the sample's data too, for modules that are still to come:

"""


if __name__ == "__main__":
    modules = CHECKOUT / "plugins" / "modules"
    print(as_markdown(frozenset(path.stem for path in modules.glob("*.py"))), end="")
