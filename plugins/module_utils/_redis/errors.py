# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What Redis and its driver raise, told apart and turned into errors that a user can act on."""

from __future__ import annotations

import re
from typing import Any

from .._core.errors import AccessDenied, AuthenticationFailed, StoreError, StoreTimeout, StoreUnreachable

__all__ = [
    "MOVING",
    "ClusterDown",
    "Loading",
    "OutOfMemory",
    "ReadOnly",
    "Redirected",
    "ReplicaStale",
    "Resharding",
    "TooManyClients",
    "translate",
]


class Loading(StoreError):
    """The server reads its data from disk and refuses most commands until that is done."""

    condition = "loading"


class TooManyClients(StoreError):
    """The server has as many connections as ``maxclients`` allows."""

    condition = "max_clients"


class ReplicaStale(StoreError):
    """A replica lost its master and is set not to serve what it has."""

    condition = "master_down"


class ReadOnly(StoreError):
    """A write went to a replica."""

    condition = "read_only"


class OutOfMemory(StoreError):
    """The server is at ``maxmemory`` and may evict nothing."""

    condition = "out_of_memory"


class Redirected(StoreError):
    """The key lives on another node of the cluster."""

    condition = "cluster_redirect"


class Resharding(Redirected):
    """The key's slot is on its way to another node, and so perhaps is the key."""

    condition = "cluster_resharding"


class ClusterDown(StoreError):
    """The node that has the key's slot is down, or nobody has it."""

    condition = "cluster_down"


_ELSEWHERE = "Connect to the node that holds the key, or give the queue a prefix in braces."
MOVING = "Run again once the cluster is resharded."
"""What to do about a slot that is on its way."""

_BY_CLASS: tuple[tuple[str, type[StoreError], str], ...] = (
    ("BusyLoadingError", Loading, "Wait until the server has read its data; redis.loading_eta says how long."),
    ("NoPermissionError", AccessDenied, "Grant the user this command and key pattern with ACL SETUSER."),
    ("MasterDownError", ReplicaStale, "Bring the master or the link to it back, or fail over."),
    ("ReadOnlyError", ReadOnly, "Connect to the master."),
    ("OutOfMemoryError", OutOfMemory, "Raise maxmemory, remove data, or allow an eviction policy."),
    ("AuthenticationError", AuthenticationFailed, "Check login_user and login_password, and that the user is on."),
    ("AuthorizationError", AccessDenied, "Grant the user this command with ACL SETUSER."),
    ("MovedError", Redirected, _ELSEWHERE),
    ("AskError", Resharding, MOVING),
    ("TryAgainError", Resharding, MOVING),
    ("ClusterDownError", ClusterDown, "Bring the cluster's failed nodes back, or fail over; assign all slots."),
    ("InvalidResponse", StoreUnreachable, "Check host and port: what answers there does not speak Redis's protocol."),
    ("TimeoutError", StoreTimeout, "See whether the server is paused, overloaded or behind a firewall."),
)
"""The driver's classes in the order to ask for them: some are derived from one that stands further down, and
which of them exist depends on the driver's version."""

_BY_TEXT: tuple[tuple[str, type[StoreError], str], ...] = (
    ("max number of clients", TooManyClients, "Find who keeps connections open (CLIENT LIST), or raise maxclients."),
    ("noauth", AuthenticationFailed, "Give login_password (and login_user): the server wants a login."),
    (
        "authentication required",
        AuthenticationFailed,
        "Give login_password (and login_user): the server wants a login.",
    ),
    ("protected mode", AuthenticationFailed, "Set a password on the server, or bind it to an address on purpose."),
    ("oom command not allowed", OutOfMemory, "Raise maxmemory, remove data, or allow an eviction policy."),
    ("masterdown", ReplicaStale, "Bring the master or the link to it back, or fail over."),
    ("moved ", Redirected, _ELSEWHERE),
    ("tryagain", Resharding, MOVING),
    ("clusterdown", ClusterDown, "Bring the cluster's failed nodes back, or fail over; assign all slots."),
    ("noperm", AccessDenied, "Grant the user this command and key pattern with ACL SETUSER."),
    ("acl failure in script", AccessDenied, "Grant the user this command and key pattern with ACL SETUSER."),
    ("user executing the script", AccessDenied, "Grant the user this command and key pattern with ACL SETUSER."),
    (
        "unknown command",
        AccessDenied,
        "The command is renamed or disabled, as managed services do; grant it if you can.",
    ),
    ("db index", AccessDenied, "Check login_db: the server has fewer databases."),
    ("certificate", StoreUnreachable, "Check ca_cert and the name in the server's certificate."),
    ("ssl", StoreUnreachable, "Check tls: it has to be as the server expects it on this port."),
)


_WHERE = re.compile(r"(\d+) (\S+)")
"""What is left of MOVED and ASK once the driver has taken off the word: slot and address."""


def translate(error: Exception, driver: Any, tried: str) -> StoreError:
    """Turn what the driver raised into an error of ours.

    :param driver: the imported driver, for its classes.
    :param tried: what was attempted, for people.
    """
    text = _first_line(error)
    for name, kind, remedy in _BY_CLASS[:-1]:
        if isinstance(error, getattr(driver.exceptions, name, ())):
            return kind(tried, _worded(kind, text), remedy)
    for fragment, kind, remedy in _BY_TEXT:
        if fragment in text.lower():
            return kind(tried, text, remedy)
    if isinstance(error, (driver.exceptions.TimeoutError, TimeoutError)) or "timeout" in text.lower():
        return StoreTimeout(tried, "no answer in time", _BY_CLASS[-1][2])
    if isinstance(error, (driver.exceptions.ConnectionError, OSError)):
        return StoreUnreachable(tried, text, "Check that the server runs, and host, port and firewall.")
    return StoreError(tried, text, "See the server's log.")


def _worded(kind: type[StoreError], text: str) -> str:
    """The reason; what a server that is no Redis server sent is not repeated, for it could be anything."""
    where = _WHERE.fullmatch(text)
    if where:
        return f"the slot {where[1]} is at {where[2]}"
    return "what answers is no Redis server" if kind is StoreUnreachable else text


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0]
