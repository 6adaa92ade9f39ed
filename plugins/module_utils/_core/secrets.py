# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Secrets, and every form in which one could slip out."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import quote, quote_plus, unquote, urlsplit

__all__ = ["MASK", "Secrets", "forms_of", "secrets_in_uri", "without_password"]

MASK = "********"
SECRET_NAMES = (
    "password",
    "passwd",
    "passphrase",
    "secret",
    "token",
    "api_key",
    "apikey",
    "private_key",
    "authorization",
    "cookie",
)
"""Parts of an option's name by which a nested dict's values are known as secrets."""


def sounds_secret(name: str) -> bool:
    """Whether what bears this name is a secret; a dash (``X-Api-Key``) is as good as an underscore."""
    return any(word in name.lower().replace("-", "_") for word in SECRET_NAMES)


def forms_of(secret: str) -> set[str]:
    """Return a secret in the writings in which drivers and programs print it: plain, URL-quoted, JSON, base64, repr."""
    forms = {
        secret,
        quote(secret, safe=""),
        quote(secret),
        quote_plus(secret),
        json.dumps(secret)[1:-1],
        repr(secret)[1:-1],
    }
    if len(secret) >= 4:
        forms.add(base64.b64encode(secret.encode()).decode().rstrip("="))
    return forms


def secrets_in_uri(uri: str) -> set[str]:
    """Return the passwords that a URI carries: in its user part and in its query."""
    found: set[str] = set()
    try:
        parts = urlsplit(uri)
        password = parts.password
    except ValueError:
        # A URI with several hosts and ports is legal for MongoDB and PostgreSQL and no single port for Python.
        parts, password = None, None
    if parts is not None and password is None and "@" in parts.netloc:
        password = parts.netloc.rpartition("@")[0].partition(":")[2]
    if password:
        found |= {password, unquote(password)}
    query = uri.partition("?")[2]
    for pair in query.split("&"):
        name, _equals, value = pair.partition("=")
        if value and sounds_secret(name):
            found |= {value, unquote(value)}
    return found


def without_password(uri: str) -> str:
    """Return a URI that may be shown: its secrets masked."""
    for secret in sorted(secrets_in_uri(uri), key=len, reverse=True):
        uri = uri.replace(secret, MASK)
    return uri


class Secrets:
    """The secrets of one task, in all their forms.

    :param values: known secrets, such as AnsibleModule's ``no_log_values``.
    """

    def __init__(self, values: Iterable[str] = ()) -> None:
        self._forms: set[str] = set()
        for value in values:
            self.add(value)

    def add(self, secret: str | None) -> None:
        """Take in one secret; a single character is none, for masking it would garble every text."""
        if secret and len(secret) > 1:
            self._forms |= forms_of(secret)

    def add_uri(self, uri: str | None) -> None:
        """Take in the passwords of a URI."""
        for secret in secrets_in_uri(uri or ""):
            self.add(secret)

    def add_nested(self, value: Any, name: str = "") -> None:
        """Take in every value of nested dicts and lists whose name says that it is secret, and every URI's password."""
        if isinstance(value, Mapping):
            for key, inner in value.items():
                secret = sounds_secret(str(key))
                self.add_nested(inner, str(key) if secret or not name else name)
        elif isinstance(value, (list, tuple)):
            for inner in value:
                self.add_nested(inner, name)
        elif isinstance(value, str):
            if sounds_secret(name):
                self.add(value)
            if "://" in value:
                self.add_uri(value)

    @property
    def forms(self) -> frozenset[str]:
        """Every writing of every secret."""
        return frozenset(self._forms)

    def redact(self, text: str) -> str:
        """Return ``text`` with every form of every secret masked, the longest first."""
        for form in sorted(self._forms, key=len, reverse=True):
            text = text.replace(form, MASK)
        return text
