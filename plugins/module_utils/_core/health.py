# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The task behind every ``*_health_info`` and ``*_audit_info``: many checks over one connection.

A check is a pair: one function reads (I/O), the other decides (pure). What fails in one check is a finding,
and the others go on. A store that is down is a finding too, never a failed module.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Generic, TypeVar

from .errors import DeadlineExceeded, StateError, StoreError
from .finding import Finding
from .runner import Context, Decision, InfoTask, sub_finding
from .severity import Severity
from .threshold import Thresholds

__all__ = ["Check", "HealthTask", "Observed", "Situation"]

Client = TypeVar("Client")

Remembered = Mapping[str, Any]


@dataclass(frozen=True)
class Situation:
    """What a decision knows beside the observation.

    :param subject: the server's or host's label, which findings name.
    :param thresholds: the limits in force.
    :param now: the moment of the observation, in UTC.
    :param previous: what this check remembered in the last run; empty at the first.
    :param previous_at: when the last run was; None at the first.
    """

    subject: str
    thresholds: Thresholds
    now: datetime
    previous: Remembered = field(default_factory=dict)
    previous_at: datetime | None = None


@dataclass(frozen=True)
class Check(Generic[Client]):
    """One check of a store or host.

    :param name: what ``checks`` calls it.
    :param observe: reads what the check needs. It may raise a StoreError: then this check is a finding.
    :param decide: what follows from what was read; pure.
    :param remember: what the next run gets as ``previous``: JSON, small; pure. None: nothing.
    :param keep: writes to the memory what other tasks read too, under a key of its own. It may raise a StateError.
    """

    name: str
    observe: Callable[[Client, Context], Any]
    decide: Callable[[Any, Situation], Decision]
    remember: Callable[[Any, Situation], Remembered] | None = None
    keep: Callable[[Any, Context], None] | None = None


@dataclass
class Observed:
    """What was read: per check its observation or its error, or why there was no connection at all."""

    now: datetime
    server: dict[str, Any] = field(default_factory=dict)
    seconds: float = 0.0
    checks: dict[str, Any] = field(default_factory=dict)
    errors: dict[str, StoreError | DeadlineExceeded] = field(default_factory=dict)
    down: StoreError | None = None
    previous: Remembered = field(default_factory=dict)
    memory_error: StateError | None = None


class HealthTask(InfoTask[Observed], Generic[Client]):
    """Checks one server over one connection.

    :param context: the task's context; ``params`` holds ``checks``.
    :param kind: the subject's name and prefix of its findings and metrics, such as ``redis``.
    :param label: which server it is, for people and as key of the memory.
    :param connect: opens the connection, with a StoreError if there is none. Raising the same error at the end as in
        the checks, it says that the store was lost in the middle: one critical finding beside what was found before.
    :param identify: reads what the envelope's ``server`` says, beside ``kind``.
    :param checks: the checks that there are, in their order.
    :param thresholds: the limits in force.
    :param connects: whether there is one connection to speak of, with the metrics ``<kind>_up`` and
        ``<kind>_connect_seconds``; a host and its many addresses have none.
    :param scope: what part of the server is looked at, such as a database, where several tasks look at one server:
        part of the memory's key.
    :param depth: ``health`` or ``audit``; each has a memory of its own.
    """

    def __init__(
        self,
        context: Context,
        kind: str,
        label: str,
        connect: Callable[[], AbstractContextManager[Client]],
        identify: Callable[[Client], dict[str, Any]],
        checks: Sequence[Check[Client]],
        thresholds: Thresholds,
        connects: bool = True,
        scope: str | None = None,
        depth: str = "health",
    ) -> None:
        self._context = context
        self._kind = kind
        self._label = label
        self._connect = connect
        self._identify = identify
        self._checks = [check for check in checks if check.name in context.params["checks"]]
        self._thresholds = thresholds
        self._connects = connects
        self._key = "/".join(part for part in (depth, kind, label, scope) if part)

    @property
    def subject(self) -> str:
        """Kind and label."""
        return f"{self._kind} {self._label}"

    def observe(self) -> Observed:
        """Connect once and read all checks."""
        observed = Observed(self._context.clock.now())
        self._recall(observed)
        started = self._context.clock.monotonic()
        try:
            with self._connect() as client:
                observed.server = self._identify(client)
                observed.seconds = self._context.clock.monotonic() - started
                for check in self._checks:
                    self._observe_check(check, client, observed)
        except StoreError as error:
            observed.down = error
        return observed

    def _recall(self, observed: Observed) -> None:
        try:
            observed.previous = self._context.memory.read(self._key)[0] or {}
        except StateError as error:
            observed.memory_error = error

    def _observe_check(self, check: Check[Client], client: Client, observed: Observed) -> None:
        try:
            self._context.deadline.check(f"run the check {check.name}")
            observed.checks[check.name] = check.observe(client, self._context)
        except (StoreError, DeadlineExceeded) as error:
            observed.errors[check.name] = error

    def _situation(self, check: Check[Client], observed: Observed) -> Situation:
        last = observed.previous.get(check.name, {})
        return Situation(
            subject=self._label,
            thresholds=self._thresholds,
            now=observed.now,
            previous=last.get("seen", {}),
            previous_at=datetime.fromisoformat(last["at"]) if last else None,
        )

    def decide(self, observation: Observed) -> Decision:
        """Judge every check."""
        decision = Decision(metrics={f"{self._kind}_up": 0 if observation.down else 1} if self._connects else {})
        if observation.memory_error:
            decision.findings.append(sub_finding(self._label, "upkeep", observation.memory_error, Severity.WARNING))
        if observation.down:
            decision.findings.append(sub_finding(self._label, self._kind, observation.down))
        elif self._connects:
            decision.metrics[f"{self._kind}_connect_seconds"] = round(observation.seconds, 6)
        for check in self._checks:
            if check.name in observation.checks:
                decision.extend(check.decide(observation.checks[check.name], self._situation(check, observation)))
            elif check.name in observation.errors and observation.errors[check.name] is not observation.down:
                decision.findings.append(self._failed_check(check.name, observation.errors[check.name]))
        return decision

    def _failed_check(self, name: str, error: StoreError | DeadlineExceeded) -> Finding:
        """A check that could not be made is a warning: it is unknown how things stand, and unknown is not ok."""
        found = sub_finding(self._label, self._kind, error, Severity.WARNING)
        return Finding(found.id, found.severity, f"{self._label} {name}", found.message, name, None, found.remedy)

    def remember(self, observation: Observed, decision: Decision) -> None:
        """Keep what the checks want to compare with next time. A run that was overtaken keeps the newer memory."""
        at = observation.now.isoformat()
        kept: dict[str, Any] = {
            check.name: {
                "at": at,
                "seen": dict(check.remember(observation.checks[check.name], self._situation(check, observation))),
            }
            for check in self._checks
            if check.remember and check.name in observation.checks
        }
        if observation.memory_error:
            return
        if kept:
            document, version = self._context.memory.read(self._key)
            self._context.memory.compare_and_set(self._key, {**(document or {}), **kept}, version)
        for check in self._checks:
            if check.keep and check.name in observation.checks:
                check.keep(observation.checks[check.name], self._context)

    def server(self, observation: Observed) -> dict[str, Any]:
        """Kind, address and what was identified."""
        return {"kind": self._kind, "address": self._label, **observation.server}
