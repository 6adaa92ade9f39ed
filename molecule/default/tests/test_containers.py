# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The containers are what the scenarios take them for: these versions, behind a login, over both ways."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from typing import Any

import psycopg
import pymongo
import pymongo.errors
import pytest
import redis
from testinfra.host import Host

WAYS = ("ops", "local")


def postgresql(stage: dict[str, Any], way: str, name: str, password: str) -> int:
    """Log in as the monitor and return the major version."""
    place = stage["reach"][way][name]
    with psycopg.connect(
        host=place["host"], port=place["port"], dbname="beo_automation", user="upkeep_monitor", password=password
    ) as connection:
        return connection.info.server_version // 10000


def mongodb(stage: dict[str, Any], way: str, password: str) -> pymongo.MongoClient[dict[str, Any]]:
    """Return a client that logs in as the monitor at its first command."""
    place = stage["reach"][way]["mongodb"]
    return pymongo.MongoClient(
        place["host"], place["port"], username="upkeep_monitor", password=password, directConnection=True
    )


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("version", [17, 15])
def test_postgresql_answers_with_its_version(stage: dict[str, Any], way: str, version: int) -> None:
    assert postgresql(stage, way, f"postgresql{version}", stage["passwords"]["monitor"]) == version


@pytest.mark.parametrize("way", WAYS)
def test_the_standby_follows_its_primary(stage: dict[str, Any], way: str) -> None:
    login = {"dbname": "beo_automation", "user": "upkeep_monitor", "password": stage["passwords"]["monitor"]}
    with psycopg.connect(**stage["reach"][way]["standby15"], **login) as connection:
        assert connection.execute("SELECT pg_is_in_recovery()").fetchone() == (True,)
    with psycopg.connect(**stage["reach"][way]["postgresql15"], **login) as connection:
        names = connection.execute("SELECT application_name, state FROM pg_stat_replication").fetchall()
    assert names == [("standby15", "streaming")]


@pytest.mark.parametrize("way", WAYS)
def test_mongodb_is_the_primary_of_its_replica_set(stage: dict[str, Any], way: str) -> None:
    with mongodb(stage, way, stage["passwords"]["monitor"]) as client:
        status = client.admin.command("replSetGetStatus")
        assert client.server_info()["version"].split(".")[0] == "6"
    assert [member["stateStr"] for member in status["members"]] == ["PRIMARY"]


@pytest.mark.parametrize("way", WAYS)
def test_redis_answers_with_its_version(stage: dict[str, Any], way: str) -> None:
    place = stage["reach"][way]["redis"]
    with redis.Redis(place["host"], place["port"], password=stage["passwords"]["admin"]) as client:
        assert client.info("server")["redis_version"].split(".")[0] == "7"


def test_no_store_lets_a_wrong_password_in(stage: dict[str, Any]) -> None:
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        postgresql(stage, "local", "postgresql17", "wrong")
    with mongodb(stage, "local", "wrong") as client, pytest.raises(pymongo.errors.OperationFailure) as refused:
        client.admin.command("replSetGetStatus")
    assert refused.value.code == 18
    place = stage["reach"]["local"]["redis"]
    client = redis.Redis(place["host"], place["port"], password="wrong")
    with client, pytest.raises(redis.exceptions.AuthenticationError):
        client.ping()


@pytest.mark.parametrize("driver", ["psycopg", "pymongo", "redis", "jinja2", "cryptography"])
def test_managed_host_has_the_driver(inside: Callable[[str], Host], driver: str) -> None:
    assert inside("ops").run("python3 -c %s", f"import {driver}").rc == 0


def test_managed_host_sees_the_data_of_the_stores(inside: Callable[[str], Host]) -> None:
    ops = inside("ops")
    assert ops.file("/srv/postgresql17/data/PG_VERSION").content_string.strip() == "17"
    assert ops.file("/srv/postgresql15/data/PG_VERSION").content_string.strip() == "15"
    assert ops.file("/srv/mongodb/WiredTiger").exists
    assert ops.file("/srv/redis/redis.conf").mode == 0o600


def test_a_restarted_store_keeps_its_address(stage: dict[str, Any]) -> None:
    container = stage["stores"]["redis"]["container"]
    for verb in (["stop", "--time=5"], ["start"]):
        subprocess.run([stage["engine"], *verb, container], check=True, capture_output=True)
    place = stage["reach"]["ops"]["redis"]
    retry = redis.retry.Retry(redis.backoff.ConstantBackoff(0.1), 100)
    with redis.Redis(place["host"], place["port"], password=stage["passwords"]["admin"], retry=retry) as client:
        assert client.ping()
