# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Reads a file of lines from its end, where a killed writer may have left half a line."""

from __future__ import annotations

import os
from typing import BinaryIO

__all__ = ["last_lines", "size_of_whole_lines"]

BLOCK_BYTES = 64 * 1024


def last_lines(stream: BinaryIO, limit: int) -> list[bytes]:
    """Return the last ``limit`` whole lines, oldest first, without their line feeds.

    What stands after the last line feed was never finished and is left out.
    """
    if limit <= 0:
        return []
    position, blocks, feeds = stream.seek(0, os.SEEK_END), [b""], 0
    while position > 0 and feeds <= limit:
        size = min(BLOCK_BYTES, position)
        position -= size
        stream.seek(position)
        blocks.append(stream.read(size))
        feeds += blocks[-1].count(b"\n")
    lines = b"".join(reversed(blocks)).split(b"\n")[:-1]
    return lines[-limit:]


def size_of_whole_lines(stream: BinaryIO) -> int:
    """Return the offset behind the last line feed: where the next line belongs."""
    position = stream.seek(0, os.SEEK_END)
    while position > 0:
        size = min(BLOCK_BYTES, position)
        stream.seek(position - size)
        feed = stream.read(size).rfind(b"\n")
        if feed >= 0:
            return position - size + feed + 1
        position -= size
    return 0
