#!/usr/bin/python
# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: postgresql_health_info
short_description: Check the health of a PostgreSQL server
version_added: 0.1.0
description:
  - Connects once and checks latency, version, connections, transactions, locks, replication, distance to the wraparound
    of transaction ids, cache, deadlocks, temporary files, checkpoints, archiving, sizes, vacuum and invalid indexes.
  - What crosses a threshold becomes a finding with its value, its limit and a remedy. All numbers are metrics.
  - Reads statistics and the catalogue only, in a read-only session that never waits for a lock for more than 50 ms. It
    reads no table, whatever its size, and no text of any query.
  - Counters are those since the last run, for which O(state) is needed. They start anew when the server's do.
  - Works with PostgreSQL 13 to 18, on primaries and standbys.
author:
  - The dataops.upkeep authors (@dataops)
requirements:
  - psycopg >= 3.1
options:
  checks:
    description:
      - Which checks to make.
      - V(availability) measures the latency, and looks at the version, at O(expected_role) and for a restart since the
        last run.
      - V(connections) is connections in use, by state, and of each role's and database's own limit.
      - V(sessions) is the longest transaction, sessions idle in a transaction, who waits for a lock of whom, and
        prepared transactions.
      - V(replication) is each standby's lag, replication slots, standbys that have gone since the last run, and on a
        standby its own lag and connection.
      - V(wraparound) is the age of transaction and multixact ids, and what keeps vacuum from its work.
      - V(cache) is the share of blocks found in memory.
      - V(activity) is deadlocks and temporary files, and damaged pages.
      - V(checkpoints) is checkpoints forced by the amount of WAL.
      - V(archiving) is failures of C(archive_command) and WAL files that wait for it, where archiving is on.
      - V(sizes) is the size of every database and its growth.
      - V(vacuum) is tables overdue for vacuum and analyze by autovacuum's own formula, in the database of O(login_db).
      - V(indexes) is invalid indexes that nobody is building, in the database of O(login_db).
    type: list
    elements: str
    choices: [availability, connections, sessions, replication, wraparound, cache, activity, checkpoints, archiving,
      sizes, vacuum, indexes]
    default: [availability, connections, sessions, replication, wraparound, cache, activity, checkpoints, archiving,
      sizes, vacuum, indexes]
  expected_role:
    description:
      - Which role the server should have. Another one is a critical finding.
    type: str
    choices: [any, primary, standby]
    default: any
extends_documentation_fragment:
  - dataops.upkeep.postgresql
  - dataops.upkeep.connection
  - dataops.upkeep.common
  - dataops.upkeep.checks
  - dataops.upkeep.state
  - dataops.upkeep.result
  - dataops.upkeep.attributes
  - dataops.upkeep.attributes.info_module
  - dataops.upkeep.attributes.actiongroup_postgresql
notes:
  - "The user needs to be a member of C(pg_monitor). What it may not see without that is a warning; what it may see is
    checked all the same."
  - Give the server's own address and not that of a pooler such as PgBouncer, which hides what has to be looked at.
  - A certificate option (O(ca_cert), O(client_cert)) means that TLS is wanted, as if O(tls) were V(true).
  - A URI may name several servers; each of them may take O(connect_timeout).
  - "Threshold C(latency_milliseconds) (milliseconds, warning 1000, critical 3000): how long SELECT 1 takes."
  - "Threshold C(unsupported_days) (days, warning 0): how long ago support of the major version ended."
  - "Threshold C(restarts) (count, warning 0): starts of the server since the last run."
  - "Threshold C(connections_percent) (percent, warning 80, critical 95): connections in use of C(max_connections)
    less what is reserved."
  - "Threshold C(connection_limit_percent) (percent, warning 80, critical 95): connections in use of a role's or a
    database's own C(CONNECTION LIMIT)."
  - "Threshold C(transaction_seconds) (seconds, warning 1800, critical 14400): age of the longest open transaction."
  - "Threshold C(idle_in_transaction_seconds) (seconds, warning 60, critical 600): for how long a session has been
    idle in a transaction."
  - "Threshold C(blocked_seconds) (seconds, warning 5, critical 60): for how long a session has been waiting for a
    lock."
  - "Threshold C(prepared_transaction_seconds) (seconds, warning 300, critical 3600): age of the oldest prepared
    transaction."
  - "Threshold C(replication_lag_seconds) (seconds, warning 30, critical 300): how far a standby is behind, seen
    from its sender and from itself."
  - "Threshold C(replication_lag_bytes) (bytes, warning 104857600, critical 1073741824): WAL that a standby has not
    replayed."
  - "Threshold C(slot_retained_bytes) (bytes, warning 1073741824, critical 10737418240): WAL that is kept for a
    replication slot."
  - "Threshold C(slot_inactive_seconds) (seconds, warning 3600, critical 86400): for how long nobody has used a
    replication slot, before version 17 as far as earlier runs know."
  - "Threshold C(transaction_age) (count, warning 1300000000, critical 1400000000): age of a database's oldest
    transaction id that is not frozen, of 2147 million."
  - "Threshold C(multixact_age) (count, warning 1300000000, critical 1400000000): likewise for multixact ids."
  - "Threshold C(freeze_percent) (percent, warning 150): either age in percent of C(autovacuum_freeze_max_age) or
    C(autovacuum_multixact_freeze_max_age)."
  - "Threshold C(held_age) (count, warning 10000000, critical 150000000): transactions since the oldest snapshot
    that keeps vacuum from removing rows."
  - "Threshold C(cache_hit_percent) (percent, warning below 90): blocks found in memory of all asked for since the
    last run, judged from 10000 blocks on."
  - "Threshold C(deadlocks) (count, warning 0, critical 50): deadlocks since the last run."
  - "Threshold C(temporary_bytes_per_hour) (bytes, warning 1073741824): written to temporary files per hour since
    the last run."
  - "Threshold C(checksum_failures) (count, warning off, critical 0): damaged pages ever read."
  - "Threshold C(checkpoints_requested_percent) (percent, warning 50): checkpoints since the last run that did not
    come by the clock, judged from four on."
  - "Threshold C(archive_failures) (count, warning 0): failures to archive a WAL file since the last run. When the
    newest attempt failed, that is critical by itself."
  - "Threshold C(archive_waiting) (count, warning 20, critical 200): WAL files that wait to be archived."
  - "Threshold C(database_bytes) (bytes, warning off): size of a database."
  - "Threshold C(growth_percent_per_day) (percent, warning 20): growth of a database of 100 MiB or more, by the
    median over the remembered runs."
  - "Threshold C(vacuum_overdue_ratio) (ratio, warning 2): changes to a table in multiples of what makes autovacuum
    vacuum it, its own storage parameters included, judged from 1000 changes on."
  - "Threshold C(analyze_overdue_ratio) (ratio, warning 2): likewise for analyze."
  - "Threshold C(overdue_seconds) (seconds, warning 43200): for how long a table has to have been beyond these
    ratios, unless autovacuum is off for it."
seealso:
  - module: dataops.upkeep.mongodb_health_info
  - module: dataops.upkeep.redis_health_info
"""

EXAMPLES = r"""
- name: Check the server, comparing with the last run
  dataops.upkeep.postgresql_health_info:
    login_host: db.example.com
    login_user: upkeep_monitor
    login_password: "{{ postgresql_password }}"
    login_db: app
    state: /var/lib/upkeep
  register: postgresql_health

- name: Check a standby on this host with limits of its own
  dataops.upkeep.postgresql_health_info:
    login_host: /var/run/postgresql
    login_db: app
    expected_role: standby
    checks: [availability, connections, replication]
    thresholds:
      connections_percent: {warning: 70, critical: 90}
      replication_lag_seconds: 10s
      replication_lag_bytes: "off"

- name: Show what is wrong and what to do
  ansible.builtin.debug:
    msg: "{{ item.message }} - {{ item.remedy }}"
  loop: "{{ postgresql_health.findings }}"
"""

RETURN = r"""
changed:
  description: Whether anything was changed, or in check mode would be.
  type: bool
  returned: always
status:
  description: The gravest finding.
  type: str
  returned: always
  choices: [ok, warning, critical]
findings:
  description: What is wrong, with numbers.
  type: list
  elements: dict
  returned: always
  contains:
    id: {description: "Stable name of the condition, as C(redis.memory).", type: str}
    severity: {description: "V(warning) or V(critical).", type: str}
    subject: {description: "What it is about.", type: str}
    message: {description: "One sentence for people.", type: str}
    value: {description: "What was measured, if anything was.", type: raw}
    threshold: {description: "The limit that was crossed, if there is one.", type: raw}
    remedy: {description: "What to do.", type: str}
actions:
  description: What was decided on and what became of it. Check mode returns the same list with all of it planned.
  type: list
  elements: dict
  returned: always
  contains:
    kind: {description: "What is done.", type: str}
    subject: {description: "What it is done to.", type: str}
    reason: {description: "Why, with the numbers that decided it.", type: str}
    statement: {description: "The statement, command or request, without secrets.", type: str}
    state: {description: "V(planned), V(done), V(skipped) or V(failed).", type: str}
    detail: {description: "What happened, or why not.", type: str}
    seconds: {description: "How long it took.", type: float}
    undo: {description: "What brings the former state back.", type: str}
metrics:
  description: Flat numbers with Prometheus-style names.
  type: dict
  returned: always
summary:
  description: One sentence for people.
  type: str
  returned: always
server:
  description: What was asked or changed. C(kind), C(address) and, if it answered, C(version).
  type: dict
  returned: always
"""

from ansible_collections.dataops.upkeep.plugins.module_utils._core.arguments import (
    ArgumentSpec,
    check_arguments,
    common_arguments,
    connection_arguments,
    state_arguments,
)
from ansible_collections.dataops.upkeep.plugins.module_utils._core.module import run_module
from ansible_collections.dataops.upkeep.plugins.module_utils._postgresql.health.task import CHECKS, postgresql_health
from ansible_collections.dataops.upkeep.plugins.module_utils._state.place import open_memory

ROLE = ArgumentSpec({"expected_role": {"type": "str", "choices": ["any", "primary", "standby"], "default": "any"}})
ARGUMENTS = connection_arguments().merge(
    common_arguments(), check_arguments([check.name for check in CHECKS]), state_arguments(), ROLE
)


def main() -> None:
    """Run the module."""
    run_module(ARGUMENTS, postgresql_health, open_memory)


if __name__ == "__main__":
    main()
