# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Holds keys to what the option ``policies`` demands of their TTL. Pure."""

from __future__ import annotations

from ..._core.finding import Finding
from ..._core.health import Situation
from ..._core.redact import single_line
from ..._core.result import metric_name
from ..._core.runner import Decision
from ..._core.units import format_duration
from .decide_keyspace import about, left_out, pass_metrics
from .observation import KeySpace, RuleCount

__all__ = ["decide_policy"]


def decide_policy(seen: KeySpace, situation: Situation) -> Decision:
    """Judge what each rule met."""
    decision = Decision(left_out(seen, situation), metrics=pass_metrics(seen))
    for rule in seen.rules:
        name = single_line(rule.pattern)
        decision.metrics[metric_name("redis_policy_keys", pattern=name)] = rule.keys
        decision.metrics[metric_name("redis_policy_keys_without_ttl", pattern=name)] = rule.lasting
        decision.metrics[metric_name("redis_policy_keys_too_long", pattern=name)] = rule.too_long
        decision.findings += _missing(rule, f"{situation.subject} {name}", seen, situation)
        decision.findings += _too_long(rule, f"{situation.subject} {name}", seen, situation)
    return decision


def _missing(rule: RuleCount, subject: str, seen: KeySpace, situation: Situation) -> list[Finding]:
    if not rule.required:
        return []
    what = f"of {rule.keys} keys{about(seen)}, those without the TTL that they need:"
    return situation.thresholds.judge("ttl_missing", "redis.ttl_missing", subject, rule.lasting, what)


def _too_long(rule: RuleCount, subject: str, seen: KeySpace, situation: Situation) -> list[Finding]:
    if rule.max_ttl is None:
        return []
    what = (
        f"of {rule.keys} keys{about(seen)}, those that live on for longer than {format_duration(rule.max_ttl)}, "
        f"{format_duration(rule.longest)} at the most:"
    )
    return situation.thresholds.judge("ttl_too_long", "redis.ttl_too_long", subject, rule.too_long, what)
