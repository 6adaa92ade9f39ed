# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The application's HTTP side: `python -m tests.stack.application.http`.

Routes: `/` (a page above 1 kB), `/health` (asks the stores), `/metrics` (Prometheus), `/api/deliveries` (needs a
token), `/api/login` (rate-limited). Flags plant faults.
"""

from __future__ import annotations

import argparse
import gzip
import hmac
import json
import ssl
import threading
import time
from collections import Counter
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urlsplit

from tests.stack.application.probes import StoreProbes
from tests.stack.application.runtime import Runtime
from tests.stack.servers.base import HOST

__all__ = ["main"]

COMPRESS_ABOVE = 1024  # bytes: what the guides' compression middleware leaves alone
SLOW_ROUTES = ("/", "/health")
LOGINS, WINDOW_SECONDS = 10, 10.0
SECURITY_HEADERS = {
    "Content-Security-Policy": "default-src 'self'; frame-ancestors 'none'",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}
TRANSPORT_SECURITY = {"Strict-Transport-Security": "max-age=31536000; includeSubDomains"}


@dataclass(frozen=True)
class Reply:
    """What a route answers."""

    status: int
    body: bytes
    kind: str = "application/json"
    headers: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class Faults:
    """What is wrong with the application on purpose."""

    slow_seconds: float = 0.0
    security_headers: bool = True
    compression: bool = True
    open_routes: bool = False
    rate_limit: bool = True


class Application:
    """The routes, apart from the protocol."""

    def __init__(self, runtime: Runtime, faults: Faults) -> None:
        self.faults = faults
        self._token = runtime.token
        self._probes = StoreProbes(runtime.endpoints)
        self._lock = threading.Lock()
        self._answers: Counter[int] = Counter()
        self._logins: dict[str, list[float]] = {}
        self._began = time.time()

    def answer(self, path: str, client: str, authorization: str) -> Reply:
        """The reply to a GET."""
        reply = self._route(urlsplit(path).path, client, authorization)
        with self._lock:
            self._answers[reply.status] += 1
        return reply

    def _route(self, path: str, client: str, authorization: str) -> Reply:
        if path in SLOW_ROUTES:  # not the limited one: a slow burst would stay within its limit
            time.sleep(self.faults.slow_seconds)
        if path == "/":
            return Reply(200, _page(), "text/html; charset=utf-8")
        if path == "/health":
            return self._health()
        if path == "/metrics":
            return Reply(200, self._metrics(), "text/plain; version=0.0.4; charset=utf-8")
        if path == "/api/deliveries":
            return self._deliveries(authorization)
        if path == "/api/login":
            return self._login(client)
        return _json(404, {"error": "not found"})

    def _health(self) -> Reply:
        checks = self._probes.look()
        healthy = all(check["status"] == "ok" for check in checks.values())
        return _json(200 if healthy else 503, {"status": "ok" if healthy else "error", "checks": checks})

    def _metrics(self) -> bytes:
        with self._lock:
            lines = [f'http_requests_total{{status="{status}"}} {count}' for status, count in self._answers.items()]
        lines += [f"process_start_time_seconds {self._began:.3f}", "# EOF"]
        return "\n".join(["# TYPE http_requests_total counter", *sorted(lines[:-2]), *lines[-2:], ""]).encode()

    def _deliveries(self, authorization: str) -> Reply:
        if self.faults.open_routes or hmac.compare_digest(authorization.encode(), f"Bearer {self._token}".encode()):
            return _json(200, {"deliveries": [{"tracking_number": "DLV000000001", "status": "scheduled"}]})
        return _json(401, {"error": "unauthorized"}, ("WWW-Authenticate", "Bearer"))

    def _login(self, client: str) -> Reply:
        now = time.monotonic()
        with self._lock:
            recent = [moment for moment in self._logins.get(client, []) if now - moment < WINDOW_SECONDS]
            allowed = len(recent) < LOGINS or not self.faults.rate_limit
            self._logins[client] = [*recent, now] if allowed else recent
        if not allowed:
            return _json(429, {"error": "too many requests"}, ("Retry-After", str(int(WINDOW_SECONDS))))
        return _json(200, {"login": "expected as POST"})


class Handler(BaseHTTPRequestHandler):
    """The protocol: headers, compression, one connection for many requests."""

    protocol_version = "HTTP/1.1"
    timeout = 30
    application: Application
    over_tls = False

    def version_string(self) -> str:
        """What the Server header says: no version for strangers."""
        return "delauto"

    def do_GET(self) -> None:
        """Answer a GET; the name is the base class's."""
        reply = self.application.answer(self.path, self.client_address[0], self.headers.get("Authorization", ""))
        faults = self.application.faults
        headers = dict(reply.headers) | {"Content-Type": reply.kind, "Cache-Control": "no-store"}
        if faults.security_headers:
            headers |= SECURITY_HEADERS | (TRANSPORT_SECURITY if self.over_tls else {})
        body = reply.body
        if faults.compression and len(body) > COMPRESS_ABOVE:
            headers["Vary"] = "Accept-Encoding"
            if "gzip" in self.headers.get("Accept-Encoding", ""):
                body = gzip.compress(body)
                headers["Content-Encoding"] = "gzip"
        self.send_response(reply.status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


def _json(status: int, content: object, *headers: tuple[str, str]) -> Reply:
    return Reply(status, json.dumps(content).encode(), headers=headers)


def _page() -> bytes:
    rows = "".join(f"<li>Delivery DLV{number:09d}: scheduled</li>\n" for number in range(60))
    return f"<!doctype html><title>DelAuto</title><h1>Deliveries</h1><ul>\n{rows}</ul>\n".encode()


def main() -> None:
    """Serve until a signal ends the process."""
    parser = argparse.ArgumentParser(prog="python -m tests.stack.application.http")
    parser.add_argument("--runtime", type=Path, required=True, help="file with addresses and token")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--certificate", type=Path, help="serve TLS with this file of certificate and key")
    parser.add_argument("--slow-ms", type=int, default=0, help="wait before the answers of / and /health")
    parser.add_argument("--no-security-headers", action="store_true")
    parser.add_argument("--no-compression", action="store_true")
    parser.add_argument("--no-rate-limit", action="store_true")
    parser.add_argument("--open-routes", action="store_true", help="answer without a token")
    options = parser.parse_args()
    faults = Faults(
        slow_seconds=options.slow_ms / 1000,
        security_headers=not options.no_security_headers,
        compression=not options.no_compression,
        open_routes=options.open_routes,
        rate_limit=not options.no_rate_limit,
    )
    Handler.application = Application(Runtime.read(options.runtime), faults)
    server = ThreadingHTTPServer((HOST, options.port), Handler)
    if options.certificate is not None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(options.certificate)
        server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
        Handler.over_tls = True
    server.serve_forever()


if __name__ == "__main__":
    main()
