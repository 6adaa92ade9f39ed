# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The one connection that a place in a store works over."""

from __future__ import annotations

import weakref
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager, suppress
from typing import Generic, TypeVar

from .._core.errors import StateError, StoreError

__all__ = ["NO_DEADLINE_SECONDS", "Session"]

NO_DEADLINE_SECONDS = 86400.0
"""For clients that want a deadline: memory has none of its own, each of its requests has a limit."""

Client = TypeVar("Client")


class Session(Generic[Client]):
    """A connection that is opened when first needed and closed when nobody needs the memory, or the process ends.

    :param label: where it leads to, without secrets, for errors.
    :param connect: opens the connection. What it and the connection raise are StoreErrors.
    """

    def __init__(self, label: str, connect: Callable[[], AbstractContextManager[Client]]) -> None:
        self.label = label
        self._connect = connect
        self._stack = ExitStack()
        self._client: Client | None = None
        weakref.finalize(self, self._stack.close)

    @contextmanager
    def use(self, tried: str) -> Iterator[Client]:
        """Give the connection for one operation. A connection that failed is closed, and opened anew the next time.

        :param tried: what the operation does, as "read the document x".
        :raises StateError: there is no connection, or the operation failed.
        """
        try:
            if self._client is None:
                self._client = self._stack.enter_context(self._connect())
            yield self._client
        except StoreError as error:
            self._client = None
            with suppress(StoreError):  # a client that lost its connection says so again at its end
                self._stack.close()
            remedy = error.remedy or "Look after that store, or keep the state elsewhere."
            raise StateError(f"{tried} in the state at {self.label}", error.why, remedy) from error
