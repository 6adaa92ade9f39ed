# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Judging single keys, on both sides of every limit; and which keys no rule may touch."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.dataops.upkeep.plugins.module_utils._redis.cleanup.decide_keys import (
    LONGEST_VALUE,
    Verdict,
    judge,
    life_of,
)
from ansible_collections.dataops.upkeep.plugins.module_utils._redis.cleanup.observation import Facts
from ansible_collections.dataops.upkeep.plugins.module_utils._redis.cleanup.rule import Rule
from ansible_collections.dataops.upkeep.plugins.module_utils._redis.cleanup.spared import Spared

CUTOFF = 1_700_000_000.0
BY_NAME = Rule("r", b"a:*", "unlink")
NO_TTL = BY_NAME._replace(no_ttl=True)
IDLE = BY_NAME._replace(idle=3600.0)
FIELD = BY_NAME._replace(field=b"at", unit="auto")
HASHES = BY_NAME._replace(types=(b"hash",))
EXPIRE = BY_NAME._replace(action="expire", ttl=1000.0, jitter=0.1)


@pytest.mark.parametrize(
    ("rule", "facts", "verdict"),
    [
        (BY_NAME, Facts(), Verdict.DUE),
        (NO_TTL, Facts(ttl=-1), Verdict.DUE),
        (NO_TTL, Facts(ttl=1), Verdict.KEPT),
        (NO_TTL, Facts(ttl=-2), Verdict.KEPT),
        (EXPIRE, Facts(ttl=-1), Verdict.DUE),
        (EXPIRE, Facts(ttl=0), Verdict.KEPT),
        (IDLE, Facts(idle=3600), Verdict.DUE),
        (IDLE, Facts(idle=3599), Verdict.KEPT),
        (IDLE, Facts(idle=None), Verdict.KEPT),
        (HASHES, Facts(kind=b"hash"), Verdict.DUE),
        (HASHES, Facts(kind=b"string"), Verdict.KEPT),
        (HASHES, Facts(kind=b"none"), Verdict.KEPT),
        (NO_TTL._replace(idle=3600.0), Facts(ttl=-1, idle=3599), Verdict.KEPT),
        (NO_TTL._replace(idle=3600.0), Facts(ttl=-1, idle=3600), Verdict.DUE),
        (FIELD, Facts(kind=b"hash", value=b"1699999999.9"), Verdict.DUE),
        (FIELD, Facts(kind=b"hash", value=b"1700000000"), Verdict.KEPT),
        (FIELD, Facts(kind=b"hash", value=None), Verdict.UNREADABLE),
        (FIELD, Facts(kind=b"hash", value=b"soon"), Verdict.UNREADABLE),
        (FIELD, Facts(kind=b"string", value=b'{"at": 1699999999}'), Verdict.DUE),
        (FIELD, Facts(kind=b"string", value=b'{"at": 1700000000}'), Verdict.KEPT),
        (FIELD, Facts(kind=b"string", value=b"1699999999"), Verdict.UNREADABLE),
        (FIELD, Facts(kind=b"list"), Verdict.UNREADABLE),
        (FIELD, Facts(kind=b"none"), Verdict.KEPT),
    ],
)
def test_a_key_is_judged(rule: Rule, facts: Facts, verdict: Verdict) -> None:
    assert judge(rule, facts, CUTOFF) is verdict


@pytest.mark.parametrize(("length", "verdict"), [(LONGEST_VALUE - 1, Verdict.DUE), (LONGEST_VALUE, Verdict.UNREADABLE)])
def test_a_value_that_may_have_been_cut_is_not_judged(length: int, verdict: Verdict) -> None:
    bare = len(json.dumps({"at": 1600000000, "x": ""}))
    value = json.dumps({"at": 1600000000, "x": "y" * (length - bare)}).encode()
    assert len(value) == length
    assert judge(FIELD, Facts(kind=b"string", value=value), CUTOFF) is verdict


@given(st.binary(max_size=40))
def test_a_life_is_as_long_as_its_jitter_lets_it_be(key: bytes) -> None:
    assert 900_000 <= life_of(EXPIRE, key) <= 1_100_000
    assert life_of(EXPIRE, key) == life_of(EXPIRE, key)
    assert life_of(EXPIRE._replace(jitter=0.0), key) == 1_000_000


def test_lives_are_spread_evenly() -> None:
    lives = [life_of(EXPIRE, b"sess:%d" % number) for number in range(1000)]
    tenths = [sum(900_000 + tenth * 20_000 <= life < 920_000 + tenth * 20_000 for life in lives) for tenth in range(10)]
    assert min(tenths) > 60
    assert max(tenths) < 150


def test_keys_of_queues_of_ours_and_protected_ones_are_spared() -> None:
    spared = Spared([b"user:admin:*"])
    spared.queues.learn([b"bull:mail:wait", b"bull:mail:meta"])
    queue = [b"bull:mail:1", b"bull:mail:1:logs", b"bull:mail:repeat:x"]
    ours = [b"upkeep:lock:redis_cleanup", b"upkeep_state:document:x"]
    free = [b"user:1", b"bull:other", b"upkeeper:1"]
    assert spared.free([*queue, *ours, b"user:admin:1", *free, b"user:1"]) == free
