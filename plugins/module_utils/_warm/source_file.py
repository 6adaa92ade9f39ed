# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Rows of a file: CSV with names in its first line, JSON lines, or one array in JSON."""

from __future__ import annotations

import csv
import json
import stat
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import Any, TextIO

from .._core.errors import AccessDenied, StoreError
from .._core.units import format_size
from .query import FileQuery
from .source import Rows, batches

__all__ = ["MOST_ARRAY_BYTES", "FileSource"]

MOST_ARRAY_BYTES = 64 * 2**20
"""Largest file with one array, for it is read as a whole."""

MOST_LINE = 64 * 2**20
"""Characters of the longest line."""


class FileSource:
    """A file. ``.csv`` is CSV; what begins with a bracket is an array in JSON; all else is JSON lines."""

    def __init__(self, query: FileQuery) -> None:
        self._path = Path(query.path)
        self.label = query.path
        self._tried = f"read the file {query.path}"

    @contextmanager
    def open(self) -> Iterator[Rows]:
        """Open the file."""
        with self._explained():
            if not stat.S_ISREG(self._path.stat().st_mode):
                raise StoreError(self._tried, "it is no regular file", "Name a file.")
            # The encoding passes over the mark that some programs put first; what is no text makes its row unreadable.
            stream = self._path.open(encoding="utf-8-sig", errors="surrogateescape", newline="")
        with stream:
            with self._explained():
                rows = iter(self._rows(stream))
            yield batches(lambda size: self._fetched(rows, size))

    def _fetched(self, rows: Iterator[Mapping[str, Any] | None], size: int) -> list[Mapping[str, Any] | None]:
        with self._explained():
            return list(islice(rows, size))

    def _rows(self, stream: TextIO) -> Iterable[Mapping[str, Any] | None]:
        if self._path.suffix.lower() == ".csv":
            return self._csv(stream)
        first = stream.read(1)
        while first.isspace():
            first = stream.read(1)
        stream.seek(0)
        return self._array(stream) if first == "[" else self._lines(stream)

    @staticmethod
    def _csv(stream: TextIO) -> Iterator[Mapping[str, Any] | None]:
        """Yield lines by the names in the first; one with more or fewer fields cannot be read."""
        csv.field_size_limit(MOST_LINE)
        for row in csv.DictReader(stream, restkey="", strict=True):
            yield None if "" in row or None in row.values() else row

    def _array(self, stream: TextIO) -> list[Mapping[str, Any] | None]:
        size = self._path.stat().st_size
        if size > MOST_ARRAY_BYTES:
            raise StoreError(
                self._tried,
                f"an array is read as a whole, and {format_size(size)} are too many",
                f"Write one object a line; an array may have {format_size(MOST_ARRAY_BYTES)}.",
            )
        try:
            found = json.load(stream)
        except (ValueError, RecursionError) as error:
            # The error's text tells the place; what stands there is not repeated.
            where = f" at line {error.lineno}" if isinstance(error, json.JSONDecodeError) else ""
            raise StoreError(self._tried, f"it is no JSON{where}", "Mend the file.") from None
        return [row if isinstance(row, dict) else None for row in found]

    @staticmethod
    def _lines(stream: TextIO) -> Iterator[Mapping[str, Any] | None]:
        while line := stream.readline(MOST_LINE):
            if not line.strip():
                continue
            try:
                row = json.loads(line)
            except (ValueError, RecursionError):
                row = None
            yield row if isinstance(row, dict) else None

    @contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except PermissionError:
            raise AccessDenied(self._tried, "the module's user may not read it", "Let that user read it.") from None
        except csv.Error as error:
            raise StoreError(self._tried, f"it is no CSV: {error}", "Mend the file.") from None
        except OSError as error:
            raise StoreError(self._tried, error.strerror or "it cannot be read", "Check the path.") from None
