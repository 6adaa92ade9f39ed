# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The daily run finds what is planted in the sample application, and nothing in a clean one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.faults.conftest import Daily, Sample
from tests.integration.browser import chromium
from tests.stack.application.planted import Plant, planted_for
from tests.stack.endpoint import Endpoint
from tests.stack.servers.postgresql import connect

MODULES = (
    "postgresql_health_info",
    "mongodb_health_info",
    "redis_health_info",
    "queue_health_info",
    "http_health_info",
)
PLANTS = planted_for(*MODULES)


@pytest.fixture(scope="module")
def found(planted: Sample) -> Daily:
    """A daily run over the planted sample."""
    return planted.daily(upkeep_fail_on="never")


def work(daily: Daily) -> dict[str, dict[str, Any]]:
    """The results of what changes a store, by name."""
    results = daily.report["results"]
    return {result["name"]: result for result in results if result["name"].endswith((" retention", " cleanup"))}


def test_what_is_to_be_gone_is_gone_after_the_daily_run(planted: Sample, found: Daily) -> None:
    done = [action for result in work(found).values() for action in result["actions"]]
    assert [action for action in done if action["state"] != "done"] == []
    for plant in planted_for("postgresql_retention", "redis_cleanup", "queue_cleanup"):
        assert any(plant.action == action["kind"] and plant.where in action["subject"] for action in done), plant.what
    endpoint = Endpoint.from_json(planted.stack.sample["endpoints"]["postgresql"])
    with connect(endpoint) as session:
        old = "SELECT count(*) FROM product_term_submissions WHERE created_at < now() - interval '30 days'"
        assert session.execute(old).fetchone() == (0,)
        assert session.execute("SELECT count(*) > 0 FROM product_term_submissions").fetchone() == (True,)


@pytest.mark.parametrize("plant", PLANTS, ids=[plant.id for plant in PLANTS])
def test_what_is_planted_is_found(found: Daily, plant: Plant) -> None:
    assert plant.finding in found.ids(subject=plant.subject), f"{plant.what} ({plant.where}) was not found"


def test_only_what_is_planted_is_found(found: Daily) -> None:
    strangers = [
        finding["message"]
        for finding in found.findings()
        if finding["of"] not in ("host", "report") and finding["id"] not in {plant.finding for plant in PLANTS}
    ]
    assert strangers == []


def test_a_clean_application_has_no_findings(clean: Sample) -> None:
    clean.daily()
    daily = clean.daily(upkeep_fail_on="critical")
    assert {name: result["changed"] for name, result in work(daily).items()} == {
        "beo_automation retention": False,
        "delauto-cache cleanup": False,
        "delauto-queues cleanup": False,
    }
    # The host is this machine and not a part of the sample: its disk, its clock and its load are what they are.
    assert [finding["message"] for finding in daily.findings() if finding["of"] != "host"] == []
    assert {result["subject"] for result in daily.report["results"]} >= {
        "postgresql",
        "mongodb",
        "redis",
        "queue",
        "http",
        "host",
    }


def test_the_findings_are_for_people(found: Daily) -> None:
    for finding in found.findings():
        assert finding["remedy"], finding["id"]
        assert finding["value"] is not None, finding["id"]


@pytest.mark.browser
def test_a_real_browser_shows_every_store(planted: Sample, found: Daily, tmp_path: Path) -> None:
    page = tmp_path / "report.html"
    page.write_text(found.page)
    with chromium() as browser:
        browser.open(page.as_uri())
        titles = browser.evaluate("[...document.querySelectorAll('section[data-result] h2')].map(e => e.innerText)")
        messages = browser.evaluate("[...document.querySelectorAll('.finding .message')].map(e => e.innerText)")
        assert browser.complaints == []
    shown = " ".join(titles)
    for kind in ("postgresql", "mongodb", "redis", "queues"):
        for entry in planted.variables()[f"upkeep_{kind}"]:
            assert entry["name"] in shown
    assert "endpoints" in shown
    assert "demo" in shown
    assert {finding["message"] for finding in found.findings()} <= set(messages)


def test_no_password_is_shown(planted: Sample, found: Daily) -> None:
    passwords = {endpoint.password for endpoint in planted.stack.endpoints.values()}
    passwords |= {endpoint.monitor_password for endpoint in planted.stack.endpoints.values()}
    passwords |= {planted.stack.sample["token"]}
    for password in passwords - {None}:
        assert password not in found.run.output
        assert password not in found.page
        for path in planted.folder.rglob("*"):
            if path.is_file() and "inventory" not in path.parts:
                assert password not in path.read_text(errors="replace"), path
