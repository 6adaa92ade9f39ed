# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Start, watch and signal processes without ever hitting a stranger that got a used process id."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from tests.stack.places import ServerUser

__all__ = ["Identity", "descendants", "end_tree", "identify", "processes_within", "send", "send_tree", "spawn"]

PROC = Path("/proc")
POLL_SECONDS = 0.02
_children: dict[int, subprocess.Popen[bytes]] = {}


@dataclass(frozen=True)
class Identity:
    """A process for good: the id may be used again, the id with the start time may not."""

    pid: int
    started: int
    """Clock ticks since boot (field 22 of /proc/PID/stat)."""

    @property
    def alive(self) -> bool:
        """Whether this very process runs; a zombie does not."""
        child = _children.get(self.pid)
        if child is not None:
            child.poll()
        return identify(self.pid) == self


def identify(pid: int) -> Identity | None:
    """The identity of a running process; None if there is none, or only a zombie."""
    fields = _stat(pid)
    return None if fields is None or fields[0] in "ZX" else Identity(pid, int(fields[19]))


def _stat(pid: int) -> list[str] | None:
    """The fields of /proc/PID/stat after the program's name: state, parent, ..."""
    try:
        text = (PROC / str(pid) / "stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None
    return text[text.rindex(")") + 2 :].split()


def spawn(
    argv: list[str], *, log: Path, folder: Path, environment: Mapping[str, str], user: ServerUser | None = None
) -> Identity:
    """Start a process of its own session, standing in `folder`, its output in `log` (mode 0600)."""
    handle = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    try:
        child = subprocess.Popen(
            argv,
            stdin=subprocess.DEVNULL,
            stdout=handle,
            stderr=handle,
            cwd=folder,
            env=dict(environment),
            start_new_session=True,
            **({} if user is None else user.popen_options()),
        )
    finally:
        os.close(handle)
    _children[child.pid] = child
    fields = _stat(child.pid)
    assert fields is not None, "a child that was not waited for has its entry in /proc"
    return Identity(child.pid, int(fields[19]))


def send(identity: Identity, number: signal.Signals) -> bool:
    """Signal exactly this process; False when it is gone."""
    try:
        handle = os.pidfd_open(identity.pid)
    except ProcessLookupError:
        return False
    try:
        if identify(identity.pid) != identity:
            return False
        signal.pidfd_send_signal(handle, number)
    except ProcessLookupError:
        return False
    finally:
        os.close(handle)
    return True


def descendants(pid: int) -> list[Identity]:
    """Every process below `pid`, nearest first (PostgreSQL's backends are sessions of their own, not one group)."""
    children: dict[int, list[int]] = {}
    for other in _pids():
        fields = _stat(other)
        if fields is not None:
            children.setdefault(int(fields[1]), []).append(other)
    found: list[int] = []
    waiting = [pid]
    while waiting:
        below = children.get(waiting.pop(), [])
        found += below
        waiting += below
    return [identity for identity in map(identify, found) if identity is not None]


def send_tree(identity: Identity, number: signal.Signals) -> None:
    """Signal a process and all below it. The parent first, so that it starts no new ones meanwhile."""
    below = descendants(identity.pid) if identity.alive else []
    send(identity, number)
    for child in below:
        send(child, number)


def end_tree(identity: Identity, polite: signal.Signals, seconds: float) -> bool:
    """Ask a process to stop; kill it with all below it if it has not within `seconds`. True if it stopped by itself."""
    if not identity.alive:
        return True
    below = descendants(identity.pid)
    send_tree(identity, signal.SIGCONT)
    send(identity, polite)
    stopped = _wait_gone(identity, seconds)
    if not stopped:
        send_tree(identity, signal.SIGKILL)
        _wait_gone(identity, seconds)
    for child in below:
        if not _wait_gone(child, 2):
            send(child, signal.SIGKILL)
            _wait_gone(child, 2)
    return stopped


def _wait_gone(identity: Identity, seconds: float) -> bool:
    end = time.monotonic() + seconds
    while identity.alive:
        if time.monotonic() > end:
            return False
        time.sleep(POLL_SECONDS)
    return True


def processes_within(folder: Path, marks: tuple[str, ...]) -> Iterator[Identity]:
    """Processes that stand in `folder` or below and run one of ours: program or arguments contain one of `marks`.

    This is how the servers of a killed start are found: their ids were perhaps never written down.
    """
    prefix = f"{folder.resolve()}{os.sep}"
    for pid in _pids():
        identity = identify(pid)
        if identity is None or pid == os.getpid():
            continue
        with contextlib.suppress(OSError):
            entry = PROC / str(pid)
            place = f"{(entry / 'cwd').readlink()}{os.sep}"
            program = f"{(entry / 'exe').readlink()} {(entry / 'cmdline').read_bytes().decode(errors='replace')}"
            if place.startswith(prefix) and any(mark in program for mark in marks):
                yield identity


def _pids() -> list[int]:
    return [int(entry.name) for entry in PROC.iterdir() if entry.name.isdigit()]
