# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The runner's four steps, its check mode, and what it makes of errors."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from ansible_collections.dataops.upkeep.plugins.module_utils._core.action import Action, ActionState
from ansible_collections.dataops.upkeep.plugins.module_utils._core.clock import Clock
from ansible_collections.dataops.upkeep.plugins.module_utils._core.deadline import Deadline
from ansible_collections.dataops.upkeep.plugins.module_utils._core.errors import LockHeld, StateError, StoreError
from ansible_collections.dataops.upkeep.plugins.module_utils._core.finding import Finding
from ansible_collections.dataops.upkeep.plugins.module_utils._core.memory import NoMemory
from ansible_collections.dataops.upkeep.plugins.module_utils._core.runner import Context, Decision, run
from ansible_collections.dataops.upkeep.plugins.module_utils._core.secrets import Secrets
from ansible_collections.dataops.upkeep.plugins.module_utils._core.severity import Severity


class Ticks:
    """A clock that stands still until it is told to go on."""

    def __init__(self) -> None:
        self.at = 0.0

    def __call__(self) -> float:
        return self.at


class Shelf:
    """A task over a real thing, a list: removes the numbers above ten. It notes the steps it was taken through."""

    subject = "shelf"

    def __init__(
        self, numbers: list[int], ticks: Ticks, broken: Sequence[int] = (), memory_fails: bool = False
    ) -> None:
        self.numbers, self.ticks, self.broken, self.memory_fails = numbers, ticks, broken, memory_fails
        self.steps: list[str] = []

    def observe(self) -> list[int]:
        self.steps.append("observe")
        return list(self.numbers)

    def decide(self, observation: list[int]) -> Decision:
        self.steps.append("decide")
        actions = [Action("remove", str(n), f"{n} > 10") for n in observation if n > 10]
        return Decision(actions=actions, metrics={"shelf_numbers": len(observation)})

    def act(self, action: Action) -> Action:
        self.steps.append("act")
        self.ticks.at += 1
        if int(action.subject) in self.broken:
            raise StoreError(f"remove {action.subject}", "it is glued on with hunter22")
        self.numbers.remove(int(action.subject))
        return action.became(ActionState.DONE, "removed", undo=f"add {action.subject}")

    def prove(self, observation: list[int], actions: Sequence[Action]) -> list[Finding]:
        self.steps.append("prove")
        gone = [int(action.subject) for action in actions if action.state is ActionState.DONE]
        return [
            Finding("shelf.unproved", Severity.CRITICAL, str(n), f"{n} is still there")
            for n in gone
            if n in self.numbers
        ]

    def remember(self, observation: list[int], decision: Decision) -> None:
        self.steps.append("remember")
        if self.memory_fails:
            raise StateError("write memory", "the disk is full")

    def server(self, observation: list[int]) -> dict[str, Any]:
        return {"kind": "shelf"}

    def close(self) -> None:
        self.steps.append("close")


def context(ticks: Ticks, seconds: float = 100) -> Context:
    clock = Clock(monotonic=ticks)
    return Context({}, Deadline(seconds, clock), clock, NoMemory(), {}, Secrets(["hunter22"]))


def test_a_real_run_does_what_check_mode_planned_and_a_second_run_does_nothing() -> None:
    ticks = Ticks()
    numbers = [1, 11, 5, 12]
    planned = run(Shelf(numbers, ticks), context(ticks), check_mode=True)
    assert numbers == [1, 11, 5, 12]
    assert planned.changed
    done = run(Shelf(numbers, ticks), context(ticks), check_mode=False)
    assert numbers == [1, 5]
    assert done.changed
    identity = [(action.kind, action.subject, action.reason) for action in planned.actions]
    assert identity == [(action.kind, action.subject, action.reason) for action in done.actions]
    assert [action.seconds for action in done.actions] == [1, 1]
    assert [action.undo for action in done.actions] == ["add 11", "add 12"]
    again = run(Shelf(numbers, ticks), context(ticks), check_mode=False)
    assert not again.changed
    assert again.actions == []


def test_check_mode_ends_after_the_decision() -> None:
    ticks = Ticks()
    shelf = Shelf([11], ticks)
    run(shelf, context(ticks), check_mode=True)
    assert shelf.steps == ["observe", "decide", "close"]


def test_the_steps_of_a_real_run() -> None:
    ticks = Ticks()
    shelf = Shelf([11], ticks)
    run(shelf, context(ticks), check_mode=False)
    assert shelf.steps == ["observe", "decide", "act", "prove", "remember", "close"]


def test_what_is_known_only_after_the_actions_takes_the_place_of_what_was_decided_on() -> None:
    class Counting(Shelf):
        def measured(self) -> dict[str, float]:
            self.steps.append("measured")
            return {"shelf_numbers": len(self.numbers)}

    ticks = Ticks()
    shelf = Counting([1, 11], ticks)
    assert run(shelf, context(ticks), check_mode=True).metrics == {"shelf_numbers": 2}
    assert run(shelf, context(ticks), check_mode=False).metrics == {"shelf_numbers": 1}
    assert shelf.steps[3:] == ["observe", "decide", "act", "measured", "prove", "remember", "close"]
    assert run(Shelf([1, 11], ticks), context(ticks), check_mode=False).metrics == {"shelf_numbers": 2}


def test_a_failed_action_is_told_without_secrets_and_the_others_go_on() -> None:
    ticks = Ticks()
    numbers = [11, 12]
    result = run(Shelf(numbers, ticks, broken=[11]), context(ticks), check_mode=False)
    assert [action.state for action in result.actions] == [ActionState.FAILED, ActionState.DONE]
    assert "hunter22" not in result.actions[0].detail
    assert "glued on" in result.actions[0].detail
    assert result.status is Severity.CRITICAL
    assert numbers == [11]


def test_when_the_deadline_is_over_the_rest_is_skipped_and_said() -> None:
    ticks = Ticks()
    numbers = [11, 12, 13]
    result = run(Shelf(numbers, ticks), context(ticks, seconds=2), check_mode=False)
    assert [action.state for action in result.actions] == [ActionState.DONE, ActionState.DONE, ActionState.SKIPPED]
    assert "deadline" in result.actions[2].detail
    assert numbers == [13]
    assert "2 done" in result.summary
    assert "1 skipped" in result.summary


def test_what_was_begun_before_its_turn_is_not_skipped_when_the_deadline_is_over() -> None:
    ticks = Ticks()

    class Ahead(Shelf):
        """Takes two numbers at once."""

        def has_begun(self, action: Action) -> bool:
            return int(action.subject) <= 12

        def act(self, action: Action) -> Action:
            self.numbers.remove(int(action.subject))
            self.ticks.at += 3
            return action.became(ActionState.DONE, "removed", 2.5)

    numbers = [11, 12, 13]
    result = run(Ahead(numbers, ticks), context(ticks, seconds=2), check_mode=False)
    assert [action.state for action in result.actions] == [ActionState.DONE, ActionState.DONE, ActionState.SKIPPED]
    assert [action.seconds for action in result.actions] == [2.5, 2.5, None]
    assert numbers == [13]


def test_a_memory_that_fails_is_a_warning() -> None:
    ticks = Ticks()
    result = run(Shelf([11], ticks, memory_fails=True), context(ticks), check_mode=False)
    assert [finding.id for finding in result.findings] == ["upkeep.state"]
    assert result.changed


def test_an_error_carries_what_had_been_found() -> None:
    ticks = Ticks()

    class Torn(Shelf):
        def prove(self, observation: list[int], actions: Sequence[Action]) -> list[Finding]:
            raise StoreError("look again", "the connection is lost")

    shelf = Torn([11], ticks)
    with pytest.raises(StoreError) as caught:
        run(shelf, context(ticks), check_mode=False)
    assert caught.value.partial is not None
    assert [action.state for action in caught.value.partial.actions] == [ActionState.DONE]
    assert shelf.steps[-1] == "close"


def test_nothing_to_prove_when_nothing_was_done() -> None:
    ticks = Ticks()
    shelf = Shelf([1], ticks)
    run(shelf, context(ticks), check_mode=False)
    assert "prove" not in shelf.steps


def test_where_another_run_is_at_work_all_is_skipped_and_one_finding_says_so() -> None:
    ticks = Ticks()

    class Locked(Shelf):
        def act(self, action: Action) -> Action:
            raise LockHeld("tidy the shelf", "pid 7 with hunter22 is at it", "Wait.")

    numbers = [11, 12]
    result = run(Locked(numbers, ticks), context(ticks), check_mode=False)
    assert [action.state for action in result.actions] == [ActionState.SKIPPED, ActionState.SKIPPED]
    assert "pid 7" in result.actions[0].detail
    assert "hunter22" not in result.actions[0].detail
    assert [(finding.id, finding.severity) for finding in result.findings] == [("shelf.locked", Severity.WARNING)]
    assert not result.changed
    assert numbers == [11, 12]


def test_what_was_decided_not_to_be_done_is_told_and_left() -> None:
    ticks = Ticks()

    class Choosy(Shelf):
        def decide(self, observation: list[int]) -> Decision:
            decision = super().decide(observation)
            decision.actions[0] = decision.actions[0].became(ActionState.SKIPPED, "it is dear to somebody")
            return decision

    numbers = [11, 12]
    planned = run(Choosy(numbers, ticks), context(ticks), check_mode=True)
    done = run(Choosy(numbers, ticks), context(ticks), check_mode=False)
    assert [action.state for action in planned.actions] == [ActionState.SKIPPED, ActionState.PLANNED]
    assert [action.state for action in done.actions] == [ActionState.SKIPPED, ActionState.DONE]
    assert numbers == [11]


def test_what_an_action_works_with_is_never_shown() -> None:
    action = Action("remove", "11", "11 > 10", work={"password": "hunter22"})
    assert "hunter22" not in repr(action)
    assert "hunter22" not in str(action.as_dict())
    assert set(action.as_dict()) == {
        "kind", "subject", "reason", "statement", "state", "detail", "seconds", "undo",
    }  # fmt: skip
    assert action.became(ActionState.DONE).work == {"password": "hunter22"}
