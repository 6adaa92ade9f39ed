# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run a playbook of the calendar against one host of an inventory, and read its report."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tests.integration.running import Run, run_playbook
from tests.integration.test_health_role import inventory


def play(
    cadence: str, folder: Path, *arguments: str, secrets: tuple[str, ...] = (), **variables: Any
) -> tuple[Run, dict[str, dict[str, Any]]]:
    """Run a playbook; returns the report's results by name, none in check mode, which writes no report.

    :param secrets: what may not stand in the output, at ``-vvv``.
    """
    hosts = inventory(folder, {"app": {}}, upkeep_fail_on="never", upkeep_host=False, **variables)
    run = run_playbook(f"dataops.upkeep.{cadence}", "-i", str(hosts), "-vvv", *arguments)
    assert run.code == 0, run.output[-6000:]
    assert not [secret for secret in secrets if secret in run.output]
    latest = folder / "reports/latest.json"
    report = json.loads(latest.read_text()) if latest.exists() else {"results": []}
    return run, {result["name"]: result for result in report["results"]}
