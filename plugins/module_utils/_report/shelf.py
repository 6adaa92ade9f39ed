# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The folder of reports: what lies there, and which of it is ours."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

__all__ = ["FORMATS", "MARKER", "Shelf", "Shelved", "file_stem", "look_at"]

FORMATS: Mapping[str, str] = {"html": "html", "json": "json", "markdown": "md"}
"""The formats and what their files' names end in."""

MARKER = "upkeep-run="
"""Stands before the run's id near the beginning of every report of ours, and by this a report is known as ours."""

_MARKED = re.compile(rb"upkeep-run=([A-Za-z0-9._:-]+)")
_HEAD_BYTES = 2048


@dataclass(frozen=True)
class Shelved:
    """A report in the folder.

    :param stamp: its moment, as ``20261122-053000``.
    :param format: one of :data:`FORMATS`.
    :param run_id: the run that it reports; None if it is no report of ours, whatever its name.
    """

    name: str
    stamp: str
    format: str
    run_id: str | None


@dataclass(frozen=True)
class Shelf:
    """The folder as it is.

    :param exists: whether the folder is there.
    :param reports: the files that are named like reports of this application and cadence.
    :param latest: for each format whose ``latest`` is there its run, None if that is no report of ours.
    """

    exists: bool
    reports: Sequence[Shelved] = ()
    latest: Mapping[str, str | None] = field(default_factory=dict)


def file_stem(application: str, cadence: str) -> str:
    """Return what the names of an application's reports begin with: letters, digits, dots and ``-``, ``_``.

    A cadence holds no ``-`` then, so that no two pairs of application and cadence share their names.
    """
    names = [re.sub(r"[^A-Za-z0-9._-]+", "-", name).strip("-.")[:80] for name in (application, cadence)]
    return f"{names[0] or 'application'}-{names[1].replace('-', '_') or 'report'}"


def look_at(folder: Path, stem: str) -> Shelf:
    """Look into the folder.

    :raises OSError: it cannot be read.
    """
    pattern = re.compile(rf"{re.escape(stem)}-(\d{{8}}-\d{{6}})\.({'|'.join(FORMATS.values())})")
    by_suffix = {suffix: name for name, suffix in FORMATS.items()}
    try:
        files = sorted(folder.iterdir())
    except FileNotFoundError:
        return Shelf(exists=False)
    reports, latest = [], {}
    for file in files:
        match = pattern.fullmatch(file.name)
        if match:
            reports.append(Shelved(file.name, match[1], by_suffix[match[2]], _run_of(file)))
        elif file.stem == "latest" and file.suffix[1:] in by_suffix:
            latest[by_suffix[file.suffix[1:]]] = _run_of(file)
    return Shelf(True, reports, latest)


def _run_of(file: Path) -> str | None:
    """Return the run's id that a report of ours carries; None for anything else, links too."""
    if file.is_symlink() or not file.is_file():
        return None
    with file.open("rb") as stream:
        marked = _MARKED.search(stream.read(_HEAD_BYTES))
    return marked[1].decode("ascii") if marked else None
