#!/usr/bin/python
# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: queue_cleanup
short_description: Clean Bull and BullMQ queues, retry what failed by accident, and keep what did not
version_added: 0.1.0
description:
  - Removes completed and failed jobs by age, in small batches, so that the server never stands still for others.
  - Tries failed jobs again whose reason goes away by itself, and moves the others, with their reason, to a queue of
    dead letters, or removes them. C(docs/queues.md) says what a retry keeps, and what a dead letter looks like.
  - Removes ids that have no job (ghosts), jobs that are in no state (orphans), and trims the event stream.
  - Knows queues of Bull 3 and 4 and of BullMQ 4, 5 and 6, and tells by their traces which it is. What it found, and by
    what, is in C(server.queues), each with C(flavour), C(version) and C(evidence).
  - Each job is looked at and changed in one step, so that one that a worker or another person touches meanwhile is
    left. Killed at any point, it leaves every job as it was or as it should be, and the next run goes on.
author:
  - The dataops.upkeep authors (@dataops)
requirements:
  - redis >= 5.0
options:
  queues:
    description:
      - Names of the queues.
      - If not set, all queues under O(prefix) are searched for with C(SCAN), for at most five seconds and about a
        million keys. In a large key space, and to learn that a queue is gone, name them.
    type: list
    elements: str
    default: []
  prefix:
    description:
      - What the keys of the queues begin with; the option C(prefix) of Bull and BullMQ.
    type: str
    default: bull
  completed_older_than:
    description:
      - Remove completed jobs that ended so long ago, as V(24h). If not set, none.
    type: str
  failed_older_than:
    description:
      - Remove failed jobs that ended so long ago, as V(7d). If not set, none.
    type: str
  keep_last:
    description:
      - So many of the newest completed jobs are not removed by age, and as many of the failed ones.
    type: int
    default: 0
  retry:
    description:
      - Which failed jobs to try again. If not set, none.
      - A job keeps its priority, its place at the end that it was added for, and its parent, which waits for it again.
        In a paused queue it waits until that goes on. Jobs in work are not touched, and rate limits are left alone.
      - No job is tried again twice in one run; one that fails again meanwhile is the next run's.
      - How many failed jobs meet which fate, and why, is in the metrics C(queue_failed_jobs).
    type: dict
    suboptions:
      reasons:
        description:
          - Regular expressions, one of which has to be found in the job's C(failedReason).
        type: list
        elements: str
        default: [ECONNREFUSED, ETIMEDOUT, ENOTFOUND, ECONNRESET]
      max_attempts:
        description:
          - Only jobs that were tried fewer times than this, over all runs, and also before O(retry.reset_attempts).
        type: int
        default: 3
      names:
        description:
          - Only jobs of these names. If not set, jobs of any name.
        type: list
        elements: str
        default: []
      reset_attempts:
        description:
          - Whether the job's own attempts begin anew. Otherwise a job that has used them up fails for good at the next
            error.
        type: bool
        default: false
      otherwise:
        description:
          - What becomes of the failed jobs that are not tried again.
          - If not set, V(dead_letter) where O(dead_letter) is given, else V(keep).
          - A job that a parent waits for, that waits for children itself, or that its scheduler needs is kept anyway.
        type: str
        choices: [keep, dead_letter, remove]
  dead_letter:
    description:
      - Name of the queue, under the same prefix, for failed jobs that are not tried again. Each becomes a waiting job
        of it, that holds the failed one whole, with its reason.
      - It is made if it is not there. It has to be kept by the same library, Bull or BullMQ; and in a cluster it needs
        the slot of the queue, such as by a prefix C({bull}). It is not cleaned itself.
    type: str
  ghosts:
    description:
      - Whether to look for ids in a queue's states that have no job, to report and to remove them.
    type: bool
    default: true
  orphans:
    description:
      - Whether to remove jobs that are in no state of their queue, which takes a look at every key of the database.
    type: bool
    default: false
  orphans_older_than:
    description:
      - Only orphans that were added, begun and ended so long ago.
    type: str
    default: 1d
  trim_events:
    description:
      - Whether to trim the event stream to its limit where it is longer than twice that.
    type: bool
    default: true
  max_changes:
    description:
      - The most jobs to change in one run. The next run goes on.
    type: int
  batch_size:
    description:
      - The most jobs to change in one request, 1000 at most. Batches are smaller where the server takes longer.
    type: int
    default: 500
  deadline:
    description:
      - How long the module may take. It ends between two batches. What is left is reported, and the next run does it.
    type: str
    default: 10min
extends_documentation_fragment:
  - dataops.upkeep.redis
  - dataops.upkeep.connection
  - dataops.upkeep.result
  - dataops.upkeep.attributes
  - dataops.upkeep.attributes.work_module
  - dataops.upkeep.attributes.actiongroup_queue
notes:
  - "The user needs C(+@read +@write +@connection +info +role +eval) on the queues' keys and on C(upkeep:lock:*),
    C(+scan) if the queues are not named, and C(+cluster) in a cluster. Without C(+eval) changes go through
    transactions, for which C(+@transaction) is needed, more slowly, and orphans are left. The listeners of a queue of
    Bull are told of a retry only with C(+publish) too, and never by a transaction."
  - A failed job whose parent waits for it is kept, for without it the parent would wait for ever; so is the next job of
    a scheduler, and one that a worker has locked.
  - Two runs on one queue exclude each other by a key C(upkeep:lock:queue_cleanup:...) that expires by itself.
  - A replica takes no changes; the module fails there, with nothing done, unless it is of a cluster. Every primary of a
    cluster is visited; one that cannot be reached is a finding, and a queue whose slot is on its way to another node is
    left alone.
  - A queue that BullMQ 6 keeps in PostgreSQL has no keys in Redis; that it is not there is a warning, and nothing is
    done.
seealso:
  - module: dataops.upkeep.queue_health_info
"""

EXAMPLES = r"""
- name: Remove what is done, and try again what the network broke
  dataops.upkeep.queue_cleanup:
    login_host: redis.example.com
    login_password: "{{ redis_password }}"
    queues: [customer-calls, notifications]
    completed_older_than: 24h
    failed_older_than: 7d
    retry:
      max_attempts: 3
    dead_letter: dead-letters
  register: cleanup

- name: Show what was done, and why
  ansible.builtin.debug:
    msg: "{{ item.state }} {{ item.kind }} {{ item.subject }} - {{ item.reason }} {{ item.detail }}"
  loop: "{{ cleanup.actions }}"

- name: Remove ghosts and orphans of every queue of an application that sets a prefix
  dataops.upkeep.queue_cleanup:
    uri: redis://redis.example.com:6379/1
    prefix: "{delauto}"
    orphans: true
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
from ansible_collections.dataops.upkeep.plugins.module_utils._queues.cleanup.task import QueueCleanup

RETRY = {
    "reasons": {
        "type": "list",
        "elements": "str",
        "default": ["ECONNREFUSED", "ETIMEDOUT", "ENOTFOUND", "ECONNRESET"],
    },
    "max_attempts": {"type": "int", "default": 3},
    "names": {"type": "list", "elements": "str", "default": []},
    "reset_attempts": {"type": "bool", "default": False},
    "otherwise": {"type": "str", "choices": ["keep", "dead_letter", "remove"]},
}
ARGUMENTS = connection_arguments().merge(
    ArgumentSpec(
        {
            "queues": {"type": "list", "elements": "str", "default": []},
            "prefix": {"type": "str", "default": "bull"},
            "completed_older_than": {"type": "str"},
            "failed_older_than": {"type": "str"},
            "keep_last": {"type": "int", "default": 0},
            "retry": {"type": "dict", "options": RETRY},
            "dead_letter": {"type": "str"},
            "ghosts": {"type": "bool", "default": True},
            "orphans": {"type": "bool", "default": False},
            "orphans_older_than": {"type": "str", "default": "1d"},
            "trim_events": {"type": "bool", "default": True},
            "max_changes": {"type": "int"},
            "batch_size": {"type": "int", "default": 500},
        }
    ),
    common_arguments("10min"),
)


def main() -> None:
    """Run the module."""
    run_module(ARGUMENTS, QueueCleanup)


if __name__ == "__main__":
    main()
