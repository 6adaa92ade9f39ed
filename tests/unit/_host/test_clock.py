# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The answers of time servers, true and false."""

from __future__ import annotations

import struct

import pytest

from ansible_collections.dataops.upkeep.plugins.module_utils._core.errors import InvalidInput, StoreError
from ansible_collections.dataops.upkeep.plugins.module_utils._host.observe_clock import (
    NTP_EPOCH,
    kernel_clock_error,
    skew_from,
    time_server_of,
)

COOKIE = b"12345678"
NOW = 1795320000.0


def answer(
    at: float = NOW, cookie: bytes = COOKIE, leap: int = 0, mode: int = 4, stratum: int = 2, epoch: int = NTP_EPOCH
) -> bytes:
    stamp = struct.pack("!II", int(at + epoch) % 2**32, int(at % 1 * 2**32))
    return bytes([leap << 6 | 4 << 3 | mode, stratum]) + bytes(22) + cookie + stamp + stamp


@pytest.mark.parametrize("ahead", [0.0, 0.25, -0.25, 3600.5, -3600.5])
def test_skew(ahead: float) -> None:
    sent, received = NOW + ahead - 0.01, NOW + ahead + 0.01
    assert skew_from(answer(), sent, received, COOKIE) == pytest.approx(ahead, abs=1e-5)


def test_the_counter_of_2036_begins_anew() -> None:
    later = 2.2e9
    assert skew_from(answer(later), later, later, COOKIE) == pytest.approx(0, abs=1e-5)


@pytest.mark.parametrize(
    "false",
    [
        b"",
        answer()[:47],
        answer(cookie=b"87654321"),
        answer(mode=3),
        answer(leap=3),
        answer(stratum=0),
        answer(stratum=16),
    ],
)
def test_what_is_no_answer_is_not_believed(false: bytes) -> None:
    with pytest.raises(StoreError):
        skew_from(false, NOW, NOW, COOKIE)


@pytest.mark.parametrize(
    ("text", "server"),
    [
        (None, None),
        ("", None),
        ("time.example.com", ("time.example.com", 123)),
        ("127.0.0.1:1123", ("127.0.0.1", 1123)),
        ("::1", ("::1", 123)),
        ("[::1]", ("::1", 123)),
        ("[::1]:1123", ("::1", 1123)),
    ],
)
def test_time_servers(text: str | None, server: tuple[str, int] | None) -> None:
    assert time_server_of(text) == server


@pytest.mark.parametrize("text", ["time.example.com:ntp", "a:0", "a:65536"])
def test_ports_that_are_none(text: str) -> None:
    with pytest.raises(InvalidInput):
        time_server_of(text)


def test_the_kernel_is_asked_for_real() -> None:
    error = kernel_clock_error()
    assert error is None or 0 <= error <= 16
