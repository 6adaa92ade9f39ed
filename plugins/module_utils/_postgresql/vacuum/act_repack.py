# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Runs the program pg_repack: login by its environment, never by its arguments, and never beyond the deadline."""

from __future__ import annotations

import re
import shutil
import signal
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ..._core.errors import StoreError, StoreTimeout
from ..._core.runner import Context
from ..client import PostgresqlClient

__all__ = ["find_program", "repack", "repack_environment"]

PLACES = ("/usr/lib/postgresql/{major}/bin", "/usr/pgsql-{major}/bin")
"""Where Debian's and the PostgreSQL project's own packages put it; neither is on the path."""
VERSION_SECONDS = 10.0
GRACE_SECONDS = 20.0
"""After SIGINT pg_repack ends its query and removes its trigger and tables."""
MOST_TEXT = 500

LIBPQ = {
    "sslmode": "PGSSLMODE",
    "sslrootcert": "PGSSLROOTCERT",
    "sslcert": "PGSSLCERT",
    "sslkey": "PGSSLKEY",
    "channel_binding": "PGCHANNELBINDING",
    "gssencmode": "PGGSSENCMODE",
}
"""Options of the connection beside address and login that the program has to share."""


def find_program(major: int, context: Context) -> tuple[str, str | None]:
    """Return the path of pg_repack and its version; None if it is absent or does not start.

    :param major: the server's version: of several programs the one that is built for it.
    """
    places = [place.format(major=major) for place in PLACES]
    search = ":".join([*places, context.environment.get("PATH", "")])
    path = shutil.which("pg_repack", path=search)
    if path is None:
        return "", None
    try:
        done = subprocess.run([path, "--version"], capture_output=True, text=True, timeout=VERSION_SECONDS, check=False)
    except (OSError, subprocess.SubprocessError):
        return path, None
    match = re.search(r"\b(\d+(?:\.\d+)+)\b", done.stdout)
    return path, match[1] if match else None


def repack_environment(info: Any, environment: Mapping[str, str]) -> dict[str, str]:
    """Return the environment in which the program connects as we are connected.

    :param info: psycopg's ConnectionInfo.
    :param environment: ours, of which nothing is taken that would lead elsewhere.
    """
    kept = {name: value for name, value in environment.items() if not name.startswith("PG") or name == "PGPASSFILE"}
    chosen = {"PGHOST": info.host, "PGPORT": str(info.port), "PGUSER": info.user, "PGDATABASE": info.dbname}
    if info.password:
        chosen["PGPASSWORD"] = info.password
    given = info.get_parameters()
    chosen.update({variable: given[name] for name, variable in LIBPQ.items() if given.get(name)})
    return {**kept, **chosen, "PGAPPNAME": "upkeep", "LC_ALL": "C"}


def repack(client: PostgresqlClient, argv: Sequence[str], tried: str, context: Context) -> str:
    """Run the program to its end, or to the deadline's, and return what it said.

    :raises StoreError: it failed.
    :raises StoreTimeout: the deadline came first; it was given time to remove what it had made.
    """
    environment = repack_environment(client.connection.info, context.environment)
    process = subprocess.Popen(
        list(argv),
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        errors="replace",
        start_new_session=True,
        cwd=Path("/"),
    )
    try:
        _output, said = process.communicate(timeout=max(1.0, context.deadline.remaining))
    except subprocess.TimeoutExpired:
        _end(process)
        raise StoreTimeout(tried, "the deadline ended pg_repack", "Give the task a longer deadline.") from None
    except BaseException:
        _end(process)
        raise
    said = context.secrets.redact(" ".join(said.split()))[-MOST_TEXT:]
    if process.returncode != 0:
        raise StoreError(tried, f"pg_repack ended with code {process.returncode}: {said}")
    return said


def _end(process: subprocess.Popen[str]) -> None:
    """Let the program clean up, and end it if it does not."""
    process.send_signal(signal.SIGINT)
    try:
        process.communicate(timeout=GRACE_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.communicate()
