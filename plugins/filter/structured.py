# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The filter ``structured``."""

from __future__ import annotations

DOCUMENTATION = r"""
name: structured
short_description: Read a text of YAML or JSON, and leave everything else as it is
version_added: 0.1.0
author: [The dataops.upkeep authors (@dataops)]
description:
  - AWX surveys and C(-e name=value) send texts only. This filter makes the list or dict of them that is meant.
positional: option
options:
  _input:
    description: Any value.
    type: raw
    required: true
  option:
    description: Name of the variable, for the error.
    type: str
    default: value
"""

EXAMPLES = r"""
- name: Take a dict or its text
  ansible.builtin.debug:
    msg: "{{ upkeep_thresholds | default({}) | dataops.upkeep.structured('upkeep_thresholds') }}"
"""

RETURN = r"""
_value:
  description: What the text holds, or the value itself.
  type: raw
"""

from typing import Any

from ansible.errors import AnsibleFilterError

from ansible_collections.dataops.upkeep.plugins.module_utils._collect.inventory import structured
from ansible_collections.dataops.upkeep.plugins.module_utils._core.errors import UpkeepError


def _structured(value: Any, option: str = "value") -> Any:
    try:
        return structured(value, option)
    except UpkeepError as error:
        raise AnsibleFilterError(str(error)) from None


class FilterModule:
    """Ansible asks this class for the filters of the file."""

    def filters(self) -> dict[str, Any]:
        """Return the filters by name."""
        return {"structured": _structured}
