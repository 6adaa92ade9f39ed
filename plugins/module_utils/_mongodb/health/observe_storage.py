# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Sizes of databases and of the volume below them."""

from __future__ import annotations

from ..._core.errors import AccessDenied
from ..._core.runner import Context
from ..client import Client
from .observation import Storage
from .observe_server import MONITOR
from .reading import read_storage

__all__ = ["observe_storage"]

OWN = frozenset({"admin", "config", "local"})
"""The server's own databases; the oplog in local has a check of its own."""

MOST_DATABASES = 100
"""Each costs a request, and a server with thousands of databases shall not be kept busy by its health check."""


def observe_storage(client: Client, context: Context) -> Storage:
    """Read the sizes of the one database asked for, or of all that the user may list."""
    names = [client.database] if client.database else _names(client)
    measured = names[:MOST_DATABASES]
    answers = []
    for name in measured or ["admin"]:
        context.deadline.check("read the sizes of all databases")
        answers.append(client.command(f"read the size of database {name}", {"dbStats": 1}, name, needs=MONITOR))
    return read_storage(answers, own=OWN, unmeasured=len(names) - len(measured))


def _names(client: Client) -> list[str]:
    tried = "list the databases"
    command = {"listDatabases": 1, "nameOnly": True}
    found = [str(entry["name"]) for entry in client.command(tried, command, needs=MONITOR)["databases"]]
    if not found:
        # Every server has databases of its own; to a user without rights it lists none, and says nothing.
        why = "the user has no right on any database"
        raise AccessDenied(tried, why, f"Grant the user the role {MONITOR}, or read on the database, or set login_db.")
    return sorted(name for name in found if name not in OWN)
