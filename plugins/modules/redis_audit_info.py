#!/usr/bin/python
# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: redis_audit_info
short_description: Audit a Redis server in depth
version_added: 0.1.0
description:
  - Passes once over all keys of a database, on every primary of a cluster, without keeping a server busy for more than
    a few milliseconds at a time, and looks at the slow log, at settings that hurt and at who can reach the server.
  - The pass uses C(SCAN), and for each key C(PTTL) and C(MEMORY USAGE); for all keys of 1 KiB or more, and for some
    20,000 of the others (all of them below 40,000 keys), also type, encoding and the time since the last
    use. It reads no value, and none of this counts as a use of the key.
  - A large collection is asked for the number of its elements. With C(CLIENT NO-TOUCH), from Redis 7.2 on, this counts
    as no use either; where the server lacks it, and in a cluster, collections that were not used for a day are not
    asked.
  - Where scripts are allowed, the server looks at a page of keys in one request; else each key is asked for. The metric
    C(redis_audit_scripts) says which, and C(redis_longest_stall_milliseconds) for how long one request kept the server
    busy at most.
  - What crosses a threshold becomes a finding with its value, its limit and a remedy. All numbers are metrics.
  - Keys are grouped by their names. What looks like an id (a number, a UUID, a hash, a date) is taken as V(*), so that
    C(user:17:cart) and C(user:18:cart) are both C(user:*:cart). In the name of a single key, what may be a token is cut
    to its beginning.
  - Works with Redis 5 and newer and with Valkey, standalone, as replica, or as one node of a cluster.
author:
  - The dataops.upkeep authors (@dataops)
requirements:
  - redis >= 5.0
options:
  checks:
    description:
      - Which checks to make. Those of keys share one pass.
      - V(keyspace) is keys, bytes, time to live and use by group of keys; what never expires, and what nobody uses.
      - V(policy) holds keys to O(policies).
      - V(big_keys) is the largest keys by bytes and by elements.
      - V(slow_log) is how many slow commands there were, the slowest, and those that grow with the data, such as
        C(KEYS). Their arguments are not read out.
      - V(settings) is settings that lose data, let memory run out or blind the monitoring.
      - V(exposure) is users without a password, the addresses that the server listens on, encryption, and commands
        that open the server to its clients.
    type: list
    elements: str
    choices: [keyspace, policy, big_keys, slow_log, settings, exposure]
    default: [keyspace, policy, big_keys, slow_log, settings, exposure]
  policies:
    description:
      - What keys have to do with their time to live. The first rule that a key matches is the one for it.
      - Keys of a rule are not judged by C(no_ttl_percent) any more; a rule with O(policies[].ttl=optional) alone says
        that its keys may stay for ever.
    type: list
    elements: dict
    default: []
    suboptions:
      pattern:
        description:
          - Pattern of keys, as Redis has it, such as V(response:*).
        type: str
        required: true
      max_ttl:
        description:
          - How long a key may have left at most, such as V(5min) or a number of seconds.
          - What is seen is the time that is left. A key that began with more and has less by now is in order.
        type: str
      ttl:
        description:
          - V(required) means that every key has to expire, V(optional) that it need not.
          - If not set, V(required) with O(policies[].max_ttl), else V(optional).
        type: str
        choices: [required, optional]
  idle_after:
    description:
      - From when on a key counts as one that nobody uses.
      - A server with an LFU policy does not count the time, so there is no such number there.
    type: str
    default: 30d
  scan_seconds:
    description:
      - How long the pass may take, and at most four fifths of what is left of O(deadline). When it is over, the keys
        that were seen stand for all, and messages say so. C(SCAN) comes by keys in an order that has nothing to do with
        their names.
    type: str
    default: 45s
  sample:
    description:
      - How many keys to look at, at most. If not set, all of them, as O(scan_seconds) allows.
    type: int
  accepted_settings:
    description:
      - Names of settings that are what they are on purpose. No finding is made of them.
    type: list
    elements: str
    default: []
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
  - "The user needs C(+ping +info +scan +dbsize +pttl +memory|usage +type +object +llen +hlen +scard +zcard
    +xlen) on all keys, C(+slowlog|get) and C(+config|get); for V(exposure) C(+acl|users +acl|getuser). With C(+eval)
    (before Redis 7 also C(+time)) the pass is quicker, and C(+client|no-touch) leaves no trace. In a
    cluster also C(+cluster|slots +cluster|myid)."
  - "Threshold C(no_ttl_percent) (percent, warning 10): what one group of keys without TTL takes of C(maxmemory), or of
    the memory in use where there is no limit, if it also takes more than C(no_ttl_bytes). Not judged where the server
    may evict any key, and not for queues of Bull and BullMQ."
  - "Threshold C(no_ttl_bytes) (bytes, warning 10485760): see C(no_ttl_percent)."
  - "Threshold C(idle_percent) (percent, warning 20): what one group of keys that nobody used for O(idle_after) takes
    likewise, if it also takes more than C(idle_bytes)."
  - "Threshold C(idle_bytes) (bytes, warning 10485760): see C(idle_percent)."
  - "Threshold C(ttl_missing) (count, warning 0): keys of a policy that need a TTL and have none."
  - "Threshold C(ttl_too_long) (count, warning 0): keys of a policy that live on for longer than they may."
  - "Threshold C(key_bytes) (bytes, warning 1048576, critical 104857600): memory of one key."
  - "Threshold C(key_elements) (count, warning 20000, critical 1000000): elements of one collection; those of queues are
    judged by M(dataops.upkeep.queue_health_info)."
  - "Threshold C(maxmemory_percent) (percent, warning 85): C(maxmemory) of the machine's memory."
  - "Threshold C(slow_commands) (count, warning 10): entries in the slow log since the last run, or of a day."
  - "Threshold C(slow_command_milliseconds) (milliseconds, warning 100, critical 1000): the slowest of them."
seealso:
  - module: dataops.upkeep.redis_health_info
  - module: dataops.upkeep.queue_health_info
"""

EXAMPLES = r"""
- name: Audit the cache, and hold its responses to five minutes
  dataops.upkeep.redis_audit_info:
    login_host: cache.example.com
    login_password: "{{ redis_password }}"
    policies:
      - {pattern: "response:*", max_ttl: 5min}
      - {pattern: "sess:*", ttl: required}
      - {pattern: "config:*", ttl: optional}
    state: /var/lib/upkeep
  register: redis_audit

- name: Look at the largest keys of a very large store, by a sample
  dataops.upkeep.redis_audit_info:
    uri: rediss://cache.example.com:6380/0
    login_user: upkeep_monitor
    login_password: "{{ redis_password }}"
    checks: [keyspace, big_keys]
    sample: 2000000
    thresholds:
      key_bytes: 5MiB

- name: Check how a server can be reached whose address is open on purpose
  dataops.upkeep.redis_audit_info:
    login_host: cache.example.com
    login_password: "{{ redis_password }}"
    checks: [settings, exposure]
    accepted_settings: [bind, latency-monitor-threshold]
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
from ansible_collections.dataops.upkeep.plugins.module_utils._redis.audit.task import (
    CHECKS,
    audit_arguments,
    redis_audit,
)
from ansible_collections.dataops.upkeep.plugins.module_utils._state.place import open_memory

ARGUMENTS = connection_arguments().merge(
    common_arguments(), check_arguments([check.name for check in CHECKS]), state_arguments(), audit_arguments()
)


def main() -> None:
    """Run the module."""
    run_module(ARGUMENTS, redis_audit, open_memory)


if __name__ == "__main__":
    main()
