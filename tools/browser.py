# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Find a Chromium for the tests of the report, or install one: `python -m tools.browser`."""

from __future__ import annotations

import os
import shutil
import sys

from .engine import EngineMissing, apt_install

__all__ = ["find_browser"]

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")


def find_browser() -> str | None:
    """Return the path of a Chromium, the one that UPKEEP_CHROMIUM names first; None if there is none."""
    names = [os.environ.get("UPKEEP_CHROMIUM", ""), *NAMES]
    return next((path for path in map(shutil.which, filter(None, names)) if path), None)


def main() -> int:
    """Install Chromium where there is none; say what to install where that may not be done."""
    if find_browser() is None:
        try:
            apt_install(("chromium",), "the tests of the report in a browser")
        except EngineMissing as error:
            print(f"{error}\nOr name a Chromium in UPKEEP_CHROMIUM.", file=sys.stderr)
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
