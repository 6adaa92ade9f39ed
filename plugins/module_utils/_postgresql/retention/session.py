# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Settings of the session while rows are looked at and taken."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import NamedTuple

from ..._core.errors import StoreError
from ..client import PostgresqlClient
from ..statement import Statement

__all__ = ["as_the_application", "with_settings"]

SECONDS = 30.0


class _Values(NamedTuple):
    values: list[str]


@contextmanager
def as_the_application(client: PostgresqlClient, search_path: str, **more: str) -> Iterator[None]:
    """Work under the search_path that the user's sessions have: triggers and a rule's condition may rely on it.

    A condition was read under standard_conforming_strings, and a partition whose bounds exclude old rows is not looked
    into with constraint_exclusion.

    :param more: more settings, for as long.
    """
    settings = {
        "search_path": search_path,
        "standard_conforming_strings": "on",
        "constraint_exclusion": "on",
        **more,
    }
    with with_settings(client, settings):
        yield


@contextmanager
def with_settings(client: PostgresqlClient, settings: Mapping[str, str]) -> Iterator[None]:
    """Have settings in the session for a while."""
    before = dict(zip(settings, _read(client, list(settings)), strict=True))
    _set(client, settings)
    try:
        yield
    finally:
        with suppress(StoreError):  # with the connection they are gone as well
            _set(client, before)


def _set(client: PostgresqlClient, settings: Mapping[str, str]) -> None:
    calls = ", ".join(f"pg_catalog.set_config({{n{n}}}, {{v{n}}}, false)" for n in range(len(settings)))
    values = {f"n{n}": name for n, name in enumerate(settings)} | {f"v{n}": v for n, v in enumerate(settings.values())}
    client.execute("prepare the session", Statement(f"SELECT {calls}", values=values), SECONDS)


def _read(client: PostgresqlClient, names: list[str]) -> list[str]:
    calls = ", ".join(f"pg_catalog.current_setting({{n{n}}})" for n in range(len(names)))
    statement = Statement(f"SELECT ARRAY[{calls}] AS values", values={f"n{n}": name for n, name in enumerate(names)})
    return client.fetch("read the session's settings", statement, _Values, SECONDS)[0].values
