# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the user wants of a run, in numbers. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from ..._core.errors import InvalidInput
from ..._core.units import parse_duration, parse_size

__all__ = ["Policy"]

KIB = 1024
LEAST_BUFFER_KIB = 128
MOST_BUFFER_KIB = 16 * KIB * KIB
"""Limits of BUFFER_USAGE_LIMIT. Source: PostgreSQL documentation, VACUUM."""
MOST_WORKERS = 1024
"""Limit of PARALLEL. Source: likewise."""
MOST_DELAY_MS = 100
"""Limit of vacuum_cost_delay. Source: PostgreSQL documentation, runtime configuration."""


class Policy(NamedTuple):
    """The module's options, checked.

    :param jobs: tables at once.
    :param need_ratio: how much of what makes autovacuum begin is enough to begin here.
    :param index_workers: PARALLEL; None for what the server chooses.
    :param buffer_kib: BUFFER_USAGE_LIMIT; None for what the server chooses.
    :param truncate: ``auto``, ``allow`` or ``avoid``.
    :param cost_delay_ms: vacuum_cost_delay; None for what the server has.
    :param min_bloat_percent: how much of a table must be free space for it to be rewritten.
    :param free_space: bytes free where the server's data lie, if the user says so.
    """

    mode: str
    jobs: int
    need_ratio: float
    order: str
    index_workers: int | None
    buffer_kib: int | None
    truncate: str
    cost_delay_ms: float | None
    allow_exclusive_lock: bool
    min_bloat_percent: float
    min_size: int
    rewrite_max_size: int
    rewrite_methods: tuple[str, ...]
    free_space: int | None

    @classmethod
    def of(cls, params: Mapping[str, Any]) -> Policy:
        """Check the options.

        :raises InvalidInput: one of them makes no sense.
        """
        _hold("need_ratio", params["need_ratio"], 0, None, "Give a number above 0; 1 is where autovacuum begins.")
        _hold("min_bloat_percent", params["min_bloat_percent"], 0, 100, "Give a percentage above 0, 100 at most.")
        if params["jobs"] < 1:
            raise InvalidInput("jobs", f"{params['jobs']} is out of range", "Give 1 or more.")
        workers, buffer, delay = params["index_workers"], params["buffer_usage_limit"], params["cost_delay"]
        if workers is not None and not 0 <= workers <= MOST_WORKERS:
            raise InvalidInput("index_workers", f"{workers} is out of range", f"Give 0 to {MOST_WORKERS}.")
        buffer_bytes = None if buffer is None else parse_size(buffer, "buffer_usage_limit")
        if buffer_bytes and not LEAST_BUFFER_KIB * KIB <= buffer_bytes <= MOST_BUFFER_KIB * KIB:
            raise InvalidInput("buffer_usage_limit", f"{buffer} is out of range", "Give 0, or 128KiB to 16GiB.")
        delay_ms = None if delay is None else parse_duration(delay, "cost_delay") * 1000
        if delay_ms is not None and delay_ms > MOST_DELAY_MS:
            raise InvalidInput("cost_delay", f"{delay} is out of range", "Give 0 to 0.1 seconds, such as 0.002.")
        free = params["free_space"]
        return cls(
            params["mode"],
            params["jobs"],
            params["need_ratio"],
            params["order"],
            workers,
            None if buffer_bytes is None else buffer_bytes // KIB,
            params["truncate"],
            delay_ms,
            params["allow_exclusive_lock"],
            params["min_bloat_percent"],
            parse_size(params["min_size"], "min_size"),
            parse_size(params["rewrite_max_size"], "rewrite_max_size"),
            tuple(params["rewrite_methods"]),
            None if free is None else parse_size(free, "free_space"),
        )


def _hold(option: str, value: float, above: float, most: float | None, remedy: str) -> None:
    """Refuse a number that is not above ``above``, or is above ``most``; NaN is neither."""
    if not value > above or (most is not None and value > most) or value == float("inf"):
        raise InvalidInput(option, f"{value} is out of range", remedy)
