# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Asks the planner about a SELECT that is not run, which needs no right to write and leaves no trace."""

from __future__ import annotations

from typing import Any

from ..client import PostgresqlClient
from ..statement import Statement

__all__ = ["explained"]

SECONDS = 10.0


class _Row(dict[str, Any]):
    """The one column of EXPLAIN, whose name no attribute can have."""


def explained(client: PostgresqlClient, tried: str, table: tuple[str, ...], columns: str, where: str = "") -> Any:
    """Return the topmost node of the plan that reads one table, without its partitions.

    :param tried: what it is for.
    :param columns: SQL expressions; ``where`` a condition in parentheses, or empty.
    :raises StoreError: the server cannot read the SQL, or its planner may not look at the table now.
    """
    statement = Statement(
        "EXPLAIN (VERBOSE, FORMAT JSON) SELECT {columns} FROM ONLY {table}{where}",
        {"table": table},
        parts={"columns": columns, "where": f" WHERE {where}" if where else ""},
    )
    (row,) = client.fetch(tried, statement, _Row, SECONDS)
    return row["QUERY PLAN"][0]["Plan"]
