# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""A user's SQL condition: read as the server's lexer reads it, so that it stays within its parentheses. Pure."""

from __future__ import annotations

import re

from .._core.errors import InvalidInput

__all__ = ["enclosed"]

# Texts, names, comments and the rest, as src/backend/parser/scan.l has them with standard_conforming_strings on.
_TOKEN = re.compile(
    r"""
      (?P<text>[eE]'(?:[^'\\]|\\.|'')*'|'(?:[^']|'')*'|"(?:[^"]|"")+")
    | (?P<open>[eE]')
    | (?P<comment>--[^\r\n]*)
    | (?P<block>/\*)
    | (?P<word>[A-Za-z_\u0080-\U0010ffff][A-Za-z0-9_$\u0080-\U0010ffff]*)
    | (?P<dollar>\$(?:[A-Za-z_\u0080-\U0010ffff][A-Za-z0-9_\u0080-\U0010ffff]*)?\$)
    | (?P<parameter>\$\d)
    | (?P<other>[^'"])
    """,
    re.VERBOSE | re.DOTALL,
)
# A text may go on after a line's end, and one with escapes then goes on with escapes.
_GOES_ON = re.compile(r"(?:\s|--[^\r\n]*)*'")
_BLOCK = re.compile(r"/\*|\*/")
_CLOSES = {")": "(", "]": "["}


def enclosed(text: str, option: str) -> str:
    """Return an SQL expression in parentheses that it cannot leave.

    :param option: the option's name, for the error.
    :raises InvalidInput: it is empty, or has a quote, parenthesis or comment without its counterpart, or a semicolon.
    """
    stripped = text.strip()
    if not stripped or "\0" in stripped:
        raise InvalidInput(option, "there is no condition", "Write one as after WHERE: status = 'done'.")
    commented = _check(stripped, option)
    return f"(\n{stripped}\n)" if commented else f"({stripped})"


def _check(text: str, option: str) -> bool:
    """Walk over the tokens, and return whether there is a comment that ends with its line."""
    opened: list[str] = []
    commented = False
    position = 0
    while position < len(text):
        match = _TOKEN.match(text, position)
        if match is None:
            raise _unbalanced(option, text[position])
        kind, found = match.lastgroup, match[0]
        position = _after(text, match, option)
        commented = commented or kind == "comment"
        if kind == "parameter":
            raise InvalidInput(option, f"{found} stands for a parameter, and there are none", "Write the value itself.")
        if found == ";":
            raise InvalidInput(option, "it has a semicolon", "Give one condition, as after WHERE, and nothing more.")
        if found in ("(", "["):
            opened.append(found)
        elif found in _CLOSES and (not opened or opened.pop() != _CLOSES[found]):
            raise _unbalanced(option, found)
    if opened:
        raise _unbalanced(option, opened[-1])
    return commented


def _after(text: str, match: re.Match[str], option: str) -> int:
    """Return where what a token begins has its end."""
    kind, found, position = match.lastgroup, match[0], match.end()
    if kind == "open" or (kind == "text" and found[0] in "eE" and _GOES_ON.match(text, position)):
        raise _unbalanced(option, "'")
    if kind == "block":
        return _after_block(text, position, option)
    if kind != "dollar":
        return position
    end = text.find(found, position)
    if end < 0:
        raise _unbalanced(option, found)
    return end + len(found)


def _after_block(text: str, position: int, option: str) -> int:
    """Return where a comment of the form ``/* */`` ends; they may lie in one another."""
    depth = 1
    for match in _BLOCK.finditer(text, position):
        depth += 1 if match[0] == "/*" else -1
        if depth == 0:
            return match.end()
    raise _unbalanced(option, "/*")


def _unbalanced(option: str, token: str) -> InvalidInput:
    return InvalidInput(option, f"{token} has no counterpart", "Give one complete condition, as after WHERE.")
