# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the driver is given."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest

from ansible_collections.dataops.upkeep.plugins.module_utils._core.connection import Connection
from ansible_collections.dataops.upkeep.plugins.module_utils._mongodb.client import DEFAULTS, OneServer, driver_options


def options(environment: dict[str, str] | None = None, **params: Any) -> dict[str, Any]:
    return driver_options(Connection.resolve(params, environment or {}, DEFAULTS), 1500, params.get("client_cert"))


def test_a_host_is_asked_itself() -> None:
    found = options(login_host="db1")
    assert (found["host"], found["port"], found["directConnection"]) == ("db1", 27017, True)
    assert found["maxPoolSize"] == 1
    assert {found[f"{limit}TimeoutMS"] for limit in ("connect", "socket", "serverSelection")} == {1500}


@pytest.mark.parametrize("given", ["option", "environment"])
def test_a_uri_is_used_as_it_stands(given: str) -> None:
    uri = "mongodb://a,b/?replicaSet=rs0"
    found = options(uri=uri) if given == "option" else options({"MONGODB_URI": uri})
    assert found["host"] == uri
    assert not {"port", "directConnection", "tls", "username", "authSource"} & set(found)


def test_the_environment_never_redirects_a_task_that_names_its_server() -> None:
    assert options({"MONGODB_URI": "mongodb://elsewhere"}, login_host="db1")["host"] == "db1"


@pytest.mark.parametrize(
    ("uri", "source"),
    [
        (None, "admin"),
        ("mongodb://a/shop", "admin"),
        ("mongodb://a/shop?authSource=shop", None),
        ("mongodb://a/?authMechanism=GSSAPI", None),
    ],
)
def test_the_user_is_looked_up_in_admin_unless_the_uri_says_where(uri: str | None, source: str | None) -> None:
    found = options(uri=uri, login_user="u", login_password="p")
    assert (found["username"], found["password"]) == ("u", "p")
    assert found.get("authSource") == source


@pytest.mark.parametrize(
    ("params", "used"),
    [
        ({"tls": True}, True),
        ({"uri": "mongodb://a/?tls=true"}, True),
        ({"uri": "mongodb://a/?ssl=true&tls=true"}, True),
        ({"uri": "mongodb+srv://a/"}, True),
        ({}, False),
        ({"uri": "mongodb://a/"}, False),
        ({"uri": "mongodb://a/?tls=true", "tls": False}, False),
    ],
)
def test_files_for_tls_do_not_turn_tls_on(params: dict[str, Any], used: bool) -> None:
    found = options(ca_cert="/ca", client_cert="/cert", client_key="/key", validate_certs=False, **params)
    tls = {"tlsCAFile": "/ca", "tlsCertificateKeyFile": "/cert", "tlsAllowInvalidCertificates": True}
    assert {name: found[name] for name in tls if name in found} == (tls if used else {})


def test_certificates_are_checked_by_default() -> None:
    assert "tlsAllowInvalidCertificates" not in options(tls=True)


@dataclass
class Described:
    address: tuple[str, int]
    round_trip_time: float | None


def test_a_session_stays_with_the_server_that_it_chose() -> None:
    near, far, new = Described(("a", 1), 0.001), Described(("b", 1), 0.1), Described(("c", 1), None)
    choose = OneServer()
    assert choose([]) == []
    assert choose([far, near]) == [near]
    assert choose([new, far, near]) == [near]
    assert choose([far]) == []
