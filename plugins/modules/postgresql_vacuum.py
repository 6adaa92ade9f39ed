#!/usr/bin/python
# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: postgresql_vacuum
short_description: Vacuum, freeze, analyze and rewrite the PostgreSQL tables that need it
version_added: 0.1.0
description:
  - Decides from statistics what each table of a database needs, does that and no more, and looks at the statistics
    again to see that it was done. On a database where nothing is due it does nothing.
  - Need is computed as autovacuum computes it, with each table's own storage parameters, and a little earlier, see
    O(need_ratio). Partitioned tables, which autovacuum never analyzes, are analyzed when their partitions changed.
  - Never waits for a lock that is held, so it never stands in front of the application. A table that autovacuum is busy
    with, or that somebody has locked, is skipped, with the reason.
  - Where old transactions, prepared transactions or replication slots make the work useless, it says which, and does
    not repeat in vain what the last run did in vain.
  - O(mode=rewrite) gives space back that vacuum keeps for later rows. It is a mode of its own, for it is costly.
  - Works with PostgreSQL 13 to 18. C(REPACK) with C(CONCURRENTLY), of version 19, is written from its documentation.
author:
  - The dataops.upkeep authors (@dataops)
requirements:
  - psycopg >= 3.1
  - pg_repack, on the host that runs the module and as an extension in the database, for that method of O(mode=rewrite)
options:
  mode:
    description:
      - V(auto) vacuums, freezes and analyzes, each where it is due.
      - V(analyze), V(vacuum) and V(freeze) do the one thing only, where it is due.
      - V(rewrite) writes bloated tables anew, and removes what an interrupted pg_repack left behind.
      - A table is frozen from the age on at which a plain C(VACUUM) would have to read all of it too,
        C(vacuum_freeze_table_age) or C(vacuum_multixact_freeze_table_age).
    type: str
    choices: [auto, analyze, vacuum, freeze, rewrite]
    default: auto
  tables:
    description:
      - The tables to look at, as V(orders), V(app.orders) or V(app."Order Items"). A partitioned table brings its
        partitions. Naming a table does not force anything on it, it has to be in need as any other.
      - All tables of the database by default.
    type: list
    elements: str
    default: []
  system_catalogs:
    description:
      - Whether the system catalogs are among all tables.
    type: bool
    default: false
  need_ratio:
    description:
      - Changes, in multiples of what makes autovacuum vacuum or analyze a table, from which on it is done here.
      - With the default a table that gets half-way within a week is done in a quiet hour of that week, and does not
        come due before the next weekly run in the midst of the day.
    type: float
    default: 0.5
  order:
    description:
      - Which tables come first, for the case that the O(deadline) comes before the end. Tables that autovacuum would
        freeze by force, whatever else the server does, come before all others.
    type: str
    choices: [need, smallest, largest]
    default: need
  jobs:
    description:
      - How many tables are worked on at once, each over a connection of its own beside the first one. They take as much
        disk and processor as so many runs; each of them rests for itself, see O(cost_delay), and may have
        O(index_workers).
      - Never more than half of the connections that are free at the moment; if that is less, a finding says so.
      - A partitioned table and its partitions are never worked on at once. V(rewrite) is done one table at a time.
    type: int
    default: 1
  index_workers:
    description:
      - Processes that vacuum one table's indexes at once, beside the first; V(0) for none. By default the server
        chooses, within C(max_parallel_maintenance_workers).
    type: int
  buffer_usage_limit:
    description:
      - Shared buffers that vacuum and analyze may use, from version 16 on. By default the server's
        C(vacuum_buffer_usage_limit).
    type: str
  cost_delay:
    description:
      - How long vacuum rests each time it has used up C(vacuum_cost_limit), in seconds, such as V(0.002), which is
        autovacuum's default. By default the server's C(vacuum_cost_delay), which is V(0).
    type: str
  truncate:
    description:
      - Whether vacuum gives empty pages at a table's end back. For a moment it needs the exclusive lock for that, which
        a standby replays in front of its queries.
      - V(auto) avoids it where standbys stream from the server.
    type: str
    choices: [auto, allow, avoid]
    default: auto
  allow_exclusive_lock:
    description:
      - Whether O(mode=rewrite) may use C(VACUUM FULL), which keeps everybody, readers too, out of the table while it
        writes it anew.
    type: bool
    default: false
  rewrite_max_size:
    description:
      - The largest table, with its indexes, for C(VACUUM FULL). A gigabyte takes some ten seconds and more.
    type: str
    default: 1GiB
  rewrite_methods:
    description:
      - How a table may be rewritten. The first of these that can be used is, always in the order below.
      - V(repack) is C(REPACK) with C(CONCURRENTLY), of version 19 or newer.
      - V(pg_repack) is the program of that name, of the same version as its extension in the database, for tables with
        a unique key. It never ends other sessions.
      - V(vacuum_full) needs O(allow_exclusive_lock).
    type: list
    elements: str
    choices: [repack, pg_repack, vacuum_full]
    default: [repack, pg_repack, vacuum_full]
  min_bloat_percent:
    description:
      - How much of a table has to be free space or dead rows for it to be rewritten. It is measured with the extension
        pgstattuple where that is installed, and otherwise estimated from the planner's statistics.
    type: float
    default: 50
  min_size:
    description:
      - Smaller tables are not rewritten.
    type: str
    default: 100MiB
  free_space:
    description:
      - How much disk space is free where the server keeps its data, as V(200GiB). A table is rewritten only if 1.1
        times its size, with its indexes, is free.
      - Needed where the module cannot measure it itself, which takes running on the server's host, as a user who may
        look at the data directory's place, and the right to call C(pg_stat_file).
    type: str
extends_documentation_fragment:
  - dataops.upkeep.postgresql
  - dataops.upkeep.postgresql_work
  - dataops.upkeep.connection
  - dataops.upkeep.result
  - dataops.upkeep.attributes
  - dataops.upkeep.attributes.work_module
  - dataops.upkeep.attributes.actiongroup_postgresql
notes:
  - The user has to own the tables or be a superuser; from version 17 on the privilege C(MAINTAIN) or the role
    C(pg_maintain) will do. The server only warns where a right is missing, so it is looked at before.
  - Without C(pg_monitor) the user does not see since when other users' sessions hold rows.
  - The indexes of a table are rewritten with it. For indexes alone there is M(dataops.upkeep.postgresql_reindex).
  - Version 13 does not record when a partitioned table was analyzed, so there it is analyzed when a partition is due.
seealso:
  - module: dataops.upkeep.postgresql_health_info
  - module: dataops.upkeep.postgresql_audit_info
  - module: dataops.upkeep.postgresql_reindex
"""

EXAMPLES = r"""
- name: Vacuum, freeze and analyze what needs it, for two hours at most
  dataops.upkeep.postgresql_vacuum:
    login_host: db.example.com
    login_user: upkeep
    login_password: "{{ postgresql_password }}"
    login_db: app
    deadline: 2h
  register: vacuum

- name: Show what was done to which table, and why
  ansible.builtin.debug:
    msg: "{{ item.state }} {{ item.statement }} - {{ item.reason }} {{ item.detail }}"
  loop: "{{ vacuum.actions }}"

- name: Analyze two tables after a large import, if it has changed much of them
  dataops.upkeep.postgresql_vacuum:
    login_host: /var/run/postgresql
    login_db: app
    mode: analyze
    tables: [orders, 'app."Order Items"']
    need_ratio: 0.1

- name: Give the space of bloated tables back, with VACUUM FULL where they are small
  dataops.upkeep.postgresql_vacuum:
    login_host: db.example.com
    login_user: upkeep
    login_password: "{{ postgresql_password }}"
    login_db: app
    mode: rewrite
    allow_exclusive_lock: true
    rewrite_max_size: 200MiB
    free_space: 50GiB
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

from ansible_collections.dataops.upkeep.plugins.module_utils._core.arguments import ArgumentSpec, connection_arguments
from ansible_collections.dataops.upkeep.plugins.module_utils._core.module import run_module
from ansible_collections.dataops.upkeep.plugins.module_utils._postgresql.vacuum.task import VacuumTask
from ansible_collections.dataops.upkeep.plugins.module_utils._postgresql.work import work_arguments

METHODS = ["repack", "pg_repack", "vacuum_full"]

VACUUM = ArgumentSpec(
    {
        "mode": {"type": "str", "choices": ["auto", "analyze", "vacuum", "freeze", "rewrite"], "default": "auto"},
        "tables": {"type": "list", "elements": "str", "default": []},
        "system_catalogs": {"type": "bool", "default": False},
        "need_ratio": {"type": "float", "default": 0.5},
        "order": {"type": "str", "choices": ["need", "smallest", "largest"], "default": "need"},
        "jobs": {"type": "int", "default": 1},
        "index_workers": {"type": "int"},
        "buffer_usage_limit": {"type": "str"},
        "cost_delay": {"type": "str"},
        "truncate": {"type": "str", "choices": ["auto", "allow", "avoid"], "default": "auto"},
        "allow_exclusive_lock": {"type": "bool", "default": False},
        "rewrite_max_size": {"type": "str", "default": "1GiB"},
        "rewrite_methods": {"type": "list", "elements": "str", "choices": METHODS, "default": METHODS},
        "min_bloat_percent": {"type": "float", "default": 50},
        "min_size": {"type": "str", "default": "100MiB"},
        "free_space": {"type": "str"},
    }
)
ARGUMENTS = connection_arguments().merge(work_arguments(), VACUUM)


def main() -> None:
    """Run the module."""
    run_module(ARGUMENTS, VacuumTask)


if __name__ == "__main__":
    main()
