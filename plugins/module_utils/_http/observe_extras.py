# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Makes the probes that are made only where they are asked for."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar
from urllib.parse import urljoin

from .._core.errors import InvalidInput, StoreError, UpkeepError
from .._core.runner import Context
from .client import Prober, Site
from .endpoint import address_of
from .exchange import Line
from .facts import Address, Compression, Endpoint, Probed, RateLimited, Redirected, Unauthenticated
from .observe_probes import probed_site

__all__ = [
    "observe_certificates",
    "observe_compression",
    "observe_headers",
    "observe_protected",
    "observe_rate_limits",
    "observe_redirects",
]

MAX_HOPS = 5
"""Redirects that are followed on the way to HTTPS; browsers follow 20, and each costs a visitor a round trip."""
BURST_SECONDS = 20.0
"""A burst takes no longer; a route so slow that its limit cannot be reached in that time is limited by itself."""

Found = TypeVar("Found")


class Failing(StoreError):
    """An endpoint that fails its own probe; the status check says why."""

    condition = "failing"


def _where_up(
    prober: Prober, work: Callable[[Site], Found], wanted: Callable[[Endpoint], bool]
) -> dict[str, Found | UpkeepError]:
    """Do the work for the endpoints that answer as they should.

    One that does not is left out if the status check reports it anyway.
    """

    def guarded(site: Site) -> Found:
        failure = probed_site(site).failure
        if failure is not None:
            raise Failing(f"check {site.endpoint.address.shown} further", failure.why, failure.remedy)
        return work(site)

    found = prober.each(guarded, wanted)
    if prober.sites and "status" in prober.sites[0].context.params["checks"]:
        return {name: result for name, result in found.items() if not isinstance(result, Failing)}
    return found


def observe_certificates(prober: Prober, _context: Context) -> dict[str, Probed | UpkeepError]:
    """Read the certificates, which the probes have met on their way."""
    return prober.each(probed_site, lambda endpoint: endpoint.certificate)


def observe_headers(prober: Prober, _context: Context) -> dict[str, Probed | UpkeepError]:
    """Read the headers of the probes' answers."""
    return _where_up(prober, probed_site, lambda endpoint: bool(endpoint.security_headers))


def observe_compression(prober: Prober, _context: Context) -> dict[str, Compression | UpkeepError]:
    """Ask once more, and offer compression."""

    def ask(site: Site) -> Compression:
        endpoint = site.endpoint
        headers = {**endpoint.headers, "Accept-Encoding": "gzip, br, zstd, deflate"}
        reply = site.ask(site.line, endpoint.method, endpoint.address, headers, endpoint.body)
        encoding = reply.headers.get("content-encoding", "").strip().lower()
        return Compression(
            "" if encoding == "identity" else encoding, reply.size, reply.headers.get("content-type", "")
        )

    return _where_up(prober, ask, lambda endpoint: endpoint.compression)


def observe_redirects(prober: Prober, _context: Context) -> dict[str, Redirected | UpkeepError]:
    """Ask over plain HTTP where it leads. No header and no body of the endpoint is sent, for anyone could read it."""

    def ask(site: Site) -> Redirected:
        return _follow(site, site.endpoint.redirect_from or site.endpoint.address)

    return prober.each(ask, lambda endpoint: endpoint.redirect_from is not None)


def _follow(site: Site, start: Address) -> Redirected:
    """Follow redirects until one leads to HTTPS, or none leads on."""
    address, hops, status = start, list[str](), 0
    for _hop in range(MAX_HOPS):
        hops.append(address.shown)
        line = Line(address, None)
        try:
            reply = site.ask(line, "GET", address, {}, None)
        finally:
            line.close()
        status, target = reply.status, reply.headers.get("location", "")
        if not 300 <= status < 400 or not target:
            return Redirected(False, hops, status)
        try:
            address = address_of(urljoin(address.shown, target), "location")
        except InvalidInput:
            return Redirected(False, [*hops, "an address that is none"], status)
        if address.tls:
            return Redirected(True, [*hops, address.shown], status)
        if address.shown in hops:
            break
    return Redirected(False, hops, status, loop=True)


def observe_protected(prober: Prober, _context: Context) -> dict[str, Unauthenticated | UpkeepError]:
    """Ask for protected routes as a stranger: without any header of the endpoint."""

    def ask(site: Site) -> Unauthenticated:
        address = site.endpoint.protected or site.endpoint.address
        with site.line_to(address) as line:
            return Unauthenticated(address.shown, site.ask(line, "GET", address, {}, None).status)

    return _where_up(prober, ask, lambda endpoint: endpoint.protected is not None)


def observe_rate_limits(prober: Prober, _context: Context) -> dict[str, RateLimited | UpkeepError]:
    """Send bursts, one request after the other over one connection, each until it is refused."""
    return _where_up(prober, _burst, lambda endpoint: endpoint.rate_limit is not None)


def _burst(site: Site) -> RateLimited:
    limit = site.endpoint.rate_limit
    if limit is None:
        raise StoreError("send a burst", "no rate limit is described")
    sent, status, end = 0, 0, time.monotonic() + BURST_SECONDS
    with site.line_to(limit.address) as line:
        while sent < limit.burst and time.monotonic() < end:
            status = site.ask(line, "GET", limit.address, dict(site.endpoint.headers), None).status
            sent += 1
            if status == limit.status:
                return RateLimited(limit.address.shown, sent, sent, limit.burst, status)
    return RateLimited(limit.address.shown, sent, None, limit.burst, status)
