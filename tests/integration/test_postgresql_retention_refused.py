# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What postgresql_retention refuses, and why; what is left when it is stopped."""

from __future__ import annotations

import secrets
from dataclasses import replace
from typing import Any

import pytest

from ansible_collections.dataops.upkeep.plugins.module_utils._core.errors import InvalidInput
from tests.integration.postgresql_retention import EVENTS, OLD, ask, count, make, plan, retain, rule, start
from tests.integration.postgresql_work import states
from tests.integration.running import run_module
from tests.integration.waiting import until
from tests.stack.endpoint import Endpoint
from tests.stack.servers.postgresql import connect

SLOW = {"batch_target_ms": 1, "rest_ratio": 200.0}
"""Small pieces and long rests: there is time to come between two of them."""


@pytest.fixture
def events(fresh_postgresql18_database: Endpoint) -> Endpoint:
    """A database with the events."""
    make(fresh_postgresql18_database, EVENTS)
    return fresh_postgresql18_database


@pytest.fixture
def user(events: Endpoint) -> Endpoint:
    """The same database for a user without rights."""
    name, password = f"user_{secrets.token_hex(6)}", secrets.token_hex(8)
    make(events, f"CREATE ROLE {name} LOGIN PASSWORD '{password}'")
    return replace(events, user=name, password=password)


BAD: dict[str, tuple[dict[str, Any], str]] = {
    "a table that is not there": (rule(table="nothing"), "there is no table '\"nothing\"'"),
    "a table of a name too long": (rule(table="x" * 64), "longer than the 63 bytes"),
    "an injected table": (rule(table="events; DROP TABLE events"), "is no name"),
    "a column that is not there": (rule(age_column="made"), "public.events has no column 'made'. It has: id, kind"),
    "an injected column": (rule(age_column="created_at < now() OR true --"), "is no name"),
    "a column without age": (rule(age_column="note"), "of type character varying(40), which holds no age in time"),
    "a number for a time": (rule(age_unit="seconds"), "holds no age in seconds. Set age_unit to time"),
    "an age of nothing": (rule(older_than="0d"), "makes every row old"),
    "an age without unit": (rule(older_than="90"), "is no age"),
    "neither age nor condition": (
        {"name": "all", "table": "events", "action": "delete"},
        "it says neither how old rows have to be nor which ones are meant",
    ),
    "an age without a column": (rule(age_column=None), "belong together"),
    "an unknown column in the condition": (rule(where="state = 'done'"), 'column "state" does not exist'),
    "a condition with two statements": (rule(where="true; DROP TABLE events"), "it has a semicolon"),
    "a condition that leaves its parentheses": (rule(where="true) OR (true"), ") has no counterpart"),
    "a condition with an open comment": (rule(where="true /* OR"), "/* has no counterpart"),
    "a condition with an open quote": (rule(where="kind = 'done"), "' has no counterpart"),
    "a condition that changes something": (rule(where="EXISTS (DELETE FROM events RETURNING 1)"), "syntax error"),
    "a condition with a parameter": (rule(where="kind = $1"), "stands for a parameter"),
    "an archive in no schema": (rule("archive", archive_to="nowhere.events"), "there is no schema 'nowhere'"),
    "an archive that is the table": (rule("archive", archive_to="events"), "the archive is the table itself"),
    "an archive for nothing": (rule(archive_to="events_archive"), "archive_to belongs to the action archive"),
    "no archive": (rule("archive"), "the action archive needs archive_to"),
    "a column that the server fills": (rule("update", set={"doubled": 1}), "the server itself fills"),
    "an update without end": (rule("update", set={"amount": {"expression": "amount + 1"}}), "updated already"),
    "an injected expression": (rule("update", set={"kind": "x", "note": {"expression": "1) --"}}), "no counterpart"),
    "a value of the wrong type": (rule("update", set={"amount": "much"}), "invalid input syntax for type numeric"),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_input_ends_the_run_before_anything_is_done(events: Endpoint, case: str) -> None:
    bad, why = BAD[case]
    good = rule(name="good")
    with pytest.raises(InvalidInput) as error:
        retain(events, good, bad)
    assert why in str(error.value)
    assert count(events) == 4800


def test_a_view_is_no_table(events: Endpoint) -> None:
    make(events, "CREATE VIEW old_events AS SELECT * FROM events", "CREATE TABLE more () INHERITS (events)")
    with pytest.raises(InvalidInput, match="is a view"):
        retain(events, rule(table="old_events"))
    with pytest.raises(InvalidInput, match="other tables inherit"):
        retain(events, rule())


def test_two_rules_of_one_name(events: Endpoint) -> None:
    with pytest.raises(InvalidInput, match="several rules have the name 'old events'"):
        retain(events, rule(), rule())


@pytest.mark.parametrize(
    ("granted", "action", "missing"),
    [
        ("SELECT, UPDATE", rule(), "DELETE on public.events"),
        ("SELECT, DELETE", rule(), "UPDATE on public.events"),
        ("UPDATE, DELETE", rule(), "SELECT on public.events"),
        ("SELECT", rule("update", set={"kind": "old"}), "UPDATE on public.events"),
        ("SELECT, UPDATE, DELETE", rule("archive", archive_to="events_archive"), "CREATE on the schema public"),
    ],
)
def test_what_the_user_may_not_do_is_said_before(
    user: Endpoint, events: Endpoint, granted: str, action: dict[str, Any], missing: str
) -> None:
    make(events, f"GRANT {granted} ON events TO {user.user}")
    result = retain(user, action)
    assert [state for _kind, _subject, state in states(result)] == ["skipped"]
    (finding,) = result["findings"]
    assert (finding["id"], finding["severity"]) == ("postgresql.retention_denied", "critical")
    assert f"lacks {missing}" in finding["message"]
    assert count(events) == 4800


@pytest.mark.parametrize("granted", ["SELECT, UPDATE (note), DELETE", "SELECT, UPDATE, DELETE"])
def test_a_user_with_no_more_than_the_rights_it_takes(user: Endpoint, events: Endpoint, granted: str) -> None:
    make(events, f"GRANT {granted} ON events TO {user.user}")
    with connect(events) as other, other.transaction():
        other.execute("SELECT FROM events WHERE id = 4800 FOR UPDATE")
        result = retain(user, rule())
    assert [finding["id"] for finding in result["findings"]] == ["postgresql.retention_due"]
    assert count(events) == 4800 - OLD + 1


def test_rows_that_row_security_hides(user: Endpoint, events: Endpoint) -> None:
    make(
        events,
        f"GRANT SELECT, UPDATE, DELETE ON events TO {user.user}",
        "ALTER TABLE events ENABLE ROW LEVEL SECURITY",
        "CREATE POLICY failures ON events USING (kind = 'failed')",
    )
    result = retain(user, rule())
    assert [finding["id"] for finding in result["findings"]] == ["postgresql.retention_row_security"]
    assert count(events) == 4800 - OLD // 10


def test_a_server_that_is_down(dead_port: tuple[str, int]) -> None:
    host, port = dead_port
    result = run_module("postgresql_retention", {"login_host": host, "login_port": port, "rules": [rule()]})
    assert result["outcome"] == "failed"
    assert "Could not connect to PostgreSQL" in result["msg"]


def test_the_deadline_ends_it_between_two_pieces(events: Endpoint) -> None:
    result = retain(events, rule(older_than="1d"), seconds=1, **SLOW)
    assert states(result) == [("delete", "public.events", "done")]
    assert "ended early: the deadline is over; the next run goes on" in result["actions"][0]["detail"]
    assert 24 < count(events) < 4800
    assert retain(events, rule(older_than="1d"))["status"] == "ok"
    assert count(events) == 24


def test_killed_half_way_the_next_run_goes_on(events: Endpoint) -> None:
    archive = rule("archive", archive_to="events_archive", older_than="1d")
    process = start(events, archive, **SLOW)
    made = "SELECT to_regclass('events_archive') IS NOT NULL"
    until(lambda: ask(events, made) == [(True,)] and count(events, "events_archive") > 0)
    process.kill()
    process.communicate()
    archived = count(events, "events_archive")
    assert 0 < archived < 4776
    planned = retain(events, archive, check=True)
    assert f"{4776 - archived} rows" in planned["actions"][0]["reason"]
    assert plan(retain(events, archive)) == plan(planned)
    assert (count(events), count(events, "events_archive")) == (24, 4776)


def test_another_run_is_at_work(events: Endpoint) -> None:
    process = start(events, rule("update", set={"kind": "old"}, older_than="1d"), **SLOW)
    until(lambda: count(events, "events WHERE kind = 'old'") > 0)
    result = retain(events, rule())
    process.kill()
    process.communicate()
    assert states(result) == [("delete", "public.events", "skipped")]
    assert [finding["id"] for finding in result["findings"]] == ["postgresql.locked"]
    assert count(events) == 4800


def test_nothing_waits_for_a_long_transaction(events: Endpoint) -> None:
    with connect(events) as other, other.transaction():
        other.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        other.execute("SELECT count(*) FROM events")
        assert retain(events, rule())["status"] == "ok"
        assert other.execute("SELECT count(*) FROM events").fetchone() == (4800,)
