# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The limits of an audit, with where each comes from."""

from __future__ import annotations

from ..._core.threshold import Threshold
from ..health.thresholds import HEALTH_THRESHOLDS

__all__ = ["AUDIT_THRESHOLDS"]

MIB = 1024**2
_SLOW_LOG = ("slow_commands", "slow_command_milliseconds")

AUDIT_THRESHOLDS = (
    Threshold(
        "no_ttl_percent",
        "percent",
        10,
        remedy="Give these keys a TTL where they are written, and to those that are there. If they may stay, say so in "
        "policies.",
        source="a tenth of the memory for one kind of keys that only grows is what fills a store",
    ),
    Threshold(
        "no_ttl_bytes",
        "bytes",
        10 * MIB,
        remedy="See no_ttl_percent; both have to be crossed.",
        source="below it, nothing is gained",
    ),
    Threshold(
        "idle_percent",
        "percent",
        20,
        remedy="Remove what nobody uses, or give it a TTL.",
        source="a fifth of the memory is worth a look",
    ),
    Threshold(
        "idle_bytes",
        "bytes",
        10 * MIB,
        remedy="See idle_percent; both have to be crossed.",
        source="below it, nothing is gained",
    ),
    Threshold(
        "ttl_missing",
        "count",
        0,
        remedy="Set the TTL with the value in one command (SET ... EX), and give one to the keys that are there.",
        source="the policy is the user's",
    ),
    Threshold(
        "ttl_too_long",
        "count",
        0,
        remedy="Shorten the TTL where the keys are written.",
        source="requirement P10 (response:* at most 300 s); the policy is the user's",
    ),
    Threshold(
        "key_bytes",
        "bytes",
        MIB,
        100 * MIB,
        remedy="Split the key, compress the value, or keep it elsewhere; remove it with UNLINK, never with DEL.",
        source="a value of 1 MiB takes 10 ms on a line of 1 Gbit/s, for which all others wait",
    ),
    Threshold(
        "key_elements",
        "count",
        20_000,
        1_000_000,
        remedy="Split the key, walk it with HSCAN, SSCAN or ZSCAN, and remove it with UNLINK, never with DEL.",
        source="maintenance study 1.3: DEL of a hash of 200,000 fields stalls all others for 78 ms, so this for 8 ms",
    ),
    Threshold(
        "maxmemory_percent",
        "percent",
        85,
        remedy="Lower maxmemory: saving, replicas and clients need memory beside the data.",
        source="requirement B2 (85 %)",
    ),
    *(threshold for threshold in HEALTH_THRESHOLDS if threshold.name in _SLOW_LOG),
)
