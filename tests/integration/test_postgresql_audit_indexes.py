# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""postgresql_audit_info's checks of indexes, against a real server."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from ansible_collections.dataops.upkeep.plugins.module_utils._postgresql.client import PostgresqlClient
from tests.integration.health import pairs
from tests.integration.postgresql_audit import Audit
from tests.integration.postgresql_health import found, session
from tests.stack.endpoint import Endpoint

CHECKS = ("indexes", "missing_indexes")
AT_ONCE = {"unused_after": "0s", "min_size": "0"}


@pytest.fixture
def audit(fresh_postgresql_database: Endpoint, tmp_path: Path) -> Audit:
    return Audit(fresh_postgresql_database, tmp_path / "state")


def test_what_another_index_replaces(audit: Audit) -> None:
    with session(
        audit.endpoint,
        "CREATE TABLE t (a int, b text, c text, p int4range)",
        "CREATE INDEX first ON t (a, b)",
        "CREATE INDEX equal ON t USING btree (a, b)",
        "CREATE INDEX beginning ON t (a)",
        "CREATE INDEX backwards ON t (a DESC)",
        "CREATE INDEX other_order ON t (a, b DESC)",
        "CREATE INDEX other_class ON t (b text_pattern_ops)",
        'CREATE INDEX other_collation ON t (b COLLATE "C", a)',
        "CREATE INDEX partial ON t (a) WHERE b = 'x'",
        "CREATE INDEX same_partial ON t (a) WHERE (b = 'x'::text)",
        "CREATE INDEX carrying ON t (c) INCLUDE (a)",
        "CREATE INDEX carrying_less ON t (c)",
        "CREATE INDEX expression ON t (lower(c), a)",
        "CREATE INDEX expression_alone ON t (lower(c))",
        "CREATE INDEX expression_else ON t (upper(c))",
        "CREATE UNIQUE INDEX keeps_unique ON t (b)",
        "CREATE INDEX plain ON t (b)",
        "CREATE INDEX hash ON t USING hash (a)",
        "CREATE INDEX same_hash ON t USING hash (a)",
        "CREATE INDEX ranges ON t USING gist (p)",
        "CREATE INDEX same_ranges ON t USING gist (p)",
    ):
        result = audit.run("indexes")
    named = {
        finding["subject"].rpartition(".")[2]: (finding["id"], finding["remedy"].rpartition("public.")[2].split()[0])
        for finding in result["findings"]
    }
    assert named == {
        "equal": ("postgresql.duplicate_index", "first"),
        "beginning": ("postgresql.redundant_index", "first"),
        "backwards": ("postgresql.redundant_index", "first"),
        "same_partial": ("postgresql.duplicate_index", "partial"),
        "plain": ("postgresql.duplicate_index", "keeps_unique"),
        "carrying_less": ("postgresql.redundant_index", "carrying"),
        "expression_alone": ("postgresql.redundant_index", "expression"),
        "same_hash": ("postgresql.duplicate_index", "hash"),
        "same_ranges": ("postgresql.duplicate_index", "ranges"),
    }


def test_an_invalid_index_and_that_of_a_partitioned_table(audit: Audit) -> None:
    with session(
        audit.endpoint,
        "CREATE TABLE t (a int)",
        "INSERT INTO t VALUES (1), (1)",
        "CREATE TABLE p (a int) PARTITION BY LIST (a)",
        "CREATE TABLE p1 PARTITION OF p FOR VALUES IN (1)",
        "CREATE INDEX waiting ON ONLY p (a)",
    ) as opened:
        with pytest.raises(Exception, match="could not create unique"):
            opened.execute("CREATE UNIQUE INDEX CONCURRENTLY carcass ON t (a)")
        result = audit.run("indexes")
    assert pairs(result) == [("postgresql.invalid_index", "warning")]
    assert found(result, "postgresql.invalid_index")["subject"].endswith("public.carcass")
    assert result["metrics"]["postgresql_indexes_invalid"] == 1


def test_an_unused_index_is_known_from_earlier_runs(audit: Audit) -> None:
    with session(
        audit.endpoint,
        "CREATE TABLE t (a int, b text)",
        "INSERT INTO t SELECT n, n::text FROM generate_series(1, 100) AS n",
        "CREATE INDEX unused ON t (lower(b))",
        "CREATE INDEX used ON t (a)",
        "SET enable_seqscan = off",
        "SELECT FROM t WHERE a = 1",
        "SELECT pg_stat_force_next_flush()",
        "SELECT 1",
    ):
        options = {"unused_after": "1s", "min_size": "0"}
        first = audit.run("indexes", options=options)
        assert pairs(first) == []
        assert first["metrics"]["postgresql_indexes_unused_undecided"] == 1
        with session(audit.endpoint, "SELECT pg_sleep(1.1)"):
            result = audit.run("indexes", options=options)
    (finding,) = result["findings"]
    assert finding["id"] == "postgresql.unused_index"
    assert "statistics of its expressions go with it" in finding["message"]
    assert "CREATE INDEX unused ON public.t USING btree (lower(b))" in finding["remedy"]
    assert pairs(audit.run("indexes", options={**options, "min_size": "1MB"})) == []


def test_foreign_keys_that_no_index_serves(audit: Audit) -> None:
    with session(
        audit.endpoint,
        "CREATE TABLE parent (a int, b int, PRIMARY KEY (a, b))",
        "CREATE TABLE served (x int, y int, z int, FOREIGN KEY (x, y) REFERENCES parent)",
        "CREATE INDEX ON served (y, x, z)",
        "CREATE TABLE partly (x int, y int, FOREIGN KEY (x, y) REFERENCES parent)",
        "CREATE INDEX ON partly (x)",
        "CREATE TABLE not_null (x int, y int, FOREIGN KEY (x, y) REFERENCES parent)",
        "CREATE INDEX ON not_null (x, y) WHERE x IS NOT NULL",
        "CREATE TABLE few (x int, y int, FOREIGN KEY (x, y) REFERENCES parent)",
        "CREATE INDEX ON few (x, y) WHERE x > 5",
        "CREATE TABLE parted (x int, y int, FOREIGN KEY (x, y) REFERENCES parent) PARTITION BY LIST (x)",
        "CREATE TABLE parted_1 PARTITION OF parted FOR VALUES IN (1)",
        "INSERT INTO parent SELECT 1, n FROM generate_series(1, 2000) AS n",
        *(f"INSERT INTO {t} SELECT 1, n FROM generate_series(1, 2000) AS n" for t in ("partly", "few", "parted")),
        "ANALYZE",
    ):
        result = audit.run("missing_indexes")
    tables = {finding["subject"].rpartition(".")[2]: finding["id"] for finding in result["findings"]}
    assert tables == dict.fromkeys(("partly", "few", "parted"), "postgresql.foreign_key_without_index")


def test_a_large_table_that_is_read_whole(audit: Audit) -> None:
    with session(
        audit.endpoint,
        "CREATE TABLE t (a int)",
        "INSERT INTO t SELECT generate_series(1, 20000)",
        *["SELECT count(*) FROM t WHERE a = 5"] * 12,
        "SELECT pg_stat_force_next_flush()",
        "SELECT 1",
    ) as opened:
        result = audit.run("missing_indexes")
        finding = found(result, "postgresql.missing_index")
        assert finding["value"] == 0
        assert "12 scans read it from the beginning, 20000 of its 20000 rows each time" in finding["message"]
        assert pairs(audit.run("missing_indexes")) == [], "nothing has read it since"
        opened.execute("SELECT count(*) FROM t")
        assert pairs(audit.run("missing_indexes")) == []
    assert pairs(audit.run("missing_indexes", sequential_rows=50_000)) == []


def test_what_both_checks_need_is_read_once(audit: Audit, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    rows = PostgresqlClient.rows

    def noting(client: PostgresqlClient, tried: str, *arguments: Any) -> list[Any]:
        asked.append(tried)
        return rows(client, tried, *arguments)

    monkeypatch.setattr(PostgresqlClient, "rows", noting)
    with session(audit.endpoint, "CREATE TABLE t (a int)", "CREATE INDEX ON t (a)") as opened:
        assert audit.run(*CHECKS)["metrics"]["postgresql_indexes"] == 1
        assert [asked.count(what) for what in ("read the indexes", "read the foreign keys")] == [1, 1]
        opened.execute("CREATE INDEX ON t (a)")
        assert audit.run(*CHECKS)["metrics"]["postgresql_indexes"] == 2, "the next run reads anew"
        assert audit.run("missing_indexes")["status"] == "ok"
