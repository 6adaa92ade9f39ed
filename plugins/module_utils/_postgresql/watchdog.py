# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""A limit of time for one answer, for a driver that waits without one.

libpq has no time-out for an answer: a server that is stopped in mid-session, or a network that swallows packets, makes
a client wait for ever. The server's own ``statement_timeout`` cannot help, for it needs the server.
"""

from __future__ import annotations

import os
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

__all__ = ["Watchdog"]


class Watchdog:
    """Shuts a connection's socket when an answer stays out, which wakes the driver with an error.

    :param descriptor: the connection's file descriptor; it is duplicated, so the driver may close its own at any time.
    """

    def __init__(self, descriptor: int) -> None:
        self._socket = socket.socket(fileno=os.dup(descriptor))
        self.barked = False

    @contextmanager
    def limit(self, seconds: float) -> Iterator[None]:
        """Allow ``seconds`` for what is done inside. ``barked`` says afterwards whether that was too short."""
        timer = threading.Timer(seconds, self._bark)
        timer.daemon = True
        timer.start()
        try:
            yield
        finally:
            timer.cancel()

    def close(self) -> None:
        """Let go of the duplicate."""
        self._socket.close()

    def _bark(self) -> None:
        self.barked = True
        with suppress(OSError):  # the connection may have ended by itself
            self._socket.shutdown(socket.SHUT_RDWR)
