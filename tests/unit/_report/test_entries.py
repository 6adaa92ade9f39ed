# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Results of every shape become entries."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.dataops.upkeep.plugins.module_utils._core.redact import Redactor
from ansible_collections.dataops.upkeep.plugins.module_utils._core.secrets import Secrets
from ansible_collections.dataops.upkeep.plugins.module_utils._core.severity import Severity
from ansible_collections.dataops.upkeep.plugins.module_utils._report.entries import Entry, gather

from .samples import application, finding, result


def entries(*results: dict[str, Any], secret: str | None = None) -> list[Entry]:
    return gather(results, Redactor(Secrets([secret] if secret else [])))


def test_a_whole_envelope_stays_what_it_is() -> None:
    given_results = application(25)
    for entry, given_result in zip(entries(*given_results), given_results, strict=True):
        kept = entry.as_dict()
        assert {name: kept[name] for name in ("subject", "name", "host", "status", "metrics", "server")} == {
            name: given_result[name] for name in ("subject", "name", "host", "status", "metrics", "server")
        }
        assert sorted(kept["findings"], key=str) == sorted(given_result["findings"], key=str)


def test_the_gravest_finding_comes_first_and_decides() -> None:
    [entry] = entries(result("redis", "a", [finding("x.w", "warning", "a", "w"), finding("x.c", "critical", "a", "c")]))
    assert [found.id for found in entry.findings] == ["x.c", "x.w"]
    assert entry.status is Severity.CRITICAL


@pytest.mark.parametrize(
    ("odd", "condition"),
    [
        ({}, "upkeep.task_failed"),
        ({"msg": "boom"}, "upkeep.task_failed"),
        ({"failed": True, "msg": "boom", "status": "ok"}, "upkeep.task_failed"),
        ({"unreachable": True, "msg": "no route"}, "upkeep.host_unreachable"),
    ],
)
def test_a_result_without_an_envelope_is_critical(odd: dict[str, Any], condition: str) -> None:
    [entry] = entries({**odd, "subject": "redis", "name": "cache"})
    assert entry.status is Severity.CRITICAL
    assert [found.id for found in entry.findings] == [condition]
    assert odd.get("msg", "") in entry.findings[0].message


def test_a_skipped_task_is_no_result() -> None:
    assert entries({"skipped": True, "subject": "redis"}) == []


def test_a_failed_action_and_an_unknown_severity_are_not_in_order() -> None:
    [failed] = entries({"status": "ok", "actions": [{"kind": "vacuum", "state": "failed"}]})
    [unknown] = entries({"status": "ok", "findings": [{"id": "x.y", "severity": "terrible", "message": "m"}]})
    assert failed.status is Severity.CRITICAL
    assert unknown.status is Severity.WARNING


def test_two_results_of_one_name_stay_apart() -> None:
    keys = [entry.key for entry in entries(*[result("redis", "cache")] * 3)]
    assert keys == ["redis/cache@app-1", "redis/cache 2@app-1", "redis/cache 3@app-1"]


def test_what_is_no_number_is_no_metric() -> None:
    [entry] = entries(
        {"status": "ok", "metrics": {"a": 1, "b": "x", "c": None, "d": float("nan"), "e": True, "f": 2.5}}
    )
    assert entry.metrics == {"a": 1, "f": 2.5}


def test_no_secret_and_no_control_character_gets_in() -> None:
    text = "at postgresql://me:hunter22@db/x with s3cret-word \x00\x1b[31m \ud800"
    [entry] = entries(result("redis", "a", [finding("x.y", "warning", "a", text, remedy=text)]), secret="s3cret-word")
    everything = json.dumps(entry.as_dict(), ensure_ascii=False)
    assert "hunter22" not in everything
    assert "s3cret-word" not in everything
    assert "\x1b" not in everything
    everything.encode()


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
names = st.sampled_from(
    ["status", "findings", "actions", "metrics", "summary", "server", "subject", "name", "host", "msg", "failed"]
)
items = st.dictionaries(
    st.sampled_from(["id", "severity", "subject", "message", "value", "state", "seconds"]), anything
)


@given(st.dictionaries(names, anything | st.lists(items, max_size=2), max_size=6))
def test_whatever_comes_in_an_entry_comes_out(odd: dict[str, Any]) -> None:
    for entry in entries(odd):
        assert json.loads(json.dumps(entry.as_dict(), allow_nan=False)) == entry.as_dict()
        assert entry.status is not Severity.OK or odd.get("status") == "ok" or not entry.findings
