# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What MongoDB's and pymongo's errors mean, in words: one table, and the reading of an error's details.

No message carries a value out of a document: names of fields, indexes and collections only.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from .._core.dependency import PYMONGO
from .._core.errors import AccessDenied, AuthenticationFailed, StoreError, StoreTimeout, StoreUnreachable

if TYPE_CHECKING:
    from pymongo.errors import PyMongoError

__all__ = ["CODES", "DocumentInvalid", "DuplicateKey", "Meaning", "NotPrimary", "explain", "is_transient", "translate"]


class DuplicateKey(StoreError):
    """A unique index already holds the value."""

    condition = "duplicate_key"


class DocumentInvalid(StoreError):
    """The document does not fulfil its collection's validation rules."""

    condition = "validation"


class NotPrimary(StoreError):
    """The member that was asked is not, or no longer, the primary."""

    condition = "not_primary"


@dataclass(frozen=True)
class Meaning:
    """What one error code says.

    :param error: the error it becomes.
    :param why: the cause; empty: the server's own text.
    :param remedy: what to do.
    :param transient: whether the same request may work in a moment, without anybody doing anything.
    """

    error: type[StoreError]
    why: str = ""
    remedy: str = ""
    transient: bool = False


_NO_LOGIN = Meaning(
    AuthenticationFailed,
    "the server asks for a login and none was given",
    "Set login_user and login_password, or user and password in the URI.",
)
_MOVED = Meaning(
    NotPrimary,
    "the member is not the primary, or has just ceased to be",
    "Use a URI that names all members and the replica set, so that the driver finds the primary.",
    transient=True,
)
_LEAVING = Meaning(
    StoreUnreachable, "the server is shutting down or is just electing", "Wait a moment and run again.", transient=True
)
_NETWORK = Meaning(
    StoreUnreachable, "the server lost its connection to another member", "Check the network.", transient=True
)
_OUT_OF_TIME = Meaning(
    StoreTimeout,
    "the server broke the operation off at its time limit",
    "Look for load and long operations on the server, or raise connect_timeout.",
)

CODES: Mapping[int, Meaning] = {
    6: _NETWORK,
    7: _NETWORK,
    11: Meaning(AuthenticationFailed, "the user is unknown", "Check login_user and the URI's authSource."),
    13: Meaning(AccessDenied),
    18: Meaning(
        AuthenticationFailed,
        "the server does not accept the user or the password",
        "Check login_user, login_password and in which database the user is defined (authSource).",
    ),
    26: Meaning(StoreError, "the collection or database does not exist", "Check its name."),
    50: _OUT_OF_TIME,
    59: Meaning(StoreError, "the server does not know the command", "Check the version, and that it is MongoDB."),
    64: Meaning(
        StoreTimeout,
        "too few members confirmed the write in time; it may still have been made",
        "Check the lag of the secondaries and that enough of them are up.",
    ),
    76: Meaning(StoreError, "the server is not part of a replica set", "Ask a member of a replica set."),
    85: Meaning(StoreError, "an index of the same name or keys stands with other options", "Compare the two."),
    86: Meaning(StoreError, "an index of the same name stands with other keys", "Compare the two."),
    89: _NETWORK,
    91: _LEAVING,
    93: Meaning(
        StoreError,
        "the member has no valid replica set configuration",
        "Initiate the replica set, or add the member to it again.",
    ),
    94: Meaning(StoreError, "the replica set has not been initiated", "Run rs.initiate() once on one member."),
    112: Meaning(StoreError, "another operation changed the same document", "Run again.", transient=True),
    121: Meaning(DocumentInvalid, "the document breaks the collection's rules", "Correct the document or the rules."),
    189: _MOVED,
    262: _OUT_OF_TIME,
    9001: _NETWORK,
    10107: _MOVED,
    11000: Meaning(DuplicateKey, "", "Change the value, or merge the two documents."),
    11600: _LEAVING,
    11601: Meaning(StoreError, "the operation was ended by an administrator", "Ask who ended it."),
    11602: _MOVED,
    13435: _MOVED,
    13436: Meaning(
        NotPrimary,
        "the member recovers or still copies its data and cannot be read",
        "Wait until it is SECONDARY again, or ask another member.",
        transient=True,
    ),
    14031: Meaning(StoreError, "the server's disk is full", "Make room on the volume of dbPath."),
}
"""Server error codes that a maintainer meets.

Source: src/mongo/base/error_codes.yml of the server; transient as in the driver specification "Retryable Writes".
"""

_TRANSIENT_LABELS = frozenset({"RetryableWriteError", "TransientTransactionError", "RetryableError"})
_INDEX = re.compile(r"collection: (\S+) index: (\S+)")
_DENIED = re.compile(r"not authorized on (\S+) to execute command")
_MOST_TEXT = 300


def explain(
    tried: str, code: int | None, message: str = "", details: Mapping[str, Any] | None = None, needs: str = ""
) -> StoreError:
    """Turn an error that the server reported into ours.

    :param tried: what was attempted, as "read the server's statistics".
    :param code: the server's error code.
    :param message: the server's ``errmsg``.
    :param details: the error's document.
    :param needs: the role that the request needs, for the remedy.
    """
    details = _first_write_error(details or {})
    code = details.get("code", code)
    message = str(details.get("errmsg", message))
    meaning = CODES.get(code if code is not None else 0, Meaning(StoreError))
    if code == 13 and "requires authentication" in message:
        meaning = _NO_LOGIN
    why = meaning.why
    if code == 11000:
        why = _duplicate(message, details)
    elif code == 121:
        why = _with_fields(why, _invalid_fields(details.get("errInfo", {})))
    elif code == 13 and not why:
        denied = _DENIED.search(message)
        why = f"the user lacks the right for it{f' on database {denied[1]}' if denied else ''}"
        return meaning.error(tried, why, _grant(needs))
    return meaning.error(tried, why or _shown(message, code), meaning.remedy)


def _grant(needs: str) -> str:
    if not needs:
        return "Grant the user a role that allows it."
    return f'Grant the user the role {needs}, as db.getSiblingDB("admin").grantRolesToUser("<user>", ["{needs}"]).'


def is_transient(error: Any) -> bool:
    """Whether the same request may work in a moment: a pymongo error's code, labels and kind decide."""
    has_label = getattr(error, "has_error_label", None)
    if has_label is not None and any(has_label(label) for label in _TRANSIENT_LABELS):
        return True
    code = getattr(error, "code", None)
    if code is not None:
        return code in CODES and CODES[code].transient
    return any(kind.__name__ == "AutoReconnect" for kind in type(error).__mro__)


def translate(
    tried: str, error: PyMongoError, server_errors: Iterable[Exception | None] = (), needs: str = ""
) -> StoreError:
    """Turn any error of the driver into ours.

    :param tried: what was attempted.
    :param error: what pymongo raised.
    :param server_errors: why each known server could not be used, if no server was found.
    :param needs: the role that the request needs, for the remedy.
    """
    errors = PYMONGO.load().errors
    if isinstance(error, errors.ServerSelectionTimeoutError):
        return _no_server(tried, _shown(str(error), None), [known for known in server_errors if known is not None])
    if isinstance(error, errors.OperationFailure):
        return explain(tried, error.code, _message(error), error.details, needs)
    if isinstance(error, errors.NotPrimaryError):
        return explain(tried, 10107, _message(error), error.details)
    if isinstance(error, errors.ConnectionFailure):
        return _connection(tried, error)
    if isinstance(error, errors.ConfigurationError):
        return StoreError(tried, _shown(str(error), None), "Check the URI and the TLS options.")
    return StoreError(tried, _shown(str(error), None))


def _message(error: PyMongoError) -> str:
    return str((getattr(error, "details", None) or {}).get("errmsg") or error)


def _no_server(tried: str, text: str, known: list[Exception]) -> StoreError:
    """Say why no server was found: the first that refused tells most; if all are silent, it is a time-out."""
    told = [error for error in known if not _is_timeout(error)]
    if told:
        return _connection(tried, told[0])
    if known or text.startswith("No servers found yet"):
        return _silent(tried)
    return StoreUnreachable(
        tried, text, "Check whether the replica set has a primary, and its name and its members' addresses in the URI."
    )


def _silent(tried: str) -> StoreTimeout:
    return StoreTimeout(
        tried,
        "no answer in time",
        "Check that the server is not paused or overloaded and that no firewall swallows packets; "
        "else raise connect_timeout.",
    )


def _connection(tried: str, error: Exception) -> StoreError:
    text = _shown(str(error), None)
    if _is_timeout(error):
        return _silent(tried)
    if "CERTIFICATE_VERIFY_FAILED" in text or "doesn't match" in text:
        return StoreUnreachable(
            tried, text, "Name the authority's file in ca_cert, and connect by the name in the certificate."
        )
    if "SSL" in text or "TLS" in text:
        return StoreUnreachable(
            tried, text, "Check whether the server speaks TLS, and the options tls and client_cert."
        )
    if "connection closed" in text:
        return StoreUnreachable(
            tried, text, "Check that the server runs, and whether it wants TLS (option tls) or more connections."
        )
    return StoreUnreachable(tried, text, "Check that the server runs, the address, and firewalls in between.")


def _is_timeout(error: Exception) -> bool:
    return isinstance(error, TimeoutError) or type(error).__name__ == "NetworkTimeout" or "timed out" in str(error)


def _first_write_error(details: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the first single error of a bulk write, or the details themselves."""
    for key in ("writeErrors", "writeConcernErrors"):
        if details.get(key):
            first: Mapping[str, Any] = details[key][0]
            return first
    return details


def _duplicate(message: str, details: Mapping[str, Any]) -> str:
    fields = ", ".join(details.get("keyPattern", {})) or "a unique key"
    found = _INDEX.search(message)
    where = f" (index {found[2]} of {found[1]})" if found else ""
    return f"another document has the same value of {fields}{where}"


def _invalid_fields(node: Any, path: str = "") -> Iterator[str]:
    """Name the fields that a validation error speaks of, never their values."""
    if isinstance(node, list):
        for inner in node:
            yield from _invalid_fields(inner, path)
    elif isinstance(node, Mapping):
        name = f"{path}{node['propertyName']}" if "propertyName" in node else ""
        inner_fields = [
            field
            for key, inner in node.items()
            if key in ("details", "schemaRulesNotSatisfied", "propertiesNotSatisfied", "clausesNotSatisfied")
            for field in _invalid_fields(inner, f"{name}." if name else path)
        ]
        missing = [f"{path}{field} (missing)" for field in node.get("missingProperties", ())]
        extra = [f"{path}{field} (not allowed)" for field in node.get("additionalProperties", ()) if field]
        yield from inner_fields or ([name] if name else [])
        yield from missing + extra


def _with_fields(why: str, fields: Iterable[str]) -> str:
    named = ", ".join(dict.fromkeys(fields))
    return f"{why}: {named}" if named else why


def _shown(message: str, code: int | None) -> str:
    """Cut a message of the driver to its first part: without topology, time-outs and the full error document."""
    short = re.split(r", full error: |, Timeout: | \(configured timeouts: ", message, maxsplit=1)[0]
    short = short[:_MOST_TEXT] + ("..." if len(short) > _MOST_TEXT else "")
    return f"{short} (code {code})" if code is not None else short
