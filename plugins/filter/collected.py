# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The filter ``collected``."""

from __future__ import annotations

DOCUMENTATION = r"""
name: collected
short_description: Turn a registered task into results for the report
version_added: 0.1.0
author: [The dataops.upkeep authors (@dataops)]
description:
  - Takes what C(register) holds of a task, looped or not, and returns the result envelopes with their names.
  - A task that crashed or whose host was unreachable gives an envelope with a critical finding, so that no silence
    passes for health.
positional: subject, host, names
options:
  _input:
    description: The registered variable.
    type: dict
    required: true
  subject:
    description: What the task was about, such as V(redis).
    type: str
    required: true
  host:
    description: The inventory host that the results belong to.
    type: str
    required: true
  names:
    description: Names of the loop's entries, in their order.
    type: list
    elements: str
    default: []
"""

EXAMPLES = r"""
- name: Collect the results of the Redis checks
  ansible.builtin.set_fact:
    results: "{{ checked | dataops.upkeep.collected('redis', inventory_hostname, ['cache', 'queues']) }}"
"""

RETURN = r"""
_value:
  description: Result envelopes, each with C(subject), C(host) and C(name).
  type: list
  elements: dict
"""

from collections.abc import Sequence
from typing import Any

from ansible_collections.dataops.upkeep.plugins.module_utils._collect.results import collected


def _collected(registered: Any, subject: str, host: str, names: Sequence[str] = ()) -> list[dict[str, Any]]:
    return collected(registered, subject, host, list(names))


class FilterModule:
    """Ansible asks this class for the filters of the file."""

    def filters(self) -> dict[str, Any]:
        """Return the filters by name."""
        return {"collected": _collected}
