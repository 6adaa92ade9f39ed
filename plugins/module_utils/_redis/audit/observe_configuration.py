# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Reads settings and users. No setting is asked for that holds a secret, and of users nothing but their rights."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from ..._core.dependency import version_tuple
from ..._core.errors import StoreError
from ..._core.runner import Context
from ..client import RedisClient
from ..info import Info
from ..observe_memory import observe_keyspace, observe_memory
from ..wire import packed
from .decide_exposure import NAMES as EXPOSURE_NAMES
from .decide_settings import NAMES as SETTING_NAMES
from .observation import Account, Exposure, Settings
from .session import AuditSession

__all__ = ["observe_exposure", "observe_settings"]

_IN_INFO = {"maxmemory": "maxmemory", "maxmemory-policy": "maxmemory_policy"}


def observe_settings(session: AuditSession, context: Context) -> Settings:
    """Read settings, and what the server shows of their effect."""
    client = session.client
    info = client.info()
    values, denied = _configuration(client, SETTING_NAMES)
    memory, databases = observe_memory(client, context), observe_keyspace(client, context)
    keys = sum(database.keys for database in databases)
    return Settings(
        values={**_from_info(info), **values},
        denied=denied,
        accepted=frozenset(context.params["accepted_settings"]),
        keys=keys,
        lasting=keys - sum(database.expires for database in databases),
        queues=session.queues(),
        used=memory.used,
        system=memory.system,
        frag_ratio=memory.frag_ratio,
        frag_bytes=memory.frag_bytes,
        replica=info.text("role") == "slave",
        replicas=info.integer("connected_slaves") or 0,
    )


def observe_exposure(session: AuditSession, context: Context) -> Exposure:
    """Read how the server can be reached, and by whom."""
    client = session.client
    version = version_tuple(client.info().text("redis_version") or "0")
    values, denied = _configuration(client, EXPOSURE_NAMES)
    try:
        accounts = _accounts(client)
    except StoreError as error:
        # Before Redis 6 there is no access list, and it is nothing that the user was refused.
        denied = denied or (error if version >= (6,) else None)
        accounts = (Account("default", True, session.open_to_all, True),)
    return Exposure(values, denied, accounts, version, frozenset(context.params["accepted_settings"]))


def _configuration(client: RedisClient, names: Iterable[str]) -> tuple[dict[str, str], StoreError | None]:
    """Return the settings that the server has, and why it did not tell them.

    Each is asked for by itself: several at once are understood from Redis 7 on.
    """
    tried = "read the settings (CONFIG GET)"
    commands = [("CONFIG", "GET", name) for name in sorted(names)]
    values: dict[str, str] = {}
    for reply in client.exchange(tried, packed(commands), len(commands)):
        if isinstance(reply, Exception):
            return {}, client.explain(tried, reply)
        for name, value in _pairs(reply).items():
            values[_text(name)] = _text(value)
    return values, None


def _from_info(info: Info) -> dict[str, str]:
    found = {name: info.text(field) for name, field in _IN_INFO.items()}
    found["appendonly"] = (
        {1: "yes", 0: "no"}.get(info.integer("aof_enabled") or 0) if info.text("aof_enabled") else None
    )
    return {name: value for name, value in found.items() if value is not None}


def _accounts(client: RedisClient) -> tuple[Account, ...]:
    """Read every user's flags and rules. The hashes of passwords, which come along, are dropped here.

    :raises StoreError: the access list may not be read, or there is none.
    """
    tried = "read the users (ACL)"
    names = [_text(name) for name in _must(client, tried, [("ACL", "USERS")])[0]]
    answers = _must(client, tried, [("ACL", "GETUSER", name) for name in names])
    return tuple(_account(name, _pairs(answer)) for name, answer in zip(names, answers, strict=True) if answer)


def _must(client: RedisClient, tried: str, commands: list[tuple[str, ...]]) -> list[Any]:
    replies = client.exchange(tried, packed(commands), len(commands))
    for reply in replies:
        if isinstance(reply, Exception):
            raise client.explain(tried, reply)
    return replies


def _account(name: str, answer: Mapping[Any, Any]) -> Account:
    fields = {_text(field): value for field, value in answer.items()}
    flags = {_text(flag) for flag in fields.get("flags", ())}
    return Account(name, "on" in flags, "nopass" in flags, "+@all" in _text(fields.get("commands", "")).split())


def _pairs(answer: Any) -> Mapping[Any, Any]:
    """A map of the protocol, which RESP3 has and RESP2 writes as a flat list."""
    return answer if isinstance(answer, Mapping) else dict(zip(answer[::2], answer[1::2], strict=False))


def _text(value: Any) -> str:
    return value.decode("utf-8", "surrogateescape") if isinstance(value, bytes) else str(value)
