# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Reads how right the clock is: what the kernel vouches for, and what a time server says."""

from __future__ import annotations

import ctypes
import os
import socket
import struct
import time

from .._core.bounded import bounded
from .._core.errors import InvalidInput, StoreError, StoreTimeout, StoreUnreachable
from .._core.runner import Context
from .client import Watch
from .facts import ClockState

__all__ = ["kernel_clock_error", "observe_clock", "skew_from", "time_server_of"]

NTP_PORT = 123
NTP_EPOCH = 2208988800
"""Seconds from 1900, where NTP counts from, to 1970."""
ANSWER_SECONDS = 3.0
_QUERY = struct.pack("!B39x", 0b00_100_011)
"""Version 4, client; the transmit time stamp follows."""


class _Timex(ctypes.Structure):
    """struct timex of adjtimex(2), as far as it is read; the rest is room for what the kernel writes."""

    _fields_ = (
        ("modes", ctypes.c_int),
        ("offset", ctypes.c_long),
        ("freq", ctypes.c_long),
        ("maxerror", ctypes.c_long),
        ("esterror", ctypes.c_long),
        ("status", ctypes.c_int),
        ("rest", ctypes.c_long * 40),
    )


def kernel_clock_error() -> float | None:
    """Return the largest error of the clock in seconds that the kernel vouches for, or None if it does not say.

    It is 16 s at most: never set right since boot, or not for hours. ``modes`` of 0 only reads, which needs no rights.
    """
    try:
        adjtimex = ctypes.CDLL(None, use_errno=True).adjtimex
    except (OSError, AttributeError):
        return None
    state = _Timex()
    return state.maxerror / 1e6 if adjtimex(ctypes.byref(state)) >= 0 else None


def time_server_of(text: str | None) -> tuple[str, int] | None:
    """Understand the option ``time_server``: a host, with a port if it is not 123.

    :raises InvalidInput: the port is no number.
    """
    if not text:
        return None
    host, colon, port = text.rpartition(":")
    if not colon or text.endswith("]") or (":" in host and not text.startswith("[")):
        return text.strip("[]"), NTP_PORT
    if not port.isdigit() or not 0 < int(port) < 65536:
        raise InvalidInput("time_server", f"{port!r} is no port", "Write it as time.example.com or host:port.")
    return host.strip("[]"), int(port)


def skew_from(answer: bytes, sent: float, received: float, cookie: bytes) -> float:
    """Return how many seconds this clock is ahead of the server's, from an answer by RFC 4330, section 5.

    :param sent: this clock when the query left.
    :param received: this clock when the answer came.
    :param cookie: the transmit time stamp of the query, which the answer must repeat.
    :raises StoreError: it is no answer to this query, or the server itself does not know the time.
    """
    if len(answer) < 48 or answer[24:32] != cookie or answer[0] & 7 != 4:
        raise StoreError("ask the time server", "what it sent is no answer to the question")
    if answer[0] >> 6 == 3 or not 1 <= answer[1] <= 15:
        raise StoreError("ask the time server", "it is not synchronised itself", "Name another time_server.")
    came, left = (_moment(*stamp) for stamp in struct.iter_unpack("!II", answer[32:48]))
    return -((came - sent) + (left - received)) / 2


def _moment(seconds: int, fraction: int) -> float:
    """Seconds since 1970; a time stamp without its highest bit lies after February 2036 (RFC 4330, section 3)."""
    return seconds + (0 if seconds >> 31 else 2**32) + fraction / 2**32 - NTP_EPOCH


def measure_skew(server: tuple[str, int], seconds: float) -> float:
    """Ask a time server once (SNTP).

    :raises StoreTimeout: it does not answer.
    :raises StoreUnreachable: its name is unknown, or nothing listens.
    :raises StoreError: its answer is of no use.
    """
    tried = f"ask the time server {server[0]}"
    remedy = "Check the name, and that UDP port 123 is open."
    try:
        found = bounded(lambda: socket.getaddrinfo(*server, type=socket.SOCK_DGRAM), seconds, tried)[0]
        with socket.socket(found[0], found[1]) as udp:
            udp.settimeout(seconds)
            udp.connect(found[4])
            # The server repeats these eight bytes; chosen at random they cannot be guessed by who wants to lie.
            cookie, sent = os.urandom(8), time.time()
            udp.send(_QUERY + cookie)
            answer = udp.recv(512)
            return skew_from(answer, sent, time.time(), cookie)
    except TimeoutError as error:
        raise StoreTimeout(tried, f"no answer within {seconds:g} s", remedy) from error
    except OSError as error:
        raise StoreUnreachable(tried, error.strerror or str(error), remedy) from error


def observe_clock(_watch: Watch, context: Context) -> ClockState:
    """Read the kernel's estimate, and ask the time server if one is named.

    :raises StoreError: the time server could not be asked.
    """
    server = time_server_of(context.params.get("time_server"))
    error = kernel_clock_error()
    return ClockState(error, measure_skew(server, context.deadline.limit(ANSWER_SECONDS)) if server else None)
