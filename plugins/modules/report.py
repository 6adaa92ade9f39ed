#!/usr/bin/python
# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: report
short_description: Write the report of a run
version_added: 0.1.0
description:
  - Writes what other modules of this collection returned as one self-contained HTML page, as JSON or as Markdown. The
    page has the verdict at the top, then for each result its findings with what to do, its actions, plots of earlier
    runs, and all metrics. It needs no network, no script and no other file.
  - Each report is written as V(APPLICATION-CADENCE-YYYYMMDD-HHMMSS.html), in UTC, and as V(latest.html), each replaced
    as a whole, so that a reader never sees half a report. What was written is read back.
  - A run is reported once. When O(run_id), or the same results on the same day, are reported again, only what is
    missing is written.
  - With O(state), the report says what is new and what is resolved since the run before, since when a finding is
    there, and plots the earlier runs.
author: [The dataops.upkeep authors (@dataops)]
requirements:
  - jinja2 >= 3.1 (for HTML)
options:
  results:
    description:
      - The results to report, as C(register) holds them, each with C(subject) (such as V(redis)), C(name) and C(host)
        beside the envelope. What is missing is made up for as far as can be.
      - A result that is no envelope, because its task failed, is reported as a critical finding with its C(msg).
    type: list
    elements: dict
    required: true
  dest:
    description:
      - The folder for the reports, an absolute path. It is created with mode V(0750) if it is absent. The reports have
        mode V(0640).
    type: path
    required: true
  formats:
    description: What to write. The first one is what RV(ignore:server.path) names.
    type: list
    elements: str
    choices: [html, json, markdown]
    default: [html, json]
  application:
    description: Name of the application, for the title and the file names.
    type: str
    default: application
  cadence:
    description: How often such a run is made, as V(daily). Runs are compared with runs of the same cadence.
    type: str
    default: adhoc
  title:
    description: The title. If not set, application and cadence.
    type: str
  run_id:
    description:
      - What tells this run from others, such as the number of an AWX job. Letters, digits and any of C(._:-).
      - If not set, a digest of the results and the day.
    type: str
  keep:
    description:
      - How many reports of this application and cadence to keep; older ones are removed. Only files that this module
        wrote are ever removed or replaced.
    type: int
    default: 90
extends_documentation_fragment:
  - dataops.upkeep.common
  - dataops.upkeep.state
  - dataops.upkeep.result
  - dataops.upkeep.attributes
  - dataops.upkeep.attributes.actiongroup_all
attributes:
  check_mode:
    support: full
  diff_mode:
    support: full
  idempotent:
    support: full
notes:
  - The findings of this module are about the report itself. The verdict on the run is in the metric C(report_status),
    V(0) for ok, V(1) for warning, V(2) for critical.
  - RV(ignore:server.path) is the report in the first of O(formats), RV(ignore:server.paths) are all of them.
seealso:
  - module: dataops.upkeep.journal_info
"""

EXAMPLES = r"""
- name: Check Redis
  dataops.upkeep.redis_health_info:
    login_host: cache.example.com
  register: redis_health
  failed_when: false

- name: Write the report of the run
  dataops.upkeep.report:
    results:
      - "{{ redis_health | combine({'subject': 'redis', 'name': 'cache', 'host': inventory_hostname}) }}"
    application: shop
    cadence: daily
    dest: /var/lib/upkeep/reports
    formats: [html, json, markdown]
    state: /var/lib/upkeep/state
  delegate_to: localhost
  register: report

- name: Say where it is
  ansible.builtin.debug:
    msg: "{{ report.server.path }}"
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

from ansible_collections.dataops.upkeep.plugins.module_utils._core.arguments import (
    ArgumentSpec,
    common_arguments,
    state_arguments,
)
from ansible_collections.dataops.upkeep.plugins.module_utils._core.module import run_module
from ansible_collections.dataops.upkeep.plugins.module_utils._report.task import ReportTask
from ansible_collections.dataops.upkeep.plugins.module_utils._state.place import open_memory

ARGUMENTS = ArgumentSpec(
    {
        "results": {"type": "list", "elements": "dict", "required": True},
        "dest": {"type": "path", "required": True},
        "formats": {
            "type": "list",
            "elements": "str",
            "choices": ["html", "json", "markdown"],
            "default": ["html", "json"],
        },
        "application": {"type": "str", "default": "application"},
        "cadence": {"type": "str", "default": "adhoc"},
        "title": {"type": "str"},
        "run_id": {"type": "str"},
        "keep": {"type": "int", "default": 90},
    }
).merge(common_arguments(), state_arguments())


def main() -> None:
    """Run the module."""
    run_module(ARGUMENTS, ReportTask, open_memory)


if __name__ == "__main__":
    main()
