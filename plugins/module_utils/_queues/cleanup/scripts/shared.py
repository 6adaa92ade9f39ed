# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the scripts on failed jobs have in common: whether a job is as it was read, and how one is queued."""

from __future__ import annotations

__all__ = ["SHARED"]

SHARED = """
local call, try = redis.call, redis.pcall

-- Bytes of jobs to go through in one run: it ends behind the job that has the last of them, for to digest texts and to
-- read JSON takes the server some 10 ms for each megabyte.
local most_bytes, bytes = 131072, 0

-- Texts that jobs often have in common are worked on once in a run.
local function once(work)
  local known = {}
  return function(text)
    local found = known[text]
    if found == nil then
      found = work(text)
      known[text] = found
    end
    return found
  end
end

local digest_of = once(redis.sha1hex)

-- Whether any of the jobs, whose ids are every so many arguments, has a key of this kind: most often none has, and one
-- question is enough.
local function any_has(base, suffix, first, step)
  local keys, count = {}, 0
  for index = first, #ARGV, step do
    count = count + 1
    keys[count] = base .. ARGV[index] .. suffix
  end
  return call('EXISTS', unpack(keys)) > 0
end

-- Why a job of the state must be left: 'changed' since it was read, or 'locked'; nil: it is as it was. Its fields begin
-- with failedReason, finishedOn, atm and attemptsMade.
local function left_for(state, id, key, job, digest, finished, attempts, locks)
  if job.err or not call('ZSCORE', state, id) or digest_of(job[1] or '') ~= digest
    or (job[2] or '') ~= finished or (job[3] or job[4] or '') ~= attempts then
    return 'changed'
  end
  if locks and call('EXISTS', key .. ':lock') == 1 then
    return 'locked'
  end
end

-- Who lacks a right must be told before anything is done, for nothing is taken back. So what is needed once a job has
-- been written is tried before, in a way that changes nothing.
local function try_rights(state, base)
  call('ZREM', state, '')
  call('ZADD', base .. 'marker', 'XX', 0, '')
end

-- Where jobs come into a queue; what is read here stays as it is until the script is over. Layouts: bull, 4, 5, 6, 5+.
local function door_of(base, layout)
  local paused
  if layout == 'bull' then
    paused = call('EXISTS', base .. 'meta-paused') == 1
  else
    paused = call('HEXISTS', base .. 'meta', 'paused') == 1
  end
  local meta = layout == 'bull' and {} or call('HMGET', base .. 'meta', 'concurrency', 'opts.maxLenEvents')
  local most = tonumber(meta[1])
  local full = most and call('LLEN', base .. 'active') >= most
  return {
    base = base, layout = layout, paused = paused, events = tonumber(meta[2]) or 10000,
    list = base .. ((paused and layout ~= '6') and 'paused' or 'wait'),
    -- From BullMQ 5 on idle workers wait for a marker; a queue that is paused or has enough in work gets none.
    marker = (layout == '5' or layout == '6' or layout == '5+') and not paused and not full,
  }
end

-- Wake an idle worker; the others are woken by it.
local function wake(door)
  if door.marker then
    call('ZADD', door.base .. 'marker', 0, '0')
    door.marker = false
  end
end

-- Put a job where workers take it from: the tail of a list, or the lowest of prioritized.
local function enqueue(door, id, priority, lifo)
  local base, list = door.base, door.list
  if priority == 0 then
    call(lifo and 'RPUSH' or 'LPUSH', list, id)
  elseif door.layout == 'bull' then
    -- In front of it in the list are those that are as urgent or more so.
    call('ZADD', base .. 'priority', priority, id)
    local ahead = call('ZCOUNT', base .. 'priority', 0, priority) - 1
    local behind = ahead > 0 and call('LINDEX', list, -ahead)
    if behind then
      call('LINSERT', list, 'BEFORE', behind, id)
    else
      call('RPUSH', list, id)
    end
  else
    local score = priority * 4294967296 + call('INCR', base .. 'pc') % 4294967296
    call('ZADD', base .. 'prioritized', string.format('%.0f', score), id)
    if door.layout == '4' and not door.paused and call('LLEN', base .. 'wait') == 0 then
      call('LPUSH', base .. 'wait', '0:0')
    end
  end
  wake(door)
end

-- Tell the listeners, where we may: Bull has channels, and BullMQ a stream.
local function announce(door, event, id)
  if door.layout == 'bull' then
    try('PUBLISH', door.base .. event .. '@upkeep', id)
  else
    try('XADD', door.base .. 'events', '*', 'event', event, 'jobId', id, 'prev', 'failed')
  end
end

-- Trim the stream by what was added, and a little more; not all of a long one, for the server would stand still.
local function trim(door)
  if door.layout ~= 'bull' then
    try('XTRIM', door.base .. 'events', 'MAXLEN', '~', door.events, 'LIMIT', 2000)
  end
end
"""
