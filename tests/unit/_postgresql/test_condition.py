# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A user's condition stays within its parentheses, or is refused."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.dataops.upkeep.plugins.module_utils._core.errors import InvalidInput
from ansible_collections.dataops.upkeep.plugins.module_utils._postgresql.condition import enclosed


@pytest.mark.parametrize(
    "text",
    [
        "status = 'done'",
        "note = 'it''s; (' AND \"odd;( name\" IS NULL",
        r"note LIKE E'\';(%'",
        r"note = 'a\' OR note = 'b'",
        "note = $$;('$$ OR note = $x$ $$;( $x$",
        "id IN (SELECT id FROM app.old) AND (tags)[1] = 'a'",
        "a /* ( /* ; */ ' */ = 1",
        "price_$1 = 5",
        "kind <> 'x' AND data->>'a' ~ '^\\('",
    ],
)
def test_what_is_taken_as_it_is(text: str) -> None:
    assert enclosed(text, "where") == f"({text})"


def test_a_comment_ends_before_the_parenthesis() -> None:
    assert enclosed("true -- all of them )", "where") == "(\ntrue -- all of them )\n)"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "  ",
        "a\0b",
        "true; DELETE FROM events",
        "true) OR (true",
        "(true",
        "true)",
        "(a]",
        "kind = 'x",
        'kind = "x',
        r"note = E'\'",
        "note = E'a'\n'\\' OR note = 'b'",
        "note = e'a' -- x\n '\\'",
        "true /* OR",
        "true /* /* */",
        "note = $$x",
        "note = $a$x$b$",
        "kind = $1",
        "''' OR true; --",
    ],
)
def test_what_is_refused(text: str) -> None:
    with pytest.raises(InvalidInput):
        enclosed(text, "where")


@given(st.text(alphabet="'\"$()[];-/*\\ aE1\n", max_size=30))
def test_no_condition_gets_out(text: str) -> None:
    """What is taken is taken within another condition too: nothing in it closes what was opened before it."""
    try:
        once = enclosed(text, "where")
    except InvalidInput:
        return
    assert enclosed(f"{once} AND {once}", "where").endswith(f"{once} AND {once}" + ("\n)" if "--" in once else ")"))
