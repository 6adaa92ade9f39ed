# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Numbers as queues and their jobs hold them: anybody may have written anything there. Pure."""

from __future__ import annotations

import re
from typing import Any

__all__ = ["HIGHEST_PRIORITY", "number_of", "priority_of", "whole_of"]

LARGEST = 1e15
"""No moment, count or length is larger; and below it every whole number is exact, in JavaScript too."""

HIGHEST_PRIORITY = 2**31 - 1
"""The largest number that Bull takes as a priority; BullMQ takes 2**21."""

_WHOLE = re.compile("[0-9]{1,15}")


def number_of(value: Any) -> float | None:
    """Return a number; None where there is none, or none that can be reckoned with (``nan``, infinite)."""
    try:
        number = float(value)
    except (TypeError, ValueError, OverflowError):
        return None
    return number if abs(number) <= LARGEST else None


def whole_of(value: str | bytes | None) -> int | None:
    """Return a whole number from 0 on; None where the text is anything else."""
    text = value.decode("latin-1") if isinstance(value, bytes) else value
    return int(text) if text and _WHOLE.fullmatch(text) else None


def priority_of(value: Any) -> int:
    """Return a job's priority, 0 where it has none that its library would have taken."""
    number = number_of(value)
    return int(number) if number is not None and 1 <= number <= HIGHEST_PRIORITY else 0
