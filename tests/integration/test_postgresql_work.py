# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What every module that changes a PostgreSQL server relies on, against real servers."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, NamedTuple

import psycopg
import pytest

from ansible_collections.dataops.upkeep.plugins.module_utils._core.action import Action, ActionState
from ansible_collections.dataops.upkeep.plugins.module_utils._core.errors import (
    InvalidInput,
    StoreError,
    StoreTimeout,
    StoreUnreachable,
)
from ansible_collections.dataops.upkeep.plugins.module_utils._core.runner import Context, Decision
from ansible_collections.dataops.upkeep.plugins.module_utils._postgresql.client import PostgresqlClient
from ansible_collections.dataops.upkeep.plugins.module_utils._postgresql.errors import StandbyServer
from ansible_collections.dataops.upkeep.plugins.module_utils._postgresql.relation import resolve_relations
from ansible_collections.dataops.upkeep.plugins.module_utils._postgresql.statement import Statement
from ansible_collections.dataops.upkeep.plugins.module_utils._postgresql.work import WorkTask, retried
from tests.integration.health import context
from tests.integration.postgresql_work import do, states
from tests.stack.endpoint import Endpoint
from tests.stack.servers.postgresql import connect


class Mark(NamedTuple):
    """A row of ``marks``."""

    mark: str


class Fill(WorkTask[int]):
    """Adds a row to table ``marks`` until it has two."""

    job = "fill"

    def read(self, client: PostgresqlClient) -> int:
        return len(client.rows("read", "SELECT mark FROM public.marks", Mark))

    def decide(self, observation: int) -> Decision:
        insert = Statement("INSERT INTO {table} VALUES ({text})", {"table": ("public", "marks")}, {"text": "it's"})
        action = Action("insert", "public.marks", f"it has {observation} rows", insert.text, work=insert)
        return Decision(actions=[action] * (2 - observation))

    def carry_out(self, client: PostgresqlClient, action: Action) -> Action:
        rows = client.execute("insert", action.work, 5)
        return action.became(ActionState.DONE, f"{rows} rows")


@pytest.fixture
def marks(fresh_postgresql18_database: Endpoint) -> Endpoint:
    """A database with an empty table ``marks``."""
    with connect(fresh_postgresql18_database) as session:
        session.execute("CREATE TABLE marks (mark text)")
    return fresh_postgresql18_database


def count(endpoint: Endpoint) -> int:
    with connect(endpoint) as session:
        (found,) = session.execute("SELECT count(*) FROM marks").fetchone() or (None,)
    return int(str(found))


def test_check_mode_plans_what_the_run_does_and_a_second_run_does_nothing(marks: Endpoint) -> None:
    planned = do(Fill, marks, check=True)
    assert states(planned) == [("insert", "public.marks", "planned")] * 2
    assert count(marks) == 0
    done = do(Fill, marks)
    assert done["changed"]
    assert [action["statement"] for action in done["actions"]] == [action["statement"] for action in planned["actions"]]
    assert count(marks) == 2
    again = do(Fill, marks)
    assert not again["changed"]
    assert again["actions"] == []


class Writing(Fill):
    """Writes where it should only read."""

    def read(self, client: PostgresqlClient) -> int:
        return client.execute("write too early", Statement("INSERT INTO public.marks VALUES ('x')"), 5)


def test_a_session_cannot_write_before_the_first_action(marks: Endpoint) -> None:
    with pytest.raises(StoreError, match="read-only"):
        do(Writing, marks, check=True)
    assert count(marks) == 0


def test_a_second_run_at_the_same_time_is_skipped_and_says_who_is_at_work(marks: Endpoint) -> None:
    inner: list[dict[str, Any]] = []

    class Outer(Fill):
        def carry_out(self, client: PostgresqlClient, action: Action) -> Action:
            inner.append(do(Fill, marks))
            return super().carry_out(client, action)

    outer = do(Outer, marks)
    assert [action["state"] for action in outer["actions"]] == ["done", "done"]
    assert [action["state"] for action in inner[0]["actions"]] == ["skipped", "skipped"]
    assert [finding["id"] for finding in inner[0]["findings"]] == ["postgresql.locked"]
    assert "pid" in inner[0]["findings"][0]["message"]
    assert not inner[0]["changed"]
    assert count(marks) == 2, "only the run with the lock did anything"
    with connect(marks) as session:
        assert session.execute("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'").fetchone() == (0,)


def test_a_lock_of_the_application_is_waited_for_no_longer_than_allowed(marks: Endpoint) -> None:
    with connect(marks) as session, session.transaction():
        session.execute("LOCK TABLE marks IN SHARE MODE")
        result = do(Fill, marks, lock_timeout="0.2")
    assert [action["state"] for action in result["actions"]] == ["failed", "failed"]
    assert "holds the lock" in result["actions"][0]["detail"]
    assert result["actions"][0]["seconds"] < 2
    assert count(marks) == 0


def test_what_may_pass_is_tried_again(marks: Endpoint) -> None:
    holder = connect(marks)
    holder.execute("BEGIN")
    holder.execute("LOCK TABLE marks IN SHARE MODE")

    class Patient(Fill):
        attempts = 0

        def carry_out(self, client: PostgresqlClient, action: Action) -> Action:
            def attempt() -> Action:
                Patient.attempts += 1
                if Patient.attempts == 2:
                    holder.execute("COMMIT")
                return super(Patient, self).carry_out(client, action)

            return retried(self.context, attempt)

    result = do(Patient, marks, lock_timeout="0.1")
    holder.close()
    assert [action["state"] for action in result["actions"]] == ["done", "done"]
    assert Patient.attempts == 3


class Slow(Fill):
    """Sleeps instead of inserting."""

    def carry_out(self, client: PostgresqlClient, action: Action) -> Action:
        client.execute("sleep", Statement("SELECT pg_sleep(30)"), 0.2)
        return action


def test_the_server_ends_a_statement_at_its_limit_and_the_session_goes_on(marks: Endpoint) -> None:
    result = do(Slow, marks)
    assert [action["state"] for action in result["actions"]] == ["failed", "failed"]
    assert all("time limit" in action["detail"] for action in result["actions"])


def test_a_lost_connection_fails_what_is_left_at_once(marks: Endpoint) -> None:
    class Cut(Fill):
        def carry_out(self, client: PostgresqlClient, action: Action) -> Action:
            with connect(marks) as session:
                session.execute(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'upkeep'"
                )
            return super().carry_out(client, action)

    result = do(Cut, marks)
    assert [action["state"] for action in result["actions"]] == ["failed", "failed"]
    assert count(marks) == 0


def test_a_transaction_is_whole_or_nothing(marks: Endpoint) -> None:
    class Half(Fill):
        def carry_out(self, client: PostgresqlClient, action: Action) -> Action:
            with client.transaction("fill"):
                super().carry_out(client, action)
                client.execute("fail", Statement("SELECT 1/0"), 5)
            return action

    result = do(Half, marks)
    assert [action["state"] for action in result["actions"]] == ["failed", "failed"]
    assert "division by zero" in result["actions"][0]["detail"]
    assert count(marks) == 0


def test_warnings_of_the_server_reach_the_task(marks: Endpoint) -> None:
    heard: list[str] = []

    class Warned(Fill):
        def carry_out(self, client: PostgresqlClient, action: Action) -> Action:
            client.execute("warn", Statement("DO $$ BEGIN RAISE WARNING 'beware'; END $$"), 5)
            heard.extend(client.notices)
            return action.became(ActionState.DONE)

    do(Warned, marks)
    assert heard == ["beware", "beware"]


def test_a_standby_is_refused_with_nothing_done(postgresql18_pair: tuple[Endpoint, Endpoint]) -> None:
    _primary, standby = postgresql18_pair
    with pytest.raises(StandbyServer, match="primary"):
        do(Fill, standby)


def test_a_session_that_ends_while_it_works_is_noticed_by_the_server(marks: Endpoint) -> None:
    class Shows(Fill):
        def carry_out(self, client: PostgresqlClient, action: Action) -> Action:
            shown = client.rows("read", "SELECT current_setting('client_connection_check_interval') AS mark", Mark)
            return action.became(ActionState.DONE, shown[0].mark)

    assert do(Shows, marks)["actions"][0]["detail"] == "2s"


class TestRelations:
    """Names of a user, resolved in the catalogue."""

    def resolve(self, endpoint: Endpoint, *names: str) -> list[str]:
        found: list[str] = []

        class Resolve(Fill):
            def read(self, client: PostgresqlClient) -> int:
                found.extend(relation.label for relation in resolve_relations(client, "tables", names))
                return 2

        do(Resolve, endpoint)
        return found

    @pytest.fixture
    def named(self, marks: Endpoint) -> Endpoint:
        with connect(marks) as session:
            for statement in (
                'CREATE SCHEMA "My App"',
                'CREATE TABLE "My App"."Order; DROP" ()',
                'CREATE TABLE "My App".marks ()',
                'CREATE TABLE "Straße" ()',
                f'CREATE TABLE "{"n" * 63}" ()',
                "CREATE VIEW seen AS SELECT 1 AS id",
                "CREATE FOREIGN DATA WRAPPER far; CREATE SERVER far FOREIGN DATA WRAPPER far",
                "CREATE FOREIGN TABLE abroad (id int) SERVER far",
                "CREATE SEQUENCE counter; CREATE INDEX quick ON public.marks (mark)",
            ):
                session.execute(statement.encode())
        return marks

    def test_names_are_found_as_sql_finds_them(self, named: Endpoint) -> None:
        names = ('"Order; DROP"', '"Straße"', "public.MARKS", '"My App".marks', "n" * 63)
        expected = ["My App.Order; DROP", "public.Straße", "public.marks", "My App.marks", "public." + "n" * 63]
        assert self.resolve(named, *names) == expected

    @pytest.mark.parametrize(
        ("name", "remedy"),
        [
            ("marks", 'Name its schema: "My App"."marks", "public"."marks"'),
            ("straße", 'There is "public"."Straße": write it so'),
            ("nothing", "Check its name"),
            ("pg_class", "Check its name"),
            ("marks; DROP TABLE marks", "Write it as in SQL"),
            ("n" * 64, "longer than the 63 bytes"),
            ("seen", "'seen' is a view"),
            ("abroad", "'abroad' is a foreign table"),
            ("public.counter", "'public.counter' is a sequence"),
            ("quick", "'quick' is an index"),
        ],
    )
    def test_a_name_that_cannot_be_resolved_says_what_to_do(self, named: Endpoint, name: str, remedy: str) -> None:
        with pytest.raises(InvalidInput) as caught:
            self.resolve(named, name)
        assert remedy in str(caught.value)


def test_store_down_and_wrong_password_are_said(marks: Endpoint, dead_port: tuple[str, int]) -> None:
    with pytest.raises(StoreUnreachable):
        do(Fill, replace(marks, port=dead_port[1]))
    with pytest.raises(StoreError, match="authentication"):
        do(Fill, replace(marks, password="wrong-password"))


def test_an_error_keeps_its_sqlstate(marks: Endpoint) -> None:
    codes: list[str | None] = []

    class Coded(Fill):
        def carry_out(self, client: PostgresqlClient, action: Action) -> Action:
            try:
                client.execute("fail", Statement("SELECT pg_sleep(30)"), 0.05)
            except StoreTimeout as error:
                codes.append(error.code)
            return action.became(ActionState.DONE)

    do(Coded, marks)
    assert codes == [psycopg.errors.QueryCanceled.sqlstate] * 2


def context_of(endpoint: Endpoint) -> Context:
    return context({"lock_timeout": "nonsense", **endpoint.options()})


def test_a_lock_timeout_that_is_no_duration_is_refused(marks: Endpoint) -> None:
    with pytest.raises(InvalidInput, match="lock_timeout"):
        Fill(context_of(marks))
