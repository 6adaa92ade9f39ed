# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""The result that every module returns. Its text stands here once; a contract test holds every module to it."""

from __future__ import annotations


class ModuleDocFragment:
    """A note that points to the result, and the text of it."""

    DOCUMENTATION = r"""
notes:
  - Every module of this collection returns the same envelope. Findings feed alerts, actions feed the journal, metrics
    feed history, and all of it feeds the report.
options: {}
"""

    RETURN = r"""
changed:
  description: Whether anything was changed, or in check mode would be.
  type: bool
  returned: always
status:
  description: The gravest finding.
  type: str
  returned: always
  choices: [ok, warning, critical]
findings:
  description: What is wrong, with numbers.
  type: list
  elements: dict
  returned: always
  contains:
    id: {description: "Stable name of the condition, as C(redis.memory).", type: str}
    severity: {description: "V(warning) or V(critical).", type: str}
    subject: {description: "What it is about.", type: str}
    message: {description: "One sentence for people.", type: str}
    value: {description: "What was measured, if anything was.", type: raw}
    threshold: {description: "The limit that was crossed, if there is one.", type: raw}
    remedy: {description: "What to do.", type: str}
actions:
  description: What was decided on and what became of it. Check mode returns the same list with all of it planned.
  type: list
  elements: dict
  returned: always
  contains:
    kind: {description: "What is done.", type: str}
    subject: {description: "What it is done to.", type: str}
    reason: {description: "Why, with the numbers that decided it.", type: str}
    statement: {description: "The statement, command or request, without secrets.", type: str}
    state: {description: "V(planned), V(done), V(skipped) or V(failed).", type: str}
    detail: {description: "What happened, or why not.", type: str}
    seconds: {description: "How long it took.", type: float}
    undo: {description: "What brings the former state back.", type: str}
metrics:
  description: Flat numbers with Prometheus-style names.
  type: dict
  returned: always
summary:
  description: One sentence for people.
  type: str
  returned: always
server:
  description: What was asked or changed. C(kind), C(address) and, if it answered, C(version).
  type: dict
  returned: always
"""
