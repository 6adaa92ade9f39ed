# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Tries failed jobs again."""

from __future__ import annotations

from .shared import SHARED

__all__ = ["RETRY"]

RETRY = (
    SHARED
    + """
-- KEYS: 1 the failed jobs
-- ARGV: 1 what the queue's keys begin with, 2 its layout, 3 now in milliseconds, 4 whether attempts begin anew (1),
--       5... four for each job: id, SHA-1 of failedReason, finishedOn, attempts
-- Returns how many: retried, changed, locked, blocked, unclear, rejoined, doomed, went_on, gone.
local failed, base, layout = KEYS[1], ARGV[1], ARGV[2]
local retried, changed, locked, blocked, unclear = 0, 0, 0, 0, 0
local parents = {rejoined = 0, doomed = 0, went_on = 0, gone = 0, waiting = 0}

local function options_of(text)
  local good, options = pcall(cjson.decode, text or '{}')
  return good and type(options) == 'table' and options or {}
end

-- The queue's keys and the id of a job, by its key.
local function parted(key)
  return string.match(key, '^(.*:)([^:]*)$')
end

-- A parent that waits for its children, or was to fail for this one, waits for it again.
local function rejoin(key, parent)
  local there = try('EXISTS', parent)
  if there ~= 1 then
    return there == 0 and 'gone' or nil
  end
  if call('SISMEMBER', parent .. ':dependencies', key) == 1 then
    local home, id = parted(parent)
    return home and call('ZSCORE', home .. 'failed', id) and 'doomed' or 'waiting'
  end
  if call('ZSCORE', parent .. ':unsuccessful', key) then
    call('SADD', parent .. ':dependencies', key)
    call('ZREM', parent .. ':unsuccessful', key)
    return 'doomed'
  end
  local home, id = parted(parent)
  if home and call('HEXISTS', parent .. ':failed', key) == 1 and call('ZSCORE', home .. 'waiting-children', id) then
    call('SADD', parent .. ':dependencies', key)
    call('HDEL', parent .. ':failed', key)
    return 'rejoined'
  end
  return 'went_on'
end

-- Whether a job failed for a child, and whether this one still is failed.
local function child_state(key, reason)
  local child = reason and string.match(reason, '^child (.+) failed$')
  if not child then
    return false, false
  end
  local home, id = parted(child)
  local score = home and try('ZSCORE', home .. 'failed', id)
  return true, call('ZCARD', key .. ':unsuccessful') > 0 or (score and true or false)
end

try_rights(failed, base)
call('HDEL', base, '')
local door = door_of(base, layout)
for index = 5, #ARGV, 4 do
  local id = ARGV[index]
  local key = base .. id
  local job = try('HMGET', key, 'failedReason', 'finishedOn', 'atm', 'attemptsMade', 'priority', 'opts', 'parentKey')
  local left = left_for(failed, id, key, job, ARGV[index + 1], ARGV[index + 2], ARGV[index + 3])
  local for_child, child_failed = false, false
  if not left and layout ~= 'bull' then
    for_child, child_failed = child_state(key, job[1])
  end
  if left == 'changed' then
    changed = changed + 1
  elseif left == 'locked' then
    locked = locked + 1
  elseif child_failed then
    blocked = blocked + 1
  elseif layout == '5+' and door.paused then
    unclear = unclear + 1
  else
    local options = options_of(job[6])
    local fate = layout ~= 'bull' and job[7] and job[7] ~= '' and rejoin(key, job[7])
    if fate then
      parents[fate] = parents[fate] + 1
    end
    local waits = for_child and call('SCARD', key .. ':dependencies') > 0
    if waits then
      call('ZADD', base .. 'waiting-children', ARGV[3], id)
    else
      enqueue(door, id, tonumber(job[5]) or tonumber(options.priority) or 0, options.lifo == true)
    end
    call('ZREM', failed, id)
    call('HDEL', key, 'finishedOn', 'processedOn', 'failedReason')
    if ARGV[4] == '1' then
      try('HINCRBY', key, 'upkeepTried', tonumber(ARGV[index + 3]) or 0)
      call('HDEL', key, 'atm', 'ats', 'attemptsMade')
    end
    if layout == 'bull' then
      try('HSET', key, 'retriedOn', ARGV[3])
    end
    announce(door, waits and 'waiting-children' or 'waiting', id)
    retried = retried + 1
  end
end
trim(door)
return {retried, changed, locked, blocked, unclear, parents.rejoined, parents.doomed, parents.went_on, parents.gone}
"""
)
