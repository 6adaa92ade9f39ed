# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Removes ids that have no job from one state, comparing in the same step."""

from __future__ import annotations

__all__ = ["GHOSTS"]

GHOSTS = """
-- KEYS: 1 the state, a list or a sorted set
-- ARGV: 1 what the queue's keys begin with, 2... ids
-- Returns how many were removed.
local kind = redis.call('TYPE', KEYS[1]).ok
local removed = 0
for index = 2, #ARGV do
  if redis.call('EXISTS', ARGV[1] .. ARGV[index]) == 0 then
    if kind == 'zset' then
      removed = removed + redis.call('ZREM', KEYS[1], ARGV[index])
    elseif kind == 'list' then
      removed = removed + redis.call('LREM', KEYS[1], 0, ARGV[index])
    end
  end
end
return removed
"""
