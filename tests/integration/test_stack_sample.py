# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The sample application: the same data each time, every planted trouble really there, a clean one without."""

from __future__ import annotations

import contextlib
import gzip
import http.client
import json
import ssl
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime, timezone
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psycopg
import pytest
import yaml
from cryptography.fernet import Fernet

from tests.stack import Stack
from tests.stack.application import mongodb as mongodb_data
from tests.stack.application import postgresql, redis
from tests.stack.application.planted import PLANTED, planted_for
from tests.stack.application.settings import Settings
from tests.stack.application.start import Web, load, start_sample
from tests.stack.endpoint import Endpoint
from tests.stack.inventory import write_inventory
from tests.stack.servers import mongodb as mongodb_server
from tests.stack.servers import postgresql as postgresql_server
from tests.stack.servers import redis as redis_server

NOW = datetime(2026, 11, 15, 2, 0, tzinfo=timezone.utc)
STORES = ("postgresql18", "mongodb", "redis8")
SMALL = 0.1


@pytest.fixture(scope="module")
def planted(make_stack: Callable[..., Stack]) -> Iterator[Stack]:
    """A sample in trouble, of the size of the demo."""
    stack = make_stack("planted", *STORES)
    settings = Settings(now=datetime.now(timezone.utc))
    stack.up(then=lambda stack: start_sample(stack, settings))
    yield stack
    stack.down()


@pytest.fixture(scope="module")
def clean(make_stack: Callable[..., Stack]) -> Iterator[Stack]:
    """A sample in good order, on the other versions, by TLS."""
    stack = make_stack("clean", "postgresql17", "mongodb", "redis62")
    settings = Settings(now=datetime.now(timezone.utc), planted=False, scale=SMALL)
    stack.up(then=lambda stack: start_sample(stack, settings, Web(tls_days_left=30)))
    yield stack
    stack.down()


def endpoint_of(stack: Stack, kind: str) -> Endpoint:
    """The application's store of a kind."""
    return Endpoint.from_json(stack.sample["endpoints"][kind])


def one(session: psycopg.Connection[Any], query: str) -> Any:
    """The one value of a query."""
    row = session.execute(query).fetchone()
    assert row is not None
    return row[0]


def get(stack: Stack, path: str, **headers: str) -> tuple[int, dict[str, str], bytes]:
    """Status, headers and body of a GET at the sample; its certificate has to be valid."""
    url = urlsplit(stack.sample["url"])
    assert url.hostname is not None
    connection: http.client.HTTPConnection
    if url.scheme == "https":
        context = ssl.create_default_context(cafile=str(Path(stack.sample["folder"]) / "certificate.pem"))
        connection = http.client.HTTPSConnection(url.hostname, url.port, timeout=10, context=context)
    else:
        connection = http.client.HTTPConnection(url.hostname, url.port, timeout=10)
    with contextlib.closing(connection):
        connection.request("GET", path, headers={name.replace("_", "-"): value for name, value in headers.items()})
        reply = connection.getresponse()
        return reply.status, dict(reply.headers), reply.read()


def test_the_same_seed_gives_the_same_data(postgresql18: Endpoint, mongodb: Endpoint, redis8: Endpoint) -> None:
    endpoints = {"postgresql18": postgresql18, "mongodb": mongodb, "redis8": redis8}

    def wipe() -> None:
        with postgresql_server.connect(postgresql18) as session:
            session.execute(f"DROP DATABASE IF EXISTS {postgresql.DATABASE} WITH (FORCE)")
        with mongodb_server.connect(mongodb) as client:
            client.drop_database(mongodb_data.DATABASE)
        with redis_server.connect(redis8) as client:
            client.flushall()

    def digests(settings: Settings) -> dict[str, str]:
        wipe()
        loaded = load(endpoints, settings)
        tables = {f"table {name}": digest for name, digest in postgresql.digest(loaded["postgresql"]).items()}
        tables |= mongodb_data.digest(loaded["mongodb"])
        return tables | {prefix: redis.digest(redis8, f"{prefix}:*") for prefix in ("analytics", "sess", "user")}

    settings = Settings(now=NOW, scale=0.02, planted=False)
    first = digests(settings)
    assert digests(settings) == first
    other = digests(replace(settings, seed=8))
    assert [name for name in first if first[name] == other[name]] == []
    wipe()


def test_ids_and_findings_of_the_table() -> None:
    assert len({plant.id for plant in PLANTED}) == len(PLANTED)
    for plant in PLANTED:
        assert plant.action if not plant.finding else plant.finding.startswith(f"{plant.subject}.")
    assert planted_for("redis_health_info")


def test_postgresql_plants(planted: Stack) -> None:
    with postgresql_server.connect(endpoint_of(planted, "postgresql")) as session:
        invalid = "SELECT string_agg(indexrelid::regclass::text, ',') FROM pg_index WHERE NOT indisvalid"
        assert one(session, invalid) == "idx_users_phone"
        state = "SELECT state FROM pg_stat_activity WHERE application_name = 'delauto-report'"
        assert one(session, state) == "idle in transaction"
        blocked = (
            "SELECT b.application_name FROM pg_stat_activity a, unnest(pg_blocking_pids(a.pid)) AS p "
            "JOIN pg_stat_activity b ON b.pid = p WHERE a.application_name = 'delauto-worker'"
        )
        assert one(session, blocked) == "delauto-report"
        dead = "n_dead_tup > 1.5 * n_live_tup AND last_vacuum IS NULL AND last_autovacuum IS NULL"
        assert one(session, f"SELECT {dead} FROM pg_stat_user_tables WHERE relname = 'invoices'") is True
        assert one(session, "SELECT free_percent FROM pgstattuple('events')") > 50
        unused = (
            "SELECT string_agg(indexrelname, ',' ORDER BY indexrelname) FROM pg_stat_user_indexes WHERE idx_scan = 0"
        )
        assert "idx_events_priority" in one(session, unused)
        assert "idx_invoices_user" not in one(session, unused)
        twins = "SELECT count(DISTINCT indexdef) FROM (SELECT substring(indexdef FROM ' USING .*') AS indexdef "
        twins += "FROM pg_indexes WHERE indexname IN ('idx_events_type_status', 'idx_events_status_type')) AS pair"
        assert one(session, twins) == 1
        indexed = "SELECT count(*) FROM pg_indexes WHERE tablename = 'events' AND indexdef ~ '\\((user_id|created_at)'"
        assert one(session, indexed) == 0
        old = "SELECT count(*) FROM product_term_submissions WHERE created_at < now() - interval '30 days'"
        assert one(session, old) > 500


def test_submissions_are_real_fernet_tokens(planted: Stack) -> None:
    with postgresql_server.connect(endpoint_of(planted, "postgresql")) as session:
        token = one(session, "SELECT accepted_terms FROM product_term_submissions WHERE id = 1")
    environment = (Path(planted.sample["folder"]) / ".env").read_text()
    key = next(line.partition("=")[2] for line in environment.splitlines() if line.startswith("DATA_ENCRYPTION_KEY="))
    assert json.loads(Fernet(key).decrypt(token))["answer"] == "accepted"


def test_mongodb_plants(planted: Stack) -> None:
    with mongodb_server.connect(endpoint_of(planted, "mongodb"), tz_aware=True) as client:
        database = client[mongodb_data.DATABASE]
        running = list(client.admin.aggregate([{"$currentOp": {}}, {"$match": {"ns": "delauto.deliveries"}}]))
        assert [operation["op"] for operation in running] == ["query"]
        used = {
            index["name"]: index["accesses"]["ops"] for index in database.deliveries.aggregate([{"$indexStats": {}}])
        }
        assert used["old_index_name"] == used["status_only"] == 0
        assert used["dispatch"] > 0
        assert set(database.call_logs.index_information()) == {"_id_"}
        assert database.sessions.count_documents({"expiresAt": {"$lt": datetime.now(timezone.utc)}}) == 1000


def test_redis_plants(planted: Stack) -> None:
    with redis_server.connect(endpoint_of(planted, "redis")) as client:
        memory = client.info("memory")
        assert 0.85 < memory["used_memory"] / memory["maxmemory"] < 1
        assert memory["maxmemory_policy"] == "noeviction"
        assert len([entry for entry in client.slowlog_get() if entry["duration"] > 100_000]) >= 3
        assert client.info("persistence")["rdb_last_bgsave_status"] == "err"
        client.set("still", "writable", px=1)
        assert client.ttl("analytics:visitors:all") == -1
        assert client.hlen("analytics:visitors:all") == 30_000
        assert client.object("idletime", "analytics:forgotten:0") >= 40 * 86_400
        assert client.ttl("response:/api/deliveries?page=0") > 300


def test_queue_plants(planted: Stack) -> None:
    with redis_server.connect(endpoint_of(planted, "redis")) as client:
        active = client.lrange("bull:customer-calls:active", 0, -1)
        assert len(active) == 3
        assert not client.exists(*[f"bull:customer-calls:{job}:lock" for job in active])
        assert client.hexists("bull:notifications:meta", "paused")
        day_ago = (time.time() - 86_400) * 1000
        failed = client.zcount("bull:customer-calls:failed", day_ago, "+inf")
        completed = client.zcount("bull:customer-calls:completed", day_ago, "+inf")
        assert failed / (failed + completed) > 0.25
        assert client.zcount("bull:customer-calls:completed", "-inf", day_ago) > 0
        reasons = {
            client.hget(f"bull:customer-calls:{job}", "failedReason")
            for job in client.zrange("bull:customer-calls:failed", 0, -1)
        }
        assert any("ECONNREFUSED" in str(reason) for reason in reasons)
        assert any("phone number" in str(reason) for reason in reasons)


def test_http_plants(planted: Stack) -> None:
    began = time.monotonic()
    status, headers, body = get(planted, "/", Accept_Encoding="gzip")
    assert time.monotonic() - began > 1.0
    assert status == 200
    assert len(body) > 1024
    assert not {"Content-Encoding", "X-Content-Type-Options"} & set(headers)


def test_logs_are_as_real_ones(planted: Stack) -> None:
    logs = Path(planted.sample["folder"]) / "logs"
    entries, broken = [], 0
    for line in (logs / "combined.log").read_bytes().splitlines():
        try:
            entries.append(json.loads(line))
        except ValueError:
            broken += 1
    assert broken == 4
    repeated = [entry for entry in entries if entry["level"] == "error" and entry["message"] == "Payment failed"]
    assert len(repeated) == 15
    access = (logs / "access.log").read_text(errors="replace").splitlines()
    failed = [line for line in access if '" 50' in line]
    assert 0.01 < len(failed) / len(access) < 0.1
    packed = list(logs.rglob("*.gz"))
    assert len(packed) >= 3
    assert all(gzip.decompress(path.read_bytes()) for path in packed)
    assert "[expired_payments]" not in next((logs / "bot-order").glob("*.log")).read_text()


def test_trouble_and_http_belong_to_the_stack(planted: Stack) -> None:
    assert {"http", "trouble"} <= {member.name for member in planted.status()}
    planted.stop("trouble")
    with postgresql_server.connect(endpoint_of(planted, "postgresql")) as session:
        assert one(session, "SELECT count(*) FROM pg_stat_activity WHERE application_name LIKE 'delauto-%'") == 0
    planted.start("trouble")
    planted.stop("http")
    with pytest.raises(ConnectionRefusedError):
        get(planted, "/metrics")
    planted.start("http")
    assert get(planted, "/metrics")[0] == 200


def test_inventory_is_private_and_describes_all(planted: Stack, tmp_path: Path) -> None:
    folder = tmp_path / "inventory"
    write_inventory(planted, folder)
    write_inventory(planted, folder)
    variables = folder / "group_vars" / "all.yml"
    assert [path.stat().st_mode & 0o777 for path in (folder, variables.parent)] == [0o700, 0o700]
    assert [path.stat().st_mode & 0o777 for path in (folder / "hosts.yml", variables)] == [0o600, 0o600]
    content = yaml.safe_load(variables.read_text())
    for name in ("postgresql", "mongodb", "redis", "queues"):
        (entry,) = content[f"upkeep_{name}"]
        assert entry["login_user"] == "upkeep_monitor"
        assert entry["login_password"]
    assert content["upkeep_postgresql"][0]["login_db"] == "beo_automation"
    assert content["upkeep_queues"][0]["queues"] == ["customer-calls", "notifications"]
    assert {entry["name"] for entry in content["upkeep_http"]} == {"delauto-health", "delauto-site"}
    superuser = planted.endpoints["postgresql18"].password
    assert superuser is not None
    assert superuser not in variables.read_text()


def test_clean_stores_have_none_of_it(clean: Stack) -> None:
    assert {member.name for member in clean.status()} == {"postgresql17", "mongodb", "redis62", "http"}
    with postgresql_server.connect(endpoint_of(clean, "postgresql")) as session:
        assert one(session, "SELECT count(*) FROM pg_index WHERE NOT indisvalid") == 0
        assert one(session, "SELECT sum(n_dead_tup) FROM pg_stat_user_tables") == 0
        assert one(session, "SELECT count(*) FROM pg_stat_user_tables WHERE last_analyze IS NULL") == 0
        others = "SELECT count(*) FROM pg_stat_activity WHERE state <> 'idle' AND pid <> pg_backend_pid()"
        assert one(session, f"{others} AND backend_type = 'client backend'") == 0
        old = "SELECT count(*) FROM product_term_submissions WHERE created_at < now() - interval '30 days'"
        assert one(session, old) == 0
    with mongodb_server.connect(endpoint_of(clean, "mongodb"), tz_aware=True) as client:
        assert client.delauto.sessions.count_documents({"expiresAt": {"$lt": datetime.now(timezone.utc)}}) == 0
    with redis_server.connect(endpoint_of(clean, "redis")) as client:
        memory = client.info("memory")
        assert memory["used_memory"] / memory["maxmemory"] < 0.5
        assert client.slowlog_len() == 0
        assert client.info("persistence")["rdb_last_bgsave_status"] == "ok"
        queue_parts = ("id", "meta", "completed", "events", "failed", "wait", "active")
        assert {key.rpartition(":")[2] for key in client.scan_iter("bull:customer-calls:[a-z]*")} <= {
            *queue_parts,
            "marker",
        }
        assert client.zcard("bull:customer-calls:failed") == client.llen("bull:customer-calls:active") == 0
        assert [key for key in client.scan_iter("user:*") if client.ttl(key) == -1] == []


def test_http_that_is_in_order(clean: Stack) -> None:
    assert clean.sample["url"].startswith("https://")
    status, headers, body = get(clean, "/", Accept_Encoding="gzip")
    assert (status, headers["Content-Encoding"]) == (200, "gzip")
    assert b"Deliveries" in gzip.decompress(body)
    assert {"Strict-Transport-Security", "X-Content-Type-Options", "Content-Security-Policy"} <= set(headers)
    assert get(clean, "/api/deliveries")[0] == 401
    assert get(clean, "/api/deliveries", Authorization=f"Bearer {clean.sample['token']}")[0] == 200
    answers = [get(clean, "/api/login")[0] for _number in range(12)]
    assert answers[0] == 200
    assert 429 in answers
    assert b"http_requests_total" in get(clean, "/metrics")[2]
    assert get(clean, "/nowhere")[0] == 404


def test_health_really_asks_the_stores(clean: Stack) -> None:
    status, _headers, body = get(clean, "/health")
    assert (status, json.loads(body)["status"]) == (200, "ok")
    clean.stop("redis62")
    try:
        status, _headers, body = get(clean, "/health")
        checks = json.loads(body)["checks"]
        assert status == 503
        assert {store: check["status"] for store, check in checks.items()} == {
            "postgresql": "ok",
            "mongodb": "ok",
            "redis": "error",
        }
    finally:
        clean.start("redis62")
    clean.pause("mongodb")
    try:
        status, _headers, body = get(clean, "/health")
        assert (status, json.loads(body)["checks"]["mongodb"]["status"]) == (503, "error")
    finally:
        clean.resume("mongodb")
    assert get(clean, "/health")[0] == 200
