# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs one module many times in one playbook: starting Ansible costs more than most runs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from tests.integration.running import run_tasks


def run_each(name: str, runs: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Run a module with each of several sets of options; return the results, with ``outcome``, in the same order.

    The outcome of a run that fails is ``ignored``, for the next are made all the same. No result may hold a traceback.
    """
    run = run_tasks([{f"dataops.upkeep.{name}": dict(params), "ignore_errors": True} for params in runs])
    assert len(run.tasks) == len(runs), run.output
    assert "Traceback" not in run.output
    return [{**task["result"], "outcome": task["outcome"]} for task in run.tasks]
