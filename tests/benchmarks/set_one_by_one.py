# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""How the guides warm a cache: all rows into memory, and one SET after another, each waited for.

Usage: python -m tests.benchmarks.set_one_by_one < given.json
"""

from __future__ import annotations

import json
import sys
import time

import psycopg.rows
import redis

from tests.integration.apart import peak_bytes
from tests.stack.endpoint import Endpoint
from tests.stack.servers.postgresql import connect


def main() -> None:
    """Warm, and print how long that took and with how much memory."""
    given = json.load(sys.stdin)
    started, used = time.monotonic(), time.process_time()
    with (
        connect(Endpoint.from_json(given["source"])) as session,
        session.cursor(row_factory=psycopg.rows.dict_row) as all_,
    ):
        rows = all_.execute(given["query"].encode()).fetchall()
    client = redis.Redis(port=given["port"])
    for row in rows:
        client.set(f"user:{row['id']}", json.dumps(row, default=str), ex=3600)
    seconds, cpu = time.monotonic() - started, time.process_time() - used
    print(json.dumps({"seconds": seconds, "cpu": cpu, "peak": peak_bytes()}))


if __name__ == "__main__":
    main()
