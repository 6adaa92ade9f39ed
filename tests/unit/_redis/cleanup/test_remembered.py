# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Names that were found come back as they were, and never half of them."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.dataops.upkeep.plugins.module_utils._redis.cleanup.remembered import Remembered

pages = st.lists(st.lists(st.binary(max_size=8), min_size=1, max_size=5), max_size=5)


@given(pages)
def test_names_come_back_whatever_bytes_they_are(given_pages: list[list[bytes]]) -> None:
    remembered = Remembered()
    for page in given_pages:
        remembered.add("r", 0, page)
        remembered.add("r", 1, [b"other"])
    assert list(remembered.pages("r", 0)) == given_pages
    assert not list(remembered.pages("s", 0))


def test_a_rule_with_too_many_is_forgotten_as_a_whole_and_leaves_room_for_others() -> None:
    remembered = Remembered(most_bytes=10)
    remembered.add("large", 0, [b"12345", b"6789"])
    assert remembered.knows("large")
    remembered.add("large", 1, [b"1"])
    assert not remembered.knows("large")
    assert not list(remembered.pages("large", 0))
    remembered.add("large", 0, [b"1"])
    assert not list(remembered.pages("large", 0))
    remembered.add("small", 0, [b"12345", b"6789"])
    assert remembered.knows("small")
    assert list(remembered.pages("small", 0)) == [[b"12345", b"6789"]]
