# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Looks at keys without using them."""

from __future__ import annotations

from .client import RedisClient
from .wire import packed

__all__ = ["leave_no_trace"]


def leave_no_trace(client: RedisClient) -> bool:
    """Ask the server not to count as a use of a key what this connection does; Redis 7.2 and newer can.

    A node of a cluster is not asked: Redis 8.2.3 ends by a segmentation fault when a connection that leaves no trace
    asks for a key whose slot is on its way to another node (measured: in lookupKey, called by getNodeByQuery).

    :return: whether it does so.
    :raises StoreError: the server is gone.
    """
    if client.info().flag("cluster_enabled"):
        return False
    (reply,) = client.exchange("leave idle times alone", packed([("CLIENT", "NO-TOUCH", "ON")]), 1)
    return not isinstance(reply, Exception)
