# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
name: journal
type: notification
short_description: Keeps an append-only journal of maintenance, each record chained to the one before
version_added: 0.1.0
author: [The dataops.upkeep authors (@dataops)]
description:
  - Writes down what was done - start and end of each run, each task of this collection with its findings and actions
    (with statement and undo), failed tasks, unreachable hosts and changes by other collections' modules.
  - Each month (UTC) has two files. C(journal-YYYY-MM.log) is for people, with lines such as
    C([2025-11-15 02:00:00] [INFO] ...). C(journal-YYYY-MM.jsonl) is the evidence - one JSON record a line, which
    carries the SHA-256 hash of the record before it and its own, over the whole of the record in canonical form
    (keys sorted, no blanks, ASCII). The chain goes on from file to file.
  - An edited, removed, inserted or moved record breaks the chain; M(dataops.upkeep.journal_info), the playbook
    C(dataops.upkeep.journal_verify) and the program C(plugins/module_utils/_journal/verify.py), which needs nothing
    but Python, find it. Records cut off from the end are found by a hash known from elsewhere, so each run prints the
    hash of its last record - it stays in the output that AWX or a scheduler keeps.
  - Records of tasks of this collection and the start and end of a run are on the disk when written (fsync); others
    follow with the next of these. Runs at the same time share the files under a lock. A last line that a killed run
    left half written is closed and declared by the next run.
  - Secrets are kept out. C(no_log) is honoured, passwords in URIs and secrets in the environment are masked, and of a
    failed task of another collection only the message is kept, with what looks like a secret masked.
  - A journal that cannot be written is reported once as a warning and never breaks a run; the next record that can be
    written says how many are missing.
options:
  directory:
    description:
      - Folder of the journal, made with mode V(0750) if it is absent; files have mode V(0640).
      - It has to outlive the run. In an execution environment, mount it.
    type: path
    default: ~/.upkeep/journal
    env: [{name: UPKEEP_JOURNAL_DIR}]
    ini: [{section: callback_journal, key: directory}]
  timezone:
    description: Time zone of the lines for people. The records themselves are in UTC.
    type: str
    choices: [local, utc]
    default: local
    env: [{name: UPKEEP_JOURNAL_TIMEZONE}]
    ini: [{section: callback_journal, key: timezone}]
  level:
    description: What is less grave stays out of the lines for people. The chain holds everything.
    type: str
    choices: [info, warn, error]
    default: info
    env: [{name: UPKEEP_JOURNAL_LEVEL}]
    ini: [{section: callback_journal, key: level}]
requirements:
  - enabled by C(callbacks_enabled = dataops.upkeep.journal) in C(ansible.cfg), or E(ANSIBLE_CALLBACKS_ENABLED)
"""

import atexit
import os
import socket
from collections.abc import Sequence
from datetime import timezone
from pathlib import Path
from typing import Any

from ansible import context
from ansible.plugins.callback import CallbackBase
from ansible.release import __version__ as ansible_version

from ansible_collections.dataops.upkeep.plugins.module_utils._core.clock import Clock
from ansible_collections.dataops.upkeep.plugins.module_utils._core.redact import Redactor, secrets_of
from ansible_collections.dataops.upkeep.plugins.module_utils._journal.entries import (
    Entry,
    Level,
    RunFacts,
    Scribe,
    TaskFacts,
    is_envelope,
)
from ansible_collections.dataops.upkeep.plugins.module_utils._journal.origin import (
    collection_version,
    new_run_id,
    user_name,
)
from ansible_collections.dataops.upkeep.plugins.module_utils._journal.writer import Journal
from ansible_collections.dataops.upkeep.plugins.module_utils._state.lasting import probe, vanishes

OURS = "dataops.upkeep."
JOB_VARIABLES = ("awx_job_id", "awx_job_template_name", "awx_user_name", "tower_job_id", "tower_user_name")
"""Extra variables by which AWX says which job this is and who started it."""


class CallbackModule(CallbackBase):  # type: ignore[misc]
    """Turns Ansible's events into entries of the journal."""

    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "notification"
    CALLBACK_NAME = "dataops.upkeep.journal"
    CALLBACK_NEEDS_ENABLED = True

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self._clock = Clock()
        self._playbook = ""
        self._facts: RunFacts | None = None
        self._warned = False
        self._loops: set[tuple[str, str]] = set()

    def v2_playbook_on_start(self, playbook: Any) -> None:
        """Remember the playbook; only its first play knows the extra variables."""
        self._playbook = str(getattr(playbook, "_file_name", "")) or "unknown"

    def v2_playbook_on_play_start(self, play: Any) -> None:
        """Open the journal at the first play."""
        if self._facts is None:
            manager = play.get_variable_manager()
            self._begin(dict(manager.extra_vars) if manager else {})

    def _begin(self, extra_vars: dict[str, Any]) -> None:
        self._started = self._clock.monotonic()
        self._facts = RunFacts(
            run=new_run_id(self._clock.now()),
            user=user_name(os.environ),
            controller=socket.gethostname(),
            playbook=self._playbook,
            check=bool(context.CLIARGS.get("check")),
            versions={"dataops.upkeep": collection_version(), "ansible-core": ansible_version},
            more={
                "pid": os.getpid(),
                "limit": context.CLIARGS.get("subset"),
                "tags": list(context.CLIARGS.get("tags") or []),
                **{name: extra_vars[name] for name in JOB_VARIABLES if name in extra_vars},
            },
        )
        folder = Path(self.get_option("directory")).expanduser()
        zone = timezone.utc if self.get_option("timezone") == "utc" else None
        self._journal = Journal(folder, self._facts.run, self._clock, zone, Level[self.get_option("level").upper()])
        self._scribe = Scribe(Redactor(secrets_of(os.environ)))
        self._warn_of_vanishing(folder)
        atexit.register(self._broken_off, os.getpid())
        self._write([self._scribe.run_started(self._facts)], sync=True)

    def _warn_of_vanishing(self, folder: Path) -> None:
        why = vanishes(os.path.realpath(folder), probe(os.environ))
        if why:
            self._display.warning(f"The journal will be lost: {why}. Mount a volume there, or set UPKEEP_JOURNAL_DIR.")

    def _write(self, entries: Sequence[Entry], sync: bool = False) -> None:
        """Write entries; what goes wrong is said once and breaks nothing."""
        try:
            self._journal.append(entries, sync)
            error = self._journal.log_error
        except OSError as failed:
            error = failed
        if error and not self._warned:
            self._warned = True
            self._display.warning(
                f"THE JOURNAL CANNOT BE WRITTEN: {error}. This run goes on without it. Free space in "
                f"{self._journal.folder}, or give the user who runs Ansible the right to write there."
            )

    def v2_runner_on_ok(self, result: Any) -> None:
        """Write down our modules' results and others' changes."""
        self._task_done(result)

    def v2_runner_on_failed(self, result: Any, ignore_errors: bool = False) -> None:
        """Write down a failed task."""
        self._task_done(result, failed=True, ignored=ignore_errors)

    def v2_runner_on_unreachable(self, result: Any) -> None:
        """Write down a host that could not be reached."""
        task, body = self._task(result), self._body(result)
        self._write([self._scribe.unreachable(task, self._message(body))])

    def v2_runner_item_on_ok(self, result: Any) -> None:
        """Write down one round of a loop."""
        self._task_done(result, item=True)

    def v2_runner_item_on_failed(self, result: Any) -> None:
        """Write down a failed round of a loop."""
        ignored = bool(self._of(result, "task").ignore_errors)
        self._task_done(result, failed=True, ignored=ignored, item=True)

    def v2_playbook_on_stats(self, stats: Any) -> None:
        """Write down the end, and show the hash of the last record so that it is known elsewhere."""
        if self._facts is None:
            return
        hosts = {host: stats.summarize(host) for host in sorted(stats.processed)}
        facts, self._facts = self._facts, None
        seconds = self._clock.monotonic() - self._started
        self._write([self._scribe.run_ended(facts, hosts, seconds)], sync=True)
        text = (
            f"Journal: {self._journal.written} records in {self._journal.folder}, head {self._journal.head or 'none'}"
        )
        lost = f", {self._journal.lost} LOST" if self._journal.lost else ""
        # Not to standard output, which may be a document that another program reads.
        self._display.display(text + lost, stderr=True)

    def _broken_off(self, process: int) -> None:
        if self._facts is not None and os.getpid() == process:
            facts, self._facts = self._facts, None
            self._write([self._scribe.run_broken_off(facts, self._clock.monotonic() - self._started)], sync=True)

    def _task_done(self, result: Any, failed: bool = False, ignored: bool = False, item: bool = False) -> None:
        loop = (self._of(result, "task")._uuid, self._of(result, "host").get_name())
        if item:
            self._loops.add(loop)
        elif loop in self._loops:
            self._loops.remove(loop)
            return  # each round was written down by itself
        body, task = self._body(result), self._task(result)
        ours = task.module.startswith(OURS)
        if ours and is_envelope(body):
            self._write(self._scribe.envelope(task, body), sync=True)
        elif failed or (ours and "msg" in body):
            # A module of ours that gave no envelope failed, even where failed_when says that it did not.
            self._write([self._scribe.failed(task, self._message(body), ignored or not failed)])
        elif body.get("changed"):
            self._write([self._scribe.changed(task)])

    @staticmethod
    def _of(result: Any, name: str) -> Any:
        """A part of a task's result: since ansible-core 2.19 it has a public name, and the old one will go."""
        return getattr(result, name) if hasattr(result, name) else getattr(result, f"_{name}")

    def _body(self, result: Any) -> dict[str, Any]:
        """What the module returned, which Ansible has emptied if ``no_log`` was set."""
        return dict(self._of(result, "result"))

    def _task(self, result: Any) -> TaskFacts:
        task = self._of(result, "task")
        # A templated action has no resolved name before it ran, and asking for it makes Ansible warn.
        module = task.action if "{{" in task.action else task.resolved_action or task.action
        return TaskFacts(self.host_label(result), task.get_name(), str(module), bool(task.check_mode))

    @staticmethod
    def _message(body: dict[str, Any]) -> str:
        return "its output is hidden by no_log" if "censored" in body else str(body.get("msg") or "no message")
