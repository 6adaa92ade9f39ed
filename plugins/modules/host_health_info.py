#!/usr/bin/python
# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: host_health_info
short_description: Check the health of a Linux host
version_added: 0.1.0
description:
  - Checks CPU, load, memory, swap, disks and inodes, open files, clock, listening ports and processes of the host
    that the module runs on, against thresholds, and forecasts the day on which a disk will be full.
  - Reads the files of the kernel in C(/proc) and asks file systems how full they are. Starts no program and needs no
    root rights; without them the names of other users' processes behind ports are unknown.
  - Inside a container the container's limits of memory and CPU count where they are lower than the host's. Load,
    swap, open files and clock are those of the kernel, which all containers of a host share.
author:
  - The dataops.upkeep authors (@dataops)
options:
  checks:
    description:
      - What to check.
      - V(oom_kills), the disk forecast of V(disk) and the mean CPU use of V(cpu) compare with the last run and need
        O(state).
    type: list
    elements: str
    choices: [load, memory, swap, oom_kills, disk, open_files, clock, ports, cpu, processes]
    default: [load, memory, swap, oom_kills, disk, open_files, clock, ports, cpu, processes]
  cpu_interval:
    description:
      - How long to measure the CPU use of the host and of O(processes), as V(1s) or a number of seconds. The other
        checks are made meanwhile.
    type: str
    default: 1s
  mounts:
    description:
      - Mount points to check. One on which nothing is mounted is a critical finding.
      - If not set, all file systems with a disk or a server behind them, each once however often it is mounted.
        Not among them are file systems in memory, kernel interfaces, images that are read-only by nature (squashfs,
        ISO 9660) and overlays, whose data lies on a file system that is listed itself, unless the overlay is a
        container's root.
    type: list
    elements: str
  expected_ports:
    description:
      - TCP ports on which something has to listen. One on which nothing does is a critical finding.
    type: list
    elements: int
    default: []
  processes:
    description:
      - Processes that have to run, and whose memory, CPU use and open files are compared with thresholds, each
        process by itself.
    type: list
    elements: dict
    default: []
    suboptions:
      name:
        description: What findings and metrics call them.
        type: str
        required: true
      pattern:
        description:
          - Regular expression that is found in the command line. If not set, O(processes[].name) itself.
          - Command lines are never shown, as some hold secrets.
        type: str
      minimum:
        description: How many there have to be.
        type: int
        default: 1
  time_server:
    description:
      - NTP server to compare the clock with, as V(time.example.com) or V(time.example.com:123).
      - If not set, the error that the kernel vouches for is judged, and no request leaves the host.
    type: str
extends_documentation_fragment:
  - dataops.upkeep.common
  - dataops.upkeep.checks
  - dataops.upkeep.state
  - dataops.upkeep.result
  - dataops.upkeep.attributes
  - dataops.upkeep.attributes.info_module
  - dataops.upkeep.attributes.actiongroup_all
notes:
  - "Threshold C(cpu_percent) (percent, warning 80, critical 95): CPU use over O(cpu_interval), which is a warning at
    most, as a short while says little; and its mean since the last run."
  - "Threshold C(load_per_core) (ratio, warning 1.5, critical off): load average over five minutes for each CPU."
  - "Threshold C(memory_percent) (percent, warning 85, critical 95): memory that is not available. Caches are
    available."
  - "Threshold C(swap_percent) (percent, warning 80, critical off): swap space in use."
  - "Threshold C(oom_kills) (count, warning 0, critical off): processes killed for want of memory since the last run."
  - "Threshold C(disk_percent) (percent, warning 85, critical 95): disk space in use, computed as df does."
  - "Threshold C(inodes_percent) (percent, warning 85, critical 95): inodes in use, where the file system has a fixed
    number."
  - "Threshold C(days_until_full) (days, warning 14, critical 3): days until the disk is full at the growth of earlier
    runs; below it is wrong. Needs three runs that span an hour."
  - "Threshold C(open_files_percent) (percent, warning 80, critical 95): file handles in use of the system's maximum."
  - "Threshold C(clock_error_seconds) (seconds, warning 5, critical off): largest error of the clock that the kernel
    vouches for; 16 seconds if it was never set right. Not judged with O(time_server)."
  - "Threshold C(clock_skew_seconds) (seconds, warning 0.05, critical 1): difference from O(time_server)."
  - "Threshold C(process_memory_bytes) (bytes, warning 1073741824, critical off): resident memory of a process of
    O(processes)."
  - "Threshold C(process_cpu_percent) (percent, warning 80, critical off): share of one CPU of a process of
    O(processes)."
  - "Threshold C(process_open_files_percent) (percent, warning 80, critical 95): open files of a process of
    O(processes), of its own limit."
seealso:
  - module: dataops.upkeep.http_health_info
"""

EXAMPLES = r"""
- name: Check the host, and remember for the forecast of the day a disk is full
  dataops.upkeep.host_health_info:
    state: /var/lib/upkeep

- name: Check that the application's processes and ports are there
  dataops.upkeep.host_health_info:
    checks: [ports, processes]
    expected_ports: [3000, 5432]
    processes:
      - name: node
        pattern: node .*server\.js
        minimum: 2
    thresholds:
      process_memory_bytes: 1.5GiB

- name: Check two disks with limits of their own, and the clock against a server of the house
  dataops.upkeep.host_health_info:
    checks: [disk, clock]
    mounts: [/, /srv]
    time_server: time.example.com
    thresholds:
      disk_percent: {warning: 80, critical: 90}
      days_until_full: 30
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
    check_arguments,
    common_arguments,
    state_arguments,
)
from ansible_collections.dataops.upkeep.plugins.module_utils._core.module import run_module
from ansible_collections.dataops.upkeep.plugins.module_utils._host.health import CHECKS, host_health
from ansible_collections.dataops.upkeep.plugins.module_utils._state.place import open_memory

PROCESS_OPTIONS = {
    "name": {"type": "str", "required": True},
    "pattern": {"type": "str"},
    "minimum": {"type": "int", "default": 1},
}

ARGUMENTS = ArgumentSpec(
    {
        "cpu_interval": {"type": "str", "default": "1s"},
        "mounts": {"type": "list", "elements": "str"},
        "expected_ports": {"type": "list", "elements": "int", "default": []},
        "processes": {"type": "list", "elements": "dict", "default": [], "options": PROCESS_OPTIONS},
        "time_server": {"type": "str"},
    }
).merge(common_arguments(), check_arguments([check.name for check in CHECKS]), state_arguments())


def main() -> None:
    run_module(ARGUMENTS, host_health, open_memory)


if __name__ == "__main__":
    main()
