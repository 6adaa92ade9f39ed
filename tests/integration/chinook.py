# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A small healthy database: a shop for music, in the manner of the sample named Chinook, made up here."""

from __future__ import annotations

from tests.integration.postgresql_audit import vacuum
from tests.stack.endpoint import Endpoint
from tests.stack.servers.postgresql import connect

__all__ = ["fill_chinook"]

SCHEMA = """
CREATE TABLE artist (artist_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, name text NOT NULL UNIQUE);
CREATE TABLE album (album_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, title text NOT NULL,
  artist_id bigint NOT NULL REFERENCES artist);
CREATE TABLE genre (genre_id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, name text NOT NULL UNIQUE);
CREATE TABLE track (track_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, name text NOT NULL,
  album_id bigint NOT NULL REFERENCES album, genre_id int REFERENCES genre, milliseconds int NOT NULL,
  unit_price numeric(10, 2) NOT NULL);
CREATE TABLE customer (customer_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, email text NOT NULL UNIQUE,
  name text NOT NULL, country text NOT NULL);
CREATE TABLE invoice (invoice_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  customer_id bigint NOT NULL REFERENCES customer, invoice_date timestamptz NOT NULL, total numeric(10, 2) NOT NULL);
CREATE TABLE invoice_line (invoice_line_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  invoice_id bigint NOT NULL REFERENCES invoice ON DELETE CASCADE, track_id bigint NOT NULL REFERENCES track,
  quantity int NOT NULL, unit_price numeric(10, 2) NOT NULL);
CREATE INDEX album_artist ON album (artist_id);
CREATE INDEX track_album ON track (album_id);
CREATE INDEX track_genre ON track (genre_id);
CREATE INDEX invoice_customer ON invoice (customer_id, invoice_date DESC);
CREATE INDEX invoice_line_invoice ON invoice_line (invoice_id);
CREATE INDEX invoice_line_track ON invoice_line (track_id);
"""

ROWS = """
INSERT INTO artist (name) SELECT 'Artist ' || n FROM generate_series(1, 200) n;
INSERT INTO album (title, artist_id) SELECT 'Album ' || n, 1 + n % 200 FROM generate_series(1, 800) n;
INSERT INTO genre (name) SELECT 'Genre ' || n FROM generate_series(1, 25) n;
INSERT INTO track (name, album_id, genre_id, milliseconds, unit_price)
  SELECT 'Track ' || n, 1 + n % 800, 1 + n % 25, 60000 + n * 37 % 400000, 0.99 FROM generate_series(1, 8000) n;
INSERT INTO customer (email, name, country)
  SELECT 'customer' || n || '@example.com', 'Customer ' || n, 'Country ' || n % 30 FROM generate_series(1, 600) n;
INSERT INTO invoice (customer_id, invoice_date, total)
  SELECT 1 + n % 600, now() - n * interval '3 hours', n % 20 FROM generate_series(1, 12000) n;
INSERT INTO invoice_line (invoice_id, track_id, quantity, unit_price)
  SELECT 1 + n % 12000, 1 + n % 8000, 1, 0.99 FROM generate_series(1, 40000) n;
"""

QUERIES = (
    "SELECT name FROM track WHERE track_id = {n}",
    "SELECT title FROM album JOIN artist USING (artist_id) WHERE artist.artist_id = {n}",
    "SELECT name FROM track WHERE album_id = {n}",
    "SELECT total FROM invoice WHERE customer_id = {n} ORDER BY invoice_date DESC LIMIT 10",
    "SELECT * FROM invoice_line WHERE invoice_id = {n}",
    "SELECT name FROM customer WHERE email = 'customer{n}@example.com'",
)


def fill_chinook(endpoint: Endpoint) -> None:
    """Make the shop, analyze and vacuum it, and use it as its application would."""
    with connect(endpoint) as session:
        session.execute("CREATE EXTENSION IF NOT EXISTS pg_stat_statements")
        session.execute(SCHEMA)
        session.execute(ROWS)
        vacuum(session)
        session.execute("SELECT pg_stat_statements_reset()")  # the import is no use of the application
        for number in range(1, 31):
            for query in QUERIES:
                session.execute(query.format(n=number))
