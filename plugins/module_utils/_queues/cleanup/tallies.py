# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What became of failed jobs, in numbers and in words. Pure."""

from __future__ import annotations

from typing import NamedTuple

__all__ = ["Disposed", "Retried"]


class Retried(NamedTuple):
    """How many jobs met which fate when they were to be tried again, in the order in which the script returns them.

    :param retried: those that wait again; the others stay failed.
    :param changed: somebody else changed them since they were read.
    :param locked: somebody has locked them.
    :param blocked: a child for which they failed still is failed.
    :param unclear: the queue was paused, and which list its library uses then cannot be told.
    :param rejoined: of those that wait again: their parent waits for them again.
    :param doomed: their parent has failed because of them, or will.
    :param went_on: their parent went on without them.
    :param gone: their parent is not there any more.
    """

    retried: int = 0
    changed: int = 0
    locked: int = 0
    blocked: int = 0
    unclear: int = 0
    rejoined: int = 0
    doomed: int = 0
    went_on: int = 0
    gone: int = 0

    def plus(self, other: Retried) -> Retried:
        """Return the sum."""
        return Retried(*(mine + theirs for mine, theirs in zip(self, other, strict=True)))

    def told(self) -> str:
        """Say it in words."""
        return _told(
            (self.retried, "wait again"),
            (self.rejoined, "of them back among what their parent waits for"),
            (self.doomed, "of them with a parent that fails because of them: try it again too once they are done"),
            (self.went_on, "of them with a parent that went on without them"),
            (self.gone, "of them with a parent that is gone"),
            (self.changed, "left, for somebody else changed them meanwhile"),
            (self.locked, "left, for somebody has locked them"),
            (self.blocked, "left, for the child that made them fail has not been done"),
            (self.unclear, "left, for the queue was paused meanwhile"),
        )


class Disposed(NamedTuple):
    """How many jobs met which fate when they were to go, in the order in which the script returns them.

    :param gone: those that went; the others stay failed.
    :param changed: somebody else changed them since they were read.
    :param locked: somebody has locked them; likewise their scheduler or parent needs them, or they wait for children.
    :param taken: another job has the id that their dead letter would have.
    """

    gone: int = 0
    changed: int = 0
    locked: int = 0
    scheduled: int = 0
    awaited: int = 0
    children: int = 0
    taken: int = 0

    def plus(self, other: Disposed) -> Disposed:
        """Return the sum."""
        return Disposed(*(mine + theirs for mine, theirs in zip(self, other, strict=True)))

    def told(self, went: str) -> str:
        """Say it in words.

        :param went: where they went.
        """
        return _told(
            (self.gone, went),
            (self.changed, "left, for somebody else changed them meanwhile"),
            (self.locked, "left, for somebody has locked them"),
            (self.scheduled, "left, for their scheduler needs them"),
            (self.awaited, "left, for their parent waits for them"),
            (self.children, "left, for their children are not done"),
            (self.taken, "left, for the dead letter queue has another job by that id"),
        )


def _told(*parts: tuple[int, str]) -> str:
    return ", ".join(f"{count} {what}" for count, what in parts if count) or "none of them are there any more"
