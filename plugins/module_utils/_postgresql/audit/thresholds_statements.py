# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The limits of what statements may cost, with where each comes from."""

from __future__ import annotations

from ..._core.threshold import Threshold

__all__ = ["STATEMENT_THRESHOLDS"]

_EXPLAIN = "Look at its plan: declare it in the option queries and run the check plans, or EXPLAIN it by hand."

STATEMENT_THRESHOLDS = (
    Threshold(
        "statement_mean_milliseconds",
        "milliseconds",
        20,
        remedy=_EXPLAIN,
        source="PgHero (20 ms)",
    ),
    Threshold(
        "statement_calls",
        "count",
        99,
        remedy="Nothing has to be done: a statement is judged by its mean and its hits once it was called more often.",
        source="PgHero (100 calls)",
    ),
    Threshold(
        "statement_load_percent",
        "percent",
        25,
        100,
        remedy=f"Make it quicker, or ask for it less often (cache its result). {_EXPLAIN}",
        source="a statement that keeps one connection busy for a quarter of the time leads every list of what to mend",
    ),
    Threshold(
        "statement_temporary_bytes",
        "bytes",
        1024**3,
        remedy="Sort or join fewer rows, add an index in the order that is asked for, or raise work_mem for its role.",
        source="as temporary_bytes_per_hour of postgresql_health_info",
    ),
    Threshold(
        "statement_hit_percent",
        "percent",
        90,
        below=True,
        remedy=f"It reads more than the cache holds, often a whole table. {_EXPLAIN}",
        source="as cache_hit_percent of postgresql_health_info",
    ),
    Threshold(
        "statements_evicted",
        "count",
        0,
        remedy="Raise pg_stat_statements.max (needs a restart), or find what makes each statement a new one: "
        "lists of changing length, generated names.",
        source="each eviction throws away the least used twentieth, so the list has gaps",
    ),
)
