# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the role did is seen in the stores; what a server cannot do for want of an extension is not asked of it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import psycopg
import pytest
from testinfra.host import Host

WAYS = {"postgresql15": "ops", "postgresql17": "local"}
"""From which host each server was maintained."""


class Server:
    """One server: ``name`` in the plan, and a session in the database that was maintained."""

    def __init__(self, name: str, session: psycopg.Connection[Any]) -> None:
        self.name, self.session = name, session

    def value(self, query: str, *values: str) -> Any:
        """The one value of a query."""
        row = self.session.execute(query, values).fetchone()
        assert row
        return row[0]

    def has(self, extension: str) -> bool:
        """Whether the database has an extension, which not every image brings."""
        return bool(self.value("SELECT count(*) FROM pg_extension WHERE extname = %s", extension))


@pytest.fixture(params=list(WAYS))
def server(request: pytest.FixtureRequest, stage: dict[str, Any]) -> Iterator[Server]:
    """Each server in turn."""
    with psycopg.connect(
        **stage["reach"]["local"][request.param],
        user="upkeep_admin",
        password=stage["passwords"]["admin"],
        dbname="upkeep_maintenance",
        autocommit=True,
    ) as session:
        yield Server(request.param, session)


@pytest.fixture
def results(server: Server, place: Callable[[str], tuple[Host, str]]) -> dict[str, dict[str, Any]]:
    """What the last run of the role returned for the server, by step."""
    host, folder = place(WAYS[server.name])
    found = json.loads(host.file(f"{folder}/postgresql-results.json").content_string)
    return {result["name"].removeprefix(f"{server.name} "): result for result in found}


def findings(result: dict[str, Any], text: str) -> list[str]:
    """Messages of the findings that name something."""
    return [finding["message"] for finding in result["findings"] if text in str(finding)]


def test_every_step_was_made_and_none_failed(results: dict[str, dict[str, Any]]) -> None:
    assert set(results) == {"retention", "archive", "reindex", "slow log", "indexes", "vacuum", "audit"}
    for result in results.values():
        assert not result.get("failed"), result
        assert [action for action in result["actions"] if action["state"] == "failed"] == []


OLD = """
SELECT count(*) FILTER (WHERE created_at < now() - interval '90 days' AND status = 'completed') AS old, count(*) AS rows
"""


def test_old_rows_are_in_the_archive_and_only_there(server: Server) -> None:
    assert server.session.execute(OLD + "FROM events").fetchone() == (0, 19800)
    assert server.session.execute(OLD + "FROM events_archive").fetchone() == (16200, 16200)
    both = "SELECT count(DISTINCT id) FROM (SELECT id FROM events UNION ALL SELECT id FROM events_archive) AS every"
    assert server.value(both) == 36000


def test_rows_that_were_kept_for_long_enough_are_gone(server: Server) -> None:
    assert server.value("SELECT count(*) FROM submissions") == 3000
    assert server.value("SELECT count(*) FROM submissions WHERE created_at < now() - interval '30 days'") == 0


def test_dead_rows_are_vacuumed_away(server: Server) -> None:
    dead = "SELECT n_dead_tup FROM pg_stat_user_tables WHERE last_vacuum IS NOT NULL AND relname = 'Order Items'"
    assert server.value(dead) == 0


def test_the_bloated_index_is_rebuilt(server: Server) -> None:
    assert server.value("SELECT pg_relation_size('readings_pkey')") < 800_000
    assert server.value("SELECT count(*) FROM pg_index WHERE NOT indisvalid") == 0


def test_the_declared_index_is_there(server: Server) -> None:
    definition = server.value("SELECT pg_get_indexdef('events_created_at'::regclass)")
    assert definition.endswith("ON public.events USING btree (created_at)")


def test_an_unused_index_goes_and_what_a_standby_uses_stays(server: Server) -> None:
    left = "SELECT string_agg(indexrelname, ' ' ORDER BY 1) FROM pg_stat_user_indexes WHERE indexrelname ~ '^users_by'"
    assert server.value(left) == ("users_by_city" if server.name == "postgresql15" else None)


def test_a_bloated_table_is_written_anew_where_that_can_be_done(server: Server, inside: Callable[[str], Host]) -> None:
    if server.name == "postgresql15" and not (server.has("pg_repack") and inside("ops").exists("pg_repack")):
        pytest.skip("neither the stock image of PostgreSQL nor that of Python brings pg_repack")
    assert server.value("SELECT count(*) FROM padded") == 4000
    assert server.value("SELECT pg_relation_size('padded')") < 4_000_000
    assert server.value("SELECT count(*) FROM pg_tables WHERE schemaname = 'repack'") == 0


def test_the_foreign_key_without_an_index_is_found(results: dict[str, dict[str, Any]]) -> None:
    assert findings(results["audit"], "events_user_id_fkey")


def test_hypopg_proves_what_an_index_would_save(server: Server, results: dict[str, dict[str, Any]]) -> None:
    if not server.has("hypopg"):
        pytest.skip(f"the image of {server.name} does not bring hypopg")
    (message,) = findings(results["audit"], "the index would save")
    assert "user_id" in message


def test_slow_statements_are_recorded(server: Server) -> None:
    assert server.value("SHOW log_min_duration_statement") == "500ms"


def test_no_password_is_in_the_results(results: dict[str, dict[str, Any]], stage: dict[str, Any]) -> None:
    assert not any(password in str(results) for password in stage["passwords"].values())
