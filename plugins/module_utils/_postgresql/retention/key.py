# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The key of what is made anonymous: how the server gets it, and when it must not. Pure.

It travels once for each run, apart from any statement's text, and stays in settings of the session that no other
session sees; the statements that use it name the settings only.
"""

from __future__ import annotations

import hashlib
from typing import NamedTuple

from ..._core.errors import InvalidInput
from ..statement import Statement

__all__ = ["LOG_SETTINGS", "LogSettings", "check_key", "hand_over", "hush", "may_set", "why_logged"]

LEAST_BYTES = 16
"""A key shorter than 128 bits can be found by trying. Source: NIST SP 800-107r1, section 5.3.2 asks for 112."""
BLOCK = 64
"""Bytes of SHA-256's block. Source: RFC 2104, FIPS 180-4."""

LOG_SETTINGS = """
SELECT current_setting('log_statement') AS statements,
    (SELECT setting::int FROM pg_settings WHERE name = 'log_min_duration_statement') AS least_ms,
    (SELECT setting::int FROM pg_settings WHERE name = 'log_min_duration_sample') AS least_sampled_ms,
    current_setting('log_transaction_sample_rate')::float8 AS sampled,
    (SELECT setting::int FROM pg_settings WHERE name = 'log_parameter_max_length') AS parameter_bytes,
    coalesce(current_setting('pgaudit.log_parameter', true), 'off') = 'on' AS audited,
    coalesce(current_setting('auto_explain.log_min_duration', true), '-1') = '0'
        AND coalesce(current_setting('auto_explain.log_parameter_max_length', true), '-1') <> '0' AS explained,
    {may_set} AS may_set"""
"""Which of its parameters the server writes to its log; ``may_set`` differs by version."""


class LogSettings(NamedTuple):
    """What the server logs of a statement's parameters.

    :param least_ms: milliseconds from which a statement is logged; -1 for never.
    :param parameter_bytes: of each parameter's text in the log; -1 for all of it.
    :param may_set: whether this user may change ``log_parameter_max_length`` for the session.
    """

    statements: str
    least_ms: int
    least_sampled_ms: int
    sampled: float
    parameter_bytes: int
    audited: bool
    explained: bool
    may_set: bool


def may_set(version: int) -> str:
    """Return SQL of whether this user may set ``log_parameter_max_length``. Source: documentation of GRANT, 15."""
    if version >= 150000:
        return "has_parameter_privilege('log_parameter_max_length', 'SET')"
    return "(SELECT rolsuper FROM pg_roles WHERE rolname = current_user)"


def check_key(key: str, option: str = "key") -> None:
    """Make sure that a key is one.

    :raises InvalidInput: it is too short to keep anything secret.
    """
    if len(key.encode()) < LEAST_BYTES:
        raise InvalidInput(
            option, f"it is shorter than {LEAST_BYTES} bytes", "Make one with: openssl rand -hex 32; and keep it safe."
        )


def why_logged(settings: LogSettings) -> str:
    """Return why the server would keep a record of the key, in its log or elsewhere; empty if it would not."""
    may_hush = settings.may_set or settings.parameter_bytes == 0
    reasons = {
        "pgaudit.log_parameter is on": settings.audited,
        "auto_explain logs every statement with its parameters": settings.explained,
        "log_statement is all": settings.statements == "all" and not may_hush,
        "every statement is logged with its duration": 0 in (settings.least_ms, settings.least_sampled_ms)
        and not may_hush,
        "log_transaction_sample_rate is above 0": settings.sampled > 0 and not may_hush,
    }
    return next((reason for reason, holds in reasons.items() if holds), "")


def hush() -> Statement:
    """Return the statement that keeps parameters out of the server's log for this session."""
    return Statement("SET log_parameter_max_length = 0")


def hand_over(key: str) -> Statement:
    """Return the statement that gives the session the key, as the two pads of HMAC. Source: RFC 2104, section 2."""
    raw = key.encode()
    if len(raw) > BLOCK:
        raw = hashlib.sha256(raw).digest()
    padded = raw.ljust(BLOCK, b"\0")
    pads = {
        "outer": bytes(byte ^ 0x5C for byte in padded).hex(),
        "inner": bytes(byte ^ 0x36 for byte in padded).hex(),
    }
    return Statement(
        "SELECT set_config('upkeep.outer_pad', %(outer)s, false), set_config('upkeep.inner_pad', %(inner)s, false)",
        parameters=pads,
    )
