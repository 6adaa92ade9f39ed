# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where a store is: options, environment, defaults."""

from __future__ import annotations

import pytest

from ansible_collections.dataops.upkeep.plugins.module_utils._core.clock import Clock
from ansible_collections.dataops.upkeep.plugins.module_utils._core.connection import Connection, Defaults
from ansible_collections.dataops.upkeep.plugins.module_utils._core.deadline import Deadline
from ansible_collections.dataops.upkeep.plugins.module_utils._core.errors import InvalidInput
from ansible_collections.dataops.upkeep.plugins.module_utils._core.memory import NoMemory
from ansible_collections.dataops.upkeep.plugins.module_utils._core.runner import Context
from ansible_collections.dataops.upkeep.plugins.module_utils._core.secrets import MASK, Secrets

DEFAULTS = Defaults(
    "Store", 1234, {"login_host": "XHOST", "login_port": "XPORT", "login_password": "XPASSWORD", "uri": "X_URI"}
)


def resolve(params: dict, environment: dict | None = None) -> Connection:
    return Connection.resolve(params, environment or {}, DEFAULTS)


def test_nothing_said_is_the_usual_port_here() -> None:
    found = resolve({})
    assert (found.host, found.port, found.uri, found.timeout) == ("localhost", 1234, None, 5.0)


def test_an_option_wins_over_the_environment() -> None:
    found = resolve({"login_host": "a", "login_port": 1}, {"XHOST": "b", "XPORT": "2", "XPASSWORD": "p"})
    assert (found.host, found.port, found.password) == ("a", 1, "p")


def test_the_environment_stands_in() -> None:
    assert resolve({}, {"XHOST": "b", "XPORT": "2"}).label == "b:2"
    assert resolve({}, {"X_URI": "store://u:secret@h:9/db?x=1"}).label == "h:9/db"


def test_an_address_in_the_options_makes_the_environments_void() -> None:
    assert resolve({"login_host": "a"}, {"X_URI": "store://elsewhere"}).label == "a:1234"
    assert resolve({"uri": "store://here"}, {"XHOST": "elsewhere"}).label == "here"


def test_a_label_never_shows_a_login() -> None:
    found = resolve({"uri": "store://user:se%40cret@a:1,b:2/db?password=other"})
    assert found.label == "a:1,b:2/db"
    assert "cret" not in repr(found)
    assert "other" not in repr(found)


def test_a_socket_folder_is_its_own_label() -> None:
    assert resolve({"login_host": "/run/store"}).label == "/run/store"


def test_a_wrong_timeout_names_its_option() -> None:
    with pytest.raises(InvalidInput, match="connect_timeout"):
        resolve({"connect_timeout": "soon"})
    with pytest.raises(InvalidInput, match="no time to connect"):
        resolve({"connect_timeout": "0s"})


@pytest.mark.parametrize("port", ["http", "70000", "0"])
def test_a_wrong_port_in_the_environment_is_named(port: str) -> None:
    with pytest.raises(InvalidInput, match="XPORT"):
        resolve({}, {"XPORT": port})


def test_a_connection_in_a_dict_of_its_own() -> None:
    context = Context({}, Deadline(1), Clock(), NoMemory(), {"XHOST": "elsewhere", "XPASSWORD": "other"}, Secrets())
    found = Connection.nested(context, {"uri": "store://u:hid%64en@h/db", "login_user": "me"}, "source", DEFAULTS)
    assert (found.label, found.user, found.password) == ("h/db", "me", None)
    assert context.secrets.redact("hidden hid%64en") == f"{MASK} {MASK}"
    assert Connection.nested(context, {}, "source", DEFAULTS).label == "localhost:1234"
    with pytest.raises(InvalidInput, match=r"source: there is no option 'host'"):
        Connection.nested(context, {"host": "h"}, "source", DEFAULTS)
