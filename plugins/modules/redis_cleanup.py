#!/usr/bin/python
# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: redis_cleanup
short_description: Remove keys of a Redis server or let them expire, and give memory back
version_added: 0.1.0
description:
  - Carries out rules. Each names keys by a pattern, which of them are meant, and what becomes of them.
  - Keys are looked for with C(SCAN) and removed with C(UNLINK), in pages whose size follows O(batch_target_ms), so that
    the server never stands still for others. The longest stall is in each action's C(detail).
  - A key is looked at and changed in one step, so that a session that is used meanwhile stays.
  - Keys of Bull and BullMQ queues are recognized and never touched, nor are keys of this collection.
  - Every primary of a cluster is visited, whichever node the module connects to. One that cannot be reached is a
    finding and keeps no other from being cleaned; keys whose slot is on its way to another node are left for the next
    run.
  - Killed at any point, nothing is lost that should stay; the next run goes on.
author:
  - The dataops.upkeep authors (@dataops)
requirements:
  - redis >= 5.0
options:
  rules:
    description:
      - The rules, which are carried out in this order.
    type: list
    elements: dict
    default: []
    suboptions:
      name:
        description:
          - What the rule is called in results. C(rule 1), C(rule 2) and so on by default.
        type: str
      pattern:
        description:
          - Which keys, as C(SCAN) takes it, such as V(analytics:*). C(?), C([a-z]) and C([^a]) are understood too, and
            a backslash before a letter that is meant as such.
          - A pattern without a letter or digit, such as V(*), is refused unless O(rules[].all_keys) is set.
        type: str
        required: true
      when:
        description:
          - Which of the keys; all conditions have to hold. If not set, all keys that the pattern takes.
          - V(no_ttl) are keys that never expire.
          - V(idle) are keys that nobody used for O(rules[].older_than). The server knows that for 194 days at most, not
            beyond its last start, and not under an LFU policy, which is reported.
          - V(field_age) are hashes, and strings that hold an object in JSON, whose O(rules[].field) is older than
            O(rules[].older_than). Keys without the field, or in which it is no time, stay.
        type: list
        elements: str
        choices: [no_ttl, idle, field_age]
        default: []
      older_than:
        description:
          - The age for V(idle) and V(field_age), by the server's clock, as V(30d), V(36h), V(6mo).
        type: str
      field:
        description:
          - The field for V(field_age), such as V(lastActivity).
        type: str
      field_unit:
        description:
          - What the field holds. V(seconds) and V(milliseconds) are numbers since 1970, V(iso) is a time as ISO 8601
            has it, in UTC where it names no zone.
          - V(auto) tells them apart by the value, and takes no number for a time before the year 2000.
        type: str
        choices: [auto, seconds, milliseconds, iso]
        default: auto
      types:
        description:
          - Only keys of these types. If not set, of any type.
        type: list
        elements: str
        choices: [string, hash, list, set, zset, stream]
        default: []
      action:
        description:
          - V(unlink) removes the keys; the server frees their memory beside its other work.
          - V(expire) gives those that have no TTL one of O(rules[].ttl). A TTL that stands is never changed.
        type: str
        choices: [unlink, expire]
        required: true
      ttl:
        description:
          - How long keys live on that V(expire) is for, as V(30d).
        type: str
      jitter_percent:
        description:
          - By how much of O(rules[].ttl) a key may live longer or shorter, so that not all end in the same second. From
            V(0) to V(50). It follows from the key's name.
        type: float
        default: 10
      all_keys:
        description:
          - Has to be V(true) for a pattern that takes the keys of everybody.
        type: bool
        default: false
  protect:
    description:
      - Patterns of keys that no rule touches.
    type: list
    elements: str
    default: []
  max_changes:
    description:
      - The most keys to change in one run. The next run goes on.
    type: int
  batch_target_ms:
    description:
      - How long one request should keep the server busy, in milliseconds. The number of keys in it, from 10 to 500
        (of names that are looked for, to 1000), follows what was measured.
    type: float
    default: 5
  purge_memory:
    description:
      - Whether to give memory back to the system (C(MEMORY PURGE)) where the allocator is fragmented by a ratio above
        1.4 and by more than 100 MiB, measured once what was removed is freed.
      - C(detail) of the action has the figures before and after, or C(unsupported) with the reason.
    type: bool
    default: false
  defragment:
    description:
      - Whether to let the server move its values together (C(activedefrag)) where it is fragmented as above, and switch
        that off again. Where the server was built without it, as Debian's, or refuses C(CONFIG), C(detail) says
        C(unsupported).
    type: bool
    default: false
  defragment_for:
    description:
      - How long to defragment at most.
    type: str
    default: 5min
  deadline:
    description:
      - How long the module may take. It ends between two pages. What is left is reported, and the next run does it.
    type: str
    default: 10min
extends_documentation_fragment:
  - dataops.upkeep.redis
  - dataops.upkeep.connection
  - dataops.upkeep.result
  - dataops.upkeep.attributes
  - dataops.upkeep.attributes.work_module
  - dataops.upkeep.attributes.actiongroup_redis
notes:
  - "The user needs C(+@connection +info +role +time +scan +type +pttl +object|idletime +unlink +pexpire +set +get), for
    V(field_age) also C(+hget +getrange), for O(purge_memory) C(+memory|purge), for O(defragment) C(+config|get
    +config|set), in a cluster C(+cluster|slots +cluster|myid), on the keys of the rules and on C(upkeep:*)."
  - "With C(+eval) a key is looked at and changed in one step. Without it transactions do it (C(+watch +unwatch +multi
    +exec)), more slowly; a key that is only read meanwhile does not count as used then."
  - Counts in the plan come from a pass that only reads; keys come and go, so C(detail) has what was done.
  - Before Redis 7.2, and in a cluster, the reading of a field counts as a use of the key, as C(GET) does.
  - Two runs on one database exclude each other by the key C(upkeep:lock:redis_cleanup), which expires by itself within
    a minute of a run that was killed.
  - A replica takes no changes; the module fails there, with nothing done, unless it is of a cluster.
seealso:
  - module: dataops.upkeep.redis_health_info
  - module: dataops.upkeep.queue_cleanup
"""

EXAMPLES = r"""
- name: Remove analytics that would stay for ever, and sessions that nobody used for a month
  dataops.upkeep.redis_cleanup:
    login_host: cache.example.com
    login_password: "{{ redis_password }}"
    rules:
      - name: analytics
        pattern: analytics:*
        when: no_ttl
        action: unlink
      - name: sessions
        pattern: sess:*
        when: field_age
        field: lastActivity
        older_than: 30d
        action: unlink
    purge_memory: true
  register: cleanup

- name: Let cached responses expire within about five minutes, but not all at once
  dataops.upkeep.redis_cleanup:
    uri: redis://cache.example.com:6379/0
    rules:
      - name: responses
        pattern: response:*
        when: no_ttl
        action: expire
        ttl: 5min

- name: Clear the cache of users, and of nothing else
  dataops.upkeep.redis_cleanup:
    login_host: cache.example.com
    max_changes: 100000
    protect: ["user:admin:*"]
    rules:
      - pattern: user:*
        action: unlink

- name: Show what was done
  ansible.builtin.debug:
    msg: "{{ item.state }} {{ item.kind }} {{ item.subject }} - {{ item.reason }} {{ item.detail }}"
  loop: "{{ cleanup.actions }}"
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
    common_arguments,
    connection_arguments,
)
from ansible_collections.dataops.upkeep.plugins.module_utils._core.module import run_module
from ansible_collections.dataops.upkeep.plugins.module_utils._redis.cleanup.rule import (
    ACTIONS,
    CONDITIONS,
    TYPES,
    UNITS,
)
from ansible_collections.dataops.upkeep.plugins.module_utils._redis.cleanup.task import RedisCleanup

RULE = {
    "name": {"type": "str"},
    "pattern": {"type": "str", "required": True},
    "when": {"type": "list", "elements": "str", "choices": list(CONDITIONS), "default": []},
    "older_than": {"type": "str"},
    "field": {"type": "str"},
    "field_unit": {"type": "str", "choices": list(UNITS), "default": "auto"},
    "types": {"type": "list", "elements": "str", "choices": list(TYPES), "default": []},
    "action": {"type": "str", "choices": list(ACTIONS), "required": True},
    "ttl": {"type": "str"},
    "jitter_percent": {"type": "float", "default": 10},
    "all_keys": {"type": "bool", "default": False},
}
ARGUMENTS = connection_arguments().merge(
    ArgumentSpec(
        {
            "rules": {"type": "list", "elements": "dict", "default": [], "options": RULE},
            "protect": {"type": "list", "elements": "str", "default": []},
            "max_changes": {"type": "int"},
            "batch_target_ms": {"type": "float", "default": 5},
            "purge_memory": {"type": "bool", "default": False},
            "defragment": {"type": "bool", "default": False},
            "defragment_for": {"type": "str", "default": "5min"},
        }
    ),
    common_arguments("10min"),
)


def main() -> None:
    """Run the module."""
    run_module(ARGUMENTS, RedisCleanup)


if __name__ == "__main__":
    main()
