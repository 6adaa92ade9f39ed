# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The filter ``sources``."""

from __future__ import annotations

DOCUMENTATION = r"""
name: sources
short_description: Entries of redis_warm with the connections of the stores that they name
version_added: 0.1.0
author: [The dataops.upkeep authors (@dataops)]
description:
  - An application's stores are described once. An entry that says where a cache is filled from may name one of them
    in C(connection), instead of repeating its options.
positional: stores
options:
  _input:
    description: The entries, as M(dataops.upkeep.redis_warm) takes them.
    type: raw
    required: true
  stores:
    description: The stores by kind, C(postgresql) and C(mongodb), as in C(upkeep_postgresql).
    type: dict
    required: true
"""

EXAMPLES = r"""
- name: Show where the cache is filled from
  ansible.builtin.debug:
    msg: "{{ warm | dataops.upkeep.sources({'postgresql': upkeep_postgresql}) | map(attribute='connection') }}"
  vars:
    warm: [{source: postgresql, connection: main, query: "SELECT id FROM users", key: "user:{id}"}]
"""

RETURN = r"""
_value:
  description: The entries, with connection options.
  type: list
  elements: dict
"""

from collections.abc import Mapping
from typing import Any

from ansible.errors import AnsibleFilterError

from ansible_collections.dataops.upkeep.plugins.module_utils._collect.inventory import sources
from ansible_collections.dataops.upkeep.plugins.module_utils._core.errors import UpkeepError


def _sources(found: Any, stores: Mapping[str, Any]) -> list[dict[str, Any]]:
    try:
        return sources(found, stores)
    except UpkeepError as error:
        raise AnsibleFilterError(str(error)) from None


class FilterModule:
    """Ansible asks this class for the filters of the file."""

    def filters(self) -> dict[str, Any]:
        """Return the filters by name."""
        return {"sources": _sources}
