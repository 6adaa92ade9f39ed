# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Finds out how much disk is free where the server keeps its data: only if that is surely this host."""

from __future__ import annotations

import os
from pathlib import Path
from typing import NamedTuple

from .client import PostgresqlClient
from .spaces import Spaces

__all__ = ["observe_spaces"]

# pg_settings leaves out what the user may not see, while current_setting would fail.
PLACE = """
SELECT (SELECT setting FROM pg_settings WHERE name = 'data_directory') AS path,
    has_function_privilege('pg_stat_file(text)', 'EXECUTE') AS may_stat"""

STAMP = """
SELECT extract(epoch FROM modification)::bigint AS modified, extract(epoch FROM change)::bigint AS changed
FROM pg_stat_file('.')"""

TABLESPACES = """
SELECT CASE WHEN t.oid = d.dattablespace THEN 0 ELSE t.oid END::bigint AS oid, pg_tablespace_location(t.oid) AS path
FROM pg_tablespace t JOIN pg_database d ON d.datname = current_database() WHERE t.spcname <> 'pg_global'"""

ATTEMPTS = 2
"""The data directory may change between the server's look and ours."""

ELSEWHERE = "the server's data directory is not on this host, or cannot be looked at"


class _Place(NamedTuple):
    path: str | None
    may_stat: bool


class _Stamp(NamedTuple):
    modified: int
    changed: int


class _Tablespace(NamedTuple):
    oid: int
    path: str


def observe_spaces(client: PostgresqlClient) -> Spaces:
    """Read the free space of every tablespace's file system.

    A directory of the same path may be here and belong to another server, as with containers: so the times of its last
    change, as the server sees them and as we do, have to be the same.
    """
    place = client.row("read where the server keeps its data", PLACE, _Place)
    if place.path is None or not place.may_stat:
        return Spaces({}, f"the user {client.server.user} may not see where the server keeps its data")
    if not any(_is_here(client, place.path) for _attempt in range(ATTEMPTS)):
        return Spaces({}, ELSEWHERE)
    free = {}
    for tablespace in client.rows("read the tablespaces", TABLESPACES, _Tablespace):
        try:
            found = os.statvfs(tablespace.path or place.path)
        except OSError:
            continue
        free[tablespace.oid] = found.f_bavail * found.f_frsize
    return Spaces(free, "its tablespace cannot be looked at")


def _is_here(client: PostgresqlClient, path: str) -> bool:
    theirs = client.row("look at the server's data directory", STAMP, _Stamp)
    try:
        ours = Path(path).stat()
    except OSError:
        return False
    return (int(ours.st_mtime), int(ours.st_ctime)) == (theirs.modified, theirs.changed)
