# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The journal's chain of records: how one is sealed, and how a row of them is verified. Pure.

A record is one line of canonical JSON. It carries the hash of the record before it (``prev``), its number in the
journal (``seq``) and its own hash, which covers both. The chain goes on from file to file. What a chain cannot show
is that records are missing at its end, or that somebody wrote all of it anew; the hash of a record that is known from
elsewhere (``expected`` below) shows both.

This file needs nothing but the standard library, so that a journal can be verified without Ansible: see ``verify.py``.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

__all__ = ["GENESIS", "Problem", "Tail", "Verdict", "Verifier", "canonical", "find_tail", "seal", "torn_note"]

GENESIS = "0" * 64
"""What the first record carries as the hash of the one before."""

MAX_PROBLEMS = 100
"""Problems beyond this number are counted and not listed."""

_START = b'{"at":"'
"""How every record's line starts, since ``at`` is the first of its keys."""


def canonical(value: Mapping[str, Any]) -> bytes:
    """Write a record as the one JSON text there is for it: ASCII, keys sorted, no blanks."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False).encode("ascii")


def seal(record: Mapping[str, Any], seq: int, prev: str) -> dict[str, Any]:
    """Return a record with its number, the hash of the record before it and its own hash.

    :param record: what is recorded, ``at`` included; JSON values only.
    :param seq: number of the record, from 1.
    :param prev: hash of the record before, :data:`GENESIS` for the first.
    """
    body = {**record, "seq": seq, "prev": prev}
    return {**body, "hash": _digest(body)}


def _digest(body: Mapping[str, Any]) -> str:
    return hashlib.sha256(canonical(body)).hexdigest()


def torn_note(lines: Sequence[bytes]) -> list[dict[str, Any]]:
    """Describe torn lines so that a ``recovered`` record can vouch for exactly these."""
    return [{"bytes": len(line), "sha256": hashlib.sha256(line).hexdigest()} for line in lines]


@dataclass(frozen=True)
class _Line:
    """One line, looked at by itself: the record it holds, if any, and what is wrong with it."""

    record: dict[str, Any] | None
    fault: str = ""

    @property
    def sealed(self) -> bool:
        return self.record is not None and not self.fault


def _look_at(line: bytes) -> _Line:
    """Read a line; a line that is no record at all has no record, a changed one has both."""
    try:
        record = json.loads(line)
    except (ValueError, RecursionError):
        return _Line(None, "this is no record")
    if not isinstance(record, dict) or not _has_links(record):
        return _Line(None, "this is no record")
    body = {key: value for key, value in record.items() if key != "hash"}
    try:
        written = canonical(record)
        digest = _digest(body)
    except ValueError:
        # NaN and Infinity, which Python reads and which no record holds.
        return _Line(record, "the record was changed: it holds what the journal never writes")
    if digest != record["hash"]:
        return _Line(record, "the record was changed: it does not have the hash that it carries")
    if written != line:
        return _Line(record, "the line was changed: it is not written as the journal writes")
    return _Line(record)


def _has_links(record: Mapping[str, Any]) -> bool:
    texts = all(isinstance(record.get(key), str) for key in ("at", "hash", "prev"))
    return texts and isinstance(record.get("seq"), int) and not isinstance(record["seq"], bool)


def _looks_torn(line: bytes) -> bool:
    """Whether a line can be what a killed writer left: the beginning of a record, or a block that never was written."""
    start = line.rstrip(b"\0")[: len(_START)]
    if not line or not _START.startswith(start):
        return False
    try:
        json.JSONDecoder().raw_decode(line.decode("latin-1"))
    except (ValueError, RecursionError):
        return True
    # A whole record with something behind it was changed, not cut short.
    return False


@dataclass(frozen=True)
class Tail:
    """How a journal file ends.

    :param seq: number of the last record; 0 if there is none.
    :param head: its hash.
    :param torn: lines behind it that a killed run left.
    :param open: whether the last line has no line end.
    """

    seq: int = 0
    head: str = GENESIS
    torn: tuple[bytes, ...] = ()
    open: bool = False


def find_tail(data: bytes, whole: bool) -> Tail | None:
    """Find the last record in the end of a file; None if it lies further up.

    A record that was changed still gives number and hash, so that the chain goes on and the change stays visible.

    :param data: the file's last bytes.
    :param whole: whether these are all of its bytes.
    """
    lines = data.split(b"\n")
    last = lines.pop()
    unterminated = bool(last)
    if not whole:
        lines = lines[1:]
    torn: list[bytes] = []
    # A crash leaves the last line without its end. What has one and is no record was changed, and is not excused.
    excused = unterminated
    for line in reversed([*lines, last] if unterminated else lines):
        record = _look_at(line).record
        if record is not None:
            return Tail(record["seq"], record["hash"], tuple(torn), unterminated)
        excused = excused and _looks_torn(line)
        if excused:
            torn.insert(0, line)
    return Tail(torn=tuple(torn), open=unterminated) if whole else None


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong with a journal.

    :param kind: ``tampered``, ``missing``, ``torn`` or ``unreadable``.
    :param file: the file it is in.
    :param line: number of the line, from 1; 0 where it is about no line.
    :param what: what is wrong, for people.
    """

    kind: str
    file: str
    line: int
    what: str


@dataclass
class Verdict:
    """What a verification found.

    :param records: number of sound records.
    :param runs: ids of the runs that were started, and of those that were ended, in order.
    :param torn: number of torn lines that a later run declared; they are no problem.
    :param first_at: time of the first sound record, as written; empty without one.
    :param seq: number of the last record.
    :param head: hash of the last record.
    :param problems: what is wrong, at most :data:`MAX_PROBLEMS` of it.
    :param problem_count: how much is wrong.
    :param expected_seq: number of the record that has the expected hash; None if there is none.
    """

    files: int = 0
    records: int = 0
    runs: dict[str, bool] = field(default_factory=dict)
    torn: int = 0
    first_at: str = ""
    last_at: str = ""
    seq: int = 0
    head: str = GENESIS
    problems: list[Problem] = field(default_factory=list)
    problem_count: int = 0
    expected_seq: int | None = None

    def add(self, problem: Problem) -> None:
        """Take a problem in."""
        self.problem_count += 1
        if len(self.problems) < MAX_PROBLEMS:
            self.problems.append(problem)

    @property
    def intact(self) -> bool:
        """Whether nothing is wrong but a last line that was cut short, which the next run will declare."""
        return all(problem.kind == "torn" for problem in self.problems)

    @property
    def unfinished(self) -> list[str]:
        """Runs without an end: killed, or still running."""
        return [run for run, ended in self.runs.items() if not ended]


class Verifier:
    """Verifies a journal, file by file and line by line, in constant memory.

    :param expected: hash of a record that must be there, known from elsewhere.
    :param partial: whether the files may start in the middle of the journal, since older ones were put away.
    :param since: count only records from this time on, written as ``at`` is; all lines are verified all the same.
    """

    def __init__(self, expected: str | None = None, partial: bool = False, since: str = "") -> None:
        self.verdict = Verdict()
        self._expected = expected.lower() if expected else None
        self._partial = partial
        self._since = since
        self._started = False
        self._torn: list[tuple[int, bytes]] = []
        self._file = ""
        self._line = 0

    def feed(self, file: str, lines: Iterable[bytes]) -> None:
        """Verify one file.

        :param file: its name, for the problems.
        :param lines: its lines with their line ends, as a binary file yields them.
        """
        self.verdict.files += 1
        self._file, self._line = file, 0
        for line in lines:
            self._line += 1
            if line.endswith(b"\n"):
                self._verify(line[:-1])
            else:
                self._end_without_line_end(line)
        self._refuse_torn()

    def finish(self) -> Verdict:
        """Return what was found, after the last file."""
        if self._expected and self.verdict.expected_seq is None:
            self.verdict.add(
                Problem(
                    "tampered", self._file, 0,
                    f"no record has the expected hash {self._expected}: records were removed from the end, or the "
                    "journal was written anew, or it is another journal",
                )
            )  # fmt: skip
        return self.verdict

    def _problem(self, kind: str, what: str, line: int | None = None) -> None:
        self.verdict.add(Problem(kind, self._file, self._line if line is None else line, what))

    def _end_without_line_end(self, line: bytes) -> None:
        """The file's last bytes: cut short by a crash, or a record of which somebody took the line end."""
        looked = _look_at(line)
        if looked.record is None and _looks_torn(line):
            # Torn lines right before it are from a run that was killed while it declared the first of them.
            self._torn.clear()
            self._problem("torn", f"the last line was cut short after {len(line)} bytes; the next run declares it")
            return
        self._verify(line)
        if looked.sealed:
            self._problem("torn", "the last line has no line end; the next run adds it")

    def _verify(self, line: bytes) -> None:
        looked = _look_at(line)
        if looked.record is None:
            if _looks_torn(line):
                self._torn.append((self._line, line))
            else:
                self._refuse_torn()
                self._problem("tampered", looked.fault)
            return
        self._settle_torn(looked)
        self._link(looked.record)
        if looked.fault:
            self._problem("tampered", looked.fault)
        else:
            self._count(looked.record)

    def _settle_torn(self, looked: _Line) -> None:
        """Torn lines are in order if the very next record declares exactly them."""
        record = looked.record or {}
        details = record.get("details")
        declared = details.get("torn") if record.get("event") == "recovered" and isinstance(details, dict) else None
        if looked.sealed and self._torn and declared == torn_note([line for _number, line in self._torn]):
            self.verdict.torn += len(self._torn)
            self._torn.clear()
        elif looked.sealed and declared and not self._torn:
            self._problem("tampered", "the torn line that this record declares was removed")
        self._refuse_torn()

    def _refuse_torn(self) -> None:
        for number, _line in self._torn:
            self._problem("tampered", "this is no record, and no record declares it as torn", number)
        self._torn.clear()

    def _link(self, record: Mapping[str, Any]) -> None:
        """Hold a record against the one before, and go on from it whatever came out."""
        seq, head = self.verdict.seq, self.verdict.head
        first, self._started = not self._started, True
        if first:
            sound = record["prev"] == GENESIS and record["seq"] == 1
            if not sound and record["seq"] <= 1:
                self._problem("tampered", "the first record does not start a chain")
            elif not sound and not self._partial:
                self._problem("missing", f"the journal starts with record {record['seq']}: those before are not here")
        elif record["seq"] != seq + 1:
            self._problem(*self._gap(seq, record["seq"]))
        elif record["prev"] != head:
            self._problem("tampered", f"record {record['seq']} does not carry the hash of the record before")
        self.verdict.seq, self.verdict.head = record["seq"], record["hash"]

    def _gap(self, before: int, now: int) -> tuple[str, str]:
        if now <= before:
            hint = ": are the files in their order?" if self._line == 1 else ": records were moved or doubled"
            return "tampered", f"record {now} follows record {before}{hint}"
        kind = "missing" if self._line == 1 else "tampered"
        return kind, f"record {now} follows record {before}: {now - before - 1} between them are not here"

    def _count(self, record: Mapping[str, Any]) -> None:
        verdict = self.verdict
        if record["hash"] == self._expected:
            verdict.expected_seq = record["seq"]
        if record["at"] < self._since:
            return
        verdict.records += 1
        verdict.first_at = verdict.first_at or record["at"]
        verdict.last_at = record["at"]
        if record.get("event") == "run_started":
            verdict.runs[str(record.get("run"))] = False
        elif record.get("event") == "run_ended" and str(record.get("run")) in verdict.runs:
            verdict.runs[str(record.get("run"))] = True
