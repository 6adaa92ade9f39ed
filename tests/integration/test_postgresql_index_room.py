# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""postgresql_index looks whether the disk has room for what it makes, against real servers."""

from __future__ import annotations

import os
from typing import Any

import pytest

from tests.integration.postgresql_health import session
from tests.integration.postgresql_work import states
from tests.integration.test_postgresql_index import work
from tests.stack.endpoint import Endpoint
from tests.stack.servers.postgresql import connect

TABLE = """
CREATE TABLE t (id int, code text, state text, doc jsonb);
INSERT INTO t SELECT n, md5(n::text), CASE WHEN n % 10 = 0 THEN 'open' ELSE 'done' END, jsonb_build_object('n', n)
    FROM generate_series(1, 60000) AS n;
CREATE TABLE parted (id int, at int) PARTITION BY RANGE (at);
CREATE TABLE parted_1 PARTITION OF parted FOR VALUES FROM (0) TO (50000);
CREATE TABLE parted_2 PARTITION OF parted FOR VALUES FROM (50000) TO (100000);
INSERT INTO parted SELECT n, n FROM generate_series(1, 99999) AS n;
"""
CODE = {"name": "t_code", "table": "t", "columns": ["code"]}
FORMS: tuple[dict[str, Any], ...] = (
    CODE,
    {"name": "t_id", "table": "t", "columns": ["id"]},
    {"name": "t_both", "table": "t", "columns": ["code", "id desc"], "include": ["state"]},
    {"name": "t_open", "table": "t", "columns": ["code"], "where": "state = 'open'"},
    {"name": "t_expression", "table": "t", "columns": ["(id + 1)"], "unique": True},
)


@pytest.fixture
def database(fresh_postgresql18_database: Endpoint) -> Endpoint:
    with session(fresh_postgresql18_database, TABLE, "ANALYZE"):
        return fresh_postgresql18_database


def leave(monkeypatch: pytest.MonkeyPatch, size: float) -> None:
    """The server is real; what is free of this machine's disk is not."""
    statvfs = os.statvfs

    def nearly_full(path: Any) -> os.statvfs_result:
        facts = list(statvfs(path))
        facts[4] = int(size) // facts[1]  # f_bavail, in blocks of f_frsize
        return os.statvfs_result(facts)

    monkeypatch.setattr(os, "statvfs", nearly_full)


def size_of(endpoint: Endpoint, name: str) -> int:
    with connect(endpoint) as opened:
        row = opened.execute("SELECT pg_relation_size(%s::regclass)", [name]).fetchone()
    assert row is not None
    return int(row[0])


@pytest.mark.parametrize("form", FORMS, ids=lambda form: form["name"])
def test_what_would_not_fit_is_skipped_and_what_fits_is_made(
    database: Endpoint, monkeypatch: pytest.MonkeyPatch, form: dict[str, Any]
) -> None:
    assert states(work(database, form)) == [("create_index", f"index public.{form['name']}", "done")]
    size = size_of(database, form["name"])
    with session(database, f"DROP INDEX {form['name']}"):
        pass
    with monkeypatch.context() as patch:
        leave(patch, size * 0.9)
        planned, result = work(database, form, check=True), work(database, form)
    for each in (planned, result):
        ((_kind, _subject, state),) = states(each)
        assert (state, each["changed"]) == ("skipped", False)
        assert "of free disk" in each["actions"][0]["detail"]
    leave(monkeypatch, size * 1.5)
    assert [state for _kind, _subject, state in states(work(database, form))] == ["done"]


def test_each_index_takes_from_what_is_left(database: Endpoint, monkeypatch: pytest.MonkeyPatch) -> None:
    work(database, CODE)
    size = size_of(database, "t_code")
    more = {**CODE, "name": "t_more", "columns": ["code", "id"]}
    small = {"name": "t_open", "table": "t", "columns": ["id"], "where": "state = 'open'"}
    with session(database, "DROP INDEX t_code"):
        leave(monkeypatch, size * 1.6)
        result = work(database, CODE, more, small)
    assert [state for _kind, _subject, state in states(result)] == ["done", "skipped", "done"]


def test_each_partition_takes_room_of_its_own(database: Endpoint, monkeypatch: pytest.MonkeyPatch) -> None:
    leave(monkeypatch, 1_800_000)
    declared = {"name": "parted_id", "table": "parted", "columns": ["id"]}
    result = work(database, declared)
    assert states(result) == [
        ("create_index", "index public.parted_id", "done"),
        ("create_index", "index public.parted_id_parted_1", "done"),
        ("create_index", "index public.parted_id_parted_2", "skipped"),
    ]
    monkeypatch.undo()
    assert states(work(database, declared)) == [("create_index", "index public.parted_id_parted_2", "done")]
    assert work(database, declared)["changed"] is False


def test_an_invalid_rest_gives_its_room(database: Endpoint, monkeypatch: pytest.MonkeyPatch) -> None:
    work(database, CODE)
    size = size_of(database, "t_code")
    with session(database, "UPDATE pg_index SET indisvalid = false WHERE indexrelid = 't_code'::regclass"):
        leave(monkeypatch, size * 0.5)
        assert states(work(database, CODE)) == [("create_index", "index public.t_code", "done")]


def test_where_the_disk_cannot_be_seen_the_index_is_made(database: Endpoint, monkeypatch: pytest.MonkeyPatch) -> None:
    def elsewhere(path: Any) -> os.statvfs_result:
        raise FileNotFoundError(path)

    monkeypatch.setattr(os, "statvfs", elsewhere)
    assert states(work(database, CODE)) == [("create_index", "index public.t_code", "done")]


def test_a_method_without_an_estimate_is_not_held_up(database: Endpoint, monkeypatch: pytest.MonkeyPatch) -> None:
    leave(monkeypatch, 8192)
    result = work(database, {"name": "t_doc", "table": "t", "columns": ["doc"], "method": "gin"})
    assert states(result) == [("create_index", "index public.t_doc", "done")]
