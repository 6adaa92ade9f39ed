# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Names of keys: which belong together, and how they are shown to people. Pure.

Keys that differ by an id only (a number, a UUID, a hash, a token, a date) form one group, such as ``user:*:cart``.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from ..._core.redact import single_line

__all__ = ["ANY", "Kin", "kin_from", "kin_of", "label", "parent_of", "shown", "taken_apart"]

Kin = tuple[bytes, bytes]
"""What comes before the id and what behind it."""

ANY: Kin = (b"", b"")
"""The group of what fits no other."""

SEPARATORS = b":/."
LONGEST_SHOWN = 100
"""Letters of a key's name that a message shows; names of several kilobytes are allowed."""

_WORD = rb"[^:/.\d@\s]{1,32}\d?"  # a single digit at the end, as in oauth2 or db0, makes no id
_KIN = re.compile(
    rb"((?:(?:" + _WORD + rb")?[:/.]){0,3})"  # up to three words with their separators
    rb"(" + _WORD + rb"\Z)?"  # a word alone at the end, which is a name of its own where nothing stands before it
    rb"[^:/.]*((?:[:/.]" + _WORD + rb"){1,2}\Z)?",
    re.DOTALL,
)
_TOKEN = re.compile(r"(?=[^:/.]*\d)(?=[^:/.]*[A-Za-z])[^:/.]{16,}|[^:/.]*@[^:/.]*|[^:/.]{41,}")
_TOKEN_SHOWN = 6


taken_apart = _KIN.match
"""Takes any name apart; its ``groups()`` go to :func:`kin_from`. For who has to do it a million times."""


def kin_of(key: bytes) -> Kin:
    """Return the group that a key belongs to by its name."""
    match = taken_apart(key)
    return ANY if match is None else kin_from(match.groups())


def kin_from(parts: Sequence[bytes | None]) -> Kin:
    """Return the group of a name that was taken apart."""
    before, word, behind = parts
    return (before or word or b"", b"" if word and not before else behind or b"")


def parent_of(kin: Kin) -> Kin:
    """Return the wider group: without what comes behind the id, then with one word less before it."""
    before, behind = kin
    if behind:
        return (before, b"")
    if not before or before[-1] not in SEPARATORS:
        return ANY
    shorter = before[:-1]
    end = max(shorter.rfind(separator) for separator in SEPARATORS)
    return (before[: end + 1], b"")


def label(kin: Kin) -> str:
    """Return the group's name as a pattern: ``sess:*``."""
    before, behind = kin
    whole = bool(before) and before[-1] not in SEPARATORS and not behind
    return _shown(before if whole else before + b"*" + behind)


def shown(key: bytes) -> str:
    """Return a key's name for people, in one line.

    What may be a session's token or an address is cut to its beginning and a ``*``: a token in a report is as good as
    a password, and the beginning finds the key just as well.
    """
    return _TOKEN.sub(lambda match: f"{match[0][: 2 if '@' in match[0] else _TOKEN_SHOWN]}*", _shown(key))


def _shown(name: bytes) -> str:
    text = single_line(name.decode("utf-8", "surrogateescape"))
    return text if len(text) <= LONGEST_SHOWN else f"{text[:LONGEST_SHOWN]}..."
