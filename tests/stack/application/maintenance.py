# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the guides want to be done to the application's stores each day, as our modules take it."""

from __future__ import annotations

from typing import Any

__all__ = ["KEYS", "QUEUE_WORK", "RETENTION"]

RETENTION: list[dict[str, Any]] = [
    {
        "name": "submissions",
        "table": "product_term_submissions",
        "age_column": "created_at",
        "older_than": "30d",
        "action": "delete",
    }
]
"""The bot's guide: accepted terms are kept for 30 days (requirement T7)."""

KEYS: list[dict[str, Any]] = [
    {"name": "analytics:*", "pattern": "analytics:*", "when": ["no_ttl"], "action": "unlink"},
    {
        "name": "sess:*",
        "pattern": "sess:*",
        "when": ["field_age"],
        "field": "lastActivity",
        "older_than": "30d",
        "action": "unlink",
    },
]
"""DelAuto's guide: analytics without TTL and sessions without activity go (requirement D10)."""

QUEUE_WORK: dict[str, Any] = {
    "completed_older_than": "24h",
    "failed_older_than": "7d",
    "retry": {},
    "dead_letter": "failed-calls",
    "orphans": True,
}
"""DelAuto's guide: old jobs go, failed ones are tried again or set aside (requirements D11 and D11b)."""
