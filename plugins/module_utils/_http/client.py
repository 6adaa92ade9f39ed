# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The client of the HTTP checks: every endpoint with its one connection, asked side by side."""

from __future__ import annotations

import ssl
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import TypeVar

from .._core.errors import DeadlineExceeded, InvalidInput, StoreError, StoreTimeout, UpkeepError
from .._core.runner import Context
from .exchange import Line, tls_context
from .facts import Address, Endpoint, Probed, Reply

__all__ = ["Prober", "Site", "prober"]

AT_ONCE = 8
"""Endpoints that are asked at the same time."""

Found = TypeVar("Found")

BASE_HEADERS = {"User-Agent": "dataops.upkeep", "Accept": "*/*", "Accept-Encoding": "identity"}


class Site:
    """One endpoint and its connection.

    :param line: the connection to its origin.
    :param probed: its probes, once they were made; every check that builds on them shares them.
    """

    def __init__(self, endpoint: Endpoint, context: Context, tls: ssl.SSLContext | None) -> None:
        self.endpoint = endpoint
        self.context = context
        self.line = Line(endpoint.address, tls)
        self.probed: Probed | None = None
        self._tls = tls

    def ask(self, line: Line, method: str, address: Address, headers: dict[str, str], body: bytes | None) -> Reply:
        """Send one request, within the endpoint's time-out and the task's deadline.

        :raises DeadlineExceeded: the deadline ended before the time-out did.
        :raises StoreError: see :meth:`Line.request`.
        """
        self.context.deadline.check(f"ask {address.shown}")
        seconds = self.context.deadline.limit(self.endpoint.timeout)
        try:
            return line.request(method, address, {**BASE_HEADERS, **headers}, body, seconds)
        except StoreTimeout:
            if seconds < self.endpoint.timeout:
                self.context.deadline.check(f"ask {address.shown}")
            raise

    @contextmanager
    def line_to(self, address: Address) -> Iterator[Line]:
        """Lend the endpoint's own connection if it leads to ``address``, else one that is closed again."""
        if address.origin == self.endpoint.address.origin:
            yield self.line
            return
        tls = tls_context(self.endpoint.validate_certs, self.endpoint.ca_cert) if address.tls else None
        other = Line(address, tls)
        try:
            yield other
        finally:
            other.close()


class Prober:
    """All endpoints of a task."""

    def __init__(self, sites: Sequence[Site], pool: ThreadPoolExecutor) -> None:
        self.sites = sites
        self._pool = pool

    def each(
        self, work: Callable[[Site], Found], wanted: Callable[[Endpoint], bool] | None = None
    ) -> dict[str, Found | UpkeepError]:
        """Do the same work for every endpoint that wants it, side by side; an error of one is its result.

        :raises Exception: an error that is none of ours, which is a fault of this code.
        """

        def guarded(site: Site) -> Found | UpkeepError:
            try:
                return work(site)
            except (StoreError, DeadlineExceeded) as error:
                return error

        chosen = [site for site in self.sites if wanted is None or wanted(site.endpoint)]
        return dict(zip((site.endpoint.name for site in chosen), self._pool.map(guarded, chosen), strict=True))


def tls_contexts(endpoints: Sequence[Endpoint]) -> dict[tuple[bool, str | None], ssl.SSLContext]:
    """Make the TLS settings that are needed, each once: reading the list of authorities takes a while.

    :raises InvalidInput: a file with authorities cannot be used.
    """
    made: dict[tuple[bool, str | None], ssl.SSLContext] = {}
    for endpoint in endpoints:
        key = (endpoint.validate_certs, endpoint.ca_cert)
        if endpoint.address.tls and key not in made:
            try:
                made[key] = tls_context(*key)
            except OSError as error:
                raise InvalidInput(
                    f"endpoints.{endpoint.name}.ca_cert",
                    error.strerror or str(error),
                    "Name a PEM file with certificates that the user may read.",
                ) from error
    return made


@contextmanager
def prober(context: Context, endpoints: Sequence[Endpoint]) -> Iterator[Prober]:
    """Make everything ready to ask; connections are opened with the first requests and closed at the end.

    :raises InvalidInput: a file with authorities cannot be used.
    """
    tls = tls_contexts(endpoints)
    sites = [Site(one, context, tls[one.validate_certs, one.ca_cert] if one.address.tls else None) for one in endpoints]
    with ThreadPoolExecutor(max_workers=min(AT_ONCE, len(sites)), thread_name_prefix="probe") as pool:
        try:
            yield Prober(sites, pool)
        finally:
            for site in sites:
                site.line.close()
