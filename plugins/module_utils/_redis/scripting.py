# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whether a server runs scripts for us."""

from __future__ import annotations

from .._core.errors import AccessDenied
from .client import RedisClient

__all__ = ["takes_scripts"]


def takes_scripts(client: RedisClient) -> bool:
    """Whether the server runs scripts for us: an ACL may forbid it, and managed services rename the command.

    :raises StoreError: the server is gone.
    """
    try:
        return bool(client.ask("try a script (EVAL)", lambda redis: redis.eval("return 1", 0)))
    except AccessDenied:
        return False
