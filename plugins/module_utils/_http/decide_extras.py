# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Judges what the probes show beside the status: latency, certificate, compression, redirect, protection."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timezone
from statistics import median
from typing import Any

from .._core.errors import UpkeepError
from .._core.finding import Finding
from .._core.health import Situation
from .._core.result import metric_name
from .._core.runner import Decision, sub_finding
from .._core.severity import Severity
from .decide_headers import decide_headers
from .facts import Compression, Probed, RateLimited, Redirected, Seen, Unauthenticated

__all__ = [
    "decide_certificates",
    "decide_compression",
    "decide_latency",
    "decide_protected",
    "decide_rate_limits",
    "decide_redirects",
    "decide_security_headers",
]

TEXTUAL = ("text/", "application/json", "application/javascript", "application/xml", "image/svg+xml", "+json", "+xml")
"""Kinds of content that compression makes smaller; images, videos and archives are compressed already."""


def _each(seen: Seen, check: str, decide: Callable[[str, Any], Decision], silent: tuple[str, ...] = ()) -> Decision:
    """Decide for every endpoint. What kept one from being checked is a warning, for unknown is not in order.

    :param silent: conditions that another check reports.
    """
    decision = Decision()
    for name, result in seen.items():
        if not isinstance(result, UpkeepError):
            decision.extend(decide(name, result))
        elif result.condition not in silent:
            found = sub_finding(name, "http", result, Severity.WARNING)
            decision.findings.append(
                Finding(found.id, found.severity, f"{name} {check}", found.message, check, None, found.remedy)
            )
    return decision


def decide_latency(seen: Mapping[str, Probed | UpkeepError], situation: Situation) -> Decision:
    """The median time of the probes that succeeded, against ``latency_milliseconds``. Status judges the failures."""

    def decide(name: str, probed: Probed) -> Decision:
        times = [probe.milliseconds for probe in probed.probes if probe.milliseconds is not None and not probe.failure]
        middle = median(times) if times else None
        what = f"median response time of {len(times)} requests is"
        numbers = {
            "http_response_milliseconds": middle,
            "http_connect_milliseconds": probed.connect_milliseconds,
            "http_body_bytes": probed.reply.size if probed.reply else None,
        }
        return Decision(
            situation.thresholds.judge("latency_milliseconds", "http.latency", name, middle, what),
            metrics={metric_name(key, endpoint=name): round(v, 3) for key, v in numbers.items() if v is not None},
        )

    return _each(seen, "latency", decide, silent=("deadline",))


def decide_certificates(seen: Mapping[str, Probed | UpkeepError], situation: Situation) -> Decision:
    """Days until each certificate expires, against ``certificate_days``. One that is refused has failed its probe."""

    def decide(name: str, probed: Probed) -> Decision:
        found = probed.certificate
        if found is None:
            if probed.failure:
                return Decision()
            message = f"{name}: the certificate cannot be understood"
            return Decision([Finding("http.certificate", Severity.WARNING, name, message)])
        days = (found.not_after - situation.now.timestamp()) / 86400
        decision = Decision(metrics={metric_name("http_certificate_days_left", endpoint=name): round(days, 2)})
        refused = probed.failure is not None and probed.failure.condition == "certificate"
        until = datetime.fromtimestamp(found.not_after, timezone.utc)
        what = f"the certificate {'expires' if days > 0 else 'expired'} on {until:%Y-%m-%d}, days left:"
        judged = situation.thresholds.judge("certificate_days", "http.certificate", name, days, what)
        # A refused certificate is critical under the same id; a second finding would only repeat it.
        decision.findings += [] if refused else judged
        return decision

    return _each(seen, "certificate", decide, silent=("deadline",))


def decide_security_headers(seen: Mapping[str, Probed | UpkeepError], _situation: Situation) -> Decision:
    """Security headers that are missing."""

    def decide(name: str, probed: Probed) -> Decision:
        if probed.reply is None:
            return Decision()
        endpoint = probed.endpoint
        return Decision(decide_headers(name, endpoint.security_headers, probed.reply.headers, endpoint.address.tls))

    return _each(seen, "security_headers", decide)


def decide_compression(seen: Mapping[str, Compression | UpkeepError], situation: Situation) -> Decision:
    """The size of text that came uncompressed though compression was offered, against ``uncompressed_bytes``."""

    def decide(name: str, found: Compression) -> Decision:
        kind = found.content_type.partition(";")[0].strip().lower()
        text = any(kind.startswith(part) or kind.endswith(part) for part in TEXTUAL)
        size = found.size if text and not found.encoding else None
        what = f"{kind} came without compression, its size is"
        return Decision(
            situation.thresholds.judge("uncompressed_bytes", "http.compression", name, size, what),
            metrics={metric_name("http_compressed", endpoint=name): int(bool(found.encoding))},
        )

    return _each(seen, "compression", decide)


def decide_redirects(seen: Mapping[str, Redirected | UpkeepError], _situation: Situation) -> Decision:
    """Plain HTTP has to lead to HTTPS."""

    def decide(name: str, found: Redirected) -> Decision:
        if found.secure:
            return Decision()
        way = " -> ".join(found.hops)
        what = "leads round in circles" if found.loop else f"answers {found.status} and does not lead to HTTPS"
        remedy = "Answer every plain request with 301 to https:// (return 301 https://$host$request_uri in nginx)."
        message = f"{name}: plain HTTP {what} ({way})"
        return Decision([Finding("http.https_redirect", Severity.WARNING, name, message, found.status, None, remedy)])

    return _each(seen, "https_redirect", decide)


def decide_protected(seen: Mapping[str, Unauthenticated | UpkeepError], _situation: Situation) -> Decision:
    """A protected route has to answer 401 or 403 to a stranger; one that serves is a critical hole."""

    def decide(name: str, found: Unauthenticated) -> Decision:
        if found.status in (401, 403):
            return Decision()
        serves = 200 <= found.status < 300
        what = "serves anyone who asks" if serves else "cannot be judged, as it should refuse"
        message = f"{name}: {found.shown} answers {found.status} without credentials: it {what}"
        remedy = "Put the authentication in front of this route." if serves else "Check the address in protected_url."
        severity = Severity.CRITICAL if serves else Severity.WARNING
        return Decision([Finding("http.unauthenticated", severity, name, message, found.status, "401 or 403", remedy)])

    return _each(seen, "unauthenticated", decide)


def decide_rate_limits(seen: Mapping[str, RateLimited | UpkeepError], _situation: Situation) -> Decision:
    """A burst has to be refused before it ends."""

    def decide(name: str, found: RateLimited) -> Decision:
        if found.refused_at is not None:
            return Decision(metrics={metric_name("http_rate_limited_after_count", endpoint=name): found.refused_at})
        rest = "" if found.sent == found.wanted else f" of {found.wanted} there was time for"
        message = f"{name}: none of {found.sent} requests{rest} to {found.shown} was refused"
        remedy = "Limit requests per client (express-rate-limit, limit_req in nginx with limit_req_status 429)."
        return Decision([Finding("http.rate_limit", Severity.WARNING, name, message, found.sent, found.wanted, remedy)])

    return _each(seen, "rate_limit", decide)
