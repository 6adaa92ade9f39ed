# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is read of the plans of declared queries. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from ..server import Server

__all__ = ["Node", "Plan", "Plans", "TableRead", "steps"]

Node = Mapping[str, Any]
"""A node of a plan as EXPLAIN (FORMAT JSON) gives it."""


class TableRead(NamedTuple):
    """A table that a plan reads.

    :param rows: as the planner knows it; below zero: it was never analyzed.
    :param columns: the names of its columns.
    :param leading: the first columns of its indexes.
    """

    schema: str
    name: str
    rows: float
    columns: tuple[str, ...] | list[str]
    leading: tuple[str, ...] | list[str]


class Plan(NamedTuple):
    """The plan of one declared query.

    :param root: its topmost node; None: there is none.
    :param problem: why there is none, free of the query's data.
    :param denied: whether a right is missing.
    """

    name: str
    root: Node | None
    problem: str = ""
    denied: bool = False


class Plans(NamedTuple):
    """The plans, and the tables in them. :param work_memory: bytes that a sort may take."""

    server: Server
    plans: tuple[Plan, ...]
    tables: tuple[TableRead, ...] = ()
    work_memory: int = 4 * 1024**2


def steps(root: Node, above: tuple[Node, ...] = ()) -> Iterator[tuple[Node, tuple[Node, ...]]]:
    """Go through a plan: every node with those above it, the nearest last."""
    yield root, above
    for child in root.get("Plans", ()):
        yield from steps(child, (*above, root))
