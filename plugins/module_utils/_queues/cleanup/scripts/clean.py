# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Removes finished jobs of one state, oldest first."""

from __future__ import annotations

__all__ = ["CLEAN"]

CLEAN = """
-- KEYS: 1 the state (sorted set by the time of the end), 2 the schedulers (repeat)
-- ARGV: 1 what the queue's keys begin with, 2 ended by then, 3 rank to begin at, 4 jobs at most,
--       5 newest jobs that stay, 6... what is put behind a job's key to get all of its keys
-- Returns how many were removed, ghosts, locked, scheduled, awaited.
local state, schedulers, base = KEYS[1], KEYS[2], ARGV[1]
local before, first, most, keep = tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4]), tonumber(ARGV[5])
local call, try = redis.call, redis.pcall
local last = math.min(first + most, call('ZCARD', state) - keep) - 1
local ids, locks = {}, {}
if last >= first then
  local found = call('ZRANGE', state, first, last, 'WITHSCORES')
  for index = 1, #found, 2 do
    if tonumber(found[index + 1]) > before then
      break
    end
    ids[#ids + 1] = found[index]
    locks[#locks + 1] = base .. found[index] .. ':lock'
  end
end
if #ids == 0 then
  return {0, 0, 0, 0, 0}
end

local function is_scheduled(id, scheduler)
  local at = try('ZSCORE', schedulers, scheduler)
  return type(at) == 'string' and id == 'repeat:' .. scheduler .. ':' .. at
end

local function is_awaited(key, parent)
  -- A parent that cannot be asked, elsewhere in a cluster, may well be waiting.
  return try('SISMEMBER', parent .. ':dependencies', key) ~= 0 and try('EXISTS', parent) ~= 0
end

-- First look at all, for a script that breaks off takes nothing back.
local any_locked = call('EXISTS', unpack(locks)) > 0
local ghosts, locked, scheduled, awaited = 0, 0, 0, 0
local gone, keys = {}, {}
for index, id in ipairs(ids) do
  local key = base .. id
  local job = try('HMGET', key, 'timestamp', 'parentKey', 'rjk', 'deid')
  if job.err or (not job[1] and call('EXISTS', key) == 0) then
    ghosts = ghosts + 1
  elseif any_locked and call('EXISTS', locks[index]) == 1 then
    locked = locked + 1
  elseif job[3] and is_scheduled(id, job[3]) then
    scheduled = scheduled + 1
  elseif job[2] and job[2] ~= '' and is_awaited(key, job[2]) then
    awaited = awaited + 1
  else
    if job[4] and try('GET', base .. 'de:' .. job[4]) == id then
      keys[#keys + 1] = base .. 'de:' .. job[4]
      keys[#keys + 1] = base .. 'dn:' .. job[4]
    end
    for suffix = 6, #ARGV do
      keys[#keys + 1] = key .. ARGV[suffix]
    end
    gone[#gone + 1] = id
  end
end
for from = 1, #keys, 4000 do
  call('UNLINK', unpack(keys, from, math.min(from + 3999, #keys)))
end
if #gone > 0 then
  call('ZREM', state, unpack(gone))
end
return {#gone, ghosts, locked, scheduled, awaited}
"""
