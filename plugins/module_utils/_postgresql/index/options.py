# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The options that say what counts as an unused index. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..._core.arguments import ArgumentSpec, connection_arguments
from ..._core.errors import InvalidInput
from ..._core.units import parse_age, parse_size
from .observation import Policy

__all__ = ["policy_of", "unused_arguments"]


def unused_arguments() -> ArgumentSpec:
    """Options of every module that looks for unused indexes. Documented in the fragment ``postgresql_indexes``."""
    address = connection_arguments()
    replica = {name: {**option} for name, option in address.options.items()}
    # What a standby does not say, it has from the primary.
    for option in replica.values():
        option.pop("default", None)
    return ArgumentSpec(
        {
            "unused_after": {"type": "str", "default": "30d"},
            "min_size": {"type": "str", "default": "10MB"},
            "max_scans": {"type": "int", "default": 0},
            "replicas": {
                "type": "list",
                "elements": "dict",
                "default": [],
                "options": replica,
                "mutually_exclusive": list(address.mutually_exclusive),
                "required_one_of": [["uri", "login_host"]],
            },
        }
    )


def policy_of(params: Mapping[str, Any]) -> Policy:
    """Return what counts as unused.

    :raises InvalidInput: an option cannot be understood.
    """
    if params["max_scans"] < 0:
        raise InvalidInput("max_scans", f"{params['max_scans']} is no number of scans", "Give 0 or more.")
    return Policy(
        parse_age(params["unused_after"], "unused_after").seconds,
        parse_size(params["min_size"], "min_size"),
        params["max_scans"],
    )
