# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Judges who can reach the server, and what of it is open to them. Pure."""

from __future__ import annotations

from enum import Enum

from ..._core.finding import Finding
from ..._core.health import Situation
from ..._core.runner import Decision, sub_finding
from ..._core.severity import Severity
from .observation import Account, Exposure

__all__ = ["NAMES", "Reach", "decide_exposure", "reach"]

NAMES = frozenset(
    {
        "bind", "port", "tls-port", "protected-mode", "enable-debug-command", "enable-module-command",
        "enable-protected-configs",
    }
)  # fmt: skip
"""Settings that are asked for. None of them is a secret."""

DEFAULT = "default"
_OPENERS = ("enable-debug-command", "enable-module-command", "enable-protected-configs")
_LOOPBACK = ("127.", "::1", "localhost")
_EVERYWHERE = ("*", "0.0.0.0", "::", "::*")  # noqa: S104 - it is looked for, not bound to


class Reach(Enum):
    """From where a server can be reached."""

    HOST = "this machine"
    NETWORK = "some addresses"
    ANYWHERE = "every address"
    UNKNOWN = "unknown"


def reach(seen: Exposure) -> Reach:
    """Return from where the server can be reached, by the addresses that it listens on.

    An address with a ``-`` before it may be missing on the machine. Without any, it listens on all.
    """
    if "bind" not in seen.values:
        return Reach.UNKNOWN
    addresses = [address.removeprefix("-") for address in seen.values["bind"].split()]
    if not addresses or any(address in _EVERYWHERE for address in addresses):
        return Reach.ANYWHERE
    return Reach.HOST if all(address.startswith(_LOOPBACK) for address in addresses) else Reach.NETWORK


def decide_exposure(seen: Exposure, situation: Situation) -> Decision:
    """Judge logins without password, addresses, encryption, and settings that open what is closed."""
    accounts = [account for account in seen.accounts if account.active]
    decision = Decision(
        metrics={
            "redis_users": len(accounts),
            "redis_users_without_password": sum(account.open for account in accounts),
            "redis_users_with_all_commands": sum(account.everything for account in accounts),
        }
    )
    if seen.denied:
        decision.findings.append(sub_finding(f"{situation.subject} exposure", "redis", seen.denied, Severity.WARNING))
    for account in accounts:
        if account.open:
            decision.findings.append(_without_password(account, seen, situation))
    decision.findings += _addresses(seen, situation) + _opened(seen, situation)
    return decision


def _protected(seen: Exposure) -> bool:
    """Whether protected mode turns others away: where the default user has no password, and, before Redis 7, only if
    no address was set on purpose.
    """
    if seen.values.get("protected-mode") != "yes":
        return False
    return seen.version >= (7,) or not seen.values.get("bind")


def _without_password(account: Account, seen: Exposure, situation: Situation) -> Finding:
    where = reach(seen)
    default = account.name == DEFAULT
    # What a user of no rights can do is little; whoever cannot reach the server can do nothing at all.
    shut = where is Reach.HOST or (default and _protected(seen)) or not account.everything
    subject = f"{situation.subject} user {account.name}"
    rights = "and may run every command" if account.everything else "with the rights that it has"
    message = f"{subject} needs no password {rights}; the server listens for {where.value}"
    if default and _protected(seen) and where is not Reach.HOST:
        message += ", where only protected mode turns others away"
    remedy = (
        f"Set a password: ACL SETUSER {account.name} resetpass '>...', then ACL SAVE or CONFIG REWRITE."
        if seen.version >= (6,)
        else "Set a password: requirepass in the configuration file."
    )
    severity = Severity.WARNING if shut else Severity.CRITICAL
    return Finding("redis.no_password", severity, subject, message, account.name, None, remedy)


def _addresses(seen: Exposure, situation: Situation) -> list[Finding]:
    where, bind = reach(seen), seen.values.get("bind", "")
    if where not in (Reach.NETWORK, Reach.ANYWHERE):
        return []
    findings = []
    if where is Reach.ANYWHERE and "bind" not in seen.accepted:
        subject = f"{situation.subject} setting bind"
        message = f"{subject} is {bind or 'empty'}: the server listens on every address of the machine"
        remedy = "Name the addresses that the application uses (bind 127.0.0.1 10.0.0.5), and see to the firewall."
        findings.append(Finding("redis.open_address", Severity.WARNING, subject, message, bind, None, remedy))
    if seen.values.get("port", "0") != "0" and "port" not in seen.accepted:
        port = seen.values["port"]
        subject = f"{situation.subject} setting port"
        message = f"{subject} is {port}: passwords and data cross the network in the clear"
        remedy = "Serve TLS (tls-port, tls-cert-file, tls-key-file) and set port 0, or listen on this machine only."
        findings.append(Finding("redis.unencrypted", Severity.WARNING, subject, message, port, None, remedy))
    return findings


def _opened(seen: Exposure, situation: Situation) -> list[Finding]:
    """Name commands that let a client run code or write files, where they are switched on; they are off by default."""
    findings = []
    for name in _OPENERS:
        value = seen.values.get(name, "no")
        if value == "no" or name in seen.accepted:
            continue
        severity = Severity.WARNING if value == "local" else Severity.CRITICAL
        subject = f"{situation.subject} setting {name}"
        message = f"{subject} is {value}: whoever may log in can run code of their own or write files"
        findings.append(Finding("redis.setting", severity, subject, message, value, None, "Set it to no."))
    return findings
