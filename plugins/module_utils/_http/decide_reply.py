# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Judges one answer: its status, its body, and what its JSON says."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from .facts import Endpoint, Failure, Reply

__all__ = ["decide_reply", "value_at"]

SHOWN = 80
"""Characters of a found value that a message shows."""

_ABSENT = object()


def decide_reply(reply: Reply, endpoint: Endpoint) -> Failure | None:
    """Return why the answer is not what was expected, or None if it is."""
    return _status(reply, endpoint) or _body(reply, endpoint) or _json(reply, endpoint)


def _status(reply: Reply, endpoint: Endpoint) -> Failure | None:
    if reply.status in endpoint.expect_status:
        return None
    expected = " or ".join(str(status) for status in endpoint.expect_status)
    remedy = "Read the application's log of this moment; an answer that begins with 5 is its own fault."
    if 300 <= reply.status < 400:
        remedy = "Redirects are not followed: name the final address, or this status in expect_status."
    elif reply.status in (401, 403):
        remedy = "Give the credentials in secret_headers, or check those that are given."
    return Failure("status", f"answered {reply.status}, expected is {expected}", reply.status, expected, remedy)


def _body(reply: Reply, endpoint: Endpoint) -> Failure | None:
    if endpoint.expect_body is None or endpoint.expect_body.search(reply.body.decode("utf-8", "replace")):
        return None
    why = f"the body of {reply.size} bytes does not match the expected pattern {endpoint.expect_body.pattern!r}"
    remedy = "Ask the address by hand (curl -i): another program may answer, or an error page comes with a good status."
    return Failure("body", why, reply.size, endpoint.expect_body.pattern, remedy)


def _json(reply: Reply, endpoint: Endpoint) -> Failure | None:
    if not endpoint.expect_json:
        return None
    remedy = "Ask the address by hand (curl -i) and look at what the application says of its parts."
    if reply.truncated:
        return Failure("json", "the body is longer than 1 MiB, too long to be understood", None, None, remedy)
    try:
        document = json.loads(reply.body)
    except (ValueError, RecursionError):
        return Failure("json", "the body is no JSON", None, None, remedy)
    for path, expected in endpoint.expect_json.items():
        found = value_at(document, str(path).split("."))
        if not same(found, expected):
            shown = "missing" if found is _ABSENT else short(found)
            why = f"{path} is {shown}, expected is {short(expected)}"
            return Failure("json", why, shown, short(expected), remedy)
    return None


def value_at(document: Any, path: Sequence[str]) -> Any:
    """Return what stands at a path of keys and list positions. A key that holds dots itself is found too."""
    if not path:
        return document
    if isinstance(document, Mapping):
        for length in range(len(path), 0, -1):
            key = ".".join(path[:length])
            if key in document:
                found = value_at(document[key], path[length:])
                if found is not _ABSENT:
                    return found
    elif isinstance(document, list) and path[0].isdecimal() and int(path[0]) < len(document):
        return value_at(document[int(path[0])], path[1:])
    return _ABSENT


def same(found: Any, expected: Any) -> bool:
    """Whether two values are equal as JSON has it: true is not 1.

    A text in ``expected`` equals a number or truth value that is written so, for AWX surveys send nothing but texts.
    """
    if isinstance(expected, str) and isinstance(found, bool | int | float):
        return expected.strip().lower() == json.dumps(found)
    if isinstance(found, bool) != isinstance(expected, bool):
        return False
    return bool(found == expected)


def short(value: Any) -> str:
    """Write a value for a message."""
    text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= SHOWN else text[: SHOWN - 3] + "..."
