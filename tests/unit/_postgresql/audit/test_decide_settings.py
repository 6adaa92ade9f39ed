# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every rule of settings on both sides."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.dataops.upkeep.plugins.module_utils._postgresql.audit.decide_settings import (
    NAMES,
    RULES,
    decide_settings,
    vacuum_seconds,
)
from ansible_collections.dataops.upkeep.plugins.module_utils._postgresql.audit.observation_settings import (
    Facts,
    Setting,
    Settings,
)
from tests.unit._postgresql.audit.making import situation
from tests.unit._postgresql.making import ids, one, server

GIB = 1024**3
FILE = "configuration file"
# (value, unit) of a server in good order: mostly the defaults.
HEALTHY: dict[str, tuple[str, str | None]] = {
    "fsync": ("on", None),
    "full_page_writes": ("on", None),
    "zero_damaged_pages": ("off", None),
    "ignore_checksum_failure": ("off", None),
    "autovacuum": ("on", None),
    "track_counts": ("on", None),
    "track_activities": ("on", None),
    "password_encryption": ("scram-sha-256", None),
    "wal_level": ("replica", None),
    "archive_mode": ("off", None),
    "archive_command": ("(disabled)", None),
    "archive_library": ("", None),
    "shared_buffers": ("16384", "8kB"),
    "effective_cache_size": ("524288", "8kB"),
    "max_wal_size": ("1024", "MB"),
    "checkpoint_timeout": ("300", "s"),
    "checkpoint_completion_target": ("0.9", None),
    "idle_in_transaction_session_timeout": ("0", "ms"),
    "log_lock_waits": ("off", None),
    "enable_seqscan": ("on", None),
    "autovacuum_vacuum_cost_delay": ("2", "ms"),
    "autovacuum_vacuum_cost_limit": ("-1", None),
    "vacuum_cost_delay": ("0", "ms"),
    "vacuum_cost_limit": ("200", None),
    "vacuum_cost_page_miss": ("2", None),
    "vacuum_cost_page_dirty": ("20", None),
}


def seen(
    changed: dict[str, str] | None = None,
    source: str = FILE,
    accepted: tuple[str, ...] = (),
    facts: dict[str, Any] | None = None,
    **more: Any,
) -> Settings:
    """A server in good order, but for what is changed."""
    settings = {name: Setting(name, value, unit, "default", False) for name, (value, unit) in HEALTHY.items()}
    for name, value in (changed or {}).items():
        settings[name] = settings[name]._replace(value=value, source=source)
    usual = Facts(1, GIB // 2, GIB // 10, 0, None)._replace(**(facts or {}))
    return Settings(server(), settings, usual, 100, 10, frozenset(accepted))._replace(**more)


def test_defaults_are_silent() -> None:
    assert ids(decide_settings(seen(), situation())) == []


CASES: list[tuple[str, dict[str, Any], str | None]] = [
    ("fsync", {"changed": {"fsync": "off"}}, "critical"),
    ("full_page_writes", {"changed": {"full_page_writes": "off"}}, "critical"),
    ("zero_damaged_pages", {"changed": {"zero_damaged_pages": "on"}}, "critical"),
    ("ignore_checksum_failure", {"changed": {"ignore_checksum_failure": "on"}}, "critical"),
    ("autovacuum", {"changed": {"autovacuum": "off"}}, "warning"),
    ("track_counts", {"changed": {"track_counts": "off"}}, "warning"),
    ("track_activities", {"changed": {"track_activities": "off"}}, "warning"),
    ("password_encryption", {"changed": {"password_encryption": "md5"}}, "warning"),
    ("wal_level", {"changed": {"wal_level": "minimal"}}, "warning"),
    ("wal_level", {"changed": {"wal_level": "logical"}}, None),
    ("archive_command", {"changed": {"archive_mode": "on"}}, "critical"),
    ("archive_command", {"changed": {"archive_mode": "always", "archive_command": ""}}, "critical"),
    ("archive_command", {"changed": {"archive_mode": "on", "archive_command": "cp %p /wal"}}, None),
    ("archive_command", {"changed": {"archive_mode": "on", "archive_library": "basic_archive"}}, None),
    ("shared_buffers", {"facts": {"database_bytes": GIB}}, "warning"),
    ("shared_buffers", {"facts": {"database_bytes": GIB - 1}}, None),
    ("shared_buffers", {"facts": {"database_bytes": 50 * GIB}, "changed": {"shared_buffers": "16385"}}, None),
    ("effective_cache_size", {"changed": {"effective_cache_size": "16383"}}, "warning"),
    ("effective_cache_size", {"changed": {"effective_cache_size": "16384"}}, None),
    ("max_wal_size", {"timed": 9, "requested": 11}, "warning"),
    ("max_wal_size", {"timed": 10, "requested": 10}, None),
    ("max_wal_size", {"timed": 0, "requested": 19}, None),
    ("checkpoint_timeout", {"changed": {"checkpoint_timeout": "60"}}, "warning"),
    ("checkpoint_timeout", {"changed": {"checkpoint_timeout": "61"}}, None),
    ("checkpoint_completion_target", {"changed": {"checkpoint_completion_target": "0.49"}}, "warning"),
    ("checkpoint_completion_target", {"changed": {"checkpoint_completion_target": "0.5"}}, None),
    ("idle_in_transaction_session_timeout", {"facts": {"idle_seconds": 300.1}}, "warning"),
    ("idle_in_transaction_session_timeout", {"facts": {"idle_seconds": 300.0}}, None),
    (
        "idle_in_transaction_session_timeout",
        {"facts": {"idle_seconds": 900.0}, "changed": {"idle_in_transaction_session_timeout": "600000"}},
        None,
    ),
    ("log_lock_waits", {"facts": {"deadlocks": 1}}, "warning"),
    ("log_lock_waits", {"facts": {"deadlocks": 1}, "changed": {"log_lock_waits": "on"}}, None),
    ("enable_seqscan", {"changed": {"enable_seqscan": "off"}}, "warning"),
    ("enable_seqscan", {"changed": {"enable_seqscan": "off"}, "source": "default"}, None),
]


@pytest.mark.parametrize(("setting", "changes", "severity"), CASES)
def test_each_rule(setting: str, changes: dict[str, Any], severity: str | None) -> None:
    decision = decide_settings(seen(**changes), situation())
    if severity is None:
        assert ids(decision) == []
        return
    found = one(decision)
    assert (found.id, found.severity.value) == ("postgresql.setting", severity)
    assert found.subject == f"db:5432 setting {setting}"
    assert found.remedy
    assert "{" not in found.remedy
    assert ids(decide_settings(seen(**changes, accepted=(setting,)), situation())) == []


def test_every_rule_is_tested() -> None:
    assert {rule.setting for rule in RULES} <= {setting for setting, _changes, severity in CASES if severity}
    assert set(HEALTHY) >= NAMES


@pytest.mark.parametrize("source", ["session", "client", "user", "database user"])
def test_what_only_this_session_has_is_not_the_servers(source: str) -> None:
    assert ids(decide_settings(seen({"enable_seqscan": "off", "fsync": "off"}, source), situation())) == []


def test_a_version_without_a_setting() -> None:
    old = seen({"archive_mode": "on"})
    without = {name: setting for name, setting in old.settings.items() if name != "archive_library"}
    assert ids(decide_settings(old._replace(settings=without), situation())) == []
    before_15 = old._replace(settings=without, server=server(number=140010))
    assert ids(decide_settings(before_15, situation())) == [("postgresql.setting", "critical")]


def test_settings_that_wait_for_a_restart() -> None:
    waiting = seen()
    settings = {**waiting.settings, "shared_buffers": waiting.settings["shared_buffers"]._replace(pending=True)}
    found = one(decide_settings(waiting._replace(settings=settings), situation()))
    assert (found.id, found.value) == ("postgresql.restart_required", 1)
    assert "shared_buffers" in found.message


@pytest.mark.parametrize(("count", "expected"), [(3, []), (4, [("postgresql.superusers", "warning")])])
def test_superusers(count: int, expected: list[tuple[str, str]]) -> None:
    assert ids(decide_settings(seen(facts={"superusers": count}), situation())) == expected


def test_how_long_autovacuum_takes() -> None:
    size = 8192 * 1_000_000
    assert vacuum_seconds(seen(facts={"largest_bytes": size})) == pytest.approx(220)  # 22 / 200 * 2 ms for each page
    fast = {"autovacuum_vacuum_cost_limit": "2000"}
    assert vacuum_seconds(seen(fast, facts={"largest_bytes": size})) == pytest.approx(22)
    assert vacuum_seconds(seen({"autovacuum_vacuum_cost_delay": "0"})) is None
    assert vacuum_seconds(seen({"autovacuum_vacuum_cost_delay": "-1"})) is None, "vacuum_cost_delay is 0"
    slow = seen({"autovacuum_vacuum_cost_delay": "100"}, facts={"largest_bytes": 8 * size})
    assert one(decide_settings(slow, situation())).subject == "db:5432 setting autovacuum_vacuum_cost_limit"
    assert ids(decide_settings(slow._replace(accepted=frozenset({"autovacuum_vacuum_cost_limit"})), situation())) == []
    at_the_limit = seen({"autovacuum_vacuum_cost_delay": "100"}, facts={"largest_bytes": 8192 * 7_854_545})
    assert ids(decide_settings(at_the_limit, situation())) == []


@pytest.mark.parametrize(("source", "said"), [(FILE, False), ("command line", True)])
def test_what_the_command_line_sets_has_to_be_taken_from_there(source: str, said: bool) -> None:
    remedy = one(decide_settings(seen({"fsync": "off"}, source), situation())).remedy
    assert remedy.startswith("Switch it on (ALTER SYSTEM SET fsync = on; SELECT pg_reload_conf()).")
    assert ("command line" in remedy) == said
