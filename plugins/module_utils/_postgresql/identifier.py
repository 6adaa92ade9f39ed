# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Names as PostgreSQL writes and reads them. Pure."""

from __future__ import annotations

import re
import string

from .._core.errors import InvalidInput

__all__ = ["quoted", "split_name"]

# What the server's lexer takes for a name, quoted or bare. Source: src/backend/parser/scan.l.
_PART = re.compile(r'"((?:[^"\0]|"")+)"|([A-Za-z_\u0080-\U0010ffff][A-Za-z0-9_$\u0080-\U0010ffff]*)')
_LOWER = str.maketrans(string.ascii_uppercase, string.ascii_lowercase)
MOST_BYTES = 63
"""Longest name that a server keeps; a longer one would be cut silently and mean another object."""


def quoted(*parts: str) -> str:
    """Return a name, dotted if it has several parts, in double quotes: right whatever its characters are."""
    return ".".join('"' + part.replace('"', '""') + '"' for part in parts)


def split_name(text: str, option: str, most_parts: int = 2) -> tuple[str, ...]:
    """Understand a name as SQL does: ``orders``, ``app.orders``, ``app."Order Items"``.

    :param option: the option's name, for the error.
    :param most_parts: how many parts it may have.
    :return: its parts, the bare ones in lower case.
    :raises InvalidInput: it is no name.
    """
    parts: list[str] = []
    position = 0
    while match := _PART.match(text, position):
        parts.append(match[1].replace('""', '"') if match[1] is not None else match[2].translate(_LOWER))
        position = match.end()
        if text[position : position + 1] != ".":
            break
        position += 1
    if not parts or position != len(text) or text.endswith(".") or len(parts) > most_parts:
        raise InvalidInput(
            option, f"{text!r} is no name", 'Write it as in SQL: orders, app.orders, or app."Order Items".'
        )
    for part in parts:
        if len(part.encode()) > MOST_BYTES:
            raise InvalidInput(
                option, f"{part!r} is longer than the {MOST_BYTES} bytes that a name may have", "Give its name."
            )
    return tuple(parts)
