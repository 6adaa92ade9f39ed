# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What psycopg's errors mean, in words, with a remedy. Pure.

Once a session stands, an error carries its SQLSTATE. Before that libpq hands over a text only, so the server's English
texts are known here; a text in another language still reaches the user, as ``unreachable``.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from .._core.errors import AccessDenied, AuthenticationFailed, StoreError, StoreTimeout, StoreUnreachable

__all__ = [
    "LOCK_CODES",
    "TRANSIENT_CODES",
    "ConnectionsExhausted",
    "StandbyServer",
    "explain_login",
    "explain_statement",
    "explain_work",
    "text_of",
]

LOCK_CODES = ("55P03",)
"""SQLSTATE of a lock that was not to be had within lock_timeout."""
TRANSIENT_CODES = (*LOCK_CODES, "40P01", "40001")
"""SQLSTATEs after which the same statement may succeed: lock timeout, deadlock, serialization failure."""


class ConnectionsExhausted(StoreError):
    """The server runs and has no connection left for this user."""

    condition = "connections_exhausted"


class StandbyServer(StoreError):
    """The server is a standby, which takes no changes."""

    condition = "standby"


class Meaning(NamedTuple):
    """What one kind of error says.

    :param error: the error it becomes.
    :param remedy: what to do.
    :param why: the cause in words, before the server's own text; empty: its text alone.
    """

    error: type[StoreError]
    remedy: str
    why: str = ""


_CREDENTIALS = "Check login_user and login_password (or the URI's), and the rules in the server's pg_hba.conf."
_RESERVED = (
    "Find out who holds the connections (pg_stat_activity), close idle ones, pool them, or raise max_connections."
)
_ADDRESS = "Check that the server runs, its address and port, its listen_addresses, and the firewall between."
_TLS = "Check the options tls, ca_cert, client_cert and client_key against what the server offers and demands."

LOGIN: tuple[tuple[str, Meaning], ...] = (
    (r"too many clients|too many connections|connection slots are reserved", Meaning(ConnectionsExhausted, _RESERVED)),
    (r"no pg_hba\.conf entry|pg_hba\.conf rejects", Meaning(AuthenticationFailed, _CREDENTIALS)),
    (r"authentication failed|no password supplied|SCRAM", Meaning(AuthenticationFailed, _CREDENTIALS)),
    (r"not permitted to log in", Meaning(AuthenticationFailed, _CREDENTIALS)),
    (r"role .* does not exist", Meaning(AuthenticationFailed, _CREDENTIALS)),
    (r"permission denied for database", Meaning(AccessDenied, "Grant the user CONNECT on the database.")),
    (r"database .* does not exist", Meaning(StoreError, "Check login_db, or the database in the URI.")),
    (r"not (?:currently )?accepting connections", Meaning(StoreError, "Connect to another database.")),
    (
        r"starting up|shutting down|in recovery mode|not yet accepting",
        Meaning(StoreUnreachable, "Wait a moment and run again; if it stays so, read the server's log."),
    ),
    (
        r"unsupported startup parameter",
        Meaning(
            StoreError,
            "Give the server's own address. A pooler hides what has to be looked at.",
            "a connection pooler answers in place of the server",
        ),
    ),
    (r"\bSSL\b|\bTLS\b|certificate", Meaning(StoreUnreachable, _TLS)),
    (r"timeout expired|timed out", Meaning(StoreTimeout, _ADDRESS)),
)  # fmt: skip
"""Texts of a refused connection, most telling first. Source: src/backend/{libpq,utils/init,tcop} of the server."""

_LOAD = "Look for load and locks on the server, or raise connect_timeout."

STATEMENT: tuple[tuple[str, Meaning], ...] = (
    ("57014", Meaning(StoreTimeout, _LOAD, "the server broke the query off at its time limit")),
    ("55P03", Meaning(StoreTimeout, _LOAD, "it would have had to wait for a lock")),
    ("42501", Meaning(AccessDenied, "Grant the user what it may not read: GRANT pg_monitor TO the user.")),
    ("53", Meaning(StoreError, "The server lacks memory, disk space or connections: read its log.")),
    ("57P", Meaning(StoreUnreachable, "The server is going down or ended the session: read its log.")),
    ("08", Meaning(StoreUnreachable, _ADDRESS)),
    ("42", Meaning(StoreError, "Check that it is a PostgreSQL server of version 13 or newer, and no pooler.")),
)
"""Beginnings of SQLSTATE codes. Source: appendix A of PostgreSQL's documentation."""

_WAIT = "Run again when whoever holds the lock is done, or raise lock_timeout; nothing waited for long behind it."

WORK: tuple[tuple[str, Meaning], ...] = (
    ("57014", Meaning(StoreTimeout, "Give the task a longer deadline.", "the server broke it off at its time limit")),
    ("55P03", Meaning(StoreTimeout, _WAIT, "another session holds the lock that it needs")),
    ("40P01", Meaning(StoreError, "Run again.", "another session and it were waiting for each other")),
    ("42501", Meaning(AccessDenied, "Let the owner do it, or grant the user the right.")),
    ("25006", Meaning(StoreError, "Run it against the primary.", "the server takes no changes")),
    ("53100", Meaning(StoreError, "Make room on the server's disk, then run again.", "the disk is full")),
    ("42", Meaning(StoreError, "")),
)
"""What the same codes mean to a statement that changes something; others are as in :data:`STATEMENT`."""


def explain_login(tried: str, text: str) -> StoreError:
    """Turn the text of a connection that failed into an error.

    :param tried: what was attempted.
    :param text: libpq's text.
    """
    for pattern, meaning in LOGIN:
        if re.search(pattern, text):
            return _error(tried, meaning, text)
    return _error(tried, Meaning(StoreUnreachable, _ADDRESS), text)


def explain_statement(tried: str, sqlstate: str | None, text: str) -> StoreError:
    """Turn an error within a session into ours; one without SQLSTATE comes from a broken connection."""
    return _explained(tried, sqlstate, text, STATEMENT)


def explain_work(tried: str, sqlstate: str | None, text: str) -> StoreError:
    """Turn an error of a statement that changes something into ours."""
    return _explained(tried, sqlstate, text, WORK + STATEMENT)


def _explained(tried: str, sqlstate: str | None, text: str, meanings: tuple[tuple[str, Meaning], ...]) -> StoreError:
    found = Meaning(StoreError, "")
    if sqlstate is None:
        found = Meaning(StoreUnreachable, _ADDRESS, "the connection was lost")
    for code, meaning in meanings:
        if sqlstate and sqlstate.startswith(code):
            found = meaning
            break
    error = _error(tried, found, text)
    error.code = sqlstate
    return error


def text_of(error: BaseException) -> str:
    """Return an error's first line, without the prefixes that libpq and psycopg pile up in front of it."""
    line = str(error).strip().partition("\n")[0]
    return re.sub(
        r"^(?:connection failed: |connection is bad: |connection to server (?:at|on) .*? failed: )+", "", line
    )


def _error(tried: str, meaning: Meaning, text: str) -> StoreError:
    why = f"{meaning.why} ({text})" if meaning.why and text else meaning.why or text or "no reason was given"
    return meaning.error(tried, why, meaning.remedy)
