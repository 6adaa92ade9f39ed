# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The limits of a healthy Redis server, with where each comes from."""

from __future__ import annotations

from ..._core.threshold import Threshold

__all__ = ["HEALTH_THRESHOLDS"]

MIB = 1024**2

HEALTH_THRESHOLDS = (
    Threshold(
        "latency_milliseconds",
        "milliseconds",
        100,
        1000,
        remedy="Look for slow commands (SLOWLOG GET), a busy host, forks for saving, and the network between.",
        source="requirement B2 (1000 ms); a tenth of it to be warned",
    ),
    Threshold(
        "unsupported_days",
        "days",
        0,
        remedy="Upgrade to a supported version. Where a distribution maintains this one, switch the limit off.",
        source="endoflife.date/redis",
    ),
    Threshold(
        "restarts",
        "count",
        0,
        remedy="Find out why the server was restarted: its log, the kernel's (out of memory), the service manager's.",
        source="a restart nobody planned loses what was not saved",
    ),
    Threshold(
        "memory_percent",
        "percent",
        85,
        95,
        remedy="Remove what is stale or has no TTL, raise maxmemory, or add memory.",
        source="requirement B2 (85 %)",
    ),
    Threshold(
        "system_memory_percent",
        "percent",
        85,
        95,
        remedy="Set maxmemory, so that the kernel does not end the server; remove data or add memory.",
        source="requirement B2 (85 %)",
    ),
    Threshold(
        "out_of_memory_errors",
        "count",
        0,
        remedy="Writes were refused. Raise maxmemory, remove data, or choose an eviction policy if this is a cache.",
        source="every refused write is an error in the application",
    ),
    Threshold(
        "fragmentation_ratio",
        "ratio",
        1.4,
        remedy="Run MEMORY PURGE, set activedefrag yes where the server can, or restart it at a quiet time.",
        source="maintenance study 1.3 (allocator_frag_ratio, not mem_fragmentation_ratio)",
    ),
    Threshold(
        "fragmentation_bytes",
        "bytes",
        100 * MIB,
        remedy="See fragmentation_ratio; both have to be crossed.",
        source="maintenance study 1.3; active-defrag-ignore-bytes",
    ),
    Threshold(
        "evicted_keys",
        "count",
        0,
        remedy="Keys were dropped for want of memory. Raise maxmemory, shorten TTLs, or set a limit if that is meant.",
        source="in a store that also holds sessions or queues every eviction is a loss",
    ),
    Threshold(
        "hit_rate_percent",
        "percent",
        50,
        below=True,
        remedy="Check TTLs, evictions and the cache's keys; warm the cache after a restart.",
        source="below a half the cache costs more requests than it saves",
    ),
    Threshold(
        "clients_percent",
        "percent",
        80,
        95,
        remedy="Find who keeps connections open (CLIENT LIST), set a timeout, share connections, or raise maxclients.",
        source="requirement B2 (80 %)",
    ),
    Threshold(
        "blocked_clients",
        "count",
        100,
        remedy="Compare with the number of queue workers: each that waits for a job counts as one.",
        source="more workers than most applications have",
    ),
    Threshold(
        "rejected_connections",
        "count",
        0,
        remedy="Clients were turned away. Raise maxclients, or find who keeps connections open (CLIENT LIST).",
        source="every rejected connection is an error in the application",
    ),
    Threshold(
        "save_age_seconds",
        "seconds",
        48 * 3600,
        remedy="See why no snapshot was written (the server's log, disk space), and run BGSAVE.",
        source="maintenance study 1.3 (48 h)",
    ),
    Threshold(
        "replica_lag_seconds",
        "seconds",
        10,
        60,
        remedy="Look at the network and at the load of the replica.",
        source="repl-ping-replica-period is 10 s, repl-timeout is 60 s",
    ),
    Threshold(
        "replica_lag_bytes",
        "bytes",
        100 * MIB,
        remedy="Look at the network and at the load of the replica; raise client-output-buffer-limit replica.",
        source="below the 256 MB at which a replica is cut off by default",
    ),
    Threshold(
        "lost_replicas",
        "count",
        0,
        remedy="Bring the replica back, or let it go for good; the next run compares with what is there now.",
        source="a replica that is gone takes the redundancy with it",
    ),
    Threshold(
        "slow_commands",
        "count",
        10,
        remedy="Read SLOWLOG GET; replace KEYS, SORT and big ranges, split big keys.",
        source="each is above slowlog-log-slower-than, 10 ms by default",
    ),
    Threshold(
        "slow_command_milliseconds",
        "milliseconds",
        100,
        1000,
        remedy="While it ran, nobody else was served. Read SLOWLOG GET; replace the command or split the key.",
        source="requirement B2 (1000 ms); a tenth of it to be warned",
    ),
    Threshold(
        "latency_event_milliseconds",
        "milliseconds",
        100,
        1000,
        remedy="Ask LATENCY DOCTOR: slow disk, fork, transparent huge pages, expiry of many keys at once.",
        source="requirement B2 (1000 ms); a tenth of it to be warned",
    ),
)
