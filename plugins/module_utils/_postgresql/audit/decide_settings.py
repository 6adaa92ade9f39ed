# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which settings hurt, each for a reason that the server itself shows. Pure.

A default that is merely not the best is no finding: what is said here loses data, blinds the monitoring or slows the
server down as it is used.
"""

from __future__ import annotations

from typing import NamedTuple, Protocol

from ..._core.finding import Finding
from ..._core.health import Situation
from ..._core.runner import Decision
from ..._core.severity import Severity
from ..._core.units import format_duration, format_size
from .observation_settings import Settings

__all__ = ["NAMES", "RULES", "decide_settings", "vacuum_seconds"]

GIB = 1024**3
DEFAULT_BUFFERS = 128 * 1024**2
LARGE_DATABASE = 8 * DEFAULT_BUFFERS
"""Bytes; the default of shared_buffers was made for a small machine."""
FEWEST_CHECKPOINTS = 20
LONG_IDLE_SECONDS = 300
SHORT_CHECKPOINT_SECONDS = 60
"""Each checkpoint writes every page whole again that changes after it. Source: documentation, full_page_writes."""


class Judged(Protocol):
    """A rule's judgement."""

    def __call__(self, settings: Settings, /) -> str | None:
        """Return why the setting hurts, None if it does not."""


class Rule(NamedTuple):
    """One rule. :param wrong: returns why the setting hurts, or None."""

    setting: str
    severity: Severity
    wrong: Judged
    remedy: str


def _is(name: str, value: str, why: str) -> Judged:
    return lambda seen: why if seen.text(name) == value else None


def _small_buffers(seen: Settings) -> str | None:
    buffers, size = seen.size("shared_buffers"), seen.facts.database_bytes
    if buffers is None or buffers > DEFAULT_BUFFERS or size < LARGE_DATABASE:
        return None
    return (
        f"the cache of {format_size(buffers)} was made for a small machine, and this database has {format_size(size)}"
    )


def _small_cache_guess(seen: Settings) -> str | None:
    guess, buffers = seen.size("effective_cache_size"), seen.size("shared_buffers")
    if guess is None or buffers is None or guess >= buffers:
        return None
    return "the planner takes the cache for smaller than shared_buffers alone, and avoids indexes"


def _forced_checkpoints(seen: Settings) -> str | None:
    count = seen.timed + seen.requested
    if count < FEWEST_CHECKPOINTS or seen.requested <= seen.timed:
        return None
    return f"{seen.requested} of {count} checkpoints came by the amount of WAL, and each makes the next writes larger"


def _hasty_checkpoints(seen: Settings) -> str | None:
    seconds = seen.number("checkpoint_timeout")
    if seconds is None or seconds > SHORT_CHECKPOINT_SECONDS:
        return None
    return f"a checkpoint every {format_duration(seconds)} makes the server write most pages whole, again and again"


def _sudden_checkpoints(seen: Settings) -> str | None:
    target = seen.number("checkpoint_completion_target")
    return "checkpoints write in bursts that others wait for" if target is not None and target < 0.5 else None


def _idle_for_ever(seen: Settings) -> str | None:
    seconds = seen.facts.idle_seconds
    if seen.number("idle_in_transaction_session_timeout") != 0 or seconds is None or seconds <= LONG_IDLE_SECONDS:
        return None
    return f"a session has been idle in a transaction for {format_duration(seconds)}, and nothing ends it"


def _silent_waits(seen: Settings) -> str | None:
    if seen.text("log_lock_waits") != "off" or not seen.facts.deadlocks:
        return None
    return f"there were {seen.facts.deadlocks} deadlocks, and the log does not show who waits for whom before them"


def _archives_nowhere(seen: Settings) -> str | None:
    library = seen.text("archive_library")
    if seen.text("archive_mode") not in ("on", "always") or (library is None and seen.server.major >= 15):
        return None
    if library or seen.text("archive_command") not in ("", "(disabled)"):
        return None
    return "archiving is on without a command, so WAL is kept until the disk is full"


def vacuum_seconds(seen: Settings) -> float | None:
    """Return how long autovacuum takes for the largest table if it changes every page; None: without limit of speed.

    Source: PostgreSQL documentation, cost-based vacuum delay.
    """
    delay, limit = seen.number("autovacuum_vacuum_cost_delay"), seen.number("autovacuum_vacuum_cost_limit")
    delay = seen.number("vacuum_cost_delay") if delay is None or delay < 0 else delay
    limit = seen.number("vacuum_cost_limit") if limit is None or limit < 0 else limit
    cost = (seen.number("vacuum_cost_page_miss") or 0) + (seen.number("vacuum_cost_page_dirty") or 0)
    if not delay or not limit:
        return None
    return seen.facts.largest_bytes / 8192 * cost / limit * delay / 1000


_ON = "Switch it on (ALTER SYSTEM SET {name} = on; SELECT pg_reload_conf())."
_BLIND = "nobody sees what is going on, autovacuum neither"

RULES = (
    Rule("fsync", Severity.CRITICAL, _is("fsync", "off", "a crash of the machine destroys the databases"), _ON),
    Rule(
        "full_page_writes",
        Severity.CRITICAL,
        _is(
            "full_page_writes",
            "off",
            "a crash in the middle of a page destroys it, unless the file system copies on write",
        ),
        _ON,
    ),
    Rule(
        "zero_damaged_pages",
        Severity.CRITICAL,
        _is("zero_damaged_pages", "on", "a damaged page is emptied instead of reported"),
        "Switch it off, and restore what it emptied from a backup.",
    ),
    Rule(
        "ignore_checksum_failure",
        Severity.CRITICAL,
        _is("ignore_checksum_failure", "on", "damaged pages are read as if they were sound"),
        "Switch it off, and restore what is damaged from a backup.",
    ),
    Rule(
        "autovacuum",
        Severity.WARNING,
        _is("autovacuum", "off", "tables bloat and transaction ids run out"),
        _ON,
    ),
    Rule("track_counts", Severity.WARNING, _is("track_counts", "off", _BLIND), _ON),
    Rule("track_activities", Severity.WARNING, _is("track_activities", "off", "nobody sees what sessions do"), _ON),
    Rule(
        "password_encryption",
        Severity.WARNING,
        _is("password_encryption", "md5", "new passwords are stored as MD5, which is broken and going to be removed"),
        "Set it to scram-sha-256 and have passwords set anew.",
    ),
    Rule(
        "wal_level",
        Severity.WARNING,
        _is("wal_level", "minimal", "neither a base backup nor a standby can be made of this server"),
        "Set it to replica and restart the server.",
    ),
    Rule(
        "archive_command",
        Severity.CRITICAL,
        _archives_nowhere,
        "Set archive_command or archive_library, or switch archive_mode off.",
    ),
    Rule(
        "shared_buffers",
        Severity.WARNING,
        _small_buffers,
        "Set it to a quarter of the machine's memory and restart the server.",
    ),
    Rule(
        "effective_cache_size",
        Severity.WARNING,
        _small_cache_guess,
        "Set it to what the operating system and shared_buffers cache together: half of the memory or more.",
    ),
    Rule(
        "max_wal_size",
        Severity.WARNING,
        _forced_checkpoints,
        "Raise it until most checkpoints come by the clock (checkpoint_timeout).",
    ),
    Rule("checkpoint_timeout", Severity.WARNING, _hasty_checkpoints, "Set it to 5 minutes or more."),
    Rule("checkpoint_completion_target", Severity.WARNING, _sudden_checkpoints, "Set it to 0.9."),
    Rule(
        "idle_in_transaction_session_timeout",
        Severity.WARNING,
        _idle_for_ever,
        "Set it, for the application's role at least, to a few minutes.",
    ),
    Rule("log_lock_waits", Severity.WARNING, _silent_waits, _ON),
)

NAMES = frozenset(rule.setting for rule in RULES) | {
    "archive_mode",
    "archive_library",
    "autovacuum_vacuum_cost_delay",
    "autovacuum_vacuum_cost_limit",
    "vacuum_cost_delay",
    "vacuum_cost_limit",
    "vacuum_cost_page_dirty",
    "vacuum_cost_page_miss",
}
"""Settings that the rules ask for."""


def decide_settings(seen: Settings, situation: Situation) -> Decision:
    """Apply every rule; what is accepted on purpose is left out."""
    decision = Decision(metrics={"postgresql_superusers_total": seen.facts.superusers})
    for rule in RULES:
        why = rule.wrong(seen) if rule.setting not in seen.accepted else None
        if why:
            decision.findings.append(_finding(rule, why, seen, situation))
    decision.findings += _planner(seen, situation) + _waiting(seen, situation)
    decision.findings += _autovacuum(seen, situation)
    what = "roles that may log in and may do anything:"
    decision.findings += situation.thresholds.judge(
        "superusers", "postgresql.superusers", situation.subject, seen.facts.superusers, what
    )
    return decision


def _finding(rule: Rule, why: str, seen: Settings, situation: Situation) -> Finding:
    subject = f"{situation.subject} setting {rule.setting}"
    value = seen.text(rule.setting)
    message = f"{subject} is {value if value else 'empty'}: {why}"
    remedy = rule.remedy.format(name=rule.setting)
    if seen.settings[rule.setting].source == "command line":
        remedy += " It is set on the server's command line, which goes before every file: take it from there first."
    return Finding("postgresql.setting", rule.severity, subject, message, value, None, remedy)


def _planner(seen: Settings, situation: Situation) -> list[Finding]:
    """Name ways of the planner that are switched off for the whole server: a trial that somebody forgot."""
    off = [
        name
        for name, setting in sorted(seen.settings.items())
        if name.startswith("enable_")
        and seen.text(name) == "off"
        and setting.source != "default"
        and name not in seen.accepted
    ]
    remedy = "Switch it on again; if one query needs it off, set it for that query or role alone."
    return [
        _finding(
            Rule(name, Severity.WARNING, lambda _seen: None, remedy), "every plan has to do without it", seen, situation
        )
        for name in off
    ]


def _waiting(seen: Settings, situation: Situation) -> list[Finding]:
    names = sorted(name for name, setting in seen.settings.items() if setting.pending and name not in seen.accepted)
    if not names:
        return []
    message = f"{situation.subject}: {len(names)} settings wait for a restart of the server: {', '.join(names)}"
    remedy = "Restart the server at a quiet hour, or take the change back: nobody knows what the next start will bring."
    return [
        Finding("postgresql.restart_required", Severity.WARNING, situation.subject, message, len(names), None, remedy)
    ]


def _autovacuum(seen: Settings, situation: Situation) -> list[Finding]:
    name = "autovacuum_vacuum_cost_limit"
    if name in seen.accepted:
        return []
    subject = f"{situation.subject} setting {name}"
    size = format_size(seen.facts.largest_bytes)
    what = f"for a table of {size}, as the largest is, autovacuum at its present speed takes up to"
    return situation.thresholds.judge("autovacuum_seconds", "postgresql.setting", subject, vacuum_seconds(seen), what)
