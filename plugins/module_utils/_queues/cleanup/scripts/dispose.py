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
--       written), 4 their layout, 5 now in milliseconds, 6 bytes of data from which on a job is too large to copy here
--       (0: none is), 7 number of suffixes, 8... what is put behind a job's key for its keys; then six for each job:
--       id, SHA-1 of failedReason, finishedOn, attempts, why, id of the letter
-- Returns how many: gone, changed, locked, scheduled, awaited, children, taken; and how many jobs were gone through,
-- the first of those given: it ends before one that is too large.
local failed, schedulers, base, letters, layout = KEYS[1], KEYS[2], ARGV[1], ARGV[3], ARGV[4]
local too_large, width, written, seen = tonumber(ARGV[6]), tonumber(ARGV[7]), 0, 0
local first = 8 + width
local tally = {gone = 0, changed = 0, locked = 0, scheduled = 0, awaited = 0, children = 0, taken = 0}

local function is_scheduled(id, scheduler)
  local at = try('ZSCORE', schedulers, scheduler)
  return type(at) == 'string' and id == 'repeat:' .. scheduler .. ':' .. at
end

local function is_awaited(key, parent)
  return try('SISMEMBER', parent .. ':dependencies', key) ~= 0 and try('EXISTS', parent) ~= 0
end

local quoted = once(cjson.encode)

-- Of its own, for the server's takes hexadecimal numbers, infinity and NaN, which the libraries cannot read.
local json = cjson.new()
json.decode_invalid_numbers(false)

-- Whether there is a control character inside a string, which the libraries cannot read either.
local function has_bare_control(text)
  if not string.find(text, '[%z\\1-\\31]') then
    return false
  end
  for inside in string.gmatch(string.gsub(text, '\\\\.', ''), '"([^"]*)"') do
    if string.find(inside, '[%z\\1-\\31]') then
      return true
    end
  end
  return false
end

-- Return a text as JSON: as it is, if it is JSON already.
local function as_json(text)
  if not text or text == '' then
    return 'null'
  end
  return pcall(json.decode, text) and not has_bare_control(text) and text or cjson.encode(text)
end

local often_json = once(as_json)

-- Return a text of at most 15 digits as a number, and anything else as what is given for it.
local function as_number(text, otherwise)
  return #text < 16 and string.match(text, '^%d+$') and string.format('%.0f', tonumber(text)) or otherwise
end

local function letter_of(id, job, finished, attempts, why)
  return table.concat({
    '{"source":', quoted(ARGV[2]), ',"id":', cjson.encode(id), ',"name":', quoted(job[8] or ''),
    ',"data":', as_json(job[9]), ',"opts":', often_json(job[10]), ',"failedReason":', quoted(job[1] or ''),
    ',"stacktrace":', often_json(job[11]), ',"attemptsMade":', as_number(attempts, '0'),
    ',"finishedOn":', as_number(finished, 'null'), ',"why":', quoted(why), '}'})
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
local locks = any_has(base, ':lock', first, 6)
local parents = width > 2 and any_has(base, ':dependencies', first, 6)
local logs = door and any_has(base, ':logs', first, 6)
-- Two ids may make one letter's.
local old_letters, new_letters = door and any_has(letters, '', first + 5, 6), {}

-- A letter of the same failure is the same letter; whatever else has its name is none of ours.
local function write_letter(key, id, letter, job, finished, attempts, why)
  local target, mark = letters .. letter, key .. '@' .. finished
  if (old_letters or new_letters[letter]) and call('EXISTS', target) == 1 then
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
  if logs and call('EXISTS', key .. ':logs') == 1 then
    try('RENAME', key .. ':logs', target .. ':logs')
  end
  announce(door, 'waiting', letter)
  written, new_letters[letter] = written + 1, true
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
for index = first, #ARGV, 6 do
  if bytes > most_bytes then
    break
  end
  local id, finished, attempts = ARGV[index], ARGV[index + 2], ARGV[index + 3]
  local key = base .. id
  if door and too_large > 0 then
    local size = try('HSTRLEN', key, 'data')
    if type(size) == 'number' and size >= too_large then
      break
    end
  end
  fields[2] = key
  local job = try(unpack(fields))
  bytes, seen = bytes + #(job[1] or '') + #(job[9] or '') + #(job[10] or '') + #(job[11] or ''), seen + 1
  local fate = left_for(failed, id, key, job, ARGV[index + 1], finished, attempts, locks)
  if fate then
    tally[fate] = tally[fate] + 1
  elseif job[6] and is_scheduled(id, job[6]) then
    tally.scheduled = tally.scheduled + 1
  elseif job[5] and job[5] ~= '' and is_awaited(key, job[5]) then
    tally.awaited = tally.awaited + 1
  elseif parents and call('SCARD', key .. ':dependencies') > 0 then
    tally.children = tally.children + 1
  elseif door and not write_letter(key, id, ARGV[index + 5], job, finished, attempts, ARGV[index + 4]) then
    tally.taken = tally.taken + 1
  else
    local keys = {}
    for suffix = 8, 7 + width do
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
return {tally.gone, tally.changed, tally.locked, tally.scheduled, tally.awaited, tally.children, tally.taken,
  seen}
"""
)
