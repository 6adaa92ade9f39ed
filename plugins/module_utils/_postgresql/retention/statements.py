# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The statements that take the rows of a piece, each one statement, so that what is kept is what was taken. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ..identifier import quoted
from ..statement import Statement
from .piece import Piece
from .predicate import sql

__all__ = ["archive_statement", "column_list", "delete_statement", "update_statement"]


def column_list(columns: Sequence[str]) -> str:
    """Return columns as a list for a statement with parameters."""
    return sql(", ".join(quoted(column) for column in columns))


def delete_statement(piece: Piece) -> Statement:
    """Delete the rows."""
    return piece.statement("DELETE FROM {source} WHERE {chosen}")


def archive_statement(piece: Piece, archive: tuple[str, str], columns: Sequence[str]) -> Statement:
    """Move the rows to another table: the very versions that are deleted are inserted there."""
    return piece.statement(
        "WITH taken AS (DELETE FROM {source} WHERE {chosen} RETURNING {columns})"
        " INSERT INTO {archive} ({columns}) OVERRIDING SYSTEM VALUE SELECT {columns} FROM taken",
        names={"archive": archive},
        parts={"columns": column_list(columns)},
    )


def update_statement(piece: Piece, assignments: Mapping[str, str], parameters: Mapping[str, Any]) -> Statement:
    """Write over columns of the rows.

    :param assignments: column to the SQL of its new value, ready for a statement with parameters.
    """
    changes = ", ".join(f"{sql(quoted(column))} = {value}" for column, value in assignments.items())
    return piece.statement(
        "UPDATE {source} SET {changes} WHERE {chosen}", parts={"changes": changes}, parameters=parameters
    )
