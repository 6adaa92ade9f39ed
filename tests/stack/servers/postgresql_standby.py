# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""A streaming standby beside a PostgreSQL of a stack: copied by pg_basebackup, open for reading."""

from __future__ import annotations

import secrets
import subprocess
import time
from dataclasses import replace
from pathlib import Path

from psycopg import sql
from psycopg.conninfo import make_conninfo

from tests.stack.endpoint import Endpoint
from tests.stack.errors import StackError
from tests.stack.places import server_user
from tests.stack.servers.base import POLL_SECONDS, free_port
from tests.stack.servers.postgresql import connect
from tests.stack.stack import Stack
from tests.stack.state import Member

__all__ = ["add_standby", "wait_replayed"]

REPLAY_SECONDS = 30.0


def add_standby(stack: Stack, primary: str, name: str, *, hot_standby_feedback: bool = False) -> Endpoint:
    """Start a standby; the stack knows it as a store of its own, to be stopped, killed, paused or started by its name.

    Args:
        stack: a stack that is up.
        primary: which of its stores to follow.
        name: the standby's name, also its ``application_name``.
        hot_standby_feedback: whether its queries hold back the primary's vacuum; a session can switch it with
            ALTER SYSTEM and pg_reload_conf().
    """
    source = stack.endpoints[primary]
    (origin,) = [member for member in stack.status() if member.name == primary]
    folder = Path(origin.folder).parent / name
    user, password = f"replication_{name}", secrets.token_urlsafe(18)
    _let_in(source, user, password)
    address = make_conninfo(host=source.host, port=source.port, user=user, application_name=name)
    _copy(origin, address, password, folder)
    endpoint = replace(source, port=free_port())
    with (folder / "postgresql.conf").open("a", encoding="utf-8") as handle:
        handle.write(f"port = {endpoint.port}\nhot_standby_feedback = {'on' if hot_standby_feedback else 'off'}\n")
    member = replace(
        origin,
        name=name,
        store=name,
        argv=[origin.argv[0], "-D", str(folder)],
        folder=str(folder),
        log=str(Path(origin.log).with_name(f"{name}.log")),
        port=endpoint.port,
        pid=None,
        started=None,
    )
    stack.add_member(member, endpoint)
    return endpoint


def wait_replayed(primary: Endpoint, standby: Endpoint) -> None:
    """Come back when the standby shows all that was committed on the primary before the call.

    Raises:
        StackError: it has not within half a minute.
    """
    with connect(primary) as session:
        target = session.execute("SELECT pg_current_wal_flush_lsn()::text").fetchone()
    end = time.monotonic() + REPLAY_SECONDS
    with connect(standby) as session:
        while session.execute("SELECT pg_last_wal_replay_lsn() >= %s::pg_lsn", target).fetchone() != (True,):
            if time.monotonic() > end:
                raise StackError(f"the standby has not replayed {target} within {REPLAY_SECONDS:.0f} s")
            time.sleep(POLL_SECONDS)


def _let_in(source: Endpoint, user: str, password: str) -> None:
    """A user for this standby alone, since the standby keeps its password."""
    name = sql.Identifier(user)
    with connect(source) as session:
        session.execute(sql.SQL("DROP ROLE IF EXISTS {}").format(name))
        session.execute(sql.SQL("CREATE ROLE {} LOGIN REPLICATION PASSWORD {}").format(name, sql.Literal(password)))


def _copy(origin: Member, address: str, password: str, folder: Path) -> None:
    """Copy the running primary; the settings that make the copy a standby are written by pg_basebackup itself."""
    user = server_user()
    done = subprocess.run(
        [
            *(str(Path(origin.argv[0]).with_name("pg_basebackup")), "--pgdata", str(folder), "--dbname", address),
            *("--write-recovery-conf", "--wal-method=stream", "--checkpoint=fast", "--no-sync", "--no-password"),
        ],
        env={**origin.environment, "PGPASSWORD": password},
        cwd=folder.parent,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        **({} if user is None else user.popen_options()),
    )
    if done.returncode != 0:
        raise StackError(f"{folder.name}: pg_basebackup failed: {done.stderr.strip()}")
