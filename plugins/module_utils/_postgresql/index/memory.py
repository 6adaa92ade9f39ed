# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Keeps the ledger of index scans in the memory between runs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..._core.errors import StateError
from ..._core.runner import Context
from .ledger import ledger_key, updated, with_drop
from .observation import Index, Indexes

__all__ = ["keep_ledger", "note_drop", "with_ledger"]

ATTEMPTS = 5
"""How often to write again what another run has overtaken."""


def with_ledger(context: Context, seen: Indexes) -> Indexes:
    """Return what was seen with what earlier runs noted; nothing if it cannot be read, which keeps every index.

    Writing it after the run fails for the same reason, and that is reported.
    """
    try:
        return seen._replace(ledger=context.memory.read(ledger_key(seen))[0] or {})
    except StateError:
        return seen


def keep_ledger(seen: Indexes, context: Context) -> None:
    """Note what this run saw, beside what other runs noted.

    :raises StateError: the memory cannot be read or written.
    """
    _change(seen, context, lambda ledger: updated(seen, ledger))


def note_drop(seen: Indexes, context: Context, index: Index) -> None:
    """Note that an index is about to be dropped, so that the next run finishes what a killed one began.

    :raises StateError: the memory cannot be read or written.
    """
    _change(seen, context, lambda ledger: with_drop(ledger, index))


def _change(seen: Indexes, context: Context, change: Callable[[dict[str, Any]], dict[str, Any]]) -> None:
    key = ledger_key(seen)
    for _attempt in range(ATTEMPTS):
        document, version = context.memory.read(key)
        if context.memory.compare_and_set(key, change(document or {}), version):
            return
