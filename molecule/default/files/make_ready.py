# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Wait for the stores, start the replica set and make the users; addresses and passwords come as JSON on stdin."""

from __future__ import annotations

import contextlib
import json
import sys
import time
from collections.abc import Callable
from typing import Any

import psycopg
import pymongo
import pymongo.errors
import redis

PATIENCE = 60
"""Seconds to wait for one store; a first start takes two to five on a busy machine."""


def retry(step: Callable[[], Any], *expected: type[Exception]) -> Any:
    """Repeat a step until it works; what an unfinished start raises is expected for a while."""
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        with contextlib.suppress(*expected):
            return step()
        time.sleep(0.2)
    return step()


def postgresql(place: dict[str, Any], passwords: dict[str, str]) -> psycopg.Connection[Any]:
    """Log in as soon as the server lets us."""
    login = {"user": "upkeep_admin", "password": passwords["admin"], "dbname": "beo_automation", "connect_timeout": 5}
    address = {"host": place["host"], "port": place["port"]}
    connection: psycopg.Connection[Any] = retry(lambda: psycopg.connect(**address, **login), psycopg.OperationalError)
    return connection


def ready_postgresql(place: dict[str, Any], passwords: dict[str, str]) -> None:
    """Make the role that monitors, and the extension with the statistics of statements; let standbys in."""
    with postgresql(place, passwords) as connection:
        # The stock image lets everybody in with a password, but standbys. A server's programs stand in its data.
        rule = "SELECT 'host replication upkeep_admin all scram-sha-256'"
        connection.execute(f"COPY ({rule}) TO PROGRAM 'cat >> pg_hba.conf'")
        connection.execute("SELECT pg_reload_conf()")
        connection.execute("CREATE EXTENSION pg_stat_statements")
        statement = psycopg.sql.SQL("CREATE ROLE upkeep_monitor LOGIN PASSWORD {} IN ROLE pg_monitor")
        connection.execute(statement.format(passwords["monitor"]))


def ready_mongodb(place: dict[str, Any], passwords: dict[str, str]) -> None:
    """Start the replica set of one and make its users."""
    own: pymongo.MongoClient[dict[str, Any]] = pymongo.MongoClient(
        "127.0.0.1", place["port"], directConnection=True, serverSelectionTimeoutMS=PATIENCE * 1000
    )
    member = {"_id": 0, "host": f"{place['host']}:{place['port']}"}
    retry(
        lambda: own.admin.command("replSetInitiate", {"_id": "rs0", "members": [member]}),
        pymongo.errors.NotPrimaryError,
    )
    # Until the member has elected itself, nothing can be written.
    retry(
        lambda: own.admin.command("createUser", "upkeep_admin", pwd=passwords["admin"], roles=["root"]),
        pymongo.errors.NotPrimaryError,
        pymongo.errors.OperationFailure,
    )
    login = {"username": "upkeep_admin", "password": passwords["admin"]}
    admin: pymongo.MongoClient[dict[str, Any]] = pymongo.MongoClient(
        place["host"], place["port"], directConnection=True, **login
    )
    roles = ["clusterMonitor", {"role": "read", "db": "delauto"}]
    admin.admin.command("createUser", "upkeep_monitor", pwd=passwords["monitor"], roles=roles)


def ready_redis(place: dict[str, Any], passwords: dict[str, str]) -> None:
    """Wait for the answer to a PING."""
    client = redis.Redis(host=place["host"], port=place["port"], password=passwords["admin"], socket_timeout=5)
    retry(client.ping, redis.exceptions.ConnectionError, redis.exceptions.TimeoutError)


def main() -> None:
    """Make each store ready, the slowest first."""
    given = json.load(sys.stdin)
    stores, passwords = given["stores"], given["passwords"]
    ready_mongodb(stores["mongodb"], passwords)
    for name in ("redis", "redises"):
        ready_redis(stores[name], passwords)
    for name in ("postgresql17", "postgresql15"):
        ready_postgresql(stores[name], passwords)
    postgresql(stores["standby15"], passwords).close()


if __name__ == "__main__":
    main()
