# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which tables' and databases' transaction ids are too old, and what holds them. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import NamedTuple

from ..._core.finding import Finding
from ..._core.health import Situation
from ..._core.runner import Decision
from ..._core.units import format_duration
from ..horizon import LAST_ID, Holder
from ..rights import hidden
from .observation_vacuum import Ages, TableAge
from .worst import rest

__all__ = ["decide_table_ages"]

MOST_FINDINGS = 10

KINDS = (
    ("transactions", "transaction_age", "autovacuum_freeze_max_age"),
    ("multixacts", "multixact_age", "autovacuum_multixact_freeze_max_age"),
)

REMEDIES: Mapping[str, str] = {
    "session": "Let its owner end it, or run SELECT pg_terminate_backend({pid}).",
    "standby": "End the long query on the standby; hot_standby_feedback makes this server keep rows for it.",
    "prepared transaction": "Finish it: COMMIT PREPARED or ROLLBACK PREPARED, in its database.",
    "replication slot": "Bring its receiver back, or drop it: SELECT pg_drop_replication_slot(slot_name).",
    "logical slot": "Bring its consumer back, or drop it: SELECT pg_drop_replication_slot(slot_name).",
}


class Old(NamedTuple):
    """Something with ids: a table or another database. :param limit: where autovacuum begins to freeze it."""

    words: str
    label: str
    age: int
    limit: float
    note: str = ""


def decide_table_ages(seen: Ages, situation: Situation) -> Decision:
    """Judge this database by its tables, the others as a whole, and everything that holds ids back."""
    decision = Decision(metrics={"postgresql_holders_total": len(seen.holders)})
    if seen.holders:
        decision.metrics["postgresql_held_transactions_age"] = seen.holders[0].age
    for kind, threshold, setting in KINDS:
        oldest = max((int(getattr(table, kind)) for table in seen.tables), default=0)
        decision.metrics[f"postgresql_oldest_table_{kind}_age"] = oldest
        found = [
            finding for old in _aged(kind, setting, seen) for finding in _judge(old, kind, threshold, seen, situation)
        ]
        decision.findings += found[:MOST_FINDINGS]
        decision.findings += rest(found[MOST_FINDINGS:], "tables and databases", seen.server, situation)
    held = [finding for holder in seen.holders for finding in _holder(holder, situation)]
    decision.findings += held[:MOST_FINDINGS] + rest(held[MOST_FINDINGS:], "holders", seen.server, situation)
    if not seen.server.sees_all:
        decision.findings.append(hidden(situation, "wraparound", seen.server.user, "which sessions hold old rows"))
    return decision


def _aged(kind: str, setting: str, seen: Ages) -> list[Old]:
    """Return tables and other databases, the oldest first."""
    limit = seen.server.setting(setting) or 0.0
    aged = [_table(table, int(getattr(table, kind)), setting, limit) for table in seen.tables]
    # The connected database is as old as its oldest table.
    aged += [
        Old("database", each.database, int(getattr(each, kind)), limit)
        for each in seen.databases
        if each.database != seen.server.database
    ]
    return sorted(aged, key=lambda old: -old.age)


def _table(table: TableAge, age: int, setting: str, limit: float) -> Old:
    own = dict(option.partition("=")[::2] for option in table.options).get(setting)
    note = ", a temporary table that only its own session can freeze" if table.temporary else ""
    words = "TOAST table of" if table.toast else "table"
    # A table's own limit can only be lower.
    return Old(words, table.label, age, min(limit, float(own)) if own else limit, note)


def _judge(old: Old, kind: str, threshold: str, seen: Ages, situation: Situation) -> list[Finding]:
    name = old.label if old.words == "database" else f"{seen.server.database}.{old.label}"
    subject = f"{situation.subject} {old.words} {name}"
    holder = seen.holders[0] if seen.holders and kind == "transactions" else None
    held = f" (held back by {holder.kind} {holder.name})" if holder and holder.age * 2 > old.age else ""
    way = f"{100 * old.age / LAST_ID:.0f} % of the way to the wraparound"
    what = f"its oldest {kind[:-1]} id lies {way}{held}{old.note}; its age is"
    found = situation.thresholds.judge(threshold, "postgresql.wraparound", subject, old.age, what)
    if found or not old.limit:
        return found
    what = f"its oldest {kind[:-1]} id is {old.age} ids old{held}{old.note}; in percent of where autovacuum begins:"
    percent = 100 * old.age / old.limit
    return situation.thresholds.judge("freeze_percent", f"postgresql.freeze_{kind}", subject, percent, what)


def _holder(holder: Holder, situation: Situation) -> list[Finding]:
    where = f" in {holder.database}" if holder.database else ""
    since = f" for {format_duration(holder.seconds)}" if holder.seconds is not None else ""
    rows = "rows of the system catalogs" if holder.kind == "logical slot" else "rows"
    subject = f"{situation.subject} {holder.kind} {holder.name}{where}"
    what = f"it keeps vacuum from removing {rows}{since}; transactions since then:"
    found = situation.thresholds.judge("held_age", "postgresql.vacuum_held", subject, holder.age, what)
    return [replace(finding, remedy=REMEDIES[holder.kind].format(pid=holder.pid)) for finding in found]
