# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""One change: why it is made, with what statement, and what became of it."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from enum import Enum
from typing import Any

__all__ = ["Action", "ActionState"]


class ActionState(str, Enum):
    """What became of an action."""

    PLANNED = "planned"
    DONE = "done"
    SKIPPED = "skipped"
    FAILED = "failed"


@dataclass(frozen=True)
class Action:
    """One change that was decided on.

    :param kind: what is done, such as ``vacuum`` or ``unlink``.
    :param subject: what it is done to.
    :param reason: why, with the numbers that decided it.
    :param statement: the SQL, command or request, without secrets.
    :param state: planned until it is carried out.
    :param detail: what happened, once it was carried out, or why it was not.
    :param seconds: how long it took, None before it ran.
    :param undo: what brings the former state back, empty where nothing can.
    :param work: what the task needs to carry it out; never shown.
    :param touched: whether something was changed although it failed or was skipped in the end: a part of it was done.
    """

    kind: str
    subject: str
    reason: str
    statement: str = ""
    state: ActionState = ActionState.PLANNED
    detail: str = ""
    seconds: float | None = None
    undo: str = ""
    work: Any = field(default=None, repr=False, compare=False)
    touched: bool = field(default=False, compare=False)

    def became(
        self, state: ActionState, detail: str = "", seconds: float | None = None, undo: str | None = None
    ) -> Action:
        """Return the same action after it was carried out, skipped or failed."""
        return replace(self, state=state, detail=detail, seconds=seconds, undo=self.undo if undo is None else undo)

    def as_dict(self) -> dict[str, Any]:
        """Return the action as the result envelope carries it."""
        return {
            "kind": self.kind,
            "subject": self.subject,
            "reason": self.reason,
            "statement": self.statement,
            "state": self.state.value,
            "detail": self.detail,
            "seconds": self.seconds,
            "undo": self.undo,
        }
