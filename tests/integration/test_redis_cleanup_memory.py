# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""redis_cleanup gives memory back, measured before and after, and says where a server cannot."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.dataops.upkeep.plugins.module_utils._redis.cleanup.act_memory import MARK
from tests.integration.postgresql_work import states
from tests.integration.redis_cleanup import clean, raw_keys, start
from tests.integration.redis_health import own_server
from tests.integration.waiting import until
from tests.stack.endpoint import Endpoint
from tests.stack.servers.redis import connect

MIB = 2**20
KEYS = 520_000
KEPT = 16
"""Of so many neighbours in memory one is kept: every page is needed, and hardly anything in it."""


@pytest.fixture
def fragmented(tmp_path: Path) -> Iterator[Endpoint]:
    """A server that lost most of its keys, whose pages are all in use a little."""
    with own_server(tmp_path, "--enable-debug-command", "local") as (endpoint, _process):
        with connect(endpoint, decode_responses=False) as client:
            number = KEYS
            client.execute_command("DEBUG", "POPULATE", number, "key", 500)
            for first in range(0, number, 20_000):
                gone = [b"key:%d" % each for each in range(first, first + 20_000) if each % KEPT]
                client.unlink(*gone)
            until(lambda: client.info("memory")["lazyfree_pending_objects"] == 0)
            until(lambda: client.info("memory")["allocator_frag_bytes"] > 100 * MIB)
        yield endpoint


def test_memory_is_defragmented_and_the_setting_is_as_before(fragmented: Endpoint) -> None:
    planned = clean(fragmented, check=True, defragment=True, purge_memory=True)
    assert states(planned) == [
        ("defragment", planned["actions"][0]["subject"], "planned"),
        ("purge_memory", planned["actions"][0]["subject"], "planned"),
    ]
    assert planned["actions"][0]["reason"].startswith("fragmentation ")
    with connect(fragmented) as client:
        assert client.config_get("activedefrag")["activedefrag"] == "no"
        result = clean(fragmented, defragment=True, purge_memory=True, defragment_for="40s")
        defragmented, purged = result["actions"]
        assert defragmented["state"] == "done", result
        assert "after it" in defragmented["detail"]
        assert purged["state"] in ("done", "skipped")
        assert client.config_get("activedefrag")["activedefrag"] == "no"
        assert client.info("memory")["allocator_frag_bytes"] < 100 * MIB
        assert not client.exists(MARK)
        assert client.dbsize() == KEYS // KEPT
    again = clean(fragmented, defragment=True, purge_memory=True)
    assert not again["changed"]
    assert {action["state"] for action in again["actions"]} == {"skipped"}


def test_killed_in_defragmentation_the_next_run_switches_it_off(fragmented: Endpoint) -> None:
    with connect(fragmented) as client:
        client.config_set("active-defrag-cycle-min", 1)
        client.config_set("active-defrag-cycle-max", 2)
        process = start(fragmented, defragment=True)
        try:
            until(lambda: client.config_get("activedefrag")["activedefrag"] == "yes")
        finally:
            process.kill()
            process.communicate()
        client.delete("upkeep:lock:redis_cleanup")
        clean(fragmented, defragment=True, defragment_for="1s")
        assert client.config_get("activedefrag")["activedefrag"] == "no"
        assert not client.exists(MARK)


def test_defragmentation_that_is_on_already_stays_on(fragmented: Endpoint) -> None:
    with connect(fragmented) as client:
        client.config_set("active-defrag-ignore-bytes", "1gb")
        client.config_set("activedefrag", "yes")
        result = clean(fragmented, defragment=True)
        assert result["actions"][0]["state"] == "skipped"
        assert result["actions"][0]["detail"] == "activedefrag is on already"
        assert client.config_get("activedefrag")["activedefrag"] == "yes"


def test_a_service_that_forbids_it_is_unsupported(fragmented: Endpoint) -> None:
    with connect(fragmented) as client:
        client.acl_setuser("managed", enabled=True, nopass=True, keys=["*"], commands=["+@all", "-config", "-memory"])
    result = clean(replace(fragmented, user="managed", password="any"), defragment=True, purge_memory=True)
    assert {action["state"] for action in result["actions"]} == {"skipped"}
    assert all(action["detail"].startswith("unsupported: ") for action in result["actions"])
    assert not result["changed"]
    assert MARK.encode() not in raw_keys(fragmented)


def test_without_jemalloc_it_is_unsupported(redis62: Endpoint) -> None:
    result = clean(redis62, purge_memory=True, defragment=True)
    assert {action["state"] for action in result["actions"]} == {"skipped"}
    assert all("unsupported: its memory comes from libc" in action["detail"] for action in result["actions"])


def test_memory_is_looked_at_again_once_keys_are_gone(fresh_redis8: Endpoint) -> None:
    with connect(fresh_redis8) as client:
        client.mset({f"cache:{number}": "x" for number in range(100)})
    result: dict[str, Any] = clean(fresh_redis8, {"pattern": "cache:*", "action": "unlink"}, purge_memory=True)
    assert [state for _kind, _subject, state in states(result)] == ["done", "skipped"]
    assert result["actions"][1]["detail"].startswith("there is no need: fragmentation ")


def test_the_server_is_asked_nothing_of_memory_unless_it_is_wanted(fresh_redis8: Endpoint) -> None:
    with connect(fresh_redis8) as client:
        client.config_resetstat()
        clean(fresh_redis8, {"pattern": "cache:*", "action": "unlink"})
        commands = set(client.info("commandstats"))
    assert not [name for name in commands if name.startswith(("cmdstat_memory", "cmdstat_config|set"))]
