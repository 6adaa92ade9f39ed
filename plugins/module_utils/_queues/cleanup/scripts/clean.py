# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Removes finished jobs of one state, oldest first."""

from __future__ import annotations

__all__ = ["CLEAN"]

CLEAN = """
-- KEYS: 1 the state (sorted set by the time of the end), 2 the schedulers (repeat)
-- ARGV: 1 what the queue's keys begin with, 2 ended by then, 3 rank to begin at, 4 jobs at most,
--       5 newest jobs that stay, 6 whether ghosts go too (1), 7... what is put behind a job's key for its other keys
-- Returns how many were removed, ghosts, locked, scheduled, awaited, foreign.
local state, schedulers, base = KEYS[1], KEYS[2], ARGV[1]
local first, call, try = tonumber(ARGV[3]), redis.call, redis.pcall
local old = math.min(call('ZCOUNT', state, '-inf', ARGV[2]), call('ZCARD', state) - tonumber(ARGV[5]))
local last = math.min(first + tonumber(ARGV[4]), old) - 1
if last < first then
  return {0, 0, 0, 0, 0, 0}
end
local ids = call('ZRANGE', state, first, last)

local function any_locked()
  local locks = {}
  for index, id in ipairs(ids) do
    locks[index] = base .. id .. ':lock'
  end
  return call('EXISTS', unpack(locks)) > 0
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
local locks_held = any_locked()
local locked, scheduled, awaited, foreign = 0, 0, 0, 0
local chosen, pointers, count = {}, {}, 0
for index = 1, #ids do
  local id = ids[index]
  local key = base .. id
  local job = try('HMGET', key, 'parentKey', 'rjk', 'deid')
  local parent, scheduler, deduplication = job[1], job[2], job[3]
  if job.err then
    foreign = foreign + 1
  elseif locks_held and call('EXISTS', key .. ':lock') == 1 then
    locked = locked + 1
  elseif scheduler and is_scheduled(id, scheduler) then
    scheduled = scheduled + 1
  elseif parent and parent ~= '' and is_awaited(key, parent) then
    awaited = awaited + 1
  else
    count = count + 1
    chosen[count] = id
    if deduplication and try('GET', base .. 'de:' .. deduplication) == id then
      pointers[#pointers + 1] = base .. 'de:' .. deduplication
      pointers[#pointers + 1] = base .. 'dn:' .. deduplication
    end
  end
end

-- Who may remove jobs and not their ids would make ghosts; so that is tried before, on nothing.
call('ZREM', state, '')
call('ZREMRANGEBYRANK', state, 1, 0)
-- A command of few words is the quickest: the server keeps what it needs for these at hand.
local keys, width = {}, #ARGV - 5
local ghosts, gone, leaving = 0, {}, 0
for index = 1, count do
  local id = chosen[index]
  keys[1] = base .. id
  for position = 2, width do
    keys[position] = keys[1] .. ARGV[position + 5]
  end
  local found = call('UNLINK', unpack(keys, 1, width))
  if found == 0 then
    ghosts = ghosts + 1
  end
  if found > 0 or ARGV[6] == '1' then
    leaving = leaving + 1
    gone[leaving] = id
  end
end
for index = 1, #pointers do
  call('UNLINK', pointers[index])
end
if leaving == #ids then
  call('ZREMRANGEBYRANK', state, first, last)
elseif leaving > 0 then
  call('ZREM', state, unpack(gone))
end
return {count - ghosts, ghosts, locked, scheduled, awaited, foreign}
"""
