# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""postgresql_reindex where a server is special: two-phase commit, a standby, a disk that is nearly full."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from ansible_collections.dataops.upkeep.plugins.module_utils._postgresql.errors import StandbyServer
from tests.integration.postgresql_health import session
from tests.integration.postgresql_reindex import indexes, make_bloat, reindex
from tests.integration.postgresql_work import states
from tests.stack.endpoint import Endpoint
from tests.stack.servers.postgresql import connect
from tests.stack.servers.postgresql_standby import add_standby
from tests.stack.stack import Stack


@pytest.fixture(scope="module")
def own(make_stack: Callable[..., Stack]) -> Iterator[Stack]:
    """A server that takes prepared transactions."""
    with make_stack("own", "postgresql18") as stack:
        with connect(stack.endpoints["postgresql18"]) as opened:
            opened.execute("ALTER SYSTEM SET max_prepared_transactions = 5")
        stack.stop("postgresql18")
        stack.start("postgresql18")
        yield stack


def test_a_prepared_transaction_in_the_way_is_named(own: Stack) -> None:
    endpoint = own.endpoints["postgresql18"]
    make_bloat(endpoint, "transfers")
    before = indexes(endpoint, "transfers")
    change = "UPDATE transfers SET code = 'x' WHERE id = 8"
    with session(endpoint, "BEGIN", change, "PREPARE TRANSACTION 'transfer'") as opened:
        result = reindex(endpoint, indexes=["transfers_code"])
        opened.execute("ROLLBACK PREPARED 'transfer'")
    assert states(result) == [("reindex", "public.transfers_code", "skipped")]
    assert "prepared transaction transfer, open for" in result["actions"][0]["detail"]
    assert indexes(endpoint, "transfers") == before


@pytest.fixture
def standby(own: Stack) -> Iterator[Endpoint]:
    """A streaming standby of one test's own."""
    yield add_standby(own, "postgresql18", "copy")
    own.remove_member("copy")


def test_a_standby_takes_no_changes(standby: Endpoint) -> None:
    with pytest.raises(StandbyServer, match="primary"):
        reindex(standby)


def test_what_would_fill_the_disk_is_skipped(
    fresh_postgresql18_database: Endpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The server and its bloat are real; what is free of this machine's disk is not."""
    make_bloat(fresh_postgresql18_database)
    size = indexes(fresh_postgresql18_database)["orders_pkey"][2]
    statvfs = os.statvfs

    def nearly_full(path: Any) -> os.statvfs_result:
        facts = list(statvfs(path))
        facts[4] = int(size * 1.2) // facts[1]  # f_bavail, in blocks of f_frsize
        return os.statvfs_result(facts)

    monkeypatch.setattr(os, "statvfs", nearly_full)
    result = reindex(fresh_postgresql18_database)
    assert [state for _kind, _subject, state in states(result)] == ["done", "done", "skipped"]
    assert "of free disk" in result["actions"][2]["detail"]
