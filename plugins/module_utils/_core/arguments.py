# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Argument specs that are put together from fragments, with the rules that belong to them."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

__all__ = ["ArgumentSpec", "check_arguments", "common_arguments", "connection_arguments", "state_arguments"]


@dataclass(frozen=True)
class ArgumentSpec:
    """Options and the rules over them, as AnsibleModule takes them.

    :param options: the options by name.
    :param required_if: as AnsibleModule's; likewise the others.
    """

    options: Mapping[str, Mapping[str, Any]]
    required_if: Sequence[Sequence[Any]] = field(default_factory=tuple)
    required_together: Sequence[Sequence[str]] = field(default_factory=tuple)
    required_one_of: Sequence[Sequence[str]] = field(default_factory=tuple)
    mutually_exclusive: Sequence[Sequence[str]] = field(default_factory=tuple)

    def merge(self, *others: ArgumentSpec) -> ArgumentSpec:
        """Return one spec with the options and rules of all.

        :raises ValueError: an option is defined twice.
        """
        options: dict[str, Any] = {}
        for spec in (self, *others):
            twice = sorted(set(options) & set(spec.options))
            if twice:
                raise ValueError(f"options defined twice: {', '.join(twice)}")
            options.update(copy.deepcopy(dict(spec.options)))
        rules: dict[str, list[Any]] = {
            rule: [entry for spec in (self, *others) for entry in getattr(spec, rule)]
            for rule in ("required_if", "required_together", "required_one_of", "mutually_exclusive")
        }
        return ArgumentSpec(options, **rules)

    def as_module_arguments(self) -> dict[str, Any]:
        """Return the keyword arguments for AnsibleModule."""
        return {
            "argument_spec": copy.deepcopy(dict(self.options)),
            "required_if": list(self.required_if),
            "required_together": list(self.required_together),
            "required_one_of": list(self.required_one_of),
            "mutually_exclusive": list(self.mutually_exclusive),
        }


def common_arguments(deadline: str = "60s") -> ArgumentSpec:
    """Options of every module. Documented in the fragment ``common``."""
    return ArgumentSpec({"deadline": {"type": "str", "default": deadline}})


def connection_arguments(**more: Mapping[str, Any]) -> ArgumentSpec:
    """Options of every module that connects to a store. Documented in the fragment named after the store.

    No default is set here for what an environment variable may give; :mod:`.connection` resolves them.

    :param more: options that only this store has.
    """
    return ArgumentSpec(
        {
            "uri": {"type": "str", "no_log": True},
            "login_host": {"type": "str"},
            "login_port": {"type": "int"},
            "login_user": {"type": "str"},
            "login_password": {"type": "str", "no_log": True},
            "login_db": {"type": "str"},
            "tls": {"type": "bool"},
            "validate_certs": {"type": "bool", "default": True},
            "ca_cert": {"type": "path"},
            "client_cert": {"type": "path"},
            "client_key": {"type": "path"},
            "connect_timeout": {"type": "str", "default": "5s"},
            **more,
        },
        mutually_exclusive=(("uri", "login_host"), ("uri", "login_port")),
        required_together=(("client_cert", "client_key"),),
    )


def check_arguments(checks: Sequence[str], default: Sequence[str] | None = None) -> ArgumentSpec:
    """Options of every ``*_health_info`` and ``*_audit_info`` module. Documented in the fragment ``checks``.

    :param checks: the names of the checks there are.
    :param default: those that run if none is chosen; None: all of them.
    """
    standard = list(checks if default is None else default)
    return ArgumentSpec(
        {
            "checks": {"type": "list", "elements": "str", "choices": list(checks), "default": standard},
            "thresholds": {"type": "dict", "default": {}},
        }
    )


def state_arguments() -> ArgumentSpec:
    """The option that says where memory between runs is kept. Documented in the fragment ``state``."""
    return ArgumentSpec({"state": {"type": "str"}})
