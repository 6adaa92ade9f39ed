# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Texts with places for fields of a row, as ``user:{id}``. Pure.

A place holds the name of a field, or a path of names into nested documents with dots between, and nothing else: neither
attributes nor items nor formats, which Python's own formatting would give to whoever writes the text.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from .._core.errors import InvalidInput

__all__ = ["MISSING", "Template", "lookup", "parse_path", "parse_template"]

_PIECE = re.compile(r"\{\{|\}\}|\{([^{}]*)\}|[{}]|[^{}]+")
_PATH = re.compile(r"(?![\s.])[^{}!:\[\]()\x00]+(?<![\s.])")

MISSING: Any = object()
"""What :func:`lookup` returns for a field that is not there."""


def parse_path(text: str, option: str) -> tuple[str, ...]:
    """Return the names of a path; the whole is the first to be looked for, as a column may have a dot in its name.

    :raises InvalidInput: it is no such path.
    """
    if not _PATH.fullmatch(text) or ".." in text:
        raise InvalidInput(
            option,
            f"{text!r} is no name of a field",
            "Write a field's name, or a path as address.city; attributes, items and formats are not understood.",
        )
    return tuple(text.split("."))


def lookup(row: Mapping[str, Any], path: tuple[str, ...]) -> Any:
    """Return what a row holds at a path; MISSING: nothing, not even null."""
    found = row.get(path[0], MISSING)
    if len(path) == 1:
        return found
    whole = row.get(".".join(path), MISSING)
    if whole is not MISSING:
        return whole
    for name in path[1:]:
        if not isinstance(found, Mapping):
            return MISSING
        found = found.get(name, MISSING)
    return found


class Template(NamedTuple):
    """A text with places for fields.

    :param text: as the user wrote it.
    :param parts: texts, and paths of fields.
    """

    text: str
    parts: tuple[str | tuple[str, ...], ...]

    def render(self, row: Mapping[str, Any], text_of: Callable[[Any], str]) -> str:
        """Return the text for a row.

        :param text_of: makes a text of what a field holds, or raises; it gets MISSING for a field that is not there.
        """
        return "".join(part if isinstance(part, str) else text_of(lookup(row, part)) for part in self.parts)


def parse_template(text: str, option: str) -> Template:
    """Understand a text with places; ``{{`` and ``}}`` stand for the braces themselves.

    :raises InvalidInput: a brace has no counterpart, or a place is no path of fields.
    """
    parts: list[str | tuple[str, ...]] = []
    for match in _PIECE.finditer(text):
        piece = match[0]
        if piece in ("{", "}"):
            raise InvalidInput(option, f"a {piece} has no counterpart", "Write {field}; for a brace itself {{ or }}.")
        if piece in ("{{", "}}"):
            parts.append(piece[0])
        elif match[1] is not None:
            parts.append(parse_path(match[1], option))
        else:
            parts.append(piece)
    return Template(text, tuple(parts))
