# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The limits of the checks of indexes, with where each comes from."""

from __future__ import annotations

from ..._core.threshold import Threshold

__all__ = ["INDEX_THRESHOLDS"]

INDEX_THRESHOLDS = (
    Threshold(
        "foreign_key_rows",
        "count",
        1000,
        remedy="Create an index that begins with the foreign key's columns, with CREATE INDEX CONCURRENTLY, or declare "
        "it in indexes of postgresql_index.",
        source="each delete in the other table reads this one whole; below a thousand rows that is a few pages",
    ),
    Threshold(
        "sequential_rows",
        "count",
        10_000,
        remedy="Find the statements that read it whole (check queries), and give their conditions an index.",
        source="PgHero (10,000 rows and less than 95 % of the scans by an index)",
    ),
    Threshold(
        "index_use_percent",
        "percent",
        95,
        below=True,
        remedy="Find the statements that read it whole (check queries), and give their conditions an index.",
        source="PgHero (10,000 rows and less than 95 % of the scans by an index)",
    ),
    Threshold(
        "index_saving_percent",
        "percent",
        50,
        remedy="Try it: declare the index in postgresql_index, and look at the query's plan and at the cost of writes.",
        source="Dexter (an index is worth it from half the cost on)",
    ),
)
