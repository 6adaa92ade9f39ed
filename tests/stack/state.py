# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a stack writes down about itself, so that another process can look at it and end it."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from tests.stack.endpoint import Endpoint
from tests.stack.errors import StackError
from tests.stack.process import Identity

__all__ = ["Member", "State", "exclusive", "read_state", "write_state"]

FILE = "stack.json"
FORMAT = 1


@dataclass
class Member:
    """One process of the stack and all that is needed to start it again."""

    name: str
    """The store's name, with a number behind it in a replica set of several."""
    store: str
    kind: str
    argv: list[str]
    folder: str
    """Where it stands; for a server its data."""
    log: str
    stop_signal: str
    """Name of the signal that ends it cleanly."""
    port: int | None = None
    environment: dict[str, str] = field(default_factory=dict)
    as_server_user: bool = True
    pid: int | None = None
    started: int | None = None
    paused: bool = False

    @property
    def identity(self) -> Identity | None:
        """The process, if it was started."""
        return None if self.pid is None or self.started is None else Identity(self.pid, self.started)

    @identity.setter
    def identity(self, identity: Identity | None) -> None:
        self.pid = None if identity is None else identity.pid
        self.started = None if identity is None else identity.started

    @property
    def condition(self) -> str:
        """``up``, ``paused``, ``stopped`` (on request) or ``dead`` (of itself)."""
        identity = self.identity
        if identity is None:
            return "stopped"
        if not identity.alive:
            return "dead"
        return "paused" if self.paused else "up"


@dataclass
class State:
    """The content of the state file."""

    boot: str
    """The kernel's boot id: process ids of an earlier boot mean nothing."""
    data: str
    """Folder of all the stores' data."""
    options: dict[str, Any]
    complete: bool = False
    owner: tuple[int, int] | None = None
    """Process id and start time of a test run that the stack must not outlive."""
    members: list[Member] = field(default_factory=list)
    endpoints: dict[str, Endpoint] = field(default_factory=dict)
    sample: dict[str, Any] = field(default_factory=dict)
    """What the sample application says about itself: addresses, folders, token."""


def boot_id() -> str:
    """Identifies this boot of the machine."""
    return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()


def read_state(folder: Path) -> State | None:
    """The state kept in `folder`; None if there is none.

    Raises:
        StackError: the file is there and cannot be read as ours.
    """
    path = folder / FILE
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
        if data.pop("format") != FORMAT:
            raise StackError(f"{path} was written by another version: end its servers by hand and remove {folder}")
        members = [Member(**member) for member in data.pop("members")]
        endpoints = {name: Endpoint.from_json(value) for name, value in data.pop("endpoints").items()}
        state = State(**data, members=members, endpoints=endpoints)
    except FileNotFoundError:
        return None
    except (ValueError, TypeError, KeyError) as error:
        raise StackError(f"{path} is damaged ({error}): remove {folder} after a look for left-over servers") from error
    if state.boot != boot_id():
        for member in state.members:
            member.identity = None
    return state


def write_state(folder: Path, state: State) -> None:
    """Put the state file in place in one step; only its owner may read it, as it holds the passwords."""
    data = {
        "format": FORMAT,
        **{key: getattr(state, key) for key in ("boot", "data", "options", "complete", "owner", "sample")},
        "members": [asdict(member) for member in state.members],
        "endpoints": {name: endpoint.to_json() for name, endpoint in state.endpoints.items()},
    }
    temporary = folder / f".{FILE}.{os.getpid()}"
    with contextlib.suppress(FileNotFoundError):
        temporary.unlink()
    with os.fdopen(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as handle:
        json.dump(data, handle, indent=1)
    temporary.replace(folder / FILE)


@contextlib.contextmanager
def exclusive(folder: Path, name: str = ".lock") -> Iterator[None]:
    """Keep other processes out of `folder`; a killed holder lets go by itself."""
    handle = os.open(folder / name, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)
