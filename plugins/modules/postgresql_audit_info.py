#!/usr/bin/python
# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: postgresql_audit_info
short_description: Audit a PostgreSQL database in depth
version_added: 0.1.0
description:
  - Looks into one database, that of O(login_db), more deeply than the daily M(dataops.upkeep.postgresql_health_info)
    does, over one connection.
  - What crosses a threshold becomes a finding with its value, its limit and a remedy. All numbers are metrics.
  - Reads statistics and the catalogue, in a read-only session that never waits for a lock for more than 50 ms. It reads
    no more of tables than the check V(bloat) measures, and what O(queries) are told to run. Relations that somebody has
    locked for himself alone are left out.
  - The number of queries is the same for ten tables and for ten thousand. Of many findings of one kind the worst are
    named, the others counted.
  - Works with PostgreSQL 13 to 18, on primaries and standbys.
author:
  - The dataops.upkeep authors (@dataops)
requirements:
  - psycopg >= 3.1
options:
  checks:
    description:
      - Which checks to make.
      - V(bloat) is tables, TOAST tables and indexes of which much is free space. What the planner's statistics lead to
        expect is compared with what there is. Tables that seem to be bloated are measured with C(pgstattuple_approx),
        if the database has the extension C(pgstattuple). With O(state), bytes per row are compared with the best ever,
        which tells where statistics do not.
      - V(vacuum) is tables overdue for vacuum and analyze by autovacuum's own formula, TOAST tables included, and those
        that autovacuum does not come to; it is switched off, there is no statistics to analyze by, they are
        partitioned.
      - V(wraparound) is the age of transaction and multixact ids of this database's tables and of the other databases,
        and everything that keeps vacuum from its work.
      - V(sequences) is sequences near the end of what they, or the type of their column, can hold.
      - V(growth) is the size of tables, and with O(state) what they grow by and will come to.
      - V(settings) is settings that lose data, blind the monitoring or do not fit what the server shows, settings that
        wait for a restart, and the number of superusers.
      - V(indexes) is indexes that are invalid, that another index replaces, and that nothing uses on any server. The
        last are known only from runs with O(state) over O(unused_after).
      - V(missing_indexes) is foreign keys that no index serves, and large tables that are often read whole; with
        O(state), since the last run. Where the extension C(hypopg) is installed, the planner says besides what btree
        indexes over the columns in the filters of O(queries) would save.
      - V(queries) is statements that are slow, keep a connection busy, write temporary files or miss the cache, by
        C(pg_stat_statements). With O(state), since the last run; otherwise since its statistics began. They are never
        reset. Query texts are shown without constants and comments.
      - V(plans) is the plans of O(queries), which should lead to their rows by an index.
    type: list
    elements: str
    choices: [bloat, vacuum, wraparound, sequences, growth, settings, indexes, missing_indexes, queries, plans]
    default: [bloat, vacuum, wraparound, sequences, growth, settings, indexes, missing_indexes, queries, plans]
  exact:
    description:
      - Whether to read relations whole to measure their bloat, with C(pgstattuple) and C(pgstatindex), where it seems
        to be large or is not known. Indexes are measured only so.
    type: bool
    default: false
  exact_max_size:
    description:
      - How much is measured at most, all relations together; those first that seem to waste most. Without O(exact) a
        measurement reads only pages that changed lately.
    type: str
    default: 10GB
  accepted_settings:
    description:
      - Names of settings that are what they are on purpose. No finding is made of them.
    type: list
    elements: str
    default: []
  queries:
    description:
      - Queries of the application, whose plans the check V(plans) looks at.
      - Each is planned in a read-only transaction that is rolled back. It is not run, unless O(queries[].analyze) says
        so.
      - To plan a query the server may run functions in it that are declared immutable or stable, with the rights of
        O(login_user).
    type: list
    elements: dict
    default: []
    suboptions:
      name:
        description:
          - What findings call it.
        type: str
        required: true
      sql:
        description:
          - One C(SELECT), C(INSERT), C(UPDATE), C(DELETE), C(MERGE), C(VALUES), C(TABLE) or C(WITH), as the application
            sends it, with C($1), C($2) and so on for its parameters.
        type: str
        required: true
      parameters:
        description:
          - Values of the parameters. Without them, the plan is the one that serves any values.
          - Choose values that are no secret, for Ansible logs a module's options.
        type: list
        elements: raw
      analyze:
        description:
          - Whether to run the query, which takes its time, so that estimates are compared with real numbers of rows.
            Only for queries that read.
        type: bool
        default: false
  search_path:
    description:
      - Schemas in which the application's queries look for their tables. V($user) is the schema named as O(login_user).
    type: list
    elements: str
    default: [$user, public]
extends_documentation_fragment:
  - dataops.upkeep.postgresql
  - dataops.upkeep.connection
  - dataops.upkeep.common
  - dataops.upkeep.checks
  - dataops.upkeep.postgresql_indexes
  - dataops.upkeep.state
  - dataops.upkeep.result
  - dataops.upkeep.attributes
  - dataops.upkeep.attributes.info_module
  - dataops.upkeep.attributes.actiongroup_postgresql
notes:
  - "The user needs to be a member of C(pg_monitor). What it may not see without that is a warning; what it may see is
    checked all the same."
  - "Beyond that, the check V(sequences) needs C(SELECT) on the sequences and V(plans) what the queries need. Without
    the extension C(pgstattuple), V(bloat) needs C(SELECT) on the tables, to see their statistics. From version 14 on
    the role C(pg_read_all_data) holds all of it."
  - Give the server's own address and not that of a pooler such as PgBouncer, which hides what has to be looked at.
  - "Threshold C(table_bloat_percent) (percent, warning 50): share of a table that is free space or dead rows, beyond
    what its fill factor keeps free."
  - "Threshold C(table_bloat_bytes) (bytes, warning 10485760): the same in bytes; both have to be crossed."
  - "Threshold C(index_bloat_percent) (percent, warning 50): share of an index that a rebuild would give back."
  - "Threshold C(index_bloat_bytes) (bytes, warning 10485760): the same in bytes; both have to be crossed."
  - "Threshold C(vacuum_overdue_ratio) (ratio, warning 2): changes to a table in multiples of what makes autovacuum
    vacuum it, its own storage parameters included, judged from 1000 changes on."
  - "Threshold C(analyze_overdue_ratio) (ratio, warning 2): likewise for analyze."
  - "Threshold C(overdue_seconds) (seconds, warning 43200): for how long a table has to have been beyond these
    ratios, unless autovacuum is off for it."
  - "Threshold C(partitions_changed_percent) (percent, warning 50): by how much the rows of a partitioned table differ
    from when it was last analyzed, judged from 1000 rows on."
  - "Threshold C(transaction_age) (count, warning 1300000000, critical 1400000000): age of the oldest transaction id
    that is not frozen, of a table of this database or of another database, of 2147 million."
  - "Threshold C(multixact_age) (count, warning 1300000000, critical 1400000000): likewise for multixact ids."
  - "Threshold C(freeze_percent) (percent, warning 150): either age in percent of C(autovacuum_freeze_max_age) or
    C(autovacuum_multixact_freeze_max_age), or of what the table itself has for them."
  - "Threshold C(held_age) (count, warning 10000000, critical 150000000): transactions since the snapshot of anything
    that keeps vacuum from removing rows."
  - "Threshold C(sequence_percent) (percent, warning 80, critical 90): how much of a sequence is used up."
  - "Threshold C(table_bytes) (bytes, warning off): size of a table with its indexes and TOAST."
  - "Threshold C(table_growth_percent_per_day) (percent, warning 10): growth of a table of 100 MiB or more, by the
    median over the remembered runs."
  - "Threshold C(autovacuum_seconds) (seconds, warning 86400): how long autovacuum takes for the largest table, if all
    of it changed, by the limits of its speed."
  - "Threshold C(superusers) (count, warning 3): roles that may log in and are superusers."
  - "Threshold C(statement_mean_milliseconds) (milliseconds, warning 20): how long a call of a statement takes on
    average, planning included where C(pg_stat_statements.track_planning) is on."
  - "Threshold C(statement_calls) (count, warning 99): a statement's mean and hits are judged above so many calls."
  - "Threshold C(statement_load_percent) (percent, warning 25, critical 100): time that a statement takes of one
    connection's time."
  - "Threshold C(statement_temporary_bytes) (bytes, warning 1073741824): what a statement writes to temporary files per
    hour."
  - "Threshold C(statement_hit_percent) (percent, warning below 90): blocks found in memory of all a statement asked
    for, judged from 100000 blocks on."
  - "Threshold C(statements_evicted) (count, warning 0): how often the list of statements was full."
  - "Threshold C(foreign_key_rows) (count, warning 1000): rows of a table of which a foreign key has no index."
  - "Threshold C(sequential_rows) (count, warning 10000): rows from which on it matters how a table is read."
  - "Threshold C(index_use_percent) (percent, warning below 95): scans by an index of all scans of such a table, judged
    from 10 scans of the whole table on."
  - "Threshold C(index_saving_percent) (percent, warning 50): what an index that does not exist would save of the cost
    of a query in O(queries), as the planner estimates where the extension C(hypopg) is installed."
  - "Threshold C(plan_table_rows) (count, warning 10000): rows of a table from which on it matters how it is read."
  - "Threshold C(plan_returned_percent) (percent, warning below 10): rows that are wanted of such a table, where it is
    read whole."
  - "Threshold C(plan_nested_rows) (count, warning 1000000): rows of a table that is gone through anew for each row of
    another, in all."
  - "Threshold C(plan_sort_bytes) (bytes, warning 67108864): size of a sort that does not fit into C(work_mem)."
  - "Threshold C(plan_estimate_ratio) (ratio, warning 100): by how much an estimate of a query that was run is wrong."
seealso:
  - module: dataops.upkeep.postgresql_health_info
"""

EXAMPLES = r"""
- name: Audit the application's database, comparing with the last run
  dataops.upkeep.postgresql_audit_info:
    login_host: db.example.com
    login_user: upkeep_monitor
    login_password: "{{ postgresql_password }}"
    login_db: app
    state: /var/lib/upkeep
  register: postgresql_audit

- name: Look at the sequences only, with limits of one's own
  dataops.upkeep.postgresql_audit_info:
    login_host: /var/run/postgresql
    login_db: app
    checks: [sequences]
    thresholds:
      sequence_percent: {warning: 50, critical: 75}

- name: See that the application's queries use an index
  dataops.upkeep.postgresql_audit_info:
    login_host: db.example.com
    login_user: upkeep_monitor
    login_password: "{{ postgresql_password }}"
    login_db: app
    checks: [plans]
    queries:
      - name: orders of a customer
        sql: SELECT * FROM orders WHERE customer_id = $1 ORDER BY created_at DESC LIMIT 20
      - name: overdue invoices
        sql: SELECT * FROM invoices WHERE status = $1 AND expires_at < now()
        parameters: [pending]
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
from ansible_collections.dataops.upkeep.plugins.module_utils._postgresql.audit.declared_plans import plan_arguments
from ansible_collections.dataops.upkeep.plugins.module_utils._postgresql.audit.task import CHECKS, postgresql_audit
from ansible_collections.dataops.upkeep.plugins.module_utils._postgresql.index.options import unused_arguments
from ansible_collections.dataops.upkeep.plugins.module_utils._state.place import open_memory

AUDIT = ArgumentSpec(
    {
        "exact": {"type": "bool", "default": False},
        "exact_max_size": {"type": "str", "default": "10GB"},
        "accepted_settings": {"type": "list", "elements": "str", "default": []},
    }
)
ARGUMENTS = connection_arguments().merge(
    common_arguments(),
    check_arguments([check.name for check in CHECKS]),
    state_arguments(),
    AUDIT,
    unused_arguments(),
    plan_arguments(),
)


def main() -> None:
    """Run the module."""
    run_module(ARGUMENTS, postgresql_audit, open_memory)


if __name__ == "__main__":
    main()
