# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the journal says about runs and tasks."""

from __future__ import annotations

from datetime import timedelta, timezone
from typing import Any

import pytest

from ansible_collections.dataops.upkeep.plugins.module_utils._core.action import Action, ActionState
from ansible_collections.dataops.upkeep.plugins.module_utils._core.finding import Finding
from ansible_collections.dataops.upkeep.plugins.module_utils._core.redact import Redactor
from ansible_collections.dataops.upkeep.plugins.module_utils._core.result import Result
from ansible_collections.dataops.upkeep.plugins.module_utils._core.secrets import Secrets
from ansible_collections.dataops.upkeep.plugins.module_utils._core.severity import Severity
from ansible_collections.dataops.upkeep.plugins.module_utils._journal.entries import (
    Entry,
    Level,
    RunFacts,
    Scribe,
    TaskFacts,
    human_line,
    is_envelope,
)

FACTS = RunFacts("r1", "ops", "runner", "/x/daily.yml", False, {"dataops.upkeep": "0.1.0"}, {"limit": "db"})
TASK = TaskFacts("db1", "Vacuum", "dataops.upkeep.postgresql_vacuum", False)
ACTION = Action("vacuum", "public.events", "40 % dead", "VACUUM public.events", undo="")


@pytest.fixture
def scribe() -> Scribe:
    return Scribe(Redactor(Secrets(["hunter22"])))


def result(*actions: Action, findings: tuple[Finding, ...] = ()) -> dict[str, Any]:
    return Result("postgresql db1", list(findings), list(actions)).as_dict()


def test_a_line_reads_as_in_the_guides() -> None:
    record = {"at": "2025-11-15T02:00:00.999+00:00", "level": "INFO", "event": "task", "text": "done", "hash": "h"}
    assert human_line(record, timezone.utc) == "[2025-11-15 02:00:00] [INFO] done"
    assert human_line(record, timezone(timedelta(hours=2))).startswith("[2025-11-15 04:00:00]")


def test_the_last_line_of_a_run_says_the_head() -> None:
    record = {"at": "2025-11-15T02:00:00+00:00", "level": "INFO", "event": "run_ended", "text": "end", "hash": "abc"}
    assert human_line(record, timezone.utc).endswith("end; head of the journal: abc")


def test_a_run_says_who_where_what_and_with_which_version(scribe: Scribe) -> None:
    entry = scribe.run_started(FACTS)
    assert entry.text == "Run r1 started: daily by ops on runner (dataops.upkeep 0.1.0)"
    assert entry.details["limit"] == "db"
    assert entry.details["check_mode"] is False


def test_actions_are_written_with_statement_undo_and_time(scribe: Scribe) -> None:
    dropped = Action("drop", "i1", "never used", "DROP INDEX i1").became(
        ActionState.DONE, "", 3.2, "CREATE INDEX i1 ..."
    )
    task, action = scribe.envelope(TASK, result(dropped))
    assert task.text == "db1: postgresql_vacuum: postgresql db1: ok (1 done)"
    assert action.text == "db1: done in 3s: drop i1 (never used)"
    assert action.details["action"]["statement"] == "DROP INDEX i1"
    assert action.details["action"]["undo"] == "CREATE INDEX i1 ..."


@pytest.mark.parametrize(
    ("state", "level"),
    [
        (ActionState.DONE, Level.INFO),
        (ActionState.PLANNED, Level.INFO),
        (ActionState.SKIPPED, Level.WARN),
        (ActionState.FAILED, Level.ERROR),
    ],
)
def test_what_became_of_an_action_sets_the_level(scribe: Scribe, state: ActionState, level: Level) -> None:
    assert scribe.envelope(TASK, result(ACTION.became(state, "why")))[1].level is level


def test_check_mode_is_marked_on_every_line(scribe: Scribe) -> None:
    planned = TaskFacts("db1", "Vacuum", "dataops.upkeep.postgresql_vacuum", True)
    entries = scribe.envelope(planned, result(ACTION))
    assert [entry.text.startswith("[check mode] db1: ") for entry in entries] == [True, True]
    assert "planned: vacuum public.events" in entries[1].text
    assert all(entry.details["check_mode"] for entry in entries)


@pytest.mark.parametrize(("severity", "level"), [(Severity.WARNING, Level.WARN), (Severity.CRITICAL, Level.ERROR)])
def test_findings_are_lines_with_their_remedy(scribe: Scribe, severity: Severity, level: Level) -> None:
    finding = Finding("redis.memory", severity, "cache", "cache: 91 %, above 85 %", 91, 85, "Raise maxmemory.")
    task, line = scribe.envelope(TASK, result(findings=(finding,)))
    assert task.level is line.level is level
    assert line.text == "db1: redis.memory: cache: 91 %, above 85 %. Raise maxmemory."
    assert line.details["finding"]["threshold"] == 85


def test_a_remedy_that_the_message_holds_is_not_said_twice(scribe: Scribe) -> None:
    finding = Finding("upkeep.invalid_input", Severity.CRITICAL, "x", "No. Do that.", remedy="Do that.")
    assert scribe.envelope(TASK, result(findings=(finding,)))[1].text.count("Do that") == 1


def test_a_failed_module_of_ours_is_an_error_with_its_message(scribe: Scribe) -> None:
    entry = scribe.envelope(TASK, {"msg": "Could not connect.", **result()})[0]
    assert (entry.level, entry.text) == (Level.ERROR, "db1: postgresql_vacuum failed: Could not connect.")


def test_foreign_failures_keep_their_message_without_secrets(scribe: Scribe) -> None:
    task = TaskFacts("db1", "Deploy hunter22", "ansible.builtin.command", False)
    entry = scribe.failed(task, "token=abcdef in hunter22", ignored=False)
    assert entry.level is Level.ERROR
    assert entry.details["message"] == "token=******** in ********"
    assert "hunter22" not in str(entry)
    assert scribe.failed(task, "x", ignored=True).level is Level.WARN
    assert scribe.unreachable(task, "no route").text == "db1: unreachable in task 'Deploy ********': no route"


def test_foreign_changes_are_short(scribe: Scribe) -> None:
    entry = scribe.changed(TaskFacts("db1", "Copy", "ansible.builtin.copy", True))
    assert entry.text == "[check mode] db1: task 'Copy' (ansible.builtin.copy) would change something"


@pytest.mark.parametrize(
    ("outcomes", "entries", "level"),
    [
        ({"ok": 1}, (), Level.INFO),
        ({"ok": 1}, (Finding("a.b", Severity.WARNING, "x", "m"),), Level.WARN),
        ({"ok": 1}, (Finding("a.b", Severity.CRITICAL, "x", "m"),), Level.ERROR),
        ({"failures": 1}, (), Level.ERROR),
        ({"unreachable": 1}, (), Level.ERROR),
    ],
)
def test_the_end_is_as_grave_as_the_run(
    scribe: Scribe, outcomes: dict[str, int], entries: tuple[Finding, ...], level: Level
) -> None:
    scribe.envelope(TASK, result(findings=entries))
    assert scribe.run_ended(FACTS, {"db1": outcomes}, 12.0).level is level


def test_a_failed_action_makes_the_end_an_error(scribe: Scribe) -> None:
    scribe.envelope(TASK, result(ACTION.became(ActionState.FAILED, "no")))
    ended = scribe.run_ended(FACTS, {"db1": {"ok": 2, "changed": 1}, "db2": {"ok": 3, "failures": 1}}, 75.0)
    assert ended.level is Level.ERROR
    assert ended.text == "Run r1 ended after 1min 15s: daily; tasks: 5 ok, 1 changed, 1 failed; actions: 1 failed"


def test_a_broken_off_run_says_so(scribe: Scribe) -> None:
    entry = scribe.run_broken_off(FACTS, 1.0)
    assert (entry.level, entry.event) == (Level.ERROR, "run_ended")


def test_a_text_of_several_lines_becomes_one() -> None:
    assert Entry(Level.INFO, "task", "a\nb").as_record()["text"] == r"a\nb"


def test_only_the_whole_envelope_is_one() -> None:
    envelope = result()
    assert is_envelope(envelope)
    for key in envelope:
        assert not is_envelope({name: value for name, value in envelope.items() if name != key})
