# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""host_health_info as Ansible runs it, on the real host."""

from __future__ import annotations

import json
import os
import re
import socket
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.dataops.upkeep.plugins.module_utils._state.directory import DirectoryMemory
from tests.integration.health import ids
from tests.integration.running import run_module
from tests.integration.runs import run_each

MODULE = "host_health_info"
NTP_EPOCH = 2208988800
FAST = {"cpu_interval": 0.1}


def run(**params: Any) -> dict[str, Any]:
    """Run the module; it must not fail, and not change anything."""
    result = run_module(MODULE, {**FAST, **params})
    assert result["outcome"] == "ok", result["output"]
    assert result["changed"] is False
    assert "Traceback" not in result["output"]
    return result


def hostname() -> str:
    return Path("/proc/sys/kernel/hostname").read_text(encoding="utf-8").strip()


def remembered(state: Path) -> dict[str, Any]:
    """What the module keeps of this host."""
    return DirectoryMemory(state).read(f"health/host/{hostname()}")[0] or {}


def remember(state: Path, check: str, seen: dict[str, Any]) -> None:
    """Let an earlier run of yesterday have seen something."""
    memory = DirectoryMemory(state)
    document, version = memory.read(f"health/host/{hostname()}")
    entry = {"at": "2026-11-21T02:00:00+00:00", "seen": seen}
    assert memory.compare_and_set(f"health/host/{hostname()}", {**(document or {}), check: entry}, version)


def test_check_mode_then_a_run_then_another(tmp_path: Path) -> None:
    state = tmp_path / "state"
    # Thresholds out of reach: what a busy machine is like must not decide this test.
    wide = dict.fromkeys(
        ("cpu_percent", "load_per_core", "clock_error_seconds", "memory_percent", "disk_percent"), "off"
    )
    params = {**FAST, "state": str(state), "thresholds": wide}
    checked = run_module(MODULE, params, check=True)
    assert not state.exists()
    first, second = run(**params), run(**params)
    assert (state.stat().st_mode & 0o777, checked["outcome"]) == (0o700, "ok")
    assert (checked["status"], first["status"], second["status"]) == ("ok", "ok", "ok")
    assert {"host_memory_used_percent", "host_load5_ratio", "host_cpu_used_percent"} <= set(checked["metrics"])
    new = set(second["metrics"]) - set(first["metrics"])
    assert {"host_oom_kills_since_last_run_count", "host_cpu_used_since_last_run_percent"} <= new
    assert first["server"]["kind"] == "host"
    assert first["server"]["address"] == hostname()
    assert first["server"]["version"] == os.uname().release


def test_numbers_are_those_of_other_witnesses() -> None:
    metrics = run()["metrics"]
    shown = subprocess.run(["df", "-P", "-k", "/"], capture_output=True, text=True, check=True).stdout.splitlines()[1]
    assert metrics['host_disk_used_percent{mount="/"}'] == pytest.approx(float(shown.split()[4].rstrip("%")), abs=1.5)
    assert metrics["host_cpus_count"] == os.cpu_count()
    assert metrics["host_uptime_seconds"] == pytest.approx(time.clock_gettime(time.CLOCK_BOOTTIME), abs=30)
    assert 0 < metrics["host_memory_available_bytes"] < metrics["host_memory_total_bytes"]


def test_every_limit_can_be_crossed() -> None:
    result = run(
        checks=["load", "memory", "disk", "open_files"],
        mounts=["/"],
        thresholds={
            "memory_percent": {"warning": 0.001, "critical": 0.002},
            "disk_percent": 0.001,
            "inodes_percent": {"warning": 0.0001, "critical": "off"},
            "open_files_percent": {"warning": 0, "critical": "off"},
            "load_per_core": {"warning": -1, "critical": "off"},
        },
    )
    found = ids(result)
    assert found["host.memory"] == "critical"
    assert found["host.disk"] == "warning"
    assert found["host.load"] == "warning"
    # A file system without a fixed number of inodes has no such finding, and a maximum of 2**63 rounds to nothing.
    expected = {"host.inodes"} if 'host_inodes_used_percent{mount="/"}' in result["metrics"] else set()
    assert expected <= set(found)
    assert all(finding["remedy"] and finding["threshold"] is not None for finding in result["findings"])


def test_a_disk_that_will_be_full_in_five_days(tmp_path: Path) -> None:
    usage = os.statvfs("/")
    used, left = (usage.f_blocks - usage.f_bfree) * usage.f_frsize, usage.f_bavail * usage.f_frsize
    samples = [[time.time() - day * 86400, used - day * left / 5] for day in (4, 3, 2, 1)]
    remember(tmp_path, "disk", {"mounts": {"/": {"samples": samples, "read_only": False}}})
    wide = {"disk_percent": "off", "inodes_percent": "off"}
    result = run(checks=["disk"], mounts=["/"], state=str(tmp_path), thresholds=wide)
    assert ids(result) == {"host.disk_forecast": "warning"}
    [finding] = result["findings"]
    assert finding["value"] == pytest.approx(5, abs=0.2)
    assert re.search(r"full on \d{4}-\d\d-\d\d at the present growth", finding["message"])
    assert len(remembered(tmp_path)["disk"]["seen"]["mounts"]["/"]["samples"]) == 5


def test_a_process_killed_for_want_of_memory_since_the_last_run(tmp_path: Path) -> None:
    run(checks=["oom_kills"], state=str(tmp_path))
    seen = remembered(tmp_path)["oom_kills"]["seen"]
    remember(tmp_path, "oom_kills", {**seen, "count": seen["count"] - 2})
    result = run(checks=["oom_kills"], state=str(tmp_path))
    assert ids(result) == {"host.oom_kill": "warning"}
    assert result["findings"][0]["value"] == 2


def test_mounts_that_are_named(tmp_path: Path) -> None:
    result = run(checks=["disk"], mounts=["/", str(tmp_path)], thresholds={"disk_percent": "off"})
    assert ids(result)["host.mount_missing"] == "critical"
    assert str(tmp_path) in result["findings"][0]["message"]


def test_ports(dead_port: tuple[str, int]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        result = run(checks=["ports"], expected_ports=[port, str(dead_port[1])])
        assert [(finding["id"], finding["value"]) for finding in result["findings"]] == [
            ("host.port_missing", dead_port[1])
        ]
        own = Path("/proc/self/comm").read_text(encoding="utf-8").strip()
        assert result["metrics"][f'host_listening{{address="127.0.0.1",port="{port}",process="{own}"}}'] == 1
    assert ids(run(checks=["ports"], expected_ports=[port])) == {"host.port_missing": "critical"}


@contextmanager
def child(code: str) -> Iterator[subprocess.Popen[bytes]]:
    """Run Python in a process that says when it is ready."""
    command = [
        sys.executable,
        "-c",
        f"{code}\nprint('ready', flush=True)\nimport time\nwhile busy: pass\ntime.sleep(60)",
    ]
    process = subprocess.Popen([*command, "upkeep-test-marker hunter22"], stdout=subprocess.PIPE)
    assert process.stdout
    try:
        assert process.stdout.readline() == b"ready\n"
        yield process
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


RULE = {"name": "worker", "pattern": "upkeep-test-mark[e]r"}


def test_processes() -> None:
    assert ids(run(checks=["processes"], processes=[RULE])) == {"host.process_missing": "critical"}
    code = "busy = True; data = bytearray(64 * 2**20); files = [open('/dev/null') for _ in range(60)]\n"
    code += "import resource; resource.setrlimit(resource.RLIMIT_NOFILE, (70, 70))"
    with child(code) as process:
        # The limit is low, as others may want the CPUs too; that the child is busy is seen all the same.
        limits = {"process_memory_bytes": "60MiB", "process_cpu_percent": 10}
        result = run(checks=["processes"], processes=[RULE], thresholds=limits, cpu_interval=1)
    assert ids(result) == {
        "host.process_memory": "warning",
        "host.process_cpu": "warning",
        "host.process_open_files": "warning",
    }
    assert f"process {process.pid} holds in memory" in result["findings"][0]["message"]
    assert "hunter22" not in json.dumps({key: value for key, value in result.items() if key != "invocation"})
    assert result["metrics"]['host_processes_count{process="worker"}'] == 1


def test_the_cpu_in_the_mean_since_the_last_run(tmp_path: Path) -> None:
    with child("busy = True"):
        limits = {"cpu_percent": {"warning": 1, "critical": "off"}}
        run(checks=["cpu"], state=str(tmp_path), thresholds=limits)
        result = run(checks=["cpu"], state=str(tmp_path), thresholds=limits)
    assert ids(result) == {"host.cpu": "warning", "host.cpu_sustained": "warning"}


@contextmanager
def time_server(ahead: float, answers: bool = True) -> Iterator[int]:
    """Run an SNTP server whose clock is wrong; return its port."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
        udp.bind(("127.0.0.1", 0))

        def serve() -> None:
            query, client = udp.recvfrom(512)
            if answers:
                now = time.time() + ahead + NTP_EPOCH
                stamp = struct.pack("!II", int(now), int(now % 1 * 2**32))
                udp.sendto(bytes([0x24, 2]) + bytes(22) + query[40:48] + stamp + stamp, client)

        thread = threading.Thread(target=serve)
        thread.start()
        yield udp.getsockname()[1]
        thread.join(30)
        assert not thread.is_alive()


def test_a_clock_that_is_wrong() -> None:
    with time_server(-3.0) as port:
        result = run(checks=["clock"], time_server=f"127.0.0.1:{port}")
    assert ids(result) == {"host.clock_skew": "critical"}
    assert result["metrics"]["host_clock_skew_seconds"] == pytest.approx(3, abs=0.5)
    assert "the clock is ahead by" in result["findings"][0]["message"]


def test_a_time_server_that_does_not_answer_keeps_no_other_check(dead_port: tuple[str, int]) -> None:
    with time_server(0.0, answers=False) as port:
        result = run(checks=["clock", "swap"], time_server=f"127.0.0.1:{port}")
    assert ids(result) == {"host.timeout": "warning"}
    assert "host_swap_total_bytes" in result["metrics"]
    refused = run(checks=["clock"], time_server=f"127.0.0.1:{dead_port[1]}")
    assert ids(refused) == {"host.unreachable": "warning"}


def test_the_deadline() -> None:
    result = run(checks=["cpu", "swap"], cpu_interval=30, deadline=0.5)
    assert ids(result) == {"host.deadline": "warning"}
    assert "host_swap_total_bytes" in result["metrics"]


def test_options_that_cannot_be_understood() -> None:
    wrong: list[dict[str, Any]] = [
        {"cpu_interval": "soon"},
        {"processes": [{"name": "a", "pattern": "("}]},
        {"time_server": "time.example.com:ntp"},
        {"thresholds": {"cpu": 5}},
        {"thresholds": {"disk_percent": {"warning": 90, "critical": 80}}},
        {"deadline": "tomorrow"},
        {"checks": ["cpus"]},
        {"state": "ftp://example.com/"},
    ]
    for params, result in zip(wrong, run_each(MODULE, wrong), strict=True):
        assert result["outcome"] == "ignored"
        assert next(iter(params)) in result["msg"]


def test_memory_that_cannot_be_written_is_a_warning(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    result = run(checks=["swap", "oom_kills"], state=str(tmp_path / "file"))
    assert ids(result) == {"upkeep.state": "warning"}
    assert "host_swap_total_bytes" in result["metrics"]
