# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""How records and their names are written down, the same in every place."""

from __future__ import annotations

import hashlib
import json
from typing import Any
from urllib.parse import quote

from .._core.errors import StateError
from .._core.memory import Record

__all__ = ["LONGEST_NAME", "damaged", "decode", "encode", "stored_name"]

LONGEST_NAME = 180
"""Longer names are cut and hashed: a file name holds 255 bytes at most, a PostgreSQL key about 2700."""


def stored_name(name: str, safe: str = "") -> str:
    """Return the name under which a key or series is kept: ASCII, never a path, never hidden, never too long.

    It can be read back with ``urllib.parse.unquote`` unless it was too long: then a hash stands after ``~``.

    :param safe: characters that the place takes as they are, beside letters, digits and ``_.-``.
    """
    quoted = quote(name, safe=safe, errors="surrogatepass").replace("~", "%7E")
    if quoted.startswith("."):
        quoted = "%2E" + quoted[1:]
    if len(quoted) <= LONGEST_NAME:
        return quoted
    digest = hashlib.sha256(name.encode("utf-8", "surrogatepass")).hexdigest()
    return f"{quoted[: LONGEST_NAME - 33]}~{digest[:32]}"


def encode(record: Record) -> str:
    """Return a record as one line of ASCII JSON, which every store keeps unchanged.

    :raises StateError: it holds what JSON cannot.
    """
    try:
        return json.dumps(record, allow_nan=False, separators=(",", ":"))
    except (TypeError, ValueError) as error:
        raise StateError("write a record to the state", str(error), "Report this as a bug.") from error


def decode(text: str | bytes, where: str) -> Record:
    """Return the record that ``text`` holds.

    :param where: the place, for the error.
    :raises StateError: it is no JSON object.
    """
    try:
        record: Any = json.loads(text)
    except ValueError as error:
        raise damaged(where, str(error)) from error
    if not isinstance(record, dict):
        raise damaged(where, "it holds no JSON object")
    return record


def damaged(where: str, why: str) -> StateError:
    """Return the error for what is there and cannot be understood."""
    return StateError(
        f"read {where}",
        f"it is damaged: {why}",
        "Restore it from a backup, or move it aside: what it remembered is lost then, and the next run starts anew.",
    )
