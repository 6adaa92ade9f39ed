# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What redis_health_info costs beside a task that does nothing, and beside its commands run bare.

Usage: python -m tests.benchmarks.bench_redis_health

Held: one connection, and less than 1.3 times the fixed cost of a task (a module of ours that imports the same driver
and does nothing) plus the time of the same commands through the driver alone. Medians of interleaved rounds; the start
of Ansible, measured with an empty playbook, is taken off.
"""

from __future__ import annotations

import sys

from tests.benchmarks.redis_cost import report, server
from tests.integration.redis_health import Health


def main() -> int:
    """Print the table and return the exit code."""
    with server() as endpoint:
        return report("redis_health_info", endpoint, Health(endpoint).redis)


if __name__ == "__main__":
    sys.exit(main())
