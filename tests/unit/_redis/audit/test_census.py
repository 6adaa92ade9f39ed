# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.dataops.upkeep.plugins.module_utils._redis.audit.census import (
    LARGEST,
    MOST_CHILDREN,
    MOST_GROUPS,
    Census,
    Detail,
)
from ansible_collections.dataops.upkeep.plugins.module_utils._redis.audit.observation import TTL_BOUNDS, Prefix
from ansible_collections.dataops.upkeep.plugins.module_utils._redis.audit.rules import parse_rules


def one(census: Census) -> Prefix:
    (prefix,) = census.prefixes()
    return prefix


def large(position: int, kind: str = "hash", elements: int = 5) -> Detail:
    return Detail(position, 1, kind, "hashtable", elements, None)


@pytest.mark.parametrize("bound", range(len(TTL_BOUNDS)))
def test_the_histogram_on_both_sides_of_each_bound(bound: int) -> None:
    census = Census()
    census.take([b"a:1", b"a:2"], [TTL_BOUNDS[bound] * 1000, TTL_BOUNDS[bound] * 1000 + 1], [10, 20])
    counts = [0] * (len(TTL_BOUNDS) + 1)
    counts[bound] = counts[bound + 1] = 1
    assert one(census).ttl_counts == tuple(counts)


def test_what_is_gone_is_not_counted() -> None:
    census = Census()
    details = [large(0), Detail(1, 1, "string", "raw", 9, 99)]
    census.take([b"a:1", b"a:2", b"a:3"], [-2, -1, 0], [0, 5000, 60], details)
    assert census.seen == 2
    prefix = one(census)
    assert (prefix.keys, prefix.size, prefix.lasting_keys, prefix.lasting_size) == (2, 5060, 1, 5000)
    assert [key.name for key in census.largest()[0]] == ["a:2"]


@given(
    st.lists(
        st.tuples(st.binary(max_size=30), st.integers(-1, 10**10), st.integers(1, 10**6)), min_size=1, max_size=300
    )
)
def test_no_key_is_lost_and_none_counted_twice(rows: list[tuple[bytes, int, int]]) -> None:
    census = Census(parse_rules([{"pattern": "*", "ttl": "required"}]))
    keys, ttls, sizes = zip(*rows, strict=True)
    census.take(keys, ttls, sizes)
    prefixes = census.prefixes()
    assert sum(prefix.keys for prefix in prefixes) == census.seen == len(rows)
    assert sum(prefix.size for prefix in prefixes) == sum(sizes)
    assert sum(prefix.lasting_keys for prefix in prefixes) == ttls.count(-1)
    assert sum(sum(prefix.ttl_counts) for prefix in prefixes) == len(rows) - ttls.count(-1)
    assert sum(prefix.ruled_keys for prefix in prefixes) == ttls.count(-1)
    assert len({prefix.name for prefix in prefixes}) == len(prefixes)


def letters(number: int) -> bytes:
    return bytes(97 + int(digit) for digit in str(number))


def test_words_that_turn_out_to_be_ids_are_one_group() -> None:
    census = Census()
    few = [b"page:%b:x" % letters(number) for number in range(MOST_CHILDREN - 1)]
    census.take(few, [-1] * len(few), [1] * len(few))
    assert len(census.prefixes()) == MOST_CHILDREN - 1
    many = Census()
    keys = [b"page:%b:x" % letters(number) for number in range(10 * MOST_CHILDREN)]
    many.take(keys, [-1] * len(keys), [1] * len(keys))
    assert [(prefix.name, prefix.keys) for prefix in many.prefixes()] == [("page:*", 10 * MOST_CHILDREN)]


def test_groups_are_bounded_whatever_the_names_are() -> None:
    census = Census()
    keys = [b":".join([letters(number % 97), letters(number % 89), letters(number), b"x"]) for number in range(20_000)]
    census.take(keys, [-1] * len(keys), [1] * len(keys))
    assert len(census.prefixes()) <= MOST_GROUPS + 1
    assert sum(prefix.keys for prefix in census.prefixes()) == 20_000


def test_the_largest_are_kept_by_bytes_and_by_elements() -> None:
    census = Census()
    for start in range(0, 2000, 200):
        keys = [b"k:%d" % number for number in range(start, start + 200)]
        sizes = [5000 + number for number in range(start, start + 200)]
        details = [large(number, elements=3000 - start - number) for number in range(200)]
        census.take(keys, [-1] * 200, sizes, details)
    by_size, by_elements = census.largest()
    assert [key.name for key in by_size] == [f"k:{number}" for number in range(1999, 1999 - LARGEST, -1)]
    assert [key.name for key in by_elements] == [f"k:{number}" for number in range(LARGEST)]


def test_a_key_that_comes_twice_is_one_of_the_largest_once() -> None:
    census = Census()
    for _time in range(2):
        census.take([b"k"], [-1], [5000], [large(0)])
    assert len(census.largest()[0]) == 1


def test_texts_are_no_collections() -> None:
    census = Census()
    census.take([b"text", b"list"], [-1, 5], [5000, 4000], [large(0, "string", 4900), large(1, "list", 7)])
    by_size, by_elements = census.largest()
    assert [(key.name, key.lasting) for key in by_size] == [("text", True), ("list", False)]
    assert [key.name for key in by_elements] == ["list"]


@pytest.mark.parametrize(("idle", "counted"), [(99, 0), (100, 8), (None, 0)])
def test_a_sampled_key_that_nobody_uses_stands_for_its_page(idle: int | None, counted: int) -> None:
    census = Census(idle_seconds=100)
    keys = [b"a:%d" % number for number in range(16)]
    census.take(keys, [-1] * 16, [10] * 16, [Detail(7, 8, "string", "embstr", None, idle)])
    assert (one(census).idle_keys, one(census).idle_size) == (counted, counted * 10)
    assert census.kinds == {("string", "embstr"): 8}


def test_what_rules_meet() -> None:
    rules = parse_rules([{"pattern": "r:*", "max_ttl": 300}, {"pattern": "*", "ttl": "optional"}])
    census = Census(rules)
    census.take([b"r:1", b"r:2", b"r:3", b"s:1"], [300_000, 300_001, -1, -1], [1] * 4)
    first, second = census.met()
    assert (first.keys, first.lasting, first.too_long, first.longest) == (3, 1, 1, 300.001)
    assert (second.keys, second.lasting, second.too_long) == (1, 1, 0)


def test_servers_are_added_up_by_what_each_sample_stands_for() -> None:
    rules = parse_rules([{"pattern": "a:*", "max_ttl": 1}])
    whole = Census(rules, 10)
    for factor, name in ((1, b"a:1"), (10, b"a:2")):
        census = Census(rules, 10)
        census.take([name, b"b:1"], [5000, -1], [100, 2000], [Detail(1, 1, "hash", "listpack", 4, 50)])
        whole.absorb(census, factor)
    prefixes = {prefix.name: prefix for prefix in whole.prefixes()}
    assert (prefixes["a:*"].keys, prefixes["a:*"].size) == (11, 1100)
    assert (prefixes["b:*"].lasting_keys, prefixes["b:*"].idle_keys) == (11, 11)
    assert whole.met()[0].too_long == 11
    assert whole.kinds == {("hash", "listpack"): 11}
    assert whole.seen == 4


def test_queues_are_known_by_their_keys() -> None:
    census = Census()
    names = ("mail:id", "mail:meta", "mail:17", "mail:17:lock", "q12:stalled-check", "q12:5")
    keys = [*(f"bull:{name}".encode() for name in names), b"other:mail:id", b"user:1"]
    census.take(keys, [-1] * len(keys), [2000] * len(keys), [large(number) for number in range(len(keys))])
    assert census.queues == 2
    assert {prefix.name for prefix in census.prefixes() if prefix.queue} == {
        "bull:mail:*",
        "bull:mail:*:lock",
        "bull:*",
    }
    assert {key.name for key in census.largest()[0] if not key.queue} == {"other:mail:id", "user:1"}


@given(
    st.lists(st.sampled_from(["user:%d", "user%d:cart", "response:%d", "%d", "a2:%d:b", "mail:%d:wait"]), min_size=1)
)
def test_pages_sum_up_to_what_one_page_holds(forms: list[str]) -> None:
    rules = parse_rules([{"pattern": "response:*", "max_ttl": 300}, {"pattern": "user*", "ttl": "required"}])
    keys = [(form % number).encode() for number, form in enumerate(forms * 50)]
    ttls = [(-1, -2, 299_000, 300_000, 300_001)[number % 5] for number in range(len(keys))]
    sizes = [50 + number % 7 for number in range(len(keys))]
    whole, parts = Census(rules), Census(rules)
    whole.take(keys, ttls, sizes)
    for at in range(0, len(keys), 7):
        parts.take(keys[at : at + 7], ttls[at : at + 7], sizes[at : at + 7])
    assert (parts.seen, parts.prefixes(), parts.met()) == (whole.seen, whole.prefixes(), whole.met())
    response = [ttl for key, ttl in zip(keys, ttls, strict=True) if key.startswith(b"response:") and ttl != -2]
    met = whole.met()[0]
    assert (met.keys, met.lasting, met.too_long) == (len(response), response.count(-1), response.count(300_001))


@pytest.mark.parametrize("pattern", ["shop:1:*", "shop:[1-2]:*", "shop:[^3]:*"])
def test_a_rule_that_tells_digits_apart(pattern: str) -> None:
    census = Census(parse_rules([{"pattern": pattern, "ttl": "required"}]))
    keys = [b"shop:3:x", b"shop:1:x", b"shop:3:x", b"shop:1:y"]
    census.take(keys, [-1] * 4, [50] * 4)
    assert [(met.keys, met.lasting) for met in census.met()] == [(2, 2)]


def test_words_with_a_digit_at_their_end_stay_apart() -> None:
    census = Census()
    census.take([b"oauth1:x:17", b"oauth2:x:17", b"oauth1:x:18"], [-1] * 3, [50] * 3)
    assert {prefix.name: prefix.keys for prefix in census.prefixes()} == {"oauth1:x:*": 2, "oauth2:x:*": 1}
