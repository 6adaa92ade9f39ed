# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Probes endpoints: often enough for a latency, and after a failure often enough to tell a blip from an outage."""

from __future__ import annotations

from .._core.errors import DeadlineExceeded, StoreError, UpkeepError
from .._core.runner import Context
from .._core.units import parse_duration
from .client import Prober, Site
from .decide_reply import decide_reply
from .exchange import presented_certificate
from .facts import Certificate, CertificateRejected, Failure, Probe, Probed, Reply, StatusSeen

__all__ = ["observe_latency", "observe_status", "probed_site"]


def probed_site(site: Site) -> Probed:
    """Return an endpoint's probes, and make them if no check has yet.

    At least ``requests`` probes are made. If failures are confirmed and the last one failed, it is probed again, with a
    pause before each, until one succeeds or ``unhealthy_after`` in a row have failed; a row that long ends it early.

    :raises DeadlineExceeded: no time is left even for the first.
    """
    if site.probed is None:
        site.probed = _probe(site)
    return site.probed


def _probe(site: Site) -> Probed:
    params, endpoint = site.context.params, site.endpoint
    pause = parse_duration(params["confirm_interval"], "confirm_interval")
    enough = params["unhealthy_after"] if params["confirm"] else 1
    probes: list[Probe] = []
    reply, certificate, row = None, None, 0
    while (len(probes) < endpoint.requests or row) and row < enough:
        try:
            if row:
                site.context.clock.sleep(site.context.deadline.limit(pause))
            probe, answer, presented = _probe_once(site)
        except DeadlineExceeded:
            if not probes:
                raise
            break
        probes.append(probe)
        reply, certificate = answer or reply, presented or certificate
        row = row + 1 if probe.failure else 0
    return Probed(endpoint, probes, reply, certificate or site.line.certificate, site.line.connect_milliseconds)


def _probe_once(site: Site) -> tuple[Probe, Reply | None, Certificate | None]:
    endpoint, at = site.endpoint, site.context.clock.now().timestamp()
    try:
        reply = site.ask(site.line, endpoint.method, endpoint.address, dict(endpoint.headers), endpoint.body)
    except CertificateRejected as error:
        seconds = site.context.deadline.limit(endpoint.timeout)
        return Probe(at, failure_of(error)), None, presented_certificate(endpoint.address, seconds)
    except StoreError as error:
        return Probe(at, failure_of(error)), None, None
    failure = decide_reply(reply, endpoint)
    probe = Probe(at, failure, reply.status, reply.milliseconds)
    return probe, None if failure else reply, None


def failure_of(error: StoreError) -> Failure:
    """Write an error as the failure of a probe."""
    return Failure(error.condition, f"could not {error.tried}: {error.why}", remedy=error.remedy)


def observe_status(prober: Prober, context: Context) -> StatusSeen:
    """Probe all endpoints."""
    params = context.params
    return StatusSeen(
        results=prober.each(probed_site),
        unhealthy_after=params["unhealthy_after"],
        healthy_after=params["healthy_after"],
        confirmed=params["confirm"],
        remembers=bool(params["state"]),
    )


def observe_latency(prober: Prober, _context: Context) -> dict[str, Probed | UpkeepError]:
    """Probe all endpoints, if the status check has not."""
    return prober.each(probed_site)
