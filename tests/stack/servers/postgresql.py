# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""PostgreSQL: initdb, a small configuration, a user for monitoring."""

from __future__ import annotations

import secrets
import shutil
import subprocess

import psycopg
from psycopg import sql

from tests.stack.endpoint import Endpoint
from tests.stack.errors import DiskFullError, StackError
from tests.stack.servers.base import (
    HOST,
    MONITOR,
    SUPERUSER,
    Builder,
    Ready,
    clean_environment,
    free_port,
    start_member,
)
from tests.stack.state import Member

__all__ = ["create", "ready"]

# Small and quick: nothing here has to survive a power cut, though it does survive a killed server, as a real one would.
# In the file, not on the command line, so that a module's ALTER SYSTEM has effect. The statistics of statements have
# room for those of every test on a shared server: a server that throws some out has a finding of its own.
SETTINGS = """
listen_addresses = '{host}'
port = {port}
unix_socket_directories = ''
shared_preload_libraries = 'pg_stat_statements'
pg_stat_statements.max = 50000
track_io_timing = on
max_connections = 60
shared_buffers = '32MB'
fsync = off
max_wal_size = '256MB'
log_min_messages = warning
timezone = 'UTC'
"""
SETTINGS_SINCE = {17: "summarize_wal = on\n"}  # lets incremental backups be made


def create(builder: Builder) -> tuple[Endpoint, list[Member]]:
    """A new cluster, started, with a superuser and a user for monitoring."""
    port = free_port()
    endpoint = Endpoint(
        kind="postgresql",
        host=HOST,
        port=port,
        user=SUPERUSER,
        password=builder.password(),
        database="postgres",
        monitor_user=MONITOR,
        monitor_password=builder.password(),
    )
    data = builder.folder / "data"
    _initdb(builder, endpoint)
    with (data / "postgresql.conf").open("a", encoding="utf-8") as handle:
        handle.write(SETTINGS.format(host=HOST, port=port))
        version = int(builder.name.removeprefix("postgresql"))
        handle.writelines(text for since, text in SETTINGS_SINCE.items() if version >= since)
    member = Member(
        name=builder.name,
        store=builder.name,
        kind="postgresql",
        argv=[str(builder.program), "-D", str(data)],
        folder=str(data),
        log=str(builder.folder.parent / f"{builder.name}.log"),
        stop_signal="SIGINT",  # the "fast" shutdown
        port=port,
        environment=clean_environment(builder.program),
    )
    start_member(member, ready(endpoint, port), builder.user, builder.save)
    _add_monitor(endpoint)
    return endpoint, [member]


def _initdb(builder: Builder, endpoint: Endpoint) -> None:
    # A password file is asked for even by a cluster that trusts everybody; it is not used then.
    passwords = builder.make_file(builder.folder / "pwfile", f"{endpoint.password or secrets.token_urlsafe(8)}\n")
    done = subprocess.run(
        [
            *(str(builder.program.with_name("initdb")), "--pgdata", str(builder.folder / "data"), "--no-sync"),
            *("--locale=C.UTF-8", "--encoding=UTF8", f"--username={SUPERUSER}", f"--pwfile={passwords}"),
            f"--auth={'scram-sha-256' if builder.auth else 'trust'}",
        ],
        env=clean_environment(builder.program),
        cwd=builder.folder,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        **({} if builder.user is None else builder.user.popen_options()),
    )
    passwords.unlink()
    if done.returncode != 0:
        shutil.rmtree(builder.folder / "data", ignore_errors=True)
        kind = DiskFullError if "No space left" in done.stderr else StackError
        raise kind(f"{builder.name}: initdb failed: {done.stderr.strip()}")


def ready(endpoint: Endpoint, port: int) -> Ready:
    """Whether a session can be opened with our password: a stranger on the port would refuse it."""

    def check() -> bool:
        try:
            connect(endpoint, connect_timeout=2).close()
        except psycopg.OperationalError:
            return False
        return True

    return check


def connect(endpoint: Endpoint, connect_timeout: int = 10) -> psycopg.Connection[tuple[object, ...]]:
    """A session of the endpoint's user that commits every statement."""
    return psycopg.connect(
        host=endpoint.host,
        port=endpoint.port,
        user=endpoint.user,
        password=endpoint.password,
        dbname=endpoint.database,
        connect_timeout=connect_timeout,
        autocommit=True,
    )


def _add_monitor(endpoint: Endpoint) -> None:
    with connect(endpoint) as session:
        session.execute(
            sql.SQL("CREATE ROLE {} LOGIN PASSWORD {} IN ROLE pg_monitor").format(
                sql.Identifier(MONITOR),
                sql.Literal(endpoint.monitor_password),  # NULL: no password
            )
        )
