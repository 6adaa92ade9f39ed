# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Scripts that measure, each run as ``python -m tests.benchmarks.<name>`` from the checkout's root."""

from __future__ import annotations

import sys
from pathlib import Path

# pytest finds the collection by its configuration; a script has to be told where `make venv` links it.
sys.path.insert(0, str(Path(__file__).parents[2] / ".collections"))
