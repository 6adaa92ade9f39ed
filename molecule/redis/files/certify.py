# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Write a certificate with its key for the servers that speak TLS."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path.cwd()))

from tests.stack.application.certificates import write_certificate
from tools.stage import FOLDER, read_stage

if __name__ == "__main__":
    store = read_stage()["stores"]["redises"]
    path = FOLDER / "redises.pem"
    path.unlink(missing_ok=True)
    write_certificate(path, host=store["container"], address=store["address"])
