# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a user writes in the inventory or in a survey, as the roles need it. Used by the filter plugins; pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from .._core.arguments import connection_arguments
from .._core.errors import InvalidInput

__all__ = ["called", "connection", "entries", "results", "sharing", "sources", "structured"]

ADDRESS = ("uri", "login_host", "login_port")
NAMED = ("postgresql", "mongodb")
"""Kinds of sources whose servers the inventory describes."""


def called(value: Any) -> str:
    """Return what a value is called in YAML: Ansible's own classes for texts and lists have names of their own."""
    if isinstance(value, bool):
        return "true" if value else "false"
    kinds: tuple[tuple[str, type | tuple[type, ...]], ...] = (
        ("a text", str),
        ("a number", (int, float)),
        ("a dict", Mapping),
        ("a list", (list, tuple)),
    )
    return next((name for name, kind in kinds if isinstance(value, kind)), "empty")


def structured(value: Any, option: str = "value") -> Any:
    """Return what a text holds as YAML or JSON, and anything but a text as it is.

    AWX surveys and ``-e name=value`` only send texts, so a list arrives as ``'[{"name": "main"}]'``.

    :param value: what the user gave.
    :param option: the variable's name, for the error.
    :raises InvalidInput: the text is no YAML.
    """
    if not isinstance(value, str):
        return value
    import yaml

    try:
        return yaml.safe_load(value)
    except yaml.YAMLError as error:
        # The error's own text may quote a secret out of the value.
        place = getattr(error, "problem_mark", None)
        where = f" at line {place.line + 1}, column {place.column + 1}" if place else ""
        raise InvalidInput(option, f"its text is no YAML{where}", "Write it as YAML or JSON.") from None


def entries(value: Any, kind: str, option: str = "") -> list[dict[str, Any]]:
    """Return a user's list of stores, queues or endpoints, each with a name of its own.

    One entry may stand without the list, a URL or URI without the dict, and the whole as a text of YAML or JSON.
    An entry without ``name`` is called by its database, its address or its place in the list.

    :param value: what the user gave; None, an empty text and an empty list are no entries.
    :param kind: what the entries are, such as ``redis``; part of the names that are made.
    :param option: the variable's name, for the error.
    :raises InvalidInput: an entry is no dict, or two have the same name.
    """
    option = option or f"upkeep_{kind}"
    found = structured(value, option)
    if not found:
        return []
    address_key = "url" if kind == "http" else "uri"
    made: list[dict[str, Any]] = []
    for entry in found if isinstance(found, (list, tuple)) else [found]:
        if isinstance(entry, str) and "://" in entry:
            made.append({address_key: entry})
        elif isinstance(entry, Mapping):
            made.append(dict(entry))
        else:
            raise InvalidInput(
                option, f"an entry is {called(entry)}", "Each entry is a dict with a name and connection options."
            )
    for index, entry in enumerate(made):
        entry["name"] = str(entry.get("name") or _name_for(entry, kind, index, len(made)))
    names = [entry["name"] for entry in made]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise InvalidInput(option, f"two entries are named {', '.join(twice)}", "Give each entry a name of its own.")
    return made


def connection(entry: Mapping[str, Any], override: str = "") -> dict[str, Any]:
    """Return the connection options of a store's entry, as a module of ours takes them.

    :param entry: an entry of ``upkeep_postgresql`` and the like; what else it holds is left out.
    :param override: a key of the entry with options that go over its own, such as ``maintenance`` for the user who may
        change things. One that gives an address replaces the entry's address whole.
    :raises InvalidInput: the override is no dict, or holds what is no connection option.
    """
    known = connection_arguments().options
    own = {key: value for key, value in entry.items() if key in known}
    over = entry.get(override) or {}
    if not isinstance(over, Mapping) or set(over) - set(known):
        wrong = f"holds {', '.join(sorted(map(str, set(over) - set(known))))}" if isinstance(over, Mapping) else ""
        raise InvalidInput(override, f"it {wrong or f'is {called(over)}'}", f"It is a dict of {', '.join(known)}.")
    if any(key in over for key in ADDRESS):
        own = {key: value for key, value in own.items() if key not in ADDRESS}
    return {**own, **over}


def _name_for(entry: Mapping[str, Any], kind: str, index: int, count: int) -> str:
    """Return a name for an entry that has none."""
    if entry.get("login_db") and not str(entry["login_db"]).isdigit():
        return str(entry["login_db"])
    return kind if count == 1 else f"{kind} {index + 1}"


def sharing(hosts: Sequence[str], variables: Mapping[str, Any], host: str, names: Sequence[str]) -> list[str]:
    """Return those of ``hosts`` that have the same values of all ``names`` as ``host``.

    Hosts of one application get the description of its stores from their group. Where another host checks the stores
    for them, one of them is enough to ask for it.

    :param hosts: names of hosts, in their order.
    :param variables: each host's variables, as Ansible's ``hostvars``.
    :param host: the host to compare with.
    :param names: names of variables; one that a host lacks is equal to one that the other lacks.
    """
    own = [variables[host].get(name) for name in names]
    return [other for other in hosts if other == host or [variables[other].get(name) for name in names] == own]


def results(hosts: Sequence[str], variables: Mapping[str, Any], roles: Sequence[str]) -> list[Any]:
    """Return what the roles found on the hosts: all ``<role>_results``, host by host in the order of the roles.

    :param hosts: names of hosts, in their order.
    :param variables: each host's variables, as Ansible's ``hostvars``.
    :param roles: names of roles; one that did not run on a host has no results there.
    """
    return [one for role in roles for host in hosts for one in variables[host].get(f"{role}_results") or []]


def sources(found: Any, stores: Mapping[str, Any], option: str = "warm") -> list[dict[str, Any]]:
    """Return the entries of a cache's filling, each with the connection options of the store that it names.

    :param found: the entries. ``connection`` of one may be the name of a store's entry instead of connection options.
    :param stores: for each kind of source what the user wrote of such stores, as :func:`entries` takes it.
    :param option: the variable's name, for the error.
    :raises InvalidInput: an entry is no dict, or names a store that there is not.
    """
    made = []
    for entry in structured(found, option) or []:
        if not isinstance(entry, Mapping):
            raise InvalidInput(option, f"an entry is {called(entry)}", "Each entry is a dict.")
        name = entry.get("connection")
        made.append(
            {**entry, "connection": _named(name, entry, stores, option)} if isinstance(name, str) else {**entry}
        )
    return made


def _named(name: str, entry: Mapping[str, Any], stores: Mapping[str, Any], option: str) -> dict[str, Any]:
    kind = str(entry.get("source"))
    if kind not in NAMED:
        wrong = f"an entry names the server {name}, and its source is {kind}"
        raise InvalidInput(option, wrong, f"A server can be named if source is {' or '.join(NAMED)}.")
    known = {store["name"]: store for store in entries(stores.get(kind), kind)}
    if name not in known:
        raise InvalidInput(
            option,
            f"there is no {kind} server named {name}",
            f"Those of upkeep_{kind} are: {', '.join(known) or 'none'}.",
        )
    return connection(known[name])
