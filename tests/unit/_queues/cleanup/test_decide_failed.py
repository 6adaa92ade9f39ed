# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What becomes of a failed job."""

from __future__ import annotations

from itertools import product
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.dataops.upkeep.plugins.module_utils._queues.cleanup.decide_failed import (
    FailedJob,
    Verdict,
    child_of,
    sentence,
    verdict_of,
)
from ansible_collections.dataops.upkeep.plugins.module_utils._queues.cleanup.options import Retrying, parse_options
from ansible_collections.dataops.upkeep.plugins.module_utils._queues.cleanup.tallies import Disposed, Retried
from ansible_collections.dataops.upkeep.plugins.module_utils._queues.decide_job import Job
from tests.integration.queue_cleanup import DEFAULTS, RETRY

FINE = Job(there=True)


def rules(**retry: Any) -> Retrying:
    given_ = {**RETRY, **retry}
    options = parse_options({**DEFAULTS, "retry": given_, "dead_letter": "dead"})
    assert options.retry is not None
    return options.retry


def job(**fields: Any) -> FailedJob:
    return FailedJob("1", **{"job": FINE, "name": "call", "reason": "connect ECONNREFUSED", "attempts": "1", **fields})


@pytest.mark.parametrize(
    ("reason", "why"),
    [
        ("connect ECONNREFUSED 127.0.0.1:80", "ECONNREFUSED"),
        ("ETIMEDOUT", "ETIMEDOUT"),
        ("getaddrinfo ENOTFOUND x", "ENOTFOUND"),
        ("read ECONNRESET\nETIMEDOUT", "ETIMEDOUT"),
    ],
)
def test_what_goes_away_by_itself_is_tried_again(reason: str, why: str) -> None:
    assert verdict_of(job(reason=reason), rules()) == Verdict("retry", why)


@pytest.mark.parametrize(
    ("attempts", "before", "outcome"),
    [
        ("2", 0, "retry"),
        ("3", 0, "dead_letter"),
        ("1", 1, "retry"),
        ("1", 2, "dead_letter"),
        ("", 2, "retry"),
        ("", 3, "dead_letter"),
        ("many", 0, "retry"),
        ("-1", 0, "retry"),
    ],
)
def test_attempts_are_counted_over_all_runs(attempts: str, before: int, outcome: str) -> None:
    verdict = verdict_of(job(attempts=attempts, before=before), rules(max_attempts=3))
    assert verdict.outcome == outcome
    assert (verdict.why == "attempts") == (outcome == "dead_letter")


@pytest.mark.parametrize("otherwise", ["keep", "dead_letter", "remove"])
@pytest.mark.parametrize(
    ("fields", "retry", "why"),
    [
        ({"reason": "no such customer"}, {}, "reason"),
        ({"reason": ""}, {}, "reason"),
        ({"reason": "econnrefused"}, {}, "reason"),
        ({"attempts": "3"}, {}, "attempts"),
        ({}, {"names": ["mail"]}, "name"),
        ({}, {"reasons": []}, "reason"),
        ({"reason": "x", "attempts": "9", "name": "y"}, {"names": ["mail"]}, "name"),
    ],
)
def test_the_others_meet_the_fate_that_was_chosen(
    fields: dict[str, Any], retry: dict[str, Any], why: str, otherwise: str
) -> None:
    assert verdict_of(job(**fields), rules(otherwise=otherwise, **retry)) == Verdict(otherwise, why)


def test_names_are_whole_names() -> None:
    assert verdict_of(job(), rules(names=["mail", "call"])).outcome == "retry"
    assert verdict_of(job(name="calls"), rules(names=["mail", "call"])).why == "name"


HELD = [("foreign", Job(there=True, foreign=True)), ("ghosts", Job(there=False)), ("locked", Job(True, locked=True))]
NEEDED = [
    ("scheduled", {"job": Job(True, scheduled=True)}),
    ("awaited", {"job": Job(True, awaited=True)}),
    ("children", {"pending": 1}),
]


@pytest.mark.parametrize(("why", "held"), HELD)
@pytest.mark.parametrize("otherwise", ["keep", "dead_letter", "remove"])
@pytest.mark.parametrize("reason", ["ECONNRESET", "other"])
def test_what_nobody_may_touch_is_kept(why: str, held: Job, otherwise: str, reason: str) -> None:
    assert verdict_of(job(job=held, reason=reason), rules(otherwise=otherwise)) == Verdict("keep", why)


@pytest.mark.parametrize(("why", "fields"), NEEDED)
def test_what_somebody_needs_may_be_tried_again_and_not_go(why: str, fields: dict[str, Any]) -> None:
    assert verdict_of(job(**fields), rules()) == Verdict("retry", "ECONNREFUSED")
    for otherwise in ("dead_letter", "remove"):
        assert verdict_of(job(reason="other", **fields), rules(otherwise=otherwise)) == Verdict("keep", why)
    assert verdict_of(job(reason="other", **fields), rules(otherwise="keep")) == Verdict("keep", "reason")


def test_a_parent_whose_child_still_is_failed_is_kept() -> None:
    failed_for_child = job(reason="child bull:q:1 failed", blocked=True)
    assert verdict_of(failed_for_child, rules(reasons=["child"])) == Verdict("keep", "children")
    assert verdict_of(failed_for_child._replace(blocked=False), rules(reasons=["child"])).outcome == "retry"


def test_the_truth_table_leaves_nobody_out() -> None:
    """Whatever a job is, it meets one fate; it goes only if nobody needs it, and is tried again only if it matches."""
    flags = list(product([True, False], repeat=5))
    for there, locked, scheduled, awaited, foreign in flags:
        for pending, blocked, matches, tried, otherwise in product(
            (0, 1), (True, False), (True, False), (2, 3), ("keep", "dead_letter", "remove")
        ):
            held = Job(there, locked, scheduled, awaited, foreign)
            failed = job(
                job=held,
                reason="ETIMEDOUT" if matches else "x",
                attempts=str(tried),
                pending=pending,
                blocked=blocked,
            )
            outcome = verdict_of(failed, rules(otherwise=otherwise)).outcome
            touchable = there and not locked and not foreign
            retried = touchable and matches and tried < 3 and not blocked
            assert (outcome == "retry") == retried
            goes = touchable and not (matches and tried < 3) and not (scheduled or awaited or pending)
            assert (outcome == otherwise and outcome != "keep") == (goes and otherwise != "keep")


@pytest.mark.parametrize(
    ("reason", "child"),
    [
        ("child bull:q:1 failed", "bull:q:1"),
        ("child {a}:q:b c failed", "{a}:q:b c"),
        ("child  failed", None),
        ("a child bull:q:1 failed", None),
        ("child bull:q:1 failed twice", None),
        ("", None),
    ],
)
def test_the_child_is_read_from_the_reason(reason: str, child: str | None) -> None:
    assert child_of(reason) == child


@given(reason=st.text(), attempts=st.text(max_size=5), name=st.text(max_size=5))
def test_any_text_is_judged(reason: str, attempts: str, name: str) -> None:
    failed = job(reason=reason, attempts=attempts, name=name)
    verdict = verdict_of(failed, rules())
    assert verdict.outcome in {"retry", "dead_letter"}
    assert sentence(verdict, failed, rules())


def test_why_is_said_in_a_sentence() -> None:
    def said(**fields: Any) -> str:
        failed, retrying = job(**fields), rules(names=["call"])
        return sentence(verdict_of(failed, retrying), failed, retrying)

    assert said(attempts="2", before=2) == "it was tried 4 times, and max_attempts is 3"
    assert said(name="x") == "its name is none of those to try again"
    assert said(reason="x") == "its reason is none of those to try again"


def test_tallies_are_added_up_and_told() -> None:
    assert Retried(1, 2, 3).plus(Retried(1, 1, 1, gone=5)) == Retried(2, 3, 4, gone=5)
    assert Disposed(1, taken=2).plus(Disposed(4, taken=1)) == Disposed(5, taken=3)
    assert Retried().told() == Disposed().told("removed") == "none of them are there any more"
    assert Retried(3, locked=1, went_on=2).told() == (
        "3 wait again, 2 of them with a parent that went on without them, 1 left, for somebody has locked them"
    )
    assert Disposed(2, children=1).told("removed") == "2 removed, 1 left, for their children are not done"
