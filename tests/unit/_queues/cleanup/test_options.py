# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The options of queue_cleanup."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import Any

import pytest

from ansible_collections.dataops.upkeep.plugins.module_utils._core.errors import InvalidInput
from ansible_collections.dataops.upkeep.plugins.module_utils._core.units import Age
from ansible_collections.dataops.upkeep.plugins.module_utils._queues.cleanup.options import (
    Options,
    milliseconds_before,
    parse_options,
)
from tests.integration.queue_cleanup import DEFAULTS, RETRY


def parsed(**params: Any) -> Options:
    return parse_options({**DEFAULTS, **params})


def test_nothing_is_removed_by_age_without_an_age() -> None:
    options = parsed()
    assert (options.cleanings, options.retry, options.orphans, options.max_changes) == ([], None, None, None)
    assert options.ghosts
    assert options.trim_events


def test_each_state_has_its_age() -> None:
    options = parsed(completed_older_than="24h", failed_older_than=" 7d ", orphans=True, queues=["a", "b", "a"])
    assert [(one.state, one.older_than.seconds, one.written) for one in options.cleanings] == [
        ("completed", 86_400, "24h"),
        ("failed", 7 * 86_400, "7d"),
    ]
    assert options.orphans == Age(0, 86_400)
    assert options.queues == ["a", "b"]


@pytest.mark.parametrize(("size", "used"), [(1, 1), (1000, 1000), (1001, 1000)])
def test_a_batch_has_a_largest_size(size: int, used: int) -> None:
    assert parsed(batch_size=size).batch_size == used


@pytest.mark.parametrize(
    ("params", "option"),
    [
        ({"completed_older_than": "soon"}, "completed_older_than"),
        ({"completed_older_than": "24"}, "completed_older_than"),
        ({"failed_older_than": "0s"}, "failed_older_than"),
        ({"orphans": True, "orphans_older_than": "0d"}, "orphans_older_than"),
        ({"keep_last": -1}, "keep_last"),
        ({"max_changes": -1}, "max_changes"),
        ({"batch_size": 0}, "batch_size"),
        ({"prefix": ""}, "prefix"),
        ({"queues": ["a", ""]}, "queues"),
        ({"dead_letter": "dead"}, "dead_letter"),
        ({"dead_letter": "a", "queues": ["a"], "retry": RETRY}, "dead_letter"),
        ({"retry": {**RETRY, "otherwise": "dead_letter"}}, "retry.otherwise"),
        ({"retry": {**RETRY, "reasons": ["("]}}, "retry.reasons"),
        ({"retry": {**RETRY, "reasons": [""]}}, "retry.reasons"),
        ({"retry": {**RETRY, "max_attempts": 0}}, "retry.max_attempts"),
    ],
)
def test_what_cannot_be_understood_names_its_option(params: dict[str, Any], option: str) -> None:
    with pytest.raises(InvalidInput, match=option):
        parsed(**params)


@pytest.mark.parametrize("option", ["keep_last", "max_changes"])
def test_nothing_at_all_is_a_limit(option: str) -> None:
    assert getattr(parsed(**{option: 0}), option) == 0


@pytest.mark.parametrize(
    ("otherwise", "dead_letter", "wanted"),
    [(None, None, "keep"), (None, "dead", "dead_letter"), ("remove", "dead", "remove"), ("keep", "dead", "keep")],
)
def test_what_is_not_tried_again(otherwise: str | None, dead_letter: str | None, wanted: str) -> None:
    options = parsed(retry={**RETRY, "otherwise": otherwise}, dead_letter=dead_letter)
    assert options.retry is not None
    assert options.retry.otherwise == wanted


def test_a_moment_is_in_milliseconds() -> None:
    now = datetime(2026, 3, 31, tzinfo=timezone.utc)
    assert milliseconds_before(Age(0, 1.5), now) == now.timestamp() * 1000 - 1500
    assert milliseconds_before(Age(1, 0), now) == datetime(2026, 2, 28, tzinfo=timezone.utc).timestamp() * 1000
