# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is to be done so that declared indexes exist, or do not. Pure."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import NamedTuple

from ..._core.action import Action, ActionState
from ..._core.finding import Finding
from ..._core.runner import Decision
from ..._core.severity import Severity
from ..identifier import quoted
from ..statement import Statement
from .observation import Build, Index
from .wanted import Part, Wanted, create_statement

__all__ = ["HELD", "Work", "decide_declared", "drop_work", "hold_drops", "replaces"]

NOT_OWNED = "only the owner of the table may do it: log in as the owner, or as a member of that role"

HELD = "an index that is declared on its table, and may be in its place, is not made yet"


class Work(NamedTuple):
    """What one action is to do.

    :param statements: in this order; an index is dropped and made outside of a transaction.
    :param schema: where the index is, ``name`` what it is called there, ``table_oid`` its table.
    :param root: the declared table: the same, or the partitioned one that it is part of.
    :param drops: the index that goes (an unused one, or one that is invalid and in the way); None: none.
    :param creates: whether there is an index afterwards.
    :param concurrently: whether it waits for old transactions and so has to look for them first.
    :param attach: the partitioned table's index that it becomes a part of: schema and name; None: none.
    :param unused: whether it goes because nothing uses it, which is looked at once more right before.
    """

    statements: tuple[Statement, ...]
    schema: str
    name: str
    table_oid: int
    root: int
    drops: Index | None = None
    creates: bool = False
    concurrently: bool = True
    attach: tuple[str, str] | None = None
    unused: bool = False

    @property
    def parts(self) -> tuple[str, str]:
        """Schema and name of the index."""
        return self.schema, self.name


def decide_declared(
    wanted: Sequence[Wanted], indexes: Sequence[Index], builds: Sequence[Build], subject: str, database: str
) -> Decision:
    """Compare what is declared with what there is: what is to exist is made first, then what is not to exist goes.

    :param indexes: all indexes of the database.
    :param builds: index builds under way.
    :param subject: the server's label.
    """
    decision = Decision()
    by_oid = {index.oid: index for index in indexes}
    refused: set[int] = set()
    going = {each.named for each in wanted if not each.declared.present}
    for each in sorted(wanted, key=lambda one: not one.declared.present):
        if each.locked:
            decision.actions.append(_put_off(each))
        elif each.declared.present:
            found = _present(each, by_oid, going, builds, f"{subject} index {database}")
            if any(finding.severity is Severity.CRITICAL for finding in found.findings):
                refused.add(each.parts[0].table.oid)
            decision.extend(found)
        else:
            found = _absent(each, by_oid, builds, f"{subject} index {database}")
            if each.parts[0].table.oid in refused:
                found.actions = [action.became(ActionState.SKIPPED, HELD) for action in found.actions]
            decision.extend(found)
    return decision


def drop_work(index: Index, unused: bool = False) -> Work:
    """Return the work that drops an index; that of a partitioned table cannot be dropped concurrently."""
    how = "" if index.partitioned else "CONCURRENTLY "
    statement = Statement("DROP INDEX {how}{index}", {"index": (index.schema, index.name)}, parts={"how": how})
    wait = not index.partitioned
    return Work(
        (statement,),
        index.schema,
        index.name,
        index.table_oid,
        index.table_oid,
        index,
        concurrently=wait,
        unused=unused,
    )


def _put_off(wanted: Wanted) -> Action:
    """Return the action that is skipped because nothing can be seen of the table."""
    kind = "create_index" if wanted.declared.present else "drop_index"
    subject = f"index {wanted.parts[0].table.schema}.{wanted.declared.name}"
    detail = f"somebody has {wanted.parts[0].table.label} locked for himself alone; the next run goes on here"
    return Action(kind, subject, "it is declared").became(ActionState.SKIPPED, detail)


def replaces(made: Action, dropped: Action) -> bool:
    """Whether an index that is made may be what a declaration has in place of one that goes: it is on the same table.

    Then that goes only when this exists.
    """
    if made.kind == "drop_index" or not isinstance(made.work, Work) or not isinstance(dropped.work, Work):
        return False
    return dropped.kind == "drop_index" and made.work.root == dropped.work.root


def hold_drops(actions: Sequence[Action]) -> list[Action]:
    """Return the actions, skipped those that drop an index where one that may replace it is not made."""
    unmade = [action for action in actions if action.state is not ActionState.PLANNED]
    return [
        action.became(ActionState.SKIPPED, HELD)
        if action.state is ActionState.PLANNED and any(replaces(other, action) for other in unmade)
        else action
        for action in actions
    ]


def _present(
    wanted: Wanted, by_oid: Mapping[int, Index], going: Collection[int | None], builds: Sequence[Build], subject: str
) -> Decision:
    top = wanted.parts[0]
    named = by_oid.get(wanted.named or 0)
    if wanted.taken:
        what = f"there is a {wanted.taken} of that name"
        return Decision([_conflict("index_name_taken", wanted, subject, what, "Declare it under another name.")])
    if named is not None and named.oid not in wanted.same and not _carcass(named, top):
        return Decision([_differs(wanted, named, subject)])
    if named is None:
        others = (by_oid[oid] for oid in sorted(wanted.same) if oid not in going)
        other = next((index for index in others if _serves(index, top)), None)
        if other is not None:
            what = f"{other.label} does the same, so it is not made: {other.definition}"
            remedy = f"Declare it as {other.name}, or rename it: ALTER INDEX {quoted(*_parts(other))} RENAME TO ..."
            return Decision([_conflict("index_other_name", wanted, subject, what, remedy, Severity.WARNING)])
    return Decision(actions=_make(wanted, named, by_oid, builds))


def _carcass(index: Index, part: Part) -> bool:
    """Whether an index is nothing but in the way of another one of its name on the same table."""
    if index.valid or index.partitioned or index.protected or index.parent is not None:
        return False
    return index.table_oid == part.table.oid


def _serves(index: Index, part: Part) -> bool:
    return index.valid and index.table_oid == part.table.oid


def _make(wanted: Wanted, named: Index | None, by_oid: Mapping[int, Index], builds: Sequence[Build]) -> list[Action]:
    """Return what makes the index, on a partitioned table one action for each of its partitions."""
    top = wanted.parts[0]
    if not top.partitioned:
        if named is not None and named.valid:
            return []
        return [_create(wanted, top, named, None, builds)]
    actions = []
    if named is None:
        actions.append(_create(wanted, top, None, None, builds))
    frames = {top.table.oid: (named.oid if named else None, (top.table.schema, top.name))}
    for part in wanted.parts[1:]:
        above, attach = frames[part.parent or 0]
        found = _of_part(part, wanted, by_oid, above)
        frames[part.table.oid] = (found.oid if found else None, (part.table.schema, found.name if found else part.name))
        if found is not None and above is not None and found.parent == above:
            continue
        if found is not None and (found.valid or part.partitioned):
            actions.append(_attach(wanted, part, found, attach))
        else:
            there = (index for index in by_oid.values() if _parts(index) == (part.table.schema, part.name))
            existing = next(there, None)
            action = _create(wanted, part, existing, attach, builds)
            if existing is not None and not _carcass(existing, part):
                action = action.became(
                    ActionState.SKIPPED, f"there is another index of that name: {existing.definition}"
                )
            actions.append(action)
    return actions


def _of_part(part: Part, wanted: Wanted, by_oid: Mapping[int, Index], above: int | None) -> Index | None:
    """Return a partition's own index that is as declared: the attached one, else one that can be attached."""
    own = [by_oid[oid] for oid in sorted(wanted.same) if by_oid[oid].table_oid == part.table.oid]
    attached = [index for index in own if above is not None and index.parent == above]
    free = [index for index in own if index.parent is None and (index.valid or index.partitioned)]
    return next(iter(attached + free), None)


def _create(
    wanted: Wanted, part: Part, carcass: Index | None, attach: tuple[str, str] | None, builds: Sequence[Build]
) -> Action:
    """Return the action that makes the index on one table, in place of an invalid one of its name."""
    statements = [create_statement(wanted.declared, part)]
    reason = "it is declared and does not exist"
    if carcass is not None:
        statements.insert(0, drop_work(carcass).statements[0])
        reason = "it is declared, and what exists is invalid: the rest of a build that failed or was broken off"
    if attach is not None:
        statements.append(_attach_statement(attach, (part.table.schema, part.name)))
        reason += f"; part of {'.'.join(attach)}"
    work = Work(
        tuple(statements),
        part.table.schema,
        part.name,
        part.table.oid,
        wanted.parts[0].table.oid,
        carcass,
        creates=True,
        concurrently=not part.partitioned,
        attach=attach,
    )
    undo = Statement("DROP INDEX CONCURRENTLY {index}", {"index": work.parts}).text
    action = _action("create_index", work, reason, undo if not part.partitioned else undo.replace("CONCURRENTLY ", ""))
    return _unless(action, part.owned, carcass, builds)


def _attach(wanted: Wanted, part: Part, index: Index, attach: tuple[str, str]) -> Action:
    statement = _attach_statement(attach, _parts(index))
    root = wanted.parts[0].table.oid
    work = Work((statement,), index.schema, index.name, index.table_oid, root, concurrently=False, attach=attach)
    action = _action("attach_index", work, f"it is as {'.'.join(attach)} is declared, and no part of it yet", "")
    return _unless(action, part.owned, None, ())


def _attach_statement(parent: tuple[str, str], index: tuple[str, str]) -> Statement:
    return Statement("ALTER INDEX {parent} ATTACH PARTITION {index}", {"parent": parent, "index": index})


def _absent(wanted: Wanted, by_oid: Mapping[int, Index], builds: Sequence[Build], subject: str) -> Decision:
    index = by_oid.get(wanted.named or 0)
    if index is None:
        return Decision()
    if index.constraint or index.parent is not None or index.table_oid != wanted.parts[0].table.oid:
        why = (
            f"the constraint {index.constraint} stands on it"
            if index.constraint
            else "it is part of a partitioned table's index"
            if index.parent is not None
            else f"it is an index of {index.table}"
        )
        remedy = "Drop the constraint instead." if index.constraint else "Declare that index, with its own table."
        return Decision([_conflict("index_not_droppable", wanted, subject, f"it cannot be dropped: {why}", remedy)])
    action = _action("drop_index", drop_work(index), "it is declared absent", index.definition)
    return Decision(actions=[_unless(action, index.owned, index, builds)])


def _unless(action: Action, owned: bool, existing: Index | None, builds: Collection[Build]) -> Action:
    """Return the action, skipped if it must not or cannot be done now."""
    if not owned:
        return action.became(ActionState.SKIPPED, NOT_OWNED)
    if existing is not None and not existing.valid:
        building = [build.pid for build in builds if build.oid == existing.oid]
        if building:
            return action.became(ActionState.SKIPPED, f"pid {building[0]} is building it just now")
        if any(build.hidden for build in builds) and not existing.partitioned:
            detail = "somebody is building an index that we may not see, perhaps this one: GRANT pg_monitor to our user"
            return action.became(ActionState.SKIPPED, detail)
    return action


def _action(kind: str, work: Work, reason: str, undo: str) -> Action:
    text = ";\n".join(statement.text for statement in work.statements)
    return Action(kind, f"index {work.schema}.{work.name}", reason, text, undo=undo, work=work)


def _parts(index: Index) -> tuple[str, str]:
    return index.schema, index.name


def _differs(wanted: Wanted, index: Index, subject: str) -> Finding:
    declared = create_statement(wanted.declared, wanted.parts[0]).text.replace("CONCURRENTLY ", "", 1)
    what = f"it exists with another definition. Declared: {declared}. There is: {index.definition}"
    remedy = "Declare the new one under another name and the old one absent, once queries use the new one."
    return _conflict("index_differs", wanted, subject, what, remedy)


def _conflict(
    condition: str, wanted: Wanted, subject: str, what: str, remedy: str, severity: Severity = Severity.CRITICAL
) -> Finding:
    name = f"{subject}.{wanted.parts[0].table.schema}.{wanted.declared.name}"
    return Finding(f"postgresql.{condition}", severity, name, f"{name}: {what}", remedy=remedy)
