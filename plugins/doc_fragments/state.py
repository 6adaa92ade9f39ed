# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""The option that says where memory between runs is kept."""

from __future__ import annotations


class ModuleDocFragment:
    """The option of ``state_arguments``."""

    DOCUMENTATION = r"""
options:
  state:
    description:
      - Where to remember what the next run compares with. A directory, which is created with mode V(0700) if it is
        absent, or the URI of a store (C(postgresql://), C(mongodb://), C(redis://)), in which a table, a collection or
        keys named C(upkeep_state) are used.
      - The place has to outlive the run, so a directory inside an execution environment will not do.
      - If not set, nothing is remembered, and what needs a comparison with an earlier run is not checked.
      - Nothing is written in check mode.
    type: str
"""
