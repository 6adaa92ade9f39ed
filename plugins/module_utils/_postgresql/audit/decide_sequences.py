# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which sequences are near the end of what they or their column can hold. Pure."""

from __future__ import annotations

from ..._core.finding import Finding
from ..._core.health import Situation
from ..._core.runner import Decision
from ..identifier import quoted
from ..rights import hidden
from .observation import Sequence, Sequences
from .worst import rest

__all__ = ["decide_sequences", "used_percent"]

MOST_FINDINGS = 20
"""Sequences named one by one, the fullest first; the others are counted."""


def used_percent(sequence: Sequence) -> float | None:
    """Return how much of its way a sequence has gone, in percent; None: it has no end, or was not read.

    Its end is its own limit or that of its column's type, whichever comes first. One that cycles has none, unless the
    column ends before it.
    """
    if not sequence.readable:
        return None
    least, most = sequence.least, sequence.most
    if sequence.column_bytes is not None:
        reach = 2 ** (8 * sequence.column_bytes - 1)
        least, most = max(least, -reach), min(most, reach - 1)
    ends_early = most < sequence.most if sequence.step > 0 else least > sequence.least
    if sequence.cycles and not ends_early:
        return None
    if sequence.last is None or most <= least:
        return 0.0
    gone = sequence.last - least if sequence.step > 0 else most - sequence.last
    return 100 * max(0, gone) / (most - least)


def decide_sequences(seen: Sequences, situation: Situation) -> Decision:
    """Judge each sequence; those that the user may not read are said."""
    used = {sequence: used_percent(sequence) for sequence in seen.sequences}
    known = {sequence: percent for sequence, percent in used.items() if percent is not None}
    decision = Decision(
        metrics={
            "postgresql_sequences_total": len(seen.sequences),
            "postgresql_sequence_used_percent": round(max(known.values(), default=0.0), 2),
        }
    )
    judged = [
        finding
        for sequence, percent in sorted(known.items(), key=lambda item: -item[1])
        for finding in _judge(sequence, percent, seen.server.database, situation)
    ]
    decision.findings += judged[:MOST_FINDINGS] + rest(judged[MOST_FINDINGS:], "sequences", seen.server, situation)
    unread = [sequence for sequence in seen.sequences if not sequence.readable]
    if unread:
        names = ", ".join(sequence.label for sequence in unread[:3])
        what = f"{len(unread)} of the {len(seen.sequences)} sequences ({names}{', ...' if len(unread) > 3 else ''})"
        schemas = ", ".join(quoted(schema) for schema in sorted({sequence.schema for sequence in unread}))
        who = quoted(seen.server.user)
        remedy = f"Let an administrator run: GRANT SELECT ON ALL SEQUENCES IN SCHEMA {schemas} TO {who}"
        decision.findings.append(hidden(situation, "sequences", seen.server.user, what, remedy))
    return decision


def _judge(sequence: Sequence, percent: float, database: str, situation: Situation) -> list[Finding]:
    subject = f"{situation.subject} sequence {database}.{sequence.label}"
    feeds = f" for {sequence.column}" if sequence.column else ""
    narrow = f", a column of {sequence.column_bytes} bytes" if sequence.column_bytes else ""
    what = f"its last value{feeds}{narrow} is {sequence.last}; of what there is, used:"
    return situation.thresholds.judge("sequence_percent", "postgresql.sequence_end", subject, percent, what)
