# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whether a server runs scripts for us."""

from __future__ import annotations

from .._core.errors import AccessDenied
from .client import RedisClient

__all__ = ["BUSY", "takes_scripts"]

BUSY = b"""
local function clock()
  if rawget(_G, 'os') then return os.clock() end
  local now = redis.pcall('TIME')
  return not now.err and now[1] + now[2] / 1000000 or nil
end
local started = clock()
local function busy()
  return started and string.format('%.6f', clock() - started) or ''
end
"""
"""Beginning of a script that tells how long it took, in seconds: ``busy()``; an empty text if that is unknown.

os.clock, where there is one, is the server's own processor time, in which waiting is not counted; elsewhere TIME goes
on beside a script.
"""


def takes_scripts(client: RedisClient) -> bool:
    """Whether the server runs scripts for us: an ACL may forbid it, and managed services rename the command.

    :raises StoreError: the server is gone.
    """
    try:
        return bool(client.ask("try a script (EVAL)", lambda redis: redis.eval("return 1", 0)))
    except AccessDenied:
        return False
