# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Redis from a wheel, with a configuration file (CONFIG REWRITE wants one) and access lists."""

from __future__ import annotations

import hashlib
import json
from typing import Any

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from tests.stack.endpoint import Endpoint
from tests.stack.servers.base import HOST, MONITOR, Builder, Ready, clean_environment, free_port, start_member
from tests.stack.state import Member

__all__ = ["connect", "create", "prepare", "ready"]

# What statistics need, and reading: no writes, nothing that changes the server.
MONITOR_RULES = (
    "~* -@all +@read +@connection +info +config|get +slowlog|get +slowlog|len +latency|latest +latency|history "
    "+latency|doctor +client|list +memory +lastsave +role +time +dbsize +scan +command +eval +evalsha +script|load "
    "+acl|whoami -keys"
)
SETTINGS = """
bind {host}
port {port}
protected-mode yes
daemonize no
dir {data}
logfile ""
save 3600 1
appendonly no
maxmemory 256mb
maxmemory-policy noeviction
latency-monitor-threshold 100
"""


# No second try: a store that was stopped on purpose would be asked for minutes.
DEFAULTS: dict[str, Any] = {
    "decode_responses": True,
    "socket_timeout": 20,
    "socket_connect_timeout": 5,
    "retry": Retry(NoBackoff(), 0),
}


def create(builder: Builder) -> tuple[Endpoint, list[Member]]:
    """A new server, started, with the default user's password and a user for monitoring."""
    endpoint, member = prepare(builder)
    start_member(member, ready(endpoint, endpoint.port), builder.user, builder.save)
    return endpoint, [member]


def prepare(builder: Builder, *, port: int | None = None, login: Endpoint | None = None) -> tuple[Endpoint, Member]:
    """A new server, not started yet; its configuration file is ``redis.conf`` in the builder's folder.

    Args:
        builder: where and with what to make it.
        port: where it will listen; by default a free one.
        login: a server whose users and passwords this one gets too; by default it gets its own.
    """
    port = free_port() if port is None else port
    endpoint = Endpoint(
        kind="redis",
        host=HOST,
        port=port,
        user="default" if builder.auth else None,
        password=login.password if login else builder.password(),
        database="0",
        monitor_user=MONITOR if builder.auth else None,
        monitor_password=login.monitor_password if login else builder.password(),
    )
    data = builder.make_folder("data")
    # Redis reads quoted words as JSON writes them, so that a path may hold spaces.
    text = SETTINGS.format(host=HOST, port=port, data=json.dumps(str(data), ensure_ascii=False))
    if endpoint.password is not None and endpoint.monitor_password is not None:
        text += f"user default on #{_hash(endpoint.password)} ~* &* +@all\n"
        text += f"user {MONITOR} on #{_hash(endpoint.monitor_password)} {MONITOR_RULES}\n"
    configuration = builder.make_file(builder.folder / "redis.conf", text)
    if builder.user is not None:
        builder.user.own(builder.folder)  # CONFIG REWRITE makes a new file beside the old one
    return endpoint, Member(
        name=builder.name,
        store=builder.name,
        kind="redis",
        argv=[str(builder.program), str(configuration)],
        folder=str(data),
        log=str(builder.folder.parent / f"{builder.name}.log"),
        stop_signal="SIGTERM",
        port=port,
        environment=clean_environment(builder.program),
    )


def ready(endpoint: Endpoint, port: int) -> Ready:
    """Whether the server answers our password and has read its file."""

    def check() -> bool:
        try:
            with connect(endpoint, socket_timeout=1, socket_connect_timeout=1) as client:
                return bool(client.ping())
        except redis.RedisError:
            return False

    return check


def connect(endpoint: Endpoint, **options: Any) -> redis.Redis:
    """A client as the endpoint's user; text in, text out."""
    return redis.Redis(
        host=endpoint.host,
        port=endpoint.port,
        username=endpoint.user,
        password=endpoint.password,
        db=int(endpoint.database),
        **(DEFAULTS | options),
    )


def _hash(password: str) -> str:
    return hashlib.sha256(password.encode()).hexdigest()
