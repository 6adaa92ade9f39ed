# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is remembered of indexes."""

from __future__ import annotations

import json
from typing import Any

import pytest

from ansible_collections.dataops.upkeep.plugins.module_utils._postgresql.reindex.ledger import (
    LEAST_BYTES,
    Entry,
    noted,
    read_ledger,
    written_ledger,
)

KNOWN = Entry("s", 50.0, True, 88.0)
SIZE = 1_000_000


@pytest.mark.parametrize(
    ("known", "arguments", "expected"),
    [
        (None, ("s", SIZE, 10_000), Entry("s", 100.0)),
        (None, ("s", LEAST_BYTES - 1, 10_000), None),
        (None, ("s", SIZE, 0), None),
        (None, ("s", SIZE, -1), None),
        (KNOWN, ("s", SIZE, 10_000), KNOWN),
        (KNOWN, ("s", SIZE, 0), KNOWN),
        (KNOWN, ("s", SIZE, 25_000), Entry("s", 40.0, False, 88.0)),
        (KNOWN, ("t", SIZE, 10_000), Entry("t", 100.0)),
        (KNOWN, ("s", SIZE, 10_000, True, 70.0), Entry("s", 100.0, True, 70.0)),
    ],
)
def test_noting(known: Entry | None, arguments: tuple[Any, ...], expected: Entry | None) -> None:
    assert noted(known, *arguments) == expected


def test_what_was_written_is_read() -> None:
    entries = {"public.a": KNOWN, 'public."b"': Entry("t", 1.5)}
    assert read_ledger(json.loads(json.dumps(written_ledger(entries)))) == entries


@pytest.mark.parametrize("document", [None, {}, {"indexes": None}, {"indexes": {"a": [1]}}, {"indexes": {"a": "x"}}])
def test_what_is_not_understood_is_left_out(document: dict[str, Any] | None) -> None:
    assert read_ledger(document) == {}
