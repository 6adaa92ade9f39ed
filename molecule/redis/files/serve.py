# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Bring the certificate, on which replica and cluster start; then join the cluster and make the users.

Address, passwords and certificate come as JSON on stdin.
"""

from __future__ import annotations

import contextlib
import json
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import redis

VOLUME = Path("/srv/redises")
PLAIN = {"main": 6379, "replica": 6381}
CLUSTER = (7001, 7002, 7003)
TLS = 1000
"""How far above its port a node of the cluster speaks TLS."""
SLOTS = 16384
PATIENCE = 60

LOOKING = (
    "+@read +@connection +info +role +time +slowlog|get +config|get +acl|users +acl|getuser +cluster +memory|usage"
)
CHANGING = "+@write +eval +memory|purge -flushall -flushdb -swapdb"
WITHOUT_SCRIPTS = "-eval +watch +unwatch +multi +exec"


def retry(step: Callable[[], Any]) -> Any:
    """Repeat a step until it comes true; a server that starts refuses connections and commands for a while."""
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        with contextlib.suppress(redis.exceptions.RedisError):
            if done := step():
                return done
        time.sleep(0.1)
    return step()


def bring(pem: str) -> None:
    """Put the certificate in place in one step, readable by the servers' user only."""
    owner = (VOLUME / "redis.conf").stat()
    new = VOLUME / "tls.new"
    new.unlink(missing_ok=True)
    with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as handle:
        handle.write(pem + "\n")
    os.chown(new, owner.st_uid, owner.st_gid)
    new.rename(VOLUME / "tls.pem")


def speak_tls(main: redis.Redis) -> None:
    """Let the first server speak TLS beside its plain port."""
    for name in ("tls-cert-file", "tls-key-file", "tls-ca-cert-file"):
        main.config_set(name, "/data/tls.pem")
    main.config_set("tls-auth-clients", "no")
    main.config_set("tls-port", "6380")
    main.config_rewrite()


def join(nodes: list[redis.Redis], address: str) -> None:
    """Make a cluster of the nodes; each gets a third of the slots."""
    if nodes[0].execute_command("CLUSTER INFO")["cluster_state"] == "ok":
        return
    for at, node in enumerate(nodes):
        first, last = at * SLOTS // len(nodes), (at + 1) * SLOTS // len(nodes) - 1
        node.execute_command("CLUSTER ADDSLOTSRANGE", first, last)
        for port in CLUSTER:
            node.execute_command("CLUSTER MEET", address, port + TLS)


def joined(node: redis.Redis, number: int) -> bool:
    """Whether a node serves and knows all."""
    return node.execute_command("CLUSTER INFO")["cluster_state"] == "ok" and (
        len(node.execute_command("CLUSTER SLOTS")) == number
    )


def main() -> None:
    """Make every server ready."""
    given = json.load(sys.stdin)
    address, passwords = given["address"], given["passwords"]

    def client(port: int) -> redis.Redis:
        return redis.Redis(host=address, port=port, password=passwords["admin"], decode_responses=True)

    first = client(PLAIN["main"])
    bring(given["pem"])
    speak_tls(first)
    nodes = [client(port) for port in CLUSTER]
    for server in (client(PLAIN["replica"]), *nodes):
        retry(server.ping)
        for user, rights in (("upkeep_monitor", LOOKING), ("upkeep_owner", f"{LOOKING} {CHANGING} {WITHOUT_SCRIPTS}")):
            rules = ["reset", "on", f">{passwords['monitor']}", "~*", "&*", *rights.split()]
            server.execute_command("ACL", "SETUSER", user, *rules)
    for user, rights in (("upkeep_monitor", LOOKING), ("upkeep_owner", f"{LOOKING} {CHANGING}")):
        rules = ["reset", "on", f">{passwords['monitor']}", "~*", "&*", *rights.split()]
        first.execute_command("ACL", "SETUSER", user, *rules)
    join(nodes, address)
    for node in nodes:
        retry(lambda node=node: joined(node, len(nodes)))
    retry(lambda: first.info("replication")["connected_slaves"] == 1)


if __name__ == "__main__":
    main()
