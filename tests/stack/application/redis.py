# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The Redis side: the caches and sessions of both teams."""

from __future__ import annotations

import hashlib
import json
import secrets
import time
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import redis

from tests.stack.application.people import generator, moment
from tests.stack.application.settings import Settings
from tests.stack.endpoint import Endpoint
from tests.stack.errors import StackError
from tests.stack.servers.redis import connect

__all__ = ["digest", "finish", "load", "maintainer"]

HOUR, DAY = 3600, 86_400
STALE_DAYS = 40
MAINTAINER = "delauto_maintainer"
MAINTAINER_RULES = (
    "~analytics:* ~sess:* ~bull:* ~upkeep:* -@all +@connection +info +role +eval"
    # redis_cleanup
    " +time +scan +type +pttl +object|idletime +unlink +pexpire +set +get +hget +getrange"
    # queue_cleanup
    " +@read +@write"
)
BATCH = 500
FULL_SHARE = 0.9  # of maxmemory: above the guides' 85 %, with room for a few more clients
SLOW_SECONDS = 0.15  # above the tenth of a second from which a command is a finding, on any machine
BACKGROUND_SAVE_SECONDS = 20.0
SLOW_COMMANDS = 3
BUSY_LOOP = "local x = 0 for i = 1, tonumber(ARGV[1]) do x = x + i % 7 end return x"


def load(server: Endpoint, settings: Settings) -> None:
    """Fill the keys. :func:`finish` follows once the queues stand too."""
    with connect(server) as client:
        pipeline = client.pipeline(transaction=False)
        for number, (key, kind, value, ttl) in enumerate(_entries(settings), 1):
            if kind == "hash":
                pipeline.hset(key, mapping=json.loads(value))
            else:
                pipeline.set(key, value)
            if ttl is not None:
                pipeline.expire(key, ttl)
            if number % BATCH == 0:
                pipeline.execute()
        pipeline.execute()
        if settings.planted:
            _plant_idle(server)
            _plant_big(client, settings)


def _entries(settings: Settings) -> list[tuple[str, str, str, int | None]]:
    """Key, kind, content (JSON for a hash) and seconds to live (None: for ever)."""
    source = generator(settings.seed, "redis")
    planted = settings.planted
    entries: list[tuple[str, str, str, int | None]] = []
    for number in range(settings.count(400)):
        day = (settings.now - timedelta(days=number % 90)).strftime("%Y-%m-%d")
        counts = {str(hour): source.randrange(5000) for hour in range(24)}
        ttl = None if planted and number % 2 else 90 * DAY
        entries.append((f"analytics:daily:{day}:{number}", "hash", json.dumps(counts), ttl))
    for number in range(settings.count(1000)):
        stale = planted and number % 4 == 0
        active = moment(source, settings.now, 90, 31) if stale else moment(source, settings.now, 20)
        body = {"userId": source.randrange(2000), "lastActivity": active.isoformat(), "cart": "x" * 120}
        ttl = None if planted and number % 3 == 0 else 30 * DAY
        entries.append((f"sess:{source.randrange(16**16):016x}", "string", json.dumps(body), ttl))
    for number in range(settings.count(500)):
        body = {"token": f"{source.randrange(16**24):024x}", "role": "user"}
        entries.append((f"session:{number}", "string", json.dumps(body), 300))
    for number in range(settings.count(1500)):
        body = {"id": number, "name": f"User {number}", "settings": "x" * source.randrange(50, 300)}
        entries.append((f"user:{number}", "string", json.dumps(body), None if planted and number % 5 == 0 else HOUR))
    for number in range(settings.count(500)):
        ttl = DAY if planted and number % 4 == 0 else 300  # the guides allow a response five minutes
        path = f"/api/deliveries?page={number}"
        entries.append((f"response:{path}", "string", json.dumps({"path": path, "rows": "x" * 400}), ttl))
    return entries


def _plant_idle(server: Endpoint) -> None:
    """Keys that nobody has read for weeks: RESTORE sets the idle time that waiting would have given."""
    with connect(server, decode_responses=False) as client:
        for number in range(100):
            key = f"analytics:forgotten:{number}"
            client.set(key, "x" * 200)
            value = client.dump(key)
            client.restore(key, 0, value, replace=True, idletime=STALE_DAYS * DAY)


def _plant_big(client: redis.Redis, settings: Settings) -> None:
    """One hash and one text so large that removing them at once would hold up everybody."""
    source = generator(settings.seed, "redis.big")
    fields: dict[Any, Any] = {
        f"visitor:{number}": f"{source.randrange(16**16):016x}" for number in range(settings.count(30_000))
    }
    client.hset("analytics:visitors:all", mapping=fields)
    client.set("analytics:export:last", "x" * settings.count(2_000_000))


def maintainer(server: Endpoint) -> Endpoint:
    """Make the user who cleans up keys and queues, with the rights that the modules' notes name; returns the server as
    theirs.
    """
    if server.password is None:
        return server
    password = secrets.token_urlsafe(18)
    with connect(server) as client:
        client.execute_command("ACL", "SETUSER", MAINTAINER, "on", f">{password}", *MAINTAINER_RULES.split())
    return replace(server, user=MAINTAINER, password=password)


def finish(server: Endpoint, settings: Settings) -> None:
    """Bring statistics and persistence into the state that is wanted; the last step, when all keys stand."""
    with connect(server) as client:
        client.config_resetstat()
        client.slowlog_reset()
        client.execute_command("LATENCY", "RESET")
        _use(client, settings)
        if settings.planted:
            _plant_slow(client)
            _save(client, fails=True)
            client.config_set("maxmemory", round(client.info("memory")["used_memory"] / FULL_SHARE))
        else:
            _save(client, fails=False)


def _use(client: redis.Redis, settings: Settings) -> None:
    """Reads of the application's daily life; planted, most of them find nothing."""
    source = generator(settings.seed, "redis.use")
    pipeline = client.pipeline(transaction=False)
    known = settings.count(1500)
    for _number in range(3000):
        number = source.randrange(known)
        pipeline.get(f"user:{number + known if settings.planted and source.random() < 0.7 else number}")
    pipeline.execute()


def _plant_slow(client: redis.Redis) -> None:
    """Three commands that really take long, however quick the machine is."""
    rounds, slow = 1_000_000, 0
    while slow < SLOW_COMMANDS:
        began = time.monotonic()
        client.eval(BUSY_LOOP, 0, str(rounds))
        taken = time.monotonic() - began
        slow += taken >= SLOW_SECONDS
        rounds = max(rounds, round(rounds * 1.2 * SLOW_SECONDS / taken))


def _save(client: redis.Redis, *, fails: bool) -> None:
    """Save once in the background. To let it fail, the folder takes no new file for as long as that lasts.

    A failed save would also refuse all writes from then on, which is not the trouble meant here.
    """
    folder = Path(str(client.config_get("dir")["dir"]))
    if fails:
        client.config_set("stop-writes-on-bgsave-error", "no")
        folder.chmod(0o500)
    try:
        client.bgsave()
        end = time.monotonic() + BACKGROUND_SAVE_SECONDS
        while (facts := client.info("persistence"))["rdb_bgsave_in_progress"]:
            if time.monotonic() > end:
                raise StackError(f"Redis did not end its background save within {BACKGROUND_SAVE_SECONDS:.0f} s")
            time.sleep(0.02)
    finally:
        folder.chmod(0o700)
    wanted = "err" if fails else "ok"
    if facts["rdb_last_bgsave_status"] != wanted:
        raise StackError(f"Redis' background save ended as {facts['rdb_last_bgsave_status']}, {wanted} was wanted")


def digest(server: Endpoint, pattern: str = "*") -> str:
    """A digest of all keys and values that match; times to live are left out."""
    total = hashlib.sha256()
    with connect(server) as client:
        for key in sorted(set(client.scan_iter(pattern, count=1000))):
            kind = client.type(key)
            value = sorted(client.hgetall(key).items()) if kind == "hash" else client.get(key)
            total.update(json.dumps([key, kind, value]).encode())
    return total.hexdigest()
