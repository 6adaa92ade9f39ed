# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Removes jobs that no state of their queue holds, looking into all states in the same step."""

from __future__ import annotations

__all__ = ["ORPHANS"]

ORPHANS = """
-- KEYS: 1 any key of the queue, for the place in a cluster
-- ARGV: 1 what the queue's keys begin with, 2 added, begun and ended by then, 3 number of suffixes of a job's keys,
--       4... these, then ids
-- Returns how many were removed.
local base, before, suffixes = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3])
local call, try = redis.call, redis.pcall

local function in_list(list, id)
  local at = try('LPOS', base .. list, id)
  if type(at) ~= 'table' then
    return at
  end
  -- Before Redis 6.0.6 there is no LPOS.
  for _, entry in ipairs(call('LRANGE', base .. list, 0, -1)) do
    if entry == id then
      return true
    end
  end
  return false
end

local function has_state(id)
  for _, set in ipairs({'completed', 'failed', 'delayed', 'prioritized', 'waiting-children'}) do
    if call('ZSCORE', base .. set, id) then
      return true
    end
  end
  for _, list in ipairs({'active', 'wait', 'paused'}) do
    if in_list(list, id) then
      return true
    end
  end
  return false
end

local function is_young(moments)
  for index = 1, 3 do
    if moments[index] and (tonumber(moments[index]) or before + 1) > before then
      return true
    end
  end
  return not moments[1]
end

local function is_awaited(key, parent)
  return try('SISMEMBER', parent .. ':dependencies', key) ~= 0 and try('EXISTS', parent) ~= 0
end

local removed = 0
for index = 4 + suffixes, #ARGV do
  local id = ARGV[index]
  local key = base .. id
  local job = try('HMGET', key, 'timestamp', 'processedOn', 'finishedOn', 'parentKey', 'deid')
  if not job.err and not is_young(job) and call('EXISTS', key .. ':lock') == 0 and not has_state(id)
    and not (job[4] and job[4] ~= '' and is_awaited(key, job[4])) then
    local keys = {}
    for suffix = 4, 3 + suffixes do
      keys[#keys + 1] = key .. ARGV[suffix]
    end
    if job[5] and try('GET', base .. 'de:' .. job[5]) == id then
      keys[#keys + 1] = base .. 'de:' .. job[5]
      keys[#keys + 1] = base .. 'dn:' .. job[5]
    end
    call('UNLINK', unpack(keys))
    call('ZREM', base .. 'priority', id)
    removed = removed + 1
  end
end
return removed
"""
