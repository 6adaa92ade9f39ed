# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Plan the containers that all Molecule scenarios share: `python -m tools.stage`.

Writes `.cache/molecule/stage.json` with names, images, addresses, ports and new passwords, from which the plays, the
inventory and the tests read, and beside it one file of environment variables a container. Only the owner may read them.
"""

from __future__ import annotations

import json
import os
import secrets
import socket
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .engine import CACHE, EngineMissing, ensure_engine
from .images import ensure_images

__all__ = ["FOLDER", "STAGE", "read_stage"]

FOLDER = CACHE / "molecule"
STAGE = FOLDER / "stage.json"

NETWORK_NAME = os.environ.get("UPKEEP_TEST_NAME", "upkeep-test")
"""Name of the network, and beginning of every container's; two checkouts at once need another name and network."""

# Fixed addresses, since a container that is stopped and started else comes back under another one (podman 4.3), and
# clients wait for the old. The network lies in a private range; another one can be named where this one is taken.
NETWORK = os.environ.get("UPKEEP_TEST_NETWORK", "10.91.7")

# Both stores write their secret to a file before they start, since their programs take it from a file or the command
# line only, and the command line is everybody's to read.
REDIS_START = """\
umask 077
[ -e /data/redis.conf ] || printf 'protected-mode no\\nrequirepass %s\\n' "$REDIS_PASSWORD" >/data/redis.conf
exec docker-entrypoint.sh redis-server /data/redis.conf
"""
# The first server is up at once. The others need TLS, and start as soon as molecule/redis/files/serve.py has brought a
# certificate: a replica, and three primaries of a cluster.
REDISES_START = f"""\
umask 077
serve() {{
    mkdir -p "/data/$1"
    printf '%s\\n' "dir /data/$1" "logfile log" "port $1" "tls-port $2" "requirepass $REDIS_PASSWORD" \\
        "masterauth $REDIS_PASSWORD" "protected-mode no" "tls-cert-file /data/tls.pem" "tls-key-file /data/tls.pem" \\
        "tls-ca-cert-file /data/tls.pem" "tls-auth-clients no" "tls-replication yes" "$3" "$4" \\
        >"/data/$1/redis.conf"
    docker-entrypoint.sh redis-server "/data/$1/redis.conf" --daemonize yes
}}
serve_others() {{
    until [ -s /data/tls.pem ]; do sleep 0.2; done
    serve 6381 6382 'replicaof 127.0.0.1 6380'
    for port in 7001 7002 7003; do serve "$port" "$((port + 1000))" 'cluster-enabled yes' 'tls-cluster yes'; done
}}
serve_others &
{REDIS_START}"""
MONGODB_START = """\
umask 077
[ -e /data/configdb/key ] || printf '%s\\n' "$MONGODB_KEY" >/data/configdb/key
chown mongodb /data/configdb/key
exec docker-entrypoint.sh mongod --replSet rs0 --bind_ip_all --keyFile /data/configdb/key --wiredTigerCacheSizeGB 0.25
"""
POSTGRESQL_START = ("postgres", "-c", "fsync=off", "-c", "shared_preload_libraries=pg_stat_statements")
# A standby waits until its primary lets it in, which molecule/default/files/make_ready.py sees to.
STANDBY_START = f"""\
umask 077
until [ -s "$PGDATA/PG_VERSION" ]; do
    rm -rf "$PGDATA"
    pg_basebackup -D "$PGDATA" -d "$UPKEEP_PRIMARY" --write-recovery-conf --checkpoint=fast --no-sync || sleep 0.2
done
exec docker-entrypoint.sh {" ".join(POSTGRESQL_START)}
"""


@dataclass(frozen=True)
class Store:
    """One container with a store: its image's variable, address, port, volume and how it is started."""

    image: str
    octet: int
    port: int
    volume: str
    command: tuple[str, ...]
    entrypoint: str = ""


STORES = {
    "postgresql17": Store("UPKEEP_IMAGE_POSTGRES", 11, 5432, "/srv/pg", POSTGRESQL_START),
    "postgresql15": Store("UPKEEP_IMAGE_POSTGRES15", 12, 5432, "/srv/pg", POSTGRESQL_START),
    "mongodb": Store("UPKEEP_IMAGE_MONGO", 13, 27017, "/data/db", ("-c", MONGODB_START), "sh"),
    "redis": Store("UPKEEP_IMAGE_REDIS", 14, 6379, "/data", ("-c", REDIS_START), "sh"),
    "standby15": Store("UPKEEP_IMAGE_POSTGRES15", 15, 5432, "/srv/pg", ("-c", STANDBY_START), "sh"),
    "redises": Store("UPKEEP_IMAGE_REDIS", 16, 6379, "/data", ("-c", REDISES_START), "sh"),
}
OPS_OCTET = 10


def free_ports(count: int) -> Iterator[int]:
    """Find free loopback ports below the range from which the kernel gives ports to outgoing connections."""
    with ExitStack() as held:
        while count:
            port = secrets.choice(range(20000, 32000))
            candidate = held.enter_context(socket.socket())
            try:
                candidate.bind(("127.0.0.1", port))
            except OSError:
                continue
            count -= 1
            yield port


def secrets_of(store: str, passwords: dict[str, str]) -> dict[str, str]:
    """Return the environment variables through which a container gets its secrets."""
    if store.startswith("postgresql"):
        login = {"POSTGRES_USER": "upkeep_admin", "POSTGRES_PASSWORD": passwords["admin"]}
        return {**login, "POSTGRES_DB": "beo_automation", "PGDATA": "/srv/pg/data"}
    if store == "standby15":
        primary = f"host={container_name('postgresql15')} user=upkeep_admin application_name=standby15"
        return {"UPKEEP_PRIMARY": primary, "PGPASSWORD": passwords["admin"], "PGDATA": "/srv/pg/data"}
    return {"MONGODB_KEY": passwords["key"]} if store == "mongodb" else {"REDIS_PASSWORD": passwords["admin"]}


def write_private(path: Path, text: str) -> None:
    """Write a file that only its owner may read, from its first byte on."""
    path.unlink(missing_ok=True)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(text)


def address(octet: int) -> dict[str, str]:
    """Return the fixed addresses of a container."""
    return {"address": f"{NETWORK}.{octet}", "mac": f"02:42:0a:5b:07:{octet:02x}"}


def container_name(name: str) -> str:
    """Return the name of a container, and of its volume."""
    return f"{NETWORK_NAME}-{name}"


def run_arguments(name: str, octet: int, image: str, own: list[str], command: tuple[str, ...] = ()) -> list[str]:
    """Return the arguments of `podman run` or `docker run` for a container; `own` are the options that only it has."""
    place = address(octet)
    # Names by file and not by DNS: the engine's resolver stalls for seconds after a container was restarted.
    others = {**{other: store.octet for other, store in STORES.items()}, "ops": OPS_OCTET}
    hosts = [f"--add-host={container_name(other)}:{NETWORK}.{number}" for other, number in others.items()]
    named = [f"--name={container_name(name)}", f"--hostname={container_name(name)}"]
    placed = [f"--network={NETWORK_NAME}", f"--ip={place['address']}", f"--mac-address={place['mac']}", *hosts]
    return ["run", "--detach", *named, *placed, *own, image, *command]


def plan_store(name: str, store: Store, image: str, published: int, passwords: dict[str, str]) -> dict[str, Any]:
    """Plan the container of one store and write its file of secrets."""
    environment_file = FOLDER / f"{name}.env"
    lines = [f"{variable}={value}\n" for variable, value in secrets_of(name, passwords).items()]
    write_private(environment_file, "".join(lines))
    own = [
        f"--env-file={environment_file}",
        f"--publish=127.0.0.1:{published}:{store.port}",
        f"--volume={container_name(name)}:{store.volume}",
        *([f"--entrypoint={store.entrypoint}"] if store.entrypoint else []),
    ]
    return {
        "container": container_name(name),
        "address": address(store.octet)["address"],
        "port": store.port,
        "published": published,
        "run": run_arguments(name, store.octet, image, own, store.command),
    }


def plan() -> dict[str, Any]:
    """Choose engine, images, addresses, ports and passwords, and write the files of secrets."""
    engine = ensure_engine()
    images = ensure_images(engine)
    FOLDER.mkdir(mode=0o700, parents=True, exist_ok=True)
    passwords = {"admin": secrets.token_hex(12), "monitor": secrets.token_hex(12), "key": secrets.token_hex(24)}
    ports = dict(zip(STORES, free_ports(len(STORES)), strict=True))
    stores = {
        name: plan_store(name, store, images[store.image], ports[name], passwords) for name, store in STORES.items()
    }
    # A database host sees the files of its database.
    volumes = [f"--volume={container_name(name)}:/srv/{name}" for name in STORES]
    ops_image = images["UPKEEP_IMAGE_OPS"]
    return {
        "engine": engine.name,
        "environment": engine.environment,
        "network": {"name": NETWORK_NAME, "subnet": f"{NETWORK}.0/24"},
        "stores": stores,
        "ops": {
            "container": container_name("ops"),
            "image": ops_image,
            "run": run_arguments("ops", OPS_OCTET, ops_image, volumes),
        },
        "passwords": passwords,
        # How each host of the inventory reaches the stores: over their network, or through published ports.
        "reach": {
            "ops": {name: {"host": store["address"], "port": store["port"]} for name, store in stores.items()},
            "local": {name: {"host": "127.0.0.1", "port": store["published"]} for name, store in stores.items()},
        },
    }


def read_stage() -> dict[str, Any]:
    """Read the plan of the containers that are up."""
    stage: dict[str, Any] = json.loads(STAGE.read_text())
    return stage


if __name__ == "__main__":
    try:
        write_private(STAGE, json.dumps(plan(), indent=2))
    except EngineMissing as error:
        sys.exit(str(error))
