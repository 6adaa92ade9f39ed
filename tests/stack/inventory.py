# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Write an Ansible inventory that describes a running stack with its sample application."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path
from typing import Any

import yaml

from tests.stack.application.maintenance import KEYS, QUEUE_WORK, RETENTION
from tests.stack.application.queues.plan import PREFIX, QUEUES
from tests.stack.endpoint import Endpoint
from tests.stack.stack import Stack

__all__ = ["write_inventory"]

HOST_NAME = "demo"
APPLICATION = "delauto"
HEADER = "# Written by tests.stack for one running stack. Holds passwords.\n---\n"
SAMPLE_NAMES = {"postgresql": "beo_automation", "mongodb": "delauto", "redis": "delauto-cache"}
# Which servers the wheels hold is no trouble of the application: that some are out of support is known here.
KNOWN_VERSIONS = {"mongodb": {"unsupported_days": "off"}, "redis": {"unsupported_days": "off"}}
# The troubles of the sample are seconds old when it is looked at; in production they would be minutes.
FRESH_TROUBLE = {
    "postgresql": {"idle_in_transaction_seconds": {"warning": 1}, "blocked_seconds": {"warning": 1}},
    "mongodb": {"operation_seconds": {"warning": 1}},
}


def write_inventory(stack: Stack, folder: Path) -> None:
    """Write `hosts.yml` and `group_vars/all.yml` into `folder` (mode 0700, files 0600), replacing earlier ones."""
    variables = folder / "group_vars"
    variables.mkdir(parents=True, exist_ok=True)
    for each in (folder, variables):
        each.chmod(0o700)
    host = {"ansible_connection": "local", "ansible_python_interpreter": "{{ ansible_playbook_python }}"}
    _write(folder / "hosts.yml", {"all": {"hosts": {HOST_NAME: host}}})
    _write(variables / "all.yml", inventory_variables(stack))


def inventory_variables(stack: Stack) -> dict[str, Any]:
    """The `upkeep_*` variables of a stack.

    Monitoring logs in as the user who may only read statistics; what changes a store, as one who may do no more.
    """
    sample = stack.sample
    application = {kind: Endpoint.from_json(each) for kind, each in sample.get("endpoints", {}).items()}
    found: dict[str, Any] = {"upkeep_app": APPLICATION}
    for kind, sample_name in SAMPLE_NAMES.items():
        found[f"upkeep_{kind}"] = [
            _entry(sample_name, application[kind])
            if kind in application and application[kind].port == endpoint.port
            else _entry(name, endpoint)
            for name, endpoint in stack.endpoints.items()
            if endpoint.kind == kind
        ]
    maintainers = {kind: Endpoint.from_json(each) for kind, each in sample.get("maintainers", {}).items()}
    for kind, work in (("postgresql", {"retention": RETENTION}), ("redis", {"cleanup": KEYS})):
        for entry in found[f"upkeep_{kind}"]:
            if kind in maintainers and entry["name"] == SAMPLE_NAMES[kind]:
                entry |= {"maintenance": _login(maintainers[kind]), **work}
    if "redis" in application:
        queues = {"prefix": PREFIX, "queues": list(QUEUES)}
        work = {"maintenance": _login(maintainers["redis"]), "cleanup": QUEUE_WORK}
        found["upkeep_queues"] = [_entry("delauto-queues", application["redis"]) | queues | work]
    if sample:
        found["upkeep_http"] = _http(sample["url"])
        found["upkeep_logs"] = sample["logs"]
    found["upkeep_thresholds"] = _thresholds(bool(sample and sample["planted"]))
    return found


def _thresholds(planted: bool) -> dict[str, dict[str, Any]]:
    limits: dict[str, dict[str, Any]] = {subject: dict(each) for subject, each in KNOWN_VERSIONS.items()}
    if planted:
        for subject, each in FRESH_TROUBLE.items():
            limits.setdefault(subject, {}).update(each)
    return limits


def _entry(name: str, endpoint: Endpoint) -> dict[str, Any]:
    monitor = endpoint.as_monitor()
    entry: dict[str, Any] = {"name": name, "login_host": monitor.host, "login_port": monitor.port, **_login(monitor)}
    if endpoint.kind == "redis":
        entry["login_db"] = int(endpoint.database)
    elif endpoint.kind == "postgresql" or endpoint.database != "admin":
        entry["login_db"] = endpoint.database
    return entry


def _login(endpoint: Endpoint) -> dict[str, str]:
    """User and password, where there are any."""
    login = {"login_user": endpoint.user, "login_password": endpoint.password}
    return {option: value for option, value in login.items() if value is not None}


def _http(url: str) -> list[dict[str, Any]]:
    return [
        {
            "name": "delauto-health",
            "url": f"{url}/health",
            "expect_json": {"status": "ok"},
            "protected_url": f"{url}/api/deliveries",
            "rate_limit": {"path": "/api/login", "burst": 15},
        },
        {"name": "delauto-site", "url": f"{url}/", "security_headers": True, "compression": True},
    ]


def _write(path: Path, content: dict[str, Any]) -> None:
    with contextlib.suppress(FileNotFoundError):
        path.unlink()
    text = HEADER + yaml.safe_dump(content, sort_keys=False, allow_unicode=True)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as handle:
        handle.write(text)
