# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Ways to make a value anonymous, as SQL that the server runs over whole batches. Pure.

Every keyed method ends its result in a seal: some characters that follow from those before and from the key. So a value
that was made can be told from any other, a second run leaves it alone, and "none is left" can be proved. Real values
cannot pass for made ones: a hash that stands in the column already, or a person who bears a plausible name.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from ..._core.errors import InvalidInput
from ..identifier import quoted
from .predicate import Predicate, sql

__all__ = ["METHODS", "Field", "Method", "changes", "not_done", "parse_method"]

SEAL = 8
"""Hexadecimal digits of the seal of a keyed hash: a stranger's value passes for made once in 2**32 times."""
SHORTEST_HASH = 16
"""Fewest hexadecimal digits of a hash, seal included: fewer, and two values often get the same."""
DIGEST = 64
"""Hexadecimal digits of SHA-256."""

_CONSONANTS = "bdfghjklmnprstvz"
_VOWELS = "aeiouaeiouaeioua"
_HEXADECIMAL = "0123456789abcdef"
MAIL_DOMAIN = "@example.invalid"
"""No such domain will ever be. Source: RFC 2606, section 2."""
PHONE = "+447700900"
"""Numbers that are kept for drama and ring nowhere. Source: Ofcom, telephone numbers for use in TV and radio drama."""


class Shape(NamedTuple):
    """What a sealed method makes out of 64 hexadecimal digits ``hex``, which SQL calls so.

    :param head: SQL of the part that follows from the value.
    :param head_length: its characters.
    :param seal: SQL of the part that follows from the head, out of the 64 digits ``seal``.
    :param length: characters of the whole.
    :param tail: what every result ends in.
    :param capital: whether words begin with a capital letter.
    """

    head: str
    head_length: int
    seal: str
    length: int
    tail: str = ""
    capital: bool = False


def _syllables(digits: str, first: int, count: int) -> str:
    """SQL that makes ``count`` syllables out of hexadecimal digits from the ``first`` (from 1) on, two for each."""
    parts = [
        f"pg_catalog.translate(pg_catalog.substr({digits}, {place}, 1), '{_HEXADECIMAL}', '{sounds}')"
        for number in range(count)
        for place, sounds in ((first + 2 * number, _CONSONANTS), (first + 2 * number + 1, _VOWELS))
    ]
    return " || ".join(parts)


def _hash(length: int) -> Shape:
    return Shape(f"pg_catalog.left(hex, {length - SEAL})", length - SEAL, f"pg_catalog.left(seal, {SEAL})", length)


FAKES: Mapping[str, Shape] = {
    "fake_first_name": Shape(_syllables("hex", 1, 2), 4, _syllables("seal", 1, 3), 10, capital=True),
    "fake_last_name": Shape(_syllables("hex", 1, 3), 6, _syllables("seal", 1, 3), 12, capital=True),
    "fake_name": Shape(
        f"{_syllables('hex', 1, 3)} || ' ' || {_syllables('hex', 7, 2)}", 11, _syllables("seal", 1, 3), 17, capital=True
    ),
    "fake_email": Shape(
        f"{_syllables('hex', 1, 3)} || '.' || pg_catalog.substr(hex, 7, 12)",
        19,
        "pg_catalog.left(seal, 4)",
        39,
        tail=MAIL_DOMAIN,
    ),
}
"""Deterministic fakes. The names are invented from syllables: nobody bears them, and they need no list of words."""

PHONE_LENGTH = len(PHONE) + 3
METHODS = ("null", "constant", "hmac", *FAKES, "fake_phone")


@dataclass(frozen=True)
class Method:
    """What becomes of a value.

    :param name: one of :data:`METHODS`.
    :param constant: the new value as text, for ``constant``.
    :param digits: hexadecimal digits wanted of ``hmac``; None: as many as the column takes.
    """

    name: str
    constant: str | None = None
    digits: int | None = None

    @property
    def keyed(self) -> bool:
        """Whether it needs the key."""
        return self.name not in ("null", "constant")


def parse_method(given: Any, option: str) -> Method:
    """Understand a method as it is written in a rule: ``null``, ``hmac``, ``fake_email``, ``{constant: gone}``.

    :param option: where it stands, for the error.
    :raises InvalidInput: it is none.
    """
    if given is None:
        return Method("null")
    if isinstance(given, str) and given in METHODS and given != "constant":
        return Method(given)
    if isinstance(given, Mapping) and len(given) == 1:
        ((name, value),) = given.items()
        if name == "constant":
            return Method("null") if value is None else Method("constant", _as_text(value))
        if name == "hmac" and isinstance(value, int) and SHORTEST_HASH <= value <= DIGEST:
            return Method("hmac", digits=value)
    raise InvalidInput(
        option,
        f"{given!r} is no method",
        f"Write null, hmac, {{hmac: digits from {SHORTEST_HASH} to {DIGEST}}}, {{constant: value}}, "
        f"{', '.join(FAKES)} or fake_phone.",
    )


def _as_text(value: Any) -> str:
    """Return a constant as the server reads it, whatever the column's type is."""
    if isinstance(value, (bool, dict, list)):
        return json.dumps(value)
    return str(value)


@dataclass(frozen=True)
class Field:
    """A column and what becomes of its values.

    :param column: its name in the catalogue.
    :param type: its type as format_type() writes it; of a domain, the type underneath.
    """

    column: str
    type: str
    method: Method

    @property
    def kind(self) -> str:
        """``text``, ``uuid``, ``bytea``, or empty for a type that the keyed methods cannot fill."""
        bare = self.type.partition("(")[0].rpartition(".")[2].strip('"')
        if bare in ("text", "character varying", "character", "citext"):
            return "text"
        return bare if bare in ("uuid", "bytea") else ""

    @property
    def room(self) -> int | None:
        """Characters that the column takes, None for any number."""
        found = re.search(r"^character(?: varying)?\((\d+)\)", self.type)
        if found:
            return int(found[1])
        return 1 if self.type == "character" else None

    @property
    def digits(self) -> int:
        """Hexadecimal digits of its hash: as many as are wanted and fit."""
        if self.kind == "uuid":
            return 32
        if self.kind == "bytea":
            return DIGEST
        return min(self.method.digits or DIGEST, self.room or DIGEST, DIGEST)

    @property
    def length(self) -> int:
        """Characters of what its keyed method makes."""
        if self.method.name == "fake_phone":
            return PHONE_LENGTH
        return FAKES[self.method.name].length if self.method.name in FAKES else self.digits


def changes(fields: Sequence[Field]) -> tuple[dict[str, str], dict[str, Any]]:
    """Return column to the SQL of its new value, ready for a statement with parameters, and the parameters in it."""
    return {entry.column: _made(_place(number), entry) for number, entry in enumerate(fields)}, _constants(fields)


def not_done(fields: Sequence[Field]) -> Predicate:
    """Return the condition that holds for a row in which a field is not anonymous yet."""
    terms = [_left(_place(number), entry) for number, entry in enumerate(fields)]
    return Predicate(f"({' OR '.join(terms)})", _constants(fields))


def _constants(fields: Sequence[Field]) -> dict[str, Any]:
    return {
        _place(number): entry.method.constant for number, entry in enumerate(fields) if entry.method.name == "constant"
    }


def _place(number: int) -> str:
    return f"field{number}"


def _name(field: Field) -> str:
    return sql(quoted(field.column))


def _made(place: str, field: Field) -> str:
    """SQL of the new value."""
    column, name = _name(field), field.method.name
    if name == "null":
        return "NULL"
    if name == "constant":
        return f"CAST(%({place})s AS {sql(field.type)})"
    digest = f"(SELECT pg_catalog.encode({_hmac(_bytes(column, field))}, 'hex') AS hex OFFSET 0) AS digest"
    if name == "fake_phone":
        number = (
            "pg_catalog.lpad(pg_catalog.mod(('x' || pg_catalog.left(hex, 8))::bit(32)::bigint, 1000)::text, 3, '0')"
        )
        return f"(SELECT '{PHONE}' || {number} FROM {digest} WHERE hex IS NOT NULL)"  # noqa: S608 - our own pieces
    shape = _shape(field)
    text = _sealed(shape, f"(SELECT {shape.head} AS head FROM {digest} OFFSET 0) AS made")  # noqa: S608
    finish = {"uuid": "({})::uuid", "bytea": "pg_catalog.decode({}, 'hex')"}.get(field.kind, "{}")
    return finish.format(text)


def _left(place: str, field: Field) -> str:
    """SQL of the condition that the column's value is not the method's."""
    column, name = _name(field), field.method.name
    if name == "null":
        return f"{column} IS NOT NULL"
    if name == "constant":
        # As text, for json, points and others have no equality.
        return f"{column}::text IS DISTINCT FROM CAST(%({place})s AS {sql(field.type)})::text"
    text = {"uuid": f"pg_catalog.replace({column}::text, '-', '')", "bytea": f"pg_catalog.encode({column}, 'hex')"}.get(
        field.kind, f"{column}::text"
    )
    if name == "fake_phone":
        done = f"{text} ~ '^{re.escape(PHONE)}[0-9][0-9][0-9]$'"
        return f"({column} IS NOT NULL AND NOT {done})"
    shape = _shape(field)
    head = f"pg_catalog.left({text}, {shape.head_length})"
    if shape.capital:
        head = f'pg_catalog.lower({head} COLLATE "C")'
    remade = _sealed(shape, f"(SELECT {head} AS head OFFSET 0) AS made")
    done = f'CASE WHEN pg_catalog.length({text}) = {shape.length} THEN {text} = {remade} COLLATE "C" ELSE false END'
    return f"({column} IS NOT NULL AND NOT {done})"


def _sealed(shape: Shape, made: str) -> str:
    """SQL of a head with its seal. OFFSET 0 keeps the server from computing a digest anew wherever it is mentioned."""
    seal = _hmac("pg_catalog.convert_to('seal:' || head, 'UTF8')")
    text = f"head || {shape.seal}"
    if shape.capital:
        text = f'pg_catalog.initcap(({text}) COLLATE "C")'
    if shape.tail:
        text = f"{text} || '{shape.tail}'"
    return (
        f"(SELECT {text} FROM (SELECT head, pg_catalog.encode({seal}, 'hex') AS seal FROM {made} OFFSET 0) AS sealed)"  # noqa: S608
    )


def _shape(field: Field) -> Shape:
    return FAKES[field.method.name] if field.method.name in FAKES else _hash(field.digits)


def _bytes(column: str, field: Field) -> str:
    """SQL of what is hashed: the value's text in UTF-8, so that equal values get equal hashes in every table."""
    return column if field.kind == "bytea" else f"pg_catalog.convert_to({column}::text, 'UTF8')"


def _hmac(message: str) -> str:
    """SQL of HMAC-SHA-256 under the session's key. The server has no hmac() of its own. Source: RFC 2104.

    Whatever the search_path is, only the server's own functions get to see the key.
    """
    outer, inner = (
        f"(SELECT pg_catalog.decode(pg_catalog.current_setting('upkeep.{pad}'), 'hex'))"
        for pad in ("outer_pad", "inner_pad")
    )
    joined = "OPERATOR(pg_catalog.||)"
    return f"pg_catalog.sha256({outer} {joined} pg_catalog.sha256({inner} {joined} {message}))"
