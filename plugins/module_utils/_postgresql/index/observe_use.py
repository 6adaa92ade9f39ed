# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Reads all that decides about the indexes of a database, the standbys and the ledger too."""

from __future__ import annotations

from ..._core.connection import Connection
from ..._core.runner import Context
from ..client import PostgresqlClient
from ..options import DEFAULTS
from .catalogue import Catalogue
from .memory import with_ledger
from .observation import Indexes
from .observe_indexes import read_builds, read_node
from .observe_replicas import read_replicas, replica_connections
from .options import policy_of

__all__ = ["observe_index_use"]


def observe_index_use(client: PostgresqlClient, context: Context, catalogue: Catalogue | None = None) -> Indexes:
    """Read the indexes, their use on every server, and what earlier runs saw.

    :param catalogue: of a run that reads it for others as well, and for this first.
    :raises InvalidInput: an option cannot be understood.
    :raises StoreError: the server refused or failed.
    """
    policy = policy_of(context.params)
    target = Connection.of(context, DEFAULTS)
    connections = replica_connections(context, target)
    catalogue = catalogue or Catalogue()
    builds = read_builds(client)
    indexes = catalogue.indexes(client)
    # An index that was being built when the indexes were read is either known from before, or is building still.
    builds += tuple(build for build in read_builds(client) if build not in builds)
    seen = Indexes(
        client.server,
        indexes,
        catalogue.foreign_keys(client),
        builds,
        read_node(client, target.label),
        read_replicas(context, connections, client.server.database),
        policy=policy,
    )
    return with_ledger(context, seen)
