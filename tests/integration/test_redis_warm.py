# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""redis_warm on real servers: what becomes of rows, documents and lines, in check mode, for real, and again."""

from __future__ import annotations

import json
import re
import uuid
from datetime import datetime, timezone
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from bson import Binary, Decimal128, Int64, ObjectId

from ansible_collections.dataops.upkeep.plugins.module_utils._core.errors import InvalidInput
from ansible_collections.dataops.upkeep.plugins.module_utils._warm import observe_entries
from ansible_collections.dataops.upkeep.plugins.module_utils._warm.remembered import Remembered
from tests.integration.health import ids
from tests.integration.postgresql_work import states
from tests.integration.redis_cleanup import raw_keys
from tests.integration.redis_health import writes
from tests.integration.redis_warm import entry, warm
from tests.integration.running import run_module
from tests.stack.endpoint import Endpoint
from tests.stack.servers import mongodb as mongodb_server
from tests.stack.servers import postgresql as postgresql_server
from tests.stack.servers.redis import connect

USERS = 1200
QUERY = "SELECT id, name, mail FROM users WHERE secret <> 'hidden-literal' ORDER BY id;"


@pytest.fixture(scope="module")
def users(postgresql18: Endpoint) -> Endpoint:
    """A database with a table of users, in a schema that only the database's own search_path has."""
    with postgresql_server.connect(postgresql18) as session:
        session.execute("CREATE DATABASE warm_users TEMPLATE template0")
    endpoint = postgresql18.with_database("warm_users")
    with postgresql_server.connect(endpoint) as session:
        session.execute("CREATE SCHEMA app")
        session.execute("ALTER DATABASE warm_users SET search_path = app")
        session.execute("CREATE TABLE app.users (id int, name text, mail text, secret text DEFAULT 'x')")
        session.execute(
            "INSERT INTO app.users SELECT n, 'user ' || n, CASE WHEN mod(n, 2) = 0 THEN n || '@example.com' END"
            " FROM generate_series(1, %s) n",
            [USERS],
        )
    return endpoint


def lines(folder: Path, *rows: Any, name: str = "rows.jsonl") -> Path:
    """A file with an object a line."""
    path = folder / name
    path.write_text("".join(f"{json.dumps(row)}\n" for row in rows), encoding="utf-8")
    return path


def value_of(endpoint: Endpoint, key: str) -> Any:
    """What a key holds, as JSON has it."""
    with connect(endpoint) as client:
        return json.loads(str(client.get(key)))


def plan(result: dict[str, Any]) -> list[list[str]]:
    return [[action[key] for key in ("kind", "subject", "reason", "statement")] for action in result["actions"]]


def test_check_mode_a_real_run_and_a_second_run(fresh_redis: Endpoint, users: Endpoint) -> None:
    with connect(fresh_redis) as client:
        client.set("user:7", "mine", ex=1000)
    entries = (
        entry(users, QUERY, "user:{id}", name="users", ttl="5min"),
        entry(users, QUERY, "mail:{id}", name="mails", value="mail", ttl="never"),
        entry(users, QUERY, "profile:{id}", name="profiles", value="hash", fields=["name", "mail"], ttl=300),
        entry(users, QUERY, "hello:{id}", name="hello", value="Hello {name}, {{you}}!"),
    )
    before, written = raw_keys(fresh_redis), writes(fresh_redis)
    planned = warm(fresh_redis, *entries, check=True)
    assert (raw_keys(fresh_redis), writes(fresh_redis)) == (before, written), "check mode wrote something"
    done = warm(fresh_redis, *entries)
    assert plan(planned) == plan(done)
    names = ["users", "mails", "profiles", "hello"]
    assert states(planned) == [("warm", name, "planned") for name in names]
    assert states(done) == [("warm", name, "done") for name in names], done
    assert [action["detail"].partition(" ")[0] for action in done["actions"]] == ["1199", "600", "1200", "1200"]
    assert planned["actions"][0]["reason"] == "about 1199 keys of 1200 rows are missing; 1 are there"
    assert planned["actions"][1]["reason"] == "about 600 keys of 1200 rows are missing; 600 rows lack a field"
    assert not done["findings"]
    with connect(fresh_redis) as client:
        assert client.get("user:7") == "mine"
        assert 900 < client.ttl("user:7") <= 1000
        assert value_of(fresh_redis, "user:8") == {"id": 8, "name": "user 8", "mail": "8@example.com"}
        assert value_of(fresh_redis, "user:9")["mail"] is None
        assert all(240_000 < client.pttl(f"user:{number}") <= 330_000 for number in (1, 2, 8, 1200))
        assert len({client.pttl(f"user:{number}") // 1000 for number in range(100, 160)}) > 20, "no jitter"
        assert (client.get("mail:8"), client.ttl("mail:8"), client.exists("mail:9")) == ("8@example.com", -1, 0)
        assert client.hgetall("profile:8") == {"name": "user 8", "mail": "8@example.com"}
        assert client.hgetall("profile:9") == {"name": "user 9"}
        assert 200 < client.ttl("profile:9") <= 330
        assert client.get("hello:9") == "Hello user 9, {you}!"
        assert 3200 < client.ttl("hello:9") <= 3960
        assert client.dbsize() == 1200 + 600 + 1200 + 1200
    again = warm(fresh_redis, *entries)
    assert not again["changed"]
    assert not again["actions"]
    for result in (planned, done):
        assert "hidden-literal" not in str(result)
        assert "example.com" not in str(result)


def test_more_keys_than_are_remembered_are_read_again(
    fresh_redis8: Endpoint, users: Endpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(observe_entries, "Remembered", lambda: Remembered(most_bytes=1000))
    done = warm(fresh_redis8, entry(users, QUERY, "user:{id}"))
    assert done["actions"][0]["detail"].startswith("1200 keys")
    assert len(raw_keys(fresh_redis8)) == 1200
    assert not warm(fresh_redis8, entry(users, QUERY, "user:{id}"))["changed"]


def test_types_of_postgresql(fresh_redis8: Endpoint, postgresql18: Endpoint) -> None:
    query = r"""
        SELECT 1 AS id, 12.50::numeric AS price, 9007199254740993::int8 AS big, 1.5::float8 AS half,
            'NaN'::float8 AS nan, true AS flag, '2026-01-02 03:04:05.678+02'::timestamptz AS at,
            '2026-01-02 03:04:05'::timestamp AS local,
            '2026-01-02'::date AS day, '1 day 2 seconds'::interval AS span, '\xdeadbeef'::bytea AS raw, NULL AS nothing,
            'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'::uuid AS uid, '{"a": [1, null]}'::jsonb AS doc, ARRAY[1, 2] AS list,
            '10.0.0.1'::inet AS address, 'ü✓'::text AS text, '[1,5)'::int4range AS range"""
    result = warm(
        fresh_redis8,
        entry(postgresql18, query, "row:{uid}:{day}:{flag}:{half}"),
        entry(postgresql18, query, "raw:{id}", value={"field": "raw"}),
        entry(postgresql18, query, "doc:{id}", value="doc"),
        entry(postgresql18, query, "hash:{id}", value="hash", fields=["raw", "list", "nothing", "at", "doc.a"]),
        entry(postgresql18, query, "path:{doc.a}"),
    )
    assert [state for _kind, _name, state in states(result)] == ["done"] * 4
    assert ids(result) == {"redis.warm_unreadable": "warning"}, "a list is no part of a name"
    assert value_of(fresh_redis8, "row:a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11:2026-01-02:true:1.5") == {
        "id": 1,
        "price": "12.50",
        "big": 9007199254740993,
        "half": 1.5,
        "nan": None,
        "flag": True,
        "at": "2026-01-02T01:04:05.678Z",
        "local": "2026-01-02T03:04:05.000",
        "day": "2026-01-02",
        "span": 86402,
        "raw": "3q2+7w==",
        "nothing": None,
        "uid": "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11",
        "doc": {"a": [1, None]},
        "list": [1, 2],
        "address": "10.0.0.1",
        "text": "ü✓",
        "range": "[1, 5)",
    }
    with connect(fresh_redis8, decode_responses=False) as client:
        assert client.get("raw:1") == b"\xde\xad\xbe\xef"
        assert client.get("doc:1") == b'{"a":[1,null]}'
        assert client.hgetall("hash:1") == {
            b"raw": b"\xde\xad\xbe\xef",
            b"list": b"[1,2]",
            b"at": b"2026-01-02T01:04:05.678Z",
            b"doc.a": b"[1,null]",
        }


def test_finds_and_aggregations_of_mongodb(fresh_redis8: Endpoint, fresh_mongodb_database: Endpoint) -> None:
    one, uid = ObjectId(), uuid.uuid4()
    moment = datetime(2026, 1, 2, 3, 4, 5, 678000, tzinfo=timezone.utc)
    with mongodb_server.connect(fresh_mongodb_database, uuidRepresentation="standard") as client:
        users = client[fresh_mongodb_database.database]["users"]
        numbers = {"price": Decimal128("12.50"), "n": Int64(5), "double": 7.0}
        nested = {"address": {"city": "Köln"}, "list": [one]}
        users.insert_one(
            {"_id": one, "at": moment, "uid": uid, "raw": Binary(b"\xff"), "secret": "s", **numbers, **nested}
        )
        users.insert_many(
            [{"_id": number, "at": moment.replace(year=2020), "group": number % 3} for number in range(30)]
        )
    find = {
        "collection": "users",
        "filter": {"at": {"$gt": {"$date": "2025-01-01T00:00:00Z"}}, "_id": {"$ne": {"$oid": str(ObjectId())}}},
        "projection": {"secret": 0},
    }
    pipeline = [{"$match": {"group": {"$exists": True}}}, {"$group": {"_id": "$group", "n": {"$sum": 1}}}]
    result = warm(
        fresh_redis8,
        entry(fresh_mongodb_database, find, "user:{_id}:{double}:{address.city}", name="users"),
        entry(fresh_mongodb_database, {"collection": "users", "pipeline": pipeline}, "group:{_id}", value="n"),
        entry(
            fresh_mongodb_database, json.dumps({"collection": "users", "sort": {"_id": -1}, "limit": 2}), "last:{_id}"
        ),
    )
    assert states(result)[0] == ("warm", "users", "done"), result
    assert result["actions"][0]["statement"].startswith("users.find(at: ?, _id: ?), then SET user:{_id}:{double}")
    assert value_of(fresh_redis8, f"user:{one}:7:Köln") == {
        "_id": str(one),
        "at": "2026-01-02T03:04:05.678Z",
        "price": "12.50",
        "uid": str(uid),
        "n": 5,
        "double": 7.0,
        "raw": "/w==",
        "address": {"city": "Köln"},
        "list": [str(one)],
    }
    assert raw_keys(fresh_redis8) == {
        f"user:{one}:7:Köln".encode(), b"group:0", b"group:1", b"group:2", f"last:{one}".encode(), b"last:29",
    }  # fmt: skip
    assert value_of(fresh_redis8, "group:1") == 10


def test_files(fresh_redis8: Endpoint, tmp_path: Path) -> None:
    rows = lines(tmp_path, {"id": 1, "a": {"b": "x"}}, {"id": 2}, {"id": None, "a": 1})
    with rows.open("a", encoding="utf-8") as stream:
        stream.write('\nno json\n[1]\n{"id": 3, "a": NaN}')
    array = tmp_path / "array.json"
    array.write_text('\ufeff\n [{"id": 1, "a": "x"}, 7]', encoding="utf-8")
    table = tmp_path / "table.csv"
    table.write_bytes('\ufeffid,name\n1,"a ""b"",\nc"\n2\n3,x,y\n4,\n'.encode() + b"5,\xff\n")
    result = warm(
        fresh_redis8,
        entry(None, rows, "line:{id}", name="lines"),
        entry(None, array, "array:{id}", name="array", value="{a}-{id}"),
        entry(None, table, "csv:{id}", name="csv", value="hash"),
    )
    assert {finding["subject"].rpartition(" ")[2]: finding["value"] for finding in result["findings"]} == {
        "lines": 2, "array": 1, "csv": 3,
    }  # fmt: skip
    assert result["metrics"]['redis_warm_keys{entry="lines",state="missing"}'] == 1
    with connect(fresh_redis8, decode_responses=False) as client:
        assert sorted(raw_keys(fresh_redis8)) == [
            b"array:1", b"csv:1", b"csv:4", b"line:1", b"line:2", b"line:3",
        ]  # fmt: skip
        assert client.get("line:1") == b'{"id":1,"a":{"b":"x"}}'
        assert client.get("line:3") == b'{"id":3,"a":null}'
        assert client.get("array:1") == b"x-1"
        assert client.hgetall("csv:1") == {b"id": b"1", b"name": b'a "b",\nc'}
        assert client.hgetall("csv:4") == {b"id": b"4", b"name": b""}


def test_a_file_that_cannot_be_read_is_a_finding_and_others_are_warmed(fresh_redis8: Endpoint, tmp_path: Path) -> None:
    broken = tmp_path / "broken.json"
    broken.write_text('[{"id": "private-value"]', encoding="utf-8")
    result = warm(
        fresh_redis8,
        entry(None, tmp_path / "absent.jsonl", "a:{id}", name="absent"),
        entry(None, broken, "b:{id}", name="broken"),
        entry(None, tmp_path, "c:{id}", name="folder"),
        entry(None, lines(tmp_path, {"id": 1}), "d:{id}", name="right"),
    )
    assert states(result) == [("warm", "right", "done")]
    assert ids(result) == {"file.error": "critical"}
    assert len(result["findings"]) == 3
    assert "private-value" not in str(result)
    assert raw_keys(fresh_redis8) == {b"d:1"}


def test_what_must_not_be_set_stays_out_and_is_told(fresh_redis: Endpoint, tmp_path: Path) -> None:
    with connect(fresh_redis) as client:
        client.rpush("mail:wait", "1")
        client.hset("mail:meta", "opts.maxLenEvents", 10000)
        client.rpush("user:3", "a list")
        client.hset("user:4", "a", "hash")
    before = raw_keys(fresh_redis)
    rows = lines(tmp_path, *({"id": number, "text": "x" * (2000 if number == 2 else 1)} for number in (1, 1, 2, 3, 4)))
    result = warm(
        fresh_redis,
        entry(None, rows, "mail:{id}", name="queue"),
        entry(None, rows, "bull:new:{id}", name="bull"),
        entry(None, rows, "upkeep:{id}", name="own"),
        entry(None, rows, "user:{id}", name="users"),
        entry(None, rows, "other:{nowhere}", name="nowhere"),
        max_value="1KiB",
    )
    assert states(result) == [("warm", "users", "done")]
    assert raw_keys(fresh_redis) == before | {b"user:1"}
    told = {(finding["id"], finding["subject"].rpartition(" ")[2], finding["value"]) for finding in result["findings"]}
    assert {entry for entry in told if entry[1] == "users"} == {
        ("redis.warm_repeated", "users", 1),
        ("redis.warm_too_large", "users", 1),
        ("redis.warm_other_type", "users", 2),
    }
    assert {("redis.keys_protected", name, 3) for name in ("queue", "bull", "own")} <= told
    assert ("redis.warm_fields_missing", "nowhere", 5) in told


@pytest.mark.parametrize("value", ["json", "hash"])
def test_without_nx_keys_are_set_anew_and_those_of_another_type_stay(
    fresh_redis: Endpoint, tmp_path: Path, value: str
) -> None:
    rows = lines(tmp_path, *({"id": number, "a": "new"} for number in range(20)))
    with connect(fresh_redis) as client:
        client.rpush("user:1", "a list")
        client.hset("user:2", "old", "x")
        client.set("user:3", "old")
        result = warm(fresh_redis, entry(None, rows, "user:{id}", value=value, nx=False, ttl="1d"))
        assert result["actions"][0]["detail"].startswith("18 keys in ")
        assert ids(result) == {"redis.warm_other_type": "warning"}
        assert client.type("user:1") == "list"
        if value == "json":
            assert client.hgetall("user:2") == {"old": "x"}
            assert client.get("user:3") == '{"id":3,"a":"new"}'
        else:
            assert client.hgetall("user:2") == {"id": "2", "a": "new"}
            assert client.get("user:3") == "old"
        assert 70_000 < client.ttl("user:7") < 100_000


ODD = ["with space", "new\nline", "quo\"te's", "äöü✓", "g*[l]ob?\\", "x" * 5000, "$5\r\nPING", "{tag}", "%s", "\0"]


def test_odd_names_and_values(fresh_redis: Endpoint, tmp_path: Path) -> None:
    rows = lines(tmp_path, *({"id": name, name: name} for name in ODD), {"id": "\ud800", "a": 1})
    result = warm(
        fresh_redis, entry(None, rows, "s:{id}", value="id"), entry(None, rows, "h:{id}", name="h", value="hash")
    )
    assert ids(result) == {"redis.warm_unreadable": "warning"}
    with connect(fresh_redis) as client:
        for name in ODD:
            assert client.get(f"s:{name}") == name
            assert client.hgetall(f"h:{name}") == {"id": name, name: name}
        assert client.dbsize() == 2 * len(ODD)


def test_a_hash_of_many_fields(fresh_redis: Endpoint, tmp_path: Path) -> None:
    row = {f"field {number}": str(number) for number in range(5000)}
    warm(fresh_redis, entry(None, lines(tmp_path, row), "large", value="hash"))
    with connect(fresh_redis) as client:
        assert client.hgetall("large") == row
        assert client.ttl("large") > 3000


def test_the_most_keys_of_a_run(fresh_redis8: Endpoint, users: Endpoint) -> None:
    first = entry(users, QUERY, "user:{id}", name="first")
    second = entry(users, QUERY, "mail:{id}", name="second")
    result = warm(fresh_redis8, first, second, max_keys=500)
    assert states(result) == [("warm", "first", "done"), ("warm", "second", "skipped")]
    assert "max_keys is reached" in result["actions"][0]["detail"]
    assert len(raw_keys(fresh_redis8)) == 500
    warm(fresh_redis8, first, second, max_keys=1000)
    assert len(raw_keys(fresh_redis8)) == 1500
    warm(fresh_redis8, first, second)
    assert len(raw_keys(fresh_redis8)) == 2400


PROFILE = {"source": "file", "query": "/srv/x", "key": "a:{id}"}


@pytest.mark.parametrize(
    ("options", "why"),
    [
        ({"rate": 0.0}, "rate"),
        ({"rate": float("inf")}, "rate: inf is too large"),
        ({"batch_target_ms": float("nan")}, "batch_target_ms"),
        ({"max_keys": 0}, "max_keys"),
        ({"batch_target_ms": -1.0}, "batch_target_ms"),
        ({"max_memory_percent": 0.0}, "max_memory_percent"),
        ({"max_value": "much"}, "max_value"),
        ({"entries": []}, "there are none"),
    ],
)
def test_bad_input_is_refused(redis8: Endpoint, options: dict[str, Any], why: str) -> None:
    with pytest.raises(InvalidInput, match=why):
        warm(redis8, **{"entries": [PROFILE], **options})


def test_the_module_as_ansible_runs_it(fresh_redis8: Endpoint, users: Endpoint) -> None:
    texts = {"ttl": "300", "nx": "yes", "jitter_percent": "5", "fields": "id,name", "timeout": "10"}
    params = fresh_redis8.options(entries=[entry(users, QUERY, "user:{id}", **texts)], rate="100000", max_keys="100")
    planned = run_module("redis_warm", params, check=True, verbosity=3)
    assert "[planned] warm entry 1: about 1200 keys" in planned["output"]
    done = run_module("redis_warm", params, verbosity=3)
    told = re.match(r"100 keys in \d+ pages by SET NX; longest stall (\d+)ms", done["actions"][0]["detail"])
    assert told, done
    assert done["metrics"]["redis_longest_stall_milliseconds"] >= int(told[1]) - 1, "it covers the changes"
    assert value_of(fresh_redis8, "user:8") == {"id": 8, "name": "user 8"}
    for result in (planned, done):
        assert str(users.password) not in str(result), "the source's password was shown"
    refused = run_module("redis_warm", {**params, "entries": [entry(users, QUERY, "user:{id}", ttl="0")]})
    assert refused["outcome"] == "failed"
    assert "never for keys that never expire" in refused["msg"]


def test_numbers_of_one_value_are_one_name(fresh_redis8: Endpoint, postgresql18: Endpoint) -> None:
    query = "SELECT * FROM (VALUES (1::float8, 1::numeric, 1::int8)) AS v(a, b, c)"
    warm(fresh_redis8, entry(postgresql18, query, "{a}:{b}:{c}", value="{a}"))
    assert raw_keys(fresh_redis8) == {b"1:1:1"}
    assert Decimal(1) == value_of(fresh_redis8, "1:1:1")
