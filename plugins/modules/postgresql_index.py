#!/usr/bin/python
# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: postgresql_index
short_description: Have declared indexes in a PostgreSQL database, and drop those that nothing uses
version_added: 0.1.0
description:
  - Makes the indexes that are declared, with C(CREATE INDEX CONCURRENTLY), so that nobody has to wait. An index that
    exists as declared is left alone; that is told by its definition, which the server itself compares, not by its name.
  - What a build left behind that failed, was broken off or was killed is an invalid index of the same name. It is made
    anew, and not mistaken for the index.
  - An index of the declared name and another definition is a critical finding with both definitions. It is not touched.
  - On a partitioned table the index is made on each partition concurrently, then attached.
  - Reports, or drops, the indexes that nothing uses. Every condition of the rule has to hold, on every server; each
    that does not is a reason to keep the index, which is returned. C(docs/index-rule.md) of the collection has a table.
  - Before it begins, old transactions that it would have to wait for are waited for, no longer than O(lock_timeout).
    Then the action is skipped, with who is in the way.
  - Works with PostgreSQL 13 to 18.
author:
  - The dataops.upkeep authors (@dataops)
requirements:
  - psycopg >= 3.1
options:
  indexes:
    description:
      - The indexes to have, or not to have.
    type: list
    elements: dict
    default: []
    suboptions:
      name:
        description: Name of the index, as in SQL. It lies in the schema of its table.
        type: str
        required: true
      table:
        description: Its table, as V(orders), V(app.orders) or V(app."Order Items").
        type: str
        required: true
      columns:
        description:
          - Its keys in their order. Required for an index that is to be present.
          - A text is a column, or an expression in parentheses, and may end in C(asc) or C(desc) and C(nulls first) or
            C(nulls last), such as V(created_at desc) or V((lower(email\))).
          - A dict has C(name) or C(expression), and may have C(opclass), C(collation), C(order) (V(asc) or V(desc)) and
            C(nulls) (V(first) or V(last)).
          - An expression is SQL of yours, with the rights of the user that is logged in. It is checked to be one closed
            expression, without semicolon, before anything is done. Functions and types outside of C(pg_catalog) are
            named with their schema.
        type: list
        elements: raw
        default: []
      unique:
        description: Whether it keeps its keys unique.
        type: bool
        default: false
      method:
        description: Its access method, such as V(btree), V(gin) or V(brin).
        type: str
        default: btree
      where:
        description: SQL condition of the rows that it holds. What is said of expressions holds for it as well.
        type: str
      include:
        description: Columns that it carries along.
        type: list
        elements: str
        default: []
      nulls_not_distinct:
        description: Whether two nulls are the same for a unique index. Needs PostgreSQL 15.
        type: bool
        default: false
      state:
        description:
          - V(present) makes it. V(absent) drops it, used or not; one that a constraint stands on is not dropped.
          - What is to be present is made first. What is to be absent goes only when every index that is to be present
            on the same table exists, so that an index can be declared anew under another name in one run.
        type: str
        choices: [present, absent]
        default: present
  unused:
    description:
      - What to do about indexes that nothing uses. V(report) makes a finding of each, V(drop) drops them with
        C(DROP INDEX CONCURRENTLY). The definition is returned as RV(actions[].undo).
      - Declared indexes are never among them.
      - Needs O(state), for an index counts as unused only if earlier runs have seen it so for O(unused_after).
    type: str
    choices: [report, drop]
    default: report
  lock_timeout:
    default: 3s
extends_documentation_fragment:
  - dataops.upkeep.postgresql
  - dataops.upkeep.postgresql_work
  - dataops.upkeep.postgresql_indexes
  - dataops.upkeep.connection
  - dataops.upkeep.state
  - dataops.upkeep.result
  - dataops.upkeep.attributes
  - dataops.upkeep.attributes.work_module
  - dataops.upkeep.attributes.actiongroup_postgresql
notes:
  - The user has to own the tables, or be a superuser. To know who is in the way it needs C(pg_monitor).
  - Where a statement has to take a lock that the application would queue behind (the index of a partitioned table, and
    attaching to it), it waits for 0.2 seconds at most, and tries again a few times.
  - Where the server runs on the same host and its user may see where it keeps its data, the size of each btree that is
    to be made is estimated, and what the disk has no room for is skipped.
  - The collation of an expression is compared only where it is declared. Storage parameters and tablespaces are not.
seealso:
  - module: dataops.upkeep.postgresql_audit_info
  - module: dataops.upkeep.postgresql_reindex
"""

EXAMPLES = r"""
- name: Have the indexes of the application
  dataops.upkeep.postgresql_index:
    login_host: db.example.com
    login_user: app_owner
    login_password: "{{ postgresql_password }}"
    login_db: app
    indexes:
      - name: events_created
        table: events
        columns: [created_at desc]
      - name: users_email
        table: users
        columns: ["(lower(email))"]
        unique: true
      - name: invoices_open
        table: invoices
        columns: [user_id, expires_at]
        where: status = 'pending'
        include: [amount]
      - name: events_old_idea
        table: events
        state: absent

- name: Drop what no query has used for a quarter, on the primary and on both standbys
  dataops.upkeep.postgresql_index:
    uri: "{{ postgresql_uri }}"
    unused: drop
    unused_after: 3mo
    replicas:
      - login_host: standby1.example.com
      - login_host: standby2.example.com
    state: /var/lib/upkeep
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
from ansible_collections.dataops.upkeep.plugins.module_utils._postgresql.index.options import unused_arguments
from ansible_collections.dataops.upkeep.plugins.module_utils._postgresql.index.task import postgresql_index
from ansible_collections.dataops.upkeep.plugins.module_utils._postgresql.work import work_arguments
from ansible_collections.dataops.upkeep.plugins.module_utils._state.place import open_memory

INDEX = {
    "name": {"type": "str", "required": True},
    "table": {"type": "str", "required": True},
    "columns": {"type": "list", "elements": "raw", "default": []},
    "unique": {"type": "bool", "default": False},
    "method": {"type": "str", "default": "btree"},
    "where": {"type": "str"},
    "include": {"type": "list", "elements": "str", "default": []},
    "nulls_not_distinct": {"type": "bool", "default": False},
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
}
OWN = ArgumentSpec(
    {
        "indexes": {"type": "list", "elements": "dict", "default": [], "options": INDEX},
        "unused": {"type": "str", "choices": ["report", "drop"], "default": "report"},
    }
)
ARGUMENTS = connection_arguments().merge(work_arguments(lock_timeout="3s"), unused_arguments(), state_arguments(), OWN)


def main() -> None:
    """Run the module."""
    run_module(ARGUMENTS, postgresql_index, open_memory)


if __name__ == "__main__":
    main()
