# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The filter ``sharing``."""

from __future__ import annotations

DOCUMENTATION = r"""
name: sharing
short_description: Hosts that have the same values of some variables as this one
version_added: 0.1.0
author: [The dataops.upkeep authors (@dataops)]
description:
  - Of several hosts that describe the same stores, to be checked by the same other host, the first one is enough.
positional: variables, host, names
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
  host:
    description: The host to compare with.
    type: str
    required: true
  names:
    description: Names of the variables.
    type: list
    elements: str
    required: true
"""

EXAMPLES = r"""
- name: Do something once for all hosts that describe the same Redis
  ansible.builtin.debug:
    msg: "It is my turn"
  when: >-
    (ansible_play_hosts_all | dataops.upkeep.sharing(hostvars, inventory_hostname, ['upkeep_redis']) | first)
    == inventory_hostname
"""

RETURN = r"""
_value:
  description: The hosts, in the order in which they were given.
  type: list
  elements: str
"""

from collections.abc import Mapping, Sequence
from typing import Any

from ansible_collections.dataops.upkeep.plugins.module_utils._collect.inventory import sharing


def _sharing(hosts: Sequence[str], variables: Mapping[str, Any], host: str, names: Sequence[str]) -> list[str]:
    return sharing(hosts, variables, host, names)


class FilterModule:
    """Ansible asks this class for the filters of the file."""

    def filters(self) -> dict[str, Any]:
        """Return the filters by name."""
        return {"sharing": _sharing}
