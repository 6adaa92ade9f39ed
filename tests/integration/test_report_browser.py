# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The page in a real browser."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.integration.browser import Browser, chromium
from tests.integration.running import run_module
from tests.unit._report.samples import application, finding, result

pytestmark = pytest.mark.browser

SCRIPT = "<script>document.title = 'taken'</script>"
HOSTILE = f"{SCRIPT}<img src='http://192.0.2.1/x' onerror=alert(1)>\u202e{'x' * 10_000}"
INVISIBLE = """
[...document.querySelectorAll('h1, .verdict, .tiles a, section[data-result] h2, .finding .message, .remedy')]
.filter(e => { const box = e.getBoundingClientRect(), style = getComputedStyle(e);
  return box.width < 10 || box.height < 10 || style.visibility !== 'visible' || style.opacity === '0' })
.map(e => e.outerHTML.slice(0, 200))
"""
TOO_WIDE = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
FAINT = """
(() => {
  const numbers = text => text.match(/[\\d.]+/g).map(Number);
  const light = ([r, g, b]) => [r, g, b].map(c => c / 255)
    .map(c => c <= .03928 ? c / 12.92 : ((c + .055) / 1.055) ** 2.4)
    .reduce((sum, c, i) => sum + c * [.2126, .7152, .0722][i], 0);
  const behind = e => { for (; e; e = e.parentElement) {
    const color = numbers(getComputedStyle(e).backgroundColor);
    if (color.length < 4 || color[3] === 1) return color; }
    return numbers(getComputedStyle(document.body).backgroundColor); };
  return [...document.querySelectorAll('body *')]
    .filter(e => [...e.childNodes].some(n => n.nodeType === 3 && n.textContent.trim()) && e.offsetParent)
    .map(e => { const [a, b] = [light(numbers(getComputedStyle(e).color)), light(behind(e))];
      return [(Math.max(a, b) + .05) / (Math.min(a, b) + .05), e.outerHTML.slice(0, 120)]; })
    .filter(([ratio]) => ratio < 4.5);
})()
"""
"""Texts whose contrast is below the 4.5 that WCAG 2 asks for (level AA, 1.4.3), by its own formula."""


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """One browser for all tests."""
    with chromium() as started:
        yield started


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A report with history and hostile texts, written by the module."""
    folder = tmp_path_factory.mktemp("report")
    found = finding("redis.x", "warning", HOSTILE, HOSTILE, HOSTILE, 1, HOSTILE)
    action = {"kind": "unlink", "subject": HOSTILE, "reason": "old", "statement": "UNLINK x", "state": "done"}
    hostile = result("redis", HOSTILE, [found], {HOSTILE: 1}, actions=[action])
    for number, results in enumerate([application(20, fixed=True), [*application(25), hostile]]):
        params: dict[str, Any] = {"results": results, "dest": str(folder / "reports"), "application": HOSTILE[:100]}
        written = run_module("report", {**params, "state": str(folder / "state"), "run_id": f"run-{number}"})
        assert written["outcome"] == "ok", written["output"]
    return folder / "reports/latest.html"


def test_it_opens_without_complaint_and_asks_for_nothing(browser: Browser, page: Path) -> None:
    browser.open(page.as_uri())
    assert browser.complaints == []
    assert [url for url in browser.requests if url != "data:,"] == [page.as_uri()]


def test_a_page_that_did_load_something_would_be_noticed(browser: Browser, page: Path, tmp_path: Path) -> None:
    bad = tmp_path / "bad.html"
    text = page.read_text(encoding="utf-8")
    bad.write_text(text.replace("</main>", "<img src='other.png'><script>x()</script></main>"), encoding="utf-8")
    browser.open(bad.as_uri())
    assert len(browser.complaints) >= 2
    assert all("Content Security Policy" in complaint for complaint in browser.complaints)


def test_it_shows_every_result_and_every_finding(browser: Browser, page: Path) -> None:
    browser.open(page.as_uri())
    text = browser.evaluate("document.body.innerText")
    for given in application(25):
        assert given["name"] in text
        for found in given["findings"]:
            assert found["message"] in text
            assert found["remedy"] in text
    assert browser.evaluate("document.querySelectorAll('section[data-result]').length") == 7
    assert browser.evaluate("document.title").startswith("Critical")
    assert re.search(r"2 critical and 6 warning findings in 7 results", text)


def test_hostile_texts_are_only_texts(browser: Browser, page: Path) -> None:
    browser.open(page.as_uri())
    assert browser.evaluate("document.querySelectorAll('script, img').length") == 0
    assert browser.evaluate("document.body.innerText").count(SCRIPT) > 4


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_everything_can_be_seen_and_read(browser: Browser, page: Path, scheme: str) -> None:
    browser.prefer(scheme)
    browser.open(page.as_uri())
    assert browser.evaluate(INVISIBLE) == []
    assert browser.evaluate(FAINT) == []


def test_what_cannot_be_seen_or_read_would_be_noticed(browser: Browser, page: Path) -> None:
    browser.prefer("light")
    browser.open(page.as_uri())
    browser.evaluate("document.querySelector('.facts').style.color = '#aaaaaa'")
    browser.evaluate("document.querySelector('.remedy').style.visibility = 'hidden'")
    assert len(browser.evaluate(FAINT)) == browser.evaluate("document.querySelectorAll('.facts')[0].children.length")
    assert len(browser.evaluate(INVISIBLE)) == 1


def test_dark_and_light_differ(browser: Browser, page: Path) -> None:
    browser.open(page.as_uri())
    papers = []
    for scheme in ("light", "dark"):
        browser.prefer(scheme)
        papers.append(browser.evaluate("getComputedStyle(document.body).backgroundColor"))
    assert papers[0] != papers[1]


@pytest.mark.parametrize("width", [360, 800, 1600])
def test_it_fits_every_width(browser: Browser, page: Path, width: int) -> None:
    browser.resize(width, 900)
    browser.open(page.as_uri())
    assert browser.evaluate(TOO_WIDE) <= 0
    assert browser.evaluate(INVISIBLE) == []


def test_it_prints(browser: Browser, page: Path) -> None:
    browser.prefer("dark", medium="print")
    browser.open(page.as_uri())
    assert browser.evaluate(INVISIBLE) == []
    assert browser.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    assert browser.evaluate(FAINT) == []
    browser.prefer("light")


def test_the_plots_are_there_for_those_who_do_not_see_them(browser: Browser, page: Path) -> None:
    browser.open(page.as_uri())
    tree = browser.call("Accessibility.getFullAXTree")["nodes"]
    images = [node["name"]["value"] for node in tree if node.get("role", {}).get("value") == "image"]
    assert any(label.startswith("memory used: now") for label in images)
    assert any("runs, oldest first" in label for label in images)
