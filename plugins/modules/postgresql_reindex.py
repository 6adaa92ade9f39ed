#!/usr/bin/python
# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: postgresql_reindex
short_description: Rebuild the bloated indexes of a PostgreSQL database
version_added: 0.1.0
description:
  - Finds the indexes that are bloated and rebuilds them with C(REINDEX INDEX CONCURRENTLY), one at a time, the smallest
    first, while the application reads and writes. On a database without bloat it does nothing.
  - Finds the invalid indexes that earlier rebuilds left when they were broken off, and drops those that are certain to
    be nothing else. Other invalid indexes are reported.
  - Looks, before each index, for old transactions that a rebuild would have to wait for, waits for them a while, and
    skips the index, with the reason, if they stay.
  - Looks again afterwards to see that each index is valid, new and no larger.
  - Bloat is measured by the extension pgstattuple where it is installed and the user may use it. Otherwise it is told
    from the bytes per row that the index once had, for which O(state) is needed, and from an estimate by the planner's
    statistics. How it is known is in the action's C(reason).
  - Works with PostgreSQL 13 to 18.
author:
  - The dataops.upkeep authors (@dataops)
requirements:
  - psycopg >= 3.1
options:
  indexes:
    description:
      - The indexes to look at, as V(orders_pkey), V(app.orders_pkey) or V(app."Order Items_pkey"). An index of a
        partitioned table stands for those of its partitions.
      - Naming an index does not force a rebuild, it has to be bloated as any other. Only an invalid one is rebuilt,
        which makes it valid. Why a named index cannot be rebuilt is in an action that is skipped.
      - All indexes of the database by default, those of TOAST tables included.
    type: list
    elements: str
    default: []
  tables:
    description:
      - The tables whose indexes to look at, written likewise. A partitioned table brings its partitions.
    type: list
    elements: str
    default: []
  min_bloat_percent:
    description:
      - Rebuild an index if it would give back so much of its size, in percent. An estimate has to be 10 above that.
      - With V(0) every index is rebuilt, each time.
    type: float
    default: 30
  min_size:
    description:
      - Smaller indexes are left alone.
    type: str
    default: 10MB
  measure_max_size:
    description:
      - Larger indexes are not measured, for that is to read them, but estimated. An index that O(indexes) names is
        measured whatever its size. Measuring takes a fifth of the O(deadline) at most.
    type: str
    default: 1GB
  clean_leftovers:
    description:
      - Whether to drop invalid indexes that a C(REINDEX CONCURRENTLY) left when it was broken off. They cost at every
        write and serve no query.
      - One is dropped only if the index that it was to replace, or did replace, is there and valid, if both are alike
        but for the name, and if nobody is at work on the table.
    type: bool
    default: true
  max_changes:
    description:
      - The most indexes to rebuild or drop in one run. The next run goes on.
    type: int
  wait_for_transactions:
    description:
      - How long to wait, before an index is begun, for transactions that are older than the O(lock_timeout). The
        rebuild would have to wait for them in the end, and be broken off then.
    type: str
    default: 30s
  retries:
    description:
      - How often a rebuild that could not have a lock in time, or got into a deadlock, is begun anew. What it left is
        dropped before.
    type: int
    default: 2
  lock_timeout:
    description:
      - How long a statement may wait, for a lock or for the transactions that were open when the new index was ready.
        Nobody has to wait behind it, but a rebuild that has to wait longer is broken off.
    type: str
    default: 3s
extends_documentation_fragment:
  - dataops.upkeep.postgresql
  - dataops.upkeep.postgresql_work
  - dataops.upkeep.connection
  - dataops.upkeep.state
  - dataops.upkeep.result
  - dataops.upkeep.attributes
  - dataops.upkeep.attributes.work_module
  - dataops.upkeep.attributes.actiongroup_postgresql
notes:
  - The user has to own the tables or be a superuser; from version 17 on the privilege C(MAINTAIN) or the role
    C(pg_maintain) will do, with which leftovers cannot be dropped. Measuring takes the role C(pg_stat_scan_tables), and
    the indexes of TOAST tables the right C(USAGE) on the schema C(pg_toast).
  - Never rebuilt are the indexes of the system catalogue, of exclusion constraints and of temporary tables, which
    cannot be rebuilt concurrently, and no index at all by the versions 14.0 to 14.3, which may leave rows out of it.
  - A rebuild needs room on the disk for the index once more while it runs, and writes as much WAL. Where the module
    runs on the server's host, as a user who may call C(pg_stat_file), it looks at the room before.
  - With O(state) it is remembered what each rebuild achieved, so that an index that cannot become smaller is not
    rebuilt again.
seealso:
  - module: dataops.upkeep.postgresql_audit_info
  - module: dataops.upkeep.postgresql_vacuum
"""

EXAMPLES = r"""
- name: Rebuild what is bloated, for two hours at most
  dataops.upkeep.postgresql_reindex:
    login_host: db.example.com
    login_user: upkeep
    login_password: "{{ postgresql_password }}"
    login_db: app
    state: /var/lib/upkeep
    deadline: 2h
  register: reindex

- name: Show what was done to which index, and why
  ansible.builtin.debug:
    msg: "{{ item.state }} {{ item.statement }} - {{ item.reason }} {{ item.detail }}"
  loop: "{{ reindex.actions }}"

- name: Make an index valid whose build failed
  dataops.upkeep.postgresql_reindex:
    login_host: /var/run/postgresql
    login_db: app
    indexes: [app.orders_customer_idx]

- name: Drop what failed rebuilds left, and rebuild nothing
  dataops.upkeep.postgresql_reindex:
    login_host: /var/run/postgresql
    login_db: app
    min_size: 1TiB
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
    connection_arguments,
    state_arguments,
)
from ansible_collections.dataops.upkeep.plugins.module_utils._core.module import run_module
from ansible_collections.dataops.upkeep.plugins.module_utils._postgresql.reindex.task import PostgresqlReindex
from ansible_collections.dataops.upkeep.plugins.module_utils._postgresql.work import work_arguments
from ansible_collections.dataops.upkeep.plugins.module_utils._state.place import open_memory

REINDEX = ArgumentSpec(
    {
        "indexes": {"type": "list", "elements": "str", "default": []},
        "tables": {"type": "list", "elements": "str", "default": []},
        "min_bloat_percent": {"type": "float", "default": 30},
        "min_size": {"type": "str", "default": "10MB"},
        "measure_max_size": {"type": "str", "default": "1GB"},
        "clean_leftovers": {"type": "bool", "default": True},
        "max_changes": {"type": "int"},
        "wait_for_transactions": {"type": "str", "default": "30s"},
        "retries": {"type": "int", "default": 2},
    }
)
ARGUMENTS = connection_arguments().merge(work_arguments(lock_timeout="3s"), state_arguments(), REINDEX)


def main() -> None:
    """Run the module."""
    run_module(ARGUMENTS, PostgresqlReindex, open_memory)


if __name__ == "__main__":
    main()
