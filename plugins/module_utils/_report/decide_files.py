# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which files a report needs and which old ones go. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone

from .shelf import FORMATS, Shelf

__all__ = ["FilePlan", "plan_files"]

STAMP = "%Y%m%d-%H%M%S"
AHEAD_SECONDS = 60
"""A report further ahead of the clock was written while the clock was wrong, and is no reason to follow it."""


@dataclass(frozen=True)
class FilePlan:
    """What is to be done in the folder.

    :param at: the report's moment, in UTC: that of the run's first report, if there was one.
    :param names: for each format the report's file name.
    :param write: the formats whose file is not there yet.
    :param point: the formats whose ``latest`` is absent or of another run.
    :param foreign: the ``latest`` files that are no reports of ours and are left alone.
    :param remove: names of the old reports to remove, oldest first.
    """

    at: datetime
    names: dict[str, str]
    write: Sequence[str]
    point: Sequence[str]
    foreign: Sequence[str]
    remove: Sequence[str]


def plan_files(shelf: Shelf, stem: str, formats: Sequence[str], run_id: str, now: datetime, keep: int) -> FilePlan:
    """Decide on the files.

    A run that was reported before keeps its files and its moment; only formats that are missing are written. A run
    that is older than the newest report does not become the latest again.

    :param now: the moment of a new report, in UTC.
    :param keep: how many reports (moments) stay, this one among them.
    """
    ours = [report for report in shelf.reports if report.run_id is not None]
    reported = [report for report in ours if report.run_id == run_id]
    stamp = reported[0].stamp if reported else _free_stamp(shelf, now)
    newest = stamp >= max((report.stamp for report in ours), default="")
    others = {name for name in shelf.latest if shelf.latest[name] is None}
    stamps = sorted({report.stamp for report in ours} | {stamp})
    old = set(stamps[: max(0, len(stamps) - keep)]) - {stamp}
    return FilePlan(
        at=datetime.strptime(stamp, STAMP).replace(tzinfo=timezone.utc),
        names={name: f"{stem}-{stamp}.{FORMATS[name]}" for name in formats},
        write=[name for name in formats if name not in {report.format for report in reported}],
        point=[name for name in formats if newest and name not in others and shelf.latest.get(name) != run_id],
        foreign=[f"latest.{FORMATS[name]}" for name in formats if name in others],
        remove=[report.name for report in ours if report.stamp in old],
    )


def _free_stamp(shelf: Shelf, now: datetime) -> str:
    """Return the moment for the file names, later where runs of this minute were given moments ahead of the clock.

    So of several runs in one second the last one is the newest, even when the first one's report was removed meanwhile.
    """
    taken = {report.stamp for report in shelf.reports}
    ahead = {(now + timedelta(seconds=seconds)).strftime(STAMP) for seconds in range(AHEAD_SECONDS)}
    last = max(taken & ahead, default="")
    if last:
        now = datetime.strptime(last, STAMP).replace(tzinfo=timezone.utc) + timedelta(seconds=1)
    while now.strftime(STAMP) in taken:
        now += timedelta(seconds=1)
    return now.strftime(STAMP)
