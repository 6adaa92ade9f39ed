# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The tree of errors: what was tried, why it failed, what to do."""

from __future__ import annotations

from .result import Result

__all__ = [
    "AccessDenied",
    "AuthenticationFailed",
    "DeadlineExceeded",
    "InvalidInput",
    "LockHeld",
    "MissingDependency",
    "StateError",
    "StoreError",
    "StoreTimeout",
    "StoreUnreachable",
    "UpkeepError",
]


class UpkeepError(Exception):
    """An error that a user can act on.

    :param tried: what was attempted, as "connect to Redis at cache:6379".
    :param why: why it failed, free of secrets.
    :param remedy: what to do.
    :param partial: what had been found and done before, so that nothing of it is lost.
    """

    condition = "failed"
    """The second half of the finding id that a health check reports for this error."""

    def __init__(self, tried: str, why: str, remedy: str = "", partial: Result | None = None) -> None:
        super().__init__(tried, why, remedy)
        self.tried = tried
        self.why = why
        self.remedy = remedy
        self.partial = partial

    def __str__(self) -> str:
        text = f"Could not {self.tried}: {self.why.rstrip('.')}."
        return f"{text} {self.remedy}" if self.remedy else text


class InvalidInput(UpkeepError):
    """An option holds what cannot be understood or must not be done."""

    condition = "invalid_input"

    def __init__(self, option: str, why: str, remedy: str = "") -> None:
        super().__init__(f"use option {option}", why, remedy)


class MissingDependency(UpkeepError):
    """A Python library or a program is absent or too old."""

    condition = "missing_dependency"


class StateError(UpkeepError):
    """The memory kept between runs cannot be read or written."""

    condition = "state"


class DeadlineExceeded(UpkeepError):
    """The time that the task was given is over."""

    condition = "deadline"


class LockHeld(UpkeepError):
    """Another run works on the same subject."""

    condition = "locked"


class StoreError(UpkeepError):
    """A store refused or failed a request.

    ``code`` is the store's own code of the error (of PostgreSQL the SQLSTATE), where it gave one.
    """

    condition = "error"
    code: str | None = None


class StoreUnreachable(StoreError):
    """No connection: nobody listens, no route, name unknown, connection lost."""

    condition = "unreachable"


class StoreTimeout(StoreError):
    """Something listens, and does not answer in time."""

    condition = "timeout"


class AuthenticationFailed(StoreError):
    """The store does not accept the user or the password."""

    condition = "authentication"


class AccessDenied(StoreError):
    """The user may log in and may not do this."""

    condition = "access_denied"
