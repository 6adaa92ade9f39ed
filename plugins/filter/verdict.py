# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The filter ``verdict``."""

from __future__ import annotations

DOCUMENTATION = r"""
name: verdict
short_description: Judge a whole run by its results
version_added: 0.1.0
author: [The dataops.upkeep authors (@dataops)]
description:
  - Rolls the results of all checks up into one status and says whether the run counts as failed.
positional: fail_on
options:
  _input:
    description: Result envelopes.
    type: list
    elements: dict
    required: true
  fail_on:
    description: From which status on the run counts as failed.
    type: str
    choices: [critical, warning, never]
    default: critical
"""

EXAMPLES = r"""
- name: End as failed if something is critical
  ansible.builtin.fail:
    msg: "{{ (health_results | dataops.upkeep.verdict('critical')).message }}"
  when: (health_results | dataops.upkeep.verdict('critical')).failed
"""

RETURN = r"""
_value:
  description:
    - A dict with C(status), C(failed), C(message), and the numbers of C(critical) and C(warning) findings.
  type: dict
"""

from collections.abc import Sequence
from typing import Any

from ansible.errors import AnsibleFilterError

from ansible_collections.dataops.upkeep.plugins.module_utils._collect.results import verdict
from ansible_collections.dataops.upkeep.plugins.module_utils._core.errors import UpkeepError


def _verdict(results: Sequence[Any], fail_on: str = "critical") -> dict[str, Any]:
    try:
        return verdict(results, fail_on)
    except UpkeepError as error:
        raise AnsibleFilterError(str(error)) from None


class FilterModule:
    """Ansible asks this class for the filters of the file."""

    def filters(self) -> dict[str, Any]:
        """Return the filters by name."""
        return {"verdict": _verdict}
