# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A PostgreSQL with a tablespace on a real disk that is really full.

The disk is a tmpfs of a few megabytes in a mount namespace of the server's own, so it takes no rights, and is gone with
the server. WAL and catalogues lie on the machine's disk: a server whose catalogues cannot be written lets nobody in.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import psycopg
import pytest
from psycopg import sql

from tests.stack.endpoint import Endpoint
from tests.stack.errors import StackError
from tests.stack.places import server_user
from tests.stack.servers.postgresql import connect
from tests.stack.stack import Stack

__all__ = ["fill_up", "small_disk_server"]

MEGABYTES = 48

# In the first namespace the server's user may mount; in the second it has an ordinary number, for PostgreSQL does not
# run as root. All three programs are one process, whose number the stack knows.
WRAPPER = """
mount -t tmpfs -o size={size}m,mode=0700 small "$1" && shift &&
exec unshare --user --map-user=1000 --map-group=1000 "$@"
"""


@contextlib.contextmanager
def small_disk_server(make_stack: Callable[..., Stack], version: str = "postgresql18") -> Iterator[Endpoint]:
    """Start a server with the tablespace ``small``.

    It takes user namespaces (the kernel's ``unprivileged_userns_clone``); without them the test fails and says so.
    """
    with make_stack("small-disk", version) as stack:
        (origin,) = stack.status()
        folder = Path(origin.folder).with_name("small")
        folder.mkdir(mode=0o700)
        if (user := server_user()) is not None:
            user.own(folder)
        stack.stop(version)
        script = WRAPPER.format(size=MEGABYTES).strip()
        wrapped = ["unshare", "--user", "--map-root-user", "--mount", "sh", "-c", script, "sh", str(folder)]
        endpoint = stack.endpoints[version]
        member = replace(
            origin, name="small", store="small", argv=[*wrapped, *origin.argv], pid=None, started=None, paused=False
        )
        try:
            stack.add_member(member, endpoint)
        except StackError as error:
            pytest.fail(f"this test needs user namespaces and a tmpfs in one: {error}")
        with connect(endpoint) as session:
            session.execute(sql.SQL("CREATE TABLESPACE small LOCATION {}").format(sql.Literal(str(folder))))
        yield endpoint


def fill_up(endpoint: Endpoint) -> None:
    """Leave no room in the tablespace, by a table of the database that is connected to."""
    with connect(endpoint) as session:
        session.execute("CREATE TABLE filler (body text) WITH (autovacuum_enabled = off)")
        for rows in (100, 10, 1):
            with contextlib.suppress(psycopg.errors.DiskFull):
                while True:
                    session.execute(
                        "INSERT INTO filler SELECT repeat('x', 1000) FROM generate_series(1, %s * 100)", [rows]
                    )
