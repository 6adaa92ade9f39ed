# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Kinds of index as an operator meets them: what must not be dropped is not, and none is wrongly called superfluous.

Written from the documentation alone, beside the rule's own table in ``test_postgresql_index_rule.py``.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.integration.postgresql_audit import Audit
from tests.integration.postgresql_health import session
from tests.integration.postgresql_work import states
from tests.integration.test_postgresql_index import definitions, work
from tests.stack.endpoint import Endpoint

LONG = "ü" * 31 + "x"
"""63 bytes, the longest name there is."""
DROP = {"unused": "drop", "unused_after": "0s", "min_size": "0"}

STAYS: dict[str, str] = {
    "k_target": "CREATE TABLE k (a int, b int, t text); CREATE UNIQUE INDEX k_target ON k (a); "
    "INSERT INTO k VALUES (1, 1, 'x') ON CONFLICT (a) DO NOTHING",
    "k_partial_target": "CREATE UNIQUE INDEX k_partial_target ON k (b) WHERE t <> 'gone'",
    "k_expression_target": "CREATE UNIQUE INDEX k_expression_target ON k (lower(t))",
    "seen_refresh": "CREATE MATERIALIZED VIEW seen AS SELECT a FROM k; CREATE UNIQUE INDEX seen_refresh ON seen (a); "
    "REFRESH MATERIALIZED VIEW CONCURRENTLY seen",
    "pair_key": "CREATE TABLE pair (x int, y int, CONSTRAINT pair_key UNIQUE (x, y))",
    "turned_back": "CREATE TABLE turned (x int, y int, z int, FOREIGN KEY (x, y) REFERENCES pair (x, y)); "
    "CREATE INDEX turned_back ON turned (y, x)",
    "led_x": "CREATE TABLE led (x int, y int, z int, FOREIGN KEY (x, y) REFERENCES pair (x, y)); "
    "CREATE INDEX led_x ON led (x, z)",
    "some_x": "CREATE TABLE somewhat (x int REFERENCES k (a), z int); "
    "CREATE INDEX some_x ON somewhat (x) WHERE x IS NOT NULL",
    "by_hash": "CREATE TABLE hashed (x int REFERENCES k (a)); CREATE INDEX by_hash ON hashed USING hash (x)",
    "tree_parent": "CREATE TABLE tree (id int PRIMARY KEY, parent int REFERENCES tree); "
    "CREATE INDEX tree_parent ON tree (parent)",
    "tree_pkey": "",
    "late_key": "CREATE TABLE late (a int, CONSTRAINT late_key UNIQUE (a) DEFERRABLE INITIALLY DEFERRED)",
    "room_during_excl": "CREATE TABLE room (during tsrange, EXCLUDE USING gist (during WITH &&))",
    "null_once": "CREATE TABLE nulls (a int, b int); CREATE UNIQUE INDEX null_once ON nulls (a) NULLS NOT DISTINCT",
    "parted_a": "CREATE TABLE parted (a int, b int) PARTITION BY RANGE (a); "
    "CREATE TABLE parted_1 PARTITION OF parted FOR VALUES FROM (0) TO (9); CREATE INDEX parted_a ON parted (a)",
    "parted_1_a_idx": "",
    "parted_b": "CREATE INDEX parted_b ON ONLY parted (b)",
    "parted_1_b": "CREATE INDEX parted_1_b ON parted_1 (b); ALTER INDEX parted_b ATTACH PARTITION parted_1_b",
    "of_extension": "CREATE EXTENSION pgstattuple; CREATE TABLE theirs (a int); "
    "CREATE INDEX of_extension ON theirs (a); ALTER EXTENSION pgstattuple ADD TABLE theirs",
    "replica": "CREATE TABLE sent (a int NOT NULL); CREATE UNIQUE INDEX replica ON sent (a); "
    "ALTER TABLE sent REPLICA IDENTITY USING INDEX replica",
    "ordering": "CREATE TABLE ordered (a int); CREATE INDEX ordering ON ordered (a); CLUSTER ordered USING ordering",
    "referred": "CREATE TABLE aim (a int); CREATE UNIQUE INDEX referred ON aim (a); "
    "CREATE TABLE arrow (a int REFERENCES aim (a))",
    "unlogged_pkey": "CREATE UNLOGGED TABLE unlogged (id int PRIMARY KEY)",
    'Odd "Name"; --_pkey': 'CREATE TABLE "Odd ""Name""; --" (id int PRIMARY KEY)',
    LONG: f'CREATE TABLE lengthy (a int); CREATE UNIQUE INDEX "{LONG}" ON lengthy (a)',
    "was_used": "CREATE TABLE used (a int); CREATE INDEX was_used ON used (a); SET enable_seqscan = off; "
    "SELECT FROM used WHERE a = 1; RESET enable_seqscan",
}

GOES: dict[str, str] = {
    "plain": "CREATE TABLE p (a int, b int, t text, tags text[], during tsrange)",
    "hash_only": "CREATE INDEX hash_only ON p USING hash (a)",
    "gist_only": "CREATE INDEX gist_only ON p USING gist (during)",
    "gin_only": "CREATE INDEX gin_only ON p USING gin (tags)",
    "brin_only": "CREATE INDEX brin_only ON p USING brin (a)",
    "expression": "CREATE INDEX expression ON p (lower(t))",
    "partial": "CREATE INDEX partial ON p (a) WHERE b > 5",
    'Odd ".i"; DROP TABLE p; --': 'CREATE INDEX "Odd "".i""; DROP TABLE p; --" ON p (b)',
    "ö" * 31 + "x": f'CREATE INDEX "{"ö" * 31}x" ON p (b, a)',
    "unlogged_a": "CREATE UNLOGGED TABLE u (a int); CREATE INDEX unlogged_a ON u (a)",
    "own_of_part": "CREATE INDEX own_of_part ON parted_1 (b, a)",
}


def test_what_must_stay_stays_and_the_rest_goes(fresh_postgresql_database: Endpoint, tmp_path: Path) -> None:
    made = [*filter(None, STAYS.values()), *filter(None, GOES.values()), "CREATE INDEX plain ON p (t)"]
    with session(fresh_postgresql_database, *made, "SELECT pg_stat_force_next_flush()", "SELECT 1"):
        pass
    before = definitions(fresh_postgresql_database)
    assert set(before) >= {*STAYS, *GOES}
    planned = work(fresh_postgresql_database, **DROP, check=True, state=tmp_path)
    assert definitions(fresh_postgresql_database) == before
    result = work(fresh_postgresql_database, **DROP, state=tmp_path)
    assert {state for _kind, _subject, state in states(result)} == {"done"}, result["actions"]
    assert [a["statement"] for a in result["actions"]] == [a["statement"] for a in planned["actions"]]
    after = definitions(fresh_postgresql_database)
    assert set(before) - set(after) == set(GOES)
    again = work(fresh_postgresql_database, **DROP, state=tmp_path)
    assert (again["changed"], again["actions"]) == (False, [])
    with session(fresh_postgresql_database, *(action["undo"] for action in result["actions"])):
        assert definitions(fresh_postgresql_database) == before


PAIRS: tuple[tuple[str, str, str | None], ...] = (
    ("CREATE INDEX one ON d (t)", "CREATE INDEX two ON d (t text_pattern_ops)", None),
    ("CREATE INDEX one ON d (t)", 'CREATE INDEX two ON d (t COLLATE "C")', None),
    ("CREATE INDEX one ON d (a, b)", "CREATE INDEX two ON d (a, b DESC)", None),
    ("CREATE INDEX one ON d (a)", "CREATE INDEX two ON d (a NULLS FIRST)", None),
    ("CREATE INDEX one ON d (a)", "CREATE INDEX two ON d USING hash (a)", None),
    ("CREATE INDEX one ON d (a)", "CREATE INDEX two ON d USING brin (a)", None),
    ("CREATE INDEX one ON d (a)", "CREATE INDEX two ON d (a, b) WHERE b > 1", None),
    ("CREATE INDEX one ON d (a) WHERE b > 1", "CREATE INDEX two ON d (a) WHERE b > 2", None),
    ("CREATE INDEX one ON d (lower(t))", "CREATE INDEX two ON d (upper(t))", None),
    ("CREATE INDEX one ON d (b) INCLUDE (a)", "CREATE INDEX two ON d (b) INCLUDE (t)", None),
    ("CREATE UNIQUE INDEX one ON d (a)", "CREATE UNIQUE INDEX two ON d (a, b)", None),
    ("CREATE UNIQUE INDEX one ON d (a)", "CREATE UNIQUE INDEX two ON d (a) NULLS NOT DISTINCT", None),
    ("CREATE UNIQUE INDEX one ON d (a)", "CREATE UNIQUE INDEX two ON d (a) WHERE b > 1", None),
    ("CREATE UNIQUE INDEX one ON d (a)", "ALTER TABLE d ADD CONSTRAINT two UNIQUE (a) DEFERRABLE", None),
    ("ALTER TABLE d ADD CONSTRAINT one UNIQUE (a)", "ALTER TABLE d ADD CONSTRAINT two UNIQUE (a)", None),
    ("CREATE INDEX one ON d USING gin (tags)", "CREATE INDEX two ON d USING gin (tags, more)", None),
    (
        "CREATE INDEX one ON d USING gist (r)",
        "ALTER TABLE d ADD CONSTRAINT two EXCLUDE USING gist (r WITH &&)",
        None,
    ),
    # The younger one would go, were there not a foreign key that refers to it.
    (
        "CREATE UNIQUE INDEX two ON d (a)",
        "CREATE TABLE arrow (a int REFERENCES d (a)); CREATE UNIQUE INDEX one ON d (a)",
        "one",
    ),
    ("CREATE UNIQUE INDEX one ON d (a)", "ALTER TABLE d ADD PRIMARY KEY (a)", "one"),
    ("CREATE INDEX one ON d (a)", "CREATE UNIQUE INDEX two ON d (a)", "one"),
    ("CREATE INDEX one ON d (a)", "CREATE INDEX two ON d (a DESC)", "two"),
    ("CREATE INDEX one ON d (a)", "CREATE INDEX two ON d (a, b)", "one"),
    ("CREATE INDEX one ON d (a)", "CREATE INDEX two ON d (a) INCLUDE (t)", "one"),
    ("CREATE INDEX one ON d (t)", 'CREATE INDEX "two USING x" ON d (t, a)', "one"),
)  # fmt: skip


@pytest.mark.parametrize(("first", "second", "superfluous"), PAIRS)
def test_only_what_another_one_replaces_is_called_superfluous(
    fresh_postgresql18_database: Endpoint, first: str, second: str, superfluous: str | None
) -> None:
    table = "CREATE TABLE d (a int, b int, t text, tags text[], more text[], r int4range)"
    with session(fresh_postgresql18_database, table, first, second) as opened:
        findings: list[dict[str, Any]] = Audit(fresh_postgresql18_database).run("indexes")["findings"]
        named = [finding["subject"].rpartition(".")[2] for finding in findings]
        assert named == ([superfluous] if superfluous else [])
        for finding in findings:
            opened.execute(finding["remedy"].removeprefix("Run ").partition(";")[0])


def test_a_foreign_keys_target_is_not_dropped_though_declared_absent(fresh_postgresql18_database: Endpoint) -> None:
    with session(fresh_postgresql18_database, STAYS["referred"]):
        result = work(fresh_postgresql18_database, {"name": "referred", "table": "aim", "state": "absent"})
    assert [finding["id"] for finding in result["findings"]] == ["postgresql.index_not_droppable"]
    assert "arrow_a_fkey" in result["findings"][0]["message"]
