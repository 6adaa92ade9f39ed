# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the kinds of stores share: free ports, secrets, and waiting for a server to answer."""

from __future__ import annotations

import os
import random
import secrets
import socket
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from tests.stack.errors import DiskFullError, PortLostError, StackError
from tests.stack.places import ServerUser
from tests.stack.process import spawn
from tests.stack.state import Member

__all__ = ["HOST", "MONITOR", "SUPERUSER", "Builder", "Ready", "free_port", "is_free", "start_member"]

HOST = "127.0.0.1"
SUPERUSER = "upkeep_admin"
MONITOR = "upkeep_monitor"
PORTS = range(20000, 32000)  # below the kernel's range for outgoing connections, which would take them at random
START_SECONDS = 60.0
POLL_SECONDS = 0.03
LOG_LINES = 12

Ready: TypeAlias = Callable[[], bool]


@dataclass(frozen=True)
class Builder:
    """What a kind of store needs to make a server."""

    name: str
    program: Path
    folder: Path
    """Place for everything of this store; owned by the servers' user."""
    user: ServerUser | None
    auth: bool
    save: Callable[[Member], None]
    """Writes a member down as soon as it has a process."""

    def make_folder(self, name: str) -> Path:
        """A new private folder of the servers' user."""
        path = self.folder / name
        path.mkdir(mode=0o700, parents=True)
        if self.user is not None:
            self.user.own(path)
        return path

    def make_file(self, path: Path, text: str) -> Path:
        """A new file that only the servers' user may read."""
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as handle:
            handle.write(text)
        if self.user is not None:
            self.user.own(path)
        return path

    def password(self) -> str | None:
        """A new password, or None where the stack runs without authentication."""
        return secrets.token_urlsafe(18) if self.auth else None


def clean_environment(program: Path) -> dict[str, str]:
    """The same environment on every machine; the libraries of the wheel are found by their relative path."""
    return {"LC_ALL": "C.UTF-8", "TZ": "UTC", "PATH": f"{program.parent}:/usr/bin:/bin", "HOME": "/nonexistent"}


def free_port() -> int:
    """A loopback port that nobody listens on now. It may be lost before the start: see PortLostError."""
    for port in random.sample(PORTS, 200):
        if is_free(port):
            return port
    raise StackError(f"no free loopback port among 200 tried in {PORTS.start}-{PORTS.stop - 1}")


def is_free(port: int) -> bool:
    """Whether nobody listens on a loopback port now."""
    with socket.socket() as probe:
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
    return True


def start_member(
    member: Member,
    ready: Ready,
    user: ServerUser | None,
    save: Callable[[Member], None],
    seconds: float = START_SECONDS,
) -> None:
    """Start one process of the stack and come back when it answers.

    Raises:
        PortLostError: the port was taken meanwhile.
        DiskFullError: no room.
        StackError: it ended or did not answer in time; the message holds the end of its log.
    """
    log = Path(member.log)
    seen = log.stat().st_size if log.exists() else 0
    member.identity = spawn(
        member.argv,
        log=log,
        folder=Path(member.folder),
        environment=member.environment,
        user=user if member.as_server_user else None,
    )
    member.paused = False
    save(member)
    end = time.monotonic() + seconds
    while True:
        if member.condition != "up":
            raise _explained(member, log, seen, "ended while it started")
        if ready():
            return
        if time.monotonic() > end:
            raise _explained(member, log, seen, f"did not answer within {seconds:.0f} s")
        time.sleep(POLL_SECONDS)


def _explained(member: Member, log: Path, seen: int, what: str) -> StackError:
    with log.open("rb") as handle:
        handle.seek(seen)
        text = handle.read().decode(errors="replace")
    tail = "\n".join(text.strip().splitlines()[-LOG_LINES:])
    low = text.lower()
    if "address already in use" in low:
        return PortLostError(f"{member.name}: port {member.port} was taken by somebody else")
    if "no space left on device" in low:
        return DiskFullError(f"{member.name} {what}: no space left on the device of {member.folder}")
    return StackError(f"{member.name} {what}. The end of its log {log}:\n{tail}")
