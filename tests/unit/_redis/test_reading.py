# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is read without a server: INFO's fields, addresses, the driver's errors, the documented limits."""

from __future__ import annotations

import re
from typing import Any

import pytest
import redis
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.dataops.upkeep.plugins.module_utils._core.connection import Connection
from ansible_collections.dataops.upkeep.plugins.module_utils._core.deadline import Deadline
from ansible_collections.dataops.upkeep.plugins.module_utils._core.errors import InvalidInput
from ansible_collections.dataops.upkeep.plugins.module_utils._redis.client import DEFAULTS, connect
from ansible_collections.dataops.upkeep.plugins.module_utils._redis.errors import translate
from ansible_collections.dataops.upkeep.plugins.module_utils._redis.health.thresholds import HEALTH_THRESHOLDS
from ansible_collections.dataops.upkeep.plugins.module_utils._redis.info import Info, product
from tests.contract.catalogue import documentation


def test_info_is_read_by_type() -> None:
    info = Info({"a": 1, "b": 1.5, "c": "text", "d": {"keys": 3}, "db0": {"keys": 3}, "dbx": {"keys": 4}, "e": True})
    assert (info.number("a"), info.number("b"), info.number("c"), info.number("none")) == (1, 1.5, None, None)
    assert info.number("e") is None
    assert (info.text("a"), info.text("d"), info.text("none")) == ("1", None, None)
    assert list(info.records("db")) == ["db0"]
    assert (info.record_number("d", "keys"), info.record_number("a", "keys")) == (3, None)
    old = Info({"errorstat_OOM": "count=7", "errorstat_ERR": "count="})
    assert (old.record_number("errorstat_OOM", "count"), old.record_number("errorstat_OOM", "c")) == (7, None)
    assert old.record_number("errorstat_ERR", "count") is None


@given(st.dictionaries(st.text(), st.one_of(st.none(), st.booleans(), st.integers(), st.text(), st.just({}))))
def test_info_takes_whatever_a_server_says(fields: dict[str, Any]) -> None:
    info = Info(fields)
    for name in [*fields, "absent"]:
        info.number(name)
        info.text(name)
        info.flag(name)
        info.record_number(name, "count")
    assert product(info)[0] in ("redis", "valkey", "dragonfly")


def test_a_fork_is_known_by_its_own_version() -> None:
    assert product(Info({"redis_version": "7.2.4", "valkey_version": "8.1.0"})) == ("valkey", "8.1.0")
    assert product(Info({"redis_version": "7.4.0", "dragonfly_version": "df-v1.30.0"})) == ("dragonfly", "1.30.0")
    assert product(Info({"redis_version": "8.2.3"})) == ("redis", "8.2.3")


@pytest.mark.parametrize(
    ("params", "option"),
    [
        ({"uri": "http://127.0.0.1"}, "uri"),
        ({"uri": "redis://:pa/ss-word@127.0.0.1:6379/0"}, "uri"),
        ({"uri": "redis://127.0.0.1:6379/cache"}, "uri"),
        ({"uri": "redis://127.0.0.1:1/0?colour=red"}, "uri"),
        ({"login_host": "127.0.0.1", "login_db": "cache"}, "login_db"),
        ({"login_host": "127.0.0.1", "login_db": "-1"}, "login_db"),
        ({"login_host": "127.0.0.1", "tls": True, "ca_cert": "/nowhere/ca.pem"}, "ca_cert"),
    ],
)
def test_an_address_that_cannot_be_understood_names_its_option_and_no_secret(
    params: dict[str, Any], option: str
) -> None:
    connection = Connection.resolve(params, {}, DEFAULTS)
    with pytest.raises(InvalidInput) as caught, connect(connection, Deadline(5)):
        pass
    assert f"option {option}" in str(caught.value)
    assert "ss-word" not in str(caught.value)


@pytest.mark.parametrize(
    ("error", "condition"),
    [
        (redis.exceptions.BusyLoadingError("Redis is loading the dataset in memory"), "loading"),
        (redis.exceptions.AuthenticationError("invalid username-password pair"), "authentication"),
        (redis.exceptions.ResponseError("NOAUTH Authentication required."), "authentication"),
        (redis.exceptions.ConnectionError("DENIED Redis is running in protected mode"), "authentication"),
        (redis.exceptions.NoPermissionError("this user has no permissions"), "access_denied"),
        (redis.exceptions.ResponseError("unknown command 'CONFIG'"), "access_denied"),
        (redis.exceptions.ResponseError("DB index is out of range"), "access_denied"),
        (redis.exceptions.MasterDownError("Link with MASTER is down"), "master_down"),
        (redis.exceptions.ResponseError("MASTERDOWN Link with MASTER is down"), "master_down"),
        (redis.exceptions.ResponseError("MOVED 1234 127.0.0.1:7001"), "cluster_redirect"),
        (redis.exceptions.ReadOnlyError("You can't write against a read only replica."), "read_only"),
        (redis.exceptions.ResponseError("OOM command not allowed when used memory > 'maxmemory'."), "out_of_memory"),
        (redis.exceptions.ConnectionError("max number of clients reached"), "max_clients"),
        (redis.exceptions.MovedError("1234 127.0.0.1:7001"), "cluster_redirect"),
        (redis.exceptions.AskError("1234 127.0.0.1:7001"), "cluster_resharding"),
        (redis.exceptions.TryAgainError("Multiple keys request during rehashing of slot"), "cluster_resharding"),
        (redis.exceptions.ClusterDownError("Hash slot not served"), "cluster_down"),
        (redis.exceptions.TimeoutError("Timeout reading from socket"), "timeout"),
        (TimeoutError("timed out"), "timeout"),
        (redis.exceptions.ConnectionError("Error 111 connecting. Connection refused."), "unreachable"),
        (ConnectionResetError("reset"), "unreachable"),
        (redis.exceptions.InvalidResponse("Protocol Error: b'HTTP/1.1 400'"), "unreachable"),
        (redis.exceptions.ResponseError("WRONGTYPE Operation against a key"), "error"),
    ],
)
def test_the_drivers_errors_are_told_apart(error: Exception, condition: str) -> None:
    translated = translate(error, redis, "try")
    assert translated.condition == condition
    assert translated.remedy
    assert "HTTP" not in translated.why


@pytest.mark.parametrize("kind", [redis.exceptions.MovedError, redis.exceptions.AskError])
def test_where_a_key_is_instead_is_said(kind: type[Exception]) -> None:
    assert translate(kind("1234 127.0.0.1:7001"), redis, "try").why == "the slot 1234 is at 127.0.0.1:7001"


def documented_limits(module: str) -> dict[str, tuple[str, float | None, float | None, bool]]:
    """Threshold name to unit, warning, critical, below, as the module's notes state them."""
    pattern = re.compile(
        r"Threshold C\((\w+)\) \((\w+)(?:, warning (below )?([\d.]+))?(?:, critical (below )?([\d.]+))?\)"
    )
    found = {}
    for note in documentation(module)[0]["notes"]:
        match = pattern.match(note)
        if match:
            name, unit, below, warning, critical_below, critical = match.groups()
            limits = (float(warning) if warning else None, float(critical) if critical else None)
            found[name] = (unit, *limits, bool(below or critical_below))
    return found


def test_the_documented_limits_are_the_limits() -> None:
    real = {t.name: (t.unit, t.warning, t.critical, t.below) for t in HEALTH_THRESHOLDS}
    assert documented_limits("redis_health_info") == real


def test_every_limit_has_a_remedy_and_a_source() -> None:
    assert all(threshold.remedy and threshold.source for threshold in HEALTH_THRESHOLDS)
