# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Where queues may be kept that are not in Redis: the option ``postgresql``. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, NamedTuple

from ..._core.connection import Connection
from ..._core.errors import InvalidInput
from ..._core.runner import Context
from ..._postgresql.options import DEFAULTS

__all__ = ["Elsewhere", "elsewhere"]

_SCHEMA = re.compile(r"[A-Za-z_][A-Za-z0-9_$]{0,62}")


class Elsewhere(NamedTuple):
    """The database in which queues may be kept beside those in Redis.

    :param schema: the library's; of BullMQ's own form.
    """

    connection: Connection
    schema: str

    @property
    def label(self) -> str:
        """What it is called, for people."""
        return f"the schema {self.schema} of PostgreSQL at {self.connection.label}"


def elsewhere(context: Context, given: Mapping[str, Any] | None) -> Elsewhere | None:
    """Understand the option ``postgresql``; None: it is not set.

    :raises InvalidInput: an option in it cannot be understood.
    """
    if given is None:
        return None
    schema = str(given.get("schema") or "bullmq")
    if not _SCHEMA.fullmatch(schema):
        raise InvalidInput("postgresql.schema", f"{schema!r} is no schema of BullMQ", "Give a plain name, as bullmq.")
    options = {name: value for name, value in given.items() if name != "schema"}
    return Elsewhere(Connection.nested(context, options, "postgresql", DEFAULTS), schema)
