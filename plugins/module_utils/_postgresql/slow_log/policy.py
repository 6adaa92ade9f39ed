# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What logging of slow statements is to be like. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from ..._core.arguments import ArgumentSpec
from ..._core.errors import InvalidInput

__all__ = ["Policy", "policy_of", "slow_log_arguments"]

MOST = 2**31 - 1
"""Largest value of an integer setting."""


class Policy(NamedTuple):
    """What is wanted.

    :param scope: ``server``, ``database`` or ``role``: whose settings are changed.
    :param role: which role's.
    :param wanted: setting to value.
    :param records: whether pg_stat_statements is to be set up.
    :param schema: where the extension is put.
    """

    scope: str
    role: str | None
    wanted: Mapping[str, str]
    records: bool
    schema: str


def slow_log_arguments() -> ArgumentSpec:
    """The module's own options."""
    return ArgumentSpec(
        {
            "state": {"type": "str", "choices": ["enabled", "disabled"], "default": "enabled"},
            "slow_ms": {"type": "int", "default": 1000},
            "sample_ms": {"type": "int"},
            "sample_rate": {"type": "float"},
            "parameter_length": {"type": "int", "default": 0},
            "scope": {"type": "str", "choices": ["server", "database", "role"], "default": "server"},
            "role": {"type": "str"},
            "statements": {"type": "bool", "default": True},
            "schema": {"type": "str", "default": "public"},
        },
        required_if=(("scope", "role", ("role",)),),
        required_together=(("sample_ms", "sample_rate"),),
    )


def policy_of(params: Mapping[str, Any]) -> Policy:
    """Understand the options.

    :raises InvalidInput: a number is beyond what the server takes.
    """
    if params["scope"] != "role" and params.get("role") is not None:
        raise InvalidInput("role", f"the scope is {params['scope']}, not role", "Give scope: role, or leave role out.")
    enabled = params["state"] == "enabled"
    off = {"log_min_duration_statement": "-1", "log_min_duration_sample": "-1"}
    return Policy(
        scope=params["scope"],
        role=params["role"] if params["scope"] == "role" else None,
        wanted=_wanted(params) if enabled else off,
        records=enabled and params["statements"],
        schema=params["schema"],
    )


def _wanted(params: Mapping[str, Any]) -> dict[str, str]:
    wanted = {
        "log_min_duration_statement": _whole(params, "slow_ms", 0),
        "log_parameter_max_length": _whole(params, "parameter_length", -1),
    }
    if params["sample_ms"] is not None:
        rate = params["sample_rate"]
        if not 0 <= rate <= 1:
            raise InvalidInput("sample_rate", f"{rate} is no share", "Give a number from 0 to 1.")
        wanted["log_min_duration_sample"] = _whole(params, "sample_ms", 0)
        wanted["log_statement_sample_rate"] = str(rate)
    return wanted


def _whole(params: Mapping[str, Any], option: str, least: int) -> str:
    value = params[option]
    if not least <= value <= MOST:
        raise InvalidInput(option, f"{value} is out of range", f"Give a number from {least} to {MOST}.")
    return str(value)
