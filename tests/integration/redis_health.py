# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs the tasks of redis_health_info and queue_health_info in this process, and servers with settings of their own."""

from __future__ import annotations

import contextlib
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import redis

from ansible_collections.dataops.upkeep.plugins.module_utils._core.clock import Clock
from ansible_collections.dataops.upkeep.plugins.module_utils._core.deadline import Deadline
from ansible_collections.dataops.upkeep.plugins.module_utils._core.memory import NoMemory
from ansible_collections.dataops.upkeep.plugins.module_utils._core.runner import Context, run
from ansible_collections.dataops.upkeep.plugins.module_utils._core.secrets import Secrets
from ansible_collections.dataops.upkeep.plugins.module_utils._queues import health as queue_task
from ansible_collections.dataops.upkeep.plugins.module_utils._redis import health as redis_task
from ansible_collections.dataops.upkeep.plugins.module_utils._state.place import open_memory
from tests.stack.endpoint import Endpoint
from tests.stack.places import server_user
from tests.stack.servers.base import HOST, free_port
from tests.stack.servers.redis import connect
from tests.stack.wheels import fetch


def parameters(endpoint: Endpoint) -> dict[str, Any]:
    """The module's options that lead to a server."""
    return {
        "login_host": endpoint.host,
        "login_port": endpoint.port,
        "login_user": endpoint.user,
        "login_password": endpoint.password,
        "login_db": endpoint.database,
        "connect_timeout": "5s",
    }


class Health:
    """Runs a health task on one server, with a memory of its own, and on a clock that can be moved on."""

    def __init__(self, endpoint: Endpoint, folder: Path | None = None) -> None:
        self.params, self.folder, self.ahead = parameters(endpoint), folder, timedelta()

    def redis(self, *checks: str, **thresholds: Any) -> dict[str, Any]:
        """Run redis_health_info; all checks by default."""
        names = list(checks) or [check.name for check in redis_task.CHECKS]
        return self._run(redis_task.redis_health, {"checks": names, "thresholds": thresholds})

    def queues(
        self, *checks: str, queues: Sequence[str] = (), prefix: str = "bull", window: str = "24h", **thresholds: Any
    ) -> dict[str, Any]:
        """Run queue_health_info; all checks and all queues by default."""
        names = list(checks) or [check.name for check in queue_task.CHECKS]
        more = {"queues": list(queues), "prefix": prefix, "failure_window": window}
        return self._run(queue_task.queue_health, {"checks": names, "thresholds": thresholds, **more})

    def _run(self, make_task: Callable[[Context], Any], more: dict[str, Any]) -> dict[str, Any]:
        secrets = Secrets()
        context = Context(
            {**self.params, **more},
            Deadline(60),
            Clock(now=lambda: datetime.now(timezone.utc) + self.ahead),
            open_memory(str(self.folder), secrets) if self.folder else NoMemory(),
            {},
            secrets,
        )
        return run(make_task(context), context, False).as_dict()


def ids(result: dict[str, Any]) -> dict[str, str]:
    """Finding id to severity."""
    return {finding["id"]: finding["severity"] for finding in result["findings"]}


def until(condition: Callable[[], bool]) -> None:
    """Wait until something is so, at most ten seconds."""
    for _attempt in range(200):
        if condition():
            return
        time.sleep(0.05)
    raise AssertionError("it did not come about")


@contextlib.contextmanager
def own_server(folder: Path, *settings: str) -> Iterator[tuple[Endpoint, subprocess.Popen[bytes]]]:
    """A Redis 8 with settings that only a start can give; without password."""
    endpoint = Endpoint(kind="redis", host=HOST, port=free_port(), user=None, password=None, database="0")
    command = [str(fetch("redis8", server_user())), "--port", str(endpoint.port), "--bind", HOST, "--dir", str(folder)]
    if "--cluster-enabled" in settings:  # else it takes a port of its own choice, which may be another one's
        command += ["--cluster-port", str(free_port())]
    process = subprocess.Popen([*command, "--save", "", *settings], stdout=subprocess.DEVNULL)
    try:
        until(lambda: answers(endpoint))
        yield endpoint, process
    finally:
        process.kill()
        process.wait()


def answers(endpoint: Endpoint) -> bool:
    """Whether a server takes connections, be it that it loads its data still."""
    with connect(endpoint) as client:
        try:
            return bool(client.echo("here"))
        except redis.exceptions.ConnectionError:
            return False


def writes(endpoint: Endpoint) -> int:
    """How many changes a server has seen since its last snapshot: any write counts."""
    with connect(endpoint) as client:
        return int(client.info("persistence")["rdb_changes_since_last_save"])


@contextlib.contextmanager
def relay(target: Endpoint, word: bytes, act: Callable[[], None]) -> Iterator[int]:
    """A port that leads to ``target``, and does ``act`` before it passes on what holds ``word``."""

    def pump(source: socket.socket, sink: socket.socket, watch: bool) -> None:
        try:
            with contextlib.suppress(OSError):
                while data := source.recv(65536):
                    if watch and word in data:
                        act()
                    sink.sendall(data)
        finally:
            for end in (source, sink):
                with contextlib.suppress(OSError):
                    end.shutdown(socket.SHUT_RDWR)

    def accept() -> None:
        while True:
            try:
                inner, _address = listener.accept()
            except OSError:
                return
            outer = socket.create_connection((target.host, target.port))
            for arguments in ((inner, outer, True), (outer, inner, False)):
                threading.Thread(target=pump, args=arguments, daemon=True).start()

    with socket.create_server((HOST, 0)) as listener:
        threading.Thread(target=accept, daemon=True).start()
        yield listener.getsockname()[1]
