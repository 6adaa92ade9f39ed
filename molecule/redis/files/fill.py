# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Fill Redis servers with keys and queues, empty them again, prove that nobody has touched them, or tell all they hold.

Usage: fill.py fill|empty|untouched|tell; the servers come as JSON on stdin.
"""

from __future__ import annotations

import json
import sys
import time
from typing import Any

import redis

DAY = 86400
KEYS = 120
"""Keys of no use on each server; the other numbers follow from it."""


def connect(server: dict[str, Any]) -> Any:
    """Return a client of a server, or of the cluster that it belongs to."""
    options: dict[str, Any] = {"password": server["password"], "decode_responses": True}
    if "ca_cert" in server:
        options |= {"ssl": True, "ssl_ca_certs": server["ca_cert"]}
    if server.get("cluster"):
        return redis.RedisCluster(host=server["host"], port=server["port"], **options)
    return redis.Redis(host=server["host"], port=server["port"], db=server.get("database", 0), **options)


def fill(client: Any) -> None:
    """Keys that stay for ever, keys that do not, sessions old and young, and queues of both libraries."""
    now = time.time()
    for number in range(KEYS):
        client.set(f"cache:{number}", "x" * 200)
        client.set(f"page:{number}", "x")
        used = now - (40 if number % 2 else 2) * DAY
        if number % 3:
            client.set(f"sess:{number}", json.dumps({"user": number, "lastActivity": round(used * 1000)}))
        else:
            client.hset(f"sess:{number}", mapping={"user": number, "lastActivity": round(used)})
    for number in range(20):
        client.set(f"cache:kept:{number}", "x", ex=DAY)
        client.set(f"response:{number}", "x", ex=DAY)
    fill_bull(client, "bull:{calls}:", now)
    fill_bullmq(client, "bull:{mails}:", now)


def fill_bull(client: Any, base: str, now: float) -> None:
    """A queue as Bull 4 keeps it: https://github.com/OptimalBits/bull, lib/scripts.js."""
    client.set(f"{base}id", 40)
    for number in range(1, 41):
        ended = now - (3 * DAY if number <= 20 else 3600)
        job = {"name": "call", "data": '{"to": 1}', "opts": '{"attempts": 1}', "delay": 0, "priority": 0}
        job |= {"timestamp": round((ended - 60) * 1000), "attemptsMade": 1}
        if number <= 30:
            done = {"processedOn": round((ended - 1) * 1000), "finishedOn": round(ended * 1000), "returnvalue": "null"}
            client.hset(f"{base}{number}", mapping=job | done)
            client.zadd(f"{base}completed", {str(number): round(ended * 1000)})
        else:
            client.hset(f"{base}{number}", mapping=job | {"attemptsMade": 0})
            client.lpush(f"{base}wait", number)


def fill_bullmq(client: Any, base: str, now: float) -> None:
    """A queue as BullMQ 5 keeps it: https://github.com/taskforcesh/bullmq, src/commands."""
    client.hset(f"{base}meta", mapping={"opts.maxLenEvents": 10000, "version": "bullmq:5.81.5"})
    client.set(f"{base}id", 40)
    client.xadd(f"{base}events", {"event": "added", "jobId": "1"})
    for number in range(1, 41):
        days = 9 if number <= 10 else 0.1
        ended = now - days * DAY
        job = {"name": "mail", "data": "{}", "opts": '{"attempts":1}', "delay": 0, "priority": 0}
        job |= {"timestamp": round((ended - 60) * 1000), "atm": 1, "ats": 1}
        job |= {"processedOn": round((ended - 1) * 1000), "finishedOn": round(ended * 1000)}
        if number % 2:
            client.hset(f"{base}{number}", mapping=job | {"returnvalue": "null"})
            client.zadd(f"{base}completed", {str(number): round(ended * 1000)})
        else:
            client.hset(f"{base}{number}", mapping=job | {"failedReason": "550 no such mailbox", "stacktrace": "[]"})
            client.zadd(f"{base}failed", {str(number): round(ended * 1000)})


def untouched(client: Any) -> None:
    """Fail if a key came, went, or got a TTL."""
    lives = [client.ttl(key) for key in client.scan_iter("*", count=1000)]
    queues = len(("id", "completed", "wait")) + len(("meta", "id", "events", "completed", "failed"))
    expected = (3 * KEYS + 80 + queues, 40)
    found = (lives.count(-1), len(lives) - lives.count(-1))
    if found != expected:
        raise SystemExit(f"{found} keys without and with a TTL, where {expected} were filled in")


def tell(client: Any) -> None:
    """Print every key as JSON: its type, the seconds it has left, and what it holds."""
    readers: dict[str, Any] = {
        "string": client.get,
        "hash": client.hgetall,
        "list": lambda key: client.lrange(key, 0, -1),
        "zset": lambda key: client.zrange(key, 0, -1),
        "stream": client.xlen,
    }
    found = {}
    for key in client.scan_iter("*", count=1000):
        kind = client.type(key)
        found[key] = {"type": kind, "ttl": client.ttl(key), "value": readers[kind](key)}
    sys.stdout.write(f"{json.dumps(found)}\n")


def empty(client: Any) -> None:
    """Remove every key."""
    client.flushdb()


if __name__ == "__main__":
    for each in json.load(sys.stdin):
        opened = connect(each)
        {"fill": fill, "empty": empty, "untouched": untouched, "tell": tell}[sys.argv[1]](opened)
        opened.close()
