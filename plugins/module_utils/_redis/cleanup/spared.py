# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Keys that no rule may touch: those of queues, our own, and those that the user protects. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from ..glob import expression
from ..queue_keys import QueueKeys

__all__ = ["OWN", "Spared"]

OWN = (b"upkeep:", b"upkeep_state:")
"""What keys of this collection begin with: locks and memory."""


class Spared:
    """Tells keys that have to stay from all others.

    :param protect: the user's patterns.
    """

    def __init__(self, protect: Sequence[bytes]) -> None:
        self.queues = QueueKeys()
        self._patterns = [expression(pattern).match for pattern in protect]

    def free(self, keys: Iterable[bytes]) -> list[bytes]:
        """Return the keys that a rule may touch, each once."""
        if not self.queues.bases and not self._patterns:
            return [key for key in dict.fromkeys(keys) if not key.startswith(OWN)]
        of_queue = self.queues.holds if self.queues.bases else None
        return [
            key
            for key in dict.fromkeys(keys)
            if not key.startswith(OWN)
            and not (of_queue and of_queue(key))
            and not (self._patterns and any(match(key) for match in self._patterns))
        ]
