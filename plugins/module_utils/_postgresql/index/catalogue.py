# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What several checks of one run need of the catalogue, read once: thousands of indexes take the server a second."""

from __future__ import annotations

from ..client import PostgresqlClient
from .observation import ForeignKey, Index
from .observe_indexes import read_foreign_keys, read_indexes

__all__ = ["Catalogue"]


class Catalogue:
    """Indexes and foreign keys of the database of one run, as they were when they were first asked for."""

    def __init__(self) -> None:
        self._indexes: tuple[Index, ...] | None = None
        self._foreign_keys: tuple[ForeignKey, ...] | None = None

    def indexes(self, client: PostgresqlClient) -> tuple[Index, ...]:
        """Return all indexes.

        :raises StoreError: the server refused or failed.
        """
        if self._indexes is None:
            self._indexes = read_indexes(client)
        return self._indexes

    def foreign_keys(self, client: PostgresqlClient) -> tuple[ForeignKey, ...]:
        """Return all foreign keys; otherwise as :meth:`indexes`."""
        if self._foreign_keys is None:
            self._foreign_keys = read_foreign_keys(client)
        return self._foreign_keys
