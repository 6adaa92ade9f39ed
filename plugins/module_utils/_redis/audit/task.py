# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The checks of an audit, and the task that makes them."""

from __future__ import annotations

from ..._core.arguments import ArgumentSpec
from ..._core.connection import Connection
from ..._core.dependency import REDIS
from ..._core.errors import InvalidInput
from ..._core.health import Check, HealthTask
from ..._core.runner import Context
from ..._core.threshold import Thresholds
from ..._core.units import parse_age, parse_duration
from ..client import DEFAULTS
from ..decide_latency import remember_slow_log
from ..observations import SlowLog
from ..observe_latency import observe_slow_log
from ..observe_server import identify
from .decide_big_keys import decide_big_keys
from .decide_exposure import decide_exposure
from .decide_keyspace import decide_keyspace
from .decide_policy import decide_policy
from .decide_settings import decide_settings
from .decide_slow_commands import decide_slow_commands
from .observation import KeySpace
from .observe_configuration import observe_exposure, observe_settings
from .rules import parse_rules, rule_arguments
from .session import AuditSession, open_session
from .thresholds import AUDIT_THRESHOLDS

__all__ = ["CHECKS", "audit_arguments", "redis_audit"]


def _key_space(session: AuditSession, _context: Context) -> KeySpace:
    return session.take()


def _slow_log(session: AuditSession, context: Context) -> SlowLog:
    return observe_slow_log(session.client, context)


CHECKS: tuple[Check[AuditSession], ...] = (
    Check("keyspace", _key_space, decide_keyspace),
    Check("policy", _key_space, decide_policy),
    Check("big_keys", _key_space, decide_big_keys),
    Check("slow_log", _slow_log, decide_slow_commands, remember_slow_log),
    Check("settings", observe_settings, decide_settings),
    Check("exposure", observe_exposure, decide_exposure),
)


def audit_arguments() -> ArgumentSpec:
    """Options that only the audit has."""
    return ArgumentSpec(
        {
            "idle_after": {"type": "str", "default": "30d"},
            "scan_seconds": {"type": "str", "default": "45s"},
            "sample": {"type": "int"},
            "accepted_settings": {"type": "list", "elements": "str", "default": []},
        }
    ).merge(rule_arguments())


def redis_audit(context: Context) -> HealthTask[AuditSession]:
    """Make the task.

    :raises InvalidInput: an option cannot be understood.
    :raises MissingDependency: redis-py is absent or too old.
    """
    params = context.params
    parse_rules(params["policies"])
    if parse_age(params["idle_after"], "idle_after").seconds <= 0:
        raise InvalidInput("idle_after", "it makes every key one that nobody uses", "Give an age above zero.")
    if parse_duration(params["scan_seconds"], "scan_seconds") <= 0:
        raise InvalidInput("scan_seconds", "it leaves no time to look at keys", "Give a duration above zero, as 45s.")
    if params["sample"] is not None and params["sample"] < 1:
        raise InvalidInput("sample", f"{params['sample']} is no number of keys", "Give 1 or more, or leave it away.")
    target = Connection.of(context, DEFAULTS)
    thresholds = Thresholds(AUDIT_THRESHOLDS, params["thresholds"])
    REDIS.load()
    return HealthTask(
        context,
        kind="redis",
        label=target.label,
        connect=lambda: open_session(target, context),
        identify=lambda session: identify(session.client),
        checks=CHECKS,
        thresholds=thresholds,
        depth="audit",
    )
