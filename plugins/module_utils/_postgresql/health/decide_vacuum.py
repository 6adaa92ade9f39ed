# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whether autovacuum runs, and which tables wait for it too long. Pure."""

from __future__ import annotations

from ..._core.finding import Finding
from ..._core.health import Situation
from ..._core.runner import Decision
from ..._core.severity import Severity
from ..autovacuum import Tables
from ..decide_overdue import decide_overdue

__all__ = ["decide_vacuum"]


def decide_vacuum(seen: Tables, situation: Situation) -> Decision:
    """Judge every table that changed much, and autovacuum itself."""
    decision = Decision()
    if not all(seen.server.settings.get(name) == "on" for name in ("autovacuum", "track_counts")):
        message = f"{situation.subject}: autovacuum is off (settings autovacuum and track_counts)"
        remedy = "Switch it on: without it tables bloat and transaction ids run out."
        decision.findings.append(
            Finding("postgresql.autovacuum_off", Severity.WARNING, situation.subject, message, "off", "on", remedy)
        )
    decision.extend(decide_overdue(seen, situation))
    return decision
