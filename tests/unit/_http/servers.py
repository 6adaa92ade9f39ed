# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Small real servers that answer as they are told, well or badly, and count what reaches them."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

HOST = "127.0.0.1"
SAFE = {
    "Strict-Transport-Security": "max-age=31536000",
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "default-src 'self'",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
}


@dataclass
class Answer:
    """What a route answers."""

    status: int = 200
    body: bytes = b"{}"
    headers: dict[str, str] = field(default_factory=lambda: {"Content-Type": "application/json", **SAFE})


Route = Callable[["Asked"], Answer]


@dataclass(frozen=True)
class Asked:
    """A request that arrived."""

    method: str
    target: str
    headers: dict[str, str]
    body: bytes


class Server:
    """An HTTP server of which the routes can be changed while it runs.

    :param connections: how many were accepted.
    :param asked: every request in its order.
    """

    def __init__(self, certificate: Path | None = None) -> None:
        self.routes: dict[str, Route] = {}
        self.connections = 0
        self.asked: list[Asked] = []
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            timeout = 20
            disable_nagle_algorithm = True

            def setup(self) -> None:
                outer.connections += 1
                super().setup()

            def answer(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                headers = {name.lower(): value for name, value in self.headers.items()}
                asked = Asked(self.command, self.path, headers, body)
                outer.asked.append(asked)
                found = outer.routes.get(self.path.partition("?")[0], lambda asked: Answer(404))(asked)
                self.send_response(found.status)
                for name, value in found.headers.items():
                    self.send_header(name, value)
                if "Content-Length" not in found.headers:
                    self.send_header("Content-Length", str(len(found.body)))
                self.end_headers()
                if self.command != "HEAD":
                    self.wfile.write(found.body)

            do_GET = do_HEAD = do_POST = do_OPTIONS = answer  # noqa: N815 - the base class's names

            def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class's name
                """Nobody reads it."""

        class Quiet(ThreadingHTTPServer):
            daemon_threads = True

            def handle_error(self, request: Any, client_address: Any) -> None:
                """A client that hangs up is no news."""

        self._server = Quiet((HOST, 0), Handler)
        if certificate is not None:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(certificate)
            self._server.socket = context.wrap_socket(
                self._server.socket, server_side=True, do_handshake_on_connect=False
            )
        self.tls = certificate is not None
        self.port: int = self._server.server_address[1]
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)
        self._thread.start()

    def url(self, target: str = "/", host: str = HOST) -> str:
        """The address of a target."""
        return f"{'https' if self.tls else 'http'}://{host}:{self.port}{target}"

    def stop(self) -> None:
        """Stop listening."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


@contextmanager
def serving(certificate: Path | None = None, **routes: Answer) -> Iterator[Server]:
    """Run a server; ``health=Answer(...)`` is what /health answers."""
    server = Server(certificate)
    for name, answer in routes.items():
        server.routes[f"/{name}"] = lambda asked, answer=answer: answer  # type: ignore[misc]
    try:
        yield server
    finally:
        server.stop()


@contextmanager
def raw(*pieces: bytes, pause: float = 0.0, hold: bool = False) -> Iterator[int]:
    """Run a server that reads a request and sends pieces of bytes; return its port.

    :param pause: seconds between two pieces.
    :param hold: whether to keep the connection open afterwards.
    """
    over = threading.Event()

    def serve(client: socket.socket) -> None:
        with client:
            try:
                client.recv(65536)
                for piece in pieces:
                    client.sendall(piece)
                    if over.wait(pause):
                        return
                if hold:
                    over.wait(30)
            except OSError:
                return

    def accept() -> None:
        while not over.is_set():
            try:
                client, _address = listener.accept()
            except OSError:
                return
            threading.Thread(target=serve, args=(client,), daemon=True).start()

    with socket.create_server((HOST, 0), backlog=64) as listener:
        thread = threading.Thread(target=accept, daemon=True)
        thread.start()
        try:
            yield listener.getsockname()[1]
        finally:
            over.set()
            listener.shutdown(socket.SHUT_RDWR)
            thread.join()
