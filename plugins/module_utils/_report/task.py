# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The task of the module ``report``: looks at the folder, decides on the files, writes them and reads them back."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from .._core.action import Action, ActionState
from .._core.dependency import JINJA2
from .._core.errors import InvalidInput, StateError, UpkeepError
from .._core.finding import Finding
from .._core.redact import Redactor
from .._core.result import metric_name
from .._core.runner import Context, Decision, sub_finding
from .._core.severity import Severity
from .._state.files import replace_file
from .._state.lasting import LASTING_REMEDY, probe, vanishes
from .._state.place import directory_of
from .decide_files import FilePlan, plan_files
from .document import Report, as_json, make_report, run_id_of
from .entries import Entry, gather
from .lock import FolderLock
from .markdown import as_markdown
from .page import as_html
from .past import Past, remembered, run_record
from .proof import gap_in, trouble_in
from .shelf import FORMATS, Shelf, file_stem, look_at

__all__ = ["Observed", "ReportTask"]

FILE_MODE, FOLDER_MODE = 0o640, 0o750
RUN_ID = re.compile(r"[A-Za-z0-9._:-]{1,100}")
HISTORY_RUNS = 120
"""Earlier runs that the plots show: four months of daily runs."""

HISTORY_KEPT = 400
LOCK_WAIT_SECONDS = 30.0

WRITERS: Mapping[str, Callable[[Report], str]] = {"html": as_html, "json": as_json, "markdown": as_markdown}


@dataclass(frozen=True)
class Observed:
    """What the report starts from.

    :param now: the moment, in UTC, in whole seconds.
    :param past: what memory holds of earlier runs.
    :param vanishing: why files here do not outlive the run, one sentence for each place.
    """

    now: datetime
    entries: Sequence[Entry]
    run_id: str
    shelf: Shelf
    past: Past
    vanishing: Sequence[str]
    memory_error: StateError | None = None


class ReportTask:
    """Writes one report in several formats.

    :param context: the task's context.
    :raises InvalidInput: an option holds what cannot be used.
    :raises MissingDependency: Jinja2 is absent and HTML is wanted.
    """

    def __init__(self, context: Context) -> None:
        params = context.params
        self._context = context
        self._folder = Path(params["dest"])
        if not self._folder.is_absolute():
            raise InvalidInput("dest", f"{params['dest']!r} is no absolute path", "Give one, such as /var/lib/upkeep.")
        if params["keep"] < 1:
            raise InvalidInput("keep", f"{params['keep']} would leave no report", "Keep 1 at least.")
        if params["run_id"] is not None and not RUN_ID.fullmatch(params["run_id"]):
            raise InvalidInput(
                "run_id", "it holds other characters, or too many", "Use up to 100 letters, digits and any of ._:-"
            )
        self._formats = list(dict.fromkeys(params["formats"]))
        if not self._formats:
            raise InvalidInput("formats", "it is empty", f"Give one or more of {', '.join(FORMATS)}.")
        if "html" in self._formats:
            JINJA2.load()
        self._stem = file_stem(params["application"], params["cadence"])
        self._last_key = f"report/last/{params['application']}/{params['cadence']}"
        self._series = f"report/history/{params['application']}/{params['cadence']}"
        self._report: Report | None = None
        self._contents: dict[str, bytes] = {}
        self._planned: dict[str, str] = {}
        self._failed = False
        self._lock = FolderLock(self._folder)

    @property
    def subject(self) -> str:
        """The file that always holds the newest report."""
        return f"report {self._folder / f'latest.{FORMATS[self._formats[0]]}'}"

    def observe(self) -> Observed:
        """Read the results, the folder and the memory."""
        params = self._context.params
        self._lock.take(self._context.deadline.limit(LOCK_WAIT_SECONDS))
        now = self._context.clock.now().astimezone(timezone.utc).replace(microsecond=0)
        entries = gather(params["results"], Redactor(self._context.secrets))
        with _explained(f"look into {self._folder}"):
            shelf = look_at(self._folder, self._stem)
        past, memory_error = self._recall()
        parts = (params["application"], params["cadence"], params["title"] or "", now.date().isoformat())
        run_id = params["run_id"] or run_id_of(entries, *parts)
        return Observed(now, entries, run_id, shelf, past, self._vanishing(), memory_error)

    def _recall(self) -> tuple[Past, StateError | None]:
        memory = self._context.memory
        try:
            return Past(memory.tail(self._series, HISTORY_RUNS), memory.read(self._last_key)[0] or {}), None
        except StateError as error:
            return Past(), error

    def _vanishing(self) -> list[str]:
        state = self._context.params.get("state")
        surroundings = probe(self._context.environment)
        places = [self._folder, directory_of(state) if state else None]
        reasons = [vanishes(str(place.resolve()), surroundings) for place in places if place]
        return [reason for reason in reasons if reason]

    def _plan(self, observation: Observed) -> FilePlan:
        keep = self._context.params["keep"]
        return plan_files(observation.shelf, self._stem, self._formats, observation.run_id, observation.now, keep)

    def decide(self, observation: Observed) -> Decision:
        """Plan the files; judge the whole run in metrics, and only the report's own troubles as findings."""
        plan = self._plan(observation)
        report = self._make(observation, plan)
        decision = Decision(_own_troubles(observation, plan, self._folder), metrics=_metrics(report))
        reason = f"{report.verdict}: {report.sentence[0].lower()}{report.sentence[1:].rstrip('.')}"
        if not observation.shelf.exists:
            decision.actions.append(Action("create", str(self._folder), "there is no such folder"))
        for name in plan.write:
            decision.actions.append(self._write(plan.names[name], name, reason))
        for name in plan.point:
            latest = f"latest.{FORMATS[name]}"
            decision.actions.append(self._write(latest, name, f"{plan.names[name]} is the newest report"))
        number = self._context.params["keep"]
        for name in plan.remove:
            decision.actions.append(Action("remove", str(self._folder / name), f"{number} newer reports are kept"))
        return decision

    def _make(self, observation: Observed, plan: FilePlan) -> Report:
        """Return the report; of a run that was reported before, with the moment it had then."""
        params = self._context.params
        self._report = make_report(
            params["title"] or "",
            params["application"],
            params["cadence"],
            observation.run_id,
            plan.at,
            observation.entries,
            observation.past,
        )
        return self._report

    def _write(self, file: str, format_name: str, reason: str) -> Action:
        path = str(self._folder / file)
        self._planned[path] = format_name
        return Action("write", path, reason)

    def act(self, action: Action) -> Action:
        """Create the folder, write or remove one file."""
        path = Path(action.subject)
        if action.kind == "remove" and self._failed:
            return action.became(ActionState.SKIPPED, "the new report is not there")
        try:
            with _explained(f"{action.kind} {path}"):
                detail = self._do(action.kind, path)
        except UpkeepError:
            self._failed = True
            raise
        return action.became(ActionState.DONE, detail)

    def _do(self, kind: str, path: Path) -> str:
        if kind == "create":
            self._lock.create(FOLDER_MODE)
            return ""
        if kind == "remove":
            path.unlink(missing_ok=True)
            return ""
        content = self._content(self._planned[str(path)])
        replace_file(path, content, FILE_MODE)
        return f"{len(content)} bytes"

    def _content(self, format_name: str) -> bytes:
        """Render a format, once for its two files."""
        if format_name not in self._contents and self._report:
            self._contents[format_name] = WRITERS[format_name](self._report).encode("utf-8", "replace")
        return self._contents[format_name]

    def prove(self, observation: Observed, actions: Sequence[Action]) -> list[Finding]:
        """Read every written file back, and see that what it holds is whole."""
        findings = []
        gaps = {name: gap_in(content, name, observation.entries) for name, content in self._contents.items()}
        for action in actions:
            if action.state is not ActionState.DONE or action.kind != "write":
                continue
            format_name = self._planned[action.subject]
            trouble = trouble_in(Path(action.subject), self._content(format_name)) or gaps[format_name]
            if trouble:
                message = f"{action.subject}: {trouble}"
                remedy = "Look at the disk and at who else writes there, and run the report again."
                findings.append(Finding("report.unproved", Severity.CRITICAL, action.subject, message, remedy=remedy))
        return findings

    def remember(self, observation: Observed, decision: Decision) -> None:
        """Keep this run for the plots and comparisons of later ones, once."""
        if self._report is None or observation.memory_error or self._failed:
            return
        memory, run_id, at = self._context.memory, observation.run_id, self._report.at
        if run_id not in [run.get("run_id") for run in observation.past.runs]:
            record = run_record(observation.entries, run_id, at, self._report.status)
            memory.append(self._series, record, keep=HISTORY_KEPT)
        document, version = memory.read(self._last_key)
        last = Past(last=document or {})
        if last.last.get("at", "") < at.isoformat():
            memory.compare_and_set(self._last_key, remembered(observation.entries, run_id, at, last), version)

    def server(self, observation: Observed) -> dict[str, Any]:
        """Where the report of this run lies."""
        paths = {name: str(self._folder / file) for name, file in self._plan(observation).names.items()}
        return {
            "kind": "report",
            "address": str(self._folder),
            "path": paths[self._formats[0]],
            "paths": paths,
            "run_id": observation.run_id,
        }

    def close(self) -> None:
        """Let the next run in."""
        self._lock.release()


def _own_troubles(observation: Observed, plan: FilePlan, folder: Path) -> list[Finding]:
    findings = [
        Finding("report.place_vanishes", Severity.WARNING, str(folder), reason, remedy=LASTING_REMEDY)
        for reason in observation.vanishing
    ]
    for name in plan.foreign:
        message = f"{folder / name} is no report of this collection and is left as it is"
        remedy = "Move that file away, or give the reports a folder of their own."
        findings.append(Finding("report.foreign_file", Severity.WARNING, str(folder / name), message, remedy=remedy))
    if not observation.entries:
        message = "no result was handed to the report, so nothing is known"
        remedy = "Check the inventory and the play's limit."
        findings.append(Finding("report.empty", Severity.WARNING, str(folder), message, remedy=remedy))
    if observation.memory_error:
        findings.append(sub_finding(str(folder), "upkeep", observation.memory_error, Severity.WARNING))
    return findings


def _metrics(report: Report) -> dict[str, float | int]:
    return {
        "report_status": report.status.rank,
        "report_results_count": len(report.entries),
        metric_name("report_findings_count", severity="critical"): report.count(Severity.CRITICAL),
        metric_name("report_findings_count", severity="warning"): report.count(Severity.WARNING),
        "report_findings_new_count": len(report.comparison.new),
        "report_findings_resolved_count": len(report.comparison.resolved),
    }


@contextmanager
def _explained(tried: str) -> Iterator[None]:
    """Turn an OSError into an error with a remedy."""
    try:
        yield
    except OSError as error:
        remedy = "Give `dest` a folder that the user of this run may write to, on a disk with room."
        raise UpkeepError(tried, error.strerror or str(error), remedy) from error
