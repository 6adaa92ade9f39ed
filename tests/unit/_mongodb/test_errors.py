# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Each error of the server or the driver becomes one clear message, without values out of documents."""

from __future__ import annotations

from typing import Any

import pymongo.errors as driver
import pytest

from ansible_collections.dataops.upkeep.plugins.module_utils._core.errors import (
    AccessDenied,
    AuthenticationFailed,
    StoreError,
    StoreTimeout,
    StoreUnreachable,
)
from ansible_collections.dataops.upkeep.plugins.module_utils._mongodb.errors import (
    CODES,
    DocumentInvalid,
    DuplicateKey,
    NotPrimary,
    explain,
    is_transient,
    translate,
)

SECRET = "maria@example.com"

DUPLICATE = {
    "index": 0,
    "code": 11000,
    "errmsg": f'E11000 duplicate key error collection: shop.users index: email_1 dup key: {{ email: "{SECRET}" }}',
    "keyPattern": {"email": 1},
    "keyValue": {"email": SECRET},
}

INVALID = {
    "index": 0,
    "code": 121,
    "errmsg": "Document failed validation",
    "errInfo": {
        "failingDocumentId": SECRET,
        "details": {
            "operatorName": "$jsonSchema",
            "schemaRulesNotSatisfied": [
                {
                    "operatorName": "properties",
                    "propertiesNotSatisfied": [
                        {
                            "propertyName": "age",
                            "details": [
                                {"operatorName": "bsonType", "reason": "type did not match", "consideredValue": SECRET}
                            ],
                        },
                        {
                            "propertyName": "address",
                            "details": [
                                {
                                    "operatorName": "properties",
                                    "propertiesNotSatisfied": [
                                        {"propertyName": "zip", "details": [{"consideredValue": SECRET}]}
                                    ],
                                }
                            ],
                        },
                    ],
                },
                {"operatorName": "required", "missingProperties": ["name"]},
                {"operatorName": "additionalProperties", "additionalProperties": ["extra"]},
            ],
        },
    },
}


@pytest.mark.parametrize("details", [DUPLICATE, {"writeErrors": [{**DUPLICATE, "op": {"email": SECRET}}]}])
def test_a_duplicate_key_names_field_and_index_and_no_value(details: dict[str, Any]) -> None:
    error = explain("insert the user", details.get("code", 65), "", details)
    assert isinstance(error, DuplicateKey)
    assert error.why == "another document has the same value of email (index email_1 of shop.users)"
    assert error.remedy
    assert SECRET not in str(error)


def test_a_validation_error_names_every_field_and_no_value() -> None:
    error = explain("insert the user", 121, INVALID["errmsg"], INVALID)  # type: ignore[arg-type]
    assert isinstance(error, DocumentInvalid)
    assert error.why.endswith(": age, address.zip, name (missing), extra (not allowed)")
    assert SECRET not in str(error)


@pytest.mark.parametrize(
    ("code", "message", "kind", "says"),
    [
        (18, "Authentication failed.", AuthenticationFailed, "does not accept"),
        (13, "command serverStatus requires authentication", AuthenticationFailed, "none was given"),
        (13, "not authorized on admin to execute command { x: 1 }", AccessDenied, "on database admin"),
        (13, "not allowed", AccessDenied, "lacks the right"),
        (50, "operation exceeded time limit", StoreTimeout, "time limit"),
        (10107, "not primary", NotPrimary, "not the primary"),
        (91, "shutting down", StoreUnreachable, "shutting down"),
        (64, "waiting for replication timed out", StoreTimeout, "too few members"),
        (4242, "something new", StoreError, "something new (code 4242)"),
        (None, "without a code", StoreError, "without a code"),
    ],
)
def test_codes(code: int | None, message: str, kind: type[StoreError], says: str) -> None:
    error = explain("do it", code, message)
    assert error.__class__ is kind
    assert says in error.why
    assert str(error).startswith("Could not do it: ")


def test_a_missing_right_is_named_and_the_command_is_not_repeated() -> None:
    message = f'not authorized on admin to execute command {{ serverStatus: 1, comment: "{SECRET}" }}'
    error = explain("read", 13, message, needs="clusterMonitor")
    assert 'grantRolesToUser("<user>", ["clusterMonitor"])' in error.remedy
    assert SECRET not in str(error)


@pytest.mark.parametrize("code", sorted(CODES))
def test_every_known_code_has_words_of_its_own(code: int) -> None:
    error = explain("do it", code, "the server's text")
    assert "the server's text" not in error.why
    assert error.remedy.endswith((".", '"]).'))


@pytest.mark.parametrize(
    ("error", "transient"),
    [
        (driver.AutoReconnect("connection closed"), True),
        (driver.NetworkTimeout("timed out"), True),
        (driver.NotPrimaryError("not primary"), True),
        (driver.OperationFailure("electing", 11602), True),
        (driver.OperationFailure("conflict", 4242, {"errorLabels": ["TransientTransactionError"]}), True),
        (driver.OperationFailure("denied", 13), False),
        (driver.OperationFailure("slow", 50), False),
        (driver.DuplicateKeyError("dup", 11000, DUPLICATE), False),
        (driver.ConfigurationError("nonsense"), False),
        (ValueError("ours"), False),
    ],
)
def test_transient_errors_are_known(error: Exception, transient: bool) -> None:
    assert is_transient(error) is transient


@pytest.mark.parametrize(
    ("error", "servers", "kind", "says"),
    [
        (driver.OperationFailure("auth", 18, {"errmsg": "Authentication failed."}), [], AuthenticationFailed, "accept"),
        (driver.NetworkTimeout("a:1: timed out"), [], StoreTimeout, "no answer in time"),
        (driver.AutoReconnect("a:1: connection closed"), [], StoreUnreachable, "connection closed"),
        (driver.NotPrimaryError("not primary", {"code": 10107}), [], NotPrimary, "not the primary"),
        (driver.ConfigurationError("strange option"), [], StoreError, "strange option"),
        (driver.InvalidOperation("used after close"), [], StoreError, "used after close"),
        (
            driver.ServerSelectionTimeoutError("a:1: [Errno 111] Connection refused, Timeout: 5s, Topology: x"),
            [driver.NetworkTimeout("b:1: timed out"), driver.AutoReconnect("a:1: [Errno 111] Connection refused")],
            StoreUnreachable,
            "a:1: [Errno 111] Connection refused",
        ),
        (
            driver.ServerSelectionTimeoutError("No servers found yet, Timeout: 5s"),
            [None],
            StoreTimeout,
            "no answer in time",
        ),
        (
            driver.ServerSelectionTimeoutError("a:1: timed out, Timeout: 5s"),
            [driver.NetworkTimeout("a:1: timed out")],
            StoreTimeout,
            "no answer in time",
        ),
        (
            driver.ServerSelectionTimeoutError(
                'No replica set members available for replica set name "x", Timeout: 5s'
            ),
            [None],
            StoreUnreachable,
            'for replica set name "x"',
        ),
    ],
)
def test_errors_of_the_driver(
    error: driver.PyMongoError, servers: list[Exception | None], kind: type[StoreError], says: str
) -> None:
    translated = translate("connect", error, servers)
    assert translated.__class__ is kind
    assert says in translated.why
    assert "Topology" not in translated.why


@pytest.mark.parametrize(
    ("text", "remedy"),
    [
        ("SSL handshake failed: [SSL: CERTIFICATE_VERIFY_FAILED] self-signed", "ca_cert"),
        ("SSL handshake failed: [SSL: UNEXPECTED_EOF_WHILE_READING] EOF", "speaks TLS"),
        ("a:1: connection closed", "wants TLS"),
    ],
)
def test_trouble_with_tls_says_which_option_helps(text: str, remedy: str) -> None:
    assert remedy in translate("connect", driver.AutoReconnect(text)).remedy
