# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reading files of lines from the end."""

from __future__ import annotations

from io import BytesIO
from unittest.mock import patch

from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.dataops.upkeep.plugins.module_utils._state import lines

contents = st.lists(st.binary(max_size=30).map(lambda line: line.replace(b"\n", b"")), max_size=20)


@given(
    contents, st.binary(max_size=10).map(lambda tail: tail.replace(b"\n", b"")), st.integers(0, 25), st.integers(1, 40)
)
def test_the_last_whole_lines_are_found_whatever_the_block_size(
    whole: list[bytes], torn: bytes, limit: int, block: int
) -> None:
    content = b"".join(line + b"\n" for line in whole) + torn
    with patch.object(lines, "BLOCK_BYTES", block):
        assert lines.last_lines(BytesIO(content), limit) == (whole[-limit:] if limit else [])
        assert lines.size_of_whole_lines(BytesIO(content)) == len(content) - len(torn)
