# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What rows of PostgreSQL, documents of MongoDB and lines of files look like as texts, bytes and JSON. Pure.

- Numbers are numbers in JSON. ``numeric`` and Decimal128 are texts, for a number of JSON is a double to most readers.
  In a text a double without fraction has no ``.0``, as JavaScript writes it.
- A moment is ISO 8601 in UTC with ``Z``, with milliseconds, or microseconds where there are any. One without a time
  zone has none either. An interval is its number of seconds.
- A UUID is its text of 36 characters, an ObjectId its 24 hexadecimal digits, a network address or range its text.
- Bytes are the bytes themselves where a field's value stands alone, and base64 within JSON and templates.
- Null is ``null`` in JSON, no field in a hash, and nothing elsewhere: the row is passed over. NaN and infinity, which
  JSON does not know, are ``null`` there.
"""

from __future__ import annotations

import json
import math
from base64 import b64encode
from collections.abc import Mapping
from datetime import date, datetime, time, timedelta, timezone
from decimal import Decimal
from ipaddress import IPv4Address, IPv4Interface, IPv4Network, IPv6Address, IPv6Interface, IPv6Network
from typing import Any
from uuid import UUID

from .template import MISSING

__all__ = ["MissingValue", "Unrenderable", "alone", "json_bytes", "key_text", "text_of"]

_AS_THEIR_TEXT = (
    *(Decimal, UUID, date, time),
    *(IPv4Address, IPv4Interface, IPv4Network, IPv6Address, IPv6Interface, IPv6Network),
)
_DRIVERS_TEXT = frozenset({"ObjectId", "Decimal128", "Range", "Multirange"})
"""Classes of the drivers, by name, for no driver is imported here, whose ``str`` is the value's usual text."""

_EXACT = 2.0**53
"""Up to here every whole number is a double."""


class MissingValue(ValueError):
    """There is nothing to make a text of."""


class Unrenderable(ValueError):
    """A value has no text that could be told."""


def _moment(value: datetime) -> str:
    zoned = value.astimezone(timezone.utc) if value.tzinfo else value
    text = zoned.isoformat(timespec="microseconds" if zoned.microsecond % 1000 else "milliseconds")
    return text.replace("+00:00", "Z")


def _number(value: float) -> str:
    if not math.isfinite(value):
        raise Unrenderable
    return str(int(value)) if value.is_integer() and abs(value) < _EXACT else repr(float(value))


def _special(value: Any) -> Any:
    """Return a value that JSON does not know as one that it knows; the encoder calls this."""
    if isinstance(value, datetime):
        return _moment(value)
    if isinstance(value, _AS_THEIR_TEXT) or value.__class__.__name__ in _DRIVERS_TEXT:
        return str(value)
    if isinstance(value, (bytes, bytearray, memoryview)):
        return b64encode(value).decode("ascii")
    if isinstance(value, timedelta):
        seconds = value.total_seconds()
        return int(seconds) if seconds.is_integer() else seconds
    if isinstance(value, Mapping):
        return dict(value)
    raise Unrenderable


# No row holds itself, so nothing needs to watch for that.
_ENCODER = json.JSONEncoder(
    ensure_ascii=False, check_circular=False, separators=(",", ":"), allow_nan=False, default=_special
)


def json_bytes(value: Any) -> bytes:
    """Return a value as compact JSON in UTF-8.

    :raises Unrenderable: it holds what has no text.
    """
    try:
        try:
            return _ENCODER.encode(value).encode()
        except (Unrenderable, UnicodeError):
            raise
        except ValueError:
            return _ENCODER.encode(_finite(value)).encode()
    except (Unrenderable, UnicodeError, TypeError, RecursionError):
        raise Unrenderable from None


def _finite(value: Any) -> Any:
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {key: _finite(inner) for key, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [_finite(inner) for inner in value]
    return value


def text_of(value: Any) -> str:
    """Return a field's value as text, for a template.

    :raises MissingValue: there is none, or it is null.
    :raises Unrenderable: it has no text.
    """
    if isinstance(value, str):
        return str(value)
    if value is None or value is MISSING:
        raise MissingValue
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(int(value))
    if isinstance(value, float):
        return _number(value)
    if isinstance(value, (Mapping, list, tuple)):
        return json_bytes(value).decode()
    return str(_special(value))


def key_text(value: Any) -> str:
    """Return a field's value as a part of a key's name.

    :raises MissingValue: there is none, or it is empty: all rows without it would share one key.
    :raises Unrenderable: it is a document or a list, or has no text.
    """
    if isinstance(value, (Mapping, list, tuple)):
        raise Unrenderable
    text = text_of(value)
    if not text:
        raise MissingValue
    return text


def alone(value: Any) -> bytes:
    """Return a field's value where it stands by itself.

    :raises MissingValue: there is none, or it is null.
    :raises Unrenderable: it has no text.
    """
    if isinstance(value, (bytes, bytearray, memoryview)):
        return bytes(value)
    try:
        return text_of(value).encode()
    except UnicodeError:
        raise Unrenderable from None
