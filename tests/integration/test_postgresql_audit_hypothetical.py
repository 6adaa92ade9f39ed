# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""postgresql_audit_info with hypopg, against Debian's server 15, where both are installed.

Debian: apt-get install postgresql-15 postgresql-15-hypopg
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.integration.postgresql_audit import Audit
from tests.integration.postgresql_health import session
from tests.stack import npm
from tests.stack.endpoint import Endpoint
from tests.stack.servers.postgresql import connect
from tests.stack.stack import Stack

PROGRAMS = Path("/usr/lib/postgresql/15/bin")
HYPOPG = Path("/usr/share/postgresql/15/extension/hypopg.control")
QUERIES: list[dict[str, Any]] = [
    {"name": "one customer", "sql": "SELECT * FROM orders WHERE customer = $1 AND state = 'open' AND at > $2"},
    {"name": "almost all", "sql": "SELECT * FROM orders WHERE at > '2000-01-01'"},
    {"name": "by key", "sql": "SELECT * FROM orders WHERE id = 5"},
    {"name": "odd name", "sql": 'SELECT * FROM orders WHERE "Odd ""N" = 7', "analyze": True},
    {"name": "no order", "sql": "SELECT * FROM orders WHERE place IS NULL"},
]


@pytest.fixture(scope="module")
def debian(make_stack: Callable[..., Stack]) -> Iterator[Endpoint]:
    """Debian's own server, which its hypopg is built for."""
    if not HYPOPG.exists():
        pytest.skip("postgresql-15-hypopg is not installed")
    stack = make_stack("hypopg", "postgresql15")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(npm, "fetch_postgresql", lambda _name, _user: PROGRAMS / "postgres")
        stack.up()
    yield stack.endpoints["postgresql15"]
    stack.down()


TABLE = """
CREATE TABLE orders (id int PRIMARY KEY, customer int, state text, at timestamptz, "Odd ""N" int, place point);
INSERT INTO orders SELECT n, n % 5000, 'open', '2020-01-01', n, '(1,2)' FROM generate_series(1, 60000) AS n;
ANALYZE orders;
"""


def test_what_an_index_would_save(debian: Endpoint) -> None:
    with session(debian, "DROP TABLE IF EXISTS orders", TABLE, "CREATE EXTENSION IF NOT EXISTS hypopg") as opened:
        before = opened.execute("SELECT count(*) FROM pg_class").fetchone()
        result = Audit(debian).run("missing_indexes", options={"queries": QUERIES})
        assert opened.execute("SELECT count(*) FROM pg_class").fetchone() == before
    named = {finding["subject"].rpartition(".")[2]: finding for finding in result["findings"]}
    assert set(named) == {"one customer", "odd name"}, result["findings"]
    finding = named["one customer"]
    assert (finding["id"], finding["severity"]) == ("postgresql.missing_index", "warning")
    assert finding["value"] > 90
    assert '"customer"' in finding["message"]
    assert 'CREATE INDEX ON "public"."orders" ("Odd ""N")' in named["odd name"]["message"]
    again = Audit(debian).run("missing_indexes", options={"queries": QUERIES}, index_saving_percent="off")
    assert again["findings"] == []


def test_without_the_extension_it_is_silent(debian: Endpoint) -> None:
    with connect(debian) as opened:
        opened.execute("DROP EXTENSION IF EXISTS hypopg")
    result = Audit(debian).run("missing_indexes", options={"queries": QUERIES})
    assert result["findings"] == []
    with connect(debian) as opened:
        opened.execute('CREATE SCHEMA IF NOT EXISTS "hypo thetical"')
        opened.execute('CREATE EXTENSION hypopg SCHEMA "hypo thetical"')
    assert len(Audit(debian).run("missing_indexes", options={"queries": QUERIES})["findings"]) == 2
