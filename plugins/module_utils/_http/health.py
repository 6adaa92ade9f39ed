# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The checks of HTTP endpoints, and the task that makes them."""

from __future__ import annotations

from functools import partial
from typing import Any

from .._core.errors import InvalidInput
from .._core.health import Check, HealthTask
from .._core.runner import Context
from .._core.threshold import Thresholds
from .._core.units import parse_duration
from .client import Prober, prober
from .decide_extras import (
    decide_certificates,
    decide_compression,
    decide_latency,
    decide_protected,
    decide_rate_limits,
    decide_redirects,
    decide_security_headers,
)
from .decide_status import decide_status, remember_status
from .endpoint import endpoints_of
from .observe_extras import (
    observe_certificates,
    observe_compression,
    observe_headers,
    observe_protected,
    observe_rate_limits,
    observe_redirects,
)
from .observe_probes import observe_latency, observe_status
from .thresholds import HEALTH_THRESHOLDS

__all__ = ["CHECKS", "http_health"]

CHECKS: tuple[Check[Prober], ...] = (
    Check("status", observe_status, decide_status, remember_status),
    Check("latency", observe_latency, decide_latency),
    Check("certificate", observe_certificates, decide_certificates),
    Check("https_redirect", observe_redirects, decide_redirects),
    Check("compression", observe_compression, decide_compression),
    Check("security_headers", observe_headers, decide_security_headers),
    Check("unauthenticated", observe_protected, decide_protected),
    # Last, as an application that limits well refuses everything for a while after it.
    Check("rate_limit", observe_rate_limits, decide_rate_limits),
)
"""Every check of ``http_health_info``."""


def identify(prober: Prober) -> dict[str, Any]:
    """Which endpoints are asked."""
    return {"endpoints": [site.endpoint.name for site in prober.sites]}


def http_health(context: Context) -> HealthTask[Prober]:
    """Make the task of ``http_health_info``.

    :raises InvalidInput: an option cannot be understood.
    """
    params = context.params
    thresholds = Thresholds(HEALTH_THRESHOLDS, params["thresholds"])
    parse_duration(params["confirm_interval"], "confirm_interval")
    for name in ("unhealthy_after", "healthy_after"):
        if not 1 <= params[name] <= 100:
            raise InvalidInput(name, f"{params[name]} is too few or too many", "Give 1 to 100.")
    endpoints = endpoints_of(params, context.secrets)
    connect = partial(prober, context, endpoints)
    return HealthTask(context, "http", params["name"], connect, identify, CHECKS, thresholds, connects=False)
