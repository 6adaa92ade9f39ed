# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the journal says about a run: from events and result envelopes to entries and lines. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, tzinfo
from enum import IntEnum
from typing import Any

from .._core.action import ActionState
from .._core.redact import Redactor, single_line
from .._core.result import ENVELOPE_KEYS
from .._core.severity import Severity
from .._core.units import format_duration

__all__ = ["Entry", "Level", "RunFacts", "Scribe", "TaskFacts", "human_line", "is_envelope"]


class Level(IntEnum):
    """How grave an entry is."""

    INFO = 1
    WARN = 2
    ERROR = 3


_LEVEL_OF_SEVERITY = {Severity.OK.value: Level.INFO, Severity.WARNING.value: Level.WARN}
_LEVEL_OF_STATE = {ActionState.FAILED.value: Level.ERROR, ActionState.SKIPPED.value: Level.WARN}


@dataclass(frozen=True)
class Entry:
    """One line of the journal before it is dated and sealed.

    :param level: how grave it is.
    :param event: what it is: ``run_started``, ``task``, ``finding``, ``action``, ``task_failed``, ``task_changed``,
        ``host_unreachable``, ``run_ended``, ``recovered`` or ``lost``.
    :param text: one line for people.
    :param details: the whole of it, as JSON.
    """

    level: Level
    event: str
    text: str
    details: Mapping[str, Any] = field(default_factory=dict)

    def as_record(self) -> dict[str, Any]:
        """Return what is sealed into the chain."""
        return {
            "level": self.level.name,
            "event": self.event,
            "text": single_line(self.text),
            "details": dict(self.details),
        }


def human_line(record: Mapping[str, Any], zone: tzinfo | None) -> str:
    """Write a record as ``[2025-11-15 02:00:00] [INFO] text``; the last of a run says its hash, for safe keeping.

    :param zone: the time zone to write the time in; None is that of this machine.
    """
    at = datetime.fromisoformat(record["at"]).astimezone(zone)
    head = f"; head of the journal: {record['hash']}" if record["event"] == "run_ended" else ""
    return f"[{at:%Y-%m-%d %H:%M:%S}] [{record['level']}] {record['text']}{head}"


def is_envelope(result: Mapping[str, Any]) -> bool:
    """Whether a task's result is the envelope that modules of this collection return."""
    return all(key in result for key in ENVELOPE_KEYS)


@dataclass(frozen=True)
class TaskFacts:
    """A task on a host.

    :param host: the host's name in the inventory.
    :param name: the task's name.
    :param module: full name of the module.
    :param check: whether it ran in check mode.
    """

    host: str
    name: str
    module: str
    check: bool

    @property
    def details(self) -> dict[str, Any]:
        """The facts as the chain holds them."""
        return {"host": self.host, "task": self.name, "module": self.module, "check_mode": self.check}

    def line(self, text: str) -> str:
        """Put the host, and that nothing was really done, before a text."""
        return f"{'[check mode] ' if self.check else ''}{self.host}: {text}"


@dataclass(frozen=True)
class RunFacts:
    """A run of a playbook: who, where, what, with which version.

    :param run: its id.
    :param user: who started it.
    :param controller: host name of the machine that runs Ansible.
    :param playbook: the playbook's path.
    :param check: whether the whole run is in check mode.
    :param versions: of this collection and of ansible-core.
    :param more: what else identifies it: the limit, tags, the job of a scheduler.
    """

    run: str
    user: str
    controller: str
    playbook: str
    check: bool
    versions: Mapping[str, str]
    more: Mapping[str, Any] = field(default_factory=dict)

    @property
    def short_name(self) -> str:
        """The playbook's file name without its ending."""
        return self.playbook.rpartition("/")[2].removesuffix(".yml").removesuffix(".yaml")


class Scribe:
    """Turns the events of one run into entries and counts what it wrote down.

    :param redactor: what keeps secrets out.
    """

    def __init__(self, redactor: Redactor) -> None:
        self._redactor = redactor
        self._findings: Counter[str] = Counter()
        self._actions: Counter[str] = Counter()

    def _entry(
        self, level: Level, event: str, text: str, details: Mapping[str, Any], foreign: str | None = None
    ) -> Entry:
        """Make an entry with nothing secret in it; ``foreign`` is a message of another collection's module."""
        said = self._redactor.text(text)
        details = self._redactor.value(details)
        if foreign is not None:
            message = self._redactor.text(foreign, foreign=True)
            said, details = f"{said}: {message}", {**details, "message": message}
        return Entry(level, event, said, details)

    def run_started(self, facts: RunFacts) -> Entry:
        """Say that a run begins."""
        versions = ", ".join(f"{name} {version}" for name, version in facts.versions.items())
        check = " in check mode" if facts.check else ""
        text = f"Run {facts.run} started{check}: {facts.short_name} by {facts.user} on {facts.controller} ({versions})"
        details = {
            "user": facts.user,
            "controller": facts.controller,
            "playbook": facts.playbook,
            "check_mode": facts.check,
            "versions": facts.versions,
            **facts.more,
        }
        return self._entry(Level.INFO, "run_started", text, details)

    def run_ended(self, facts: RunFacts, hosts: Mapping[str, Mapping[str, int]], seconds: float) -> Entry:
        """Say how a run ended.

        :param hosts: per host the number of tasks by outcome: ``ok``, ``changed``, ``failures``, ``unreachable``.
        """
        sums: Counter[str] = Counter()
        for outcomes in hosts.values():
            sums.update(outcomes)
        failed = sums["failures"] + sums["unreachable"]
        parts = [f"{sums['ok']} ok", f"{sums['changed']} changed", f"{failed} failed"]
        if self._findings:
            parts[-1] += "; findings: " + ", ".join(f"{n} {severity}" for severity, n in sorted(self._findings.items()))
        if self._actions:
            parts[-1] += "; actions: " + ", ".join(f"{n} {state}" for state, n in sorted(self._actions.items()))
        text = f"Run {facts.run} ended after {format_duration(seconds)}: {facts.short_name}; tasks: {', '.join(parts)}"
        grave = failed or self._findings[Severity.CRITICAL.value] or self._actions[ActionState.FAILED.value]
        level = Level.ERROR if grave else Level.WARN if self._findings else Level.INFO
        details = {
            "seconds": round(seconds, 3),
            "hosts": hosts,
            "findings": dict(self._findings),
            "actions": dict(self._actions),
        }
        return self._entry(level, "run_ended", text, details)

    def run_broken_off(self, facts: RunFacts, seconds: float) -> Entry:
        """Say that a run was broken off before its end."""
        text = f"Run {facts.run} was broken off after {format_duration(seconds)}: {facts.short_name}"
        return self._entry(Level.ERROR, "run_ended", text, {"seconds": round(seconds, 3), "broken_off": True})

    def envelope(self, task: TaskFacts, result: Mapping[str, Any]) -> list[Entry]:
        """Write down the result of a module of this collection: the task, its findings, its actions."""
        short = task.module.rpartition(".")[2]
        failed = "msg" in result
        level = Level.ERROR if failed else _LEVEL_OF_SEVERITY.get(str(result["status"]), Level.ERROR)
        said = f"{short} failed: {result['msg']}" if failed else f"{short}: {result['summary']}"
        details = {
            **task.details,
            **{key: result[key] for key in ("changed", "status", "summary", "server")},
            "failed": failed,
        }
        entries = [self._entry(level, "task", task.line(said), details)]
        entries += [self._finding(task, finding) for finding in result["findings"]]
        return entries + [self._action(task, action) for action in result["actions"]]

    def _finding(self, task: TaskFacts, finding: Mapping[str, Any]) -> Entry:
        severity = str(finding["severity"])
        self._findings[severity] += 1
        message, remedy = str(finding["message"]).rstrip("."), str(finding["remedy"])
        said = f"{message}. {remedy}" if remedy and remedy.rstrip(".") not in message else f"{message}."
        text = task.line(f"{finding['id']}: {said}")
        level = _LEVEL_OF_SEVERITY.get(severity, Level.ERROR)
        return self._entry(level, "finding", text, {**task.details, "finding": finding})

    def _action(self, task: TaskFacts, action: Mapping[str, Any]) -> Entry:
        state = str(action["state"])
        self._actions[state] += 1
        took = f" in {format_duration(action['seconds'])}" if action.get("seconds") is not None else ""
        why = "; ".join(part for part in (action["reason"], action["detail"]) if part)
        text = task.line(f"{state}{took}: {action['kind']} {action['subject']}" + (f" ({why})" if why else ""))
        level = _LEVEL_OF_STATE.get(state, Level.INFO)
        return self._entry(level, "action", text, {**task.details, "action": action})

    def failed(self, task: TaskFacts, message: str, ignored: bool) -> Entry:
        """Write down that a task failed: its message, nothing else of its result."""
        text = task.line(f"task {task.name!r} ({task.module}) failed" + (" and was ignored" if ignored else ""))
        level = Level.WARN if ignored else Level.ERROR
        return self._entry(level, "task_failed", text, {**task.details, "ignored": ignored}, message)

    def unreachable(self, task: TaskFacts, message: str) -> Entry:
        """Write down that a host could not be reached."""
        text = task.line(f"unreachable in task {task.name!r}")
        return self._entry(Level.ERROR, "host_unreachable", text, task.details, message)

    def changed(self, task: TaskFacts) -> Entry:
        """Write down that a task of another collection changed something, or would have."""
        change = "would change something" if task.check else "changed something"
        return self._entry(
            Level.INFO, "task_changed", task.line(f"task {task.name!r} ({task.module}) {change}"), task.details
        )
