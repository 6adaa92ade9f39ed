# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which settings hurt, each for a reason that the server itself shows. Pure.

A default that is merely not the best is no finding: what is said here loses data, lets the kernel end the server or
blinds the monitoring.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from ..._core.finding import Finding
from ..._core.health import Situation
from ..._core.runner import Decision, sub_finding
from ..._core.severity import Severity
from ..._core.units import format_size
from ..health.decide_memory import percent
from .observation import Settings

__all__ = ["NAMES", "RULES", "decide_settings"]

CACHE_PERCENT = 95.0
"""Of the keys, with a TTL: from here on the data is taken for a cache."""
NEARLY_FULL_PERCENT = 75.0
"""Of maxmemory: a policy matters when memory runs out."""
HARDLY_ANY_PERCENT = 5.0
FRAGMENTED_RATIO = 1.4
FRAGMENTED_BYTES = 100 * 1024**2
"""Both as in the daily check. Source: maintenance study 1.3."""
SLOW_LOG_MICROSECONDS = 1_000_000
"""A slow log that begins so late misses what users feel."""

Judged = Callable[[Settings], "str | None"]


class Rule(NamedTuple):
    """One rule. :param wrong: returns why the setting hurts, or None."""

    setting: str
    severity: Severity
    wrong: Judged
    remedy: str


def _number(seen: Settings, name: str) -> int | None:
    text = seen.values.get(name, "")
    return int(text) if text.lstrip("-").isdecimal() else None


def _expiring(seen: Settings) -> float | None:
    return percent(seen.keys - seen.lasting, seen.keys)


def _unlimited(seen: Settings) -> str | None:
    if _number(seen, "maxmemory") != 0:
        return None
    return "without a limit the data grows until the kernel ends the server"


def _evicts_jobs(seen: Settings) -> str | None:
    policy = seen.values.get("maxmemory-policy", "noeviction")
    if not seen.queues or policy == "noeviction":
        return None
    return "the server holds queues, and may evict keys of theirs when memory runs out: jobs are lost or never end"


def _evicts_nothing(seen: Settings) -> str | None:
    policy, expiring = seen.values.get("maxmemory-policy", ""), _expiring(seen)
    if not policy.startswith("volatile-") or expiring is None or expiring >= HARDLY_ANY_PERCENT or seen.queues:
        return None
    return f"only keys with a TTL may be evicted, and {expiring:g} % have one: when memory runs out, writes fail"


def _full_cache(seen: Settings) -> str | None:
    full, expiring = percent(seen.used, _number(seen, "maxmemory")), _expiring(seen)
    if seen.values.get("maxmemory-policy") != "noeviction" or seen.queues is not False:
        return None
    if full is None or expiring is None or full <= NEARLY_FULL_PERCENT or expiring <= CACHE_PERCENT:
        return None
    return (
        f"the data is a cache ({expiring:g} % of the keys expire) and fills {full:g} % of maxmemory: soon writes fail"
    )


def _unsaved(seen: Settings) -> str | None:
    off = seen.values.get("save") == "" and seen.values.get("appendonly") == "no"
    if not off or not seen.lasting or seen.replica:
        return None
    also = "; a replica then empties itself too" if seen.replicas else ""
    return f"nothing is saved to disk, and {seen.lasting} keys have no TTL: they are gone after a restart{also}"


def _jobs_unsaved(seen: Settings) -> str | None:
    if not seen.queues or seen.values.get("appendonly") != "no" or seen.values.get("save", "") == "":
        return None
    return "the server holds queues, and a crash loses every job since the last snapshot"


def _never_synced(seen: Settings) -> str | None:
    if seen.values.get("appendfsync") != "no" or seen.values.get("appendonly") != "yes":
        return None
    return "the operating system decides when changes reach the disk; half a minute of them is lost in a power cut"


def _silent_saves(seen: Settings) -> str | None:
    if seen.values.get("stop-writes-on-bgsave-error") != "no" or seen.values.get("save", "") == "":
        return None
    return "a snapshot that fails stays unnoticed, while the application goes on writing"


def _fragmented(seen: Settings) -> str | None:
    if seen.values.get("activedefrag") != "no" or seen.frag_ratio is None or seen.frag_bytes is None:
        return None
    if seen.frag_ratio <= FRAGMENTED_RATIO or seen.frag_bytes <= FRAGMENTED_BYTES:
        return None
    return f"{format_size(seen.frag_bytes)} are lost to fragmentation (ratio {seen.frag_ratio:g})"


def _dead_peers(seen: Settings) -> str | None:
    if _number(seen, "tcp-keepalive") != 0 or _number(seen, "timeout") != 0:
        return None
    return "connections of clients that died are never noticed, and count against maxclients for ever"


def _endless_buffers(seen: Settings) -> str | None:
    words = seen.values.get("client-output-buffer-limit", "").split()
    limits = {words[at]: words[at + 1 : at + 4] for at in range(0, len(words) - 3, 4)}
    if limits.get("pubsub") != ["0", "0", "0"]:
        return None
    return "a subscriber that does not read makes the server keep all messages for it, without a limit"


def _no_monitor(seen: Settings) -> str | None:
    if _number(seen, "latency-monitor-threshold") != 0:
        return None
    return "the latency monitor is off, so nobody learns what held the server up"


def _no_slow_log(seen: Settings) -> str | None:
    after = _number(seen, "slowlog-log-slower-than")
    if after is not None and (after < 0 or after > SLOW_LOG_MICROSECONDS):
        return "the slow log is off" if after < 0 else "commands that take a whole second are not in the slow log"
    return None


def _short_slow_log(seen: Settings) -> str | None:
    return "the slow log keeps no entry" if _number(seen, "slowlog-max-len") == 0 else None


_SET = "Set it with CONFIG SET and in the configuration file: "
RULES = (
    Rule("maxmemory", Severity.WARNING, _unlimited, _SET + "to three quarters of the machine's memory or less."),
    Rule(
        "maxmemory-policy",
        Severity.CRITICAL,
        _evicts_jobs,
        "Set maxmemory-policy noeviction, or keep queues in a Redis of their own, apart from caches.",
    ),
    Rule(
        "maxmemory-policy",
        Severity.WARNING,
        _evicts_nothing,
        "Give the keys a TTL, or set allkeys-lru if all of this is a cache, or noeviction if none of it is.",
    ),
    Rule(
        "maxmemory-policy", Severity.WARNING, _full_cache, _SET + "to volatile-lru or allkeys-lru; or raise maxmemory."
    ),
    Rule("save", Severity.WARNING, _unsaved, "Switch the append-only file on (appendonly yes), or set save."),
    Rule("appendonly", Severity.WARNING, _jobs_unsaved, "Switch the append-only file on: CONFIG SET appendonly yes."),
    Rule("appendfsync", Severity.WARNING, _never_synced, _SET + "to everysec."),
    Rule("stop-writes-on-bgsave-error", Severity.WARNING, _silent_saves, _SET + "to yes."),
    Rule(
        "activedefrag",
        Severity.WARNING,
        _fragmented,
        "Set it to yes where the server can; else MEMORY PURGE, or a restart at a quiet time.",
    ),
    Rule("tcp-keepalive", Severity.WARNING, _dead_peers, _SET + "to 300."),
    Rule("client-output-buffer-limit", Severity.WARNING, _endless_buffers, _SET + '"pubsub 32mb 8mb 60".'),
    Rule("latency-monitor-threshold", Severity.WARNING, _no_monitor, _SET + "to 100 (milliseconds)."),
    Rule("slowlog-log-slower-than", Severity.WARNING, _no_slow_log, _SET + "to 10000 (microseconds)."),
    Rule("slowlog-max-len", Severity.WARNING, _short_slow_log, _SET + "to 128 or more."),
)

NAMES = frozenset(rule.setting for rule in RULES) | {"timeout"}
"""Settings that the rules ask for. None of them is a secret."""


def decide_settings(seen: Settings, situation: Situation) -> Decision:
    """Apply every rule; what is accepted on purpose is left out, and what may not be read is said."""
    decision = Decision()
    if seen.denied:
        decision.findings.append(sub_finding(f"{situation.subject} settings", "redis", seen.denied, Severity.WARNING))
    for rule in RULES:
        why = rule.wrong(seen) if rule.setting not in seen.accepted else None
        if why:
            decision.findings.append(_finding(rule, why, seen, situation))
    if "maxmemory" not in seen.accepted:
        decision.findings += _above_the_machine(seen, situation)
    return decision


def _finding(rule: Rule, why: str, seen: Settings, situation: Situation) -> Finding:
    subject = f"{situation.subject} setting {rule.setting}"
    value = seen.values.get(rule.setting, "")
    message = f"{subject} is {value or 'empty'}: {why}"
    return Finding("redis.setting", rule.severity, subject, message, value, None, rule.remedy)


def _above_the_machine(seen: Settings, situation: Situation) -> list[Finding]:
    share = percent(_number(seen, "maxmemory"), seen.system)
    subject = f"{situation.subject} setting maxmemory"
    return situation.thresholds.judge(
        "maxmemory_percent", "redis.setting", subject, share, "of the machine's memory the limit is"
    )
