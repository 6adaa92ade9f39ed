# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The limits of a healthy queue, with where each comes from."""

from __future__ import annotations

from ..._core.threshold import Threshold

__all__ = ["HEALTH_THRESHOLDS"]

HEALTH_THRESHOLDS = (
    Threshold(
        "waiting",
        "count",
        1000,
        10_000,
        remedy="Start more workers, or find out why those there are slow: the age of active jobs and the failures.",
        source="requirement B2 (1000); ten times it is no peak any more",
    ),
    Threshold(
        "oldest_waiting_seconds",
        "seconds",
        3600,
        86400,
        remedy="See that workers run and are connected to this queue, and that it is not paused or rate limited.",
        source="work that users wait for is not done for an hour, or a day",
    ),
    Threshold(
        "stuck_seconds",
        "seconds",
        None,
        600,
        remedy="No worker takes jobs. Start the workers, and see their logs for errors of connection or prefix.",
        source="the job next in line was the same in the last run; no worker needs ten minutes to fetch one",
    ),
    Threshold(
        "dead_letters",
        "count",
        None,
        remedy="Look at their reasons, and put them back or remove them: docs/queues.md.",
        source="off: letters wait until somebody looks at them",
    ),
    Threshold(
        "oldest_active_seconds",
        "seconds",
        3600,
        remedy="See what the worker does: a call without time-out, an endless loop, or work to be split.",
        source="longer than any job of the guides",
    ),
    Threshold(
        "stalled",
        "count",
        0,
        remedy="Their worker crashed or its event loop is blocked. Restart it; a running worker brings them back.",
        source="a job in work without lock has no worker (Bull and BullMQ renew it every 15 s)",
    ),
    Threshold(
        "paused",
        "count",
        0,
        remedy="If nobody means it to be paused, resume it: queue.resume() in the application.",
        source="a forgotten pause looks like a quiet queue",
    ),
    Threshold(
        "failure_percent",
        "percent",
        1,
        25,
        remedy="Group failedReason of the failed jobs; retry what was transient.",
        source="requirement B2 (error rate 1 %); a quarter means that something it needs is down",
    ),
    Threshold(
        "delayed_overdue",
        "count",
        0,
        remedy="Only a running worker fetches delayed jobs. Start the workers, and see that the clocks agree.",
        source="due for more than a minute",
    ),
    Threshold(
        "events_ratio",
        "ratio",
        2,
        remedy="Trim it: queue.trimEvents(), or XTRIM; see streams.events.maxLen.",
        source="the library trims it to about its limit, 10000 by default",
    ),
    Threshold(
        "oldest_parent_seconds",
        "seconds",
        604_800,
        remedy="See which child (getDependencies) is gone or failed; a parent whose child is gone waits for ever.",
        source="longer than any flow of the guides; children are retried within hours",
    ),
    Threshold(
        "oldest_completed_seconds",
        "seconds",
        None,
        remedy="Clean the queue with queue_cleanup (completed_older_than), or set removeOnComplete in the application.",
        source="off: whoever keeps jobs by number keeps some of them for long",
    ),
    Threshold(
        "oldest_failed_seconds",
        "seconds",
        None,
        remedy="Retry or clean the failed jobs with queue_cleanup, or set removeOnFail in the application.",
        source="off, as for completed jobs",
    ),
    Threshold(
        "drain_seconds",
        "seconds",
        3600,
        remedy="Start more workers or raise their concurrency; find out what made jobs slower.",
        source="as oldest_waiting_seconds: the last job in line will have waited for an hour",
    ),
    Threshold(
        "scheduler_late_seconds",
        "seconds",
        3600,
        remedy="The run after is made when a worker begins the one before: start the workers, or remove the scheduler.",
        source="an hour is more than any worker needs to begin a job",
    ),
    Threshold(
        "dead_schedulers",
        "count",
        0,
        remedy="Upsert the scheduler again in the application (upsertJobScheduler), or remove it (removeJobScheduler).",
        source="the next job of a scheduler makes the one after; without it there is none",
    ),
    Threshold(
        "unserved",
        "count",
        0,
        remedy="Start the workers; see that they use this server, database, prefix and queue name.",
        source="jobs wait, and nobody is there to do them",
    ),
    Threshold(
        "ghosts",
        "count",
        0,
        remedy="Remove them with queue_cleanup (ghosts); find what removes keys: eviction, an expiry, a script.",
        source="an id whose job is gone is run as an empty job, or fails for ever to be retried",
    ),
    Threshold(
        "orphans",
        "count",
        0,
        remedy="Remove them with queue_cleanup (orphans), once it is sure that nobody needs their data.",
        source="no worker will ever see them; they hold memory for ever",
    ),
)
