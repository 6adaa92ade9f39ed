#!/usr/bin/python
# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: mongodb_health_info
short_description: Check the health of a MongoDB server and its replica set
version_added: 0.1.0
description:
  - Connects once and checks latency, version, restarts, replica set, oplog, connections, queues, cache, assertions,
    page faults, cursors, long operations and sizes.
  - What crosses a threshold becomes a finding with its value, its limit and a remedy. All numbers are metrics.
  - Reads statistics only. It makes no pass over documents, and no value out of a document or a query is returned.
  - Counters and growth are those since earlier runs, for which O(state) is needed. Counters start anew with the server.
  - Works with MongoDB 4.4 and newer, standalone, as a member of a replica set, or behind a router (mongos); a server
    that is no member has nothing to say about replication, and that is no finding.
author:
  - The dataops.upkeep authors (@dataops)
requirements:
  - pymongo >= 4.6
options:
  checks:
    description:
      - Which checks to make.
      - V(ping) measures the latency.
      - V(version) looks at how long the release has been without support.
      - V(uptime) looks for a restart since the last run.
      - V(replication) is the state of each member, whether there is a primary and whether there still would be after
        one more loss, and how far each secondary is behind. A lag is looked at twice, a second apart.
      - V(oplog) is how long a member may be away before it has to copy everything. Only a full oplog is judged.
      - V(connections) is connections in use of those possible.
      - V(queues) is operations that wait, tickets of the storage engine, and flow control.
      - V(cache) is how full WiredTiger's cache is and how much of it is not yet written.
      - V(asserts) is errors of the server itself, and those of clients.
      - V(page_faults) is reads from disk for want of memory.
      - V(cursors) is open and abandoned cursors.
      - V(operations) is long operations of clients, and a lock against writes (C(fsyncLock)). Index builds, C(compact)
        and C(validate) are not judged.
      - V(storage) is the size and growth of each database (100 at most), and the volume below them with the day it is
        full.
    type: list
    elements: str
    choices: &checks
      - ping
      - version
      - uptime
      - replication
      - oplog
      - connections
      - queues
      - cache
      - asserts
      - page_faults
      - cursors
      - operations
      - storage
    default: *checks
extends_documentation_fragment:
  - dataops.upkeep.mongodb
  - dataops.upkeep.connection
  - dataops.upkeep.common
  - dataops.upkeep.checks
  - dataops.upkeep.state
  - dataops.upkeep.result
  - dataops.upkeep.attributes
  - dataops.upkeep.attributes.info_module
  - dataops.upkeep.attributes.actiongroup_mongodb
notes:
  - "The user needs the role C(clusterMonitor). Without it V(ping) and V(version) still work, and V(storage) with
    C(read) on O(login_db); each other check is one warning that names the missing role, the eight checks that read
    the server's statistics together one."
  - "A server given by O(login_host) is asked itself, whatever part it has in a replica set. A O(uri) is used as it
    stands; of several members the primary is asked, or without one any that can be read."
  - "One connection carries all requests. The driver watches each server that it knows over a connection of its own."
  - "Threshold C(latency_milliseconds) (milliseconds, warning 1000, critical 3000): one ping."
  - "Threshold C(unsupported_days) (days, warning 0): how long ago support of the release ended."
  - "Threshold C(restarts) (count, warning 0): whether the server was started since the last run."
  - "Threshold C(connections_percent) (percent, warning 80, critical 95): connections in use of those possible."
  - "Threshold C(queued_operations) (count, warning 50, critical 500): readers and writers that wait."
  - "Threshold C(tickets_percent) (percent, warning 90): tickets in use while operations wait."
  - "Threshold C(cache_percent) (percent, warning 90, critical 95): cache in use. 80 is where a warm cache rests."
  - "Threshold C(cache_dirty_percent) (percent, warning 10, critical 20): cache not yet written."
  - "Threshold C(asserts) (count, warning 0, critical 100): errors of the server itself since the last run."
  - "Threshold C(user_asserts_per_second) (count, warning 10, critical 100): errors of clients since the last run."
  - "Threshold C(page_faults_per_second) (count, warning 100, critical 1000): reads from disk since the last run."
  - "Threshold C(cursors_open) (count, warning 10000): open cursors."
  - "Threshold C(cursors_timed_out_per_minute) (count, warning 100): abandoned cursors since the last run."
  - "Threshold C(operation_seconds) (seconds, warning 60, critical 600): how long an operation of a client runs."
  - "Threshold C(replication_lag_seconds) (seconds, warning 5, critical 10): how far a secondary is behind,
    beyond what its configuration says it should be."
  - "Threshold C(oplog_window_seconds) (seconds, warning below 86400, critical below 3600): from the oldest to the
    newest operation of a full oplog."
  - "Threshold C(disk_percent) (percent, warning 85, critical 95): use of the volume that holds the data."
  - "Threshold C(days_until_full) (days, warning below 14, critical below 3): until the volume is full at the growth of
    earlier runs."
  - "Threshold C(growth_percent) (percent, warning 20): growth of a database of 100 MiB or more in a day, of earlier
    runs over an hour at least."
seealso:
  - name: Server status
    description: What the numbers mean.
    link: https://www.mongodb.com/docs/manual/reference/command/serverStatus/
"""

EXAMPLES = r"""
- name: Check the application's server, comparing with the last run
  dataops.upkeep.mongodb_health_info:
    login_host: db1.example.com
    login_user: monitor
    login_password: "{{ mongodb_password }}"
    state: /var/lib/upkeep
  register: mongodb_health

- name: Check the primary of a replica set, with limits of its own
  dataops.upkeep.mongodb_health_info:
    uri: mongodb://db1.example.com,db2.example.com,db3.example.com/?replicaSet=rs0&tls=true
    login_user: monitor
    login_password: "{{ mongodb_password }}"
    ca_cert: /etc/ssl/company-ca.pem
    checks: [ping, replication, oplog, connections, operations]
    thresholds:
      replication_lag_seconds: {warning: 10s, critical: 1min}
      oplog_window_seconds: 2d
      operation_seconds: 5min
      unsupported_days: "off"

- name: Show what is wrong and what to do
  ansible.builtin.debug:
    msg: "{{ item.message }} - {{ item.remedy }}"
  loop: "{{ mongodb_health.findings }}"
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
    check_arguments,
    common_arguments,
    connection_arguments,
    state_arguments,
)
from ansible_collections.dataops.upkeep.plugins.module_utils._core.module import run_module
from ansible_collections.dataops.upkeep.plugins.module_utils._mongodb.health.task import CHECKS, mongodb_health
from ansible_collections.dataops.upkeep.plugins.module_utils._state.place import open_memory

ARGUMENTS = connection_arguments().merge(
    common_arguments(), check_arguments([check.name for check in CHECKS]), state_arguments()
)


def main() -> None:
    """Run the module."""
    run_module(ARGUMENTS, mongodb_health, open_memory)


if __name__ == "__main__":
    main()
