# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""SQL without the data in it: what may be shown, kept and sent of a query that somebody else wrote. Pure.

pg_stat_statements puts ``$1`` for a query's constants, but keeps those of utility statements (``ALTER ROLE x PASSWORD
'...'``) before version 16, and every comment; a plan's conditions hold constants in any version.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

__all__ = ["Token", "redacted", "tokens"]

MASK = "?"
CUT = " ..."

# The server's lexer: src/backend/parser/scan.l. What is not closed goes on to the end. A name's characters are ASCII's
# and all beyond ASCII; digits are ASCII's.
_TOKEN = re.compile(
    r"""
    (?P<space>[ \t\n\r\f\v]+|--[^\n\r]*)
    | (?P<comment>/\*)
    | (?P<escaped>[eE]'(?:[^'\\]|''|\\(?:.|\Z))*(?:'|\Z))
    | (?P<string>(?:[bBxXnN]|[uU]&)?'(?:[^']|'')*(?:'|\Z))
    | (?P<name>(?:[uU]&)?"(?:[^"]|"")*"|[A-Za-z_\u0080-\U0010ffff][A-Za-z0-9_$\u0080-\U0010ffff]*)
    | (?P<dollar>\$(?P<tag>(?:[A-Za-z_\u0080-\U0010ffff][A-Za-z0-9_\u0080-\U0010ffff]*)?)\$.*?(?:\$(?P=tag)\$|\Z))
    | (?P<parameter>\$[0-9]+)
    | (?P<number>\.?[0-9][A-Za-z0-9_.\u0080-\U0010ffff]*(?:(?<=[eE])[+-][0-9]\w*)?)
    | (?P<open>")
    | (?P<mark>.)
    """,
    re.VERBOSE | re.DOTALL,
)
_COMMENT = re.compile(r"/\*|\*/")
_LITERALS = ("escaped", "string", "dollar", "number")

_WIDE = re.compile(r"(?:SET|ALTER\s+(?:SYSTEM|ROLE|USER|DATABASE))\b", re.IGNORECASE)
_VALUE = re.compile(r"(=|\bTO\b)\s*(?=\S).*", re.IGNORECASE | re.DOTALL)


class Token(NamedTuple):
    """One piece of SQL. :param kind: ``space``, ``literal``, ``name`` (a keyword too), ``parameter`` or ``mark``."""

    kind: str
    text: str


def tokens(sql: str) -> Iterator[Token]:
    """Take SQL apart; a comment is space.

    Where it cannot be known what is a literal, the rest is one: after a quoted name that is not closed, and after a
    backslash before a quote, which ends a string or does not, as the server's standard_conforming_strings says.
    """
    position = 0
    while match := _TOKEN.match(sql, position):
        kind, text = str(match.lastgroup if match.lastgroup != "tag" else "dollar"), match[0]
        position = match.end()
        if kind == "comment":
            kind, position = "space", _comment_end(sql, position)
        elif kind == "open" or (kind == "string" and "\\'" in text):
            kind, position = "string", len(sql)
        yield Token("literal" if kind in _LITERALS else kind, text)


def _comment_end(sql: str, position: int) -> int:
    """Return where a comment ends; comments lie in one another."""
    depth = 1
    while depth and (match := _COMMENT.search(sql, position)):
        depth += 1 if match[0] == "/*" else -1
        position = match.end()
    return len(sql) if depth else position


def redacted(sql: str, length: int = 300) -> str:
    """Return SQL in one line without comments and constants, cut to ``length`` characters.

    What a setting is set to is a constant too, also where it is a bare word.
    """
    shown = {"space": " ", "literal": MASK}
    text = "".join(shown.get(token.kind, token.text) for token in tokens(sql))
    text = re.sub(r"[ \t\n\r\f\v]+", " ", text).strip(" ")
    if _WIDE.match(text):
        text = _VALUE.sub(rf"\1 {MASK}", text, count=1)
    return text if len(text) <= length else text[: max(0, length - len(CUT))] + CUT
