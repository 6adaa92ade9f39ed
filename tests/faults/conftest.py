# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The sample application under the daily playbook."""

from __future__ import annotations

import copy
import json
import secrets
import socket
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import pytest
from psycopg import sql

from tests.integration.running import Run, run_playbook
from tests.stack.application.settings import Settings
from tests.stack.application.start import start_sample
from tests.stack.inventory import inventory_variables, write_inventory
from tests.stack.servers import mongodb as mongodb_server
from tests.stack.servers import postgresql as postgresql_server
from tests.stack.servers import redis as redis_server
from tests.stack.stack import Stack

STORES = ("postgresql18", "mongodb", "redis8")


@dataclass(frozen=True)
class Daily:
    """A daily run and its report.

    :param run: what ansible-playbook printed and returned.
    :param report: the JSON report.
    :param page: the HTML report.
    """

    run: Run
    report: dict[str, Any]
    page: str

    def findings(self, subject: str = "") -> list[dict[str, Any]]:
        """All findings, or those of one subject."""
        return [
            {**finding, "name": result["name"], "of": result["subject"]}
            for result in self.report["results"]
            for finding in result["findings"]
            if not subject or result["subject"] == subject
        ]

    def ids(self, name: str = "", subject: str = "") -> set[str]:
        """Ids of the findings, of all results or of one entry."""
        return {finding["id"] for finding in self.findings(subject) if not name or finding["name"] == name}


class Sample:
    """A stack with the sample application on it, and daily runs over it."""

    def __init__(self, stack: Stack, folder: Path) -> None:
        self.stack, self.folder, self.count = stack, folder, 0
        write_inventory(stack, folder / "inventory")

    def variables(self) -> dict[str, Any]:
        """The inventory's variables, to change for one run."""
        return copy.deepcopy(inventory_variables(self.stack))

    def daily(self, **extra: Any) -> Daily:
        """Run the daily playbook, each run with a report folder of its own."""
        self.count += 1
        reports = self.folder / f"reports-{self.count}"
        places = {"upkeep_report_dir": str(reports), "upkeep_state": str(self.folder / "state")}
        run = run_playbook(
            "dataops.upkeep.daily",
            "-i",
            str(self.folder / "inventory"),
            "-vvv",
            extra_vars={**places, "health_connect_timeout": "3s", **extra},
        )
        report = reports / "latest.json"
        assert report.exists(), f"no report was written:\n{run.output[-4000:]}"
        return Daily(run, json.loads(report.read_text()), (reports / "latest.html").read_text())


@pytest.fixture(scope="module")
def make_sample(make_stack: Callable[..., Stack], tmp_path_factory: pytest.TempPathFactory) -> Callable[[bool], Any]:
    """A function that starts a stack with the sample application, planted or clean."""

    def make(planted: bool) -> Iterator[Sample]:
        stack = make_stack("planted" if planted else "clean", *STORES)
        settings = Settings(now=datetime.now(timezone.utc), seed=7, scale=0.5, planted=planted)
        stack.up(then=lambda up: start_sample(up, settings))
        try:
            yield Sample(stack, tmp_path_factory.mktemp("sample"))
        finally:
            stack.down()

    return make


@pytest.fixture(scope="module")
def planted(make_sample: Callable[[bool], Iterator[Sample]]) -> Iterator[Sample]:
    """The sample in trouble."""
    yield from make_sample(True)


@pytest.fixture(scope="module")
def clean(make_sample: Callable[[bool], Iterator[Sample]]) -> Iterator[Sample]:
    """The sample in good order."""
    yield from make_sample(False)


@pytest.fixture(scope="module")
def module_hanging_socket() -> Iterator[tuple[str, int]]:
    """Host and port of a listener whose connections are taken and never answered."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener.getsockname()


@pytest.fixture(scope="module")
def powerless(clean: Sample) -> dict[str, tuple[str, str]]:
    """In each store a user who may log in and nothing else: name and password."""
    password = secrets.token_hex(12)
    endpoints = clean.stack.endpoints
    with postgresql_server.connect(endpoints["postgresql18"]) as session:
        session.execute(sql.SQL("CREATE ROLE powerless LOGIN PASSWORD {}").format(sql.Literal(password)))
    with mongodb_server.connect(endpoints["mongodb"]) as client:
        client.admin.command("createUser", "powerless", pwd=password, roles=[])
    with redis_server.connect(endpoints["redis8"]) as client:
        client.execute_command("ACL", "SETUSER", "powerless", "on", f">{password}", "~*", "-@all", "+ping")
    return dict.fromkeys(("postgresql", "mongodb", "redis"), ("powerless", password))
