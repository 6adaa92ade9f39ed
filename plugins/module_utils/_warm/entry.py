# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is to be warmed, as a user writes it, checked and understood. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from .._core.errors import InvalidInput
from .._core.naming import refuse_twice
from .._core.units import parse_duration
from .query import FileQuery, MongodbQuery, Query, parse_query
from .template import Template, parse_path, parse_template

__all__ = ["FIELD", "HASH", "JSON", "NEVER", "SOURCES", "TEMPLATE", "Entry", "Value", "parse_entries"]

SOURCES = ("postgresql", "mongodb", "file")
JSON, HASH, FIELD, TEMPLATE = "json", "hash", "field", "template"
NEVER = "never"
MOST_JITTER = 50.0
MOST_LIFE = 100 * 365 * 86400.0
"""A hundred years, in seconds: who writes more means ``never``, and Redis has no number for the largest."""
VALUE_FORMS = "Write json, hash, a field's name, a text with fields in braces, {field: name} or {template: text}."


class Value(NamedTuple):
    """What a key is to hold.

    :param kind: JSON: an object of the row's fields; HASH: a hash of them; FIELD: one field's value; TEMPLATE: a text.
    :param field: the path of FIELD.
    """

    kind: str
    field: tuple[str, ...] = ()
    template: Template | None = None


class Entry(NamedTuple):
    """Rows of one source, and the keys that are made of them.

    :param query: what is read.
    :param life: seconds that a key lives; None: for ever.
    :param jitter: part of ``life`` by which a key may live longer or shorter.
    :param nx: whether a key that is there stays as it is.
    :param fields: paths of the fields that JSON and a hash hold; empty: all.
    :param timeout: seconds that the source may take for one batch.
    :param connection: options that lead to the source.
    """

    name: str
    source: str
    query: Query
    key: Template
    value: Value
    life: float | None
    jitter: float = 0.0
    nx: bool = True
    fields: tuple[tuple[str, ...], ...] = ()
    timeout: float = 60.0
    connection: Mapping[str, Any] = {}

    @property
    def kind(self) -> bytes:
        """The type of its keys."""
        return b"hash" if self.value.kind == HASH else b"string"


def parse_entries(given: Sequence[Mapping[str, Any]]) -> tuple[Entry, ...]:
    """Understand the option ``entries``.

    :raises InvalidInput: an entry cannot be understood, or would be dangerous.
    """
    if not given:
        raise InvalidInput("entries", "there are none", "Give at least one source of keys.")
    entries = tuple(_parse(entry, number) for number, entry in enumerate(given, 1))
    refuse_twice("entries", (entry.name for entry in entries))
    return entries


def _parse(given: Mapping[str, Any], number: int) -> Entry:
    name = given.get("name") or f"entry {number}"
    option = f"entries[{name}]"
    source = given["source"]
    connection = {key: value for key, value in (given.get("connection") or {}).items() if value is not None}
    query = parse_query(source, given["query"], f"{option}.query")
    if isinstance(query, FileQuery) and (connection.keys() - _DEFAULTED):
        raise InvalidInput(f"{option}.connection", "a file has none", "Drop connection.")
    if isinstance(query, MongodbQuery) and not query.database:
        query = query._replace(database=connection.get("login_db") or "")
    if not given["key"]:
        raise InvalidInput(f"{option}.key", "it is empty", "Give the keys' name, such as user:{id}.")
    value = _value(given.get("value"), f"{option}.value")
    fields = tuple(parse_path(str(path), f"{option}.fields") for path in given.get("fields") or ())
    if fields and value.kind not in (JSON, HASH):
        raise InvalidInput(f"{option}.fields", "it belongs to value: json and value: hash", "Drop fields.")
    timeout = parse_duration(given.get("timeout") or "60s", f"{option}.timeout")
    if timeout <= 0:
        raise InvalidInput(f"{option}.timeout", "it leaves no time", "Give a duration above zero, as 60s.")
    life, jitter = _life(given, option)
    return Entry(
        name=name,
        source=source,
        query=query,
        key=parse_template(given["key"], f"{option}.key"),
        value=value,
        life=life,
        jitter=jitter,
        nx=given.get("nx") is not False,
        fields=fields,
        timeout=timeout,
        connection=connection,
    )


_DEFAULTED = {"validate_certs", "connect_timeout"}
"""Options of a connection that have a value though nobody gave one."""


def _value(given: Any, option: str) -> Value:
    if given is None:
        return Value(JSON)
    if isinstance(given, Mapping):
        ((kind, text),) = given.items() if len(given) == 1 else ((None, None),)
        if kind not in (FIELD, TEMPLATE) or not isinstance(text, str) or not text:
            raise InvalidInput(option, "it holds something else than one field or one template", VALUE_FORMS)
        return _field(text, option) if kind == FIELD else Value(TEMPLATE, template=parse_template(text, option))
    if not isinstance(given, str) or not given.strip():
        raise InvalidInput(option, "it is no text", VALUE_FORMS)
    if given in (JSON, HASH):
        return Value(given)
    if "{" in given or "}" in given:
        return Value(TEMPLATE, template=parse_template(given, option))
    return _field(given, option)


def _field(text: str, option: str) -> Value:
    return Value(FIELD, field=parse_path(text, option))


def _life(given: Mapping[str, Any], option: str) -> tuple[float | None, float]:
    """Return the TTL in seconds, and its jitter as a part of it."""
    text = str(3600 if given.get("ttl") is None else given["ttl"]).strip()
    if text.lower() == NEVER:
        return None, 0.0
    ttl = parse_duration(text, f"{option}.ttl")
    if ttl < 1:
        raise InvalidInput(
            f"{option}.ttl",
            "it is shorter than a second",
            f"Give a duration as 1h; {NEVER} for keys that never expire.",
        )
    if ttl > MOST_LIFE:
        raise InvalidInput(
            f"{option}.ttl", "it is longer than a hundred years", f"Write {NEVER} for keys that never expire."
        )
    jitter = 10.0 if given.get("jitter_percent") is None else float(given["jitter_percent"])
    if not 0 <= jitter <= MOST_JITTER:
        raise InvalidInput(f"{option}.jitter_percent", f"{jitter:g} is no such part", "Give 0 to 50.")
    return ttl, jitter / 100
