# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What could not be looked at is said."""

from __future__ import annotations

from ansible_collections.dataops.upkeep.plugins.module_utils._postgresql.locked import LockedTable, locked_findings


def locked(number: int) -> LockedTable:
    """A table that process 70 and so on has locked."""
    return LockedTable(number, "app", f"t{number}", 70 + number, 10, [])


def test_nothing_is_locked() -> None:
    assert locked_findings([], "db") == []


def test_tables_are_named_and_counted() -> None:
    (finding,) = locked_findings([locked(number) for number in range(7)], "db")
    assert (finding.id, finding.severity.value, finding.value) == ("postgresql.table_locked", "warning", 7)
    assert "app.t0 (process 70), app.t1 (process 71)" in finding.message
    assert "app.t4 (process 74) and 2 more" in finding.message
    (finding,) = locked_findings([locked(number) for number in range(5)], "db")
    assert "more" not in finding.message
