# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What queue_health_info costs, on the sample application's queues, as bench_redis_health does for the server.

Usage: python -m tests.benchmarks.bench_queue_health

The stalled jobs are given a lock: for those without one the module looks twice, with a pause of 0.2 s between.
"""

from __future__ import annotations

import sys
from datetime import datetime, timezone

from tests.benchmarks.bench_redis_health import report_on_redis
from tests.benchmarks.task_cost import server
from tests.integration.redis_health import Health
from tests.stack.application.queues.plan import QUEUES, plans
from tests.stack.application.queues.run import fill_with_python
from tests.stack.application.settings import Settings
from tests.stack.servers.redis import connect


def main() -> int:
    """Print the table and return the exit code."""
    with server("redis8") as endpoint:
        fill_with_python(endpoint, plans(Settings(now=datetime.now(timezone.utc))))
        with connect(endpoint) as client:
            for queue in QUEUES:
                for job in client.lrange(f"bull:{queue}:active", 0, -1):
                    client.set(f"bull:{queue}:{job}:lock", "worker")
        return report_on_redis("queue_health_info", endpoint, Health(endpoint).queues)


if __name__ == "__main__":
    sys.exit(main())
