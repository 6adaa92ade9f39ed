# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Judges the largest keys, by bytes and by elements. Pure."""

from __future__ import annotations

from ..._core.finding import Finding
from ..._core.health import Situation
from ..._core.result import metric_name
from ..._core.runner import Decision
from ..._core.severity import Severity
from ..._core.units import format_size
from .decide_keyspace import about, left_out, pass_metrics
from .observation import KeySpace, LargeKey
from .worst import worst

__all__ = ["decide_big_keys"]


def decide_big_keys(seen: KeySpace, situation: Situation) -> Decision:
    """Report the largest keys and judge them; a key that is too large in both ways is one finding."""
    decision = Decision(left_out(seen, situation), metrics=pass_metrics(seen))
    for key in seen.by_size:
        decision.metrics[metric_name("redis_key_bytes", key=key.name, type=key.kind)] = key.size
    for key in seen.by_elements:
        decision.metrics[metric_name("redis_key_elements", key=key.name, type=key.kind)] = key.elements
    findings = {key: found for key in seen.by_size for found in _by_size(key, seen, situation)}
    for key in seen.by_elements:
        for found in _by_elements(key, seen, situation):
            if key not in findings or found.severity.rank > findings[key].severity.rank:
                findings[key] = found
    ordered = sorted(findings, key=lambda key: (-findings[key].severity.rank, -key.size, key.name))
    decision.findings += worst([findings[key] for key in ordered], "big keys", situation)
    if not seen.sized:
        decision.findings.append(_unknown(situation))
    return decision


def _unknown(situation: Situation) -> Finding:
    """Sizes that may not be asked for are unknown, and unknown is not ok."""
    message = f"{situation.subject}: could not ask for the size of keys (MEMORY USAGE), so big ones stay unknown"
    remedy = "Grant the user this command with ACL SETUSER: +memory|usage."
    subject = f"{situation.subject} big_keys"
    return Finding("redis.access_denied", Severity.WARNING, subject, message, "big_keys", None, remedy)


def _by_size(key: LargeKey, seen: KeySpace, situation: Situation) -> list[Finding]:
    elements = f" of {key.elements} {_elements(key)}" if key.elements else ""
    what = f"a {key.kind} ({key.encoding}){elements}{about(seen)} takes"
    return situation.thresholds.judge(
        "key_bytes", "redis.big_key", f"{situation.subject} {key.name}", float(key.size), what
    )


def _by_elements(key: LargeKey, seen: KeySpace, situation: Situation) -> list[Finding]:
    """Judge a collection. A queue's lists are as long as the queue is, which the queue's own check judges."""
    if key.queue:
        return []
    what = f"a {key.kind} ({key.encoding}) of {format_size(key.size)}{about(seen)} has {_elements(key)}:"
    return situation.thresholds.judge(
        "key_elements", "redis.big_key", f"{situation.subject} {key.name}", float(key.elements), what
    )


def _elements(key: LargeKey) -> str:
    return {"hash": "fields", "set": "members", "zset": "members", "stream": "entries"}.get(key.kind, "elements")
