# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""postgresql_vacuum where a standby streams: its queries are not in the way of ours, nor ours of its."""

from __future__ import annotations

import pytest

from ansible_collections.dataops.upkeep.plugins.module_utils._postgresql.errors import StandbyServer
from tests.integration.postgresql_health import found, session
from tests.integration.postgresql_vacuum import facts, fill, settled, vacuum
from tests.integration.postgresql_work import states
from tests.integration.waiting import until
from tests.stack.endpoint import Endpoint
from tests.stack.servers.postgresql import connect
from tests.stack.servers.postgresql_standby import wait_replayed


def test_pages_at_the_end_stay_while_a_standby_would_have_to_wait_for_their_lock(
    fresh_postgresql18_pair: tuple[Endpoint, Endpoint],
) -> None:
    primary, standby = fresh_postgresql18_pair
    fill(primary, rows=20_000)
    with connect(primary) as opened:
        opened.execute("DELETE FROM orders WHERE id > 100")
        settled(opened, "orders", "n_dead_tup", 19_900)
    before = facts(primary)["bytes"]
    done = vacuum(primary)
    assert "TRUNCATE false" in done["actions"][0]["statement"]
    assert states(done) == [("vacuum", "public.orders", "done")]
    assert facts(primary)["bytes"] == before
    with pytest.raises(StandbyServer):
        vacuum(standby)


def test_rows_that_a_query_on_the_standby_may_see(fresh_postgresql18_pair: tuple[Endpoint, Endpoint]) -> None:
    primary, standby = fresh_postgresql18_pair
    fill(primary)
    with connect(standby) as opened:
        opened.execute("ALTER SYSTEM SET hot_standby_feedback = on")
        opened.execute("SELECT pg_reload_conf()")
        wait_replayed(primary, standby)
        with (
            session(standby, "BEGIN ISOLATION LEVEL REPEATABLE READ", "SELECT count(*) FROM orders"),
            session(primary) as ours,
        ):
            holds = (
                "SELECT (SELECT count(*) FROM pg_stat_replication WHERE backend_xmin IS NOT NULL)"
                " + (SELECT count(*) FROM pg_replication_slots WHERE xmin IS NOT NULL) > 0"
            )
            until(lambda: ours.execute(holds).fetchone() == (True,))
            # Nobody records since when a standby holds rows: the last checkpoint tells what it has not held before.
            ours.execute("CHECKPOINT")
            passed = "SELECT now() - checkpoint_time > interval '2 s' FROM pg_control_checkpoint()"
            until(lambda: ours.execute(passed).fetchone() == (True,))
            ours.execute("UPDATE orders SET note = 'z' WHERE id <= 1500")
            settled(ours, "orders", "n_dead_tup", 1500)
            first = vacuum(primary, mode="vacuum")
            assert states(first) == [("vacuum", "public.orders", "done")]
            assert found(first, "postgresql.rows_held")["value"] == 1500
            second = vacuum(primary, mode="vacuum")
            assert states(second) == [("vacuum", "public.orders", "skipped")]
            assert not second["changed"]
        opened.execute("ALTER SYSTEM RESET hot_standby_feedback")
        opened.execute("SELECT pg_reload_conf()")
