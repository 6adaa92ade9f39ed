# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Decides whether memory is worth giving back, and what became of it. Pure."""

from __future__ import annotations

from ..._core.threshold import Thresholds
from ..._core.units import format_size
from ..health.thresholds import HEALTH_THRESHOLDS
from .observation import NodeMemory

__all__ = ["FREED_BYTES", "fragmented", "told", "unsupported"]

FREED_BYTES = 2**20
"""Less than this the resident memory changes by itself."""

_LIMITS = Thresholds(HEALTH_THRESHOLDS)


def unsupported(memory: NodeMemory) -> str:
    """Say why a server's memory cannot be given back; empty: it can."""
    if memory.allocator and not memory.allocator.startswith("jemalloc"):
        return f"its memory comes from {memory.allocator}, not from jemalloc"
    if memory.frag_ratio is None or memory.frag_bytes is None:
        return "it does not tell its allocator's fragmentation"
    return ""


def fragmented(memory: NodeMemory) -> bool:
    """Whether much memory lies idle in the allocator's pages: by ratio and by size.

    The process's own ratio (mem_fragmentation_ratio) says nothing of it: memory that was swapped out or never touched
    is in it too. Source: maintenance study 1.3.
    """
    if unsupported(memory):
        return False
    ratio, size = _LIMITS["fragmentation_ratio"], _LIMITS["fragmentation_bytes"]
    return ratio.crossed(memory.frag_ratio or 0, ratio.warning) and size.crossed(memory.frag_bytes or 0, size.warning)


def told(memory: NodeMemory) -> str:
    """Say how fragmented memory is."""
    return (
        f"fragmentation {memory.frag_ratio or 0:.2f} ({format_size(memory.frag_bytes or 0)}), "
        f"resident {format_size(memory.resident)}"
    )
