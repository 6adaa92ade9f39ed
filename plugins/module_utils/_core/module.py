# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The edge between AnsibleModule and a task."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

from ansible.module_utils.basic import AnsibleModule

from .arguments import ArgumentSpec
from .clock import Clock
from .deadline import Deadline
from .errors import InvalidInput, UpkeepError
from .finding import Finding
from .memory import Memory, NoMemory
from .result import Result
from .runner import Context, Task, run
from .secrets import Secrets
from .severity import Severity
from .units import parse_duration

__all__ = ["run_module"]

OpenMemory = Callable[[str, Secrets], Memory]


class _Module(AnsibleModule):  # type: ignore[misc]
    """An AnsibleModule that knows every secret before it writes its options to the system's log.

    AnsibleModule does that when it is made, and masks only what an option of its own is declared to hide.
    """

    secrets: Secrets | None = None

    def _log_invocation(self) -> None:
        self.secrets = _register_secrets(self)
        super()._log_invocation()


def run_module(
    spec: ArgumentSpec, make_task: Callable[[Context], Task[Any]], open_memory: OpenMemory | None = None
) -> None:
    """Check the options, run the task, and return its result to Ansible.

    :param spec: the module's options.
    :param make_task: makes the task; imports its driver when called, so after the options were checked.
    :param open_memory: opens the place that the option ``state`` names.
    """
    module = _Module(supports_check_mode=True, **spec.as_module_arguments())
    secrets = module.secrets or _register_secrets(module)
    try:
        context = Context(
            params=module.params,
            deadline=_deadline(module.params["deadline"]),
            clock=Clock(),
            memory=_memory(module.params.get("state"), open_memory, secrets),
            environment=dict(os.environ),
            secrets=secrets,
        )
        result = run(make_task(context), context, module.check_mode)
    except UpkeepError as error:
        _fail(module, error, secrets)
        return
    envelope = result.as_dict()
    if module._diff and result.actions:
        envelope["diff"] = {"before": "", "after": _plan_text(result)}
    module.exit_json(**_redacted(envelope, secrets))


def _deadline(text: str) -> Deadline:
    """Return the limit of time that the option ``deadline`` sets.

    :raises InvalidInput: it leaves no time, or is no duration.
    """
    seconds = parse_duration(text, "deadline")
    if seconds <= 0:
        raise InvalidInput("deadline", f"{text!r} leaves no time for anything", "Give a duration above zero, as 60s.")
    return Deadline(seconds)


def _memory(place: str | None, open_memory: OpenMemory | None, secrets: Secrets) -> Memory:
    return open_memory(place, secrets) if place and open_memory else NoMemory()


def _register_secrets(module: AnsibleModule) -> Secrets:
    """Collect the secrets among the options and hand their every form to Ansible's own censor.

    What a task takes from the environment it adds itself, to the same :class:`Secrets`.
    """
    secrets = Secrets(str(value) for value in module.no_log_values)
    secrets.add_nested(module.params)
    module.no_log_values.update(secrets.forms)
    return secrets


def _fail(module: AnsibleModule, error: UpkeepError, secrets: Secrets) -> None:
    """End the module as failed, with the envelope of what had been found before."""
    result = error.partial or Result(module._name)
    result.findings.append(
        Finding(f"upkeep.{error.condition}", Severity.CRITICAL, result.subject, str(error), remedy=error.remedy)
    )
    module.fail_json(**_redacted({"msg": str(error), **result.as_dict()}, secrets))


def _redacted(value: Any, secrets: Secrets) -> Any:
    """Return a result with every form of every secret masked in its texts."""
    if isinstance(value, str):
        return secrets.redact(value)
    if isinstance(value, dict):
        return {key: _redacted(inner, secrets) for key, inner in value.items()}
    if isinstance(value, list):
        return [_redacted(inner, secrets) for inner in value]
    return value


def _plan_text(result: Result) -> str:
    """Write the actions for ``--diff``, one a line."""
    lines = [
        f"[{action.state.value}] {action.kind} {action.subject}: {action.reason}"
        + (f"\n    {action.statement}" if action.statement else "")
        for action in result.actions
    ]
    return "\n".join(lines) + "\n"
