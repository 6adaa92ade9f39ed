# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the scripts on failed jobs have in common: whether a job is as it was read, and how one is queued."""

from __future__ import annotations

__all__ = ["SHARED"]

SHARED = """
local call, try = redis.call, redis.pcall

-- Why a job of the state must be left: 'changed' since it was read, or 'locked'; nil: it is as it was.
local function left_for(state, id, key, digest, finished, attempts)
  local job = try('HMGET', key, 'failedReason', 'finishedOn', 'atm', 'attemptsMade')
  if job.err or not call('ZSCORE', state, id) or redis.sha1hex(job[1] or '') ~= digest
    or (job[2] or '') ~= finished or (job[3] or job[4] or '') ~= attempts then
    return 'changed'
  end
  if call('EXISTS', key .. ':lock') == 1 then
    return 'locked'
  end
end

-- Tell the listeners, where we may; Bull has channels, and BullMQ a stream, which is trimmed a little at a time.
local function announce(base, layout, event, id, from)
  if layout == 'bull' then
    try('PUBLISH', base .. event .. '@upkeep', id)
    return
  end
  local most = tonumber(call('HGET', base .. 'meta', 'opts.maxLenEvents')) or 10000
  local entry = {'*', 'event', event, 'jobId', id, 'prev', from}
  local added = try('XADD', base .. 'events', 'MAXLEN', '~', most, 'LIMIT', 1000, unpack(entry))
  if type(added) == 'table' and added.err then
    try('XADD', base .. 'events', unpack(entry))
  end
end

-- Who lacks a right must be told before anything is done, for nothing is taken back. So what is needed once a job has
-- been written is tried before, in a way that changes nothing.
local function try_rights(state, base)
  call('ZREM', state, '')
  call('ZADD', base .. 'marker', 'XX', 0, '')
  call('HGET', base .. 'meta', 'paused')
  call('LLEN', base .. 'active')
end

local function is_paused(base, layout)
  if layout == 'bull' then
    return call('EXISTS', base .. 'meta-paused') == 1
  end
  return call('HEXISTS', base .. 'meta', 'paused') == 1
end

-- From BullMQ 5 on idle workers wait for the marker; a queue that is paused or has enough in work gets none.
local function wake(base, layout, paused)
  if paused or (layout ~= '5' and layout ~= '6' and layout ~= '5+') then
    return
  end
  local most = tonumber(call('HGET', base .. 'meta', 'concurrency'))
  if not most or call('LLEN', base .. 'active') < most then
    call('ZADD', base .. 'marker', 0, '0')
  end
end

-- Put a job where workers take it from: the tail of a list, or the lowest of prioritized. Layouts: bull, 4, 5, 6, 5+.
local function enqueue(base, layout, id, priority, lifo)
  local paused = is_paused(base, layout)
  local list = base .. ((paused and layout ~= '6') and 'paused' or 'wait')
  if priority == 0 then
    call(lifo and 'RPUSH' or 'LPUSH', list, id)
  elseif layout == 'bull' then
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
    if layout == '4' and not paused and call('LLEN', base .. 'wait') == 0 then
      call('LPUSH', base .. 'wait', '0:0')
    end
  end
  wake(base, layout, paused)
end
"""
