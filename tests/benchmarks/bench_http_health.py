# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What http_health_info costs beside a task that does nothing, and beside its requests made bare.

Usage: python -m tests.benchmarks.bench_http_health

Held: what ``task_cost`` says, and one connection for all that is asked of one endpoint. Bare is http.client alone.
"""

from __future__ import annotations

import http.client
import sys
import time
from typing import Any

from tests.benchmarks.task_cost import Connections, Task, report
from tests.integration.running import run_module
from tests.unit._http.servers import HOST, Answer, Server, serving

IMPORTS = "import concurrent.futures, http.client, ssl, urllib.parse, zlib"


def options_for(server: Server) -> dict[str, Any]:
    """Options with every probe that one connection can serve."""
    endpoint = {
        "name": "health",
        "url": server.url("/health"),
        "expect_json": {"status": "ok"},
        "compression": True,
        "security_headers": True,
        "protected_url": "/private",
        "rate_limit": {"path": "/login", "burst": 20},
    }
    return {"endpoints": [endpoint]}


def bare(port: int, targets: list[str]) -> float:
    """Seconds for requests to the same targets over one connection."""
    started = time.perf_counter()
    connection = http.client.HTTPConnection(HOST, port)
    for target in targets:
        connection.request("GET", target)
        connection.getresponse().read()
    connection.close()
    return time.perf_counter() - started


def main() -> int:
    """Print the table and return the exit code."""
    with serving(health=Answer(body=b'{"status": "ok"}'), private=Answer(401), login=Answer(429)) as server:
        options = options_for(server)
        run_module("http_health_info", options)
        connections, targets = server.connections, [asked.target for asked in server.asked]
        work = f"connection and {len(targets)} requests"
        task = Task("http_health_info", options, IMPORTS, lambda: bare(server.port, targets), work)
        return report(task, Connections(connections))


if __name__ == "__main__":
    sys.exit(main())
