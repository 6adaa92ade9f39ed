# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The script that looks at keys and changes them in one step, so that nobody can touch them in between."""

from __future__ import annotations

import math
from collections.abc import Sequence
from hashlib import sha1
from typing import Any

from .decide_keys import LONGEST_VALUE, life_of
from .rule import EXPIRE, Rule

__all__ = ["evaluation", "proof"]

# ARGV: what to do, whether only keys without TTL, least idle seconds, types, field; then for each key the digest of
# what was read of its field if there is one, and then for each the milliseconds that it gets to live if it is to
# expire. Nothing here counts as a use but the reading of a field.
CHANGE = b"""
local verb, lasting, idle, kinds, field = ARGV[1], ARGV[2], ARGV[3], ARGV[4], ARGV[5]
local changed, lives = 0, 5
if field ~= '' then lives = 5 + #KEYS end
for i, key in ipairs(KEYS) do
  local due = lasting == '' or redis.call('PTTL', key) == -1
  if due and idle ~= '' then
    local seconds = redis.call('OBJECT', 'IDLETIME', key)
    due = seconds and seconds >= tonumber(idle)
  end
  if due and (kinds ~= '' or field ~= '') then
    local kind = redis.call('TYPE', key).ok
    due = kinds == '' or string.find(kinds, ' ' .. kind .. ' ', 1, true)
    if due and field ~= '' then
      local value = false
      if kind == 'hash' then value = redis.call('HGET', key, field)
      elseif kind == 'string' then value = redis.call('GETRANGE', key, 0, %d) end
      due = value and redis.sha1hex(value) == ARGV[5 + i]
    end
  end
  if due then
    if verb == 'expire' then changed = changed + redis.call('PEXPIRE', key, ARGV[lives + i])
    elseif verb == 'unlink' then changed = changed + redis.call('UNLINK', key)
    else changed = changed + 1 end
  end
end
return changed
""" % (LONGEST_VALUE - 1)


def proof(value: bytes | None) -> bytes:
    """Return the digest by which the script knows that a value is still what was read."""
    return b"" if value is None else sha1(value, usedforsecurity=False).hexdigest().encode()


def evaluation(rule: Rule, keys: Sequence[bytes], proofs: Sequence[bytes] = (), only_count: bool = False) -> list[Any]:
    """Return the EVAL command that changes those of the keys for which the rule still holds, and returns their number.

    :param proofs: what is known of the field of each key, where the rule has one.
    :param only_count: whether to change none of them.
    """
    arguments: list[Any] = [
        b"count" if only_count else rule.action,
        b"1" if rule.lasting else b"",
        b"" if rule.idle is None else math.ceil(rule.idle),
        b" %b " % b" ".join(rule.types) if rule.types else b"",
        rule.field or b"",
    ]
    lives = [b"%d" % life_of(rule, key) for key in keys] if rule.action == EXPIRE and not only_count else []
    return [b"EVAL", CHANGE, len(keys), *keys, *arguments, *proofs, *lives]
