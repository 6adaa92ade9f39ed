# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The worst are named, the others counted: a thousand findings of one kind say no more than ten. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from ..._core.finding import Finding
from ..._core.health import Situation

__all__ = ["NAMED", "worst"]

NAMED = 10


def worst(findings: Sequence[Finding], kind: str, situation: Situation) -> list[Finding]:
    """Return the first findings, and one for all others.

    :param findings: of one id, the worst first.
    :param kind: what they are about, in the plural.
    """
    others = findings[NAMED:]
    if not others:
        return list(findings)
    names = ", ".join(finding.subject.removeprefix(situation.subject).strip() for finding in others[:3])
    message = f"{situation.subject}: {len(others)} more {kind} ({names}{', ...' if len(others) > 3 else ''})"
    first = others[0]
    rest = Finding(
        first.id, first.severity, situation.subject, message, len(others), first.threshold, remedy=first.remedy
    )
    return [*findings[:NAMED], rest]
