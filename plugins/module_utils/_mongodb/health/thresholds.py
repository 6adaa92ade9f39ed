# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Limits of the checks of MongoDB, with what to do when one is crossed."""

from __future__ import annotations

from ..._core.threshold import Threshold

__all__ = ["HEALTH_THRESHOLDS"]

HEALTH_THRESHOLDS = (
    Threshold(
        "latency_milliseconds",
        "milliseconds",
        1000,
        3000,
        remedy="Look at the server's load, its long operations and the network in between.",
        source="requirement B2 (1000 ms)",
    ),
    Threshold(
        "unsupported_days",
        "days",
        0,
        remedy="Upgrade, one major release after the other; no security fixes come any more.",
        source="https://www.mongodb.com/legal/support-policy/lifecycles",
    ),
    Threshold(
        "restarts",
        "count",
        0,
        remedy="If nobody restarted it, look for the reason in the server's log and the kernel's (out of memory).",
        source="a restart nobody planned broke off every operation",
    ),
    Threshold(
        "connections_percent",
        "percent",
        80,
        95,
        remedy="Find the clients with many connections (currentOp by client), lower their maxPoolSize, "
        "or raise net.maxIncomingConnections and the limit of open files.",
        source="requirement B2 (80 %)",
    ),
    Threshold(
        "queued_operations",
        "count",
        50,
        500,
        remedy="Find what holds them up: long operations and index builds (currentOp), slow disks, missing indexes.",
        source="serverStatus.globalLock.currentQueue: small numbers come and go, a row of them is a jam",
    ),
    Threshold(
        "tickets_percent",
        "percent",
        90,
        remedy="The storage engine is fully used: find slow queries, look at the disk's latency, spread the load.",
        source="serverStatus.queues.execution, wiredTiger.concurrentTransactions; judged only while operations queue",
    ),
    Threshold(
        "cache_percent",
        "percent",
        90,
        95,
        remedy="Give the server more cache (storage.wiredTiger.engineConfig.cacheSizeGB) or a smaller working set.",
        source="WiredTiger: a warm cache rests at eviction_target 80 %; at eviction_trigger 95 % requests must evict",
    ),
    Threshold(
        "cache_dirty_percent",
        "percent",
        10,
        20,
        remedy="Writes come faster than the disk takes them: look at its latency, and write in smaller batches.",
        source="WiredTiger: eviction_dirty_target 5 % is in order; at eviction_dirty_trigger 20 % requests must evict",
    ),
    Threshold(
        "asserts",
        "count",
        0,
        100,
        remedy="Look for the assertion in the server's log; each one is an internal error of the server.",
        source="serverStatus.asserts: regular, msg and tripwire never rise on a sound server",
    ),
    Threshold(
        "user_asserts_per_second",
        "count",
        10,
        100,
        remedy="Clients get many errors (duplicate keys, refused logins, invalid requests): look into their logs.",
        source="serverStatus.asserts.user: some are normal",
    ),
    Threshold(
        "page_faults_per_second",
        "count",
        100,
        1000,
        remedy="The host is short of memory: look at its swap and at what else runs there.",
        source="serverStatus.extra_info.page_faults counts reads from disk only (major faults)",
    ),
    Threshold(
        "cursors_open",
        "count",
        10_000,
        remedy="A client opens cursors and neither reads them to the end nor closes them: find it by currentOp.",
        source="maintenance study 1.2: cursors open above 10k",
    ),
    Threshold(
        "cursors_timed_out_per_minute",
        "count",
        100,
        remedy="A client abandons its cursors: have it close them, or read them to the end within ten minutes.",
        source="maintenance study 1.2: cursors timed out above 100/min",
    ),
    Threshold(
        "operation_seconds",
        "seconds",
        60,
        600,
        remedy="Ask who runs it and whether it needs an index; db.killOp(opid) ends it.",
        source="an operation of an application takes seconds; its indexes are held back by longer ones",
    ),
    Threshold(
        "replication_lag_seconds",
        "seconds",
        5,
        10,
        remedy="Look at the member's disk, load and network; past the oplog window it has to be copied anew.",
        source="maintenance study 1.2: lag above 10 s is critical (also the server's flowControlTargetLagSeconds)",
    ),
    Threshold(
        "oplog_window_seconds",
        "seconds",
        86_400,
        3600,
        below=True,
        remedy="Enlarge the oplog: db.adminCommand({replSetResizeOplog: 1, size: <megabytes>}) on each member.",
        source="a member that is down longer needs a full copy: a day to repair it; one hour is Atlas' default alert",
    ),
    Threshold(
        "disk_percent",
        "percent",
        85,
        95,
        remedy="Make room on the volume of dbPath: archive or delete old documents, then compact; or enlarge it.",
        source="requirement B2 (85 %)",
    ),
    Threshold(
        "days_until_full",
        "days",
        14,
        3,
        below=True,
        remedy="Make room on the volume of dbPath, or enlarge it, before that day.",
        source="time to order and to move: two weeks; the forecast is the median growth of earlier runs",
    ),
    Threshold(
        "growth_percent",
        "percent",
        20,
        remedy="Find what grows (collStats) and set up retention or a TTL index for it.",
        source="a database that grows by a fifth a day doubles within four",
    ),
)
