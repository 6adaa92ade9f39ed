# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Values of settings, in all the ways in which they can be written."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.dataops.upkeep.plugins.module_utils._postgresql.slow_log.values import (
    has_library,
    libraries,
    same,
)


@pytest.mark.parametrize(
    ("one", "two", "unit", "equal"),
    [
        ("1000", "1s", "ms", True),
        ("1000", " 1000 ms ", "ms", True),
        ("1500", "1.5s", "ms", True),
        ("60000", "1min", "ms", True),
        ("1000", "1", "ms", False),
        ("-1", "-1", "ms", True),
        ("1kB", "1024", "B", True),
        ("0.5", "5e-1", None, True),
        ("0.5", ".50", None, True),
        ("1", "1s", None, False),
        ("on", "ON ", None, True),
        ("auto", "off", None, False),
        ("", "", None, True),
    ],
)
def test_same(one: str, two: str, unit: str | None, equal: bool) -> None:
    assert same(one, two, unit) is equal
    assert same(two, one, unit) is equal


@pytest.mark.parametrize(
    ("value", "names"),
    [
        ("", []),
        ("  ", []),
        ("auto_explain", ["auto_explain"]),
        ("auto_explain,pg_cron , x", ["auto_explain", "pg_cron", "x"]),
        ('"$libdir/a b", "with ""quotes"", and comma"', ["$libdir/a b", 'with "quotes", and comma']),
        ('a "b"', ['a "b"']),
        ("/usr/lib/Has Space.so, b", ["/usr/lib/Has Space.so", "b"]),
    ],
)
def test_libraries(value: str, names: list[str]) -> None:
    assert libraries(value) == names


@pytest.mark.parametrize("value", ['"never closed', '"a" b', ",a", "a,,b"])
def test_what_the_server_could_not_read(value: str) -> None:
    with pytest.raises(ValueError, match="no list of libraries"):
        libraries(value)


NAMES = st.text(st.characters(blacklist_categories=["Cs", "Cc"]), min_size=1, max_size=10)


@given(st.lists(NAMES, max_size=5))
def test_quoted_names_come_back(names: list[str]) -> None:
    quoted = ", ".join('"' + name.replace('"', '""') + '"' for name in names)
    assert libraries(quoted) == names


@pytest.mark.parametrize(
    ("names", "there"),
    [
        (["pg_stat_statements"], True),
        (["a", "$libdir/pg_stat_statements"], True),
        (["/usr/lib/pg_stat_statements.so"], True),
        (["pg_stat_statements_more", "my_pg_stat_statements"], False),
        ([], False),
    ],
)
def test_has_library(names: list[str], there: bool) -> None:
    assert has_library(names) is there
