# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Reads which TCP ports something listens on."""

from __future__ import annotations

import ipaddress
import sys

from .._core.runner import Context
from .client import Watch
from .facts import Listener, Ports
from .reader import Host

__all__ = ["observe_ports", "parse_listeners"]

LISTEN = "0A"
"""TCP_LISTEN in the kernel's include/net/tcp_states.h."""


def parse_address(text: str) -> str:
    """Read an address of /proc/net/tcp or tcp6: words of 32 bits in the host's byte order."""
    words = [bytes.fromhex(text[start : start + 8]) for start in range(0, len(text), 8)]
    raw = b"".join(word[::-1] if sys.byteorder == "little" else word for word in words)
    address = ipaddress.ip_address(raw)
    mapped = getattr(address, "ipv4_mapped", None)
    return str(mapped or address)


def parse_listeners(text: str) -> list[tuple[str, int, str]]:
    """Read /proc/net/tcp or tcp6: address, port and inode of every socket that listens."""
    found = []
    for line in text.splitlines()[1:]:
        fields = line.split()
        if len(fields) > 9 and fields[3] == LISTEN:
            address, _colon, port = fields[1].partition(":")
            found.append((parse_address(address), int(port, 16), fields[9]))
    return found


def socket_owners(host: Host, inodes: set[str]) -> dict[str, str]:
    """Return the process name behind each socket, of those that the user may see. Ends when all are found."""
    wanted, owners = {f"socket:[{inode}]": inode for inode in inodes}, {}
    for pid in host.processes():
        for descriptor in host.entries(f"proc/{pid}/fd") or ():
            inode = wanted.get(host.link(f"proc/{pid}/fd/{descriptor}") or "")
            if inode is not None and inode not in owners:
                owners[inode] = (host.read_if_there(f"proc/{pid}/comm") or "").strip()
        if len(owners) == len(inodes):
            break
    return owners


def observe_ports(watch: Watch, context: Context) -> Ports:
    """Read who listens on TCP, in the network name space of the module.

    :raises StoreError: /proc/net/tcp cannot be read.
    """
    host = watch.host
    sockets = parse_listeners(host.read("proc/net/tcp"))
    # Absent where the kernel has no IPv6.
    sockets += parse_listeners(host.read_if_there("proc/net/tcp6") or "")
    owners = socket_owners(host, {inode for _address, _port, inode in sockets})
    listeners = {
        Listener(address, port, owners.get(inode, ""), not ipaddress.ip_address(address).is_loopback)
        for address, port, inode in sockets
    }
    ordered = sorted(listeners, key=lambda listener: (listener.port, listener.address, listener.process))
    return Ports(ordered, context.params.get("expected_ports") or ())
