# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is known of an endpoint, and what was seen of it, as small records."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any, NamedTuple

from .._core.errors import StoreError, UpkeepError

__all__ = [
    "Address",
    "Certificate",
    "CertificateRejected",
    "Compression",
    "Endpoint",
    "Failure",
    "Probe",
    "Probed",
    "RateLimit",
    "RateLimited",
    "Redirected",
    "Reply",
    "Seen",
    "Standing",
    "StatusSeen",
    "Unauthenticated",
]


class CertificateRejected(StoreError):
    """The server's certificate is not to be trusted."""

    condition = "certificate"


class Address(NamedTuple):
    """Where a request goes.

    :param target: path and query, as the request line has them.
    """

    tls: bool
    host: str
    port: int
    target: str

    @property
    def origin(self) -> tuple[bool, str, int]:
        """What one connection can serve."""
        return self.tls, self.host, self.port

    @property
    def shown(self) -> str:
        """The address for people, without its query, which may hold a secret."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        port = "" if self.port == (443 if self.tls else 80) else f":{self.port}"
        return f"{'https' if self.tls else 'http'}://{host}{port}{self.target.partition('?')[0]}"


class RateLimit(NamedTuple):
    """A route that should refuse too many requests.

    :param burst: how many requests to send at most.
    :param status: the status that refuses.
    """

    address: Address
    burst: int
    status: int


class Endpoint(NamedTuple):
    """What to ask and what to expect.

    :param headers: sent with requests to this endpoint; they may hold secrets.
    :param security_headers: those to look for; empty: none.
    :param redirect_from: plain HTTP address that has to lead to HTTPS; None if not asked for, likewise the other two.
    """

    name: str
    address: Address
    method: str = "GET"
    headers: Mapping[str, str] = MappingProxyType({})
    body: bytes | None = None
    expect_status: Sequence[int] = (200,)
    expect_body: re.Pattern[str] | None = None
    expect_json: Mapping[str, Any] = MappingProxyType({})
    timeout: float = 5.0
    requests: int = 3
    validate_certs: bool = True
    ca_cert: str | None = None
    certificate: bool = False
    compression: bool = False
    security_headers: Sequence[str] = ()
    redirect_from: Address | None = None
    protected: Address | None = None
    rate_limit: RateLimit | None = None

    def __repr__(self) -> str:
        return f"Endpoint({self.name})"


class Certificate(NamedTuple):
    """What a server's certificate says.

    :param not_after: when it expires, in seconds since 1970; likewise the other.
    :param self_signed: whether it vouches for itself.
    """

    not_before: float
    not_after: float
    self_signed: bool


class Reply(NamedTuple):
    """An answer.

    :param headers: by lower-case name; several of one name are joined by commas.
    :param body: at most the first MiB, decompressed.
    :param size: bytes of the body as they were sent.
    :param truncated: whether there was more.
    :param milliseconds: from the request's first byte to the answer's last.
    """

    status: int
    headers: Mapping[str, str]
    body: bytes
    size: int
    truncated: bool
    milliseconds: float


class Failure(NamedTuple):
    """Why a probe failed.

    :param condition: second half of the finding's id.
    """

    condition: str
    why: str
    value: int | float | str | bool | None = None
    threshold: int | float | str | bool | None = None
    remedy: str = ""


class Probe(NamedTuple):
    """One probe: when (seconds since 1970), and what became of it."""

    at: float
    failure: Failure | None = None
    status: int | None = None
    milliseconds: float | None = None


class Probed(NamedTuple):
    """All probes of an endpoint in this run.

    :param reply: the last answer of those in order; None if there was none.
    :param connect_milliseconds: how long name look-up, connecting and the TLS handshake took.
    """

    endpoint: Endpoint
    probes: Sequence[Probe]
    reply: Reply | None = None
    certificate: Certificate | None = None
    connect_milliseconds: float | None = None

    @property
    def failure(self) -> Failure | None:
        """Why the last probe failed; None if it did not."""
        return self.probes[-1].failure


Seen = Mapping[str, Any]
"""Per endpoint what one check saw, or the error that kept it from seeing."""


class StatusSeen(NamedTuple):
    """The probes of all endpoints, and the rules to judge them by.

    :param results: per endpoint its probes, or why there were none.
    :param confirmed: whether each probe counts, as a failure was probed again at once; else each run counts once.
    :param remembers: whether there is memory from one run to the next.
    """

    results: Mapping[str, Probed | UpkeepError]
    unhealthy_after: int
    healthy_after: int
    confirmed: bool
    remembers: bool


class Standing(NamedTuple):
    """How an endpoint stands after a row of outcomes, as a load balancer sees it.

    :param unhealthy: whether it failed often enough, and has not succeeded often enough since.
    :param failures: consecutive failures at the end of the row; likewise successes.
    :param since: when the failures began, in seconds since 1970.
    """

    unhealthy: bool = False
    failures: int = 0
    successes: int = 0
    since: float | None = None


class Redirected(NamedTuple):
    """Where plain HTTP led.

    :param secure: whether to HTTPS.
    :param hops: addresses on the way, for people.
    :param status: the last status.
    :param loop: whether it did not come to an end.
    """

    secure: bool
    hops: Sequence[str]
    status: int
    loop: bool = False


class Compression(NamedTuple):
    """How a body came when compression was offered.

    :param encoding: empty for none.
    """

    encoding: str
    size: int
    content_type: str


class Unauthenticated(NamedTuple):
    """What a protected route answered to a stranger."""

    shown: str
    status: int


class RateLimited(NamedTuple):
    """What became of a burst.

    :param sent: requests that were answered.
    :param refused_at: number of the first that was refused; None if none was.
    :param wanted: how many were to be sent.
    """

    shown: str
    sent: int
    refused_at: int | None
    wanted: int
    status: int
