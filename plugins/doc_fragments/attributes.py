# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Attributes of the modules, and the action groups they belong to."""

from __future__ import annotations


class ModuleDocFragment:
    """One variant for each kind of module and each action group."""

    DOCUMENTATION = r"""
attributes:
  check_mode:
    description: Can run in check mode and then returns the same plan that a real run carries out.
  diff_mode:
    description: Shows the plan, one action a line, when run with C(--diff).
  idempotent:
    description: A second run on unchanged data changes nothing.
"""

    INFO_MODULE = r"""
attributes:
  check_mode:
    support: full
    details: This module changes nothing. In check mode nothing is written to O(state) either, where there is one.
  diff_mode:
    support: N/A
    details: This module changes nothing.
  idempotent:
    support: N/A
    details: This module changes nothing.
"""

    WORK_MODULE = r"""
attributes:
  check_mode:
    support: full
  diff_mode:
    support: full
  idempotent:
    support: full
"""

    ACTIONGROUP_POSTGRESQL = r"""
attributes:
  action_group:
    description: Use C(group/dataops.upkeep.postgresql) in C(module_defaults) to set options for all its modules.
    support: full
    membership:
      - dataops.upkeep.postgresql
      - dataops.upkeep.all
"""

    ACTIONGROUP_MONGODB = r"""
attributes:
  action_group:
    description: Use C(group/dataops.upkeep.mongodb) in C(module_defaults) to set options for all its modules.
    support: full
    membership:
      - dataops.upkeep.mongodb
      - dataops.upkeep.all
"""

    ACTIONGROUP_REDIS = r"""
attributes:
  action_group:
    description: Use C(group/dataops.upkeep.redis) in C(module_defaults) to set options for all its modules.
    support: full
    membership:
      - dataops.upkeep.redis
      - dataops.upkeep.all
"""

    ACTIONGROUP_QUEUE = r"""
attributes:
  action_group:
    description: Use C(group/dataops.upkeep.queue) in C(module_defaults) to set options for all its modules.
    support: full
    membership:
      - dataops.upkeep.queue
      - dataops.upkeep.all
"""

    ACTIONGROUP_BACKUP = r"""
attributes:
  action_group:
    description: Use C(group/dataops.upkeep.backup) in C(module_defaults) to set options for all its modules.
    support: full
    membership:
      - dataops.upkeep.backup
      - dataops.upkeep.all
"""

    ACTIONGROUP_ALL = r"""
attributes:
  action_group:
    description: Use C(group/dataops.upkeep.all) in C(module_defaults) to set options for all modules of the collection.
    support: full
    membership:
      - dataops.upkeep.all
"""
