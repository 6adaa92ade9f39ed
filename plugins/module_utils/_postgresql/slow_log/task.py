# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The task of postgresql_slow_log."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from ..._core.action import Action, ActionState
from ..._core.errors import InvalidInput
from ..._core.finding import Finding
from ..._core.runner import Context, Decision
from ..client import PostgresqlClient
from ..identifier import MOST_BYTES
from ..statement import Statement
from ..work import WorkTask
from .decide_recording import PRELOAD, decide_recording
from .decide_settings import decide_reload, decide_settings, trouble
from .observation import Seen
from .observe_settings import observe_settings
from .policy import policy_of
from .values import LIBRARY

__all__ = ["PostgresqlSlowLog"]

RELOAD_SECONDS = 5.0
"""How long a reload may take to reach our session; it takes some milliseconds."""

ORDER = ("set", "reload", "create")
"""Kinds of action. The extension comes last, for it needs nothing of the others."""

LOAD = Statement(f"LOAD '{LIBRARY}'")


class PostgresqlSlowLog(WorkTask[Seen]):
    """Sets what the server logs of slow statements, and has it record all of them."""

    job: ClassVar[str] = "slow_log"
    on_standby: ClassVar[bool] = True

    def __init__(self, context: Context) -> None:
        self._policy = policy_of(context.params)
        self._superuser = False
        super().__init__(context)

    def read(self, client: PostgresqlClient) -> Seen:
        """Read settings and rights.

        :raises InvalidInput: there is no such role.
        """
        for option in ("role", "schema"):
            if len((self.params[option] or "").encode()) > MOST_BYTES or "\0" in (self.params[option] or ""):
                raise InvalidInput(option, "it is no name", f"Give a name of at most {MOST_BYTES} bytes.")
        seen = observe_settings(client, self._policy.schema, self._policy.role)
        self._superuser = seen.facts.superuser
        if self._policy.role is not None and not seen.facts.role_there:
            raise InvalidInput("role", f"there is no role {self._policy.role!r}", "Name a role that exists.")
        return seen

    def decide(self, observation: Seen) -> Decision:
        """Decide on settings, library, extension and reload."""
        decision = decide_settings(observation, self._policy, self.label)
        decision.extend(decide_recording(observation, self._policy, self.label))
        reload = decide_reload(observation, self._policy, decision.actions, self.label)
        decision.findings += reload.findings
        decision.actions = sorted([*decision.actions, *reload.actions], key=lambda action: ORDER.index(action.kind))
        decision.metrics = {
            "postgresql_slow_log_milliseconds": int(observation.settings["log_min_duration_statement"].value),
            "postgresql_statements_loaded": int(f"{LIBRARY}.max" in observation.settings),
        }
        return decision

    def carry_out(self, client: PostgresqlClient, action: Action) -> Action:
        """Run the action's statement; a library is tried before the server is told to start with it."""
        limit = self.context.deadline.remaining
        if action.subject == PRELOAD and self._superuser:
            client.execute(f"load the library {LIBRARY}", LOAD, limit)
        client.execute(f"{action.kind} {action.subject}", action.work, limit)
        return action.became(ActionState.DONE)

    def prove(self, observation: Seen, actions: Sequence[Action]) -> list[Finding]:
        """Decide again, and find nothing of what was done left to do; a reload has its moment to arrive."""
        done = {action.subject for action in actions if action.state is ActionState.DONE}
        clock = self.context.clock
        end = clock.monotonic() + self.context.deadline.limit(RELOAD_SECONDS)
        left = self._left(done)
        while left and clock.monotonic() < end:
            clock.sleep(0.05)
            left = self._left(done)
        remedy = "Read the server's log: it says why it did not take the change over."
        return [trouble("unproved", self.label, action.subject, f"still, {action.reason}", remedy) for action in left]

    def _left(self, done: set[str]) -> list[Action]:
        return [action for action in self.decide(self.read(self.client)).actions if action.subject in done]
