# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Findings that the audit and postgresql_index share. Pure."""

from __future__ import annotations

from ..._core.finding import Finding
from ..._core.severity import Severity
from ..._core.units import format_duration, format_size
from ..identifier import quoted
from .observation import Index, Indexes

__all__ = ["EXPRESSION_NOTE", "unanswering_standbys", "unused_because", "unused_index"]

EXPRESSION_NOTE = (
    "statistics of its expressions go with it, so plans may change although no query scans it: look at them afterwards"
)
"""Condition 9 of the rule: it warns, and does not keep."""


def unused_because(index: Index, seen: Indexes) -> str:
    """Say in words why an index counts as unused."""
    scans = "never scanned" if not index.scans else f"scanned {index.scans} times long ago"
    servers = f" on {1 + len(seen.replicas)} servers" if seen.replicas else ""
    watched = f" and watched for {format_duration(seen.policy.seconds)} or longer" if seen.policy.seconds else ""
    note = f"; {EXPRESSION_NOTE}" if index.texts else ""
    return f"{scans}{servers}{watched}, {format_size(index.bytes)}{note}"


def unused_index(index: Index, seen: Indexes, subject: str) -> Finding:
    """Return the finding of an index that nothing keeps.

    :param subject: the server's label.
    """
    name = f"{subject} index {seen.server.database}.{index.label}"
    message = f"{name} on table {index.table} is unused: {unused_because(index, seen)}"
    remedy = (
        f"Run DROP INDEX CONCURRENTLY {quoted(index.schema, index.name)}, or postgresql_index with unused: drop. "
        f"To have it back: {index.definition}"
    )
    return Finding(
        "postgresql.unused_index", Severity.WARNING, name, message, index.bytes, seen.policy.bytes or None, remedy
    )


def unanswering_standbys(seen: Indexes, subject: str) -> list[Finding]:
    """Return a finding for each standby that could not be asked."""
    return [
        Finding(
            "postgresql.standby_unknown",
            Severity.WARNING,
            f"{subject} standby {node.name}",
            f"{subject}: the standby {node.name} could not be asked how it uses indexes: {node.error}",
            remedy="Check its address and login in the option replicas; until it answers every index is kept.",
        )
        for node in seen.replicas
        if node.error is not None
    ]
