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

from ..scripting import BUSY
from ..wire import packed
from .census import DETAIL_BYTES, Detail

__all__ = [
    "LENGTHS",
    "UNTOUCHED_SECONDS",
    "Glance",
    "ScriptPage",
    "busy_of",
    "can_be_cut",
    "number_of",
    "page_of",
    "request",
]

LENGTHS = {"list": "LLEN", "hash": "HLEN", "set": "SCARD", "zset": "ZCARD", "stream": "XLEN"}
"""What tells the number of a collection's elements, each in constant time. Each counts as a use of the key."""

UNTOUCHED_SECONDS = 86400
"""Where asking counts as a use, keys that were not used for a day are not asked: what nobody uses has to stay known."""

_NUMBERS = struct.Struct("<dd")
"""What is said of each key: its TTL and its size."""
_NOTHING = "-"
# Names come as one text, and numbers in binary, nine hundred packed at once for the sake of the stack: a reply of a
# thousand texts takes the driver longer to read than the server to write.
_SCRIPT = (
    BUSY.decode()
    + """
local call, pcall, MEMORY, USAGE, PTTL = redis.call, redis.pcall, 'MEMORY', 'USAGE', 'PTTL'
local page = call('SCAN', ARGV[1], 'COUNT', ARGV[2])
local large, stride, heat, untouched = tonumber(ARGV[3]), tonumber(ARGV[4]), ARGV[5], tonumber(ARGV[6])
local chosen = tonumber(ARGV[7])
local lengths = {"""
    + ", ".join(f"{kind} = '{command}'" for kind, command in LENGTHS.items())
    + """}
local keys, numbers, details = page[2], {}, {}
local function packed(list)
  local parts, whole = {}, string.rep('d', 900)
  for first = 1, #list, 900 do
    local last = math.min(first + 899, #list)
    local format = last - first == 899 and whole or string.rep('d', last - first + 1)
    parts[#parts + 1] = struct.pack('<' .. format, unpack(list, first, last))
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
  local ttl = pcall(PTTL, key)
  if type(ttl) == 'table' then
    if not string.find(ttl.err, 'non local', 1, true) then return ttl end
    ttl = -2
  end
  local size = ttl ~= -2 and pcall(MEMORY, USAGE, key)
  if type(size) ~= 'number' then size = (size and -1) or 0 end
  numbers[2 * i - 1], numbers[2 * i] = ttl, size
  if size >= large or i == chosen then
    local weight, kind, idle, count = 1, pcall('TYPE', key).ok or '-', '-', '-'
    if i == chosen then
      chosen = chosen + stride
      if size < large then weight = stride end
    end
    if heat == 'idle' then idle = said(pcall('OBJECT', 'IDLETIME', key)) end
    local asks = idle == '-' or idle < untouched
    if size >= large and asks and lengths[kind] then count = said(pcall(lengths[kind], key)) end
    local encoding = said(pcall('OBJECT', 'ENCODING', key))
    details[#details + 1] = table.concat({i - 1, weight, kind, encoding, count, idle}, ' ')
  end
end
local apart = {}
if ARGV[8] == '1' then
  for i = 1, #keys do apart[i] = #keys[i] end
end
return {page[1], table.concat(keys, '\\n'), packed(numbers), table.concat(details, '\\n'),
  busy(), packed(apart)}
"""
).encode()


class Glance(NamedTuple):
    """How the script is to look at keys.

    :param stride: every how many keys a small one is looked at closely.
    :param heat: ``idle``: ask for how long a key was not used.
    :param touches: whether asking for a collection's elements counts as a use of it.
    """

    stride: int
    heat: str | None
    touches: bool


class ScriptPage(NamedTuple):
    """One page.

    :param ttls: milliseconds that each key has left; -1: for ever; -2: it is gone.
    :param sizes: bytes; -1 where the user may not ask.
    """

    keys: list[bytes]
    ttls: Sequence[float]
    sizes: Sequence[float]
    details: list[Detail]


def request(cursor: bytes, count: int, glance: Glance, seen: int, apart: bool = False) -> bytes:
    """Return the packed command for a page.

    :param seen: how many keys came before it, so that the stride goes on from page to page.
    :param apart: whether the length of each name is wanted as well, which takes more time.
    """
    untouched = UNTOUCHED_SECONDS if glance.touches else 2**53
    heat, chosen = glance.heat or _NOTHING, glance.stride - seen % glance.stride
    arguments = (cursor, count, DETAIL_BYTES, glance.stride, heat, untouched, chosen, int(apart))
    return packed([(b"EVAL", _SCRIPT, 0, *arguments)])


def number_of(reply: list[Any]) -> int:
    """Return how many keys the script's answer is about."""
    return len(reply[2]) // _NUMBERS.size


def can_be_cut(reply: list[Any]) -> bool:
    """Whether the names can be told apart: one that holds a line feed wants the names' lengths."""
    number = number_of(reply)
    return number < 2 or bool(reply[5]) or reply[1].count(b"\n") == number - 1


def busy_of(reply: list[Any]) -> float | None:
    """Return the seconds that the server worked on the script's answer; None: unknown."""
    return float(reply[4]) if reply[4] else None


def page_of(reply: list[Any]) -> ScriptPage:
    """Take the script's answer apart."""
    _cursor, names, binary, details, _busy, apart = reply
    numbers = struct.unpack(f"<{len(binary) // 8}d", binary)
    if apart:
        keys, start = [], 0
        for length in struct.unpack(f"<{len(apart) // 8}d", apart):
            keys.append(names[start : start + int(length)])
            start += int(length) + 1
    else:
        keys = names.split(b"\n") if numbers else []
    return ScriptPage(keys, numbers[::2], numbers[1::2], list(_details(details)))


def _details(text: bytes) -> Iterator[Detail]:
    for line in text.decode("utf-8", "replace").splitlines():
        position, weight, kind, encoding, count, idle = line.split(" ")
        yield Detail(int(position), int(weight), kind, encoding, _number(count), _number(idle))


def _number(text: str) -> int | None:
    return None if text == _NOTHING else int(text)
