# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Keeps the ledger of index scans in the memory between runs."""

from __future__ import annotations

from ..._core.errors import StateError
from ..._core.runner import Context
from .ledger import ledger_key, updated
from .observation import Indexes

__all__ = ["keep_ledger", "with_ledger"]

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
    key = ledger_key(seen)
    for _attempt in range(ATTEMPTS):
        document, version = context.memory.read(key)
        if context.memory.compare_and_set(key, updated(seen, document or {}), version):
            return
