# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Limits of the health of HTTP endpoints."""

from __future__ import annotations

from .._core.threshold import Threshold

__all__ = ["HEALTH_THRESHOLDS"]

HEALTH_THRESHOLDS = (
    Threshold(
        "latency_milliseconds", "milliseconds", 1000, 3000,
        remedy="Compare with the slow log of the stores and the CPU of the host; look for a route that waits for "
        "another service.",
        source="B2, P8: response above 1000 ms; maintenance study: 3 s is an outage for users",
    ),
    Threshold(
        "error_rate_percent", "percent", 1, 5,
        remedy="Look for the failures in the application's log at these times; one process of several may be ill.",
        source="B2: error rate above 1 %; the guides' Prometheus rule alerts at 5 %",
    ),
    Threshold(
        "certificate_days", "days", 20, 3, below=True,
        remedy="Renew it now (certbot renew, or your authority), reload the web server, and see why the renewal by "
        "itself did not happen.",
        source="blackbox rules: less than 20 days warns, less than 3 pages; automatic renewal happens at 30",
    ),
    Threshold(
        "uncompressed_bytes", "bytes", 1024, None,
        remedy="Switch compression on: compression() in Express, gzip on and gzip_types in nginx.",
        source="P9: compress responses above 1 kB",
    ),
)  # fmt: skip
"""Every limit of ``http_health_info``."""
