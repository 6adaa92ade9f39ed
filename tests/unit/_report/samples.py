# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Results as the health modules return them, for the tests, the benchmark and the picture of the report."""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import datetime, timezone
from typing import Any

NOW = datetime(2026, 11, 22, 5, 30, tzinfo=timezone.utc)


def finding(
    finding_id: str,
    severity: str,
    subject: str,
    message: str,
    value: Any = None,
    threshold: Any = None,
    remedy: str = "",
) -> dict[str, Any]:
    """A finding as the envelope carries it."""
    return {
        "id": finding_id,
        "severity": severity,
        "subject": subject,
        "message": message,
        "value": value,
        "threshold": threshold,
        "remedy": remedy,
    }


def result(
    subject: str,
    name: str,
    findings: Sequence[dict[str, Any]] = (),
    metrics: dict[str, float] | None = None,
    version: str = "",
    actions: Sequence[dict[str, Any]] = (),
    host: str = "app-1",
) -> dict[str, Any]:
    """An envelope with what it is about."""
    severities = [found["severity"] for found in findings]
    status = "critical" if "critical" in severities else "warning" if severities else "ok"
    return {
        "changed": bool(actions),
        "status": status,
        "findings": list(findings),
        "actions": list(actions),
        "metrics": metrics or {},
        "summary": f"{subject} {name}: {status}",
        "server": {"kind": subject, "address": f"{name}.example.com", "version": version},
        "subject": subject,
        "name": name,
        "host": host,
    }


def application(day: int = 0, fixed: bool = False) -> list[dict[str, Any]]:
    """What a daily run over an application in trouble finds.

    :param day: number of the run; the metrics move with it.
    :param fixed: whether what was wrong with PostgreSQL is mended.
    """
    wave = math.sin(day / 3)
    disk = 61 + day * 0.8
    postgresql = [
        finding(
            "postgresql.blocked_session",
            "critical",
            "beo_automation",
            "db.example.com: session 4711 has waited for a lock for 12min 5s, held by 4698 (idle in transaction)",
            725,
            60,
            "End the blocking session with SELECT pg_terminate_backend(4698) if its client does not, and see why "
            "it left its transaction open.",
        ),
        finding(
            "postgresql.vacuum_overdue",
            "warning",
            "beo_automation.public.events_archive",
            "events_archive: 184,220 dead rows of 410,000 and no vacuum for 41d; autovacuum is off for it",
            184220,
            82050,
            "Run VACUUM (ANALYZE) on it and reset autovacuum_enabled.",
        ),
        finding(
            "postgresql.invalid_index",
            "warning",
            "beo_automation.public.users_email_key",
            "users_email_key is invalid: it costs writes and serves no read",
            None,
            None,
            "Remove the duplicates, then REINDEX INDEX CONCURRENTLY users_email_key.",
        ),
    ]
    return [
        result(
            "host",
            "app-1",
            [
                finding(
                    "host.disk",
                    "warning",
                    "/var/lib",
                    f"app-1: /var/lib is {disk:.0f} % full, full in 17 days",
                    round(disk, 1),
                    80,
                    "Look for what grows with du -x /var/lib, archive logs, or enlarge the volume.",
                ),
            ]
            if disk > 80
            else [],
            {
                'host_disk_used_percent{mount="/"}': 42.1,
                'host_disk_used_percent{mount="/var/lib"}': disk,
                "host_memory_used_percent": 58 + 6 * wave,
                "host_cpu_used_percent": 21 + 9 * wave,
                "host_load_per_core_ratio": 0.4 + 0.2 * wave,
                "host_open_files_count": 2344,
                "host_uptime_seconds": 3.4e6,
            },
            "Debian 12",
        ),
        result(
            "postgresql",
            "beo_automation",
            [] if fixed else postgresql,
            {
                "postgresql_up": 1,
                "postgresql_connections_used_percent": 34 + 8 * wave + day / 3,
                "postgresql_latency_seconds": 0.0021 + 0.0004 * wave,
                "postgresql_cache_hit_ratio": 0.991 + 0.004 * wave,
                'postgresql_database_size_bytes{database="beo_automation"}': 4.1e9 + 3e7 * day,
                "postgresql_longest_transaction_seconds": 725 if not fixed else 3,
                "postgresql_deadlocks_total": 3,
            },
            "17.10",
        ),
        result(
            "mongodb",
            "delauto",
            [],
            {
                "mongodb_connections_used_percent": 12 + 3 * wave,
                "mongodb_ping_seconds": 0.0011,
                "mongodb_oplog_window_seconds": 412_000,
                'mongodb_database_size_bytes{database="delauto"}': 9.4e8 + 8e6 * day,
                "mongodb_cache_used_percent": 61 + 5 * wave,
            },
            "6.0.5",
        ),
        result(
            "redis",
            "cache",
            [
                finding(
                    "redis.memory",
                    "critical",
                    "cache.example.com:6379",
                    "cache.example.com:6379: memory used 96.2 % of maxmemory, above 95 %",
                    96.2,
                    95,
                    "Give keys an expiry (redis_cleanup lists those without), or raise maxmemory.",
                ),
                finding(
                    "redis.slow_log",
                    "warning",
                    "cache.example.com:6379",
                    "3 slow commands since the last run, the longest 184 ms (EVAL)",
                    3,
                    0,
                    "Read SLOWLOG GET 10; a script that loops over keys belongs in a job.",
                ),
            ],
            {
                "redis_memory_used_percent": min(96.2, 70 + day * 0.9),
                "redis_ping_seconds": 0.0004 + 0.0001 * wave,
                "redis_hit_rate_percent": 93 + 3 * wave,
                "redis_clients_percent": 2.2,
                "redis_evicted_keys": 0,
                "redis_memory_used_bytes": 5.1e8 + 4e6 * day,
            },
            "8.2.3",
        ),
        result(
            "queue",
            "customer-calls",
            [
                finding(
                    "queue.stalled",
                    "warning",
                    "customer-calls",
                    "customer-calls: 2 active jobs hold no lock: their worker is gone",
                    2,
                    0,
                    "Restart the workers; they take stalled jobs up again.",
                ),
            ],
            {
                "queue_waiting_count": 14 + 5 * wave,
                "queue_failure_rate_percent": 1.2,
                "queue_oldest_waiting_seconds": 42,
            },
            "BullMQ 5",
        ),
        result("http", "api", [], {"http_latency_seconds": 0.081 + 0.02 * wave, "http_certificate_days": 61 - day}, ""),
    ]
