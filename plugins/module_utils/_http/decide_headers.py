# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Judges the security headers of an answer."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from .._core.finding import Finding
from .._core.severity import Severity

__all__ = ["SECURITY_HEADERS", "decide_headers", "missing_headers"]

SECURITY_HEADERS: Mapping[str, str] = {
    "Strict-Transport-Security": r"(?i)max-age=\s*\"?[1-9]",
    "X-Content-Type-Options": r"(?i)nosniff",
    "Content-Security-Policy": r"\S",
    "X-Frame-Options": r"(?i)deny|sameorigin",
    "Referrer-Policy": r"\S",
}
"""The headers to look for, and what their value has to hold (OWASP Secure Headers Project)."""


def _fine(name: str, headers: Mapping[str, str]) -> bool:
    return re.search(SECURITY_HEADERS[name], headers.get(name.lower(), "")) is not None


def missing_headers(wanted: Sequence[str], headers: Mapping[str, str], tls: bool) -> list[str]:
    """Return which of the wanted headers are absent or of no effect.

    Strict-Transport-Security counts over HTTPS only: browsers ignore it elsewhere (RFC 6797, section 8.1). A content
    security policy that names frame-ancestors makes X-Frame-Options needless (CSP level 3, section 6.4.2).

    :param headers: those of the answer, by lower-case name.
    """
    missing = [name for name in wanted if not _fine(name, headers)]
    if not tls:
        missing = [name for name in missing if name != "Strict-Transport-Security"]
    if "frame-ancestors" in headers.get("content-security-policy", "").lower():
        missing = [name for name in missing if name != "X-Frame-Options"]
    return missing


def decide_headers(name: str, wanted: Sequence[str], headers: Mapping[str, str], tls: bool) -> list[Finding]:
    """A warning that names the missing headers."""
    missing = missing_headers(wanted, headers, tls)
    if not missing:
        return []
    message = f"{name}: {len(missing)} security headers are missing or without effect: {', '.join(missing)}"
    remedy = "Set them in the application (helmet in Express) or in the web server in front of it."
    return [Finding("http.security_headers", Severity.WARNING, name, message, ", ".join(missing), len(wanted), remedy)]
