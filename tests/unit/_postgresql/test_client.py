# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Connection options, the words of errors, and what the documentation says of the limits."""

from __future__ import annotations

import re
from typing import Any

import pytest
import yaml

from ansible_collections.dataops.upkeep.plugins.module_utils._core.connection import Connection
from ansible_collections.dataops.upkeep.plugins.module_utils._core.deadline import Deadline
from ansible_collections.dataops.upkeep.plugins.module_utils._core.errors import (
    AccessDenied,
    AuthenticationFailed,
    InvalidInput,
    StoreError,
    StoreTimeout,
    StoreUnreachable,
)
from ansible_collections.dataops.upkeep.plugins.module_utils._postgresql.client import connect
from ansible_collections.dataops.upkeep.plugins.module_utils._postgresql.errors import (
    ConnectionsExhausted,
    explain_login,
    explain_statement,
    text_of,
)
from ansible_collections.dataops.upkeep.plugins.module_utils._postgresql.health.thresholds import HEALTH_THRESHOLDS
from ansible_collections.dataops.upkeep.plugins.module_utils._postgresql.options import (
    DEFAULTS,
    hosts_in,
    libpq_options,
)
from ansible_collections.dataops.upkeep.plugins.modules import postgresql_health_info


def options(environment: dict[str, str] | None = None, **params: Any) -> dict[str, Any]:
    return libpq_options(Connection.resolve(params, environment or {}, DEFAULTS), 5.0)


def test_the_session_is_bounded_and_may_not_write() -> None:
    session = options(login_host="db")["options"]
    for setting in ("statement_timeout=4500", "lock_timeout=50", "default_transaction_read_only=on"):
        assert f"-c {setting}" in session
    assert options()["application_name"] == "upkeep"
    writing = libpq_options(Connection.resolve({}, {}, DEFAULTS), 5.0, read_only=False)["options"]
    assert "read_only" not in writing


def test_options_win_over_the_uri_and_a_stray_address_has_no_say() -> None:
    chosen = options({"PGHOST": "elsewhere", "PGPORT": "1"}, uri="postgresql://a@db:5433/x", login_user="b")
    assert (chosen["host"], chosen["port"], chosen["user"], chosen["dbname"]) == ("db", "5433", "b", "x")
    assert chosen["hostaddr"] == ""
    assert options({"PGHOST": "env", "PGPORT": "5434"})["host"] == "env"
    assert options({"PGHOST": "env"}, login_host="db")["host"] == "db"


def test_settings_in_a_uri_stay_beside_ours() -> None:
    session = options(uri="postgresql://db/x?options=-c%20work_mem%3D8MB")["options"]
    assert session.startswith("-c work_mem=8MB -c statement_timeout")


def test_several_hosts() -> None:
    assert hosts_in(options(uri="postgresql://a,b:5433/x?target_session_attrs=read-write")) == 2
    assert hosts_in(options()) == 1


@pytest.mark.parametrize(
    "uri",
    [
        "postgresql://user:qx@zz@db/x",
        "postgresql://user:qx/zz@db/x",
        "postgresql://user:12/99@db/x",
        "postgresql://db:port/x",
        "http://db",
        "postgresql://db/x?nonsense=1",
    ],
)
def test_a_uri_that_cannot_be_understood_is_not_repeated(uri: str) -> None:
    with pytest.raises(InvalidInput) as raised:
        options(uri=uri)
    assert not re.search("qx|zz|99|nonsense", str(raised.value))


@pytest.mark.parametrize(
    ("params", "expected"),
    [
        ({}, {}),
        ({"tls": False}, {"sslmode": "disable"}),
        ({"tls": True, "ca_cert": "/ca"}, {"sslmode": "verify-full", "sslrootcert": "/ca"}),
        ({"ca_cert": "/ca"}, {"sslmode": "verify-full", "sslrootcert": "/ca"}),
        ({"tls": True, "validate_certs": False}, {"sslmode": "require"}),
        ({"tls": True, "validate_certs": False, "ca_cert": "/ca"}, {"sslmode": "require"}),
        (
            {"client_cert": "/c", "client_key": "/k", "ca_cert": "/ca"},
            {"sslmode": "verify-full", "sslrootcert": "/ca", "sslcert": "/c", "sslkey": "/k"},
        ),
    ],
)
def test_tls(params: dict[str, Any], expected: dict[str, str]) -> None:
    assert {name: value for name, value in options(**params).items() if name.startswith("ssl")} == expected


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ('FATAL:  password authentication failed for user "web"', AuthenticationFailed),
        ("fe_sendauth: no password supplied", AuthenticationFailed),
        ('FATAL:  no pg_hba.conf entry for host "10.0.0.1", user "web", no encryption', AuthenticationFailed),
        ('FATAL:  role "web" does not exist', AuthenticationFailed),
        ('FATAL:  role "web" is not permitted to log in', AuthenticationFailed),
        ('FATAL:  database "web" does not exist', StoreError),
        ('FATAL:  permission denied for database "web"', AccessDenied),
        ("FATAL:  sorry, too many clients already", ConnectionsExhausted),
        (
            "FATAL:  remaining connection slots are reserved for roles with the SUPERUSER attribute",
            ConnectionsExhausted,
        ),
        ('FATAL:  too many connections for role "web"', ConnectionsExhausted),
        ("FATAL:  the database system is starting up", StoreUnreachable),
        ("Connection refused\n\tIs the server running on that host?", StoreUnreachable),
        ("failed to resolve host 'db': [Errno -2] Name or service not known", StoreUnreachable),
        ("connection timeout expired", StoreTimeout),
        ("server does not support SSL, but SSL was required", StoreUnreachable),
        ("FATAL:  unsupported startup parameter: options", StoreError),
        ("FATAL:  Passwort-Authentifizierung fehlgeschlagen", StoreUnreachable),
    ],
)
def test_a_login_that_fails(text: str, error: type[StoreError]) -> None:
    explained = explain_login("connect", text)
    assert explained.__class__ is error
    assert explained.remedy


@pytest.mark.parametrize(
    ("sqlstate", "error"),
    [
        ("57014", StoreTimeout),
        ("55P03", StoreTimeout),
        ("42501", AccessDenied),
        ("42P01", StoreError),
        ("57P01", StoreUnreachable),
        ("53200", StoreError),
        ("XX000", StoreError),
        (None, StoreUnreachable),
    ],
)
def test_a_query_that_fails(sqlstate: str | None, error: type[StoreError]) -> None:
    assert explain_statement("read", sqlstate, "text").__class__ is error


def test_the_prefixes_of_an_error_are_left_out() -> None:
    piled = 'connection failed: connection to server at "127.0.0.1", port 5432 failed: FATAL:  no\nMultiple connection'
    assert text_of(Exception(piled)) == "FATAL:  no"
    assert explain_login("connect", "").why == "no reason was given"


def test_the_documentation_names_every_limit_with_its_defaults() -> None:
    notes = yaml.safe_load(postgresql_health_info.DOCUMENTATION)["notes"]
    pattern = re.compile(r"Threshold C\((\w+)\) \((\w+), warning (below )?([\d.]+|off)(?:, critical (\d+))?\): \S.*\.")
    documented = [match.groups() for note in notes if (match := pattern.fullmatch(note))]
    assert documented == [
        (
            threshold.name,
            threshold.unit,
            "below " if threshold.below else None,
            "off" if threshold.warning is None else str(int(threshold.warning)),
            None if threshold.critical is None else str(int(threshold.critical)),
        )
        for threshold in HEALTH_THRESHOLDS
    ]
    assert all(threshold.remedy and threshold.source for threshold in HEALTH_THRESHOLDS)


@pytest.mark.parametrize("host", ["x" * 64, "db.\u202eexample", "a..b"])
def test_what_can_be_no_host_name_is_said(host: str) -> None:
    with (
        pytest.raises(StoreUnreachable, match="host"),
        connect(Connection.resolve({"login_host": host}, {}, DEFAULTS), Deadline(10)),
    ):
        pass
