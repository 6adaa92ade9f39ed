# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Options of every module."""

from __future__ import annotations


class ModuleDocFragment:
    """The options of ``common_arguments``."""

    DOCUMENTATION = r"""
options:
  deadline:
    description:
      - How long the whole task may take, as V(90s), V(10min) or a number of seconds.
      - The work is cut in pieces; when the time is over the task stops between two of them and says what is left.
    type: str
    default: 60s
"""
