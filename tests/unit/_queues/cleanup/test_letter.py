# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a dead letter looks like."""

from __future__ import annotations

import json

from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.dataops.upkeep.plugins.module_utils._queues.cleanup.letter import (
    fingerprint,
    letter_fields,
    letter_id,
    mark_of,
)

TEXT = st.text(st.characters(exclude_categories=()), max_size=20)


def test_an_id_has_no_colon_and_names_queue_job_and_failure() -> None:
    assert letter_id("mail", "17", "1700000000000") == "mail.17.1700000000000"
    assert letter_id("a:b", "repeat:x:1", "2") == "a.b.repeat.x.1.2"
    assert mark_of("bull:a:b:c", "2") != mark_of("bull:a:bc", "2"), "jobs whose letters have one id are told apart"


def test_json_is_kept_as_it_is_written() -> None:
    data = '{"big":12345678901234567890,"e":[],"n":1.0}'
    fields = letter_fields("mail", "1", ["call", data, '{"lifo":true}', '["at x"]', "gone", "5"], "2", "why", 9)
    assert f'"data":{data},' in fields["data"]
    assert json.loads(fields["data"]) == {
        "source": "mail",
        "id": "1",
        "name": "call",
        "data": json.loads(data),
        "opts": {"lifo": True},
        "failedReason": "gone",
        "stacktrace": ["at x"],
        "attemptsMade": 2,
        "finishedOn": 5,
        "why": "why",
    }
    assert (fields["name"], fields["timestamp"], json.loads(fields["opts"])) == ("call", "9", {"attempts": 1})


@given(st.lists(st.none() | TEXT, min_size=6, max_size=6), TEXT, TEXT, TEXT)
def test_anything_makes_a_letter(values: list[str | None], queue: str, id_: str, attempts: str) -> None:
    letter = json.loads(letter_fields(queue, id_, values, attempts, "why", 9)["data"])
    assert (letter["source"], letter["id"], letter["failedReason"]) == (queue, id_, values[4] or "")


def test_a_reason_is_known_by_its_digest() -> None:
    assert fingerprint("") == "da39a3ee5e6b4b0d3255bfef95601890afd80709"
    assert fingerprint("raw\udcff") != fingerprint("raw\udcfe")
