# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What probes show beside the status, each limit from both sides."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from ansible_collections.dataops.upkeep.plugins.module_utils._core.errors import (
    AccessDenied,
    DeadlineExceeded,
    StoreTimeout,
)
from ansible_collections.dataops.upkeep.plugins.module_utils._http.decide_extras import (
    decide_certificates,
    decide_compression,
    decide_latency,
    decide_protected,
    decide_rate_limits,
    decide_redirects,
    decide_security_headers,
)
from ansible_collections.dataops.upkeep.plugins.module_utils._http.decide_headers import (
    SECURITY_HEADERS,
    missing_headers,
)
from ansible_collections.dataops.upkeep.plugins.module_utils._http.facts import (
    Certificate,
    Compression,
    Failure,
    Probe,
    Probed,
    RateLimited,
    Redirected,
    Unauthenticated,
)
from tests.unit._http.servers import SAFE
from tests.unit._http.situations import AT, SECURE, endpoint, found, reply, situation

DAY = 86400
HEADERS = {name.lower(): value for name, value in SAFE.items()}


def timed(*milliseconds: float | None) -> dict[str, Probed]:
    """Probes by their times; None for one that failed."""
    failure = Failure("status", "answered 500")
    probes = [Probe(AT, failure if time is None else None, 200, time or 9999.0) for time in milliseconds]
    return {"health": Probed(endpoint(), probes)}


@pytest.mark.parametrize(
    ("times", "expected"),
    [
        ((1000,), {}),
        ((1001,), {"http.latency": "warning"}),
        ((3000,), {"http.latency": "warning"}),
        ((3001,), {"http.latency": "critical"}),
        ((10, 20, 5000), {}),
        ((10, 1500, 5000), {"http.latency": "warning"}),
        ((None, 10, None), {}),
        ((None,), {}),
    ],
)
def test_latency_is_the_median_of_the_probes_that_succeeded(
    times: tuple[float | None, ...], expected: dict[str, str]
) -> None:
    assert found(decide_latency(timed(*times), situation())) == expected


def test_no_success_has_no_latency() -> None:
    assert decide_latency(timed(None), situation()).metrics == {}


def certified(days: float, failure: Failure | None = None) -> dict[str, Probed]:
    certificate = Certificate(AT - 90 * DAY, AT + days * DAY, False)
    return {"health": Probed(endpoint(), [Probe(AT, failure)], certificate=certificate)}


@pytest.mark.parametrize(
    ("days", "expected"),
    [
        (20, {}),
        (19.9, {"http.certificate": "warning"}),
        (3, {"http.certificate": "warning"}),
        (2.9, {"http.certificate": "critical"}),
        (-5, {"http.certificate": "critical"}),
    ],
)
def test_days_of_a_certificate(days: float, expected: dict[str, str]) -> None:
    decision = decide_certificates(certified(days), situation())
    assert found(decision) == expected
    assert decision.metrics == {'http_certificate_days_left{endpoint="health"}': days}


def test_a_refused_certificate_is_not_reported_twice() -> None:
    decision = decide_certificates(certified(-5, Failure("certificate", "expired")), situation())
    assert found(decision) == {}
    assert decision.metrics


def test_a_certificate_that_was_not_seen() -> None:
    down = {"health": Probed(endpoint(), [Probe(AT, Failure("unreachable", "refused"))])}
    assert found(decide_certificates(down, situation())) == {}
    odd = {"health": Probed(endpoint(), [Probe(AT)])}
    assert found(decide_certificates(odd, situation())) == {"http.certificate": "warning"}


@pytest.mark.parametrize(
    ("headers", "tls", "missing"),
    [
        (HEADERS, True, []),
        ({}, True, list(SECURITY_HEADERS)),
        ({}, False, list(SECURITY_HEADERS)[1:]),
        ({**HEADERS, "strict-transport-security": "max-age=0"}, True, ["Strict-Transport-Security"]),
        ({**HEADERS, "x-content-type-options": "sniff"}, True, ["X-Content-Type-Options"]),
        ({**HEADERS, "x-frame-options": "ALLOW-FROM x"}, True, ["X-Frame-Options"]),
        ({**HEADERS, "x-frame-options": "", "content-security-policy": "frame-ancestors 'none'"}, True, []),
        ({**HEADERS, "referrer-policy": " "}, True, ["Referrer-Policy"]),
    ],
)
def test_security_headers(headers: Mapping[str, str], tls: bool, missing: list[str]) -> None:
    assert missing_headers(tuple(SECURITY_HEADERS), headers, tls) == missing


def test_only_headers_that_are_asked_for_are_missed() -> None:
    assert missing_headers(("Referrer-Policy",), {}, True) == ["Referrer-Policy"]


def test_missing_headers_are_named() -> None:
    one = endpoint(address=SECURE, security_headers=tuple(SECURITY_HEADERS))
    seen = {"health": Probed(one, [Probe(AT)], reply(referrer_policy="no-referrer"))}
    [finding] = decide_security_headers(seen, situation()).findings
    assert finding.id == "http.security_headers"
    assert finding.message.startswith("health: 4 security headers are missing or without effect: Strict-Transport")


@pytest.mark.parametrize(
    ("seen", "expected"),
    [
        (Compression("", 1024, "application/json"), {}),
        (Compression("", 1025, "application/json; charset=utf-8"), {"http.compression": "warning"}),
        (Compression("gzip", 99999, "application/json"), {}),
        (Compression("", 99999, "image/png"), {}),
        (Compression("", 99999, "image/svg+xml"), {"http.compression": "warning"}),
        (Compression("", 99999, "application/problem+json"), {"http.compression": "warning"}),
        (Compression("", 99999, ""), {}),
    ],
)
def test_compression(seen: Compression, expected: dict[str, str]) -> None:
    assert found(decide_compression({"health": seen}, situation())) == expected


@pytest.mark.parametrize(
    ("seen", "expected"),
    [
        (Redirected(True, ["http://a/", "https://a/"], 301), {}),
        (Redirected(False, ["http://a/"], 200), {"http.https_redirect": "warning"}),
        (Redirected(False, ["http://a/", "http://b/"], 302, loop=True), {"http.https_redirect": "warning"}),
    ],
)
def test_redirect(seen: Redirected, expected: dict[str, str]) -> None:
    assert found(decide_redirects({"health": seen}, situation())) == expected


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        (401, {}),
        (403, {}),
        (200, {"http.unauthenticated": "critical"}),
        (204, {"http.unauthenticated": "critical"}),
        (302, {"http.unauthenticated": "warning"}),
        (404, {"http.unauthenticated": "warning"}),
        (500, {"http.unauthenticated": "warning"}),
    ],
)
def test_protected_routes(status: int, expected: dict[str, str]) -> None:
    assert found(decide_protected({"health": Unauthenticated("http://a/x", status)}, situation())) == expected


@pytest.mark.parametrize(
    ("seen", "expected"),
    [
        (RateLimited("http://a/", 11, 11, 100, 429), {}),
        (RateLimited("http://a/", 100, None, 100, 200), {"http.rate_limit": "warning"}),
    ],
)
def test_rate_limit(seen: RateLimited, expected: dict[str, str]) -> None:
    assert found(decide_rate_limits({"health": seen}, situation())) == expected


def test_a_burst_without_time_says_so() -> None:
    seen = {"health": RateLimited("http://a/", 40, None, 100, 200)}
    assert "none of 40 requests of 100 there was time for" in decide_rate_limits(seen, situation()).findings[0].message


@pytest.mark.parametrize(
    "decide",
    [
        decide_certificates,
        decide_compression,
        decide_latency,
        decide_protected,
        decide_rate_limits,
        decide_redirects,
        decide_security_headers,
    ],
)
def test_what_could_not_be_seen_is_a_warning_that_names_the_check(decide: Any) -> None:
    seen = {"a": StoreTimeout("ask it", "no answer"), "b": AccessDenied("ask it", "no")}
    decision = decide(seen, situation())
    assert found(decision) == {"http.timeout": "warning", "http.access_denied": "warning"}
    assert all(finding.value for finding in decision.findings)


def test_a_deadline_that_the_status_check_reports_is_not_repeated() -> None:
    seen = {"a": DeadlineExceeded("ask it", "over")}
    assert found(decide_latency(seen, situation())) == {}
