# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""One SQL statement: what the plan shows and what the server gets come from the same object."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from .._core.dependency import PSYCOPG
from .identifier import quoted

if TYPE_CHECKING:
    import psycopg

__all__ = ["Statement"]


@dataclass(frozen=True)
class Statement:
    """Our SQL, with the places where names and values go.

    :param template: SQL with ``{places}``; braces of its own are doubled. With ``parameters`` it holds ``%(name)s``
        too, and its own percent signs are doubled.
    :param names: identifiers, each a tuple of its parts, such as ``("public", "orders")``.
    :param values: literals: text, numbers, booleans, None, moments.
    :param parts: pieces of our own SQL, never a user's text; with ``parameters`` their percent signs are doubled too.
    :param parameters: values sent apart from the text, for what must not be shown: the plan has their names only.
    """

    template: str
    names: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    values: Mapping[str, Any] = field(default_factory=dict)
    parts: Mapping[str, str] = field(default_factory=dict)
    parameters: Mapping[str, Any] | None = field(default=None, repr=False)

    @property
    def text(self) -> str:
        """The statement for people; whoever copies it into psql does the same, parameters aside."""
        places = {
            **{place: quoted(*parts) for place, parts in self.names.items()},
            **{place: _literal(value) for place, value in self.values.items()},
            **{place: self._shown(part) for place, part in self.parts.items()},
        }
        return self._shown(self.template).format_map(places)

    def _shown(self, sql: str) -> str:
        """Return our own SQL as the server gets it."""
        return sql if self.parameters is None else sql.replace("%%", "%")

    def composed(self, connection: psycopg.Connection[Any]) -> psycopg.sql.Composed:
        """The statement for psycopg's ``execute``."""
        sql = PSYCOPG.load().sql
        places: dict[str, Any] = {place: sql.Identifier(*parts) for place, parts in self.names.items()}
        places.update({place: sql.Literal(value) for place, value in self.values.items()})
        if self.parameters is not None:
            # With parameters the driver reads percent signs, in a name as well.
            places = {place: sql.SQL(part.as_string(connection).replace("%", "%%")) for place, part in places.items()}
        places.update({place: sql.SQL(part) for place, part in self.parts.items()})
        composed: psycopg.sql.Composed = sql.SQL(self.template).format(**places)
        return composed


def _literal(value: Any) -> str:
    """Return a value as SQL writes it."""
    if value is None:
        return "NULL"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (int, float)):
        return str(value)
    text = str(value).replace("'", "''")
    return f"E'{text}'".replace("\\", "\\\\") if "\\" in text else f"'{text}'"
