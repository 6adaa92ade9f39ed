# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is read before logging of slow statements is set: one class for the rows of each query. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from ..server import Server

__all__ = ["Facts", "Override", "Seen", "Setting", "Written"]

AUTO_FILE = "postgresql.auto.conf"


class Setting(NamedTuple):
    """A setting as this session has it. :param may_set: whether the user may change it by ALTER SYSTEM."""

    name: str
    value: str
    unit: str | None
    source: str
    context: str
    pending: bool
    boot: str | None
    may_set: bool

    @property
    def is_servers(self) -> bool:
        """Whether the value is the server's, and not that of this user or database."""
        return self.source in ("default", "configuration file", "command line", "override", "environment variable")

    @property
    def needs_restart(self) -> bool:
        """Whether a change is in force after a restart only."""
        return self.context == "postmaster"


class Written(NamedTuple):
    """A line of the configuration files. :param error: why the server cannot use it."""

    name: str | None
    value: str | None
    file: str
    line: int
    order: int
    error: str | None


class Override(NamedTuple):
    """The value that a role, a database, or a role in a database has of its own; None: any."""

    role: str | None
    database: str | None
    name: str
    value: str

    @property
    def whose(self) -> str:
        """Whose value it is, for people."""
        parts = [f"role {self.role}"] if self.role else []
        return " in ".join(parts + ([f"database {self.database}"] if self.database else []))


class Facts(NamedTuple):
    """What the user may do, and what there is.

    :param superuser: whether the user is one.
    :param may_reload: whether it may have the configuration read again.
    :param may_read_files: whether it may see the configuration files' lines.
    :param available: whether the extension's files are on the server.
    :param installed: whether the extension is in the database.
    :param schema_there: whether the schema that it is to be in exists.
    :param role_there: whether the role that is meant exists.
    """

    superuser: bool
    may_reload: bool
    may_read_files: bool
    available: bool
    installed: bool
    schema_there: bool
    role_there: bool


class Seen(NamedTuple):
    """All of it. :param written: None: the user may not see the files."""

    server: Server
    facts: Facts
    settings: Mapping[str, Setting]
    written: tuple[Written, ...] | None
    overrides: tuple[Override, ...]

    def in_file(self, name: str) -> str | None:
        """Return the value that the server has or takes with the next reload or restart; None: it is not known."""
        if self.written is not None:
            lines = [line for line in self.written if line.name == name and line.value is not None]
            if lines:
                return max(lines, key=lambda line: line.order).value
        setting = self.settings.get(name)
        if setting is None:
            return None
        if self.written is not None:
            # Nothing is written: what a command line or the build gives.
            return setting.value if setting.is_servers and setting.source != "configuration file" else setting.boot
        return setting.value if setting.is_servers and not setting.pending else None

    def in_auto_file(self, name: str) -> bool:
        """Whether ALTER SYSTEM has set it before."""
        return any(line.name == name and line.file.endswith(AUTO_FILE) for line in self.written or ())
