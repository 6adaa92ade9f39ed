# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which files are written, left and removed."""

from __future__ import annotations

from datetime import timedelta

import pytest

from ansible_collections.dataops.upkeep.plugins.module_utils._report.decide_files import FilePlan, plan_files
from ansible_collections.dataops.upkeep.plugins.module_utils._report.shelf import FORMATS, Shelf, Shelved, file_stem

from .samples import NOW

STEM = "shop-daily"


def shelved(stamp: str, run_id: str | None, *formats: str) -> list[Shelved]:
    """The files of one report."""
    return [Shelved(f"{STEM}-{stamp}.{FORMATS[name]}", stamp, name, run_id) for name in formats or ("html", "json")]


def plan(shelf: Shelf, run_id: str = "new", keep: int = 90, formats: tuple[str, ...] = ("html", "json")) -> FilePlan:
    return plan_files(shelf, STEM, formats, run_id, NOW, keep)


OLD = shelved("20261120-053000", "old")
NEWER = shelved("20261121-053000", "newer")
LATEST = {"html": "newer", "json": "newer"}


def test_a_new_run_is_written_and_becomes_the_latest() -> None:
    decided = plan(Shelf(True, [*OLD, *NEWER], LATEST))
    assert decided.names == {"html": f"{STEM}-20261122-053000.html", "json": f"{STEM}-20261122-053000.json"}
    assert decided.write == decided.point == ["html", "json"]
    assert list(decided.remove) == []
    assert decided.at == NOW


def test_a_run_that_was_reported_is_left_alone() -> None:
    decided = plan(Shelf(True, [*OLD, *NEWER], LATEST), run_id="newer")
    assert (list(decided.write), list(decided.point), list(decided.remove)) == ([], [], [])
    assert decided.at == NOW - timedelta(days=1)
    assert decided.names["html"] == f"{STEM}-20261121-053000.html"


def test_a_missing_format_is_added_with_the_moment_of_the_run() -> None:
    decided = plan(Shelf(True, [*OLD, *NEWER], LATEST), run_id="newer", formats=("html", "markdown"))
    assert decided.write == decided.point == ["markdown"]
    assert decided.names["markdown"] == f"{STEM}-20261121-053000.md"


def test_an_older_run_does_not_become_the_latest_again() -> None:
    decided = plan(Shelf(True, [*OLD, *NEWER], LATEST), run_id="old", formats=("html", "markdown"))
    assert list(decided.write) == ["markdown"]
    assert list(decided.point) == []


def test_a_latest_that_is_lost_or_behind_is_written_again() -> None:
    assert list(plan(Shelf(True, [*OLD, *NEWER], {"html": "old"}), run_id="newer").point) == ["html", "json"]


@pytest.mark.parametrize(("keep", "removed"), [(1, 4), (2, 2), (3, 0), (90, 0)])
def test_old_reports_go_and_the_new_one_counts_as_kept(keep: int, removed: int) -> None:
    decided = plan(Shelf(True, [*OLD, *NEWER], LATEST), keep=keep)
    assert len(decided.remove) == removed
    assert all("20261122" not in name for name in decided.remove)


def test_a_reported_run_is_never_removed_by_itself() -> None:
    decided = plan(Shelf(True, [*OLD, *NEWER], LATEST), run_id="old", keep=1)
    assert list(decided.remove) == []


def test_foreign_files_are_neither_replaced_nor_removed() -> None:
    foreign = [*shelved("20261120-000000", None), *shelved("20261122-053000", None)]
    decided = plan(Shelf(True, [*foreign, *OLD], {"html": None, "json": "old"}), keep=1)
    assert decided.foreign == ["latest.html"]
    assert list(decided.point) == ["json"]
    assert decided.names["html"] == f"{STEM}-20261122-053001.html"
    assert list(decided.remove) == [report.name for report in OLD]


def test_two_runs_in_one_second_do_not_meet() -> None:
    taken = shelved("20261122-053000", "other") + shelved("20261122-053001", "another")
    assert plan(Shelf(True, taken)).names["html"] == f"{STEM}-20261122-053002.html"


@pytest.mark.parametrize(
    ("application", "cadence", "stem"),
    [
        ("shop", "daily", "shop-daily"),
        ("Beo Automation", "daily", "Beo-Automation-daily"),
        ("../../etc/passwd", "a/b", "etc-passwd-a_b"),
        ("a-b", "daily", "a-b-daily"),
        ("a", "b-daily", "a-b_daily"),
        ("", "", "application-report"),
        ("ü", "日", "application-report"),
    ],
)
def test_names_are_file_names(application: str, cadence: str, stem: str) -> None:
    assert file_stem(application, cadence) == stem


def test_of_several_runs_in_one_second_the_last_is_the_newest() -> None:
    # The first run's report, of this very second, was removed already; the others were put a second later each.
    ahead = [*shelved("20261122-053001", "second"), *shelved("20261122-053002", "third")]
    decided = plan(Shelf(True, ahead, {"html": "third", "json": "third"}), keep=2)
    assert decided.names["html"] == f"{STEM}-20261122-053003.html"
    assert decided.point == ["html", "json"]
    assert list(decided.remove) == [f"{STEM}-20261122-053001.html", f"{STEM}-20261122-053001.json"]


def test_a_report_far_ahead_is_not_followed() -> None:
    decided = plan(Shelf(True, shelved("20301122-053000", "wrong-clock"), LATEST))
    assert decided.names["html"] == f"{STEM}-20261122-053000.html"
