# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Status, body and JSON of an answer against what is expected."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.dataops.upkeep.plugins.module_utils._http.decide_reply import decide_reply, same, value_at
from tests.unit._http.situations import endpoint, reply

DOCUMENT = {"status": "ok", "checks": {"database": {"status": "ok", "ms": 3}, "a.b": {"c": None}}, "items": [{"n": 1}]}


@pytest.mark.parametrize(("status", "expected"), [(200, None), (204, "status"), (503, "status"), (301, "status")])
def test_status(status: int, expected: str | None) -> None:
    failure = decide_reply(reply(status=status), endpoint())
    assert (failure and failure.condition) == expected


def test_several_statuses_are_in_order() -> None:
    assert decide_reply(reply(status=204), endpoint(expect_status=(200, 204))) is None


def test_the_failure_says_what_came_and_what_was_expected() -> None:
    failure = decide_reply(reply(status=503), endpoint(expect_status=(200, 204)))
    assert failure is not None
    assert (failure.why, failure.value, failure.threshold) == (
        "answered 503, expected is 200 or 204",
        503,
        "200 or 204",
    )


@pytest.mark.parametrize(("body", "expected"), [(b"all is well", None), (b"all is ill", "body"), (b"\xff\x00", "body")])
def test_body(body: bytes, expected: str | None) -> None:
    failure = decide_reply(reply(body), endpoint(expect_body=re.compile("well$")))
    assert (failure and failure.condition) == expected


@pytest.mark.parametrize(
    ("wanted", "failed"),
    [
        ({"status": "ok"}, None),
        ({"status": "ok", "checks.database.status": "ok", "checks.database.ms": 3}, None),
        ({"items.0.n": 1}, None),
        ({"items.1.n": 1}, "items.1.n is missing"),
        ({"checks.a.b.c": None}, None),
        ({"status": "error"}, 'status is "ok", expected is "error"'),
        ({"checks.cache": "ok"}, "checks.cache is missing"),
        ({"status.deeper": "ok"}, "status.deeper is missing"),
        ({"checks.database.ms": True}, "checks.database.ms is 3, expected is true"),
    ],
)
def test_json(wanted: dict[str, Any], failed: str | None) -> None:
    failure = decide_reply(reply(json.dumps(DOCUMENT).encode()), endpoint(expect_json=wanted))
    assert (failure is None) == (failed is None)
    assert failed is None or (failure and failure.condition == "json" and failed in failure.why)


@pytest.mark.parametrize("body", [b"", b"<html>", b"\xff\xfe", b'{"status": ', b"[" * 100_000])
def test_what_is_no_json(body: bytes) -> None:
    failure = decide_reply(reply(body), endpoint(expect_json={"status": "ok"}))
    assert failure
    assert failure.condition == "json"


def test_what_is_too_long_is_not_guessed_at() -> None:
    failure = decide_reply(reply(b'{"status": "ok"}')._replace(truncated=True), endpoint(expect_json={"status": "ok"}))
    assert failure
    assert "longer than 1 MiB" in failure.why


def test_long_values_are_shown_in_short() -> None:
    body = json.dumps({"status": "x" * 1000}).encode()
    failure = decide_reply(reply(body), endpoint(expect_json={"status": "ok"}))
    assert failure
    assert len(failure.why) < 200


@pytest.mark.parametrize(
    ("found", "expected", "equal"),
    [
        (True, True, True),
        (True, 1, False),
        (1, True, False),
        (1, 1.0, True),
        (1, "1", True),
        (True, "True", True),
        (False, "true", False),
        ("1", 1, False),
        (None, None, True),
        (None, "null", False),
        ([1], [1], True),
    ],
)
def test_equal_as_json_and_surveys_have_it(found: Any, expected: Any, equal: bool) -> None:
    assert same(found, expected) is equal


names = st.text("abc", min_size=1, max_size=3)
documents = st.recursive(
    st.integers() | st.none() | st.booleans() | names,
    lambda inner: st.dictionaries(names, inner, max_size=3) | st.lists(inner, max_size=3),
    max_leaves=10,
)


def leaves(document: Any, path: tuple[str, ...] = ()) -> list[tuple[tuple[str, ...], Any]]:
    if isinstance(document, dict):
        return [leaf for key, inner in document.items() for leaf in leaves(inner, (*path, key))]
    if isinstance(document, list):
        return [leaf for index, inner in enumerate(document) for leaf in leaves(inner, (*path, str(index)))]
    return [(path, document)]


@given(documents)
def test_every_leaf_is_found_by_its_path(document: Any) -> None:
    for path, value in leaves(document):
        assert value_at(document, path) == value
