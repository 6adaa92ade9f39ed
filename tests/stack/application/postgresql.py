# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The PostgreSQL side: database `beo_automation` of the BEO team, with the tables of the order bot."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import hmac
import json
import random
import secrets
from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import psycopg
from cryptography.hazmat.primitives import padding
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from psycopg import sql

from tests.stack.application.people import generator, moment, person, phone
from tests.stack.application.settings import Settings
from tests.stack.endpoint import Endpoint
from tests.stack.servers.postgresql import connect

__all__ = ["DATABASE", "digest", "load", "maintainer", "submission_key"]

DATABASE = "beo_automation"
PURGER = "beo_purge"
TABLES = ("users", "events", "events_archive", "product_term_submissions", "invoices", "deposits")

SCHEMA = """
CREATE TABLE users (id bigint PRIMARY KEY, email text NOT NULL UNIQUE, full_name text NOT NULL, phone text,
  role text NOT NULL, created_at timestamptz NOT NULL, last_login timestamptz);
CREATE TABLE events (id bigint PRIMARY KEY, user_id bigint NOT NULL REFERENCES users, type text NOT NULL,
  status text NOT NULL, priority text NOT NULL, payload jsonb NOT NULL, created_at timestamptz NOT NULL,
  processed_at timestamptz);
CREATE TABLE events_archive (LIKE events INCLUDING DEFAULTS, PRIMARY KEY (id));
CREATE TABLE product_term_submissions (id bigint PRIMARY KEY, user_id bigint NOT NULL, product_code text NOT NULL,
  accepted_terms text NOT NULL, created_at timestamptz NOT NULL);
CREATE TABLE invoices (id bigint PRIMARY KEY, user_id bigint NOT NULL REFERENCES users, number text NOT NULL UNIQUE,
  amount numeric(14, 2) NOT NULL, status text NOT NULL, created_at timestamptz NOT NULL, expires_at timestamptz,
  paid_at timestamptz, chat_id bigint, message_id bigint);
CREATE TABLE deposits (id bigint PRIMARY KEY, user_id bigint NOT NULL, amount numeric(14, 2) NOT NULL,
  status text NOT NULL, created_at timestamptz NOT NULL, expires_at timestamptz);
CREATE EXTENSION pg_stat_statements;
CREATE EXTENSION pgstattuple;
"""
USEFUL_INDEXES = """
CREATE INDEX idx_events_status_type ON events (status, type);
CREATE INDEX idx_invoices_user ON invoices (user_id);
CREATE INDEX idx_invoices_status ON invoices (status, expires_at);
"""
# What a tidy database has besides, and a neglected one lacks: events.user_id is a foreign key, the others are searched.
MISSING_WHEN_PLANTED = """
CREATE INDEX idx_events_user ON events (user_id);
CREATE INDEX idx_events_created_at ON events (created_at DESC);
CREATE INDEX idx_submissions_created_at ON product_term_submissions (created_at);
CREATE INDEX idx_deposits_user ON deposits (user_id);
"""
NEEDLESS_INDEXES = """
CREATE INDEX idx_events_status ON events (status);
CREATE INDEX idx_events_type_status ON events (status, type);
CREATE INDEX idx_events_priority ON events (priority);
CREATE INDEX idx_users_full_name ON users (full_name);
"""


def load(server: Endpoint, settings: Settings) -> Endpoint:
    """Make and fill the database; returns its endpoint."""
    name = sql.Identifier(DATABASE)
    with connect(server) as session:
        session.execute(sql.SQL("CREATE DATABASE {} TEMPLATE template0").format(name))
    database = server.with_database(DATABASE)
    with connect(database) as session:
        session.execute(SCHEMA)
        users = settings.count(2000)
        for table, rows in _tables(settings, users):
            _copy(session, table, rows)
        session.execute(USEFUL_INDEXES)
        if settings.planted:
            _plant(session)
        else:
            session.execute(MISSING_WHEN_PLANTED)
            session.execute("VACUUM (ANALYZE)")
        _use(session, generator(settings.seed, "use"), users)
    return database


def maintainer(database: Endpoint) -> Endpoint:
    """Make the user who purges old submissions, with no more rights than that takes; returns the database as theirs."""
    role = sql.Identifier(PURGER)
    password = secrets.token_urlsafe(18) if database.password is not None else None
    with connect(database) as session:
        session.execute(sql.SQL("CREATE ROLE {} LOGIN PASSWORD {}").format(role, sql.Literal(password)))
        session.execute(sql.SQL("GRANT SELECT, UPDATE, DELETE ON product_term_submissions TO {}").format(role))
    return replace(database, user=PURGER, password=password)


def _tables(settings: Settings, users: int) -> Iterator[tuple[str, Iterable[tuple[Any, ...]]]]:
    yield "users", _users(settings, users)
    count = settings.count(12_000)
    yield "events", _events(settings, "events", users, range(1, count + 1), oldest=180, newest=0)
    archived = range(10_000_000, 10_000_000 + settings.count(4000))
    yield "events_archive", _events(settings, "events_archive", users, archived, oldest=500, newest=181)
    yield "product_term_submissions", _submissions(settings, users)
    yield "invoices", _invoices(settings, users)
    yield "deposits", _deposits(settings, users)


def _users(settings: Settings, count: int) -> Iterator[tuple[Any, ...]]:
    source = generator(settings.seed, "postgresql.users")
    for number in range(1, count + 1):
        name, mail = person(source, number)
        shared = settings.planted and number % 100 == 0  # two people with one telephone: see _plant
        created = moment(source, settings.now, 900, 1)
        login = moment(source, settings.now, 300) if source.random() < 0.9 else None
        role = source.choices(("user", "admin"), (97, 3))[0]
        yield number, mail, name, phone(source, number - 1 if shared else number), role, created, login


def _events(
    settings: Settings, purpose: str, users: int, numbers: range, oldest: float, newest: float
) -> Iterator[tuple[Any, ...]]:
    source = generator(settings.seed, f"postgresql.{purpose}")
    for number in numbers:
        created = moment(source, settings.now, oldest, newest)
        old = created < settings.now - timedelta(days=7)
        status = source.choices(("completed", "failed"), (95, 5))[0] if old else "pending"
        if not old and source.random() < 0.9:
            status = "completed"
        kind = source.choice(("order.created", "order.paid", "message.sent", "invoice.expired", "workflow.run"))
        payload = {"orderId": source.randrange(10**6), "note": "x" * source.randrange(20, 160)}
        processed = created + timedelta(seconds=source.randrange(1, 90)) if status != "pending" else None
        priority = source.choice(("low", "normal", "high", "urgent"))
        user = source.randrange(1, users + 1)
        yield number, user, kind, status, priority, json.dumps(payload), created, processed


def _submissions(settings: Settings, users: int) -> Iterator[tuple[Any, ...]]:
    """Accepted terms, encrypted by the application; those older than 30 days ought to be gone."""
    source = generator(settings.seed, "postgresql.submissions")
    key = submission_key(settings.seed)
    for number in range(1, settings.count(2500) + 1):
        created = moment(source, settings.now, 60 if settings.planted else 29)
        text = json.dumps({"telegram": source.randrange(10**9), "answer": "accepted"}).encode()
        token = _fernet(key, text, int(created.timestamp()), source)
        yield number, source.randrange(1, users + 1), f"PRD-{source.randrange(40):03d}", token, created


def _invoices(settings: Settings, users: int) -> Iterator[tuple[Any, ...]]:
    source = generator(settings.seed, "postgresql.invoices")
    for number in range(1, settings.count(4000) + 1):
        status, created, expires = _payment(source, settings)
        paid = created + timedelta(minutes=source.randrange(1, 50)) if status == "paid" else None
        amount = source.randrange(10_000, 5_000_000, 500)
        chat = (source.randrange(10**9), source.randrange(10**6))
        yield number, source.randrange(1, users + 1), f"INV-{number:08d}", amount, status, created, expires, paid, *chat


def _deposits(settings: Settings, users: int) -> Iterator[tuple[Any, ...]]:
    source = generator(settings.seed, "postgresql.deposits")
    for number in range(1, settings.count(2000) + 1):
        status, created, expires = _payment(source, settings)
        yield number, source.randrange(1, users + 1), source.randrange(10_000, 900_000, 1000), status, created, expires


def _payment(source: random.Random, settings: Settings) -> tuple[str, datetime, datetime]:
    created = moment(source, settings.now, 120)
    expires = created + timedelta(hours=1)
    if expires > settings.now:
        return "pending", created, expires
    return source.choices(("paid", "expired"), (80, 20))[0], created, expires


def _copy(session: psycopg.Connection[Any], table: str, rows: Iterable[tuple[Any, ...]]) -> None:
    with session.cursor() as cursor, cursor.copy(sql.SQL("COPY {} FROM STDIN").format(sql.Identifier(table))) as copy:
        for row in rows:
            copy.write_row(row)


def _plant(session: psycopg.Connection[Any]) -> None:
    """The troubles that lie in the data and the catalogue (see `planted.py`)."""
    session.execute(NEEDLESS_INDEXES)
    with contextlib.suppress(psycopg.errors.UniqueViolation):  # two users share a telephone: the index stays invalid
        session.execute("CREATE UNIQUE INDEX CONCURRENTLY idx_users_phone ON users (phone)")
    # Every row rewritten twice, then vacuumed: the live rows lie behind two thirds of free space.
    for _number in range(2):
        session.execute("UPDATE events SET payload = payload")
    session.execute("VACUUM (ANALYZE) events")
    # The same, and nobody cleans up after it.
    session.execute("ALTER TABLE invoices SET (autovacuum_enabled = false, toast.autovacuum_enabled = false)")
    for _number in range(2):
        session.execute("UPDATE invoices SET message_id = message_id + 1")


def _use(session: psycopg.Connection[Any], source: random.Random, users: int) -> None:
    """Queries of the application's daily life, so that the useful indexes have been used and the cache is warm."""
    session.execute("SET enable_seqscan = off")  # a small table would be read whole, index or not
    for _number in range(60):
        user = source.randrange(1, users + 1)
        session.execute("SELECT email FROM users WHERE id = %s", [user])
        session.execute("SELECT id FROM invoices WHERE user_id = %s", [user])
        session.execute("SELECT id FROM invoices WHERE status = 'pending' AND expires_at < now()")
        session.execute("SELECT amount FROM deposits WHERE user_id = %s", [user])
        session.execute("SELECT id FROM product_term_submissions WHERE created_at > now() - interval '1 hour'")
        session.execute("SELECT id FROM events WHERE status = 'pending' AND type = 'order.paid' LIMIT 20")
    session.execute("RESET enable_seqscan")
    for _number in range(10):
        session.execute("SELECT count(*) FROM events WHERE user_id = %s", [source.randrange(1, users + 1)])
        session.execute("SELECT id FROM events ORDER BY created_at DESC LIMIT 50")


def digest(database: Endpoint) -> dict[str, str]:
    """A digest of the rows of each table."""
    with connect(database) as session:
        return {table: _table_digest(session, table) for table in TABLES}


def _table_digest(session: psycopg.Connection[Any], table: str) -> str:
    query = sql.SQL("SELECT coalesce(md5(string_agg(t::text, '|' ORDER BY id)), '') FROM {} AS t")
    session.execute("SET timezone = 'UTC'")
    row = session.execute(query.format(sql.Identifier(table))).fetchone()
    assert row is not None
    return str(row[0])


def submission_key(seed: int) -> bytes:
    """The application's DATA_ENCRYPTION_KEY, a Fernet key (url-safe base64 of 32 bytes)."""
    return base64.urlsafe_b64encode(hashlib.sha256(f"{seed}:DATA_ENCRYPTION_KEY".encode()).digest())


def _fernet(key: bytes, text: bytes, when: int, source: random.Random) -> str:
    """A Fernet token (github.com/fernet/spec) with a vector from the seed; the library draws a new one each time."""
    raw = base64.urlsafe_b64decode(key)
    vector = source.randbytes(16)
    padder = padding.PKCS7(128).padder()
    encryptor = Cipher(algorithms.AES(raw[16:]), modes.CBC(vector)).encryptor()
    body = encryptor.update(padder.update(text) + padder.finalize()) + encryptor.finalize()
    signed = b"\x80" + when.to_bytes(8, "big") + vector + body
    return base64.urlsafe_b64encode(signed + hmac.digest(raw[:16], signed, "sha256")).decode()
