# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Fixtures of all tests."""

from __future__ import annotations

pytest_plugins = ["tests.stack.fixtures", "tests.stack.redis_fixtures"]
