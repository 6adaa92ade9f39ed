# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The table of what is planted in the sample application says what the code plants."""

from __future__ import annotations

from tests.contract.catalogue import MODULES, ROOT
from tests.stack.application.planted import as_markdown


def test_the_page_is_up_to_date() -> None:
    page = (ROOT / "docs/planted.md").read_text(encoding="utf-8")
    assert page == as_markdown(frozenset(MODULES)), "run: python -m tests.stack.application.planted > docs/planted.md"
