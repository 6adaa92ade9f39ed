#!/usr/bin/python
# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: postgresql_retention
short_description: Delete, archive, update or anonymize old rows of PostgreSQL tables
version_added: 0.1.0
description:
  - Carries out rules of retention. Each names a table, which of its rows are old, and what becomes of them.
  - Rows are taken in small pieces, each a transaction of its own that aims at O(batch_target_ms). What is kept
    elsewhere is what was taken, row by row, whatever others write meanwhile. Killed at any moment, nothing is lost and
    nothing is doubled; the next run goes on.
  - A row that another session has locked is left out rather than waited for, and looked at again at the end.
  - Rows that others refer to by a foreign key are not touched unless the rule says what is to become of them.
  - An archive table is made with the columns and the key of its source, and gets the columns that the source gets. A
    column whose type no longer holds every value of the source is reported with both types, and nothing is moved.
author:
  - The dataops.upkeep authors (@dataops)
requirements:
  - psycopg >= 3.1
  - "zstandard >= 0.18, only for files with O(rules[].archive_to) compressed by zstd"
options:
  rules:
    description:
      - The rules, which are carried out in this order.
    type: list
    elements: dict
    required: true
    suboptions:
      name:
        description:
          - What the rule is called in results. C(rule 1), C(rule 2) and so on by default.
        type: str
      table:
        description:
          - The table, as V(events), V(app.events) or V(app."Order Items"). A name without schema is looked for in all
            schemas and has to be unique. A partitioned table stands for all its partitions.
        type: str
        required: true
      age_column:
        description:
          - The column by which rows are old. A time without time zone is taken for UTC.
        type: str
      older_than:
        description:
          - How old a row has to be, by the server's clock, as V(90d), V(6mo), V(1y6mo).
        type: str
      age_unit:
        description:
          - What O(rules[].age_column) holds. V(time) is a timestamp or a date; V(seconds) and V(milliseconds) are
            numbers since 1970.
        type: str
        choices: [time, seconds, milliseconds]
        default: time
      where:
        description:
          - A condition that rows have to fulfil besides, as SQL has it after WHERE. Columns are named without their
            table.
        type: str
      action:
        description:
          - V(delete) deletes the rows. V(archive) moves them to O(rules[].archive_to). V(update) writes
            O(rules[].set) over them. V(anonymize) writes over O(rules[].fields) so that nobody can be recognized.
        type: str
        choices: [delete, archive, update, anonymize]
        required: true
      archive_to:
        description:
          - Where archived rows go.
          - "A name, or C({table: name}): a table of the same database, by default of the same schema. It is made if it
            is absent."
          - "C({database: ..., table: name}): a table of another database; C(database) is a URI or a mapping of the
            options by which this module connects."
          - "C({directory: path, compression: gzip}): compressed files, each with a manifest, on the host where the
            module runs. C(compression) is C(gzip) or C(zstd)."
        type: raw
      set:
        description:
          - "What V(update) writes, by column. A mapping C({expression: now()}) stands for SQL."
          - Rows that hold all the plain values already are not touched.
        type: dict
      fields:
        description:
          - What V(anonymize) writes, by column. Empty values stay as they are.
          - "V(null) empties the column; C({constant: gone}) writes one value everywhere."
          - "V(hmac) writes a hash under the O(key) into columns of text, uuid or bytea, as long as the column takes, or
            C({hmac: 32}) of so many hexadecimal digits from 16 to 64."
          - V(fake_name), V(fake_first_name), V(fake_last_name), V(fake_email) and V(fake_phone) invent what follows
            from the value and the O(key) and belongs to nobody.
        type: dict
      on_cascade:
        description:
          - What to do about old rows that rows of other tables refer to by a foreign key.
          - V(refuse) leaves the rule alone and reports it. V(keep) leaves such rows in place until nobody refers to
            them. V(include) lets the foreign key do what it was declared to do, such as delete the referring rows too.
        type: str
        choices: [refuse, keep, include]
        default: refuse
      whole_partitions:
        description:
          - Whether partitions all of whose rows are old are taken as they are, without touching a row, where the table
            is partitioned by ranges of O(rules[].age_column) alone. V(delete) detaches and drops them; V(archive) to a
            table detaches them and attaches them to the archive, which has to be partitioned likewise, and is made so
            if it is absent.
          - Rows are taken one by one all the same where the rule has O(rules[].where), O(max_changes) counts them,
            other tables refer to the table, triggers look at deleted rows, subscribers follow them, or the archive has
            rows of that time already.
        type: bool
        default: true
      all_rows:
        description:
          - Has to be V(true) for a rule with neither O(rules[].older_than) nor O(rules[].where), which is about every
            row.
        type: bool
        default: false
  batch_target_ms:
    description:
      - How long one piece should take, in milliseconds. The number of rows in a piece follows what was measured.
      - A row that others hold is waited for no longer than this either, nor longer than O(lock_timeout).
    type: int
    default: 25
  rest_ratio:
    description:
      - Rest after each piece for this part of the time that it took. V(1.0) works half of the time.
    type: float
    default: 0.0
  max_replica_lag:
    description:
      - While a standby is behind by more than this, the next piece waits. Needs membership in C(pg_monitor).
    type: str
    default: 10s
  max_changes:
    description:
      - How many rows to take at most in one run. The next run goes on.
    type: int
  key:
    description:
      - The key of the keyed methods of O(rules[].fields), of 16 bytes or more, such as C(openssl rand -hex 32) makes.
      - The same key makes the same values of the same ones, in every table and every run. Keep it, and keep it secret.
    type: str
  key_file:
    description:
      - A file that holds the O(key), on the host where the module runs.
    type: path
extends_documentation_fragment:
  - dataops.upkeep.postgresql
  - dataops.upkeep.connection
  - dataops.upkeep.postgresql_work
  - dataops.upkeep.result
  - dataops.upkeep.attributes
  - dataops.upkeep.attributes.work_module
  - dataops.upkeep.attributes.actiongroup_postgresql
notes:
  - The user needs SELECT and UPDATE on the tables and their partitions, and DELETE for rows that go. UPDATE on one
    column is enough there, which is what locking a row asks for. To make an archive it needs CREATE on its schema.
  - Triggers fire as they do for everybody, under the user's own C(search_path). The plan names them.
  - Tables without a primary key are fine, except for an archive in another database and on version 13.
seealso:
  - module: dataops.upkeep.postgresql_vacuum
"""

EXAMPLES = r"""
- name: Purge submissions after 30 days, archive completed events after 90
  dataops.upkeep.postgresql_retention:
    login_host: db.example.com
    login_user: upkeep
    login_password: "{{ postgresql_password }}"
    login_db: app
    rules:
      - name: submissions
        table: product_term_submissions
        age_column: created_at
        older_than: 30d
        action: delete
      - name: events
        table: events
        age_column: created_at
        older_than: 90d
        where: status IN ('completed', 'failed')
        action: archive
        archive_to: events_archive

- name: Let unpaid invoices expire, gently
  dataops.upkeep.postgresql_retention:
    login_db: app
    max_changes: 100000
    rest_ratio: 1.0
    rules:
      - name: expired invoices
        table: invoices
        age_column: expires_at
        older_than: 1d
        where: status = 'pending'
        action: update
        set:
          status: expired

- name: Keep logins for half a year in files, and for good in another database what was paid
  dataops.upkeep.postgresql_retention:
    login_db: app
    rules:
      - name: logins
        table: logins
        age_column: at
        older_than: 6mo
        action: archive
        archive_to:
          directory: /var/backups/app/archive
          compression: gzip
      - name: payments
        table: payments
        age_column: paid_at
        older_than: 2y
        action: archive
        archive_to:
          database: "postgresql://archivist:{{ archive_password | urlencode }}@archive.example.com/history"
          table: payments

- name: Let nobody be recognized in customers that have been gone for three years
  dataops.upkeep.postgresql_retention:
    login_db: app
    key_file: /etc/upkeep/anonymity.key
    rules:
      - name: former customers
        table: customers
        age_column: closed_at
        older_than: 3y
        action: anonymize
        fields:
          name: fake_name
          email: fake_email
          phone: null
          tax_number: hmac
          remarks: {constant: removed}
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
)
from ansible_collections.dataops.upkeep.plugins.module_utils._core.module import run_module
from ansible_collections.dataops.upkeep.plugins.module_utils._postgresql.retention.rule import (
    ACTIONS,
    AGE_UNITS,
    ON_CASCADE,
)
from ansible_collections.dataops.upkeep.plugins.module_utils._postgresql.retention.task import PostgresqlRetention
from ansible_collections.dataops.upkeep.plugins.module_utils._postgresql.work import work_arguments

RULE = {
    "name": {"type": "str"},
    "table": {"type": "str", "required": True},
    "age_column": {"type": "str"},
    "older_than": {"type": "str"},
    "age_unit": {"type": "str", "choices": list(AGE_UNITS), "default": "time"},
    "where": {"type": "str"},
    "action": {"type": "str", "choices": list(ACTIONS), "required": True},
    "archive_to": {"type": "raw"},
    "set": {"type": "dict"},
    "fields": {"type": "dict"},
    "on_cascade": {"type": "str", "choices": list(ON_CASCADE), "default": "refuse"},
    "whole_partitions": {"type": "bool", "default": True},
    "all_rows": {"type": "bool", "default": False},
}
OPTIONS = ArgumentSpec(
    {
        "rules": {"type": "list", "elements": "dict", "required": True, "options": RULE},
        "batch_target_ms": {"type": "int", "default": 25},
        "rest_ratio": {"type": "float", "default": 0.0},
        "max_replica_lag": {"type": "str", "default": "10s"},
        "max_changes": {"type": "int"},
        "key": {"type": "str", "no_log": True},
        "key_file": {"type": "path", "no_log": False},
    },
    mutually_exclusive=(("key", "key_file"),),
)
ARGUMENTS = connection_arguments().merge(work_arguments(), OPTIONS)


def main() -> None:
    """Run the module."""
    run_module(ARGUMENTS, PostgresqlRetention)


if __name__ == "__main__":
    main()
