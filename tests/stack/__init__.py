# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Real PostgreSQL, MongoDB and Redis servers from packages of PyPI and npm, and a sample application on them.

For tests, benchmarks and ``make demo``. Command: ``python -m tests.stack up|down|status``.
"""

from __future__ import annotations

from tests.stack.endpoint import Endpoint
from tests.stack.errors import StackError
from tests.stack.stack import STORES, Stack

__all__ = ["STORES", "Endpoint", "Stack", "StackError"]
