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
local width, written = tonumber(ARGV[6]), 0
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

local function letter_of(id, job, finished, attempts, why)
  return table.concat({
    '{"source":', cjson.encode(ARGV[2]), ',"id":', cjson.encode(id), ',"name":', cjson.encode(job[8] or ''),
    ',"data":', as_json(job[9]), ',"opts":', as_json(job[10]), ',"failedReason":', cjson.encode(job[1] or ''),
    ',"stacktrace":', as_json(job[11]), ',"attemptsMade":', as_number(attempts, '0'),
    ',"finishedOn":', as_number(finished, 'null'), ',"why":', cjson.encode(why), '}'})
end

-- Leave the traces by which the queue of the letters, and its library, are known.
local function make_queue()
  if layout ~= 'bull' and call('EXISTS', letters .. 'meta') == 0 then
    call('HSETNX', letters .. 'meta', 'opts.maxLenEvents', 10000)
    local version = call('HGET', base .. 'meta', 'version')
    if version then
      call('HSETNX', letters .. 'meta', 'version', version)
    end
  end
end

local door = letters ~= '' and door_of(letters, layout)

-- A letter of the same failure is the same letter; whatever else has its name is none of ours.
local function write_letter(key, id, letter, job, finished, attempts, why)
  local target, mark = letters .. letter, key .. '@' .. finished
  if call('EXISTS', target) == 1 then
    return try('HGET', target, 'upkeepOf') == mark
  end
  if written == 0 then
    make_queue()
  end
  local data = letter_of(id, job, finished, attempts, why)
  call('HSET', target, 'name', job[8] or '', 'data', data, 'opts', '{"attempts":1}', 'timestamp', ARGV[5], 'delay', 0,
    'priority', 0, 'upkeepOf', mark)
  local queued, problem = pcall(enqueue, door, letter, 0, false)
  if not queued then
    call('UNLINK', target)
    error(problem)
  end
  if call('EXISTS', key .. ':logs') == 1 then
    try('RENAME', key .. ':logs', target .. ':logs')
  end
  announce(door, 'waiting', letter)
  written = written + 1
  return true
end

try_rights(failed, letters == '' and base or letters)
call('UNLINK', base)
local fields = {'HMGET', '', 'failedReason', 'finishedOn', 'atm', 'attemptsMade', 'parentKey', 'rjk', 'deid'}
if door then
  for _, field in ipairs({'name', 'data', 'opts', 'stacktrace'}) do
    fields[#fields + 1] = field
  end
end
for index = 7 + width, #ARGV, 6 do
  local id, finished, attempts = ARGV[index], ARGV[index + 2], ARGV[index + 3]
  local key = base .. id
  fields[2] = key
  local job = try(unpack(fields))
  local fate = left_for(failed, id, key, job, ARGV[index + 1], finished, attempts)
  if fate then
    tally[fate] = tally[fate] + 1
  elseif job[6] and is_scheduled(id, job[6]) then
    tally.scheduled = tally.scheduled + 1
  elseif job[5] and job[5] ~= '' and is_awaited(key, job[5]) then
    tally.awaited = tally.awaited + 1
  elseif width > 2 and call('SCARD', key .. ':dependencies') > 0 then
    tally.children = tally.children + 1
  elseif door and not write_letter(key, id, ARGV[index + 5], job, finished, attempts, ARGV[index + 4]) then
    tally.taken = tally.taken + 1
  else
    local keys = {}
    for suffix = 7, 6 + width do
      keys[#keys + 1] = key .. ARGV[suffix]
    end
    if job[7] and try('GET', base .. 'de:' .. job[7]) == id then
      keys[#keys + 1] = base .. 'de:' .. job[7]
      keys[#keys + 1] = base .. 'dn:' .. job[7]
    end
    call('UNLINK', unpack(keys))
    call('ZREM', failed, id)
    tally.gone = tally.gone + 1
  end
end
if written > 0 then
  try('INCRBY', letters .. 'id', written)
  trim(door)
end
return {tally.gone, tally.changed, tally.locked, tally.scheduled, tally.awaited, tally.children, tally.taken}
"""
)
