# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The report lies where it should, whole and readable by its group only."""

from __future__ import annotations

import json
from typing import Any

import pytest

STEM = "beo-automation-adhoc-"


@pytest.fixture
def reports(place: Any) -> Any:
    """The folder of reports on the managed host."""
    host, folder = place("ops")
    return host.file(f"{folder}/reports")


def test_the_run_was_reported_once_in_every_format(reports: Any) -> None:
    names = sorted(reports.listdir())
    assert [name.rsplit(".")[-1] for name in names if name.startswith(STEM)] == ["html", "json", "md"]
    assert [name for name in names if name.startswith("latest")] == ["latest.html", "latest.json", "latest.md"]


def test_the_report_holds_the_finding(place: Any) -> None:
    host, folder = place("ops")
    page = host.file(f"{folder}/reports/latest.html")
    assert "Give it more memory." in page.content_string
    assert page.mode == 0o640
    assert json.loads(host.file(f"{folder}/reports/latest.json").content_string)["status"] == "warning"
