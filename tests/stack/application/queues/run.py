# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Fetch the queue libraries once into the cache and let them fill queues."""

from __future__ import annotations

import json
import subprocess
import sys
from functools import partial
from pathlib import Path
from typing import Any

from tests.stack.application.queues.plan import QueuePlan, as_input
from tests.stack.endpoint import Endpoint
from tests.stack.errors import StackError
from tests.stack.npm import install, run_tool
from tests.stack.once import made_once
from tests.stack.places import CACHE, server_user
from tests.stack.state import exclusive
from tests.stack.wheels import fetch, pinned

__all__ = [
    "NPM_LIBRARIES",
    "POSTGRESQL_LIBRARY",
    "as_postgresql",
    "ask_npm",
    "fill_postgresql",
    "fill_with_npm",
    "fill_with_python",
    "npm_command",
    "python_environment",
]

HERE = Path(__file__).parent
COMPLETE = ".complete"
NPM_LIBRARIES = (
    ("bull", "3.29.3"),
    ("bull", "4.16.5"),
    ("bullmq", "4.18.3"),
    ("bullmq", "5.81.5"),
    ("bullmq", "6.7.0"),
)
NPM_COMPANIONS = {"bullmq-6": ("ioredis@5.8.2",)}  # from 6 on the client is an optional part
POSTGRESQL_LIBRARY = ("bullmq", "6.7.0", "pg@8.16.3")
"""The library that can keep queues in PostgreSQL, and the driver that it takes for that."""
Counts = dict[str, dict[str, int]]


def fill_with_python(server: Endpoint, queues: list[QueuePlan]) -> Counts:
    """Fill queues with PyPI's bullmq; returns the library's counts by queue and state."""
    counts: Counts = _run([str(python_environment()), str(HERE / "fill.py")], as_input(server, queues))
    return counts


def fill_with_npm(server: Endpoint, queues: list[QueuePlan], library: str, version: str) -> Counts:
    """Fill queues with one release of npm's bull or bullmq; returns the library's counts by queue and state."""
    counts: Counts = _run(npm_command("make.js", library, version), as_input(server, queues))
    return counts


def fill_postgresql(server: Endpoint, queues: list[QueuePlan], schema: str = "bullmq") -> Counts:
    """Let npm's bullmq keep queues in a database of PostgreSQL; returns the library's counts by queue and state."""
    settings = as_input(server, queues) | {"postgresql": as_postgresql(server, schema)}
    counts: Counts = _run(npm_command("make.js", *POSTGRESQL_LIBRARY), settings)
    return counts


def as_postgresql(server: Endpoint, schema: str = "bullmq") -> dict[str, Any]:
    """A database of PostgreSQL as npm's bullmq wants it."""
    login = {"user": server.user, "password": server.password, "database": server.database}
    return {"host": server.host, "port": server.port, **login, "schema": schema}


def ask_npm(
    server: Endpoint, library: str, version: str, *questions: dict[str, Any], prefix: str | None = None
) -> list[Any]:
    """Let one release of npm's bull or bullmq answer questions about queues, or work on them; see ``ask.js``.

    Each question says by ``ask`` what is wanted and has ``queue``: ``counts``, ``states`` (of ``ids``), ``add`` (with
    ``name``, ``data`` and ``options``), ``end`` (the next job, with ``fail`` and ``reason``), ``drain`` (returns the
    ids in the order in which a real worker did them; ends ``idle`` milliseconds after the last one, with at least
    ``expect`` of them done; with ``failures``, so many times each fails first, by ``reason``; a job's data may say both
    for it), ``jobs`` (of ``state``),
    ``putback`` (dead letters), ``promote`` (the first delayed), ``schedule`` (by ``name`` and ``every``), ``pause``,
    ``resume``, ``retryJobs`` (with ``count``), ``clean`` (with ``grace``, ``state`` and ``limit``); or ``flow`` with a
    ``flow`` to add.
    """
    settings = {**as_input(server, []), "questions": questions}
    settings["prefix"] = prefix or settings["prefix"]
    answers: list[Any] = _run(npm_command("ask.js", library, version), settings)
    return answers


def npm_command(script: str, library: str, version: str, *more: str) -> list[str]:
    """What runs a script of ours with one release of npm's bull or bullmq, and packages beside it, fetched once."""
    node = fetch("node", server_user())
    place = CACHE / "npm-queues" / "-".join((library, version, *more))
    place.parent.mkdir(parents=True, exist_ok=True)
    companions = NPM_COMPANIONS.get(f"{library}-{version.split('.', maxsplit=1)[0]}", ())
    folder = made_once(place, partial(install, packages=(f"{library}@{version}", *companions, *more)))
    return [str(node), str(HERE / script), str(folder), library]


def python_environment() -> Path:
    """The interpreter of the environment that has bullmq; made at the first call."""
    requirement = f"bullmq=={pinned('bullmq')}"
    place = CACHE / f"bullmq-venv-{pinned('bullmq')}-py{sys.version_info.major}.{sys.version_info.minor}"
    python = place / "bin" / "python"
    CACHE.mkdir(parents=True, exist_ok=True)
    with exclusive(CACHE, ".bullmq-venv.lock"):
        if not (place / COMPLETE).exists():
            run_tool([sys.executable, "-m", "venv", "--clear", str(place)], "a virtual environment")
            pip = [str(python), "-m", "pip", "install", "--no-input", "--disable-pip-version-check", requirement]
            run_tool(pip, requirement)
            (place / COMPLETE).touch()
    return python


def _run(argv: list[str], settings: dict[str, Any]) -> Any:
    """Run a script and return what it printed; the settings hold a password and go through its standard input."""
    done = subprocess.run(argv, input=json.dumps(settings), capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise StackError(f"{Path(argv[1]).name} failed: {done.stderr.strip()[-2000:]}")
    return json.loads(done.stdout)
