# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Judges the clock."""

from __future__ import annotations

from .._core.health import Situation
from .._core.runner import Decision
from .facts import ClockState

__all__ = ["decide_clock"]


def decide_clock(clock: ClockState, situation: Situation) -> Decision:
    """A measured skew against ``clock_skew_seconds``; without one the kernel's bound against ``clock_error_seconds``.

    A measured skew is the better witness: a clock that something else than the kernel's discipline keeps right (a
    hypervisor, chrony without rtcsync) is unknown to the kernel and right all the same.
    """
    metrics: dict[str, float | int] = {}
    if clock.error is not None:
        metrics["host_clock_error_seconds"] = round(clock.error, 6)
    judge = situation.thresholds.judge
    if clock.skew is None:
        what = "the clock has not been set right for long, it may be wrong by"
        findings = judge("clock_error_seconds", "host.clock_unsynchronised", situation.subject, clock.error, what)
        return Decision(findings, metrics=metrics)
    metrics["host_clock_skew_seconds"] = round(clock.skew, 6)
    what = f"the clock is {'ahead' if clock.skew > 0 else 'behind'} by"
    return Decision(
        judge("clock_skew_seconds", "host.clock_skew", situation.subject, abs(clock.skew), what), metrics=metrics
    )
