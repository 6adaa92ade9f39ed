# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Reads the validity of a certificate, one that is not trusted too.

Python shows the contents of a certificate only after it was found to be trusted, which one that is expired never is. So
the few fields needed are read from its DER form (RFC 5280, section 4.1).
"""

from __future__ import annotations

from datetime import datetime, timezone

from .facts import Certificate

__all__ = ["parse_certificate"]

UTC_TIME, VERSION = 0x17, 0xA0


def parse_certificate(der: bytes) -> Certificate | None:
    """Return what a certificate says, or None if it cannot be understood."""
    try:
        outer = _element(der, 0)
        fields = _elements(_element(outer[1], 0)[1])
        if fields[0][0] == VERSION:
            fields = fields[1:]
        _serial, _algorithm, issuer, validity, subject = fields[:5]
        not_before, not_after = (_moment(tag, value) for tag, value in _elements(validity[1])[:2])
    except (IndexError, ValueError):
        return None
    return Certificate(not_before, not_after, issuer == subject)


def _element(data: bytes, start: int) -> tuple[int, bytes, int]:
    """Return tag, contents and end of the element at ``start``.

    :raises IndexError: the data is cut off.
    """
    tag, length, at = data[start], data[start + 1], start + 2
    if length & 0x80:
        octets = length & 0x7F
        length, at = int.from_bytes(data[at : at + octets], "big"), at + octets
    if at + length > len(data):
        raise IndexError("element reaches beyond its data")
    return tag, data[at : at + length], at + length


def _elements(data: bytes) -> list[tuple[int, bytes]]:
    found, at = [], 0
    while at < len(data):
        tag, value, at = _element(data, at)
        found.append((tag, value))
    return found


def _moment(tag: int, value: bytes) -> float:
    """Return seconds since 1970. A year of two digits lies between 1950 and 2049."""
    text = value.decode("ascii")
    if tag == UTC_TIME:
        text = ("19" if int(text[:2]) >= 50 else "20") + text
    return datetime.strptime(text, "%Y%m%d%H%M%SZ").replace(tzinfo=timezone.utc).timestamp()
