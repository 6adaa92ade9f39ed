# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The truth table of unused indexes: every kind that must stay, made on a real server, with the reason it stays for.

``docs/index-rule.md`` shows the same table to people; a test here holds it to this one.
"""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
import pytest

from ansible_collections.dataops.upkeep.plugins.module_utils._core.connection import Connection
from ansible_collections.dataops.upkeep.plugins.module_utils._core.deadline import Deadline
from ansible_collections.dataops.upkeep.plugins.module_utils._postgresql.client import connect as connect_client
from ansible_collections.dataops.upkeep.plugins.module_utils._postgresql.index.decide_unused import judge_unused
from ansible_collections.dataops.upkeep.plugins.module_utils._postgresql.index.memory import keep_ledger
from ansible_collections.dataops.upkeep.plugins.module_utils._postgresql.index.observation import Indexes
from ansible_collections.dataops.upkeep.plugins.module_utils._postgresql.index.observe_use import observe_index_use
from ansible_collections.dataops.upkeep.plugins.module_utils._postgresql.options import DEFAULTS
from tests.contract.catalogue import ROOT
from tests.integration.health import context
from tests.integration.postgresql_health import session
from tests.integration.waiting import until
from tests.stack.endpoint import Endpoint
from tests.stack.servers.postgresql import connect
from tests.stack.servers.postgresql_standby import wait_replayed
from tests.stack.stack import Stack

SHORT = {"unused_after": "1s", "min_size": "0", "max_scans": 0, "replicas": []}


@dataclass(frozen=True)
class Kept:
    """A kind of index that stays, all else being equal.

    :param kind: what it is, as in the table for people.
    :param index: its name.
    :param sql: makes it.
    :param codes: all the reasons that keep it.
    """

    kind: str
    index: str
    sql: str
    codes: tuple[str, ...]


BASE = """
CREATE TABLE t (a int, b text, c text, d int, r int4range, at timestamptz);
INSERT INTO t SELECT n, n::text, 'c', n, int4range(n, n + 1), now() FROM generate_series(1, 50) AS n;
CREATE TABLE other (id int CONSTRAINT other_pkey PRIMARY KEY);
CREATE EXTENSION pgstattuple;
"""

KEPT = (
    Kept("primary key", "keyed_pkey", "CREATE TABLE keyed (id int PRIMARY KEY)", ("primary_key",)),
    Kept("unique index", "unique_index", "CREATE UNIQUE INDEX unique_index ON t (a)", ("unique",)),
    Kept(
        "unique index over some rows", "unique_partial", "CREATE UNIQUE INDEX unique_partial ON t (b) WHERE a > 5",
        ("unique",),
    ),
    Kept(
        "unique index that a foreign key refers to", "referred",
        "CREATE TABLE target (id int); CREATE UNIQUE INDEX referred ON target (id); "
        "CREATE TABLE source (id int REFERENCES target (id))",
        ("unique", "constraint"),
    ),
    Kept(
        "unique constraint", "t_unique", "ALTER TABLE t ADD CONSTRAINT t_unique UNIQUE (a, b)", ("unique", "constraint")
    ),
    Kept(
        "deferrable unique constraint", "t_late", "ALTER TABLE t ADD CONSTRAINT t_late UNIQUE (d) DEFERRABLE",
        ("unique", "constraint"),
    ),
    Kept(
        "exclusion constraint", "t_apart", "ALTER TABLE t ADD CONSTRAINT t_apart EXCLUDE USING gist (r WITH &&)",
        ("exclusion", "constraint"),
    ),
    Kept(
        "replica identity", "identity",
        "CREATE TABLE sent (id int NOT NULL); CREATE UNIQUE INDEX identity ON sent (id); "
        "ALTER TABLE sent REPLICA IDENTITY USING INDEX identity",
        ("unique", "replica_identity"),
    ),
    Kept(
        "index that the table is clustered by", "clustering",
        "CREATE TABLE ordered (id int); CREATE INDEX clustering ON ordered (id); "
        "ALTER TABLE ordered CLUSTER ON clustering",
        ("clustered",),
    ),
    Kept(
        "index of a partitioned table", "parted_a",
        "CREATE TABLE parted (a int, b int) PARTITION BY LIST (a); "
        "CREATE TABLE part_1 PARTITION OF parted FOR VALUES IN (1); CREATE INDEX parted_a ON parted (a)",
        ("partitioned",),
    ),
    Kept("its part on a partition", "part_1_a_idx", "", ("partition",)),
    Kept(
        "index of a partitioned table that lacks a part", "lacking",
        "CREATE INDEX lacking ON ONLY parted (b)", ("invalid", "partitioned"),
    ),
    Kept(
        "the only index of a foreign key", "referring_other",
        "CREATE TABLE referring (other int REFERENCES other, x int); CREATE INDEX referring_other ON referring (other)",
        ("foreign_key",),
    ),
    Kept(
        "the only index of a foreign key of several columns, in another order", "pair_back",
        "CREATE TABLE two (x int, y int, PRIMARY KEY (x, y)); "
        "CREATE TABLE pair (x int, y int, z int, FOREIGN KEY (x, y) REFERENCES two); "
        "CREATE INDEX pair_back ON pair (y, x, z)",
        ("foreign_key",),
    ),
    Kept(
        "index of a part of a foreign key's columns where none has all", "led_y",
        "CREATE TABLE led (x int, y int, z int, FOREIGN KEY (x, y) REFERENCES two); CREATE INDEX led_y ON led (y, z)",
        ("foreign_key",),
    ),
    Kept(
        "the older of two unused indexes of a foreign key", "twice_older",
        "CREATE TABLE twice (other int REFERENCES other, x int); CREATE INDEX twice_older ON twice (other); "
        "CREATE INDEX twice_newer ON twice (other, x)",
        ("foreign_key",),
    ),
    Kept(
        "index of a table of an extension", "extended",
        "CREATE TABLE of_extension (a int); CREATE INDEX extended ON of_extension (a); "
        "ALTER EXTENSION pgstattuple ADD TABLE of_extension",
        ("extension",),
    ),
    Kept("index of the catalogue", "pg_depend_depender_index", "", ("system",)),
    Kept("index of a TOAST table", "pg_toast_1262_index", "", ("primary_key", "system")),
    Kept(
        "unique index that REFRESH MATERIALIZED VIEW CONCURRENTLY needs", "view_unique",
        "CREATE MATERIALIZED VIEW view AS SELECT 1 AS a; CREATE UNIQUE INDEX view_unique ON view (a)",
        ("unique",),
    ),
    Kept(
        "index that was used once", "used_once",
        "CREATE INDEX used_once ON t (at); SET enable_seqscan = off; SELECT FROM t WHERE at = now(); "
        "RESET enable_seqscan",
        ("used",),
    ),
)  # fmt: skip

GONE = {
    "plain": "CREATE INDEX plain ON t (c)",
    "partial": "CREATE INDEX partial ON t (a) WHERE b <> ''",
    "expression": "CREATE INDEX expression ON t (lower(b), (a + d))",
    "carrying": "CREATE INDEX carrying ON t (c) INCLUDE (a)",
    "ranges": "CREATE INDEX ranges ON t USING gist (r)",
    "blocks": "CREATE INDEX blocks ON t USING brin (at)",
    "hashed": "CREATE INDEX hashed ON t USING hash (b)",
    'Odd "Name"; --': 'CREATE INDEX "Odd ""Name""; --" ON t (a, c)',
    "unlogged": "CREATE UNLOGGED TABLE light (a int); CREATE INDEX unlogged ON light (a)",
    "of_view": "CREATE INDEX of_view ON view (a)",
    "of_one_part": "CREATE INDEX of_one_part ON part_1 (b)",
    "twice_newer": "",
    "beside_unique": "CREATE TABLE served (other int UNIQUE REFERENCES other); "
    "CREATE INDEX beside_unique ON served (other)",
}
"""What nothing keeps."""

LATER = {
    "index that is being built": "building",
    "invalid index": "invalid",
    "temporary index of a session": "temporary",
    "small index": "small",
    "index that was used lately (version 16 and newer)": "recently_used",
    "index declared in O(indexes)": "declared",
    "any index where scans are not counted": "statistics_off",
    "any index after a reset of the statistics": "statistics_young",
    "any index after a crash of the server": "statistics_young",
    "index that no earlier run has seen": "ledger_young",
    "index made anew under the same name": "ledger_young",
    "index that a standby uses": "standby_used",
    "any index while a standby is not listed": "standby_unlisted",
    "any index while a standby is listed twice instead of another": "standby_unlisted",
    "any index while a standby does not answer": "standby_unknown",
    "any index while a listed server is no standby of this one": "standby_unknown",
    "any index while a standby was not watched for long enough": "standby_young",
}
"""Kinds that take more than a statement to make; each has a test below."""


BUILDING = "SELECT FROM pg_stat_progress_create_index WHERE index_relid <> 0"


class Rule:
    """Judges the indexes of one database, with a ledger of its own."""

    def __init__(self, endpoint: Endpoint, folder: Path) -> None:
        self.endpoint, self.folder = endpoint, folder

    def look(self, **options: Any) -> Indexes:
        """Read all there is, and note it in the ledger."""
        params = {**SHORT, **self.endpoint.options(connect_timeout="5s"), **options}
        work = context(params, self.folder)
        target = Connection.resolve(params, {}, DEFAULTS)
        with connect_client(target, Deadline(60)) as client:
            seen = observe_index_use(client, work)
        keep_ledger(seen, work)
        return seen

    def codes(self, declared: tuple[str, ...] = (), **options: Any) -> dict[str, tuple[str, ...]]:
        """The reasons for every index, by its name."""
        seen = self.look(**options)
        oids = [index.oid for index in seen.indexes if index.name in declared]
        judged = judge_unused(seen, oids)
        return {index.name: tuple(reason.code for reason in judged[index.oid]) for index in seen.indexes}


@pytest.fixture
def rule(fresh_postgresql_database: Endpoint, tmp_path: Path) -> Rule:
    with session(fresh_postgresql_database, "CREATE TABLE t (a int, b text)", "CREATE INDEX plain ON t (b)"):
        pass
    return Rule(fresh_postgresql_database, tmp_path / "state")


def flush(opened: psycopg.Connection[Any]) -> None:
    """Have counted what a session did."""
    opened.execute("SELECT pg_stat_force_next_flush()")
    opened.execute("SELECT 1")


def test_what_stays_and_what_goes(fresh_postgresql_database: Endpoint, tmp_path: Path) -> None:
    rule = Rule(fresh_postgresql_database, tmp_path / "state")
    made = [*(kept.sql for kept in KEPT if kept.sql), *filter(None, GONE.values())]
    with session(fresh_postgresql_database, BASE, *made) as opened:
        flush(opened)
    assert set(rule.codes()["plain"]) == {"ledger_young"} | (set(rule.codes()["plain"]) & {"statistics_young"})
    time.sleep(1.2)
    codes = rule.codes()
    codes["pg_depend_depender_index"] = codes["pg_depend_depender_index"][:1]  # it may have been used as well
    assert {kept.kind: codes[kept.index] for kept in KEPT} == {kept.kind: kept.codes for kept in KEPT}
    assert {name: codes[name] for name in GONE} == dict.fromkeys(GONE, ())


def settled(rule: Rule) -> Rule:
    """The rule after its index has been watched for long enough: nothing keeps it."""
    rule.look()
    time.sleep(1.2)
    assert rule.codes()["plain"] == ()
    return rule


def test_it_is_being_built(rule: Rule) -> None:
    settled(rule)
    with session(rule.endpoint, "BEGIN", "INSERT INTO t VALUES (1)"):
        builder = threading.Thread(target=_build, args=(rule.endpoint,))
        builder.start()
        with connect(rule.endpoint) as watcher:
            until(
                lambda: bool(
                    watcher.execute("SELECT FROM pg_stat_progress_create_index WHERE index_relid <> 0").fetchall()
                )
            )
        assert set(rule.codes()["growing"]) >= {"building", "invalid"}
    builder.join()


def _build(endpoint: Endpoint) -> None:
    with session(endpoint, "CREATE INDEX CONCURRENTLY growing ON t (a)"):
        pass


def test_it_is_invalid_or_temporary_or_small_or_declared(rule: Rule) -> None:
    temporary = ("CREATE TEMPORARY TABLE mine (a int)", "CREATE INDEX of_session ON mine (a)")
    with session(rule.endpoint, "INSERT INTO t VALUES (1), (1)", *temporary) as opened:
        with pytest.raises(psycopg.errors.UniqueViolation):
            opened.execute("CREATE UNIQUE INDEX CONCURRENTLY carcass ON t (a)")
        settled(rule)
        codes = rule.codes()
        assert codes["carcass"] == ("invalid", "unique")
        assert codes["of_session"] == ("temporary",)
    assert rule.codes(min_size="10MB")["plain"] == ("small",)
    assert rule.codes(declared=("plain",))["plain"] == ("declared",)


def test_it_was_used_lately(rule: Rule) -> None:
    with session(rule.endpoint, "SET enable_seqscan = off", "SELECT FROM t WHERE b = 'x'") as opened:
        flush(opened)
        row = opened.execute("SELECT idx_scan FROM pg_stat_user_indexes").fetchone()
    assert row == (1,)
    rule.look()
    assert "recently_used" in rule.codes(max_scans=5)["plain"]
    time.sleep(1.2)
    assert rule.codes(max_scans=5)["plain"] == ()
    assert rule.codes()["plain"] == ("used",)


def test_the_statistics_were_reset(rule: Rule) -> None:
    settled(rule)
    with session(rule.endpoint, "SELECT pg_stat_reset()"):
        assert rule.codes()["plain"] == ("ledger_young", "statistics_young")
    settled(rule)
    assert rule.codes(unused_after="1d")["plain"] == ("ledger_young", "statistics_young")


def test_it_is_another_index_of_the_same_name(rule: Rule) -> None:
    settled(rule)
    with session(rule.endpoint, "DROP INDEX plain", "CREATE INDEX plain ON t (b)"):
        assert rule.codes()["plain"] == ("ledger_young",)


def test_what_is_not_remembered_is_not_known(rule: Rule) -> None:
    settled(rule)
    assert Rule(rule.endpoint, rule.folder / "elsewhere").codes()["plain"] == ("ledger_young",)


@pytest.fixture
def own_server(make_stack: Callable[..., Stack]) -> Iterator[Endpoint]:
    """A server that may crash."""
    with make_stack("crash", "postgresql18") as stack:
        yield stack.endpoints["postgresql18"]


def test_the_server_crashed_or_does_not_count(own_server: Endpoint, tmp_path: Path) -> None:
    with session(own_server, "CREATE TABLE t (a int, b text)", "CREATE INDEX plain ON t (b)"):
        pass
    rule = settled(Rule(own_server, tmp_path / "state"))
    with connect(own_server) as victim:
        os.kill(victim.info.backend_pid, signal.SIGKILL)
    until(lambda: _answers(own_server))
    assert rule.codes()["plain"] == ("ledger_young", "statistics_young")
    settled(rule)
    with session(own_server, "ALTER SYSTEM SET track_counts = off", "SELECT pg_reload_conf()"):
        until(lambda: "statistics_off" in rule.codes()["plain"])


def _answers(endpoint: Endpoint) -> bool:
    try:
        connect(endpoint).close()
    except psycopg.Error:
        return False
    return True


@contextmanager
def indexed(primary: Endpoint, standby: Endpoint) -> Iterator[None]:
    """An index on both servers."""
    with session(primary, "CREATE TABLE t (a int, b text)", "CREATE INDEX plain ON t (b)"):
        wait_replayed(primary, standby)
        yield


def test_standbys(fresh_postgresql18_pair: tuple[Endpoint, Endpoint], postgresql18: Endpoint, tmp_path: Path) -> None:
    primary, standby = fresh_postgresql18_pair
    rule = Rule(primary, tmp_path / "state")
    listed = [{"login_host": standby.host, "login_port": standby.port}]
    with indexed(primary, standby):
        rule.look(replicas=listed)
        assert "standby_young" in rule.codes(replicas=listed)["plain"]
        time.sleep(1.2)
        assert rule.codes(replicas=listed)["plain"] == ()
        assert rule.codes()["plain"] == ("standby_unlisted",)
        own = [{"login_host": primary.host, "login_port": primary.port}]
        assert "standby_unknown" in rule.codes(replicas=own)["plain"]
        other = {"uri": postgresql18.with_database("postgres").uri}
        assert "standby_unknown" in rule.codes(replicas=[*listed, other])["plain"]
        assert "standby_unknown" in rule.codes(replicas=[{"login_host": standby.host, "login_port": 1}])["plain"]
        slot = "SELECT pg_create_physical_replication_slot('away', true)"
        with session(primary, slot, "SELECT 1") as opened:
            assert rule.codes(replicas=[*listed, *listed])["plain"] == ("standby_unlisted",), "one is away"
            opened.execute("SELECT pg_drop_replication_slot('away')")
        with session(standby, "SET enable_seqscan = off", "SELECT FROM t WHERE b = 'x'") as opened:
            flush(opened)
        assert "standby_used" in rule.codes(replicas=listed)["plain"]


def test_a_standby_says_no_login_of_its_own(fresh_postgresql18_pair: tuple[Endpoint, Endpoint], tmp_path: Path) -> None:
    primary, standby = fresh_postgresql18_pair
    rule = Rule(primary, tmp_path / "state")
    listed = [{"login_host": standby.host, "login_port": standby.port}]
    address = {"login_host": None, "login_port": None, "login_user": None, "login_password": None, "login_db": None}
    seen = rule.look(**address, uri=primary.uri, replicas=listed)
    assert [node.error for node in seen.replicas] == [None]
    assert seen.replicas[0].in_recovery


def test_the_page_shows_the_table() -> None:
    page = (ROOT / "docs/index-rule.md").read_text(encoding="utf-8")
    for kept in KEPT:
        assert f"| {kept.kind} | {', '.join(f'`{code}`' for code in kept.codes)} |" in page
    for kind, code in LATER.items():
        assert f"| {kind.replace('O(indexes)', '`indexes`')} | `{code}` |" in page
