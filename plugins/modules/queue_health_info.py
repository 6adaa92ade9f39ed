#!/usr/bin/python
# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: queue_health_info
short_description: Check the health of Bull and BullMQ queues
version_added: 0.1.0
description:
  - Connects once to the Redis server that keeps the queues and checks, for each queue, jobs by state, for how long jobs
    wait and are in work, stalled jobs, a pause, rates, overdue delayed jobs, schedulers, workers, ids without a job and
    the event stream.
  - Knows queues of Bull 3 and 4 and of BullMQ 4, 5 and 6, and tells by their traces which it is. What it found, and by
    what, is in C(server.queues), each with C(flavour), C(version), C(evidence) and C(kept_in).
  - In a cluster every primary is asked for its queues, whichever node the module connects to; one that cannot be
    reached is a finding.
  - Only reads, with commands whose cost does not grow with the number of jobs, but for V(orphans) of O(checks). No
    payload of a job is read.
  - A queue that BullMQ 6 keeps in PostgreSQL has no keys in Redis. With O(postgresql) it is found and judged there.
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
  failure_window:
    description:
      - How far back finished jobs count for the failure rate, as V(24h).
    type: str
    default: 24h
  search_time:
    description:
      - For how long V(orphans) of O(checks) looks at keys at most, for all queues together.
    type: str
    default: 10s
  postgresql:
    description:
      - The database in which BullMQ 6 keeps queues, for those that are not in Redis. A queue that is named in O(queues)
        is looked for there if Redis has no keys of it; if none is named, all queues that are there are checked too.
      - Its options are named as those of the PostgreSQL modules.
    type: dict
    suboptions:
      schema:
        description:
          - The schema of BullMQ's tables.
        type: str
        default: bullmq
      uri:
        description:
          - Address and login as one URI, such as V(postgresql://monitor@db.example.com/app).
        type: str
      login_host:
        description:
          - Host name or address of the server, or the folder of its socket. Without this and without a URI,
            V(localhost).
        type: str
      login_port:
        description:
          - TCP port of the server. If not set, V(5432).
        type: int
      login_user:
        description:
          - User to log in as.
        type: str
      login_password:
        description:
          - Password of O(postgresql.login_user).
        type: str
      login_db:
        description:
          - Database to connect to.
        type: str
      tls:
        description:
          - Whether to encrypt the connection with TLS. If not set, TLS is used if the server offers it.
        type: bool
      validate_certs:
        description:
          - Whether the server's certificate must be valid and name the host, when TLS is used.
        type: bool
        default: true
      ca_cert:
        description:
          - File with the certificates of the authorities to trust, when TLS is used.
        type: path
      client_cert:
        description:
          - File with the client's certificate. Needs O(postgresql.client_key).
        type: path
      client_key:
        description:
          - File with the private key of O(postgresql.client_cert).
        type: path
      connect_timeout:
        description:
          - How long to wait for the connection, and then for the answer to one query.
        type: str
        default: 5s
  checks:
    description:
      - Which checks to make.
      - V(counts) is the number of jobs by state, as metrics.
      - V(backlog) is how many jobs wait, the age of the oldest of them, and with O(state) whether the job next in line
        still is the one of the last run.
      - V(active) is for how long jobs are in work, and stalled jobs, whose worker is gone. They are only told where no
        worker has looked for such jobs within C(stalledInterval), for one that does brings them back.
      - V(paused) is whether the queue is paused as a whole.
      - V(failures) is the share of failed jobs. It comes from the metrics of BullMQ where they are on, else from the
        finished jobs that are kept, and is unknown where those are removed at once.
      - V(delayed) is delayed jobs that are due and not fetched.
      - V(ages) is since when the oldest job of each state is there.
      - V(rates) is how many jobs ended a minute in the last quarter of an hour, from the metrics of BullMQ where they
        are on, else from the finished jobs that are kept, and how long those that wait take at that rate.
      - V(schedulers) is schedulers (repeatable jobs) whose next run lies in the past, and those whose next job is gone.
      - V(workers) is how many workers are connected, by the names that the libraries give their connections, and
        whether jobs wait where there are none. With more than 5000 connections it is not asked for.
      - V(ghosts) is ids without a job, of the first 2000 of each state but C(active).
      - V(orphans) is jobs that are in no state and older than an hour. It walks over all keys, for O(search_time) at
        most, and is not made by default.
      - V(events) is length and memory of the event stream.
      - V(eviction) is the eviction policy of the server.
    type: list
    elements: str
    choices:
      - counts
      - backlog
      - active
      - paused
      - failures
      - delayed
      - ages
      - rates
      - schedulers
      - workers
      - ghosts
      - orphans
      - events
      - eviction
    default:
      - counts
      - backlog
      - active
      - paused
      - failures
      - delayed
      - ages
      - rates
      - schedulers
      - workers
      - ghosts
      - events
      - eviction
author:
  - The dataops.upkeep authors (@dataops)
requirements:
  - redis >= 5.0
  - psycopg >= 3.1, if O(postgresql) is set
extends_documentation_fragment:
  - dataops.upkeep.redis
  - dataops.upkeep.connection
  - dataops.upkeep.common
  - dataops.upkeep.checks
  - dataops.upkeep.state
  - dataops.upkeep.result
  - dataops.upkeep.attributes
  - dataops.upkeep.attributes.info_module
  - dataops.upkeep.attributes.actiongroup_queue
notes:
  - "The user needs C(+@read) on the queues' keys, C(+scan) if they are not named and for orphans, C(+info) for policy
    and workers, and C(+client|list) for the workers; in a cluster also C(+cluster|slots +cluster|myid). In PostgreSQL
    C(USAGE) of the schema and C(SELECT) on its tables."
  - "A named queue that is not there, or that may not be read, is a warning. One that is kept in PostgreSQL has no
    ghosts and no orphans: there the state is a column of the job."
  - "Threshold C(waiting) (count, warning 1000, critical 10000): jobs that could run at once if a worker were free."
  - "Threshold C(oldest_waiting_seconds) (seconds, warning 3600, critical 86400): age of the oldest waiting job
    among those at both ends of the lists. A job that was put back after it failed counts from when it was added."
  - "Threshold C(stuck_seconds) (seconds, critical 600): for how long the same job has been next in line, from
    run to run."
  - "Threshold C(dead_letters) (count): letters in a queue that M(dataops.upkeep.queue_cleanup) fills, which is not
    judged as jobs that wait are; off."
  - "Threshold C(oldest_active_seconds) (seconds, warning 3600): for how long the oldest active job has been in work."
  - "Threshold C(stalled) (count, warning 0): active jobs without lock, of the 1000 oldest ones."
  - "Threshold C(paused) (count, warning 0): 1 for a queue that is paused."
  - "Threshold C(failure_percent) (percent, warning 1, critical 25): share of failed jobs, judged from 20 finished on."
  - "Threshold C(delayed_overdue) (count, warning 0): delayed jobs that have been due for more than a minute."
  - "Threshold C(events_ratio) (ratio, warning 2): length of the event stream to the length it is trimmed to."
  - "Threshold C(oldest_parent_seconds) (seconds, warning 604800): for how long the oldest parent has waited for its
    children."
  - "Threshold C(oldest_completed_seconds) (seconds): how long ago the oldest completed job ended; off."
  - "Threshold C(oldest_failed_seconds) (seconds): how long ago the oldest failed job ended; off."
  - "Threshold C(drain_seconds) (seconds, warning 3600): how long the waiting jobs take at the rate of the last quarter
    of an hour, judged from 20 finished on."
  - "Threshold C(scheduler_late_seconds) (seconds, warning 3600): how long ago the latest scheduler should have run."
  - "Threshold C(dead_schedulers) (count, warning 0): schedulers of BullMQ 5 and 6 whose next job is gone."
  - "Threshold C(unserved) (count, warning 0): waiting jobs of a queue that no worker is connected to."
  - "Threshold C(ghosts) (count, warning 0): ids without a job."
  - "Threshold C(orphans) (count, warning 0): jobs that are in no state."
seealso:
  - module: dataops.upkeep.redis_health_info
"""

EXAMPLES = r"""
- name: Check two queues, comparing with the last run
  dataops.upkeep.queue_health_info:
    login_host: redis.example.com
    login_password: "{{ redis_password }}"
    queues: [customer-calls, notifications]
    state: /var/lib/upkeep
  register: queue_health

- name: Check every queue of an application that sets a prefix, with limits of its own
  dataops.upkeep.queue_health_info:
    uri: redis://redis.example.com:6379/1
    prefix: "{delauto}"
    thresholds:
      waiting: {warning: 200, critical: 5000}
      oldest_waiting_seconds: 10min
      paused: "off"

- name: Check queues of which some are kept in PostgreSQL, and look for jobs that are in no state
  dataops.upkeep.queue_health_info:
    login_host: redis.example.com
    queues: [customer-calls, invoices]
    postgresql:
      login_host: db.example.com
      login_user: monitor
      login_password: "{{ postgresql_password }}"
      login_db: app
    checks: [counts, backlog, ghosts, orphans]
    search_time: 1min

- name: Show which library keeps each queue
  ansible.builtin.debug:
    msg: "{{ item.key }} is {{ item.value.flavour }}, known by {{ item.value.evidence }}"
  loop: "{{ queue_health.server.queues | dict2items }}"
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
from ansible_collections.dataops.upkeep.plugins.module_utils._queues.health.task import (
    CHECKS,
    DEFAULT_CHECKS,
    queue_health,
)
from ansible_collections.dataops.upkeep.plugins.module_utils._state.place import open_memory

ARGUMENTS = connection_arguments().merge(
    ArgumentSpec(
        {
            "queues": {"type": "list", "elements": "str", "default": []},
            "prefix": {"type": "str", "default": "bull"},
            "failure_window": {"type": "str", "default": "24h"},
            "search_time": {"type": "str", "default": "10s"},
            "postgresql": {
                "type": "dict",
                "options": {**connection_arguments().options, "schema": {"type": "str", "default": "bullmq"}},
                "mutually_exclusive": connection_arguments().mutually_exclusive,
                "required_together": connection_arguments().required_together,
            },
        }
    ),
    common_arguments(),
    check_arguments([check.name for check in CHECKS], DEFAULT_CHECKS),
    state_arguments(),
)


def main() -> None:
    run_module(ARGUMENTS, queue_health, open_memory)


if __name__ == "__main__":
    main()
