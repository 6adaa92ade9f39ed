# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The finding for what a user may not see. Pure."""

from __future__ import annotations

from .._core.finding import Finding
from .._core.health import Situation
from .._core.severity import Severity
from .identifier import quoted

__all__ = ["hidden"]


def hidden(situation: Situation, check: str, user: str, what: str, remedy: str = "") -> Finding:
    """Return the warning that ``user`` may not see ``what``: what is unknown must not pass for being in order.

    :param remedy: what would let the user see it, if that is not being a member of pg_monitor.
    """
    message = f"{situation.subject}: the user {user} may not see {what}"
    remedy = remedy or f"Let an administrator run: GRANT pg_monitor TO {quoted(user)}"
    return Finding(
        "postgresql.access_denied", Severity.WARNING, f"{situation.subject} {check}", message, check, None, remedy
    )
