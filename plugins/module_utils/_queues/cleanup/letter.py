# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a dead letter looks like. Pure.

The script ``dispose`` writes the same inside the server; a test holds them to each other.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from hashlib import sha1

from ..._redis.wire import raw
from ..observe_samples import LETTER

__all__ = ["MARK", "SOURCE_FIELDS", "fingerprint", "letter_fields", "letter_id", "mark_of"]

SOURCE_FIELDS = ("name", "data", "opts", "stacktrace", "failedReason", "finishedOn")
"""What is taken from the failed job; the attempts come under two names."""

MARK = LETTER
"""The field by which a letter is known again: the job's key, and when it failed."""

_DIGITS = re.compile("[0-9]{1,15}")
"""A number that fits into a JSON number of any library."""


def letter_id(queue: str, id_: str, finished: str) -> str:
    """Return the id of the letter of one failure; without colons, which BullMQ does not want in an id."""
    return ".".join((queue, id_, finished)).replace(":", ".")


def mark_of(key: str, finished: str) -> str:
    """Return what :data:`MARK` holds."""
    return f"{key}@{finished}"


def fingerprint(reason: str) -> str:
    """Return a digest of a reason, to compare it by: as long as a reason may be, this is short."""
    return sha1(raw(reason), usedforsecurity=False).hexdigest()


def letter_fields(
    queue: str, id_: str, fields: Sequence[str | None], attempts: str, why: str, moment: int
) -> dict[str, str]:
    """Return the hash of a letter, without its mark.

    :param fields: the values of :data:`SOURCE_FIELDS`.
    :param attempts: how often it was tried, as written.
    :param why: why it is not tried again.
    :param moment: now, in milliseconds since 1970.
    """
    name, data, opts, stacktrace, reason, finished = fields
    ended = finished or ""
    parts = {
        "source": _text(queue),
        "id": _text(id_),
        "name": _text(name or ""),
        "data": _as_json(data),
        "opts": _as_json(opts),
        "failedReason": _text(reason or ""),
        "stacktrace": _as_json(stacktrace),
        "attemptsMade": str(int(attempts)) if _DIGITS.fullmatch(attempts) else "0",
        "finishedOn": str(int(ended)) if _DIGITS.fullmatch(ended) else "null",
        "why": _text(why),
    }
    return {
        "name": name or "",
        "data": "{" + ",".join(f'"{key}":{value}' for key, value in parts.items()) + "}",
        "opts": '{"attempts":1}',
        "timestamp": str(moment),
        "delay": "0",
        "priority": "0",
    }


def _as_json(text: str | None) -> str:
    """Return a text as it is if it is JSON, so that no number of it changes; else as a JSON string."""
    if not text:
        return "null"
    try:
        json.loads(text, parse_constant=_no_constant, parse_int=len, parse_float=len)
    except (ValueError, RecursionError):
        return _text(text)
    return text


def _no_constant(name: str) -> None:
    """Refuse ``NaN`` and ``Infinity``, which are no JSON."""
    raise ValueError(name)


def _text(value: str) -> str:
    return json.dumps(value, ensure_ascii=False)
