# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The command `python -m tests.stack up|down|status`."""

from __future__ import annotations

import argparse
import json
import sys
import time
from datetime import datetime, timezone
from pathlib import Path

from tests.stack.application.settings import Settings
from tests.stack.application.start import Web, start_sample
from tests.stack.errors import StackError
from tests.stack.inventory import write_inventory
from tests.stack.places import CACHE
from tests.stack.stack import STORES, Stack
from tests.stack.state import Member

DEFAULT_FOLDER = CACHE / "stack" / "default"
DEFAULT_STORES = ("postgresql18", "mongodb", "redis8")


def parser() -> argparse.ArgumentParser:
    """The command line."""
    top = argparse.ArgumentParser(
        prog="python -m tests.stack", description="Real stores from packages of PyPI and npm."
    )
    commands = top.add_subparsers(dest="command", required=True)
    up = commands.add_parser("up", help="start the stores; does nothing where the same stack is up already")
    down = commands.add_parser("down", help="stop them and remove their data")
    status = commands.add_parser("status", help="say what runs; exit code 3 unless everything is up")
    for command in (up, down, status):
        command.add_argument("--folder", type=Path, default=DEFAULT_FOLDER, help="place of the stack (%(default)s)")
    status.add_argument("--json", action="store_true", help="for programs; holds no password")
    up.add_argument(
        "--stores",
        default=",".join(DEFAULT_STORES),
        help=f"comma-separated, of {', '.join(STORES)} (%(default)s)",
    )
    up.add_argument("--members", type=int, choices=(1, 3), default=1, help="size of the MongoDB replica set")
    up.add_argument("--no-auth", action="store_true", help="stores that ask for no password")
    up.add_argument("--sample", action="store_true", help="load the sample application and start its processes")
    up.add_argument("--scale", type=float, default=1.0, help="size of the sample's data (%(default)s)")
    up.add_argument("--seed", type=int, default=7, help="the same seed gives the same data (%(default)s)")
    troubles = up.add_mutually_exclusive_group()
    troubles.add_argument("--planted", action="store_true", default=True, help="a sample in trouble (default)")
    troubles.add_argument("--clean", action="store_false", dest="planted", help="a sample in good order")
    up.add_argument("--tls-days", type=float, help="serve the sample by TLS, its certificate lasting so many days")
    up.add_argument("--inventory", type=Path, help="folder for an Ansible inventory of the stack")
    up.add_argument("--fresh", action="store_true", help="start anew even if the same stack is up")
    return top


def main(arguments: list[str] | None = None) -> int:
    """Run the command; returns its exit code."""
    options = parser().parse_args(arguments)
    try:
        if options.command == "up":
            return _up(options)
        if options.command == "down":
            Stack(options.folder).down()
            return 0
        return _status(options)
    except (StackError, OSError) as error:
        print(f"tests.stack {options.command}: {error}", file=sys.stderr)
        return 1


def _up(options: argparse.Namespace) -> int:
    began = time.monotonic()
    stores = [name.strip() for name in options.stores.split(",") if name.strip()]
    stack = Stack(options.folder, stores, mongodb_members=options.members, auth=not options.no_auth)
    if options.sample:
        settings = Settings(
            now=datetime.now(timezone.utc), seed=options.seed, scale=options.scale, planted=options.planted
        )
        stack.options["sample"] = [options.seed, options.scale, options.planted, options.tls_days]
        web = Web(tls_days_left=options.tls_days)
        started = stack.up(fresh=options.fresh, then=lambda stack: start_sample(stack, settings, web))
    else:
        started = stack.up(fresh=options.fresh)
    if options.inventory is not None:
        write_inventory(stack, options.inventory)
    _table(stack.status())
    print(f"up in {time.monotonic() - began:.1f} s" if started else "was up already")
    return 0


def _status(options: argparse.Namespace) -> int:
    stack = Stack(options.folder)
    members = stack.status()
    if options.json:
        keys = ("name", "store", "kind", "condition", "port", "pid", "log")
        facts = [{key: getattr(member, key) for key in keys} for member in members]
        print(json.dumps({"folder": str(stack.folder), "complete": stack.complete, "members": facts}, indent=1))
    elif members:
        _table(members)
    else:
        print("down")
    return 0 if stack.complete and all(member.condition == "up" for member in members) else 3


def _table(members: list[Member]) -> None:
    print(f"{'name':<14} {'state':<8} {'port':>6} {'pid':>8}  log")
    for member in sorted(members, key=lambda member: member.name):
        print(f"{member.name:<14} {member.condition:<8} {member.port or '':>6} {member.pid or '':>8}  {member.log}")


if __name__ == "__main__":
    sys.exit(main())
