# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is read of a source: SQL, a find or an aggregation, a file. Checked, and told without the data in it. Pure."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import PurePath
from typing import Any, NamedTuple, Protocol

from .._core.errors import InvalidInput
from .._postgresql.literals import redacted, tokens

__all__ = ["FileQuery", "MongodbQuery", "PostgresqlQuery", "Query", "parse_query"]

MONGODB_FORM = "Write {collection: users, filter: {...}}, with projection, sort and limit, or with pipeline: [...]."
_FIND = ("filter", "projection", "sort", "limit")
_WRITING = ("$out", "$merge")


class Query(Protocol):
    """What is read."""

    @property
    def told(self) -> str:
        """What is read, for people: names of tables, collections and fields, no constants."""


class PostgresqlQuery(NamedTuple):
    """One SELECT."""

    sql: str

    @property
    def told(self) -> str:
        """The SQL without constants."""
        return redacted(self.sql)


class MongodbQuery(NamedTuple):
    """A find, or an aggregation where there is a pipeline. :param database: empty: the connection's."""

    collection: str
    filter: Mapping[str, Any] = {}
    projection: Any = None
    sort: tuple[tuple[str, int], ...] = ()
    limit: int = 0
    pipeline: tuple[Mapping[str, Any], ...] | None = None
    database: str = ""

    @property
    def told(self) -> str:
        """The collection, and the fields of the filter or the stages."""
        if self.pipeline is not None:
            return f"{self.collection}.aggregate({', '.join(next(iter(stage)) for stage in self.pipeline)})"
        limit = f", limit {self.limit}" if self.limit else ""
        return f"{self.collection}.find({', '.join(f'{field}: ?' for field in self.filter)}){limit}"


class FileQuery(NamedTuple):
    """A file of CSV, of JSON lines, or of one array in JSON."""

    path: str

    @property
    def told(self) -> str:
        """Its path."""
        return self.path


def parse_query(source: str, given: Any, option: str) -> Query:
    """Understand what is to be read.

    :raises InvalidInput: it is nothing that this source could be asked, or it would write.
    """
    if source == "mongodb":
        return _mongodb(given, option)
    if not isinstance(given, str) or not given.strip() or "\0" in given:
        form = "Write one SELECT." if source == "postgresql" else "Write the file's path."
        raise InvalidInput(option, "it is no text", form)
    if source == "file":
        if not PurePath(given).is_absolute():
            raise InvalidInput(option, f"{given!r} is no absolute path", "Write the file's whole path.")
        return FileQuery(given)
    return PostgresqlQuery(_select(given, option))


def _select(sql: str, option: str) -> str:
    """Return one SELECT without the semicolon at its end. That it changes nothing the server sees to."""
    pieces = [token for token in tokens(sql) if token.kind != "space"]
    if pieces and pieces[-1].text == ";":
        pieces.pop()
        sql = sql[: sql.rindex(";")]
    if any(token.kind == "mark" and token.text == ";" for token in pieces):
        raise InvalidInput(option, "it is more than one statement", "Write each as an entry of its own.")
    first = next((token.text.upper() for token in pieces if token.text != "("), "")
    if first not in ("SELECT", "WITH", "VALUES", "TABLE"):
        raise InvalidInput(option, "it is no SELECT", "Write a query that reads, as SELECT id, name FROM users.")
    return sql


def _mongodb(given: Any, option: str) -> MongodbQuery:
    if isinstance(given, str):
        try:
            given = json.loads(given)
        except ValueError:
            raise InvalidInput(option, "its text is no JSON", MONGODB_FORM) from None
    if not isinstance(given, Mapping) or not isinstance(given.get("collection"), str) or not given["collection"]:
        raise InvalidInput(option, "it names no collection", MONGODB_FORM)
    unknown = sorted(str(name) for name in given.keys() - {*_FIND, "collection", "database", "pipeline"})
    if unknown:
        raise InvalidInput(option, f"{unknown[0]} is not known here", MONGODB_FORM)
    database = str(given.get("database") or "")
    if given.get("pipeline") is not None:
        if any(given.get(name) for name in _FIND):
            raise InvalidInput(option, "a pipeline and a find do not go together", MONGODB_FORM)
        pipeline = _pipeline(given["pipeline"], f"{option}.pipeline")
        return MongodbQuery(given["collection"], pipeline=pipeline, database=database)
    if not isinstance(given.get("filter") or {}, Mapping):
        raise InvalidInput(f"{option}.filter", "it is no document", MONGODB_FORM)
    if not isinstance(given.get("projection") or {}, (Mapping, list, tuple)):
        raise InvalidInput(
            f"{option}.projection", "it is no document", "Write {name: 1, email: 1}, or a list of names."
        )
    limit = given.get("limit") or 0
    if isinstance(limit, bool) or not str(limit).isdecimal():
        raise InvalidInput(f"{option}.limit", "it is no number from 0 on", "Leave it away, or give 1 or more.")
    return MongodbQuery(
        given["collection"],
        given.get("filter") or {},
        given.get("projection") or None,
        _sort(given.get("sort"), f"{option}.sort"),
        int(limit),
        database=database,
    )


def _pipeline(given: Any, option: str) -> tuple[Mapping[str, Any], ...]:
    if not isinstance(given, (list, tuple)) or not all(
        isinstance(stage, Mapping) and len(stage) == 1 for stage in given
    ):
        raise InvalidInput(option, "it is no list of stages", 'Write [{"$match": {...}}, {"$project": {...}}].')
    for stage in given:
        if next(iter(stage)) in _WRITING:
            raise InvalidInput(option, f"{next(iter(stage))} writes", "Write a pipeline that only reads.")
    return tuple(given)


def _sort(given: Any, option: str) -> tuple[tuple[str, int], ...]:
    """Return fields with their direction, of a document or of a list of pairs, whose order is sure."""
    pairs: Sequence[Any] = list(given.items()) if isinstance(given, Mapping) else list(given or ())
    if not all(isinstance(pair, (list, tuple)) and len(pair) == 2 and str(pair[1]) in ("1", "-1") for pair in pairs):
        raise InvalidInput(option, "it is no order", "Write {age: -1, name: 1}.")
    return tuple((str(field), int(direction)) for field, direction in pairs)
