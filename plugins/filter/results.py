# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The filter ``results``."""

from __future__ import annotations

DOCUMENTATION = r"""
name: results
short_description: What the roles of this collection found and did, of all hosts
version_added: 0.1.0
author: [The dataops.upkeep authors (@dataops)]
description:
  - Each role keeps its results in a fact, as C(health_results). This is all of them, for a report.
positional: variables, roles
options:
  _input:
    description: Names of hosts.
    type: list
    elements: str
    required: true
  variables:
    description: C(hostvars).
    type: dict
    required: true
  roles:
    description: Names of roles. One that did not run on a host has no results there.
    type: list
    elements: str
    required: true
"""

EXAMPLES = r"""
- name: Count what was changed
  ansible.builtin.debug:
    msg: "{{ found | selectattr('changed') | length }} of {{ found | length }} changed something"
  vars:
    found: "{{ ansible_play_hosts_all | dataops.upkeep.results(hostvars, ['postgresql', 'redis', 'queues']) }}"
"""

RETURN = r"""
_value:
  description: The results, in the order of the roles.
  type: list
  elements: dict
"""

from collections.abc import Mapping, Sequence
from typing import Any

from ansible_collections.dataops.upkeep.plugins.module_utils._collect.inventory import results


def _results(hosts: Sequence[str], variables: Mapping[str, Any], roles: Sequence[str]) -> list[Any]:
    return results(hosts, variables, roles)


class FilterModule:
    """Ansible asks this class for the filters of the file."""

    def filters(self) -> dict[str, Any]:
        """Return the filters by name."""
        return {"results": _results}
