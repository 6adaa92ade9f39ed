# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a test with a server could hardly bring about: command lines, files that cannot be read, missing libraries."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.dataops.upkeep.plugins.module_utils._core.runner import Decision
from ansible_collections.dataops.upkeep.plugins.module_utils._postgresql.slow_log.decide_recording import (
    PRELOAD,
    decide_recording,
)
from ansible_collections.dataops.upkeep.plugins.module_utils._postgresql.slow_log.decide_settings import (
    decide_reload,
    decide_settings,
)
from ansible_collections.dataops.upkeep.plugins.module_utils._postgresql.slow_log.observation import (
    Facts,
    Override,
    Seen,
    Setting,
    Written,
)
from ansible_collections.dataops.upkeep.plugins.module_utils._postgresql.slow_log.policy import Policy
from tests.unit._postgresql.making import ids, one, server

SLOW = "log_min_duration_statement"
FACTS = Facts(True, True, True, True, True, True, True)
POLICY = Policy("server", None, {SLOW: "1000"}, True, "public")


def setting(name: str = SLOW, value: str = "-1", **fields: Any) -> Setting:
    """A setting as the build gives it."""
    unit, context = ("ms", "superuser") if name == SLOW else (None, "postmaster")
    return Setting(name, value, unit, "default", context, False, value, True)._replace(**fields)


def line(name: str, value: str, order: int = 1, file: str = "postgresql.conf", error: str | None = None) -> Written:
    """A line of a configuration file."""
    return Written(name, value, f"/data/{file}", order, order, error)


def seen(*settings: Setting, written: tuple[Written, ...] | None = (), **fields: Any) -> Seen:
    """A server that has loaded the library."""
    known = [setting(), setting(PRELOAD, "pg_stat_statements", source="configuration file")]
    known.append(setting("pg_stat_statements.max", "5000"))
    if written is not None:
        written = (line(PRELOAD, "pg_stat_statements", 0), *written)
    usual = Seen(server(), FACTS, {found.name: found for found in [*known, *settings]}, written, ())
    return usual._replace(**fields)


def without_library(*settings: Setting, written: tuple[Written, ...] | None = (), **fields: Any) -> Seen:
    """A server that has not."""
    made = seen(setting(PRELOAD, ""), *settings, written=written, **fields)
    lines = None if made.written is None else made.written[1:]
    kept = {name: found for name, found in made.settings.items() if name != "pg_stat_statements.max"}
    return made._replace(settings=kept, written=lines)


def statements(decision: Decision) -> list[str]:
    """What is to be run."""
    return [action.statement for action in decision.actions]


def test_the_command_line_is_above_every_file() -> None:
    above = seen(setting(source="command line", value="5"))
    assert ids(decide_settings(above, POLICY, "db")) == [("postgresql.setting_overridden", "critical")]
    assert decide_settings(above, POLICY, "db").actions == []
    as_wanted = seen(setting(source="command line", value="1000"))
    assert decide_settings(as_wanted, POLICY, "db") == Decision()
    assert decide_reload(as_wanted, POLICY, [], "db") == Decision()


def test_the_last_line_of_the_files_counts() -> None:
    lines = (line(SLOW, "1s", 2, "postgresql.auto.conf"), line(SLOW, "5", 1))
    assert decide_settings(seen(written=lines), POLICY, "db").actions == []
    assert statements(decide_reload(seen(written=lines), POLICY, [], "db")) == ["SELECT pg_reload_conf()"]
    in_force = seen(setting(value="1000", source="configuration file"), written=lines)
    assert decide_reload(in_force, POLICY, [], "db").actions == []


@pytest.mark.parametrize(
    ("lines", "undo"),
    [
        ((line(SLOW, "5s", 1, "postgresql.auto.conf"),), f"ALTER SYSTEM SET {SLOW} = '5s'; SELECT pg_reload_conf()"),
        ((line(SLOW, "5s", 1),), f"ALTER SYSTEM RESET {SLOW}; SELECT pg_reload_conf()"),
        ((), f"ALTER SYSTEM RESET {SLOW}; SELECT pg_reload_conf()"),
    ],
)
def test_undo(lines: tuple[Written, ...], undo: str) -> None:
    (action,) = decide_settings(seen(written=lines), POLICY, "db").actions
    assert action.undo == undo


def test_without_the_files_the_session_tells_unless_its_user_has_a_value_of_its_own() -> None:
    assert statements(decide_settings(seen(written=None), POLICY, "db")) == [f"ALTER SYSTEM SET {SLOW} = '1000'"]
    as_wanted = seen(setting(value="1000", source="configuration file"), written=None)
    assert decide_settings(as_wanted, POLICY, "db") == Decision()
    own = decide_settings(seen(setting(source="user"), written=None), POLICY, "db")
    assert (ids(own), own.actions) == ([("postgresql.setting_overridden", "critical")], [])


def test_who_may_not_have_the_files_read_again_is_told_so() -> None:
    weak = seen(facts=FACTS._replace(may_reload=False))
    actions = decide_settings(weak, POLICY, "db").actions
    assert ids(decide_reload(weak, POLICY, actions, "db")) == [("postgresql.access_denied", "critical")]
    assert decide_reload(weak, POLICY, [], "db") == Decision()


def test_a_parameter_that_the_user_may_not_set() -> None:
    finding = one(decide_settings(seen(setting(may_set=False)), POLICY, "db"))
    assert "parameter group" in finding.remedy
    assert f'GRANT ALTER SYSTEM ON PARAMETER {SLOW} TO "monitor"' in finding.remedy


@pytest.mark.parametrize(
    ("own", "scope", "found"),
    [
        (Override("api", None, SLOW, "-1"), "server", True),
        (Override(None, "other", SLOW, "5s"), "server", True),
        (Override("api", None, SLOW, "500ms"), "server", False),
        (Override("api", None, SLOW, "0"), "server", False),
        (Override("api", None, "log_parameter_max_length", "9"), "server", False),
        (Override("api", None, SLOW, "-1"), "database", True),
        (Override("api", "app", SLOW, "-1"), "database", True),
        (Override("api", "other", SLOW, "-1"), "database", False),
        (Override(None, "app", SLOW, "-1"), "database", False),
        (Override("api", "app", SLOW, "-1"), "role", True),
        (Override("api", None, SLOW, "-1"), "role", False),
        (Override("web", "app", SLOW, "-1"), "role", False),
    ],
)
def test_values_above_ours(own: Override, scope: str, found: bool) -> None:
    policy = POLICY._replace(scope=scope, role="api" if scope == "role" else None)
    decision = decide_settings(seen(overrides=(own,)), policy, "db")
    assert ids(decision) == ([("postgresql.setting_overridden", "warning")] if found else [])


@pytest.mark.parametrize(
    ("written", "listed", "undo"),
    [
        ((), "'pg_stat_statements'", f"ALTER SYSTEM RESET {PRELOAD}"),
        (
            (line(PRELOAD, '"$libdir/a b", auto_explain'),),
            "'$libdir/a b', 'auto_explain', 'pg_stat_statements'",
            f"ALTER SYSTEM RESET {PRELOAD}",
        ),
        (
            (line(PRELOAD, "a, b", 3, "postgresql.auto.conf", "setting could not be applied"),),
            "'a', 'b', 'pg_stat_statements'",
            f"ALTER SYSTEM SET {PRELOAD} = 'a', 'b'",
        ),
        ((line(PRELOAD, "", 3, "postgresql.auto.conf"),), "'pg_stat_statements'", f"ALTER SYSTEM RESET {PRELOAD}"),
    ],
)
def test_the_library_is_added_as_an_item_of_its_own(written: tuple[Written, ...], listed: str, undo: str) -> None:
    decision = decide_recording(without_library(written=written), POLICY, "db")
    (action,) = decision.actions
    assert action.statement == f"ALTER SYSTEM SET {PRELOAD} = {listed}"
    assert action.undo == f"{undo}; SELECT pg_reload_conf()"
    assert ids(decision) == [("postgresql.restart_required", "warning")]


def test_a_library_that_waits_for_the_restart() -> None:
    waiting = without_library(written=(line(PRELOAD, "a, $libdir/pg_stat_statements"),))
    decision = decide_recording(waiting, POLICY, "db")
    assert (decision.actions, ids(decision)) == ([], [("postgresql.restart_required", "warning")])
    assert decide_recording(seen(), POLICY, "db") == Decision()


def test_no_server_is_told_to_start_with_a_library_that_it_does_not_have() -> None:
    bare = without_library(facts=FACTS._replace(available=False, installed=False))
    decision = decide_recording(bare, POLICY, "db")
    assert (decision.actions, ids(decision)) == ([], [("postgresql.extension_missing", "critical")])


def test_a_list_that_is_not_known_is_not_written_over() -> None:
    pending = without_library(setting(PRELOAD, "a", pending=True, source="configuration file"), written=None)
    decision = decide_recording(pending, POLICY, "db")
    assert (decision.actions, ids(decision)) == ([], [("postgresql.access_denied", "critical")])
    hidden = without_library()
    hidden = hidden._replace(settings={name: found for name, found in hidden.settings.items() if name != PRELOAD})
    assert ids(decide_recording(hidden, POLICY, "db")) == [("postgresql.access_denied", "critical")]
    broken = without_library(written=(line(PRELOAD, '"never closed'),))
    assert ids(decide_recording(broken, POLICY, "db")) == [("postgresql.configuration_error", "critical")]
    given = without_library(setting(PRELOAD, "a", source="command line"))
    assert ids(decide_recording(given, POLICY, "db")) == [("postgresql.setting_overridden", "critical")]


def test_errors_in_the_files_but_not_those_of_a_change_that_waits() -> None:
    wrong = seen(written=(line("no_such", "1", error="unrecognized configuration parameter"),))
    assert ids(decide_reload(wrong, POLICY, [], "db")) == [("postgresql.configuration_error", "warning")]
    waits = seen(written=(line(PRELOAD, "a", error="setting could not be applied"),))
    assert decide_reload(waits, POLICY, [], "db") == Decision()
