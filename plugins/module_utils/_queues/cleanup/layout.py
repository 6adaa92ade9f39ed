# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Where a queue's library looks for jobs, so far as it matters for putting one there. Pure.

Source: the maintenance study 1.4, held against the libraries themselves by the integration tests.
"""

from __future__ import annotations

from binascii import crc_hqx

from ..._redis.wire import raw
from ..observations import Flavour, Queue

__all__ = ["BULL", "EITHER", "FOURTH", "WITH_MARKER", "layout_of", "letters_layout", "same_slot", "unclear"]

BULL, FOURTH, FIFTH, SIXTH = "bull", "4", "5", "6"
EITHER = "5+"
"""BullMQ 5 or 6, which are alike as long as the queue is not paused."""

WITH_MARKER = (FIFTH, SIXTH, EITHER)
_LAYOUTS = {"bull": BULL, "bullmq4": FOURTH, "bullmq5": FIFTH, "bullmq6": SIXTH, "bullmq5+": EITHER}
SLOTS = 16_384
"""Hash slots of a cluster. Source: https://redis.io/docs/latest/operate/oss_and_stack/reference/cluster-spec/"""


def layout_of(flavour: Flavour) -> str | None:
    """Return the layout of a library; None: it cannot be told, or is not known."""
    return _LAYOUTS.get(flavour.name)


def unclear(layout: str | None, queue: Queue) -> str:
    """Say why a job cannot be put into a queue; empty: it can."""
    if layout is None and queue.flavour.version:
        return f"version {queue.flavour.version} of the library that keeps it is none that is known here"
    if layout is None:
        return f"which library keeps it cannot be told ({queue.flavour.evidence})"
    if layout == EITHER and queue.paused:
        return (
            "it is paused, and whether BullMQ 5 or 6 keeps it, which leave waiting jobs in two places, cannot be told"
        )
    return ""


def letters_layout(source: Flavour, letters: Queue | None) -> str | None:
    """Return the layout of the queue that takes dead letters.

    One that is there keeps its own if that can be told; one that is not is made as the source is.

    :return: None: the two are kept by two libraries, or neither can be told.
    """
    mine = layout_of(source)
    if letters is None or letters.flavour.name == "unknown":
        return mine
    theirs = layout_of(letters.flavour)
    if theirs is None:  # a queue of BullMQ that no job of has failed yet
        return mine if source.name.startswith("bullmq") and letters.flavour.name.startswith("bullmq") else None
    return theirs if mine is None or (mine == BULL) == (theirs == BULL) else None


def same_slot(one: str, other: str) -> bool:
    """Whether two keys lie on the same node of any cluster, so that one step can change both."""
    return _slot(one) == _slot(other)


def _slot(key: str) -> int:
    """CRC16 (XMODEM) of what stands in the first braces, if anything does, else of the whole key."""
    name = raw(key)
    start = name.find(b"{")
    end = name.find(b"}", start + 1)
    if start >= 0 and end > start + 1:
        name = name[start + 1 : end]
    return crc_hqx(name, 0) % SLOTS
