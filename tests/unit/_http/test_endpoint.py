# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The option endpoints: what is understood, what is refused, and what becomes a secret."""

from __future__ import annotations

import base64
from typing import Any

import pytest

from ansible_collections.dataops.upkeep.plugins.module_utils._core.errors import InvalidInput
from ansible_collections.dataops.upkeep.plugins.module_utils._core.secrets import Secrets
from ansible_collections.dataops.upkeep.plugins.module_utils._http.decide_headers import SECURITY_HEADERS
from ansible_collections.dataops.upkeep.plugins.module_utils._http.endpoint import address_of, endpoints_of
from ansible_collections.dataops.upkeep.plugins.module_utils._http.facts import Address, Endpoint
from ansible_collections.dataops.upkeep.plugins.modules.http_health_info import ENDPOINT_OPTIONS, RATE_LIMIT_OPTIONS


def defaults(options: dict[str, dict[str, Any]]) -> dict[str, Any]:
    return {name: option.get("default") for name, option in options.items()}


def entry(**more: Any) -> dict[str, Any]:
    """One endpoint as AnsibleModule hands it over."""
    found = {**defaults(ENDPOINT_OPTIONS), "url": "https://app.example.com/health", **more}
    if found["rate_limit"]:
        found["rate_limit"] = {**defaults(RATE_LIMIT_OPTIONS), **found["rate_limit"]}
    return found


def understood(secrets: Secrets | None = None, **more: Any) -> Endpoint:
    [endpoint] = endpoints_of({"endpoints": [entry(**more)]}, secrets or Secrets())
    return endpoint


@pytest.mark.parametrize(
    ("url", "address", "shown"),
    [
        ("http://a", Address(False, "a", 80, "/"), "http://a/"),
        ("https://a/x?y=1#z", Address(True, "a", 443, "/x?y=1"), "https://a/x"),
        ("http://a:8080/x", Address(False, "a", 8080, "/x"), "http://a:8080/x"),
        ("https://[::1]:8443/", Address(True, "::1", 8443, "/"), "https://[::1]:8443/"),
        ("http://bob:pass@a/", Address(False, "a", 80, "/"), "http://a/"),
    ],
)
def test_addresses(url: str, address: Address, shown: str) -> None:
    assert address_of(url, "url") == address
    assert address.shown == shown


@pytest.mark.parametrize(
    "url",
    ["", "app.example.com", "ftp://a/", "http://", "http://a:port/", "http://a:99999/", "http://a/x y", "http://a/\u00fc",
     "http://[::1/", "http://a/x\r\nHost: b"],
)  # fmt: skip
def test_what_is_no_address(url: str) -> None:
    with pytest.raises(InvalidInput):
        understood(url=url)


@pytest.mark.parametrize(
    "more",
    [
        {"expect_body": "("},
        {"timeout": "soon"},
        {"timeout": 0},
        {"requests": 0},
        {"requests": 101},
        {"rate_limit": {"burst": 101}},
        {"rate_limit": {"burst": 0}},
        {"security_headers": ["X-Unknown"]},
        {"headers": {"X-Bad": "a\r\nb"}},
        {"headers": {"X Bad": "a"}},
        {"redirect_to_https": True, "redirect_from": "https://a/"},
    ],
)
def test_options_that_cannot_be_understood(more: dict[str, Any]) -> None:
    with pytest.raises(InvalidInput, match="endpoints"):
        understood(**more)


def test_no_endpoints_and_two_of_one_name() -> None:
    with pytest.raises(InvalidInput, match="empty"):
        endpoints_of({"endpoints": []}, Secrets())
    with pytest.raises(InvalidInput, match="twice"):
        endpoints_of({"endpoints": [entry(), entry()]}, Secrets())


@pytest.mark.parametrize(
    ("setting", "wanted"),
    [
        (None, ()),
        (False, ()),
        ("", ()),
        ("false", ()),
        (True, tuple(SECURITY_HEADERS)),
        ("True", tuple(SECURITY_HEADERS)),
        (["x-frame-options"], ("X-Frame-Options",)),
        ("X-Frame-Options, referrer-policy", ("X-Frame-Options", "Referrer-Policy")),
    ],
)
def test_security_headers_also_as_a_survey_sends_them(setting: Any, wanted: tuple[str, ...]) -> None:
    assert understood(security_headers=setting).security_headers == wanted


def test_addresses_beside_the_endpoint() -> None:
    found = understood(protected_url="/api", rate_limit={"burst": 9, "path": "login"}, redirect_to_https=True)
    assert found.protected == Address(True, "app.example.com", 443, "/api")
    assert found.rate_limit
    assert found.rate_limit.address == Address(True, "app.example.com", 443, "/login")
    assert found.redirect_from == Address(False, "app.example.com", 80, "/health")


def test_without_a_name_the_address_is_the_name_and_shows_no_secret() -> None:
    assert understood(url="https://bob:hunter22@a/x?token=abc").name == "https://a/x"


def test_a_certificate_is_only_checked_where_there_is_one() -> None:
    assert understood(certificate=True).certificate
    assert not understood(url="http://a/", certificate=True).certificate


def test_secrets_are_registered() -> None:
    secrets = Secrets()
    found = understood(
        secrets,
        url="http://bob:hunter22@a/?api_key=hunter33",
        headers={"Content-Type": "application/json"},
        secret_headers={"X-Key": "hunter44", "Authorization": "Bearer hunter55"},
    )
    text = "hunter22 hunter33 hunter44 hunter55 application/json Bearer"
    assert secrets.redact(text) == "******** ******** ******** ******** application/json Bearer"
    assert found.headers["Authorization"] == "Bearer hunter55"
    assert "hunter" not in repr(found)


def test_a_login_in_the_address_is_basic_authentication() -> None:
    secrets = Secrets()
    found = understood(secrets, url="http://bob:p%40ss@a/")
    login = base64.b64encode(b"bob:p@ss").decode()
    assert found.headers["Authorization"] == f"Basic {login}"
    assert secrets.redact(f"p@ss {login}") == "******** ********"
