# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Options of every module that checks health or audits."""

from __future__ import annotations


class ModuleDocFragment:
    """What ``check_arguments`` adds; each module documents its own choices of O(checks)."""

    DOCUMENTATION = r"""
options:
  thresholds:
    description:
      - Limits that replace the defaults, by name. The names, units and defaults are listed in the notes.
      - A limit is one value (a warning) or a dict with V(warning) and V(critical). V(off) switches it off.
      - Durations and sizes may be written as V(10min) or V(20MB).
    type: dict
    default: {}
notes:
  - A store that is down, refuses the login or does not answer is a critical finding and no failed task, so that all
    other checks of a run still happen. The task fails only for wrong options or a missing library.
  - A check that the user lacks the right for, or that finds no time left, is a warning; the other checks go on.
"""
