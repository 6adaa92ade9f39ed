# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Reads a written report back and says what is wrong with it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from html.parser import HTMLParser
from pathlib import Path

from .entries import Entry

__all__ = ["gap_in", "trouble_in"]


class _Sections(HTMLParser):
    """Collects the results that a page shows, and whether it is whole."""

    def __init__(self) -> None:
        super().__init__()
        self.results: list[str] = []
        self.whole = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note a result's section."""
        if tag == "section" and "data-result" in dict(attrs):
            self.results.append(dict(attrs)["data-result"] or "")

    def handle_endtag(self, tag: str) -> None:
        """Note the page's end."""
        self.whole = tag == "html"


def trouble_in(file: Path, expected: bytes) -> str | None:
    """Return what is wrong with a file as it lies on the disk, None if nothing is.

    :param expected: what was written.
    """
    try:
        content = file.read_bytes()
    except OSError as error:
        return f"it cannot be read back: {error.strerror}"
    return None if content == expected else "it does not hold what was written"


def gap_in(content: bytes, format_name: str, entries: Sequence[Entry]) -> str | None:
    """Return what a rendered report lacks, None if it can be parsed and has every result.

    :param entries: every result.
    """
    if format_name == "html":
        page = _Sections()
        page.feed(content.decode("utf-8"))
        shown = page.whole and sorted(page.results) == sorted(entry.key for entry in entries)
        return None if shown else "the page does not show every result"
    if format_name == "json":
        kept = json.loads(content)["results"]
        return None if kept == [entry.as_dict() for entry in entries] else "it does not hold every result"
    return None
