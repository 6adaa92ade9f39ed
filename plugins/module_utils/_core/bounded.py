# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Calls that the system offers no time limit for, such as a name look-up or a question to a dead file server."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TypeVar

from .errors import StoreTimeout
from .units import format_duration

__all__ = ["bounded"]

Answer = TypeVar("Answer")


def bounded(work: Callable[[], Answer], seconds: float, tried: str) -> Answer:
    """Return what ``work`` returns, or raise what it raises, if it ends in time.

    Work that does not end is left behind in a daemon thread, which ends with the process; it must change nothing.

    :param tried: what the work does, for the error.
    :raises StoreTimeout: it did not end in time.
    """
    answers: list[Answer] = []
    errors: list[BaseException] = []

    def run() -> None:
        try:
            answers.append(work())
        except BaseException as error:  # noqa: BLE001 - it is raised again below, in the caller's thread
            errors.append(error)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    thread.join(seconds)
    if errors:
        raise errors[0]
    if not answers:
        raise StoreTimeout(tried, f"no answer within {format_duration(seconds)}")
    return answers[0]
