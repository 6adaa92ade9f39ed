# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is read of partitions, and the mark on one that is on its way from its table to where it goes. Pure."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, NamedTuple

__all__ = ["Detached", "Mark", "Partition", "Partitions", "Scheme", "parse_mark", "write_mark"]

PREFIX = "dataops.upkeep retention: "
"""What a mark begins with. It is the table's comment, which goes with the table through everything."""


class Scheme(NamedTuple):
    """How a table is partitioned.

    :param column: the one column by whose ranges it is; empty where it is partitioned in another way.
    :param default: whether it has a default partition, beside which nothing can be detached concurrently.
    :param owned: whether the user may act as its owner.
    :param published: whether changes of its rows are sent to subscribers, who would not see a partition go.
    """

    column: str
    default: bool
    owned: bool
    published: bool


class Partition(NamedTuple):
    """A partition right below the table.

    :param bound: its bounds as FOR VALUES has them.
    :param low: the least value that it holds, None for no limit; ``high`` is the first value beyond.
    :param old: whether all the rows it may hold are older than the rule says.
    :param pending: whether an earlier DETACH CONCURRENTLY did not come to its end.
    :param rows: the planner's estimate of its rows; below zero: never counted.
    :param leaves: the tables below it that hold rows, itself if it is one.
    :param foreign_keys: its foreign keys, by name.
    :param fits: whether the archive can take it as it is: same columns, nothing in its range yet.
    """

    oid: int
    schema: str
    name: str
    bound: str
    low: str | None
    high: str | None
    old: bool
    pending: bool
    rows: float
    bytes: int
    comment: str
    owned: bool
    leaves: tuple[int, ...] | list[int]
    foreign_keys: tuple[str, ...] | list[str]
    fits: bool

    @property
    def parts(self) -> tuple[str, str]:
        """Schema and name."""
        return self.schema, self.name


class Detached(NamedTuple):
    """A table with a mark that is no partition any more."""

    schema: str
    name: str
    comment: str
    foreign_keys: tuple[str, ...] | list[str]

    @property
    def parts(self) -> tuple[str, str]:
        """Schema and name."""
        return self.schema, self.name


@dataclass(frozen=True)
class Mark:
    """What is written on a partition before it is detached.

    :param table: schema and name of the table that it was a partition of.
    :param bound: its bounds, to put it back or elsewhere.
    :param comment: the comment that it had.
    """

    rule: str
    table: tuple[str, str]
    bound: str
    comment: str


@dataclass(frozen=True)
class Partitions:
    """All of this for one rule.

    :param archive_ready: whether the archive takes partitions.
    :param counted: whether no more than a number of rows may be taken.
    """

    scheme: Scheme
    partitions: tuple[Partition, ...] = ()
    detached: tuple[Detached, ...] = ()
    archive_ready: bool = False
    counted: bool = False


def write_mark(mark: Mark) -> str:
    """Return the comment that a mark is."""
    content: dict[str, Any] = {
        "rule": mark.rule,
        "table": list(mark.table),
        "bound": mark.bound,
        "comment": mark.comment,
    }
    return PREFIX + json.dumps(content, ensure_ascii=False)


def parse_mark(comment: str) -> Mark | None:
    """Understand a comment; None if it is no mark."""
    if not comment.startswith(PREFIX):
        return None
    try:
        content = json.loads(comment[len(PREFIX) :])
        schema, name = content["table"]
        return Mark(str(content["rule"]), (str(schema), str(name)), str(content["bound"]), str(content["comment"]))
    except (ValueError, KeyError, TypeError):
        return None
