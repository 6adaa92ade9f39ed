# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Registered task results as the report, the alerts and the verdict take them. Used by the filter plugins; pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from .._core.errors import InvalidInput
from .._core.finding import Finding
from .._core.result import ENVELOPE_KEYS, Result
from .._core.severity import Severity, worst

__all__ = ["collected", "verdict"]

FAIL_ON = ("critical", "warning", "never")


def collected(registered: Any, subject: str, host: str, names: Sequence[str] = ()) -> list[dict[str, Any]]:
    """Return the envelopes of a registered task, each with ``subject``, ``host`` and ``name``.

    A task that ended without an envelope (it crashed, its host was unreachable) gives one with a critical finding,
    so that no silence passes for health. A skipped task gives none.

    :param registered: what ``register`` holds, of one task or of a loop.
    :param subject: what the task was about, such as ``redis``.
    :param host: the inventory host that the result belongs to.
    :param names: the names of the loop's entries, in their order.
    """
    if not isinstance(registered, Mapping):
        return []
    results = registered.get("results")
    loop = results if isinstance(results, (list, tuple)) else [registered]
    envelopes = []
    for index, result in enumerate(loop):
        if result.get("skipped"):
            continue
        name = str(names[index]) if index < len(names) else subject
        envelope = {key: result[key] for key in ENVELOPE_KEYS if key in result}
        if len(envelope) < len(ENVELOPE_KEYS):
            envelope = _without_envelope(result, subject, name, host)
        envelopes.append({**envelope, "subject": subject, "host": host, "name": name})
    return envelopes


def _without_envelope(result: Mapping[str, Any], subject: str, name: str, host: str) -> dict[str, Any]:
    if result.get("unreachable"):
        condition, what = "upkeep.host_unreachable", "the host that should do it cannot be reached"
        remedy = (
            f"Check the connection to the host, or name another one in upkeep_store_runner. Inventory host: {host}."
        )
    else:
        condition, what = "upkeep.task_failed", "the task ended without a result"
        remedy = "Correct what it names, or run it again with -vvv to see more."
    text = str(result.get("msg") or "").strip()
    message = f"{name}: {what}" + (f": {text}" if text else "")
    return Result(f"{subject} {name}", [Finding(condition, Severity.CRITICAL, name, message, remedy=remedy)]).as_dict()


def verdict(results: Sequence[Mapping[str, Any]], fail_on: str = "critical") -> dict[str, Any]:
    """Return how a whole run stands and whether it counts as failed.

    :param results: envelopes as :func:`collected` returns them.
    :param fail_on: ``critical``, ``warning`` or ``never``.
    :return: ``status``, ``failed``, ``critical`` and ``warning`` (numbers of findings), ``message``.
    :raises InvalidInput: ``fail_on`` is something else.
    """
    if fail_on not in FAIL_ON:
        raise InvalidInput("upkeep_fail_on", f"{fail_on!r} is none of {', '.join(FAIL_ON)}", "Choose one of them.")
    findings = [finding for result in results for finding in result["findings"]]
    # A run that looked at nothing knows nothing, and unknown is not ok.
    status = worst([Severity(result["status"]) for result in results]) if results else Severity.CRITICAL
    counts = {degree: sum(finding["severity"] == degree for finding in findings) for degree in ("critical", "warning")}
    limit = {"critical": Severity.CRITICAL.rank, "warning": Severity.WARNING.rank}.get(fail_on, 99)
    gravest = [finding["message"] for finding in findings if finding["severity"] == status.value]
    more = f" and {len(gravest) - 3} more" if len(gravest) > 3 else ""
    return {
        "status": status.value,
        "failed": status.rank >= limit,
        **counts,
        "message": f"{status.value}: {len(results)} results, {counts['critical']} critical, {counts['warning']} warning"
        + (f". {'; '.join(gravest[:3])}{more}" if gravest else "" if results else ". Nothing was checked"),
    }
