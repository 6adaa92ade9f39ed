# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is written beside an archive file: a journal while it grows, a manifest once it is whole. Pure.

A file grows by one compressed member for each piece of rows. Before the source commits the piece, the journal says how
long the file is with it and in which transaction the rows leave the source. So after a crash the last piece alone is in
doubt, and the source knows what became of its transaction.
"""

from __future__ import annotations

import hashlib
import json
import re
import shlex
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from ..identifier import quoted

__all__ = [
    "ArchiveFacts",
    "Journal",
    "PieceRecord",
    "base_name",
    "journal_line",
    "manifest",
    "parse_journal",
    "prefix_of",
]

JOURNAL = ".journal"
PART = ".part"
MANIFEST = ".manifest.json"
SUFFIXES = {"gzip": ".csv.gz", "zstd": ".csv.zst"}
TOOLS = {"gzip": "gzip -dc", "zstd": "zstd -dc"}
_INTEGERS = ("smallint", "integer", "bigint")


@dataclass(frozen=True)
class ArchiveFacts:
    """What a file holds.

    :param table: schema and name of the table that the rows come from.
    :param columns: name and type of every column, in the file's order.
    :param left_out: generated columns: a restored table computes them anew.
    :param key: the columns that name a row, empty where none do.
    :param system: the source: its system identifier and the database's oid, for transactions are numbered there.
    :param before: the moment that rows had to be older than, in ISO 8601; None: rows of every age.
    """

    rule: str
    table: tuple[str, str]
    columns: tuple[tuple[str, str], ...]
    left_out: tuple[str, ...]
    key: tuple[str, ...]
    compression: str
    server: str
    database: str
    system: str
    started: str
    before: str | None


@dataclass(frozen=True)
class PieceRecord:
    """One piece of rows in a file.

    :param end: length of the file in bytes with this piece.
    :param first: the key of its first row, as texts; None where rows have no key.
    :param transaction: pg_current_xact_id() of the transaction that takes the rows from the source.
    """

    rows: int
    end: int
    first: list[str] | None
    last: list[str] | None
    transaction: str


@dataclass(frozen=True)
class Journal:
    """A journal as it was read.

    :param start: length of the file before its first piece: that of the line of column names.
    """

    facts: ArchiveFacts
    start: int
    pieces: tuple[PieceRecord, ...]


def prefix_of(table: tuple[str, str], rule: str) -> str:
    """Return what the names of a rule's files begin with: table and rule in plain characters.

    A digest tells apart what looks alike then.
    """
    exact = hashlib.sha256(json.dumps([*table, rule]).encode()).hexdigest()[:8]
    parts = [re.sub(r"[^A-Za-z0-9_-]+", "_", part)[:60].strip("_") for part in (*table, rule)]
    return ".".join([*(part or "x" for part in parts), exact]) + "."


def base_name(facts: ArchiveFacts, stamp: str, token: str) -> str:
    """Return a file's name: what all of its rule begin with, the time, and a token that tells two runs apart."""
    return f"{prefix_of(facts.table, facts.rule)}{stamp}.{token}{SUFFIXES[facts.compression]}"


def journal_line(content: ArchiveFacts | PieceRecord, **more: Any) -> bytes:
    """Return one line of a journal."""
    return json.dumps({**asdict(content), **more}, ensure_ascii=False).encode() + b"\n"


def parse_journal(raw: bytes) -> Journal | None:
    """Understand a journal. What is not a whole line was cut off in the middle, and its piece never committed.

    :return: None if not even the first line is whole: no row has left the source then.
    """
    lines = raw.split(b"\n")[:-1]
    entries: list[dict[str, Any]] = []
    for line in lines:
        try:
            entries.append(json.loads(line))
        except ValueError:
            break
    if not entries:
        return None
    head = dict(entries[0])
    start = int(head.pop("start"))
    facts = ArchiveFacts(
        **{
            **head,
            "table": (head["table"][0], head["table"][1]),
            "columns": tuple((name, type_name) for name, type_name in head["columns"]),
            "left_out": tuple(head["left_out"]),
            "key": tuple(head["key"]),
        }
    )
    return Journal(facts, start, tuple(PieceRecord(**entry) for entry in entries[1:]))


def manifest(
    facts: ArchiveFacts, pieces: Sequence[PieceRecord], name: str, start: int, sha256: str, finished: str
) -> dict[str, Any]:
    """Return what the manifest of a whole file says.

    :param name: the file's name.
    :param start: length of the line of column names in the file.
    :param sha256: of the file, in hexadecimal.
    :param finished: when it was finished, in ISO 8601.
    """
    least, greatest = _range(facts, pieces)
    columns = ", ".join(quoted(column) for column, _type_name in facts.columns)
    copy = f"\\copy {quoted(*facts.table)} ({columns}) FROM STDIN (FORMAT csv, HEADER, ENCODING 'UTF8')"
    return {
        "format": "dataops.upkeep archive 1",
        "state": "done",
        "file": name,
        "rule": facts.rule,
        "table": list(facts.table),
        "columns": [{"name": column, "type": type_name} for column, type_name in facts.columns],
        "generated": list(facts.left_out),
        "rows": sum(piece.rows for piece in pieces),
        "bytes": pieces[-1].end if pieces else start,
        "sha256": sha256,
        "compression": facts.compression,
        "key": {"columns": list(facts.key), "min": least, "max": greatest},
        "older_than": facts.before,
        "server": {"version": facts.server, "database": facts.database, "system": facts.system},
        "started": facts.started,
        "finished": finished,
        "restore": f"{TOOLS[facts.compression]} {shlex.quote(name)} | psql -c {shlex.quote(copy)}",
        "pieces": [
            {"rows": piece.rows, "end": piece.end, "first": piece.first, "last": piece.last} for piece in pieces
        ],
    }


def _range(facts: ArchiveFacts, pieces: Sequence[PieceRecord]) -> tuple[list[str] | None, list[str] | None]:
    """Return the least and the greatest key: numbers by value, others as text."""
    types = dict(facts.columns)
    numbers = [types.get(column, "") in _INTEGERS for column in facts.key]

    def order(key: list[str]) -> list[tuple[int, str]]:
        return [(int(part), "") if number else (0, part) for part, number in zip(key, numbers, strict=True)]

    firsts = [piece.first for piece in pieces if piece.first is not None]
    lasts = [piece.last for piece in pieces if piece.last is not None]
    return min(firsts, key=order, default=None), max(lasts, key=order, default=None)
