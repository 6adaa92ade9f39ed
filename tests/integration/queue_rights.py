# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The rights that queue_cleanup asks for."""

from __future__ import annotations

from tests.contract.catalogue import documentation


def documented() -> list[str]:
    """The rights that the module's notes ask for: what is always needed, and the two ways to change something."""
    (note,) = [note for note in documentation("queue_cleanup")[0]["notes"] if "The user needs" in note]
    return str(note.partition("The user needs C(")[2].partition(")")[0]).split()
