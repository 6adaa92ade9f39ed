# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""postgresql_reindex: what is rebuilt and what is not, on real servers."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from psycopg import sql

from ansible_collections.dataops.upkeep.plugins.module_utils._core.errors import InvalidInput
from tests.integration.health import pairs
from tests.integration.postgresql_health import found
from tests.integration.postgresql_reindex import indexes, make_bloat, reindex, vacuum
from tests.integration.postgresql_work import states
from tests.integration.probe import probing
from tests.stack.endpoint import Endpoint
from tests.stack.servers.postgresql import connect

BLOATED = ["orders_customer", "orders_pkey", "orders_code"]
"""What ``make_bloat`` bloats, the smallest first."""


def oids(endpoint: Endpoint, table: str = "orders") -> dict[str, int]:
    return {name: oid for name, (oid, _usable, _size) in indexes(endpoint, table).items()}


def rebuilt(*names: str, state: str = "done") -> list[tuple[str, str, str]]:
    return [("reindex", f"public.{name}", state) for name in names]


def test_bloated_indexes_are_rebuilt_the_smallest_first_and_no_other(fresh_postgresql_database: Endpoint) -> None:
    make_bloat(fresh_postgresql_database)
    before = indexes(fresh_postgresql_database)
    planned = reindex(fresh_postgresql_database, check=True)
    assert states(planned) == rebuilt(*BLOATED, state="planned")
    assert indexes(fresh_postgresql_database) == before
    done = reindex(fresh_postgresql_database)
    assert states(done) == rebuilt(*BLOATED)
    assert [action["statement"] for action in done["actions"]] == [action["statement"] for action in planned["actions"]]
    assert "measured by pgstatindex" in done["actions"][0]["reason"]
    assert done["findings"] == []
    after = indexes(fresh_postgresql_database)
    for name in BLOATED:
        assert after[name][0] != before[name][0], "it is a new index"
        assert after[name][2] < before[name][2] / 2
    assert after["orders_fresh"] == before["orders_fresh"]
    assert all(usable for _oid, usable, _size in after.values())
    again = reindex(fresh_postgresql_database)
    assert not again["changed"]
    assert again["actions"] == []


def test_without_pgstattuple_bloat_is_estimated(fresh_postgresql_database: Endpoint) -> None:
    make_bloat(fresh_postgresql_database, measured=False)
    done = reindex(fresh_postgresql_database)
    assert states(done) == rebuilt(*BLOATED)
    assert all("estimated" in action["reason"] for action in done["actions"])
    assert not reindex(fresh_postgresql_database)["changed"]


def test_where_no_estimate_is_possible_the_size_per_row_that_it_once_had_tells(
    fresh_postgresql18_database: Endpoint, tmp_path: Path
) -> None:
    with connect(fresh_postgresql18_database) as session:
        session.execute("CREATE TABLE people (nick name) WITH (autovacuum_enabled = off)")
        session.execute("INSERT INTO people SELECT 'nick ' || i FROM generate_series(1, 40000) AS i")
        session.execute("CREATE INDEX people_nick ON people (nick)")
        vacuum(session, "people")
    assert reindex(fresh_postgresql18_database, state=tmp_path)["actions"] == []
    with connect(fresh_postgresql18_database) as session:
        session.execute("DELETE FROM people WHERE substr(nick::text, 6)::int % 3 <> 0")
        vacuum(session, "people")
    unknown = reindex(fresh_postgresql18_database)
    assert unknown["actions"] == []
    assert unknown["metrics"]["postgresql_indexes_unknown_total"] == 1
    asked = reindex(fresh_postgresql18_database, indexes=["people_nick"])
    assert states(asked) == rebuilt("people_nick", state="skipped")
    assert "the type name" in asked["actions"][0]["detail"]
    done = reindex(fresh_postgresql18_database, state=tmp_path)
    assert states(done) == rebuilt("people_nick")
    assert "3.0 times the bytes per row" in done["actions"][0]["reason"]
    assert not reindex(fresh_postgresql18_database, state=tmp_path)["changed"]


def test_what_a_rebuild_cannot_make_smaller_is_not_rebuilt_again(
    fresh_postgresql18_database: Endpoint, tmp_path: Path
) -> None:
    with connect(fresh_postgresql18_database) as session:
        session.execute("CREATE EXTENSION pgstattuple")
        session.execute("CREATE TABLE wide (key text STORAGE EXTERNAL) WITH (autovacuum_enabled = off)")
        session.execute("INSERT INTO wide SELECT repeat(md5(i::text), 80) FROM generate_series(1, 500) AS i")
        session.execute("ALTER TABLE wide ALTER key SET STORAGE EXTERNAL")
        session.execute("CREATE INDEX wide_key ON wide (key) WITH (fillfactor = 100)")
        vacuum(session, "wide")
    params = {"min_bloat_percent": 3, "state": tmp_path, "indexes": ["wide_key"]}
    first = reindex(fresh_postgresql18_database, **params)
    assert states(first) == rebuilt("wide_key")
    assert reindex(fresh_postgresql18_database, **{**params, "state": None})["changed"], "by its density it is bloated"
    assert not reindex(fresh_postgresql18_database, **params)["changed"]


def test_names_of_all_kinds(fresh_postgresql_database: Endpoint) -> None:
    table = "Tä\"ble; --'\\"
    make_bloat(fresh_postgresql_database, table)
    before = oids(fresh_postgresql_database, table)
    done = reindex(fresh_postgresql_database)
    assert [state for _kind, _subject, state in states(done)] == ["done"] * 3
    after = oids(fresh_postgresql_database, table)
    assert {name for name in before if before[name] == after[name]} == {f"{table}_fresh"}
    assert done["findings"] == []


@pytest.mark.parametrize(
    "name",
    [
        "orders_code; DROP TABLE orders",
        "orders_code'--",
        'orders_code" CASCADE; --',
        "/* */ orders_code",
        "x" * 64,
        "ordèrs\u0000",
        "",
        "a.b.c",
        "Örders_code",
    ],
)
@pytest.mark.parametrize("option", ["indexes", "tables"])
def test_what_is_no_name_is_refused(fresh_postgresql18_database: Endpoint, option: str, name: str) -> None:
    with connect(fresh_postgresql18_database) as session:
        session.execute("CREATE TABLE orders (code text); CREATE INDEX orders_code ON orders (code)")
    before = indexes(fresh_postgresql18_database)
    with pytest.raises(InvalidInput, match=option):
        reindex(fresh_postgresql18_database, **{option: [name]})
    assert indexes(fresh_postgresql18_database) == before


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("min_size", "large"),
        ("measure_max_size", "10 pounds"),
        ("min_bloat_percent", 100),
        ("min_bloat_percent", -1),
        ("max_changes", -1),
        ("retries", -1),
        ("wait_for_transactions", "long"),
        ("lock_timeout", "'; DROP TABLE x"),
    ],
)
def test_bad_input_is_refused_before_anything_is_done(postgresql18: Endpoint, option: str, value: object) -> None:
    with pytest.raises(InvalidInput, match=option):
        reindex(postgresql18, **{option: value})


def test_named_indexes_and_tables_narrow_the_choice(fresh_postgresql18_database: Endpoint) -> None:
    make_bloat(fresh_postgresql18_database)
    make_bloat(fresh_postgresql18_database, "other")
    done = reindex(fresh_postgresql18_database, indexes=["orders_pkey", "public.orders_fresh"])
    assert states(done) == rebuilt("orders_pkey")
    done = reindex(fresh_postgresql18_database, tables=["other"])
    assert {subject for _kind, subject, _state in states(done)} == {
        "public.other_pkey",
        "public.other_code",
        "public.other_customer",
    }


def test_the_parts_of_a_partitioned_index_are_rebuilt(fresh_postgresql18_database: Endpoint) -> None:
    with connect(fresh_postgresql18_database) as session:
        session.execute("CREATE EXTENSION pgstattuple")
        session.execute("CREATE TABLE logs (at int, line text) PARTITION BY RANGE (at)")
        session.execute("CREATE TABLE logs_1 PARTITION OF logs FOR VALUES FROM (0) TO (20000)")
        session.execute("CREATE TABLE logs_2 PARTITION OF logs FOR VALUES FROM (20000) TO (40000)")
        session.execute("CREATE INDEX logs_line ON logs (line)")
        session.execute("INSERT INTO logs SELECT i, md5(i::text) FROM generate_series(0, 39999) AS i")
        session.execute("DELETE FROM logs_1 WHERE at % 8 <> 0")
        vacuum(session, "logs")
    done = reindex(fresh_postgresql18_database, indexes=["logs_line"])
    assert states(done) == rebuilt("logs_1_line_idx")
    with connect(fresh_postgresql18_database) as session:
        parts = session.execute(
            "SELECT relid::regclass::text FROM pg_partition_tree('logs_line') ORDER BY 1"
        ).fetchall()
    assert [part for (part,) in parts] == ["logs_1_line_idx", "logs_2_line_idx", "logs_line"], "it still is attached"
    assert not reindex(fresh_postgresql18_database, tables=["logs"])["changed"]


def test_what_cannot_be_rebuilt_is_counted_and_skipped_with_the_reason_if_named(
    fresh_postgresql18_database: Endpoint,
) -> None:
    with connect(fresh_postgresql18_database) as session:
        session.execute("CREATE TABLE rooms (during int4range, EXCLUDE USING gist (during WITH &&))")
        session.execute("CREATE TABLE tags (words text[])")
        session.execute("CREATE INDEX tags_words ON tags USING gin (words)")
        session.execute("INSERT INTO rooms SELECT int4range(i * 2, i * 2 + 1) FROM generate_series(1, 5000) AS i")
    done = reindex(fresh_postgresql18_database)
    assert not done["changed"]
    assert done["metrics"]['postgresql_indexes_refused_total{reason="exclusion"}'] == 1
    names = ["rooms_during_excl", "pg_catalog.pg_class_oid_index", "tags_words"]
    asked = reindex(fresh_postgresql18_database, indexes=names, min_size="0", min_bloat_percent=30)
    details = {action["subject"]: (action["state"], action["detail"]) for action in asked["actions"]}
    assert details["public.rooms_during_excl"][0] == "skipped"
    assert "exclusion constraint" in details["public.rooms_during_excl"][1]
    assert "system catalogue" in details["pg_catalog.pg_class_oid_index"][1]
    assert "gin_clean_pending_list" in details["public.tags_words"][1]
    assert not asked["changed"]
    forced = reindex(fresh_postgresql18_database, indexes=names, min_size="0", min_bloat_percent=0)
    assert [(subject, state) for _kind, subject, state in states(forced) if state == "done"] == [
        ("public.tags_words", "done")
    ]


KINDS = """
CREATE EXTENSION btree_gist;
CREATE TABLE users (id int PRIMARY KEY);
CREATE TABLE kinds (
    id int PRIMARY KEY, email text NOT NULL CONSTRAINT one_email UNIQUE DEFERRABLE INITIALLY DEFERRED,
    tags text[], at timestamptz, place point, user_id int REFERENCES users);
CREATE UNIQUE INDEX kinds_identity ON kinds (email, id);
ALTER TABLE kinds REPLICA IDENTITY USING INDEX kinds_identity;
CREATE INDEX kinds_clustered ON kinds (at) INCLUDE (id);
ALTER TABLE kinds CLUSTER ON kinds_clustered;
CREATE INDEX kinds_lower ON kinds (lower(email) COLLATE "C" DESC NULLS LAST) WHERE id > 10;
ALTER INDEX kinds_lower ALTER COLUMN 1 SET STATISTICS 500;
COMMENT ON INDEX kinds_lower IS 'ours';
CREATE INDEX kinds_gin ON kinds USING gin (tags);
CREATE INDEX kinds_gist ON kinds USING gist (place);
CREATE INDEX kinds_spgist ON kinds USING spgist (place);
CREATE INDEX kinds_hash ON kinds USING hash (email);
CREATE INDEX kinds_brin ON kinds USING brin (at);
CREATE UNLOGGED TABLE unlogged (id int CONSTRAINT kinds_unlogged PRIMARY KEY);
CREATE MATERIALIZED VIEW seen AS SELECT id FROM kinds;
CREATE UNIQUE INDEX kinds_seen ON seen (id);
INSERT INTO kinds SELECT i, 'mail' || i, ARRAY['a'], now(), point(i, i) FROM generate_series(1, 100) AS i
"""
FACTS = """
SELECT c.relname::text, pg_get_indexdef(i.indexrelid), i.indisprimary, i.indisreplident, i.indisclustered, i.indisvalid,
    obj_description(c.oid), k.conname, k.contype, k.condeferrable, k.condeferred, a.attstattarget
FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid LEFT JOIN pg_constraint k ON k.conindid = c.oid
    JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = 1
WHERE c.relname ~ '^(kinds|one)_' ORDER BY 1, 8"""


def test_every_kind_of_index_stays_what_it_is(fresh_postgresql_database: Endpoint) -> None:
    with connect(fresh_postgresql_database) as session:
        session.execute(KINDS)
        before = session.execute(FACTS).fetchall()
        names = sorted({str(row[0]) for row in before})
        done = reindex(fresh_postgresql_database, indexes=names, min_bloat_percent=0, min_size="0")
        assert sorted(states(done)) == rebuilt(*names)
        assert session.execute(FACTS).fetchall() == before


def test_a_memory_that_cannot_be_read_stops_nothing(fresh_postgresql18_database: Endpoint, tmp_path: Path) -> None:
    make_bloat(fresh_postgresql18_database)
    assert reindex(fresh_postgresql18_database, state=tmp_path, max_changes=1)["findings"] == []
    for file in tmp_path.rglob("*"):
        if file.is_file():
            file.write_text("nonsense")
    done = reindex(fresh_postgresql18_database, state=tmp_path)
    assert [state for _kind, _subject, state in states(done)] == ["done"] * 2
    assert [finding["id"] for finding in done["findings"]] == ["upkeep.state"]


def test_a_bloated_toast_index_is_rebuilt(fresh_postgresql_database: Endpoint) -> None:
    with connect(fresh_postgresql_database) as session:
        session.execute("CREATE EXTENSION pgstattuple")
        session.execute(
            "CREATE TABLE files (id int, body text STORAGE EXTERNAL)"
            if session.info.server_version >= 160000
            else "CREATE TABLE files (id int, body text)"
        )
        session.execute("ALTER TABLE files ALTER body SET STORAGE EXTERNAL")
        session.execute("INSERT INTO files SELECT i, repeat('x', 2100) FROM generate_series(1, 8000) AS i")
        session.execute("DELETE FROM files WHERE id % 8 <> 0")
        vacuum(session, "files")
    done = reindex(fresh_postgresql_database)
    assert [(action["kind"], action["state"]) for action in done["actions"]] == [("reindex", "done")]
    assert done["actions"][0]["subject"].endswith("(TOAST of public.files)")
    assert not reindex(fresh_postgresql_database)["changed"]


def test_no_more_than_max_changes(fresh_postgresql18_database: Endpoint) -> None:
    make_bloat(fresh_postgresql18_database)
    done = reindex(fresh_postgresql18_database, max_changes=1)
    assert states(done) == rebuilt(BLOATED[0]) + rebuilt(*BLOATED[1:], state="skipped")
    assert "max_changes is 1" in done["actions"][1]["detail"]
    assert states(reindex(fresh_postgresql18_database, max_changes=2)) == rebuilt(*BLOATED[1:])


@pytest.fixture
def owner(fresh_postgresql_database: Endpoint) -> Iterator[Endpoint]:
    """A user who owns nothing yet, on a database with bloat that the superuser owns."""
    make_bloat(fresh_postgresql_database)
    name = f"owner_{fresh_postgresql_database.database[-6:]}"
    role = sql.Identifier(name)
    with connect(fresh_postgresql_database) as session:
        session.execute(sql.SQL("CREATE ROLE {} LOGIN PASSWORD 'secret'").format(role))
    yield replace(fresh_postgresql_database, user=name, password="secret")
    with connect(fresh_postgresql_database) as session:
        session.execute(sql.SQL("DROP OWNED BY {}").format(role))
        session.execute(sql.SQL("DROP ROLE {}").format(role))


def grant(endpoint: Endpoint, user: Endpoint, statement: str) -> None:
    with connect(endpoint) as session:
        session.execute(sql.SQL(statement).format(user=sql.Identifier(str(user.user))))  # type: ignore[arg-type]


def test_a_user_without_the_right_changes_nothing_and_is_told(
    fresh_postgresql_database: Endpoint, owner: Endpoint
) -> None:
    before = indexes(fresh_postgresql_database)
    asked = reindex(owner, indexes=["orders_code"])
    assert states(asked) == rebuilt("orders_code", state="skipped")
    assert "may not rebuild" in asked["actions"][0]["detail"]
    grant(fresh_postgresql_database, owner, "GRANT SELECT ON orders TO {user}")
    result = reindex(owner)
    assert not result["changed"]
    assert pairs(result) == [("postgresql.access_denied", "warning")]
    assert "3 bloated indexes of public.orders" in found(result, "postgresql.access_denied")["message"]
    assert indexes(fresh_postgresql_database) == before


def test_maintain_is_enough(fresh_postgresql_database: Endpoint, owner: Endpoint) -> None:
    grant(fresh_postgresql_database, owner, "GRANT MAINTAIN, SELECT ON orders TO {user}")
    assert states(reindex(owner)) == rebuilt(*BLOATED)
    assert not reindex(owner)["changed"]


def test_the_owner_needs_no_more(fresh_postgresql_database: Endpoint, owner: Endpoint) -> None:
    grant(fresh_postgresql_database, owner, "ALTER TABLE orders OWNER TO {user}")
    assert states(reindex(owner)) == rebuilt(*BLOATED)


def test_the_application_does_not_wait_for_us(fresh_postgresql18_database: Endpoint) -> None:
    make_bloat(fresh_postgresql18_database)
    statement = "UPDATE orders SET code = code || 'x' WHERE id = 8"
    with probing(fresh_postgresql18_database, statement) as probe:
        done = reindex(fresh_postgresql18_database, lock_timeout="1s")
    assert states(done) == rebuilt(*BLOATED)
    assert probe.errors == []
    assert len(probe.latencies) > 1
    assert probe.blocked < 1.3
