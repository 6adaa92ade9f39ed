# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Finds the processes that rules name, and reads what they use."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from .._core.errors import InvalidInput
from .._core.runner import Context
from .facts import ProcessUse
from .reader import Host
from .sample import Sample

if TYPE_CHECKING:
    from .client import Watch

__all__ = ["Rule", "matching", "observe_processes", "process_use", "rules_of"]

_OPEN_FILES = re.compile(r"^Max open files\s+(\d+)", re.MULTILINE)
_RESIDENT = re.compile(r"^VmRSS:\s+(\d+) kB", re.MULTILINE)


class Rule(NamedTuple):
    """Processes to look at.

    :param name: what findings call them.
    :param pattern: found anywhere in the command line.
    :param minimum: how many there must be.
    """

    name: str
    pattern: re.Pattern[str]
    minimum: int


def rules_of(params: Mapping[str, Any]) -> list[Rule]:
    """Understand the option ``processes``.

    :raises InvalidInput: a pattern is no regular expression, or a name stands twice.
    """
    rules: list[Rule] = []
    for entry in params.get("processes") or ():
        name = entry["name"]
        try:
            pattern = re.compile(entry.get("pattern") or re.escape(name))
        except re.error as error:
            raise InvalidInput(
                f"processes.{name}.pattern", f"it is no regular expression: {error}", "Quote special characters."
            ) from error
        if name in {rule.name for rule in rules}:
            raise InvalidInput("processes", f"{name} stands twice", "Give each rule a name of its own.")
        rules.append(Rule(name, pattern, entry["minimum"]))
    return rules


def matching(host: Host, rules: Sequence[Rule]) -> list[tuple[Rule, list[int]]]:
    """Return each rule with the ids of its processes. This process and those that started it never count.

    :raises StoreError: the processes cannot be listed.
    """
    if not rules:
        return []
    ours = _ancestors(host)
    lines = {pid: _command_line(host, pid) for pid in host.processes() if pid not in ours}
    return [(rule, sorted(pid for pid, line in lines.items() if rule.pattern.search(line))) for rule in rules]


def _command_line(host: Host, pid: int) -> str:
    """The command line as the process shows it; empty for a thread of the kernel."""
    return (host.read_if_there(f"proc/{pid}/cmdline") or "").replace("\0", " ").strip()


def _ancestors(host: Host) -> set[int]:
    """This process and all above it: the command line of ansible-playbook may well name what it looks for."""
    pid, found = os.getpid(), set[int]()
    while pid > 1 and pid not in found:
        found.add(pid)
        status = re.search(r"^PPid:\s+(\d+)", host.read_if_there(f"proc/{pid}/status") or "", re.MULTILINE)
        pid = int(status[1]) if status else 0
    return found


def process_use(host: Host, rule: Rule, pids: Sequence[int], first: Sample, second: Sample) -> ProcessUse:
    """Read what the processes of one rule use. A process that has ended meanwhile is left out."""
    resident, cpu, files = {}, {}, {}
    seconds = second.at - first.at
    for pid in pids:
        found = _RESIDENT.search(host.read_if_there(f"proc/{pid}/status") or "")
        if found is None:
            continue
        resident[pid] = int(found[1]) * 1024
        if seconds > 0 and pid in first.process_seconds and pid in second.process_seconds:
            cpu[pid] = 100 * (second.process_seconds[pid] - first.process_seconds[pid]) / seconds
        limit = _OPEN_FILES.search(host.read_if_there(f"proc/{pid}/limits") or "")
        descriptors = host.entries(f"proc/{pid}/fd")
        if limit and int(limit[1]) and descriptors is not None:
            files[pid] = 100 * len(descriptors) / int(limit[1])
    return ProcessUse(rule.name, rule.minimum, resident, cpu, files)


def observe_processes(watch: Watch, context: Context) -> list[ProcessUse]:
    """Read what the processes of each rule use, over the interval.

    :raises StoreError: /proc/stat cannot be read.
    :raises DeadlineExceeded: no time is left to wait for the interval's end.
    """
    if not watch.rules:
        return []
    second = watch.second(context)
    return [process_use(watch.host, rule, pids, watch.first, second) for rule, pids in watch.rules]
