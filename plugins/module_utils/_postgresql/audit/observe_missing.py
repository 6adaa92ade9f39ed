# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Reads what tells of missing indexes."""

from __future__ import annotations

from ..._core.runner import Context
from ..client import PostgresqlClient
from ..index.catalogue import Catalogue
from ..index.observation import MissingIndexes
from ..index.observe_indexes import read_table_use
from .observe_hypothetical import observe_suggestions

__all__ = ["observe_missing"]

FEWEST_ROWS = 1000
"""Smaller tables are read whole for good reason, whatever the thresholds say."""


def observe_missing(client: PostgresqlClient, context: Context, catalogue: Catalogue) -> MissingIndexes:
    """Read indexes, foreign keys, how tables are read, and what hypothetical indexes would save."""
    return MissingIndexes(
        client.server,
        catalogue.indexes(client),
        catalogue.foreign_keys(client),
        read_table_use(client, FEWEST_ROWS),
        observe_suggestions(client, context),
    )
