# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Reads how many checkpoints there were."""

from __future__ import annotations

from .checkpoints import Checkpoints
from .client import PostgresqlClient

__all__ = ["observe_checkpoints"]

CHECKPOINTS = """
SELECT {timed} AS timed, {requested} AS requested, extract(epoch FROM stats_reset)::float8 AS reset FROM {view}"""


def observe_checkpoints(client: PostgresqlClient) -> Checkpoints:
    """Read how many checkpoints the clock and how many something else brought about."""
    if client.server.major >= 17:
        prefix = "restartpoints_" if client.server.in_recovery else "num_"
        requested = f"{prefix}req" if client.server.in_recovery else f"{prefix}requested"
        parts = {"timed": f"{prefix}timed", "requested": requested, "view": "pg_stat_checkpointer"}
    else:
        parts = {"timed": "checkpoints_timed", "requested": "checkpoints_req", "view": "pg_stat_bgwriter"}
    return client.rows("read the checkpoints", CHECKPOINTS, Checkpoints, parts=parts)[0]
