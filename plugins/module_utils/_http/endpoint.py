# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Understands the option ``endpoints``."""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import unquote, urljoin, urlsplit

from .._core.errors import InvalidInput
from .._core.secrets import Secrets
from .._core.units import parse_duration
from .decide_headers import SECURITY_HEADERS
from .facts import Address, Endpoint, RateLimit

__all__ = ["MAX_BURST", "address_of", "endpoints_of"]

MAX_BURST = 100
"""More requests at once would be an attack on the application that is to be kept healthy."""


def endpoints_of(params: Mapping[str, Any], secrets: Secrets) -> list[Endpoint]:
    """Understand all endpoints and register what is secret in them.

    :raises InvalidInput: an option cannot be understood, or a name stands twice.
    """
    found: list[Endpoint] = []
    for entry in params["endpoints"]:
        endpoint = _endpoint(entry, secrets)
        if endpoint.name in {other.name for other in found}:
            raise InvalidInput("endpoints", f"{endpoint.name} stands twice", "Give each endpoint a name of its own.")
        found.append(endpoint)
    if not found:
        raise InvalidInput("endpoints", "it is empty", "Name at least one endpoint.")
    return found


def address_of(url: str, option: str) -> Address:
    """Take a URL apart.

    :raises InvalidInput: it is no HTTP address.
    """
    try:
        parts = urlsplit(url.strip())
        port = parts.port
    except ValueError as error:
        raise InvalidInput(option, "it is no URL", "Write it as https://app.example.com/health.") from error
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise InvalidInput(option, "it is no HTTP address", "Write it as https://app.example.com/health.")
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    if not re.fullmatch(r"[\x21-\x7e]+", target):
        raise InvalidInput(option, "it has characters that a URL has not", "Quote them: a space is %20.")
    tls = parts.scheme == "https"
    return Address(tls, parts.hostname, port or (443 if tls else 80), target)


def _endpoint(entry: Mapping[str, Any], secrets: Secrets) -> Endpoint:
    url = entry["url"].strip()
    secrets.add_uri(url)
    address = address_of(url, "endpoints.url")
    name = entry.get("name") or address.shown
    option = f"endpoints.{name}"
    headers = _headers(entry, url, secrets, option)
    if not 1 <= entry["requests"] <= MAX_BURST:
        raise InvalidInput(f"{option}.requests", "it is too few or too many", f"Give 1 to {MAX_BURST}.")
    timeout = parse_duration(entry["timeout"], f"{option}.timeout")
    if timeout <= 0:
        raise InvalidInput(f"{option}.timeout", "without any time there is no answer", "Give 5s, for example.")
    body = entry.get("body")
    protected = entry.get("protected_url")
    return Endpoint(
        name=name,
        address=address,
        method=entry["method"],
        headers=headers,
        body=None if body is None else body.encode(),
        expect_status=tuple(entry["expect_status"]),
        expect_body=_pattern(entry.get("expect_body"), f"{option}.expect_body"),
        expect_json=entry.get("expect_json") or {},
        timeout=timeout,
        requests=entry["requests"],
        validate_certs=entry["validate_certs"],
        ca_cert=entry.get("ca_cert"),
        certificate=entry["certificate"] and address.tls,
        compression=entry["compression"],
        security_headers=_security_headers(entry.get("security_headers"), f"{option}.security_headers"),
        redirect_from=_redirect_from(entry, address, option),
        protected=address_of(urljoin(url, protected), f"{option}.protected_url") if protected else None,
        rate_limit=_rate_limit(entry.get("rate_limit"), url, f"{option}.rate_limit"),
    )


def _headers(entry: Mapping[str, Any], url: str, secrets: Secrets, option: str) -> dict[str, str]:
    """All headers, with the login of the URL as one, and what is secret among them registered."""
    headers = {**(entry.get("headers") or {}), **(entry.get("secret_headers") or {})}
    headers = {str(key): str(value) for key, value in headers.items()}
    for key, value in headers.items():
        if not re.fullmatch(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+", key) or re.search(r"[\r\n\0]", value):
            raise InvalidInput(f"{option}.headers", f"{key!r} is no header, or its value has a line feed")
    parts = urlsplit(url)
    if parts.username is not None:
        login = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
        headers.setdefault("Authorization", "Basic " + base64.b64encode(login.encode()).decode())
    for key, value in headers.items():
        if key.lower() == "authorization":
            # The scheme is no secret, what follows it is, wherever it may show up again.
            secrets.add(value.partition(" ")[2] or value)
        elif key in (entry.get("secret_headers") or {}):
            secrets.add(value)
    return headers


def _pattern(text: str | None, option: str) -> re.Pattern[str] | None:
    if not text:
        return None
    try:
        return re.compile(text)
    except re.error as error:
        raise InvalidInput(option, f"it is no regular expression: {error}", "Quote special characters.") from error


def _security_headers(setting: Any, option: str) -> Sequence[str]:
    """All of them for true, none for false, or those named, in a list or (as AWX sends it) with commas between."""
    if isinstance(setting, str):
        words = [word.strip() for word in setting.split(",") if word.strip()]
        setting = {"true": True, "yes": True, "false": False, "no": False}.get(setting.strip().lower(), words)
    if not setting:
        return ()
    if setting is True:
        return tuple(SECURITY_HEADERS)
    known = {name.lower(): name for name in SECURITY_HEADERS}
    unknown = [str(name) for name in setting if str(name).lower() not in known]
    if unknown:
        raise InvalidInput(
            option, f"it does not know {', '.join(unknown)}", f"There are: {', '.join(SECURITY_HEADERS)}."
        )
    return tuple(known[str(name).lower()] for name in setting)


def _redirect_from(entry: Mapping[str, Any], address: Address, option: str) -> Address | None:
    """The plain HTTP address that has to lead to HTTPS: the one named, else the endpoint's own on port 80."""
    if not entry["redirect_to_https"]:
        return None
    if entry.get("redirect_from"):
        plain = address_of(entry["redirect_from"], f"{option}.redirect_from")
        if plain.tls:
            raise InvalidInput(f"{option}.redirect_from", "it is HTTPS already", "Give an address with http://.")
        return plain
    return Address(False, address.host, 80, address.target) if address.tls else address


def _rate_limit(entry: Mapping[str, Any] | None, url: str, option: str) -> RateLimit | None:
    if not entry:
        return None
    if not 1 <= entry["burst"] <= MAX_BURST:
        raise InvalidInput(
            f"{option}.burst", f"{entry['burst']} requests are too few or too many", f"Give 1 to {MAX_BURST}."
        )
    return RateLimit(
        address_of(urljoin(url, entry.get("path") or url), f"{option}.path"), entry["burst"], entry["status"]
    )
