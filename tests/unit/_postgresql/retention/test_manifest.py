# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Journals and manifests of archive files."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.dataops.upkeep.plugins.module_utils._postgresql.retention.manifest import (
    ArchiveFacts,
    Journal,
    PieceRecord,
    base_name,
    journal_line,
    manifest,
    parse_journal,
    prefix_of,
)

FACTS = ArchiveFacts(
    rule="old",
    table=("app", "Order Items"),
    columns=(("id", "bigint"), ("it's", "text")),
    left_out=("total",),
    key=("id",),
    compression="gzip",
    server="18.1",
    database="shop",
    system="7/5/shop",
    started="2026-11-22T02:00:00+00:00",
    before=None,
)
PIECES = (
    PieceRecord(2, 100, ["9"], ["10"], "777"),
    PieceRecord(1, 150, ["2"], ["2"], "778"),
)
RAW = journal_line(FACTS, start=40) + b"".join(journal_line(piece) for piece in PIECES)


def test_a_journal_is_read_as_it_was_written() -> None:
    assert parse_journal(RAW) == Journal(FACTS, 40, PIECES)


@given(st.integers(0, len(RAW)))
def test_a_journal_that_ends_anywhere_has_the_lines_that_are_whole(length: int) -> None:
    found = parse_journal(RAW[:length])
    whole = RAW[:length].count(b"\n")
    if whole == 0:
        assert found is None
    else:
        assert found == Journal(FACTS, 40, PIECES[: whole - 1])


def test_a_manifest_says_what_is_in_the_file() -> None:
    found = manifest(FACTS, PIECES, "x.csv.gz", 40, "ab", "2026-11-22T02:01:00+00:00")
    assert (found["rows"], found["bytes"], found["sha256"], found["state"]) == (3, 150, "ab", "done")
    assert found["key"] == {"columns": ["id"], "min": ["2"], "max": ["10"]}
    assert found["restore"] == (
        'gzip -dc x.csv.gz | psql -c \'\\copy "app"."Order Items" ("id", "it\'"\'"\'s") FROM STDIN '
        "(FORMAT csv, HEADER, ENCODING '\"'\"'UTF8'\"'\"')'"
    )


def test_keys_that_are_no_numbers_are_ordered_as_texts() -> None:
    facts = replace(FACTS, columns=(("id", "uuid"),))
    found = manifest(facts, PIECES, "x", 40, "", "")
    assert (found["key"]["min"], found["key"]["max"]) == (["2"], ["2"])


def test_rows_without_a_key_have_no_range() -> None:
    pieces = [PieceRecord(1, 50, None, None, "7")]
    assert manifest(replace(FACTS, key=()), pieces, "x", 40, "", "")["key"] == {"columns": [], "min": None, "max": None}


@given(st.text(min_size=1, max_size=63), st.text(max_size=300))
def test_a_files_name_is_plain_and_short(table: str, rule: str) -> None:
    name = base_name(replace(FACTS, table=("public", table), rule=rule), "20261122T020000Z", "abcdef")
    assert name.startswith(prefix_of(("public", table), rule))
    assert name.replace("_", "").replace("-", "").replace(".", "").isalnum()
    assert name.isascii()
    assert not name.startswith((".", "-"))
    assert len(name) < 255 - len(".manifest.json.part")


@pytest.mark.parametrize("other", [("app", "Order_Items"), ("app.Order", "Items"), ("App", "Order Items")])
def test_names_that_look_alike_are_told_apart(other: tuple[str, str]) -> None:
    assert prefix_of(other, "old") != prefix_of(FACTS.table, "old")
