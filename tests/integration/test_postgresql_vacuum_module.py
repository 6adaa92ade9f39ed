# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""postgresql_vacuum as Ansible runs it: check mode, diff, bad input, being killed, and two at once."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest

from tests.integration.postgresql_health import session
from tests.integration.postgresql_vacuum import facts, fill, vacuum
from tests.integration.postgresql_work import states
from tests.integration.running import ROOT, environment, run_module
from tests.integration.waiting import until
from tests.stack.endpoint import Endpoint
from tests.stack.servers.postgresql import connect


def test_check_mode_real_run_and_second_run(fresh_postgresql18_database: Endpoint) -> None:
    endpoint = fresh_postgresql18_database
    fill(endpoint, dead=1500)
    before = facts(endpoint)
    planned = run_module("postgresql_vacuum", endpoint.options(), check=True)
    assert planned["changed"]
    assert "[planned] vacuum public.orders: 1500 dead" in planned["output"]
    assert 'VACUUM (ANALYZE, SKIP_LOCKED, SKIP_DATABASE_STATS) "public"."orders"' in planned["output"]
    assert facts(endpoint) == before
    done = run_module("postgresql_vacuum", endpoint.options())
    assert done["outcome"] == "ok"
    assert states(done) == [("vacuum", "public.orders", "done")]
    assert facts(endpoint)["n_dead_tup"] == 0
    second = run_module("postgresql_vacuum", endpoint.options())
    assert (second["changed"], second["actions"], second["status"]) == (False, [], "ok")


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"tables": ["no_such_table"]}, "there is no table 'no_such_table'"),
        ({"tables": ["orders; DROP TABLE orders"]}, "is no name"),
        ({"need_ratio": 0}, "need_ratio"),
        ({"buffer_usage_limit": "1kB"}, "buffer_usage_limit"),
        ({"cost_delay": "1h"}, "cost_delay"),
        ({"jobs": 0}, "jobs"),
        ({"index_workers": -3}, "index_workers"),
        ({"min_bloat_percent": 0}, "min_bloat_percent"),
        ({"mode": "everything"}, "value of mode must be one of"),
        ({"rewrite_methods": ["copy"]}, "value of rewrite_methods must be one or more of"),
        ({"lock_timeout": "never"}, "lock_timeout"),
    ],
)
def test_bad_input_fails_with_a_word_about_it(
    fresh_postgresql18_database: Endpoint, options: dict[str, Any], text: str
) -> None:
    result = run_module("postgresql_vacuum", fresh_postgresql18_database.options(**options))
    assert result["outcome"] == "failed"
    assert text in result["msg"]
    assert not result.get("changed")


@pytest.mark.parametrize("jobs", [1, 2])
def test_a_run_that_is_killed_harms_nothing_and_the_next_one_goes_on(
    fresh_postgresql_database: Endpoint, tmp_path: Path, jobs: int
) -> None:
    endpoint = fresh_postgresql_database
    fill(endpoint, "first", rows=2000, dead=1900)
    fill(endpoint, "large", rows=30_000, dead=20_000)
    fill(endpoint, "small", rows=2000, dead=600)
    with connect(endpoint) as opened:
        opened.execute("CHECKPOINT")  # a page that was clean costs most
    process = start(endpoint, tmp_path, cost_delay="0.1", jobs=jobs)
    running = "SELECT count(*) FROM pg_stat_progress_vacuum WHERE relid = 'large'::regclass"
    with connect(endpoint) as opened:
        until(lambda: opened.execute(running).fetchone() == (1,))
        process.send_signal(signal.SIGKILL)
        process.wait()
        # From version 14 on the server looks whether its client is alive.
        ours = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'upkeep'"
        until(lambda: opened.execute(ours).fetchone() == (0,))
        assert opened.execute("SELECT count(*) FROM large").fetchone() == (30_000,)
    done = vacuum(endpoint)
    left = {action["subject"]: action["state"] for action in done["actions"]}
    # With two at once the first one may be over by the time that the server notices.
    assert left.pop("public.first", "done") == "done"
    assert left == {"public.large": "done", "public.small": "done"}
    assert vacuum(endpoint)["actions"] == []


def test_two_runs_at_once_exclude_each_other(fresh_postgresql18_database: Endpoint) -> None:
    endpoint = fresh_postgresql18_database
    fill(endpoint, rows=20_000, dead=15_000)
    with connect(endpoint) as opened:
        opened.execute("CHECKPOINT")
    first: list[dict[str, Any]] = []
    thread = threading.Thread(target=lambda: first.append(vacuum(endpoint, cost_delay="0.02")))
    thread.start()
    with session(endpoint) as opened:
        locks = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND granted"
        until(lambda: opened.execute(locks).fetchone() != (0,))
        second = vacuum(endpoint)
    thread.join()
    assert states(first[0]) == [("vacuum", "public.orders", "done")]
    assert {action["state"] for action in second["actions"]} == {"skipped"}
    assert not second["changed"]


def start(endpoint: Endpoint, folder: Path, **options: Any) -> subprocess.Popen[bytes]:
    """Start the module's own process, as Ansible does on a host."""
    own = {"_ansible_remote_tmp": str(folder), "_ansible_keep_remote_files": False}
    process = subprocess.Popen(
        [sys.executable, str(ROOT / "plugins/modules/postgresql_vacuum.py")],
        env={**environment(), "PYTHONPATH": str(ROOT / ".collections")},
        cwd=folder,
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    assert process.stdin
    process.stdin.write(json.dumps({"ANSIBLE_MODULE_ARGS": {**endpoint.options(**options), **own}}).encode())
    process.stdin.close()
    return process
