# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""TLS in front of servers that have none of their own, as managed services and sidecars put it there."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path

from tests.stack.endpoint import Endpoint
from tests.stack.servers.base import HOST

__all__ = ["tls_fronts"]


@contextlib.contextmanager
def tls_fronts(targets: Sequence[Endpoint], certificate: Path) -> Iterator[list[int]]:
    """Ports that speak TLS and pass on to each of the servers.

    Args:
        targets: the servers.
        certificate: a file with key and certificate.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()

    async def listen(target: Endpoint) -> asyncio.Server:
        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            inner_reader, inner_writer = await asyncio.open_connection(target.host, target.port)
            await asyncio.gather(_pump(reader, inner_writer), _pump(inner_reader, writer))

        return await asyncio.start_server(serve, HOST, 0, ssl=context)

    async def close(servers: list[asyncio.Server]) -> None:
        for server in servers:
            server.close()

    servers = [asyncio.run_coroutine_threadsafe(listen(target), loop).result(10) for target in targets]
    try:
        yield [server.sockets[0].getsockname()[1] for server in servers]
    finally:
        asyncio.run_coroutine_threadsafe(close(servers), loop).result(10)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(10)


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
    with contextlib.suppress(OSError):
        writer.close()
