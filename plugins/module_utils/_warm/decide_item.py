# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Makes a key of a row. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from .._redis.lifetime import milliseconds_of
from .entry import FIELD, JSON, TEMPLATE, Entry
from .observation import Item, Tally
from .rendering import MissingValue, Unrenderable, alone, json_bytes, key_text, text_of
from .template import MISSING, lookup

__all__ = ["item_of", "items_of"]

Row = Mapping[str, Any]


def items_of(entry: Entry, rows: Iterable[Row | None], most_bytes: int, tally: Tally) -> list[Item]:
    """Return the keys that rows make, and count those that make none.

    :param rows: None stands for a row that could not be read.
    :param most_bytes: keys that are larger, with their value, are passed over.
    """
    items = []
    for row in rows:
        tally.rows += 1
        if row is None:
            tally.unreadable += 1
            continue
        try:
            item = item_of(entry, row)
        except MissingValue:
            tally.missing += 1
            continue
        except Unrenderable:
            tally.unreadable += 1
            continue
        if item.size > most_bytes:
            tally.too_large += 1
            continue
        items.append(item)
    return items


def item_of(entry: Entry, row: Row) -> Item:
    """Return the key that a row makes.

    :raises MissingValue: it lacks a field that the key or the value needs.
    :raises Unrenderable: it holds what cannot be told as text.
    """
    try:
        key = entry.key.render(row, key_text).encode()
        value = _value(entry, row)
    except UnicodeError:
        raise Unrenderable from None
    return Item(key, value, milliseconds_of(key, entry.life, entry.jitter) if entry.life is not None else 0)


def _value(entry: Entry, row: Row) -> bytes | tuple[bytes, ...]:
    value = entry.value
    if value.kind == FIELD:
        return alone(lookup(row, value.field))
    if value.kind == TEMPLATE and value.template is not None:
        return value.template.render(row, text_of).encode()
    if entry.fields:
        chosen = {".".join(path): lookup(row, path) for path in entry.fields}
        row = {name: inner for name, inner in chosen.items() if inner is not MISSING}
    if value.kind == JSON:
        return json_bytes(row)
    pairs = [part for name, inner in row.items() if inner is not None for part in (str(name).encode(), alone(inner))]
    if not pairs:
        raise MissingValue
    return tuple(pairs)
