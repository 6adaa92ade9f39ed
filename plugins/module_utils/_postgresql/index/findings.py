# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Findings that the audit and postgresql_index share. Pure."""

from __future__ import annotations

from ..._core.finding import Finding
from ..._core.severity import Severity
from ..._core.units import format_duration, format_size
from ..identifier import quoted
from .decide_unused import is_standby, standbys
from .observation import Index, Indexes

__all__ = ["EXPRESSION_NOTE", "unanswering_standbys", "unlisted_standbys", "unused_because", "unused_index"]

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
    """Return a finding for each entry of ``replicas`` that says nothing of a standby's use of indexes."""
    found = [
        (node.name, f"could not be asked how it uses indexes: {node.error}")
        if node.error is not None
        else (node.name, "is no standby of this server, so what it says of indexes does not count")
        for node in seen.replicas
        if node.error is not None or not is_standby(node, seen)
    ]
    return [
        Finding(
            "postgresql.standby_unknown",
            Severity.WARNING,
            f"{subject} standby {name}",
            f"{subject}: the standby {name} {why}",
            remedy="Check its address and login in the option replicas; until it answers every index is kept.",
        )
        for name, why in found
    ]


def unlisted_standbys(seen: Indexes, subject: str) -> list[Finding]:
    """Return the finding that there are more standbys than were asked, which keeps every index; none if not."""
    known, asked = standbys(seen)
    if known <= asked:
        return []
    message = f"{subject}: {known} standbys stream from it, and {asked} of them were asked how they use indexes"
    remedy = "List all of them in the option replicas, and drop the slots of those that are gone."
    return [
        Finding(
            "postgresql.standby_unlisted",
            Severity.WARNING,
            subject,
            f"{message}; every index is kept",
            known,
            asked,
            remedy,
        )
    ]
