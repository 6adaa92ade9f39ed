# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Log files of the applications: winston's JSON lines, a web server's access log, the bot's plain lines.

They hold what real ones hold: broken lines, rotated and compressed files.
"""

from __future__ import annotations

import gzip
import importlib
import json
import random
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from pathlib import Path

from tests.stack.application.people import generator
from tests.stack.application.settings import Settings

__all__ = ["write_logs"]

BROKEN = (
    b'{"level":"info","message":"cut off in the mid',
    b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03 garbage of a TLS client",
    b"    at Socket.<anonymous> (/app/node_modules/pg/lib/client.js:132:31)",
    b"\xff\xfe not UTF-8 at all",
)
AGENTS = ("Mozilla/5.0 (X11; Linux x86_64)", "okhttp/4.12.0", 'curl/8.5.0 \\"quoted\\"', "-")
REPEATED = {"name": "PaymentGatewayError", "message": "connect ETIMEDOUT 10.1.2.3:443"}
MINUTES_OF_A_DAY = 24 * 60


def write_logs(folder: Path, settings: Settings) -> list[dict[str, object]]:
    """Write all logs below `folder`; returns them as entries of the inventory's `upkeep_logs`."""
    bot = folder / "bot-order"
    bot.mkdir(parents=True)
    today = settings.now
    yesterday, before = today - timedelta(days=1), today - timedelta(days=2)
    source = generator(settings.seed, "logs")
    # Today's live file, yesterday's rotated one, and the compressed one of the day before.
    _plain(folder / "combined.log", _winston(source, settings, today, planted=settings.planted))
    _packed(folder / f"combined-{before:%Y-%m-%d}.log", _winston(source, settings, before, planted=False), "gz")
    _plain(folder / "access.log", _access(source, settings, today, planted=settings.planted))
    _plain(folder / "access.log.1", _access(source, settings, yesterday, planted=False))
    _packed(folder / "access.log.2", _access(source, settings, before, planted=False), "gz")
    _packed(folder / "access.log.3", _access(source, settings, before - timedelta(days=1), planted=False), "zst")
    _plain(bot / f"{today:%Y-%m-%d}.log", _bot(source, today, expired_jobs=not settings.planted))
    _packed(bot / f"{yesterday:%Y-%m-%d}.log", _bot(source, yesterday, expired_jobs=True), "gz")
    return [
        {"name": "delauto", "paths": [str(folder / "combined*.log*")], "format": "json"},
        {"name": "delauto-access", "paths": [str(folder / "access.log*")], "format": "combined", "slow_ms": 1000},
        {"name": "bot-order", "paths": [str(bot / "*.log*")], "format": "bracket"},
    ]


def _plain(path: Path, lines: Iterable[bytes]) -> None:
    path.write_bytes(b"".join(line + b"\n" for line in lines))


def _packed(path: Path, lines: Iterable[bytes], form: str) -> None:
    """Write compressed; Zstandard only where a library for it is there, else gzip."""
    text = b"".join(line + b"\n" for line in lines)
    zstandard = _zstandard() if form == "zst" else None
    if zstandard is None:
        path.with_name(f"{path.name}.gz").write_bytes(gzip.compress(text, mtime=0))
    else:
        path.with_name(f"{path.name}.zst").write_bytes(zstandard(text))


def _zstandard() -> Callable[[bytes], bytes] | None:
    for name in ("compression.zstd", "backports.zstd", "zstandard"):  # Python 3.14 brings the first
        try:
            compress: Callable[[bytes], bytes] = importlib.import_module(name).compress
        except ImportError:
            continue
        return compress
    return None


def _moments(source: random.Random, day: datetime, count: int) -> list[datetime]:
    """Times in the 24 hours before `day`, in order."""
    ages = sorted((source.uniform(0, MINUTES_OF_A_DAY * 60) for _number in range(count)), reverse=True)
    return [day - timedelta(seconds=age) for age in ages]


def _winston(source: random.Random, settings: Settings, day: datetime, *, planted: bool) -> Iterable[bytes]:
    moments = _moments(source, day, settings.count(1500))
    for moment in moments:
        level = source.choices(("info", "warn", "error", "http"), (88, 3, 3 if planted else 0, 9))[0]
        entry: dict[str, object] = {
            "level": level,
            "message": "Event processed successfully" if level != "error" else "Failed to process event",
            "timestamp": _iso(moment),
            "service": "beo-automation",
            "duration": source.randrange(2, 400),
        }
        if level == "error":
            entry["error"] = {"name": source.choice(("ValidationError", "MongoServerError")), "message": "refused"}
        elif planted and source.random() < 0.02:
            entry |= {"duration": source.randrange(1001, 9000), "query": "deliveries.find({customer_id: ?})"}
        yield json.dumps(entry).encode()
    if planted:
        yield from BROKEN
        for number in range(15):  # the same error more than ten times within an hour
            moment = day - timedelta(minutes=50 - 3 * number)
            repeated = {"level": "error", "message": "Payment failed", "timestamp": _iso(moment), "error": REPEATED}
            yield json.dumps(repeated).encode()


def _access(source: random.Random, settings: Settings, day: datetime, *, planted: bool) -> Iterable[bytes]:
    for moment in _moments(source, day, settings.count(2000)):
        failing = planted and source.random() < 0.04
        status = source.choice((500, 502, 503)) if failing else source.choices((200, 201, 304, 404), (90, 4, 5, 1))[0]
        slow = planted and source.random() < 0.03
        milliseconds = source.randrange(1001, 8000) if slow else source.randrange(3, 700)
        host = source.choice(("10.0.0.5", "192.0.2.44", "2001:db8::17"))
        path = source.choice(("/api/deliveries", "/api/orders?page=2", "/health", "/login"))
        method = source.choice(("GET", "GET", "POST"))
        request = f"{method} {path} HTTP/1.1"
        size = source.randrange(80, 9000) if status != 304 else "-"
        stamp = moment.strftime("%d/%b/%Y:%H:%M:%S +0000")
        agent = source.choice(AGENTS)
        yield f'{host} - - [{stamp}] "{request}" {status} {size} "-" "{agent}" {milliseconds}'.encode()
    if planted:
        yield BROKEN[1]
        yield f'10.0.0.9 - - [{day:%d/%b/%Y:%H:%M:%S} +0000] "-" 408 - "-" "-" 0'.encode()


def _bot(source: random.Random, day: datetime, *, expired_jobs: bool) -> Iterable[bytes]:
    """Every hour the job that expires payments says so; without it the marker is missing."""
    for hour in range(24, 0, -1):
        moment = day - timedelta(hours=hour) + timedelta(minutes=source.randrange(50))
        yield f"[{moment:%Y-%m-%d %H:%M:%S}] [INFO] Order {source.randrange(10**6)} paid".encode()
        if expired_jobs:
            yield f"[{moment:%Y-%m-%d %H:%M:%S}] [INFO] [expired_payments] {source.randrange(4)} closed".encode()
            yield f"[{moment:%Y-%m-%d %H:%M:%S}] [INFO] [expired_deposits] {source.randrange(2)} closed".encode()
    yield f"[{day:%Y-%m-%d %H:%M:%S}] [WARN] Telegram answered late".encode()
    yield f"[{day:%Y-%m-%d %H:%M:%S}] [INFO] [snk] Purge {source.randrange(20)} submissions".encode()


def _iso(moment: datetime) -> str:
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
