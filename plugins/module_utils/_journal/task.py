# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The task of ``journal_info``: read the journal and verify it."""

from __future__ import annotations

import re
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from .._core.errors import InvalidInput
from .._core.runner import Context, Decision, InfoTask
from .._core.units import parse_age
from .chain import GENESIS, Problem, Verdict
from .decide_journal import decide_journal
from .verify import journal_files, verify_files

__all__ = ["JournalTask", "parse_since"]


def parse_since(text: str, now: datetime) -> datetime:
    """Understand the option ``since``: an age before now, or a date or time (UTC unless it says otherwise).

    :raises InvalidInput: it is neither.
    """
    try:
        moment = datetime.fromisoformat(re.sub(r"Z$", "+00:00", text.strip()))
    except ValueError:
        return parse_age(text, "since").before(now)
    return moment.astimezone(timezone.utc) if moment.tzinfo else moment.replace(tzinfo=timezone.utc)


class JournalTask(InfoTask[Verdict]):
    """Verifies a journal.

    :param context: the task's context; ``params`` holds ``path``, ``expect_head`` and ``since``.
    :raises InvalidInput: an option cannot be understood.
    """

    def __init__(self, context: Context) -> None:
        self._path = Path(context.params["path"])
        self._expected: str | None = context.params["expect_head"]
        since = context.params["since"]
        self._since = parse_since(since, context.clock.now()) if since else None
        if self._expected and not re.fullmatch(r"[0-9a-fA-F]{64}", self._expected):
            raise InvalidInput(
                "expect_head",
                f"{self._expected!r} is no SHA-256 hash",
                "Give the 64 hexadecimal digits that a run printed at its end.",
            )

    @property
    def subject(self) -> str:
        """The journal's path."""
        return f"journal {self._path}"

    def observe(self) -> Verdict:
        """Read and verify the files, at one moment between two writes."""
        try:
            files = journal_files(self._path)
        except OSError as error:
            kind = "missing" if isinstance(error, FileNotFoundError) else "unreadable"
            return _without_files(Problem(kind, str(self._path), 0, f"the journal cannot be read: {error.strerror}"))
        if not files:
            return _without_files(Problem("missing", str(self._path), 0, "there is no journal file in this folder"))
        if self._since is None:
            return verify_files(files, self._expected)
        # Files of the months before are not read at all: that is what makes a long journal quick to verify.
        first = f"journal-{self._since:%Y-%m}.jsonl"
        kept = [file for file in files if file.name >= first] or files[-1:]
        return verify_files(kept, self._expected, partial=True, since=self._since.isoformat(timespec="milliseconds"))

    def decide(self, observation: Verdict) -> Decision:
        """Judge it."""
        return decide_journal(observation)

    def server(self, observation: Verdict) -> dict[str, Any]:
        """Where the journal is and how it ends."""
        server: dict[str, Any] = {"kind": "journal", "address": str(self._path)}
        if observation.head != GENESIS:
            server |= {"head": observation.head, "records_ever": observation.seq, "last_at": observation.last_at}
        if observation.expected_seq is not None:
            server["records_after_expected_head"] = observation.seq - observation.expected_seq
        return server


def _without_files(problem: Problem) -> Verdict:
    verdict = Verdict()
    verdict.add(problem)
    return verdict
