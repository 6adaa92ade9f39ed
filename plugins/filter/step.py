# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The filter ``step``."""

from __future__ import annotations

DOCUMENTATION = r"""
name: step
short_description: What an entry of the inventory asks of one step of a role
version_added: 0.1.0
author: [The dataops.upkeep authors (@dataops)]
description:
  - Makes the options of a module out of an entry of C(upkeep_redis) or C(upkeep_queues).
  - What is wrong with an entry becomes a result with a critical finding and no error, so that the other entries are
    seen to, and so that no error shows what else the entry holds.
positional: keys, common, stores, always
options:
  _input:
    description: The entry.
    type: dict
    required: true
  keys:
    description:
      - The entry's keys that belong to the step. For each the module's option that its list of dicts is for, or null if
        it is a dict of options itself. The first asks for the step.
    type: dict
    required: true
  common:
    description: Options under those of the entry; one that is null is left out.
    type: dict
    required: true
  stores:
    description:
      - The stores by kind, C(postgresql) and C(mongodb), as in C(upkeep_postgresql). An item of the entry's list may
        name one of them in C(connection), instead of repeating its options.
    type: dict
    default: {}
  always:
    description: Whether the step is done unless its first key is false.
    type: bool
    default: false
"""

EXAMPLES = r"""
- name: Show what would be asked for
  ansible.builtin.debug:
    msg: "{{ work.options.entries | default(work) }}"
  vars:
    cache: {name: cache, warm: [{source: postgresql, connection: main, query: "SELECT id FROM users", key: "u:{id}"}]}
    work: >-
      {{ cache | dataops.upkeep.step({'warm': 'entries', 'warm_options': none}, {'deadline': '10min'},
      {'postgresql': upkeep_postgresql}) }}
"""

RETURN = r"""
_value:
  description:
    - C(options) for the module, or C(wrong), the result that says why there are none. Neither if the entry does not ask
      for the step.
  type: dict
"""

from typing import Any

from ansible_collections.dataops.upkeep.plugins.module_utils._collect.step import step


class FilterModule:
    """Ansible asks this class for the filters of the file."""

    def filters(self) -> dict[str, Any]:
        """Return the filters by name."""
        return {"step": step}
