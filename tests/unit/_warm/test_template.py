# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Templates hold fields and paths of a row, and nothing else of it."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.dataops.upkeep.plugins.module_utils._core.errors import InvalidInput
from ansible_collections.dataops.upkeep.plugins.module_utils._warm.template import MISSING, lookup, parse_template

ROW = {"id": 7, "a": {"b": {"c": "deep"}}, "a.x": "dotted", "first name": "Ann", "list": [1]}


def render(text: str, row: Any = None) -> str:
    return parse_template(text, "key").render(
        ROW if row is None else row, lambda value: "MISSING" if value is MISSING else str(value)
    )


@pytest.mark.parametrize(
    ("text", "rendered"),
    [
        ("user:{id}", "user:7"),
        ("{id}{id}", "77"),
        ("{a.b.c}", "deep"),
        ("{a.x}", "dotted"),
        ("{first name}", "Ann"),
        ("{{id}}", "{id}"),
        ("{{{id}}}", "{7}"),
        ("no field", "no field"),
        ("{nothing}:{a.b.d}:{a.b.c.d}:{id.real}:{list.0}", "MISSING:MISSING:MISSING:MISSING:MISSING"),
    ],
)
def test_places_hold_fields_and_paths(text: str, rendered: str) -> None:
    assert render(text) == rendered


@pytest.mark.parametrize(
    "text", ["{", "}", "{id", "id}", "{}", "{id!r}", "{id:>10}", "{a[b]}", "{a.}", "{.a}", "{a..b}", "{ id}", "{f()}"]
)
def test_what_is_no_place_is_refused(text: str) -> None:
    with pytest.raises(InvalidInput, match="key"):
        parse_template(text, "key")


def test_attributes_are_out_of_reach() -> None:
    class Secretive(dict[str, Any]):
        secret = "s3cret"

    assert render("{secret}:{a.__class__}", Secretive(a=Secretive())) == "MISSING:MISSING"


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_any_text_can_be_written_with_doubled_braces(text: str) -> None:
    assert render(text.replace("{", "{{").replace("}", "}}")) == text


@given(
    st.text(st.characters(exclude_characters="{}!:[]().\0", exclude_categories=["Z", "C"]), min_size=1), st.integers()
)
def test_any_name_of_a_field_is_found(name: str, value: int) -> None:
    assert render(f"<{{{name}}}>", {name: value}) == f"<{value}>"


def test_null_is_there_and_nothing_is_not() -> None:
    assert lookup({"a": None}, ("a",)) is None
    assert lookup({"a": None}, ("a", "b")) is MISSING
    assert lookup({}, ("a",)) is MISSING
