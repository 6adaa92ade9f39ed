# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What follows from the age of transaction ids. Pure."""

from __future__ import annotations

from ..._core.finding import Finding
from ..._core.health import Situation
from ..._core.result import metric_name
from ..._core.runner import Decision
from ..horizon import LAST_ID, DatabaseAge, Holder
from .observation import Wraparound

__all__ = ["decide_wraparound"]

KINDS = (
    ("transactions", "transaction_age", "autovacuum_freeze_max_age", "transaction ids"),
    ("multixacts", "multixact_age", "autovacuum_multixact_freeze_max_age", "multixact ids"),
)


def decide_wraparound(seen: Wraparound, situation: Situation) -> Decision:
    """Judge the oldest database in both kinds of id, and what holds them."""
    decision = Decision()
    for field, threshold, limit_name, words in KINDS:
        oldest = max(seen.databases, key=lambda database: _age(database, field), default=None)
        if oldest is None:
            continue
        age, limit = _age(oldest, field), seen.server.setting(limit_name)
        decision.metrics |= {
            metric_name(f"postgresql_{field}_age", database=database.database): _age(database, field)
            for database in seen.databases
        }
        decision.metrics[f"postgresql_{field}_age_percent"] = round(100 * age / LAST_ID, 2)
        subject = f"{situation.subject} database {oldest.database}"
        held = f" ({_held(seen.holder)})" if seen.holder and field == "transactions" else ""
        what = f"its oldest {words} lie {100 * age / LAST_ID:.0f} % of the way to the wraparound{held}; their age is"
        found = situation.thresholds.judge(threshold, "postgresql.wraparound", subject, age, what)
        decision.findings += found or _late(field, subject, age, limit, limit_name, held, situation)
    decision.findings += _holder(seen.holder, situation)
    if seen.holder:
        decision.metrics["postgresql_held_transactions_age"] = seen.holder.age
    return decision


def _age(database: DatabaseAge, field: str) -> int:
    return int(getattr(database, field))


def _late(
    field: str, subject: str, age: int, limit: float | None, limit_name: str, held: str, situation: Situation
) -> list[Finding]:
    """Return the finding that autovacuum does not come round to freezing."""
    percent = 100 * age / limit if limit else None
    what = f"the age of its oldest {field}{held}, in percent of {limit_name}:"
    return situation.thresholds.judge("freeze_percent", f"postgresql.freeze_{field}", subject, percent, what)


def _held(holder: Holder) -> str:
    where = f" in {holder.database}" if holder.database else ""
    return f"held back by {holder.kind} {holder.name}{where}"


def _holder(holder: Holder | None, situation: Situation) -> list[Finding]:
    if holder is None:
        return []
    what = f"what vacuum may remove is {_held(holder)}; transactions since then:"
    return situation.thresholds.judge("held_age", "postgresql.vacuum_held", situation.subject, holder.age, what)
