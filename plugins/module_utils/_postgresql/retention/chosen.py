# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which rows are still to be taken: those that a rule is about, less those it has changed already. Pure."""

from __future__ import annotations

from .assignment import undone
from .decide_fields import fields_of
from .methods import not_done
from .observation import Subject
from .predicate import Predicate, predicate_of

__all__ = ["chosen_by"]


def chosen_by(subject: Subject, table: str | None = None) -> Predicate:
    """Return the condition for the rows that are still to be taken.

    :param table: the name of the partition that the statement is over, if it is one.
    """
    chosen = predicate_of(subject, table)
    if subject.rule.action == "update":
        waiting = undone(subject)
        chosen = chosen.joined("" if waiting.text == "true" else waiting.text, waiting.parameters)
    if subject.rule.action == "anonymize":
        left = not_done(fields_of(subject))
        chosen = chosen.joined(left.text, left.parameters)
    return chosen
