# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The filter ``connection``."""

from __future__ import annotations

DOCUMENTATION = r"""
name: connection
short_description: The connection options of a store that the inventory describes
version_added: 0.1.0
author: [The dataops.upkeep authors (@dataops)]
description:
  - Takes out of an entry of C(upkeep_postgresql), C(upkeep_mongodb), C(upkeep_redis) or C(upkeep_queues) what a module
    needs to connect, and leaves the rest.
positional: override
options:
  _input:
    description: The entry.
    type: dict
    required: true
  override:
    description:
      - Key of the entry that holds options which go over its own, such as C(maintenance) for a user who may change
        what the monitoring user may only see. One that gives an address replaces the entry's address whole.
    type: str
    default: ""
"""

EXAMPLES = r"""
- name: Vacuum as the user who may
  ansible.builtin.debug:
    msg: "{{ entry | dataops.upkeep.connection('maintenance') | dict2items | map(attribute='key') }}"
  vars:
    entry: {name: main, login_host: db, login_user: monitor, maintenance: {login_user: owner}, retention: []}
"""

RETURN = r"""
_value:
  description: Connection options by name.
  type: dict
"""

from collections.abc import Mapping
from typing import Any

from ansible_collections.dataops.upkeep.plugins.module_utils._collect.inventory import connection


def _connection(entry: Mapping[str, Any], override: str = "") -> dict[str, Any]:
    return connection(entry, override)


class FilterModule:
    """Ansible asks this class for the filters of the file."""

    def filters(self) -> dict[str, Any]:
        """Return the filters by name."""
        return {"connection": _connection}
