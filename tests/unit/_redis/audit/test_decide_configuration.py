# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.dataops.upkeep.plugins.module_utils._core.errors import AccessDenied
from ansible_collections.dataops.upkeep.plugins.module_utils._redis.audit.decide_exposure import (
    Reach,
    decide_exposure,
    reach,
)
from ansible_collections.dataops.upkeep.plugins.module_utils._redis.audit.decide_settings import (
    NAMES,
    RULES,
    decide_settings,
)
from ansible_collections.dataops.upkeep.plugins.module_utils._redis.audit.decide_slow_commands import (
    BETTER,
    decide_slow_commands,
)
from ansible_collections.dataops.upkeep.plugins.module_utils._redis.audit.observation import (
    Account,
    Exposure,
    Settings,
)
from ansible_collections.dataops.upkeep.plugins.module_utils._redis.observations import SlowCommand, SlowLog
from tests.unit._redis.audit.situations import MIB, situation
from tests.unit._redis.situations import NOW, found

DENIED = AccessDenied("read the settings", "no permissions", "Grant it.")
SOUND = Settings(
    values={
        "maxmemory": str(100 * MIB), "maxmemory-policy": "noeviction", "save": "3600 1", "appendonly": "yes",
        "appendfsync": "everysec", "stop-writes-on-bgsave-error": "yes", "activedefrag": "no", "tcp-keepalive": "300",
        "timeout": "0", "client-output-buffer-limit": "normal 0 0 0 slave 256 64 60 pubsub 33554432 8388608 60",
        "latency-monitor-threshold": "100", "slowlog-log-slower-than": "10000", "slowlog-max-len": "128",
    },
    denied=None,
    accepted=frozenset(),
    keys=1000,
    lasting=500,
    queues=False,
    used=50 * MIB,
    system=1000 * MIB,
    frag_ratio=1.1,
    frag_bytes=MIB,
    replica=False,
    replicas=0,
)  # fmt: skip


def seen(settings: Settings = SOUND, *, facts: dict[str, Any] | None = None, **values: str) -> Settings:
    """Settings that differ in some values; in a name ``_`` stands for ``-``."""
    changed = {name.replace("_", "-"): value for name, value in values.items()}
    return settings._replace(values={**settings.values, **changed}, **(facts or {}))


def complaints(settings: Settings) -> dict[str, str]:
    """Setting to severity."""
    return {
        finding.subject.split()[-1]: finding.severity.value
        for finding in decide_settings(settings, situation()).findings
        if finding.id == "redis.setting"
    }


def test_sound_settings_and_unknown_ones_are_no_finding() -> None:
    assert complaints(SOUND) == {}
    assert complaints(SOUND._replace(values={})) == {}
    assert set(SOUND.values) == NAMES, "each rule is tried below"


CACHE = {"lasting": 49, "used": 76 * MIB}


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        (seen(maxmemory="0"), {"maxmemory": "warning"}),
        (seen(maxmemory=str(850 * MIB)), {}),
        (seen(maxmemory=str(851 * MIB)), {"maxmemory": "warning"}),
        (seen(facts={"queues": True}, maxmemory_policy="allkeys-lru"), {"maxmemory-policy": "critical"}),
        (seen(facts={"queues": True}, maxmemory_policy="volatile-ttl"), {"maxmemory-policy": "critical"}),
        (seen(facts={"queues": True}), {}),
        (seen(facts={"queues": None}, maxmemory_policy="allkeys-lru"), {}),
        (seen(facts={"lasting": 951}, maxmemory_policy="volatile-lru"), {"maxmemory-policy": "warning"}),
        (seen(facts={"lasting": 950}, maxmemory_policy="volatile-lru"), {}),
        (seen(facts={"lasting": 1000}, maxmemory_policy="allkeys-lru"), {}),
        (seen(facts={"keys": 0, "lasting": 0}, maxmemory_policy="volatile-lru"), {}),
        (seen(facts=CACHE), {"maxmemory-policy": "warning"}),
        (seen(facts={**CACHE, "lasting": 50}), {}),
        (seen(facts={**CACHE, "used": 75 * MIB}), {}),
        (seen(facts={**CACHE, "queues": True}), {}),
        (seen(facts={**CACHE, "queues": None}), {}),
        (seen(save="", appendonly="no"), {"save": "warning"}),
        (seen(facts={"lasting": 0}, save="", appendonly="no"), {}),
        (seen(facts={"replica": True}, save="", appendonly="no"), {}),
        (seen(save=""), {}),
        (seen(appendonly="no"), {}),
        (seen(facts={"queues": True}, appendonly="no"), {"appendonly": "warning"}),
        (seen(appendfsync="no"), {"appendfsync": "warning"}),
        (seen(appendfsync="no", appendonly="no"), {}),
        (seen(appendfsync="always"), {}),
        (seen(stop_writes_on_bgsave_error="no"), {"stop-writes-on-bgsave-error": "warning"}),
        (seen(stop_writes_on_bgsave_error="no", save=""), {}),
        (seen(facts={"frag_ratio": 1.41, "frag_bytes": 101 * MIB}), {"activedefrag": "warning"}),
        (seen(facts={"frag_ratio": 1.4, "frag_bytes": 101 * MIB}), {}),
        (seen(facts={"frag_ratio": 1.41, "frag_bytes": 100 * MIB}), {}),
        (seen(facts={"frag_ratio": 1.41, "frag_bytes": 101 * MIB}, activedefrag="yes"), {}),
        (seen(tcp_keepalive="0"), {"tcp-keepalive": "warning"}),
        (seen(tcp_keepalive="0", timeout="60"), {}),
        (seen(client_output_buffer_limit="normal 0 0 0 pubsub 0 0 0"), {"client-output-buffer-limit": "warning"}),
        (seen(latency_monitor_threshold="0"), {"latency-monitor-threshold": "warning"}),
        (seen(slowlog_log_slower_than="-1"), {"slowlog-log-slower-than": "warning"}),
        (seen(slowlog_log_slower_than="1000000"), {}),
        (seen(slowlog_log_slower_than="1000001"), {"slowlog-log-slower-than": "warning"}),
        (seen(slowlog_log_slower_than="0"), {}),
        (seen(slowlog_max_len="0"), {"slowlog-max-len": "warning"}),
    ],
)
def test_settings(settings: Settings, expected: dict[str, str]) -> None:
    assert complaints(settings) == expected
    assert complaints(settings._replace(accepted=NAMES)) == {}


def test_settings_that_may_not_be_read_are_said_and_the_rest_is_judged() -> None:
    decision = decide_settings(SOUND._replace(denied=DENIED, values={"maxmemory": "0"}), situation())
    assert found(decision) == {"redis.access_denied": "warning", "redis.setting": "warning"}


def test_every_rule_names_its_setting_and_a_remedy() -> None:
    assert all(rule.setting in NAMES and rule.remedy for rule in RULES)


CLOSED = Account("default", True, False, True)
OPEN = Account("default", True, True, True)


def exposed(bind: str | None = "127.0.0.1 -::1", *accounts: Account, **values: str) -> Exposure:
    """A server that listens on these addresses; in a name ``_`` stands for ``-``."""
    given = {"port": "6379", "protected-mode": "yes"} | {name.replace("_", "-"): text for name, text in values.items()}
    if bind is not None:
        given["bind"] = bind
    return Exposure(given, None, accounts or (CLOSED,), (8, 2), frozenset())


@pytest.mark.parametrize(
    ("bind", "where"),
    [
        ("127.0.0.1", Reach.HOST), ("127.0.0.1 -::1", Reach.HOST), ("localhost", Reach.HOST), ("", Reach.ANYWHERE),
        ("* -::*", Reach.ANYWHERE), ("0.0.0.0", Reach.ANYWHERE), ("127.0.0.1 ::", Reach.ANYWHERE),
        ("127.0.0.1 10.0.0.5", Reach.NETWORK), ("10.0.0.5", Reach.NETWORK), (None, Reach.UNKNOWN),
    ],
)  # fmt: skip
def test_reach(bind: str | None, where: Reach) -> None:
    assert reach(exposed(bind)) is where


ADDRESS, CLEAR = {"redis.open_address": "warning"}, {"redis.unencrypted": "warning"}


@pytest.mark.parametrize(
    ("server", "expected"),
    [
        (exposed(), {}),
        (exposed("10.0.0.5"), CLEAR),
        (exposed("10.0.0.5", port="0", tls_port="6379"), {}),
        (exposed("*"), {**ADDRESS, **CLEAR}),
        (exposed("*", port="0", tls_port="6379"), ADDRESS),
        (exposed("*")._replace(accepted=frozenset({"bind", "port"})), {}),
        (exposed(None), {}),
        (exposed("127.0.0.1", OPEN), {"redis.no_password": "warning"}),
        (exposed("10.0.0.5", OPEN), {"redis.no_password": "warning", **CLEAR}),
        (exposed("10.0.0.5", OPEN, protected_mode="no"), {"redis.no_password": "critical", **CLEAR}),
        (exposed("10.0.0.5", OPEN)._replace(version=(6, 2)), {"redis.no_password": "critical", **CLEAR}),
        (exposed("", OPEN)._replace(version=(6, 2)), {"redis.no_password": "warning", **ADDRESS, **CLEAR}),
        (exposed(None, OPEN, protected_mode="no"), {"redis.no_password": "critical"}),
        (exposed("10.0.0.5", CLOSED, Account("app", True, True, True)), {"redis.no_password": "critical", **CLEAR}),
        (exposed("10.0.0.5", CLOSED, Account("app", True, True, False)), {"redis.no_password": "warning", **CLEAR}),
        (exposed("10.0.0.5", CLOSED, Account("app", False, True, True)), CLEAR),
        (exposed(enable_debug_command="yes"), {"redis.setting": "critical"}),
        (exposed(enable_module_command="local"), {"redis.setting": "warning"}),
        (exposed(enable_protected_configs="no"), {}),
        (exposed()._replace(denied=DENIED), {"redis.access_denied": "warning"}),
    ],
)
def test_exposure(server: Exposure, expected: dict[str, str]) -> None:
    assert found(decide_exposure(server, situation())) == expected


def slow(*names: str) -> SlowLog:
    at = NOW.timestamp() - 60
    return SlowLog("a", tuple(SlowCommand(number, at, 20.0, name) for number, name in enumerate(names)))


def test_costly_commands_are_named_each_with_what_is_better() -> None:
    decision = decide_slow_commands(slow("KEYS", "GET", "KEYS", "HGETALL"), situation())
    assert [(one.subject.split()[-1], one.value, one.remedy) for one in decision.findings] == [
        ("HGETALL", 1, BETTER["HGETALL"]),
        ("KEYS", 2, BETTER["KEYS"]),
    ]
    assert decision.metrics['redis_slow_command_seconds{command="KEYS"}'] == 0.04
    assert decision.metrics['redis_slow_command_count{command="GET"}'] == 1


def test_what_the_last_run_saw_is_not_said_again() -> None:
    log = slow("KEYS")
    assert decide_slow_commands(log, situation({"run_id": "a", "number": 0})).findings == []
    assert found(decide_slow_commands(log, situation({"run_id": "b", "number": 0}))) == {
        "redis.costly_command": "warning"
    }
