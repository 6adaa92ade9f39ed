# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The worst are named, the others counted: a thousand findings of one kind say no more than ten. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from ..._core.finding import Finding
from ..._core.health import Situation
from ..server import Server

__all__ = ["rest"]


def rest(others: Sequence[Finding], kind: str, server: Server, situation: Situation) -> list[Finding]:
    """Return one finding for those of one id that are not named, none if there are none.

    :param others: the findings, the worst first.
    :param kind: what they are about, in the plural.
    """
    if not others:
        return []
    first = others[0]
    subject = f"{situation.subject} database {server.database}"
    names = ", ".join(
        finding.subject.removeprefix(situation.subject).partition(f" {server.database}.")[2] for finding in others[:3]
    )
    message = f"{subject}: {len(others)} more {kind} ({names}{', ...' if len(others) > 3 else ''})"
    return [Finding(first.id, first.severity, subject, message, len(others), first.threshold, first.remedy)]
