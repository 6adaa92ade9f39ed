# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Takes the picture of a report for the README: ``python -m tests.picture REPORT.html docs/images/report.png``."""

from __future__ import annotations

import sys
from pathlib import Path

from tests.integration.browser import chromium

WIDTH, HEIGHT = 1180, 1240


def main() -> int:
    """Open the page and write what its window shows."""
    if len(sys.argv) != 3:
        print(__doc__)
        return 2
    page, picture = Path(sys.argv[1]).resolve(), Path(sys.argv[2])
    picture.parent.mkdir(parents=True, exist_ok=True)
    with chromium() as browser:
        browser.resize(WIDTH, HEIGHT)
        browser.prefer("light")
        browser.open(page.as_uri())
        browser.screenshot(picture)
    return 0


if __name__ == "__main__":
    sys.exit(main())
