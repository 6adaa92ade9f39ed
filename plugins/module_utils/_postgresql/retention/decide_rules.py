# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is to be done for each rule, and what must not be. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from ..._core.action import Action, ActionState
from ..._core.finding import Finding
from ..._core.result import metric_name
from ..._core.runner import Decision
from ..._core.severity import Severity
from ..locked import locked_findings
from ..statement import Statement
from .assignment import assignments
from .chosen import chosen_by
from .decide_archive import archive_columns, archive_work, drifted
from .decide_fields import clean_action, field_refusal, fields_of
from .decide_partitions import partition_actions, partitioned
from .decide_targets import OtherArchiveWork, file_statement, finish_actions, ledger_action, pipe_statement
from .methods import changes
from .observation import Leaf, Observation, Subject, TableFacts
from .piece import Piece
from .rule import DatabaseTarget, FileTarget, TableTarget
from .statements import archive_statement, delete_statement, update_statement

__all__ = ["RowsWork", "decide_rules"]

FEW_OLD = 0.1
"""Part of a table's rows up to which old rows are looked up by an index on their age, rather than met on the way
through all of them. About where the planner too turns from an index to the whole table."""

TID_RANGES = 140000
"""Version that can read a range of pages. Source: release notes of PostgreSQL 14."""


@dataclass(frozen=True)
class RowsWork:
    """How the rows of a rule are taken.

    :param way: by ``pages``, ``age`` or ``key``.
    """

    subject: Subject
    way: str


def decide_rules(observation: Observation) -> Decision:
    """Decide, rule by rule, in their order."""
    decision = Decision()
    for subject in observation.subjects:
        _decide(subject, observation, decision)
    for rule, table in observation.locked:
        (found,) = locked_findings([table], f"rule {rule.name}")
        label = f"{table.schema}.{table.name}"
        decision.findings.append(found)
        decision.actions.append(
            Action(
                rule.action,
                label,
                f"{rule.name}: its rows are unknown",
                state=ActionState.SKIPPED,
                detail=found.message,
            )
        )
    return decision


def _decide(subject: Subject, observation: Observation, decision: Decision) -> None:
    rule, label = subject.rule, subject.facts.label
    due = subject.count.rows if subject.count else 0
    decision.metrics[metric_name("postgresql_retention_rows_due", rule=rule.name)] = due
    if subject.facts.secured:
        decision.findings.append(
            Finding(
                "postgresql.retention_row_security",
                Severity.WARNING,
                label,
                f"{label}: row security hides rows from {observation.server.user}; those stay, however old they are",
                remedy="Let a role with BYPASSRLS do it, or the table's owner where it does not bind them.",
            )
        )
    decision.actions += finish_actions(subject)
    refusal = _refusal(subject, observation)
    partitions = [] if refusal else partition_actions(subject, observation.server.number)
    if refusal is None and not due and not partitions:
        return
    kind, reason, statement = rule.action, _reason(subject), _statement(subject, observation)
    if refusal is not None:
        decision.findings.append(refusal)
        decision.actions.append(Action(kind, label, reason, statement, ActionState.SKIPPED, detail=refusal.message))
        return
    decision.actions += [*_preparations(subject), *partitions]
    if not due:
        return
    decision.actions.append(Action(kind, label, reason, statement, work=RowsWork(subject, _way(subject, observation))))
    if rule.action == "anonymize":
        decision.actions.append(clean_action(subject))


def _preparations(subject: Subject) -> list[Action]:
    """Return what has to be done to the archive before rows go there."""
    work, ledger = archive_work(subject), ledger_action(subject)
    actions = []
    if work is not None and subject.archive is not None:
        work = partitioned(work, subject)
        shown = ";\n".join(step.text for step in work.statements)
        name, reason = ".".join(subject.archive.name), f"{subject.rule.name}: {work.reason}"
        where = OtherArchiveWork(subject, work) if isinstance(subject.rule.target, DatabaseTarget) else work
        actions.append(Action(work.kind, name, reason, shown, undo=work.undo, work=where))
    return actions if ledger is None else [*actions, ledger]


def _refusal(subject: Subject, observation: Observation) -> Finding | None:
    """Return why a rule must not be carried out, None if it may."""
    facts, rule, label = subject.facts, subject.rule, subject.facts.label
    denied = _denied(subject)
    if denied:
        return Finding(
            "postgresql.retention_denied",
            Severity.CRITICAL,
            label,
            f"{label}: {observation.server.user} lacks {denied}",
            remedy=f"Grant it, or let {facts.owner} do it.",
        )
    if subject.referred:
        return Finding(
            "postgresql.retention_referred",
            Severity.WARNING,
            label,
            f"{label}: rows that rule {rule.name} is about are referred to by {', '.join(subject.referred)}",
            remedy="Give those tables a rule of their own that comes first and on_cascade: keep here, or include.",
        )
    if rule.on_cascade == "include" and rule.action == "archive" and subject.references:
        return Finding(
            "postgresql.retention_referred",
            Severity.WARNING,
            label,
            f"{label}: rows that refer to archived ones would be lost with on_cascade: include",
            remedy="Archive those first, by a rule of their own that comes before, and set on_cascade: keep here.",
        )
    drift = drifted(subject)
    if drift:
        return Finding(
            "postgresql.retention_drift",
            Severity.CRITICAL,
            label,
            f"{label}: the archive cannot take its rows: {'; '.join(drift)}",
            remedy="Change the archive's columns to a type that holds every value, then run again.",
        )
    if _way(subject, observation) == "key" and subject.key is None:
        return Finding(
            "postgresql.retention_no_key",
            Severity.CRITICAL,
            label,
            f"{label}: it has no key, and version {observation.server.major} cannot read it by ranges of pages",
            remedy="Give the table a primary key.",
        )
    return field_refusal(subject)


def _denied(subject: Subject) -> str:
    """Return the privileges that are missing, for people."""
    tables: tuple[TableFacts | Leaf, ...] = (subject.facts, *subject.leaves)
    # Rows that others hold are left out by locking the rest, which asks for UPDATE.
    wanted = ("SELECT", "UPDATE", "DELETE") if subject.rule.takes_rows_away else ("SELECT", "UPDATE")
    missing = [
        f"{privilege} on {table.label}"
        for table in tables
        for privilege in wanted
        if not getattr(table, f"may_{privilege.lower()}")
    ]
    archive = subject.archive
    if archive is not None:
        if archive.facts is None and not archive.may_create:
            missing.append(f"CREATE on the schema {archive.name[0]}")
        if archive.facts is not None and not archive.facts.may_insert:
            missing.append(f"INSERT on {archive.facts.label}")
    return ", ".join(dict.fromkeys(missing))


def _way(subject: Subject, observation: Observation) -> str:
    rule, count = subject.rule, subject.count
    indexed = any(index.columns[0] == rule.age_column for index in subject.indexes)
    if indexed and count is not None and count.rows <= FEW_OLD * max(0.0, subject.facts.rows):
        return "age"
    heaps = all(leaf.access in ("heap", "") for leaf in subject.leaves)
    return "pages" if observation.server.number >= TID_RANGES and heaps else "key"


def _reason(subject: Subject) -> str:
    rule, count = subject.rule, subject.count
    if count is None:
        rows = "rows"
    elif count.exact:
        rows = "1 row" if count.rows == 1 else f"{count.rows} rows"
    else:
        rows = f"about {count.rows} rows (estimated)"
    age = f" older than {rule.older_text}" if rule.older_than else ""
    where = " where the condition holds" if rule.where else ""
    fires = {"update": "update", "anonymize": "update"}.get(rule.action, "delete")
    triggers = [trigger.name for trigger in subject.triggers if fires in trigger.fires_on]
    noted = f"; fires {', '.join(triggers)}" if triggers else ""
    return f"{rule.name}: {rows}{age}{where}{noted}"


def _piece_of_plan(subject: Subject, way: str) -> Piece:
    """Return a piece as the sweep makes them, for the plan: its parameters are shown by their names."""
    where = {
        "pages": "ctid >= %(low)s::tid AND ctid < %(high)s::tid",
        "age": "",
        "key": "",
    }[way]
    return Piece.of(subject.facts.parts, chosen_by(subject), where, {})


def _statement(subject: Subject, observation: Observation) -> str:
    """Return the statement of every piece, for people."""
    return _planned(subject, _piece_of_plan(subject, _way(subject, observation))).text


def _planned(subject: Subject, piece: Piece) -> Statement:
    rule = subject.rule
    if rule.action == "update":
        return update_statement(piece, *assignments(subject))
    if rule.action == "anonymize":
        return update_statement(piece, *changes(fields_of(subject)))
    if isinstance(rule.target, FileTarget):
        return file_statement(piece, subject)
    if isinstance(rule.target, DatabaseTarget):
        return pipe_statement(piece, subject)
    if isinstance(rule.target, TableTarget) and subject.archive is not None:
        return archive_statement(piece, subject.archive.name, archive_columns(subject))
    return delete_statement(piece)
