#!/usr/bin/python
# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: redis_health_info
short_description: Check the health of a Redis server
version_added: 0.1.0
description:
  - Connects once and checks latency, version, memory, fragmentation, evictions, hit rate, clients, saving to disk,
    replication, cluster, slow log, latency monitor and number of keys.
  - What crosses a threshold becomes a finding with its value, its limit and a remedy. All numbers are metrics.
  - Reads statistics only. It makes no pass over the keys, whatever their number, and runs no slow command.
  - Counters are those since the last run, for which O(state) is needed. They start anew when the server does.
  - Works with Redis 5 and newer and with Valkey, standalone, as replica, or as one node of a cluster.
author:
  - The dataops.upkeep authors (@dataops)
requirements:
  - redis >= 5.0
options:
  checks:
    description:
      - Which checks to make.
      - V(ping) measures the latency and whether the server loads its data.
      - V(server) looks at the version's age and for a restart since the last run.
      - V(memory) is memory used of C(maxmemory) (of the machine's memory without it), writes refused for want of
        memory, and the allocator's fragmentation.
      - V(cache) is evicted and expired keys and the hit rate.
      - V(clients) is connections in use, blocked and rejected.
      - V(persistence) is the state and age of snapshots and the state of the append-only file.
      - V(replication) is the link to the master, and each replica's lag.
      - V(cluster) is the cluster's state, where there is one, and whether all slots are served.
      - V(slow_log) is how many slow commands there were, and the slowest. Their arguments are not read out.
      - V(latency) is the spikes that the latency monitor recorded, where C(latency-monitor-threshold) is set.
      - V(keyspace) is the number of keys, and how many of them have no TTL, as metrics.
    type: list
    elements: str
    choices:
      [ping, server, memory, cache, clients, persistence, replication, cluster, slow_log, latency, keyspace]
    default:
      [ping, server, memory, cache, clients, persistence, replication, cluster, slow_log, latency, keyspace]
extends_documentation_fragment:
  - dataops.upkeep.redis
  - dataops.upkeep.connection
  - dataops.upkeep.common
  - dataops.upkeep.checks
  - dataops.upkeep.state
  - dataops.upkeep.result
  - dataops.upkeep.attributes
  - dataops.upkeep.attributes.info_module
  - dataops.upkeep.attributes.actiongroup_redis
notes:
  - "The user needs C(+ping +info +slowlog|get +latency|latest +cluster|info). With C(+config|get) it is known whether
    snapshots are wanted at all. Nothing else is asked for, and no key is read."
  - "Threshold C(latency_milliseconds) (milliseconds, warning 100, critical 1000): median of five pings."
  - "Threshold C(unsupported_days) (days, warning 0): how long ago support of the version's branch ended."
  - "Threshold C(restarts) (count, warning 0): starts of the server since the last run."
  - "Threshold C(memory_percent) (percent, warning 85, critical 95): memory used of C(maxmemory). A server that may
    evict keys is never critical for it."
  - "Threshold C(system_memory_percent) (percent, warning 85, critical 95): memory used of the machine's, where no
    C(maxmemory) is set."
  - "Threshold C(out_of_memory_errors) (count, warning 0): writes refused for want of memory since the last run."
  - "Threshold C(fragmentation_ratio) (ratio, warning 1.4): the allocator's fragmentation, where it also is above
    C(fragmentation_bytes)."
  - "Threshold C(fragmentation_bytes) (bytes, warning 104857600): see C(fragmentation_ratio)."
  - "Threshold C(evicted_keys) (count, warning 0): keys evicted since the last run."
  - "Threshold C(hit_rate_percent) (percent, warning below 50): hits of all look-ups since the last run, judged from
    1000 look-ups on."
  - "Threshold C(clients_percent) (percent, warning 80, critical 95): connections in use of C(maxclients)."
  - "Threshold C(blocked_clients) (count, warning 100): clients that wait in a blocking command."
  - "Threshold C(rejected_connections) (count, warning 0): connections turned away since the last run."
  - "Threshold C(save_age_seconds) (seconds, warning 172800): age of the last snapshot while there are changes since."
  - "Threshold C(replica_lag_seconds) (seconds, warning 10, critical 60): since a replica last acknowledged, and on a
    replica since the master was last heard."
  - "Threshold C(replica_lag_bytes) (bytes, warning 104857600): what a replica has not acknowledged."
  - "Threshold C(lost_replicas) (count, warning 0): replicas that the last run saw and this one does not."
  - "Threshold C(slow_commands) (count, warning 10): entries in the slow log since the last run, or of a day."
  - "Threshold C(slow_command_milliseconds) (milliseconds, warning 100, critical 1000): the slowest of them."
  - "Threshold C(latency_event_milliseconds) (milliseconds, warning 100, critical 1000): the last spike of each kind
    since the last run, or of a day."
seealso:
  - module: dataops.upkeep.queue_health_info
"""

EXAMPLES = r"""
- name: Check the cache, comparing with the last run
  dataops.upkeep.redis_health_info:
    login_host: cache.example.com
    login_password: "{{ redis_password }}"
    state: /var/lib/upkeep
  register: redis_health

- name: Check a server on this host whose evictions are meant, without the slow log
  dataops.upkeep.redis_health_info:
    uri: unix:///run/redis/redis.sock
    checks: [ping, memory, cache, clients, persistence]
    thresholds:
      evicted_keys: "off"
      memory_percent: {warning: 90, critical: 98}
      save_age_seconds: 6h

- name: Show what is wrong and what to do
  ansible.builtin.debug:
    msg: "{{ item.message }} - {{ item.remedy }}"
  loop: "{{ redis_health.findings }}"
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
from ansible_collections.dataops.upkeep.plugins.module_utils._redis.health.task import CHECKS, redis_health
from ansible_collections.dataops.upkeep.plugins.module_utils._state.place import open_memory

ARGUMENTS = connection_arguments().merge(
    common_arguments(), check_arguments([check.name for check in CHECKS]), state_arguments()
)


def main() -> None:
    run_module(ARGUMENTS, redis_health, open_memory)


if __name__ == "__main__":
    main()
