# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What postgresql_index does about unused indexes. Pure."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from ..._core.action import Action, ActionState
from ..._core.runner import Decision
from .decide_declared import NOT_OWNED, drop_work
from .decide_unused import Reason, droppable, judge_unused, undecided
from .findings import unanswering_standbys, unlisted_standbys, unused_because, unused_index
from .ledger import begun_drops
from .observation import Index, Indexes
from .wanted import Wanted

__all__ = ["decide_unused_work"]

MOST_KEPT = 50
"""Indexes named with the reasons that keep them, the largest first."""


def decide_unused_work(seen: Indexes, wanted: Sequence[Wanted], drop: bool, subject: str) -> Decision:
    """Report what nothing uses, or decide to drop it.

    An index that no query was seen to use, and that is kept only because too little is known yet, is an action that is
    skipped, with every reason; what stays for good is not spoken of.

    :param drop: whether to drop; otherwise it is reported.
    :param subject: the server's label.
    """
    declared = {oid for each in wanted for oid in each.same}
    named = {each.named for each in wanted if each.named is not None}
    reasons = judge_unused(seen, declared | named)
    unused = droppable(seen, reasons)
    kept = sorted((i for i in seen.indexes if undecided(reasons[i.oid])), key=lambda index: (-index.bytes, index.oid))
    decision = Decision(findings=unanswering_standbys(seen, subject))
    if drop:
        decision.findings += unlisted_standbys(seen, subject)
        decision.actions += [_finish(index) for index in begun_drops(seen) if not _wanted(index, declared | named)]
        decision.actions += [_drop(index, seen) for index in unused]
        decision.actions += [_kept(index, reasons[index.oid]) for index in kept[:MOST_KEPT]]
    else:
        decision.findings += [unused_index(index, seen, subject) for index in unused]
    decision.metrics = {
        "postgresql_indexes_unused": len(unused),
        "postgresql_indexes_unused_undecided": len(kept),
        "postgresql_indexes_unused_bytes": sum(index.bytes for index in unused),
    }
    return decision


def _wanted(index: Index, declared: Collection[int]) -> bool:
    """Whether an index has come to be of use since its drop was begun."""
    return index.oid in declared or index.protected or index.unique


def _finish(index: Index) -> Action:
    action = _action(index, "unused: an earlier run began to drop it, and was broken off")
    return action if index.owned else action.became(ActionState.SKIPPED, NOT_OWNED)


def _drop(index: Index, seen: Indexes) -> Action:
    action = _action(index, f"unused: {unused_because(index, seen)}")
    return action if index.owned else action.became(ActionState.SKIPPED, NOT_OWNED)


def _kept(index: Index, reasons: Sequence[Reason]) -> Action:
    kept = "; ".join(reason.text for reason in reasons)
    return _action(index, "no query was seen to use it").became(ActionState.SKIPPED, f"kept: {kept}")


def _action(index: Index, reason: str) -> Action:
    work = drop_work(index, unused=True)
    statement = work.statements[0].text
    return Action("drop_index", f"index {index.label}", reason, statement, undo=index.definition, work=work)
