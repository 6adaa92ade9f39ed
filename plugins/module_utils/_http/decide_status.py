# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Judges probes as a load balancer does, over the runs: unhealthy after some failures, healthy after some successes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timezone
from typing import Any

from .._core.finding import Finding
from .._core.health import Remembered, Situation
from .._core.result import metric_name
from .._core.runner import Decision, sub_finding
from .._core.severity import Severity
from .facts import Failure, Probed, Standing, StatusSeen

__all__ = ["advance", "decide_status", "remember_status"]

OUTCOMES = 100
"""Outcomes that the error rate is computed from, and how old they may be: an outage of yesterday is old news."""
OUTCOME_SECONDS = 86400.0
ENOUGH = 20
"""With fewer outcomes one failure would always be above one percent."""
FORGET_SECONDS = 30 * 86400.0
"""An endpoint that was not probed for so long is forgotten."""

Outcome = tuple[float, bool]
"""When (seconds since 1970), and whether it failed."""


def advance(standing: Standing, outcome: Outcome, unhealthy_after: int, healthy_after: int) -> Standing:
    """Return how an endpoint stands after one more outcome."""
    at, failed = outcome
    if failed:
        failures = standing.failures + 1
        since = at if standing.since is None else standing.since
        return Standing(standing.unhealthy or failures >= unhealthy_after, failures, 0, since)
    successes = standing.successes + 1
    if standing.unhealthy and successes < healthy_after:
        return Standing(True, 0, successes, standing.since)
    return Standing(False, 0, successes, None)


def outcomes_of(probed: Probed, confirmed: bool) -> list[Outcome]:
    """Return what counts of a run: every probe if failures were confirmed at once, else one for the whole run."""
    if confirmed:
        return [(probe.at, probe.failure is not None) for probe in probed.probes]
    return [(probed.probes[-1].at, any(probe.failure for probe in probed.probes))]


def standings(former: Standing, outcomes: Iterable[Outcome], seen: StatusSeen) -> list[Standing]:
    """Return how an endpoint stood after each outcome."""
    found = [former]
    for outcome in outcomes:
        found.append(advance(found[-1], outcome, seen.unhealthy_after, seen.healthy_after))
    return found[1:]


def former_standing(name: str, previous: Remembered) -> Standing:
    """Return how an endpoint stood at the end of the last run."""
    return Standing(**previous.get("endpoints", {}).get(name, {}).get("standing", {}))


def recent_outcomes(name: str, probed: Probed, situation: Situation) -> list[Outcome]:
    """Return the outcomes of the last day, those of this run too, at most :data:`OUTCOMES`."""
    earlier: list[Any] = situation.previous.get("endpoints", {}).get(name, {}).get("outcomes", [])
    oldest = situation.now.timestamp() - OUTCOME_SECONDS
    kept = [(float(at), bool(failed)) for at, failed in earlier if at > oldest]
    return (kept + outcomes_of(probed, confirmed=True))[-OUTCOMES:]


def decide_status(seen: StatusSeen, situation: Situation) -> Decision:
    """Whether every endpoint answers as it should, and its error rate against ``error_rate_percent``."""
    decision = Decision()
    for name, result in seen.results.items():
        if isinstance(result, Probed):
            decision.extend(_decide_endpoint(name, result, seen, situation))
        else:
            decision.findings.append(sub_finding(name, "http", result, Severity.WARNING))
    return decision


def _decide_endpoint(name: str, probed: Probed, seen: StatusSeen, situation: Situation) -> Decision:
    former = former_standing(name, situation.previous) if seen.remembers else Standing()
    row = standings(former, outcomes_of(probed, seen.confirmed), seen)
    findings = [*_condition(name, probed, row[-1], seen), *_standing(name, probed, row, seen)]
    outcomes = recent_outcomes(name, probed, situation)
    rate = 100 * sum(failed for _at, failed in outcomes) / len(outcomes)
    if len(outcomes) >= ENOUGH:
        what = f"of the last {len(outcomes)} probes failed"
        findings += situation.thresholds.judge("error_rate_percent", "http.error_rate", name, rate, what)
    last = probed.probes[-1]
    metrics = {
        "http_up": 0 if last.failure else 1,
        "http_unhealthy": int(row[-1].unhealthy),
        "http_consecutive_failures_count": row[-1].failures,
        "http_probes_count": len(probed.probes),
        "http_error_rate_percent": round(rate, 2),
        "http_status_code": last.status,
    }
    return Decision(
        findings,
        metrics={metric_name(key, endpoint=name): value for key, value in metrics.items() if value is not None},
    )


def _condition(name: str, probed: Probed, standing: Standing, seen: StatusSeen) -> list[Finding]:
    """What is wrong: critical once the endpoint is unhealthy, before that a warning.

    It is critical at once where nothing is remembered and so nothing can add up, and if the certificate is refused, for
    that is no blip.
    """
    failure = _last_failure(probed, seen)
    if failure is None:
        return []
    grave = standing.unhealthy or not seen.remembers or failure.condition == "certificate"
    return [
        Finding(
            f"http.{failure.condition}",
            Severity.CRITICAL if grave else Severity.WARNING,
            name,
            f"{name}: {failure.why}",
            failure.value,
            failure.threshold,
            failure.remedy,
        )
    ]


def _last_failure(probed: Probed, seen: StatusSeen) -> Failure | None:
    """Why the run ended in failure; None if it ended well."""
    if seen.confirmed:
        return probed.failure
    return next((probe.failure for probe in reversed(probed.probes) if probe.failure), None)


def _standing(name: str, probed: Probed, row: Sequence[Standing], seen: StatusSeen) -> list[Finding]:
    """How the endpoint stands, where that is not simply healthy."""
    now, worst = row[-1], max(standing.failures for standing in row)
    failed = sum(probe.failure is not None for probe in probed.probes)
    since = (
        "" if now.since is None else f" since {datetime.fromtimestamp(now.since, timezone.utc):%Y-%m-%d %H:%M:%S} UTC"
    )
    if now.unhealthy and now.failures:
        message = f"{name}: unhealthy{since}, {now.failures} consecutive failures"
        remedy = "Users see this. The finding beside it says what is wrong; begin there."
        return [Finding("http.unhealthy", Severity.CRITICAL, name, message, now.failures, seen.unhealthy_after, remedy)]
    if now.unhealthy:
        message = f"{name}: answers again after being unhealthy{since}, {now.successes} consecutive successes"
        remedy = f"It counts as healthy after {seen.healthy_after} successes in a row; look why it failed."
        return [Finding("http.recovering", Severity.WARNING, name, message, now.successes, seen.healthy_after, remedy)]
    if now.failures and not seen.remembers:
        return []
    if worst:
        end = "" if now.failures else ", it answers now"
        message = f"{name}: {failed} of {len(probed.probes)} probes failed, {worst} in a row{end}"
        remedy = f"It counts as unhealthy after {seen.unhealthy_after} failures in a row; see the application's log."
        return [Finding("http.failing", Severity.WARNING, name, message, worst, seen.unhealthy_after, remedy)]
    return []


def remember_status(seen: StatusSeen, situation: Situation) -> Remembered:
    """How each endpoint stands, and its outcomes. Endpoints of other tasks with the same name are kept for a while."""
    oldest = situation.now.timestamp() - FORGET_SECONDS
    kept = {
        name: entry
        for name, entry in situation.previous.get("endpoints", {}).items()
        if entry["outcomes"] and entry["outcomes"][-1][0] > oldest
    }
    for name, result in seen.results.items():
        if isinstance(result, Probed):
            row = standings(former_standing(name, situation.previous), outcomes_of(result, seen.confirmed), seen)
            kept[name] = {
                "standing": row[-1]._asdict(),
                "outcomes": [[at, int(failed)] for at, failed in recent_outcomes(name, result, situation)],
            }
    return {"endpoints": kept}
