# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the roles did is seen in the stores: on each server, on its replica, and on every primary of the cluster."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from testinfra.host import Host

TELL = Path(__file__).parents[1] / "files" / "fill.py"
SERVERS = {"plain": (6379,), "main": (6379,), "replica": (6381,), "cluster": (7001, 7002, 7003)}
"""The ports of all that hold a server's keys."""
STEPS = {
    "plain": {"redis cleanup", "redis memory", "redis audit", "queue cleanup", "queue orphans"},
    "main": {"redis cleanup", "redis warm", "redis audit", "queue cleanup"},
    "replica": {"redis audit"},
    "cluster": {"redis cleanup", "redis warm", "redis audit", "queue cleanup"},
}

Key = dict[str, Any]


class Server:
    """All keys of a server, as they are after the roles."""

    def __init__(self, name: str, nodes: list[dict[str, Key]]) -> None:
        self.name, self.nodes = name, nodes
        self.keys = {key: value for node in nodes for key, value in node.items()}

    def numbers(self, start: str) -> set[int]:
        """The numbers at the end of keys that begin so."""
        return {
            int(key.removeprefix(start)) for key in self.keys if key.startswith(start) and key[len(start)].isdigit()
        }

    def value(self, key: str) -> Any:
        """What a key holds."""
        return self.keys[key]["value"]


@pytest.fixture(scope="session")
def servers(stage: dict[str, Any]) -> dict[str, Server]:
    """Every server by its name."""
    code, password = TELL.read_text(), stage["passwords"]["admin"]

    def tell(command: list[str], places: list[dict[str, Any]]) -> list[dict[str, Key]]:
        asked = json.dumps([place | {"password": password} for place in places])
        done = subprocess.run([*command, "-c", code, "tell"], input=asked, capture_output=True, text=True, check=True)
        return [json.loads(line) for line in done.stdout.splitlines()]

    within = [stage["engine"], "exec", "--interactive", stage["ops"]["container"], "python3"]
    host = stage["reach"]["ops"]["redises"]["host"]
    ports = [port for name in ("main", "replica", "cluster") for port in SERVERS[name]]
    main, replica, *cluster = tell(within, [{"host": host, "port": port} for port in ports])
    plain = tell([sys.executable], [stage["reach"]["local"]["redis"] | {"database": 3}])
    found = {"plain": plain, "main": [main], "replica": [replica], "cluster": cluster}
    return {name: Server(name, nodes) for name, nodes in found.items()}


@pytest.fixture(params=list(SERVERS))
def server(request: pytest.FixtureRequest, servers: dict[str, Server]) -> Server:
    """Each server in turn."""
    return servers[request.param]


@pytest.fixture(scope="session")
def results(place: Callable[[str], tuple[Host, str]]) -> dict[str, dict[str, dict[str, Any]]]:
    """What the roles returned when there was something to do, by server and step."""
    found: dict[str, dict[str, dict[str, Any]]] = {}
    for way in ("ops", "local"):
        host, folder = place(way)
        for result in json.loads(host.file(f"{folder}/redis-results.json").content_string):
            name, what = result["name"].split()
            found.setdefault(name, {})[f"{result['subject']} {what}"] = result
    return found


def test_every_step_was_made_and_none_failed(results: dict[str, dict[str, dict[str, Any]]]) -> None:
    assert {name: set(steps) for name, steps in results.items()} == STEPS
    for name, steps in results.items():
        for step, result in steps.items():
            assert not result.get("failed"), (name, step, result)
            assert [action for action in result["actions"] if action["state"] == "failed"] == [], (name, step)
            assert [one for one in result["findings"] if "reach" in one["id"] or "denied" in one["id"]] == []


def test_keys_without_a_ttl_are_gone_and_others_are_not(server: Server) -> None:
    assert len([key for key in server.keys if key.startswith("cache:")]) == 20
    assert len(server.numbers("cache:kept:")) == len(server.numbers("response:")) == 20


def test_old_sessions_are_gone_and_young_ones_are_not(server: Server) -> None:
    assert server.numbers("sess:") == set(range(0, 120, 2))


def test_pages_live_on_for_about_an_hour(server: Server) -> None:
    assert server.numbers("page:") == set(range(120))
    seconds = {server.keys[f"page:{number}"]["ttl"] for number in range(120)}
    assert all(1800 < left <= 3960 for left in seconds)
    assert len(seconds) > 20, "they do not all die at once"


def test_users_are_in_the_cache_before_anybody_asks(server: Server) -> None:
    assert server.numbers("user:") == (set() if server.name == "plain" else set(range(1, 61)))
    if server.name != "plain":
        assert json.loads(server.value("user:7")) == {"id": 7, "name": "user 7"}
        assert 1800 < server.keys["user:7"]["ttl"] <= 3960


def test_every_node_was_cleaned(server: Server) -> None:
    for node in server.nodes:
        lasting = {key.partition(":")[0] for key, value in node.items() if value["ttl"] == -1}
        assert lasting <= {"sess", "bull"}
        assert len(node) > 20


def test_old_jobs_of_bull_are_gone(server: Server) -> None:
    base = "bull:{calls}:"
    assert server.value(f"{base}completed") == [str(number) for number in range(21, 31)]
    assert len(server.value(f"{base}wait")) == 10
    assert server.numbers(base) == set(range(21, 41))
    assert server.value(f"{base}id") == "40"


def test_old_jobs_of_bullmq_are_gone(server: Server) -> None:
    base = "bull:{mails}:"
    assert (len(server.value(f"{base}completed")), len(server.value(f"{base}failed"))) == (15, 15)
    assert server.numbers(base) == set(range(11, 41))
    assert server.value(f"{base}meta")["version"] == "bullmq:5.81.5"


def test_a_rule_never_touches_a_queue(results: dict[str, dict[str, dict[str, Any]]]) -> None:
    for name in ("plain", "main", "cluster"):
        cleanup = results[name]["redis cleanup"]
        assert {action["subject"] for action in cleanup["actions"]} == {"cache", "sessions", "pages"}
        (finding,) = cleanup["findings"]
        assert finding["id"] == "redis.keys_protected"


def test_scripts_and_transactions_and_nodes_are_told(results: dict[str, dict[str, dict[str, Any]]]) -> None:
    main, cluster = (results[name]["redis cleanup"]["server"] for name in ("main", "cluster"))
    assert (main["scripts"], main["nodes"]) == (True, 1)
    assert (cluster["scripts"], cluster["nodes"]) == (False, 3)
    assert set(results["cluster"]["queue cleanup"]["server"]["queues"]) == {"{calls}", "{mails}"}


def test_the_audit_finds_what_lives_too_long(results: dict[str, dict[str, dict[str, Any]]]) -> None:
    for name, steps in results.items():
        found = [one["id"] for one in steps["redis audit"]["findings"] if "response:*" in one["subject"]]
        assert found == ([] if name == "replica" else ["redis.ttl_too_long"])
    assert results["cluster"]["redis audit"]["metrics"]["redis_audit_nodes"] == 3


def test_no_password_is_in_the_results(results: dict[str, dict[str, dict[str, Any]]], stage: dict[str, Any]) -> None:
    assert not any(password in str(results) for password in stage["passwords"].values())
