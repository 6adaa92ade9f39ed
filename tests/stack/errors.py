# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What can go wrong with the embedded stores, each with what to do about it."""

from __future__ import annotations

__all__ = ["DiskFullError", "PortLostError", "StackError"]


class StackError(Exception):
    """The stack cannot do what was asked; the message says why and what to do."""


class PortLostError(StackError):
    """Somebody else took the chosen port between the choice and the start."""


class DiskFullError(StackError):
    """The file system that holds the servers or their data has no room left."""
