# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The filter ``entries``."""

from __future__ import annotations

DOCUMENTATION = r"""
name: entries
short_description: Make a list of named entries of what a user wrote for stores, queues or endpoints
version_added: 0.1.0
author: [The dataops.upkeep authors (@dataops)]
description:
  - Takes a list of dicts, a single dict, a URI or URL, or a text of YAML or JSON that holds any of these.
  - Each entry gets a C(name) if it has none.
positional: kind
options:
  _input:
    description: What the user wrote.
    type: raw
    required: true
  kind:
    description: What the entries are, such as V(redis). The variable is taken to be called V(upkeep_redis) then.
    type: str
    required: true
"""

EXAMPLES = r"""
- name: Show the names of all PostgreSQL servers
  ansible.builtin.debug:
    msg: "{{ upkeep_postgresql | dataops.upkeep.entries('postgresql') | map(attribute='name') }}"
"""

RETURN = r"""
_value:
  description: The entries.
  type: list
  elements: dict
"""

from typing import Any

from ansible.errors import AnsibleFilterError

from ansible_collections.dataops.upkeep.plugins.module_utils._collect.inventory import entries
from ansible_collections.dataops.upkeep.plugins.module_utils._core.errors import UpkeepError


def _entries(value: Any, kind: str) -> list[dict[str, Any]]:
    try:
        return entries(value, kind)
    except UpkeepError as error:
        raise AnsibleFilterError(str(error)) from None


class FilterModule:
    """Ansible asks this class for the filters of the file."""

    def filters(self) -> dict[str, Any]:
        """Return the filters by name."""
        return {"entries": _entries}
