#!/usr/bin/python
# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: redis_warm
short_description: Fill a Redis cache from PostgreSQL, MongoDB or a file before anybody asks for it
version_added: 0.1.0
description:
  - Reads rows of a query, documents of a collection or lines of a file, and sets a key for each, with a TTL.
  - Sources are read in sessions that only read, with a cursor, in batches. Of an aggregation, stages that write are
    refused.
  - Keys are set in pages whose size follows O(batch_target_ms), so that the server never stands still for others, and
    no faster than O(rate). The longest stall is in each action's C(detail).
  - A key that is there stays by default, so that a second run changes nothing, and a run that was killed is finished by
    the next.
  - No key is set among those of a Bull or BullMQ queue, nor among those of this collection.
  - In a cluster every key goes to the primary that has its slot.
author:
  - The dataops.upkeep authors (@dataops)
requirements:
  - redis >= 5.0
  - psycopg >= 3.1 for the source V(postgresql)
  - pymongo >= 4.6 for the source V(mongodb)
options:
  entries:
    description:
      - What is to be warmed, in this order. An entry whose source cannot be read is a finding; the others are warmed.
    type: list
    elements: dict
    required: true
    suboptions:
      name:
        description:
          - What the entry is called in results. C(entry 1), C(entry 2) and so on by default.
        type: str
      source:
        description:
          - Where the rows come from.
        type: str
        choices: [postgresql, mongodb, file]
        required: true
      query:
        description:
          - For V(postgresql) the text of one C(SELECT). The names in it are found by the user's own C(search_path).
          - For V(mongodb) a dictionary with C(collection) and C(filter), C(projection), C(sort) and C(limit), or with
            C(collection) and C(pipeline). C(database), if it is not the connection's. Dates and ids are written as
            extended JSON, such as C({"$date":"2026-01-01T00:00:00Z"}). A text is taken for JSON.
          - For V(file) the whole path. A name that ends in C(.csv) is CSV with the fields' names in its first line;
            a file that begins with a bracket is one array in JSON, of 64 MiB at most; all else is JSON, an object a
            line.
        type: raw
        required: true
      key:
        description:
          - The keys' name, with fields in braces, such as V(user:{id}) or V(city:{address.city}). Names of fields and
            paths only; C({{) and C(}}) are the braces themselves.
          - A row that lacks one of the fields, or holds null or an empty text in it, makes no key.
        type: str
        required: true
      value:
        description:
          - What the keys hold. V(json) is an object of the row's fields, V(hash) a hash of them.
          - A text with braces is a template, as in O(entries[].key). Any other text is the name of a field whose value
            the key holds; bytes stay what they are.
          - C({field:name}) and C({template:text}) say the same of fields called V(json) and texts without braces.
        type: raw
        default: json
      fields:
        description:
          - The fields that V(json) and V(hash) hold, as names or paths. If not set, all.
        type: list
        elements: str
        default: []
      ttl:
        description:
          - How long keys live, as V(5min) or a number of seconds. V(never) for keys that never expire.
        type: str
        default: "3600"
      jitter_percent:
        description:
          - By how much of O(entries[].ttl) a key may live longer or shorter, so that not all end in the same second.
            From V(0) to V(50). It follows from the key's name.
        type: float
        default: 10
      nx:
        description:
          - Whether a key that is there stays. With V(false) it is set anew, with a new TTL, by every run; a key that
            holds something of another type stays nevertheless.
        type: bool
        default: true
      timeout:
        description:
          - How long the source may take for one batch of rows. MongoDB counts what all batches of a query take it.
        type: str
        default: 60s
      connection:
        description:
          - How to reach the source, by the options of this collection's modules for it, with the same environment
            variables in their place.
        type: dict
        suboptions:
          uri:
            description: Address and login as one URI.
            type: str
          login_host:
            description: Host name or address of the server, or the path of its socket.
            type: str
          login_port:
            description: TCP port of the server.
            type: int
          login_user:
            description: User to log in as.
            type: str
          login_password:
            description: Password of the user.
            type: str
          login_db:
            description: The database.
            type: str
          tls:
            description: Whether to encrypt the connection with TLS.
            type: bool
          validate_certs:
            description: Whether the server's certificate must be valid and name the host, when TLS is used.
            type: bool
            default: true
          ca_cert:
            description: File with the certificates of the authorities to trust, when TLS is used.
            type: path
          client_cert:
            description: File with the client's certificate.
            type: path
          client_key:
            description: File with the private key of the certificate.
            type: path
          connect_timeout:
            description: How long to wait for the connection.
            type: str
            default: 5s
  rate:
    description:
      - The most keys to set in a second. If not set, as many as O(batch_target_ms) allows.
    type: float
  max_keys:
    description:
      - The most keys to set in one run. The next run goes on.
    type: int
  max_value:
    description:
      - The most that a key and what it holds may have; what is larger is passed over and reported.
    type: str
    default: 1MiB
  max_memory_percent:
    description:
      - When so much of the server's C(maxmemory) is used, no more keys are set. The server would refuse writes, or
        evict what others need.
    type: float
    default: 90
  batch_target_ms:
    description:
      - How long one request should keep the server busy, in milliseconds. The number of keys in it, from 200 to 1000
        and of 256 KiB at most, follows what was measured.
    type: float
    default: 5
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
  - "The user needs C(+@connection +info +role +type +exists +pttl +set +get +pexpire +unlink), in a cluster also
    C(+cluster|slots +cluster|myid), on the keys of the entries, on C(upkeep:*), and to look for queues on all names
    that begin as theirs. For O(entries[].value=hash) and O(entries[].nx=false) also C(+eval +hset); without C(+eval)
    C(+watch +unwatch +multi +exec +hset)."
  - Check mode reads the sources and asks Redis which keys are there, and so counts what a real run sets.
  - "Values in keys and templates are written so: moments as ISO 8601 in UTC with C(Z), without a zone where they have
    none; intervals as seconds; C(numeric), C(Decimal128), UUID, ObjectId and network addresses as their text; bytes in
    base64; lists and documents as JSON. In JSON numbers are numbers, but C(numeric) and C(Decimal128) are texts so that
    no digit is lost; null is C(null), and so are NaN and infinity. A hash has no field for null."
  - Several rows of one key are reported; the first one counts.
  - A transaction of PostgreSQL is open while its rows are read, for O(deadline) at most.
  - With O(entries[].nx=false) every run sets the keys again, and reports a change.
  - Two runs on one database exclude each other by the key C(upkeep:lock:redis_warm), which expires by itself within
    a minute of a run that was killed.
  - A replica takes no changes; the module fails there, with nothing done.
seealso:
  - module: dataops.upkeep.redis_cleanup
  - module: dataops.upkeep.redis_health_info
"""

EXAMPLES = r"""
- name: Fill the cache of users and sessions after a restart
  dataops.upkeep.redis_warm:
    login_host: cache.example.com
    login_password: "{{ redis_password }}"
    rate: 5000
    entries:
      - name: users
        source: mongodb
        connection:
          uri: mongodb://mongo.example.com:27017/delauto
          login_user: reader
          login_password: "{{ mongodb_password }}"
        query:
          collection: users
          filter: {status: active}
          projection: {name: 1, role: 1, phoneNumber: 1}
        key: user:{_id}
        ttl: 1h
      - name: sessions
        source: postgresql
        connection:
          login_host: db.example.com
          login_db: backend
          login_password: "{{ postgresql_password }}"
        query: SELECT id, user_id, data FROM sessions WHERE expires_at > now()
        key: session:{id}
        value: data
        ttl: 300
  register: warmed

- name: Load prices that the shop reads field by field
  dataops.upkeep.redis_warm:
    login_host: cache.example.com
    entries:
      - source: file
        query: /srv/shop/prices.csv
        key: price:{sku}
        value: hash
        fields: [amount, currency]
        ttl: 1d
        nx: false

- name: Show what was done
  ansible.builtin.debug:
    msg: "{{ item.state }} {{ item.kind }} {{ item.subject }} - {{ item.reason }} {{ item.detail }}"
  loop: "{{ warmed.actions }}"
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
from ansible_collections.dataops.upkeep.plugins.module_utils._warm.entry import SOURCES
from ansible_collections.dataops.upkeep.plugins.module_utils._warm.task import RedisWarm

CONNECTION = connection_arguments().as_module_arguments()
ENTRY = {
    "name": {"type": "str"},
    "source": {"type": "str", "choices": list(SOURCES), "required": True},
    "query": {"type": "raw", "required": True},
    "key": {"type": "str", "required": True, "no_log": False},
    "value": {"type": "raw", "default": "json"},
    "fields": {"type": "list", "elements": "str", "default": []},
    "ttl": {"type": "str", "default": "3600"},
    "jitter_percent": {"type": "float", "default": 10},
    "nx": {"type": "bool", "default": True},
    "timeout": {"type": "str", "default": "60s"},
    "connection": {
        "type": "dict",
        "options": CONNECTION["argument_spec"],
        "mutually_exclusive": CONNECTION["mutually_exclusive"],
        "required_together": CONNECTION["required_together"],
    },
}
ARGUMENTS = connection_arguments().merge(
    ArgumentSpec(
        {
            "entries": {"type": "list", "elements": "dict", "required": True, "options": ENTRY},
            "rate": {"type": "float"},
            "max_keys": {"type": "int", "no_log": False},
            "max_value": {"type": "str", "default": "1MiB"},
            "max_memory_percent": {"type": "float", "default": 90},
            "batch_target_ms": {"type": "float", "default": 5},
        }
    ),
    common_arguments("10min"),
)


def main() -> None:
    """Run the module."""
    run_module(ARGUMENTS, RedisWarm)


if __name__ == "__main__":
    main()
