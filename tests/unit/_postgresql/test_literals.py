# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""No constant and no comment survives, every name does."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from ansible_collections.dataops.upkeep.plugins.module_utils._postgresql.literals import redacted, tokens


@pytest.mark.parametrize(
    ("sql", "shown"),
    [
        ("SELECT 1", "SELECT ?"),
        ("SELECT * FROM t WHERE a = 'x' AND b=-1.5e-10 OR c = $1", "SELECT * FROM t WHERE a = ? AND b=-? OR c = $1"),
        ("SELECT 'it''s', e'it\\'s', N'x', B'01', x'ff', U&'\\0041'", "SELECT ?, ?, ?, ?, ?, ?"),
        ("SELECT $$a'b$$, $tag$ $$ 'c' $tag$, 2", "SELECT ?, ?, ?"),
        ("SELECT a1, t2.c3, _4, f$5, é6 FROM t7", "SELECT a1, t2.c3, _4, f$5, é6 FROM t7"),
        ('SELECT "Order 1""x", u&"d\\0061t" FROM "a.b"', 'SELECT "Order 1""x", u&"d\\0061t" FROM "a.b"'),
        ("SELECT 0x1F, 1_000, .5, 5., 1..10, 12abc", "SELECT ?, ?, ?, ?, ?, ?"),
        ("SELECT a -- mail me@example.com\nFROM t", "SELECT a FROM t"),
        ("SELECT /* id=7 /* inner */ 'x' */ a", "SELECT a"),
        ("SELECT a /* never closed 'x", "SELECT a"),
        ("SELECT 'never closed, and b", "SELECT ?"),
        ("SELECT e'never \\' closed", "SELECT ?"),
        ("SELECT E'ends in \\", "SELECT ?"),
        ("SELECT $x$never closed", "SELECT ?"),
        ('SELECT "never closed', "SELECT ?"),
        ("SELECT 'a\\' OR name = 'secret'", "SELECT ?"),  # one string or two: a setting of the server says
        ("SELECT 'C:\\dir', b", "SELECT ?, b"),
        ("ALTER ROLE app PASSWORD 'x'", "ALTER ROLE app PASSWORD ?"),
        ("ALTER ROLE app SET app.tenant TO acme", "ALTER ROLE app SET app.tenant TO ?"),
        ("SET LOCAL app.user = alice, bob", "SET LOCAL app.user = ?"),
        ("set app.user to alice", "set app.user to ?"),
        ("/* trace */ SET app.user = alice", "SET app.user = ?"),
        ("UPDATE t SET a = b", "UPDATE t SET a = b"),
        ("", ""),
        ("  \n ", ""),
    ],
)
def test_what_is_shown(sql: str, shown: str) -> None:
    assert redacted(sql) == shown


@pytest.mark.parametrize("length", [10, 20])
def test_it_is_cut(length: int) -> None:
    text = redacted("SELECT " + "a, " * 100, length)
    assert len(text) == length
    assert text.endswith(" ...")
    assert redacted("SELECT abc", 10) == "SELECT abc"


SECRET = "Zq7"
INSIDE = st.text(alphabet=st.sampled_from("aB1 '\"\\$;/*-\n%é{}"), max_size=8)


@st.composite
def constants(draw: st.DrawFn) -> str:
    """One constant of any writing, with the secret in it."""
    inside = draw(INSIDE) + SECRET + draw(INSIDE)
    kind = draw(st.sampled_from(["plain", "escaped", "bare dollar", "tagged dollar", "comment", "line"]))
    if kind == "plain":
        return "'" + inside.replace("'", "''") + "'"
    if kind == "escaped":
        return "E'" + inside.replace("\\", "\\\\").replace("'", draw(st.sampled_from(["''", "\\'"]))) + "'"
    if kind == "bare dollar":
        return "$$" + inside.replace("$", "") + "$$"
    if kind == "tagged dollar":
        return "$tag$" + inside.replace("$", "") + "$ $$ $tag$"
    if kind == "comment":
        return "/*" + inside.replace("*", "").replace("/", "") + "*/"
    return "-- " + inside.replace("\n", "") + "\n"


NAMES = st.from_regex(r"[a-z_é][a-z0-9_$é]{0,5}", fullmatch=True).filter(
    lambda name: name not in ("e", "b", "x", "n", "u")
)


@given(st.lists(st.tuples(NAMES, constants()), min_size=1, max_size=6))
def test_no_constant_survives_whatever_stands_around_it(pieces: list[tuple[str, str]]) -> None:
    shown = redacted(" , ".join(f"{name} {constant}" for name, constant in pieces), 10_000)
    assert SECRET not in shown


@given(st.lists(st.tuples(NAMES, constants()), min_size=1, max_size=6))
def test_every_name_survives_unless_a_backslash_makes_the_rest_unknown(pieces: list[tuple[str, str]]) -> None:
    pieces = [
        (name, constant.replace("\\", "")) if constant[0] == "'" else (name, constant) for name, constant in pieces
    ]
    shown = redacted(" , ".join(f"{name} {constant}" for name, constant in pieces), 10_000)
    assert shown.replace("?", " ").replace(",", " ").split() == [name for name, _constant in pieces]


@given(st.text(alphabet=st.sampled_from("aeE1.$'\"\\/*-; \n"), max_size=30))
def test_every_text_is_taken_apart_to_its_end(sql: str) -> None:
    kept = [token.text for token in tokens(sql) if token.kind in ("parameter", "name", "mark")]
    assert all("'" not in text for text in kept if not text.endswith('"'))
    assert len(redacted(sql)) <= len(sql) + len(" ?")


@given(st.text(max_size=40))
@example("A\xa00")
@example("\xa00 1")
def test_what_is_redacted_stays_as_it_is(sql: str) -> None:
    once = redacted(sql, 10_000)
    assert redacted(once, 10_000) == once
