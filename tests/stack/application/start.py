# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Put the sample application onto a running stack: data, queues, files, its processes."""

from __future__ import annotations

import os
import secrets
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from tests.stack.application import mongodb, postgresql, redis
from tests.stack.application.certificates import write_certificate
from tests.stack.application.files import write_files
from tests.stack.application.logs import write_logs
from tests.stack.application.queues.plan import plans
from tests.stack.application.queues.remains import plant_remains
from tests.stack.application.queues.run import fill_with_python
from tests.stack.application.runtime import Runtime
from tests.stack.application.settings import Settings
from tests.stack.endpoint import Endpoint
from tests.stack.places import CHECKOUT
from tests.stack.servers.base import free_port
from tests.stack.stack import Stack, ready_file
from tests.stack.state import Member

__all__ = ["Web", "load", "start_sample"]

SLOW_MILLISECONDS = 1300  # above the guides' second, so that a probe counts it as slow
KINDS = ("postgresql", "mongodb", "redis")


@dataclass(frozen=True)
class Web:
    """How the HTTP side runs; the faults of a planted application apart."""

    tls_days_left: float | None = None
    """None: plain HTTP. Else TLS with a certificate that lasts so many days."""


MAINTAINERS: dict[str, Callable[[Endpoint], Endpoint]] = {
    "postgresql": postgresql.maintainer,
    "redis": redis.maintainer,
}
"""What makes the user of each kind of store who may do what :mod:`.maintenance` wants, and no more."""


def load(endpoints: dict[str, Endpoint], settings: Settings) -> dict[str, Endpoint]:
    """Fill the first store of each kind, side by side; returns the application's endpoints by kind."""
    servers = {kind: endpoint for kind in KINDS for endpoint in _of_kind(endpoints, kind)[:1]}
    loaders: dict[str, Callable[[Endpoint, Settings], Endpoint]] = {
        "postgresql": postgresql.load,
        "mongodb": mongodb.load,
        "redis": _load_redis,
    }
    with ThreadPoolExecutor(max_workers=len(KINDS)) as pool:
        loaded = {kind: pool.submit(loaders[kind], server, settings) for kind, server in servers.items()}
    return {kind: future.result() for kind, future in loaded.items()}


def start_sample(stack: Stack, settings: Settings, web: Web | None = None) -> None:
    """Load the data, write the files, start the HTTP side and, if planted, the live trouble."""
    folder = stack.data / "application"
    folder.mkdir(mode=0o700)
    write_files(folder, settings)
    logs = write_logs(folder / "logs", settings)
    application = load(stack.endpoints, settings)
    token = secrets.token_urlsafe(18)
    runtime = Runtime(application, token)
    runtime.write(folder / "runtime.json")
    url = _start_http(stack, folder, runtime, settings, web or Web())
    if settings.planted:
        _start_trouble(stack, folder)
    stack.note(
        url=url,
        token=token,
        folder=str(folder),
        logs=logs,
        planted=settings.planted,
        endpoints={kind: endpoint.to_json() for kind, endpoint in application.items()},
        maintainers={
            kind: MAINTAINERS[kind](application[kind]).to_json() for kind in MAINTAINERS if kind in application
        },
    )


def _load_redis(server: Endpoint, settings: Settings) -> Endpoint:
    redis.load(server, settings)
    fill_with_python(server, plans(settings))
    if settings.planted:
        plant_remains(server)
    redis.finish(server, settings)
    return server


def _of_kind(endpoints: dict[str, Endpoint], kind: str) -> list[Endpoint]:
    """Newest version first, so that the sample lives on it."""
    return [endpoints[name] for name in sorted(endpoints, key=_version, reverse=True) if endpoints[name].kind == kind]


def _version(store: str) -> float:
    digits = "".join(character for character in store if character.isdigit())
    return float(f"{digits[0]}.{digits[1:]}") if store.startswith("redis") else float(digits or 0)


def _start_http(stack: Stack, folder: Path, runtime: Runtime, settings: Settings, web: Web) -> str:
    """Start the HTTP side; it looks at its stores as the user who may only read."""
    stores = {kind: endpoint.as_monitor() for kind, endpoint in runtime.endpoints.items()}
    file = folder / "http.json"
    Runtime(stores, runtime.token).write(file)
    port = free_port()
    arguments = ["--runtime", str(file), "--port", str(port)]
    if web.tls_days_left is not None:
        certificate = write_certificate(folder / "certificate.pem", days_left=web.tls_days_left)
        arguments += ["--certificate", str(certificate)]
    if settings.planted:
        arguments += ["--slow-ms", str(SLOW_MILLISECONDS), "--no-security-headers", "--no-compression"]
    stack.add_member(_member("http", folder, arguments, port))
    return f"{'http' if web.tls_days_left is None else 'https'}://127.0.0.1:{port}"


def _start_trouble(stack: Stack, folder: Path) -> None:
    member = _member("trouble", folder, ["--runtime", str(folder / "runtime.json")], None)
    member.argv += ["--ready", str(ready_file(member))]
    stack.add_member(member)


def _member(name: str, folder: Path, arguments: list[str], port: int | None) -> Member:
    return Member(
        name=name,
        store=name,
        kind=name,
        argv=[sys.executable, "-m", f"tests.stack.application.{name}", *arguments],
        folder=str(folder),
        log=str(folder.parent / f"{name}.log"),
        stop_signal="SIGTERM",
        port=port,
        environment={"PATH": os.defpath, "PYTHONPATH": _module_path(), "LC_ALL": "C.UTF-8", "TZ": "UTC"},
        as_server_user=False,
    )


def _module_path() -> str:
    """The checkout, and wherever the caller has its libraries from."""
    return os.pathsep.join(filter(None, [str(CHECKOUT), os.environ.get("PYTHONPATH", "")]))
