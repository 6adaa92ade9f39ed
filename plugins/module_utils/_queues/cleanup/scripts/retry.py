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
-- Returns how many: retried, changed, locked, blocked, unclear, rejoined, doomed, went_on, gone; and how many jobs were
-- gone through, the first of those given.
local failed, base, layout = KEYS[1], ARGV[1], ARGV[2]
local seen, retried, blocked, unclear, left = 0, 0, 0, 0, {changed = 0, locked = 0}
local parents = {rejoined = 0, doomed = 0, went_on = 0, gone = 0, waiting = 0}

local options_of = once(function(text)
  local good, options = pcall(cjson.decode, text)
  return good and type(options) == 'table' and options or {}
end)

local function is_error(reply)
  return type(reply) == 'table' and reply.err ~= nil
end

-- A priority that the library would have taken; nil: the job has none.
local function priority_of(value)
  local number = tonumber(value)
  return number and number >= 1 and number <= 2147483647 and math.floor(number) or nil
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
  local waits = try('SISMEMBER', parent .. ':dependencies', key)
  local unsuccessful = try('ZSCORE', parent .. ':unsuccessful', key)
  local noted = try('HEXISTS', parent .. ':failed', key)
  if is_error(waits) or is_error(unsuccessful) or is_error(noted) then
    return nil  -- keys of another type: that is no parent
  end
  local home, id = parted(parent)
  if waits == 1 then
    return home and type(try('ZSCORE', home .. 'failed', id)) == 'string' and 'doomed' or 'waiting'
  end
  if unsuccessful then
    call('SADD', parent .. ':dependencies', key)
    call('ZREM', parent .. ':unsuccessful', key)
    return 'doomed'
  end
  if home and noted == 1 and type(try('ZSCORE', home .. 'waiting-children', id)) == 'string' then
    call('SADD', parent .. ':dependencies', key)
    call('HDEL', parent .. ':failed', key)
    return 'rejoined'
  end
  return 'went_on'
end

-- The key of the child for which a job failed.
local function child_of(reason)
  return layout ~= 'bull' and reason and string.match(reason, '^child (.+) failed$')
end

-- Whether a child for which a job failed still is failed.
local function child_failed(key, child)
  local home, id = parted(child)
  local score = home and try('ZSCORE', home .. 'failed', id)
  return call('ZCARD', key .. ':unsuccessful') > 0 or (score and true or false)
end

try_rights(failed, base)
call('HDEL', base, '')
local door = door_of(base, layout)

-- What a job has from its failure goes, and the listeners are told.
local function tidy(id, attempts, event)
  local key = base .. id
  call('HDEL', key, 'finishedOn', 'processedOn', 'failedReason')
  if ARGV[4] == '1' then
    try('HINCRBY', key, 'upkeepTried', tonumber(attempts) or 0)
    call('HDEL', key, 'atm', 'ats', 'attemptsMade')
  end
  if layout == 'bull' then
    try('HSET', key, 'retriedOn', ARGV[3])
  end
  announce(door, event, id)
  retried = retried + 1
end

-- Jobs that go to the head of the list, and have no parent: one after the other they go in together.
local plain, tries, together = {}, {}, 0
local function put_together()
  if together == 0 then
    return
  end
  call('LPUSH', door.list, unpack(plain, 1, together))
  call('ZREM', failed, unpack(plain, 1, together))
  wake(door)
  for index = 1, together do
    tidy(plain[index], tries[index], 'waiting')
  end
  together = 0
end

local function put_alone(id, job, attempts, child, priority, lifo)
  local key = base .. id
  local fate = layout ~= 'bull' and job[7] and job[7] ~= '' and rejoin(key, job[7])
  if fate then
    parents[fate] = parents[fate] + 1
  end
  local waits = child and call('SCARD', key .. ':dependencies') > 0
  if waits then
    call('ZADD', base .. 'waiting-children', ARGV[3], id)
  else
    enqueue(door, id, priority, lifo)
  end
  call('ZREM', failed, id)
  tidy(id, attempts, waits and 'waiting-children' or 'waiting')
end

local locks = any_has(base, ':lock', 5, 4)
for index = 5, #ARGV, 4 do
  if bytes > most_bytes then
    break
  end
  local id, attempts = ARGV[index], ARGV[index + 3]
  local key = base .. id
  local job = try('HMGET', key, 'failedReason', 'finishedOn', 'atm', 'attemptsMade', 'priority', 'opts', 'parentKey')
  bytes, seen = bytes + #(job[1] or '') + #(job[6] or ''), seen + 1
  local why = left_for(failed, id, key, job, ARGV[index + 1], ARGV[index + 2], attempts, locks)
  if why then
    left[why] = left[why] + 1
  else
    local child = child_of(job[1])
    if child then
      put_together()
    end
    if child and child_failed(key, child) then
      blocked = blocked + 1
    elseif layout == '5+' and door.paused then
      unclear = unclear + 1
    else
      local options = options_of(job[6] or '{}')
      local priority, lifo = priority_of(job[5]) or priority_of(options.priority) or 0, options.lifo == true
      local parent = layout ~= 'bull' and job[7] and job[7] ~= ''
      if child or parent or lifo or priority ~= 0 then
        put_together()
        put_alone(id, job, attempts, child, priority, lifo)
      else
        together = together + 1
        plain[together], tries[together] = id, attempts
      end
    end
  end
end
put_together()
trim(door)
return {retried, left.changed, left.locked, blocked, unclear, parents.rejoined, parents.doomed, parents.went_on,
  parents.gone, seen}
"""
)
