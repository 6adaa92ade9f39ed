# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs every benchmark, one after another.

Usage: python -m tests.benchmarks

Exits with 1 if one of them does.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path


def main() -> int:
    """Print every table and return the exit code."""
    missed = []
    for path in sorted(Path(__file__).parent.glob("bench_*.py")):
        print(f"--- {path.stem} ---", flush=True)
        # A process for each: what one has imported or patched must not weigh on the next.
        done = subprocess.run([sys.executable, "-m", f"{__package__}.{path.stem}"], check=False)
        if done.returncode != 0:
            missed.append(path.stem)
        print(flush=True)
    print(f"missed: {', '.join(missed)}" if missed else "all held")
    return int(bool(missed))


if __name__ == "__main__":
    sys.exit(main())
