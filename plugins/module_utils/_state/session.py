# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The one connection that a place in a store works over."""

from __future__ import annotations

import weakref
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from typing import Generic, TypeVar

from .._core.errors import StateError, StoreError

__all__ = ["Session"]

Client = TypeVar("Client")


class Session(Generic[Client]):
    """A connection that is opened when first needed and closed when nobody needs the memory, or the process ends.

    :param label: where it leads to, without secrets, for errors.
    :param connect: opens the connection; what it raises are StoreErrors.
    :param translated: turns the driver's errors into StoreErrors.
    """

    def __init__(
        self,
        label: str,
        connect: Callable[[], AbstractContextManager[Client]],
        translated: Callable[[str], AbstractContextManager[None]],
    ) -> None:
        self.label = label
        self._connect = connect
        self._translated = translated
        self._stack = ExitStack()
        self._client: Client | None = None
        weakref.finalize(self, self._stack.close)

    @contextmanager
    def use(self, tried: str) -> Iterator[Client]:
        """Give the connection for one operation. A connection that failed is closed, and opened anew the next time.

        :param tried: what the operation does, as "read the document x".
        :raises StateError: there is no connection, or the operation failed.
        """
        tried = f"{tried} in the state at {self.label}"
        try:
            if self._client is None:
                self._client = self._stack.enter_context(self._connect())
            with self._translated(tried):
                yield self._client
        except StoreError as error:
            self._client = None
            self._stack.close()
            raise StateError(
                tried, error.why, error.remedy or "Look after that store, or keep the state elsewhere."
            ) from error
