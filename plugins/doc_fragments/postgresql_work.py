# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations


class ModuleDocFragment:
    """Documentation of what every module that changes a PostgreSQL server has in common."""

    DOCUMENTATION = r"""
options:
  deadline:
    description:
      - How long the module may take. It ends between two pieces of work; the server itself ends a statement that
        would outlast it. What is left is reported as skipped, and the next run does it.
    type: str
    default: 1h
  lock_timeout:
    description:
      - How long a statement may wait for a lock, as V(3s), or V(0.5) for half a second. While it waits, others who want
        the table may have to wait behind it; so it gives up soon, rests, and tries again a few times.
    type: str
    default: 1s
notes:
  - The session is read-only until the first change, so check mode cannot change anything.
  - Two runs of the same module on one database exclude each other by an advisory lock, which is why the server's own
    address has to be given and not that of a pooler such as PgBouncer.
  - Unless the module says otherwise, it fails on a standby, which takes no changes, with nothing done.
"""
