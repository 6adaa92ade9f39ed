# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Certificates as authorities make them are read, and nothing else is."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.x509.oid import NameOID
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.dataops.upkeep.plugins.module_utils._http.certificate import parse_certificate
from ansible_collections.dataops.upkeep.plugins.module_utils._http.facts import Certificate

AUTHORITY = ec.generate_private_key(ec.SECP256R1())


def name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def made(key: object, begin: datetime, end: datetime, issuer: str = "authority") -> bytes:
    builder = (
        x509.CertificateBuilder()
        .subject_name(name("app.example.com"))
        .issuer_name(name(issuer))
        .public_key(key.public_key())  # type: ignore[attr-defined]
        .serial_number(x509.random_serial_number())
        .not_valid_before(begin)
        .not_valid_after(end)
    )
    return builder.sign(AUTHORITY, hashes.SHA256()).public_bytes(serialization.Encoding.DER)


@pytest.mark.parametrize(
    "key",
    [AUTHORITY, ed25519.Ed25519PrivateKey.generate(), rsa.generate_private_key(65537, 2048)],
    ids=["ec", "ed25519", "rsa"],
)
@pytest.mark.parametrize("years", [1, 40])
def test_validity(key: object, years: int) -> None:
    begin = datetime(2026, 1, 2, 3, 4, 5, tzinfo=timezone.utc)
    end = begin + timedelta(days=365 * years)
    assert parse_certificate(made(key, begin, end)) == Certificate(begin.timestamp(), end.timestamp(), False)


def test_self_signed() -> None:
    begin = datetime(2026, 1, 1, tzinfo=timezone.utc)
    certificate = parse_certificate(made(AUTHORITY, begin, begin + timedelta(days=1), issuer="app.example.com"))
    assert certificate
    assert certificate.self_signed


WHOLE = made(AUTHORITY, datetime(2026, 1, 1, tzinfo=timezone.utc), datetime(2027, 1, 1, tzinfo=timezone.utc))


@given(st.integers(0, len(WHOLE) - 1))
def test_a_part_of_one_is_none(length: int) -> None:
    assert parse_certificate(WHOLE[:length]) is None


@given(st.binary(max_size=300))
def test_noise_is_none(noise: bytes) -> None:
    assert parse_certificate(noise) is None
