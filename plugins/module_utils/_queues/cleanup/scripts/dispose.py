# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Removes failed jobs, or moves them to a queue of dead letters."""

from __future__ import annotations

from .shared import SHARED

__all__ = ["DISPOSE"]

DISPOSE = (
    SHARED
    + """
-- KEYS: 1 the failed jobs, 2 the schedulers (repeat)
-- ARGV: 1 what the queue's keys begin with, 2 its name, 3 what the keys of the dead letters begin with (empty: none are
--       written), 4 their layout, 5 now in milliseconds, 6 number of suffixes, 7... what is put behind a job's key for
--       its keys; then six for each job: id, SHA-1 of failedReason, finishedOn, attempts, why, id of the letter
-- Returns how many: gone, changed, locked, scheduled, awaited, children, taken.
local failed, schedulers, base, letters, layout = KEYS[1], KEYS[2], ARGV[1], ARGV[3], ARGV[4]
local width = tonumber(ARGV[6])
local tally = {gone = 0, changed = 0, locked = 0, scheduled = 0, awaited = 0, children = 0, taken = 0}

local function is_scheduled(id, scheduler)
  local at = try('ZSCORE', schedulers, scheduler)
  return type(at) == 'string' and id == 'repeat:' .. scheduler .. ':' .. at
end

local function is_awaited(key, parent)
  return try('SISMEMBER', parent .. ':dependencies', key) ~= 0 and try('EXISTS', parent) ~= 0
end

-- Return a text as JSON: as it is, if it is JSON already.
local function as_json(text)
  if not text or text == '' then
    return 'null'
  end
  return pcall(cjson.decode, text) and text or cjson.encode(text)
end

-- Return a text of at most 15 digits as a number, and anything else as what is given for it.
local function as_number(text, otherwise)
  return #text < 16 and string.match(text, '^%d+$') and string.format('%.0f', tonumber(text)) or otherwise
end

local function letter_of(key, id, reason, finished, attempts, why)
  local job = call('HMGET', key, 'name', 'data', 'opts', 'stacktrace')
  return job[1] or '', table.concat({
    '{"source":', cjson.encode(ARGV[2]), ',"id":', cjson.encode(id), ',"name":', cjson.encode(job[1] or ''),
    ',"data":', as_json(job[2]), ',"opts":', as_json(job[3]), ',"failedReason":', cjson.encode(reason or ''),
    ',"stacktrace":', as_json(job[4]), ',"attemptsMade":', as_number(attempts, '0'),
    ',"finishedOn":', as_number(finished, 'null'), ',"why":', cjson.encode(why), '}'})
end

-- A letter of the same failure is the same letter; whatever else has its name is none of ours.
local function write_letter(key, id, letter, reason, finished, attempts, why)
  local target, mark = letters .. letter, key .. '@' .. finished
  if call('EXISTS', target) == 1 then
    return try('HGET', target, 'upkeepOf') == mark
  end
  local name, data = letter_of(key, id, reason, finished, attempts, why)
  call('HSET', target, 'name', name, 'data', data, 'opts', '{"attempts":1}', 'timestamp', ARGV[5], 'delay', 0,
    'priority', 0, 'upkeepOf', mark)
  local queued, problem = pcall(enqueue, letters, layout, letter, 0, false)
  if not queued then
    call('UNLINK', target)
    error(problem)
  end
  try('INCR', letters .. 'id')
  if call('EXISTS', key .. ':logs') == 1 then
    try('RENAME', key .. ':logs', target .. ':logs')
  end
  announce(letters, layout, 'waiting', letter, 'failed')
  return true
end

try_rights(failed, letters == '' and base or letters)
call('UNLINK', base)
if letters ~= '' and layout ~= 'bull' and call('EXISTS', letters .. 'meta') == 0 then
  call('HSETNX', letters .. 'meta', 'opts.maxLenEvents', 10000)
  local version = call('HGET', base .. 'meta', 'version')
  if version then
    call('HSETNX', letters .. 'meta', 'version', version)
  end
end
for index = 7 + width, #ARGV, 6 do
  local id, finished, attempts = ARGV[index], ARGV[index + 2], ARGV[index + 3]
  local key = base .. id
  local fate = left_for(failed, id, key, ARGV[index + 1], finished, attempts)
  if not fate then
    local job = call('HMGET', key, 'parentKey', 'rjk', 'deid', 'failedReason')
    if job[2] and is_scheduled(id, job[2]) then
      fate = 'scheduled'
    elseif job[1] and job[1] ~= '' and is_awaited(key, job[1]) then
      fate = 'awaited'
    elseif width > 2 and call('SCARD', key .. ':dependencies') > 0 then
      fate = 'children'
    elseif letters ~= ''
      and not write_letter(key, id, ARGV[index + 5], job[4], finished, attempts, ARGV[index + 4]) then
      fate = 'taken'
    else
      fate = 'gone'
      local keys = {}
      for suffix = 7, 6 + width do
        keys[#keys + 1] = key .. ARGV[suffix]
      end
      if job[3] and try('GET', base .. 'de:' .. job[3]) == id then
        keys[#keys + 1] = base .. 'de:' .. job[3]
        keys[#keys + 1] = base .. 'dn:' .. job[3]
      end
      call('UNLINK', unpack(keys))
      call('ZREM', failed, id)
    end
  end
  tally[fate] = tally[fate] + 1
end
return {tally.gone, tally.changed, tally.locked, tally.scheduled, tally.awaited, tally.children, tally.taken}
"""
)
