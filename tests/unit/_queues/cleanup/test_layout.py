# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where a queue's library looks for jobs, and whether two keys lie together in a cluster."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from redis.crc import key_slot

from ansible_collections.dataops.upkeep.plugins.module_utils._queues.cleanup.layout import (
    layout_of,
    letters_layout,
    same_slot,
    unclear,
)
from ansible_collections.dataops.upkeep.plugins.module_utils._queues.observations import Flavour, Queue


def queue(flavour: str, paused: bool = False) -> Queue:
    return Queue("q", Flavour(flavour, None, "a trace"), {}, paused, 0, 10_000, 0, 3600.0)


@pytest.mark.parametrize(
    ("flavour", "layout"),
    [
        ("bull", "bull"),
        ("bullmq4", "4"),
        ("bullmq5", "5"),
        ("bullmq6", "6"),
        ("bullmq5+", "5+"),
        ("bullmq", None),
        ("bullmq7", None),
        ("unknown", None),
    ],
)
def test_the_layout_of_each_library(flavour: str, layout: str | None) -> None:
    assert layout_of(Flavour(flavour, None, "")) == layout
    assert bool(unclear(layout, queue(flavour))) == (layout is None)
    assert bool(unclear(layout, queue(flavour, paused=True))) == (layout in (None, "5+"))


@pytest.mark.parametrize(
    ("source", "letters", "layout"),
    [
        ("bull", None, "bull"),
        ("bullmq5+", None, "5+"),
        ("unknown", None, None),
        ("bull", "unknown", "bull"),
        ("bullmq6", "unknown", "6"),
        ("bullmq4", "bullmq6", "6"),
        ("bullmq4", "bullmq", "4"),
        ("bull", "bull", "bull"),
        ("bull", "bullmq6", None),
        ("bull", "bullmq", None),
        ("bullmq6", "bull", None),
        ("unknown", "bullmq5", "5"),
        ("unknown", "bullmq", None),
        ("bullmq7", "bullmq", None),
    ],
)
def test_letters_go_to_a_queue_of_the_same_library(source: str, letters: str | None, layout: str | None) -> None:
    assert letters_layout(Flavour(source, None, ""), queue(letters) if letters else None) == layout


@given(one=st.text(alphabet="ab:{}é", max_size=12), other=st.text(alphabet="ab:{}é", max_size=12))
def test_slots_are_those_of_the_driver(one: str, other: str) -> None:
    assert same_slot(one, other) == (key_slot(one.encode()) == key_slot(other.encode()))


def test_a_tag_brings_keys_together() -> None:
    assert same_slot("{bull}:q:failed", "{bull}:dead:wait")
    assert not same_slot("bull:q:failed", "bull:dead:wait")
    assert not same_slot("bull:{q}:failed", "bull:{dead}:wait")
