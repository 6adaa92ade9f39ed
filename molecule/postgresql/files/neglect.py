# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Make or remove a neglected database on each PostgreSQL; addresses and passwords come as JSON on stdin.

Usage: neglect.py make|remove
"""

from __future__ import annotations

import json
import sys
import time
from typing import Any

import psycopg
from psycopg import sql

DATABASE = "upkeep_maintenance"
OWNER = "upkeep_owner"
PRIMARIES = ("postgresql17", "postgresql15")
STANDBY = {"postgresql15": "standby15"}
PATIENCE = 60

# No autovacuum comes while the scenario runs, so that what is seen afterwards was done by the role.
QUIET = "ALTER SYSTEM SET autovacuum_naptime = '1d'"
WANTED_EXTENSIONS = ("pg_stat_statements", "pgstattuple", "hypopg", "pg_repack")

# Made by the owner.
TABLES = """
CREATE TABLE users (id bigint PRIMARY KEY, email text NOT NULL UNIQUE, city text NOT NULL, team int NOT NULL);
CREATE TABLE events (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, user_id bigint NOT NULL REFERENCES users,
  status text NOT NULL, payload jsonb NOT NULL, created_at timestamptz NOT NULL);
CREATE TABLE submissions (id bigint PRIMARY KEY, terms text NOT NULL, created_at timestamptz NOT NULL);
CREATE TABLE "Order Items" (id bigint PRIMARY KEY, amount numeric NOT NULL);
CREATE TABLE readings (id bigint PRIMARY KEY, device int NOT NULL, value real NOT NULL);
CREATE TABLE padded (id bigint PRIMARY KEY, body text NOT NULL);

INSERT INTO users SELECT n, 'user' || n || '@example.com', 'city' || n % 50, n % 9 FROM generate_series(1, 5000) n;
INSERT INTO events (user_id, status, payload, created_at)
  SELECT 1 + n % 5000, CASE WHEN n % 10 = 0 THEN 'failed' ELSE 'completed' END, jsonb_build_object('n', n),
    now() - (n % 180 + 0.5) * interval '1 day' FROM generate_series(1, 36000) n;
INSERT INTO submissions SELECT n, 'terms', now() - (n % 60 + 0.5) * interval '1 day' FROM generate_series(1, 6000) n;
INSERT INTO "Order Items" SELECT n, n FROM generate_series(1, 40000) n;
INSERT INTO readings SELECT n, n % 10, 0 FROM generate_series(1, 150000) n;
INSERT INTO padded SELECT n, repeat(md5(n::text), 16) FROM generate_series(1, 20000) n;

CREATE INDEX users_by_city ON users (city);
CREATE INDEX users_by_team ON users (team);
"""
VACUUMED = ("readings", "padded")
NEGLECT = """
DELETE FROM readings WHERE id % 8 <> 0;
DELETE FROM padded WHERE id % 5 <> 0;
"""
DEAD = """DELETE FROM "Order Items" WHERE id % 2 = 0"""
# The standby's own work: nobody on the primary uses the index that it takes.
READ = "SELECT count(*) FROM users WHERE city = 'city7'"


def connect(place: dict[str, Any], password: str, user: str = "upkeep_admin", database: str = DATABASE) -> Any:
    """A session that commits every statement."""
    return psycopg.connect(**place, user=user, password=password, dbname=database, connect_timeout=10, autocommit=True)


def make(name: str, stores: dict[str, Any], passwords: dict[str, str]) -> None:
    """Make and neglect the database on one server."""
    remove(name, stores, passwords)
    place, owner = stores[name], sql.Identifier(OWNER)
    with connect(place, passwords["admin"], database="postgres") as session:
        login = sql.SQL("CREATE ROLE {} LOGIN PASSWORD {} IN ROLE pg_monitor")
        session.execute(login.format(owner, sql.Literal(passwords["monitor"])))
        database = sql.SQL("CREATE DATABASE {} OWNER {} TEMPLATE template0")
        session.execute(database.format(sql.Identifier(DATABASE), owner))
        session.execute(QUIET)
        session.execute("SELECT pg_reload_conf()")
    with connect(place, passwords["admin"]) as session:
        there = session.execute("SELECT name FROM pg_available_extensions WHERE name = ANY(%s)", [[*WANTED_EXTENSIONS]])
        for (extension,) in there.fetchall():
            session.execute(sql.SQL("CREATE EXTENSION {}").format(sql.Identifier(extension)))
        session.execute(sql.SQL("GRANT ALL ON SCHEMA public TO {}").format(owner))
    vacuums = [f"VACUUM (ANALYZE) {table}" for table in VACUUMED]
    for statement in (TABLES, "ANALYZE", NEGLECT, *vacuums, DEAD):
        # Each in a session of its own, whose end brings its statistics to the server: what is counted is in order.
        with connect(place, passwords["monitor"], OWNER) as session:
            session.execute(statement)
    if name in STANDBY:
        read_on_standby(place, stores[STANDBY[name]], passwords)


def read_on_standby(place: dict[str, Any], standby: dict[str, Any], passwords: dict[str, str]) -> None:
    """Use an index on the standby, once it has what the primary has."""
    with connect(place, passwords["admin"]) as session:
        target = session.execute("SELECT pg_current_wal_flush_lsn()::text").fetchone()
    end = time.monotonic() + PATIENCE
    with connect(standby, passwords["admin"], database="postgres") as session:
        while session.execute("SELECT pg_last_wal_replay_lsn() >= %s::pg_lsn", target).fetchone() != (True,):
            if time.monotonic() > end:
                sys.exit(f"the standby has not replayed {target} within {PATIENCE} s")
            time.sleep(0.1)
    with connect(standby, passwords["admin"]) as session:
        session.execute("SET enable_seqscan = off")
        session.execute("SET enable_bitmapscan = off")
        session.execute(READ)


def remove(name: str, stores: dict[str, Any], passwords: dict[str, str]) -> None:
    """Leave the server as it was."""
    with connect(stores[name], passwords["admin"], database="postgres") as session:
        session.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(DATABASE)))
        session.execute(sql.SQL("DROP ROLE IF EXISTS {}").format(sql.Identifier(OWNER)))
        session.execute("ALTER SYSTEM RESET autovacuum_naptime")
        session.execute("SELECT pg_reload_conf()")


def main() -> None:
    """Do it on every server."""
    given = json.load(sys.stdin)
    step = {"make": make, "remove": remove}[sys.argv[1]]
    for name in PRIMARIES:
        step(name, given["stores"], given["passwords"])


if __name__ == "__main__":
    main()
