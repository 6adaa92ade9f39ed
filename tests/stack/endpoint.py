# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""How to reach one store of a stack."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, replace
from typing import Any
from urllib.parse import quote

__all__ = ["Endpoint"]


@dataclass(frozen=True)
class Endpoint:
    """Address and credentials of one running store.

    Passwords are left out of the representation, so that a failing assertion does not print them.
    """

    kind: str
    """``postgresql``, ``mongodb`` or ``redis``."""
    host: str
    port: int
    user: str | None
    """A superuser; without authentication None, except for PostgreSQL, which wants a name all the same."""
    password: str | None = field(repr=False)
    database: str
    monitor_user: str | None = None
    """A user who may read statistics and data and change nothing; None without authentication."""
    monitor_password: str | None = field(default=None, repr=False)
    replica_set: str | None = None
    ports: tuple[int, ...] = ()
    """Every member of a MongoDB replica set; empty for the other kinds."""

    @property
    def uri(self) -> str:
        """The address with the superuser's credentials, in the form that the store's drivers accept."""
        login = ""
        if self.user is not None:
            secret = "" if self.password is None else f":{quote(self.password, safe='')}"
            login = f"{quote(self.user, safe='')}{secret}@"
        if self.kind == "mongodb":
            hosts = ",".join(f"{self.host}:{port}" for port in self.ports or (self.port,))
            source = "authSource=admin&" if login else ""
            return f"mongodb://{login}{hosts}/{self.database}?{source}replicaSet={self.replica_set}"
        return f"{self.kind}://{login}{self.host}:{self.port}/{self.database}"

    def with_database(self, database: str) -> Endpoint:
        """The same server, another database."""
        return replace(self, database=database)

    def as_monitor(self) -> Endpoint:
        """The same server through the user who may only read statistics."""
        return replace(self, user=self.monitor_user, password=self.monitor_password)

    def options(self, **more: Any) -> dict[str, Any]:
        """The options of a module of this collection that lead here, and more options beside them."""
        return {
            "login_host": self.host,
            "login_port": self.port,
            "login_user": self.user,
            "login_password": self.password,
            "login_db": self.database,
            **more,
        }

    def to_json(self) -> dict[str, Any]:
        """All fields, secrets included: for files of mode 0600 only."""
        return asdict(self)

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Endpoint:
        """The reverse of :meth:`to_json`."""
        return cls(**{**data, "ports": tuple(data["ports"])})
