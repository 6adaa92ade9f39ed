# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Observe, decide, act, prove: the four steps of every task, and the one place that knows of check mode."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, Protocol, TypeVar, runtime_checkable

from .action import Action, ActionState
from .clock import Clock
from .deadline import Deadline
from .errors import LockHeld, UpkeepError
from .finding import Finding
from .memory import Memory
from .result import Metrics, Result
from .secrets import Secrets
from .severity import Severity

__all__ = ["DEADLINE_OVER", "Context", "Decision", "Measures", "Task", "WorksAhead", "run", "sub_finding"]

Observation = TypeVar("Observation")

DEADLINE_OVER = "the deadline is over; the next run goes on here"
"""What becomes of an action that was not begun in time."""


@dataclass(frozen=True)
class Context:
    """What a task gets from outside.

    :param params: the module's checked options.
    :param deadline: when to be done.
    :param clock: the time.
    :param memory: what earlier runs left.
    :param environment: the process's environment.
    :param secrets: what must not be shown; a task adds what it derives.
    """

    params: dict[str, Any]
    deadline: Deadline
    clock: Clock
    memory: Memory
    environment: dict[str, str]
    secrets: Secrets


@dataclass
class Decision:
    """What follows from an observation.

    :param findings: what is wrong.
    :param actions: what is to be done, in this order.
    :param metrics: numbers.
    """

    findings: list[Finding] = field(default_factory=list)
    actions: list[Action] = field(default_factory=list)
    metrics: Metrics = field(default_factory=dict)

    def extend(self, other: Decision) -> None:
        """Take in what another check decided."""
        self.findings += other.findings
        self.actions += other.actions
        self.metrics.update(other.metrics)


class Task(Protocol[Observation]):
    """One module's work. Only ``act`` and ``remember`` may change anything anywhere."""

    @property
    def subject(self) -> str:
        """What the summary speaks of."""

    def observe(self) -> Observation:
        """Read what is there, over one connection."""

    def decide(self, observation: Observation) -> Decision:
        """Decide what is wrong and what is to be done: no I/O, no clock."""

    def act(self, action: Action) -> Action:
        """Carry one action out and return what became of it, with the seconds that it took if they differ.

        :raises UpkeepError: it failed; the run goes on with the next action.
        """

    def prove(self, observation: Observation, actions: Sequence[Action]) -> list[Finding]:
        """Look again at what was done and return what could not be proved."""

    def remember(self, observation: Observation, decision: Decision) -> None:
        """Write to memory what the next run compares with."""

    def server(self, observation: Observation) -> dict[str, Any]:
        """Return kind, version and the like of the server that was observed."""

    def close(self) -> None:
        """Let go of connections and locks."""


@runtime_checkable
class WorksAhead(Protocol):
    """A task that carries out several actions at once: some are begun before their turn in ``act`` comes."""

    def has_begun(self, action: Action) -> bool:
        """Whether an action was begun; once the deadline is over, one that was not is not begun any more."""


@runtime_checkable
class Measures(Protocol):
    """A task with numbers that are known once its actions are over, as how long any of them kept others waiting."""

    def measured(self) -> Metrics:
        """Return these numbers; they take the place of those that were decided on."""


class InfoTask(Generic[Observation]):
    """Base of the tasks that only look: nothing to act on, nothing to prove."""

    def act(self, action: Action) -> Action:
        """Nothing is planned, so nothing can be carried out."""
        raise NotImplementedError(f"{type(self).__name__} plans no actions")

    def prove(self, observation: Observation, actions: Sequence[Action]) -> list[Finding]:
        """Nothing was done."""
        return []

    def remember(self, observation: Observation, decision: Decision) -> None:
        """Nothing to remember."""

    def close(self) -> None:
        """Nothing is held open."""


def run(task: Task[Any], context: Context, check_mode: bool) -> Result:
    """Run a task through its four steps.

    In check mode it ends after the decision, with the very plan that a real run carries out.

    :raises UpkeepError: it could not be observed, or the task raised one with its partial result.
    """
    result = Result(task.subject)
    try:
        observation = task.observe()
        decision = task.decide(observation)
        result.findings += decision.findings
        result.metrics.update(decision.metrics)
        result.server.update(task.server(observation))
        if check_mode:
            result.actions += decision.actions
            return result
        for action in decision.actions:
            result.actions.append(_carry_out(task, action, context, result))
        if isinstance(task, Measures):
            result.metrics.update(task.measured())
        if any(_was_tried(action) for action in result.actions):
            result.findings += task.prove(observation, result.actions)
        result.findings += _remember(task, observation, decision)
        return result
    except UpkeepError as error:
        error.partial = error.partial or result
        raise
    finally:
        task.close()


def _carry_out(task: Task[Any], action: Action, context: Context, result: Result) -> Action:
    """Carry one action out, unless no time is left or it was skipped already; an error becomes the action's state.

    Where another run is at work, an action is skipped and one finding says so.
    """
    if action.state is not ActionState.PLANNED:
        return action
    if context.deadline.expired and not (isinstance(task, WorksAhead) and task.has_begun(action)):
        return action.became(ActionState.SKIPPED, DEADLINE_OVER)
    started = context.clock.monotonic()
    try:
        became = task.act(action)
    except LockHeld as error:
        found = sub_finding(task.subject, str(result.server.get("kind", "upkeep")), error, Severity.WARNING)
        if found not in result.findings:
            result.findings.append(found)
        return action.became(ActionState.SKIPPED, context.secrets.redact(str(error)))
    except UpkeepError as error:
        became = action.became(ActionState.FAILED, context.secrets.redact(str(error)))
    seconds = context.clock.monotonic() - started if became.seconds is None else became.seconds
    return became.became(became.state, became.detail, round(seconds, 3), became.undo)


def _was_tried(action: Action) -> bool:
    """Whether there is something to look at again: the action was done, in part at least, or found it could not be."""
    return action.touched or (action.seconds is not None and action.state is not ActionState.FAILED)


def _remember(task: Task[Any], observation: Any, decision: Decision) -> list[Finding]:
    """Write to memory; a memory that fails is a finding, for what was found stays true without it."""
    try:
        task.remember(observation, decision)
    except UpkeepError as error:
        return [sub_finding(task.subject, "upkeep", error, Severity.WARNING)]
    return []


def sub_finding(
    subject: str, prefix: str, error: UpkeepError, severity: Severity = Severity.CRITICAL, condition: str | None = None
) -> Finding:
    """Turn an error into the finding ``<prefix>.<condition>``.

    :param condition: instead of the error's own.
    """
    return Finding(
        id=f"{prefix}.{condition or error.condition}",
        severity=severity,
        subject=subject,
        message=f"{subject}: could not {error.tried}: {error.why}",
        remedy=error.remedy,
    )
