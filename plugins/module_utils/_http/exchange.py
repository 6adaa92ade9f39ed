# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""One connection to an HTTP server that is kept open, with a limit of time for each whole request.

The standard library limits each single wait; a server that sends one byte every few seconds would never run into that.
Here all waits of a request share one limit: look-up of the name, connecting, handshake, sending, reading to the end.
"""

from __future__ import annotations

import io
import socket
import ssl
import time
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.client import HTTPConnection, HTTPException, HTTPResponse, IncompleteRead, RemoteDisconnected
from typing import Any

from .._core.bounded import bounded
from .._core.errors import StoreError, StoreTimeout, StoreUnreachable
from .certificate import parse_certificate
from .facts import Address, Certificate, CertificateRejected, Reply

__all__ = ["BODY_LIMIT", "Line", "ProtocolError", "presented_certificate", "tls_context"]

BODY_LIMIT = 1024 * 1024
"""Bytes of a body that are read; a health check needs no more, and a server may send for ever."""

REMEDY_DOWN = "See whether the server runs and listens there, and whether a firewall is in between."
REMEDY_SLOW = "It accepts and does not answer: see its CPU, its event loop, and what it waits for; then restart it."
REMEDY_CERTIFICATE = {
    10: "It has expired: renew it, reload the web server, and see why the renewal by itself did not happen.",
    18: "It is self-signed: get one from an authority, or name the authority's file in ca_cert.",
    19: "Its authority is not known here: send the whole chain, or name the authority's file in ca_cert.",
    20: "Its authority is not known here: send the whole chain, or name the authority's file in ca_cert.",
    62: "It is made out for another name: use the name in the certificate, or renew it with this one.",
}
"""By OpenSSL's verification codes (X509_V_ERR_...)."""


class ProtocolError(StoreError):
    """What came is no HTTP, or TLS failed for another reason than the certificate."""

    condition = "protocol"


def tls_context(validate: bool, ca_cert: str | None) -> ssl.SSLContext:
    """Make the TLS settings.

    :raises OSError: the file with authorities cannot be read or holds none.
    """
    context = ssl.create_default_context(cafile=ca_cert)
    if not validate:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


class _Timed:
    """A socket of which every wait ends at one moment, however many there are. HTTPConnection takes it for a socket."""

    def __init__(self, plain: socket.socket) -> None:
        self._plain = plain
        self.end = 0.0

    def _allow(self) -> None:
        left = self.end - time.monotonic()
        if left <= 0:
            raise TimeoutError
        self._plain.settimeout(left)

    def receive_into(self, buffer: Any) -> int:
        """Read what is there, or wait for something."""
        self._allow()
        return self._plain.recv_into(buffer)

    def sendall(self, data: Any) -> None:
        """Send all of it."""
        self._allow()
        self._plain.sendall(data)

    def makefile(self, _mode: str) -> io.BufferedReader:
        """Return what HTTPResponse reads from."""
        return io.BufferedReader(_Reader(self))

    def close(self) -> None:
        """Called as soon as an answer's header says that it is the last; its body is still to be read.

        The line closes the socket itself.
        """


class _Reader(io.RawIOBase):
    """Reads from a timed socket, and leaves it open for the next request when closed itself."""

    def __init__(self, timed: _Timed) -> None:
        self._timed = timed

    def readable(self) -> bool:
        """It can be read."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Read what is there."""
        return self._timed.receive_into(buffer)


class Line:
    """A connection that is opened with the first request and used for all that follow.

    :param address: where to; requests may go to any target of its origin.
    :param context: TLS settings; None for plain HTTP.
    """

    def __init__(self, address: Address, context: ssl.SSLContext | None) -> None:
        self._address = address
        self._context = context
        self._plain: socket.socket | None = None
        self._timed: _Timed | None = None
        self._http = HTTPConnection(address.host, address.port)
        self._http.default_port = 443 if address.tls else 80
        self._http.auto_open = 0
        self.connections = 0
        self.connect_milliseconds: float | None = None
        self.certificate: Certificate | None = None

    def request(
        self, method: str, address: Address, headers: Mapping[str, str], body: bytes | None, seconds: float
    ) -> Reply:
        """Send a request and read its answer.

        An idle connection that the server has closed meanwhile is opened again, once, where that is safe.

        :param address: of the line's origin.
        :param seconds: for all of it.
        :raises StoreUnreachable: no connection, or it broke.
        :raises StoreTimeout: no whole answer in time.
        :raises CertificateRejected: the server is not who it should be; nothing was sent to it.
        :raises ProtocolError: the answer is no HTTP.
        """
        end = time.monotonic() + seconds
        kept = self._timed is not None
        tried = f"{method} {address.shown}"
        with self._errors(tried, seconds):
            try:
                return self._exchange(method, address.target, headers, body, end)
            except (RemoteDisconnected, ConnectionResetError, BrokenPipeError):
                self.close()
                if not kept or method not in ("GET", "HEAD", "OPTIONS"):
                    raise
                return self._exchange(method, address.target, headers, body, end)

    @contextmanager
    def _errors(self, tried: str, seconds: float) -> Iterator[None]:
        """Turn what goes wrong into errors of ours. The connection is not used again after one."""
        try:
            yield
        except BaseException as error:
            self.close()
            found = self._named(error, tried, seconds)
            if found is error:
                raise
            raise found from error

    def _named(self, error: BaseException, tried: str, seconds: float) -> BaseException:
        if isinstance(error, (TimeoutError, StoreTimeout)):
            return StoreTimeout(tried, f"no whole answer within {seconds:g} s", REMEDY_SLOW)
        if isinstance(error, ssl.SSLCertVerificationError):
            remedy = REMEDY_CERTIFICATE.get(error.verify_code, "See openssl s_client -connect for its chain.")
            return CertificateRejected(tried, f"the certificate is not valid: {error.verify_message}", remedy)
        if isinstance(error, ssl.SSLError):
            remedy = "See whether that port speaks TLS at all, and which versions (openssl s_client -connect)."
            return ProtocolError(tried, f"TLS failed: {error.reason or error}", remedy)
        if isinstance(error, OSError):
            return StoreUnreachable(tried, error.strerror or str(error) or "the connection was closed", REMEDY_DOWN)
        if isinstance(error, HTTPException):
            what = str(error) or type(error).__name__
            return ProtocolError(tried, f"the answer is no whole HTTP: {what[:100]}", "See what listens on that port.")
        return error

    def _exchange(self, method: str, target: str, headers: Mapping[str, str], body: bytes | None, end: float) -> Reply:
        timed = self._timed or self._open(end)
        timed.end = end
        started = time.monotonic()
        self._http.request(method, target, body, dict(headers))
        answer = self._http.getresponse()
        data = answer.read(BODY_LIMIT + 1)
        milliseconds = (time.monotonic() - started) * 1000
        truncated = len(data) > BODY_LIMIT
        if answer.length and not truncated:
            raise IncompleteRead(data, answer.length)
        reply = _reply(answer, data[:BODY_LIMIT], truncated, milliseconds)
        if truncated or answer.will_close:
            self.close()
        return reply

    def _open(self, end: float) -> _Timed:
        started = time.monotonic()
        self._plain = connected(self._address, end)
        if self._context is not None:
            self._plain.settimeout(max(0.001, end - time.monotonic()))
            secure = self._context.wrap_socket(self._plain, server_hostname=self._address.host)
            self._plain = secure
            self.certificate = parse_certificate(secure.getpeercert(binary_form=True) or b"")
        self.connections += 1
        self.connect_milliseconds = (time.monotonic() - started) * 1000
        self._timed = _Timed(self._plain)
        self._http.sock = self._timed
        return self._timed

    def close(self) -> None:
        """Hang up. The next request opens a new connection."""
        self._http.close()
        if self._plain is not None:
            self._plain.close()
        self._plain = self._timed = None


def connected(address: Address, end: float) -> socket.socket:
    """Connect to the first of the host's addresses that accepts; each gets its share of the time that is left.

    :raises OSError: none accepts, or the name is unknown.
    """
    found = bounded(
        lambda: socket.getaddrinfo(address.host, address.port, type=socket.SOCK_STREAM),
        max(0.0, end - time.monotonic()),
        f"look up {address.host}",
    )
    failed: OSError = OSError("it has no address")
    for number, (family, kind, protocol, _name, where) in enumerate(found):
        plain = socket.socket(family, kind, protocol)
        try:
            plain.settimeout(max(0.001, (end - time.monotonic()) / (len(found) - number)))
            plain.connect(where)
            plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        except OSError as error:
            plain.close()
            failed = error
        else:
            return plain
    raise failed


def presented_certificate(address: Address, seconds: float) -> Certificate | None:
    """Return the certificate that a server presents, trusted or not. Nothing is sent to it."""
    end = time.monotonic() + seconds
    try:
        with connected(address, end) as plain:
            plain.settimeout(max(0.001, end - time.monotonic()))
            with tls_context(False, None).wrap_socket(plain, server_hostname=address.host) as secure:
                return parse_certificate(secure.getpeercert(binary_form=True) or b"")
    except (OSError, StoreError):
        return None


def _reply(answer: HTTPResponse, data: bytes, truncated: bool, milliseconds: float) -> Reply:
    headers: dict[str, str] = {}
    for name, value in answer.getheaders():
        key = name.lower()
        headers[key] = f"{headers[key]}, {value}" if key in headers else value
    body = _decoded(data, headers.get("content-encoding", "").strip().lower())
    return Reply(answer.status, headers, body, len(data), truncated, milliseconds)


def _decoded(data: bytes, encoding: str) -> bytes:
    """Decompress what a server compressed unasked; no more than the limit, for little can unfold to much."""
    if encoding not in ("gzip", "x-gzip", "deflate"):
        return data
    try:
        return zlib.decompressobj(zlib.MAX_WBITS | 32).decompress(data, BODY_LIMIT)
    except zlib.error:
        return data
