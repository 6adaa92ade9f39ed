# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The limits of the plans of declared queries, with where each comes from."""

from __future__ import annotations

from ..._core.threshold import Threshold

__all__ = ["PLAN_THRESHOLDS"]

PLAN_THRESHOLDS = (
    Threshold(
        "plan_table_rows",
        "count",
        10_000,
        remedy="Nothing has to be done: how a smaller table is read does not matter.",
        source="PgHero (10 000 rows)",
    ),
    Threshold(
        "plan_returned_percent",
        "percent",
        10,
        below=True,
        remedy="Let an index lead to the rows that are wanted.",
        source="requirement P4; by random_page_cost a row by index costs about four rows in sequence, or more",
    ),
    Threshold(
        "plan_nested_rows",
        "count",
        1_000_000,
        remedy="Let an index on the inner table's columns of the join find its rows, or ANALYZE both tables.",
        source="a million comparisons are about a tenth of a second",
    ),
    Threshold(
        "plan_sort_bytes",
        "bytes",
        64 * 1024**2,
        remedy="Sort fewer rows or columns, add an index in this order, or raise work_mem for the role that asks.",
        source="sixteen times the default of work_mem; below, the cache of the operating system takes it",
    ),
    Threshold(
        "plan_estimate_ratio",
        "ratio",
        100,
        remedy="ANALYZE the table; raise the column's statistics target, or CREATE STATISTICS over columns that depend "
        "on each other.",
        source="from two orders of magnitude on, the order and kind of joins are a matter of luck",
    ),
)
