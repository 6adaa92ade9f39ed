# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Reads what a server's allocator says of its memory."""

from __future__ import annotations

from ..client import RedisClient
from ..info import Info
from .observation import NodeMemory

__all__ = ["read_memory"]


def read_memory(client: RedisClient) -> NodeMemory:
    """Read memory as it is now.

    :raises StoreError: the server refused, or is gone.
    """
    info = Info(client.ask("read memory (INFO memory)", lambda redis: redis.info("memory")))
    return NodeMemory(
        allocator=info.text("mem_allocator") or "",
        frag_ratio=info.number("allocator_frag_ratio"),
        frag_bytes=info.integer("allocator_frag_bytes"),
        resident=info.integer("used_memory_rss") or 0,
        pending=info.integer("lazyfree_pending_objects") or 0,
    )
