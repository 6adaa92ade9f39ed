# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The report as a page, as Markdown and as JSON; hostile texts in each."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.dataops.upkeep.plugins.module_utils._core.redact import Redactor
from ansible_collections.dataops.upkeep.plugins.module_utils._core.secrets import Secrets
from ansible_collections.dataops.upkeep.plugins.module_utils._report.document import Report, as_json, make_report
from ansible_collections.dataops.upkeep.plugins.module_utils._report.entries import gather
from ansible_collections.dataops.upkeep.plugins.module_utils._report.markdown import as_markdown
from ansible_collections.dataops.upkeep.plugins.module_utils._report.page import LONGEST_TEXT, as_html
from ansible_collections.dataops.upkeep.plugins.module_utils._report.past import Past, remembered, run_record
from ansible_collections.dataops.upkeep.plugins.module_utils._report.proof import gap_in, trouble_in

from .samples import NOW, application, finding, result

HOSTILE = [
    "<script>alert('x')</script>",
    '"><img src=x onerror=alert(1)>',
    "' onmouseover='alert(1)",
    "{{ 7 * 7 }}{% raw %}",
    "</style></svg><!-- ",
    "\u202eright to left",
    "&lt;already&gt;",
    "[link](javascript:alert(1)) **bold** `code` | cell",
    "line\nfeed\n# heading\n- item",
    "x" * 10_000,
]


def report(*results: dict[str, Any], past: Past | None = None, title: str = "") -> Report:
    entries = gather(results, Redactor(Secrets()))
    return make_report(title, "shop", "daily", "run-9", NOW, entries, past or Past())


def hostile_result(text: str) -> dict[str, Any]:
    """A result that is hostile in every text."""
    action = dict.fromkeys(("kind", "subject", "reason", "statement", "detail", "undo"), text)
    hostile = result(text, text, [finding(text, "warning", text, text, text, text, text)], {text: 1}, text, host=text)
    return {**hostile, "actions": [{**action, "state": "done", "seconds": 1}], "summary": text}


class Page(HTMLParser):
    """What a browser would see: elements, their attributes, and texts."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.texts.append(data)

    def count(self, tag: str, **attributes: str) -> int:
        """How many elements have these attributes."""
        return sum(name == tag and attributes.items() <= found.items() for name, found in self.elements)


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_no_text_becomes_markup_on_the_page(text: str) -> None:
    harmless = Page(as_html(report(hostile_result("harmless"), title="harmless")))
    page = Page(as_html(report(hostile_result(text), title=text)))
    assert [tag for tag, _found in page.elements] == [tag for tag, _found in harmless.elements]
    assert [sorted(found) for _tag, found in page.elements] == [sorted(found) for _tag, found in harmless.elements]
    shown = " ".join(" ".join(page.texts).split())
    assert " ".join(text[:LONGEST_TEXT].split()) in shown


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_no_text_becomes_markup_in_markdown(text: str) -> None:
    lines = as_markdown(report(hostile_result(text), title=text)).splitlines()
    assert len(lines) == len(as_markdown(report(hostile_result("harmless"), title="harmless")).splitlines())
    everything = "\n".join(lines[1:])
    assert "<" not in everything
    assert "\u202e" not in everything
    assert not re.search(r"(?<!\\)\[link", everything)


def test_the_page_needs_nothing_from_elsewhere_and_runs_nothing() -> None:
    html = as_html(report(*application(25)))
    page = Page(html)
    assert not {"script", "iframe", "object", "embed", "img", "form", "base"} & {tag for tag, _found in page.elements}
    loaded = [
        value for _tag, found in page.elements for name, value in found.items() if name in ("src", "href", "style")
    ]
    assert all(value and (value.startswith("#") or value == "data:,") for value in loaded)
    assert "url(" not in html
    assert "@import" not in html
    [policy] = [
        found["content"] for _tag, found in page.elements if found.get("http-equiv") == "Content-Security-Policy"
    ]
    assert policy
    assert policy.startswith("default-src 'none'; style-src 'sha256-")


def test_the_page_shows_every_result_finding_and_remedy() -> None:
    results = application(25)
    page = Page(as_html(report(*results)))
    shown = " ".join(page.texts)
    assert page.count("section", **{"data-result": "postgresql/beo_automation@app-1"}) == 1
    for given in results:
        for found in given["findings"]:
            assert found["message"] in shown
            assert found["remedy"] in shown
    assert "Critical" in shown
    assert "2 critical and 5 warning findings in 6 results." in shown


@pytest.mark.parametrize(
    ("results", "words"),
    [
        ([], ("Nothing was checked", "No result")),
        ([result("redis", "a")], ("All in order", "No findings in 1 result.")),
        ([result("redis", "a", [finding("x.y", "warning", "a", "m")])], ("Needs attention", "1 warning finding in 1 ")),
    ],
)
def test_the_verdict_in_words(results: list[dict[str, Any]], words: tuple[str, str]) -> None:
    html, markdown = as_html(report(*results)), as_markdown(report(*results))
    for word in words:
        assert word in html
        assert word in markdown


def past_of(*days: int) -> Past:
    """What the runs of some days left."""
    runs, last = [], {}
    for day in days:
        entries = gather(application(day, fixed=True), Redactor(Secrets()))
        earlier = Past(last=last)
        at = NOW.replace(day=day)
        runs.append(run_record(entries, f"run-{day}", at, entries[0].status))
        last = remembered(entries, f"run-{day}", at, earlier)
    return Past(runs, last)


def test_earlier_runs_are_plotted_and_compared() -> None:
    page = Page(as_html(report(*application(22), past=past_of(18, 19, 20, 21))))
    assert page.count("svg", **{"class": "plot"}) > 10
    assert page.count("svg", **{"class": "strip"}) == 1
    shown = " ".join(page.texts)
    assert "New since 21 November 2026, 05:30" in shown
    assert shown.count("users_email_key is invalid") == 2
    assert "since 18 November 2026, 05:30" in shown
    alone = Page(as_html(report(*application(22))))
    assert alone.count("svg") == 0
    assert "no earlier report to compare with" in " ".join(alone.texts)


def test_json_holds_everything_and_the_changes() -> None:
    document = json.loads(as_json(report(*application(22), past=past_of(20, 21))))
    assert document["status"] == "critical"
    assert [entry["name"] for entry in document["results"]] == [given["name"] for given in application(22)]
    assert {found["id"] for found in document["new"]} == {
        "postgresql.blocked_session",
        "postgresql.vacuum_overdue",
        "postgresql.invalid_index",
    }
    assert document["compared_with"] == "2026-11-21T05:30:00+00:00"


def test_what_is_not_as_it_was_written_is_seen(tmp_path: Path) -> None:
    file = tmp_path / "page.html"
    assert "read back" in (trouble_in(file, b"whole") or "")
    file.write_bytes(b"who")
    assert "what was written" in (trouble_in(file, b"whole") or "")
    file.write_bytes(b"whole")
    assert trouble_in(file, b"whole") is None


@pytest.mark.parametrize(("format_name", "write"), [("html", as_html), ("json", as_json)])
def test_a_report_without_one_of_the_results_is_seen(format_name: str, write: Callable[[Report], str]) -> None:
    made = report(*application(22))
    content = write(made).encode()
    assert gap_in(content, format_name, made.entries) is None
    assert "every result" in (gap_in(content, format_name, made.entries[1:]) or "")


def test_half_a_page_is_seen() -> None:
    made = report(*application(22))
    assert "every result" in (gap_in(as_html(made).encode()[:-10], "html", made.entries) or "")
