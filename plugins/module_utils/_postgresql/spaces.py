# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""How much disk is free where a server keeps its data, and how much rewriting something takes. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

__all__ = ["SPACE_FACTOR", "Spaces"]

SPACE_FACTOR = 1.1
"""Free disk that rewriting takes, in multiples of what is rewritten: the copy, and some for writes meanwhile."""


class Spaces(NamedTuple):
    """Free bytes where the server keeps its data.

    :param free: by tablespace oid, 0 for the database's own.
    :param unknown: why it is not known where it is not.
    """

    free: Mapping[int, int]
    unknown: str = ""
