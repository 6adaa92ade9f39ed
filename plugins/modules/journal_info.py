#!/usr/bin/python
# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: journal_info
short_description: Verify the journal of maintenance
version_added: 0.1.0
description:
  - Verifies the chain of records that the callback P(dataops.upkeep.journal#callback) keeps, and counts records and
    runs.
  - Finds records that were edited, removed, inserted or moved, and files that are missing or in the wrong order. A last
    line that a killed run left half written is no fault once the run after it has declared it.
  - The chain alone cannot show that records were cut off from the end, or that all of it was written anew. The hash of
    a record that is known from elsewhere (O(expect_head)) shows both.
author: [The dataops.upkeep authors (@dataops)]
options:
  path:
    description: Folder of the journal, or one file of it.
    type: path
    default: ~/.upkeep/journal
  expect_head:
    description:
      - Hash of a record that must be in the journal, as a run printed it at its end. Later records may follow.
    type: str
  since:
    description:
      - Count only records from then on, and do not read the files of earlier months. An age such as V(30d), or a date
        or time such as V(2025-11-01).
      - Set it, too, when files of earlier months were put away; without it their absence is a finding.
    type: str
extends_documentation_fragment:
  - dataops.upkeep.common
  - dataops.upkeep.result
  - dataops.upkeep.attributes
  - dataops.upkeep.attributes.actiongroup_all
attributes:
  check_mode:
    support: full
    details: This module changes nothing.
  diff_mode:
    support: N/A
    details: This module changes nothing.
  idempotent:
    support: N/A
    details: This module changes nothing.
notes:
  - The findings are C(journal.tampered), C(journal.missing) and C(journal.unreadable), which are critical, and
    C(journal.torn), a warning. Their value is the number of the line.
  - RV(server) holds C(head), the hash of the last record.
seealso:
  - plugin: dataops.upkeep.journal
    plugin_type: callback
"""

EXAMPLES = r"""
- name: Verify the journal on the controller
  dataops.upkeep.journal_info:
    path: /var/lib/upkeep/journal
  delegate_to: localhost
  register: journal

- name: Stop if the journal was changed
  ansible.builtin.assert:
    that: journal.status != 'critical'
    fail_msg: "{{ journal.summary }}"

- name: Verify that nothing was cut off since a run whose hash the scheduler has kept
  dataops.upkeep.journal_info:
    path: /var/lib/upkeep/journal
    expect_head: 9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08
    since: 90d
  delegate_to: localhost
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

from ansible_collections.dataops.upkeep.plugins.module_utils._core.arguments import ArgumentSpec, common_arguments
from ansible_collections.dataops.upkeep.plugins.module_utils._core.module import run_module
from ansible_collections.dataops.upkeep.plugins.module_utils._journal.task import JournalTask

ARGUMENTS = ArgumentSpec(
    {
        "path": {"type": "path", "default": "~/.upkeep/journal"},
        "expect_head": {"type": "str"},
        "since": {"type": "str"},
    }
).merge(common_arguments())


def main() -> None:
    run_module(ARGUMENTS, JournalTask)


if __name__ == "__main__":
    main()
