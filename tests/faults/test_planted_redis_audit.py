# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""An audit finds what is planted in the sample's Redis, and nothing in a clean one."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timezone
from typing import Any

import pytest

from tests.integration.redis_audit import Audit
from tests.stack.application import redis as sample
from tests.stack.application.planted import Plant, planted_for
from tests.stack.application.settings import Settings
from tests.stack.stack import Stack

PLANTS = planted_for("redis_audit_info")
OPTIONS: dict[str, Any] = {
    "policies": [{"pattern": "response:*", "max_ttl": "5min"}],
    "accepted_settings": ["stop-writes-on-bgsave-error"],  # the sample's save fails on purpose and must not stop it
}
LIMITS = {"no_ttl_bytes": "100kB"}
"""The sample is small."""


def audited(make_stack: Callable[..., Stack], planted: bool) -> dict[str, Any]:
    """What an audit says of the sample's Redis."""
    with make_stack("audited-redis", "redis8") as stack:
        server = stack.endpoints["redis8"]
        settings = Settings(now=datetime.now(timezone.utc), seed=7, scale=1, planted=planted)
        sample.load(server, settings)
        sample.finish(server, settings)
        return Audit(server).run(options=OPTIONS, **LIMITS)


@pytest.fixture(scope="module")
def found(make_stack: Callable[..., Stack]) -> dict[str, Any]:
    """An audit of the planted sample."""
    return audited(make_stack, planted=True)


@pytest.mark.parametrize("plant", PLANTS, ids=[plant.id for plant in PLANTS])
def test_what_is_planted_is_found(found: dict[str, Any], plant: Plant) -> None:
    messages = [finding["message"] for finding in found["findings"] if finding["id"] == plant.finding]
    word = plant.where.removesuffix("*")
    assert [message for message in messages if word in message], f"{plant.what} ({plant.where}) not found in {messages}"


def test_only_what_is_planted_is_found(found: dict[str, Any]) -> None:
    planted = {plant.finding for plant in planted_for("redis_audit_info", "redis_health_info")}
    assert {finding["id"] for finding in found["findings"]} <= planted, found["findings"]


def test_a_clean_sample_is_silent(make_stack: Callable[..., Stack]) -> None:
    assert audited(make_stack, planted=False)["findings"] == []
