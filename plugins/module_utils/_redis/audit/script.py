# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The script that looks at one page of keys inside the server, and what it answers. Pure.

One request for each page, instead of one for each key's size, TTL and use; the server works on it while this process
counts what the last one found. It only reads, and reads nothing that counts as a use of the key.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from ..wire import packed
from .census import DETAIL_BYTES, Detail

__all__ = ["LENGTHS", "UNTOUCHED_SECONDS", "ScriptPage", "page_of", "request"]

LENGTHS = {"list": "LLEN", "hash": "HLEN", "set": "SCARD", "zset": "ZCARD", "stream": "XLEN"}
"""What tells the number of a collection's elements, each in constant time. Each counts as a use of the key."""

UNTOUCHED_SECONDS = 86400
"""Where asking counts as a use, keys that were not used for a day are not asked: what nobody uses has to stay known."""

_NOTHING = "-"
# Keys come as one text with their lengths beside it, and numbers in binary, nine hundred packed at once for the sake of
# the stack: a reply of a thousand texts takes the driver longer to read than the server to write. os.clock, where there
# is one, is the server's own processor time, in which waiting is not counted; elsewhere TIME goes on beside a script.
_SCRIPT = (
    """
local function clock()
  if rawget(_G, 'os') then return os.clock() end
  local now = redis.pcall('TIME')
  return not now.err and now[1] + now[2] / 1000000 or nil
end
local started = clock()
local page = redis.call('SCAN', ARGV[1], 'COUNT', ARGV[2])
local large, stride, heat, untouched = tonumber(ARGV[3]), tonumber(ARGV[4]), ARGV[5], tonumber(ARGV[6])
local lengths = {"""
    + ", ".join(f"{kind} = '{command}'" for kind, command in LENGTHS.items())
    + """}
local keys, numbers, details = page[2], {}, {}
local function packed(list)
  local parts = {}
  for first = 1, #list, 900 do
    local last = math.min(first + 899, #list)
    parts[#parts + 1] = struct.pack('<' .. string.rep('i8', last - first + 1), unpack(list, first, last))
  end
  return table.concat(parts)
end
local function said(answer)
  if not answer then return '-' end
  if type(answer) == 'table' then return answer.ok or '-' end
  return answer
end
for i = 1, #keys do
  local key = keys[i]
  local size = redis.pcall('MEMORY', 'USAGE', key)
  local known = type(size) == 'number'
  if not known then size = (size and -1) or 0 end
  numbers[3 * i - 2], numbers[3 * i - 1], numbers[3 * i] = #key, redis.call('PTTL', key), size
  local is_large = size >= large
  if is_large or i % stride == 0 then
    local kind, idle, count = redis.pcall('TYPE', key).ok or '-', '-', '-'
    if heat == 'idle' then idle = said(redis.pcall('OBJECT', 'IDLETIME', key)) end
    local asks = idle == '-' or idle < untouched
    if is_large and asks and lengths[kind] then count = said(redis.pcall(lengths[kind], key)) end
    local encoding = said(redis.pcall('OBJECT', 'ENCODING', key))
    details[#details + 1] = table.concat({i - 1, is_large and 1 or stride, kind, encoding, count, idle}, ' ')
  end
end
return {page[1], table.concat(keys), packed(numbers), table.concat(details, '\\n'),
  started and string.format('%.6f', clock() - started) or ''}
"""
).encode()


class ScriptPage(NamedTuple):
    """One page.

    :param cursor: where the next begins; ``0`` after the last.
    :param sizes: bytes; -1 where the user may not ask.
    :param busy: seconds that the server worked on it; None: unknown.
    """

    cursor: bytes
    keys: list[bytes]
    ttls: Sequence[int]
    sizes: Sequence[int]
    details: list[Detail]
    busy: float | None


def request(cursor: bytes, count: int, stride: int, heat: str | None, touches: bool) -> bytes:
    """Return the packed command for a page.

    :param stride: every how many keys a small one is looked at closely.
    :param heat: ``idle``: ask for how long a key was not used.
    :param touches: whether asking for a collection's elements counts as a use of it.
    """
    untouched = UNTOUCHED_SECONDS if touches else 2**53
    return packed([[b"EVAL", _SCRIPT, 0, cursor, count, DETAIL_BYTES, stride, heat or _NOTHING, untouched]])


def page_of(reply: list[Any]) -> ScriptPage:
    """Take the script's answer apart."""
    cursor, names, binary, details, busy = reply
    numbers = struct.unpack(f"<{len(binary) // 8}q", binary)
    keys, start = [], 0
    for length in numbers[::3]:
        keys.append(names[start : start + length])
        start += length
    return ScriptPage(
        cursor, keys, numbers[1::3], numbers[2::3], list(_details(details)), float(busy) if busy else None
    )


def _details(text: bytes) -> Iterator[Detail]:
    for line in text.decode("utf-8", "replace").splitlines():
        position, weight, kind, encoding, count, idle = line.split(" ")
        yield Detail(int(position), int(weight), kind, encoding, _number(count), _number(idle))


def _number(text: str) -> int | None:
    return None if text == _NOTHING else int(text)
