# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""An audit finds what is planted in the sample's PostgreSQL database, and nothing in a clean one."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import pytest

from tests.integration.postgresql_audit import Audit
from tests.stack.application.planted import Plant, planted_for
from tests.stack.application.postgresql import load
from tests.stack.application.settings import Settings
from tests.stack.stack import Stack

PLANTS = planted_for("postgresql_audit_info")
OPTIONS: dict[str, Any] = {
    "accepted_settings": ["fsync", "max_wal_size"],  # the embedded servers need not survive a power cut
    "unused_after": "0s",  # the sample is young
    "min_size": "0",
}
LIMITS = {"table_bloat_bytes": "1MB", "index_bloat_bytes": "1MB"}
"""The sample is small."""


def audited(make_stack: Callable[..., Stack], folder: Path, planted: bool) -> dict[str, Any]:
    """What an audit says of the sample's database."""
    with make_stack("audited", "postgresql18") as stack:
        settings = Settings(now=datetime.now(timezone.utc), seed=7, scale=1, planted=planted)
        database = load(stack.endpoints["postgresql18"], settings)
        return Audit(database, folder).run(options=OPTIONS, **LIMITS)


@pytest.fixture(scope="module")
def found(make_stack: Callable[..., Stack], tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """An audit of the planted sample."""
    return audited(make_stack, tmp_path_factory.mktemp("state"), planted=True)


@pytest.mark.parametrize("plant", PLANTS, ids=[plant.id for plant in PLANTS])
def test_what_is_planted_is_found(found: dict[str, Any], plant: Plant) -> None:
    messages = [finding["message"] for finding in found["findings"] if finding["id"] == plant.finding]
    words = plant.where.split(".")
    if plant.id == "pg-missing-index":
        words = words[:1]  # which column the queries have in mind, the statistics of a table do not tell
    assert [message for message in messages if all(word in message for word in words)], (
        f"{plant.what} ({plant.where}) was not found in {messages}"
    )


def test_only_what_is_planted_is_found(found: dict[str, Any]) -> None:
    planted = {plant.finding for plant in planted_for("postgresql_audit_info", "postgresql_health_info")}
    assert {finding["id"] for finding in found["findings"]} <= planted, found["findings"]


def test_a_clean_sample_is_silent(make_stack: Callable[..., Stack], tmp_path: Path) -> None:
    assert audited(make_stack, tmp_path, planted=False)["findings"] == []
