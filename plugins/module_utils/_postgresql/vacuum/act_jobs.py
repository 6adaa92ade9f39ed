# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Several tables at once: threads with a connection each, which take the planned actions in turn."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import AbstractContextManager, suppress
from types import TracebackType
from typing import NamedTuple

from ..._core.action import Action, ActionState
from ..._core.errors import StoreError, UpkeepError
from ..._core.runner import DEADLINE_OVER, Context
from ..client import PostgresqlClient
from .decide_jobs import Shift, Turn

__all__ = ["Crew"]

CANCEL = """
SELECT pg_cancel_backend(pid) AS done FROM pg_stat_activity
WHERE pid = ANY (%(pids)s::int[]) AND application_name = current_setting('application_name')"""
CANCEL_ATTEMPTS = 50
CANCEL_SECONDS = 0.2
"""For so long a thread may take to end after its statement was cancelled, before that is tried again."""


class _Cancelled(NamedTuple):
    done: bool


class Crew:
    """Carries out a shift's actions beside the caller, who asks for their outcome in the order of the plan.

    :param first: the caller's own connection, over which statements are cancelled if it leaves early.
    :param connection: opens one connection more, ready for work.
    :param carry_out: does one action.
    """

    def __init__(
        self,
        shift: Shift,
        context: Context,
        first: PostgresqlClient,
        connection: Callable[[], AbstractContextManager[PostgresqlClient]],
        carry_out: Callable[[PostgresqlClient, Action], Action],
    ) -> None:
        self.absent: list[UpkeepError] = []
        """Why threads could not begin."""
        self._context, self._first, self._connection, self._carry_out = context, first, connection, carry_out
        self._changed = threading.Condition()
        self._waiting = list(shift.turns)
        self._begun: set[int] = set()
        self._outcomes: dict[int, Action | Exception] = {}
        self._broken: Exception | None = None
        self._stopped = False
        self._pids: dict[int, int] = {}
        self._present = shift.jobs
        self._threads = [threading.Thread(target=self._work, daemon=True) for _number in range(shift.jobs)]

    def __enter__(self) -> Crew:
        for thread in self._threads:
            thread.start()
        return self

    def has_begun(self, action: Action) -> bool:
        """Whether an action was begun. If not, and the deadline is over, then it never will be."""
        with self._changed:
            return action.work.row.oid in self._begun

    def outcome(self, action: Action) -> Action | None:
        """Wait until an action is over, and return what became of it; None if nobody is left to do it."""
        oid = action.work.row.oid
        with self._changed:
            self._changed.wait_for(lambda: oid in self._outcomes or not self._present)
            found = self._outcomes.get(oid) or self._broken
        if isinstance(found, Exception):
            raise found
        if found is None and self._context.deadline.expired:
            return action.became(ActionState.SKIPPED, DEADLINE_OVER)
        return found

    def _work(self) -> None:
        me = threading.get_ident()
        try:
            with self._connection() as client:
                self._pids[me] = client.connection.info.backend_pid
                while client.lost is None and (turn := self._next()):
                    self._do(client, turn)
        except UpkeepError as error:
            if me not in self._pids:  # otherwise the action that was at hand says so
                self.absent.append(error)
        except Exception as error:  # noqa: BLE001 - it is raised again by the thread that waits
            self._broken = error
        finally:
            with self._changed:
                self._pids.pop(me, None)
                self._present -= 1
                self._changed.notify_all()

    def _next(self) -> Turn | None:
        """Return the next action, once nothing is in its way; None when there is nothing more to do."""
        deadline = self._context.deadline
        with self._changed:
            while self._waiting and not self._stopped and not deadline.expired:
                turn = next((turn for turn in self._waiting if turn.after <= self._outcomes.keys()), None)
                if turn:
                    self._waiting.remove(turn)
                    self._begun.add(turn.oid)
                    return turn
                self._changed.wait(deadline.remaining)
            return None

    def _do(self, client: PostgresqlClient, turn: Turn) -> None:
        outcome: Action | Exception
        started = self._context.clock.monotonic()
        try:
            outcome = self._carry_out(client, turn.action)
        except UpkeepError as error:
            outcome = turn.action.became(ActionState.FAILED, self._context.secrets.redact(str(error)))
        except Exception as error:  # noqa: BLE001 - likewise
            outcome = error
        if isinstance(outcome, Action):
            seconds = self._context.clock.monotonic() - started
            outcome = outcome.became(outcome.state, outcome.detail, seconds, outcome.undo)
        with self._changed:
            self._outcomes[turn.oid] = outcome
            self._changed.notify_all()

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        """End: at once where all is done, and otherwise by cancelling what is under way."""
        with self._changed:
            self._stopped = True
            self._changed.notify_all()
        for _attempt in range(CANCEL_ATTEMPTS):
            for thread in self._threads:
                thread.join(CANCEL_SECONDS)
            if not any(thread.is_alive() for thread in self._threads):
                return
            with suppress(StoreError):
                self._first.rows("end what is under way", CANCEL, _Cancelled, {"pids": list(self._pids.values())})
