# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs the tasks of redis_health_info and queue_health_info in this process, and servers with settings of their own."""

from __future__ import annotations

import contextlib
import socket
import subprocess
import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import redis

from ansible_collections.dataops.upkeep.plugins.module_utils._queues.health import task as queue_task
from ansible_collections.dataops.upkeep.plugins.module_utils._redis.health import task as redis_task
from tests.integration.health import HealthRunner
from tests.integration.waiting import until
from tests.stack.endpoint import Endpoint
from tests.stack.places import server_user
from tests.stack.servers.base import HOST, free_port
from tests.stack.servers.redis import connect
from tests.stack.wheels import fetch


class Health(HealthRunner):
    """Runs redis_health_info and queue_health_info on one server."""

    search_time = "10s"

    def redis(self, *checks: str, **thresholds: Any) -> dict[str, Any]:
        """Run redis_health_info; all checks by default."""
        return self.check(redis_task.redis_health, redis_task.CHECKS, checks, thresholds=thresholds)

    def queues(
        self,
        *checks: str,
        queues: Sequence[str] = (),
        prefix: str = "bull",
        window: str = "24h",
        postgresql: dict[str, Any] | None = None,
        **thresholds: Any,
    ) -> dict[str, Any]:
        """Run queue_health_info; its default checks and all queues by default."""
        more = {
            "queues": list(queues),
            "prefix": prefix,
            "failure_window": window,
            "search_time": self.search_time,
            "postgresql": postgresql,
        }
        chosen = checks or queue_task.DEFAULT_CHECKS
        return self.check(queue_task.queue_health, queue_task.CHECKS, chosen, thresholds=thresholds, **more)


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
