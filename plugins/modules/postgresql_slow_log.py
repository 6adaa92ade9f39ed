#!/usr/bin/python
# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: postgresql_slow_log
short_description: Let a PostgreSQL server log slow statements and record what all of them cost
version_added: 0.1.0
description:
  - Sets C(log_min_duration_statement), for the whole server, one database or one role, and sets up
    C(pg_stat_statements), from which M(dataops.upkeep.postgresql_audit_info) and others read.
  - Reads first what is set, where, and what of it the user may change; writes only what differs; then looks whether it
    is in force.
  - What needs a restart is said as the warning C(postgresql.restart_required), as long as it is so. The module never
    restarts a server.
  - C(pg_stat_statements) is added to C(shared_preload_libraries), of which all else is kept. Before that, it is made
    sure that the server has the library, without which it would not start any more.
  - Values of their own that roles and databases have, and the server's command line, go before what is set here; that
    is said. What the user may not do is a critical finding with what to do instead.
  - Works with PostgreSQL 13 to 18, and on standbys as far as they have a configuration of their own.
author:
  - The dataops.upkeep authors (@dataops)
requirements:
  - psycopg >= 3.1
options:
  state:
    description:
      - V(enabled) lets slow statements be logged.
      - V(disabled) lets none be logged for their duration. What C(pg_stat_statements) records goes on.
    type: str
    choices: [enabled, disabled]
    default: enabled
  slow_ms:
    description:
      - Statements that take so many milliseconds or longer are logged. With V(0) all are.
    type: int
    default: 1000
  sample_ms:
    description:
      - Of statements that take so many milliseconds or longer, and shorter than O(slow_ms), a sample is logged, as
        large as O(sample_rate) says. Without it, what is set stays.
    type: int
  sample_rate:
    description:
      - The sample as a share, from V(0) to V(1).
    type: float
  parameter_length:
    description:
      - How many bytes of each parameter of a slow statement are logged, C(log_parameter_max_length).
      - With V(0) none, for the log would hold the data of the application's users. V(-1) logs them whole. Constants in
        the text of a statement are logged in any case.
    type: int
    default: 0
  scope:
    description:
      - Whose logging is set. V(server) writes with C(ALTER SYSTEM), V(database) sets it for O(login_db), V(role) for
        O(role), from their next sessions on.
      - C(pg_stat_statements) is loaded by the whole server in any case.
    type: str
    choices: [server, database, role]
    default: server
  role:
    description:
      - The role, with O(scope=role), exactly as it is named.
    type: str
  statements:
    description:
      - Whether to set up C(pg_stat_statements), the library in the server and the extension in O(login_db).
    type: bool
    default: true
  schema:
    description:
      - The schema that the extension is put into, if it is not in the database yet, exactly as it is named.
    type: str
    default: public
  deadline:
    description:
      - How long the module may take, as V(30s) or V(5min).
    type: str
    default: 60s
  lock_timeout:
    description:
      - How long a statement may wait for a lock, as V(3s), or V(0.5) for half a second.
    type: str
    default: 1s
extends_documentation_fragment:
  - dataops.upkeep.postgresql
  - dataops.upkeep.connection
  - dataops.upkeep.result
  - dataops.upkeep.attributes
  - dataops.upkeep.attributes.work_module
  - dataops.upkeep.attributes.actiongroup_postgresql
notes:
  - "The user has to be a superuser. From version 15 on these rights will do: C(ALTER SYSTEM) on the parameters,
    execution of C(pg_reload_conf), and membership in C(pg_read_all_settings). The extension needs a superuser, or a
    service that lets others create it."
  - Managed services refuse C(ALTER SYSTEM). Set the server's parameters in the provider's parameter group there, and
    use this module with O(scope=database) or O(scope=role).
  - The session is read-only until the first change, so check mode cannot change anything.
seealso:
  - module: dataops.upkeep.postgresql_audit_info
"""

EXAMPLES = r"""
- name: Log statements of a second and longer, and record all of them
  dataops.upkeep.postgresql_slow_log:
    login_host: db.example.com
    login_user: postgres
    login_password: "{{ postgres_password }}"
    login_db: app
    slow_ms: 1000
  register: slow_log

- name: Say what waits for a restart
  ansible.builtin.debug:
    msg: "{{ slow_log.findings | map(attribute='message') | list }}"

- name: Look more closely at one role, at a hundredth of its statements above 50 ms
  dataops.upkeep.postgresql_slow_log:
    login_host: /var/run/postgresql
    login_db: app
    scope: role
    role: api
    slow_ms: 250
    sample_ms: 50
    sample_rate: 0.01

- name: End the logging
  dataops.upkeep.postgresql_slow_log:
    login_host: /var/run/postgresql
    state: disabled
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

from ansible_collections.dataops.upkeep.plugins.module_utils._core.arguments import connection_arguments
from ansible_collections.dataops.upkeep.plugins.module_utils._core.module import run_module
from ansible_collections.dataops.upkeep.plugins.module_utils._postgresql.slow_log.policy import slow_log_arguments
from ansible_collections.dataops.upkeep.plugins.module_utils._postgresql.slow_log.task import PostgresqlSlowLog
from ansible_collections.dataops.upkeep.plugins.module_utils._postgresql.work import work_arguments

ARGUMENTS = connection_arguments().merge(work_arguments(deadline="60s"), slow_log_arguments())


def main() -> None:
    """Run the module."""
    run_module(ARGUMENTS, PostgresqlSlowLog)


if __name__ == "__main__":
    main()
