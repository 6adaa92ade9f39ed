# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Run tasks in a container by its engine's `exec`, with one call a task where nothing is copied."""

from __future__ import annotations

import os
import shlex
import subprocess
from pathlib import Path
from typing import Any

from ansible.errors import AnsibleConnectionFailure, AnsibleFileNotFound
from ansible.plugins.connection import ConnectionBase

DOCUMENTATION = r"""
name: container
author: The dataops.upkeep authors
short_description: Run tasks in a container with podman or docker
description:
  - For the tests only. The connections of containers.podman and community.docker do not pipeline, so that each task
    takes five calls of the engine instead of one, and they would have to be brought along.
options:
  remote_addr:
    description: Name of the container.
    default: inventory_hostname
    vars:
      - name: ansible_host
  engine:
    description: The program, C(podman) or C(docker).
    default: podman
    vars:
      - name: ansible_container_engine
  engine_environment:
    description: Environment variables for that program.
    type: dict
    default: {}
    vars:
      - name: ansible_container_engine_environment
"""


class Connection(ConnectionBase):
    """One container; there is nothing to open or to close."""

    transport = "container"
    has_pipelining = True

    def _connect(self) -> Connection:
        self._connected = True
        return self

    def close(self) -> None:
        self._connected = False

    def _exec(self, *command: str, stdin: bytes | None = None) -> subprocess.CompletedProcess[bytes]:
        """Run a command in the container."""
        argv = [self.get_option("engine"), "exec", "--interactive", self.get_option("remote_addr"), *command]
        environment = {**os.environ, **self.get_option("engine_environment")}
        return subprocess.run(argv, input=stdin or b"", env=environment, capture_output=True, check=False)

    def exec_command(self, cmd: str, in_data: Any = None, sudoable: bool = True) -> tuple[int, bytes, bytes]:
        """Run a shell command; 125 to 127 are the engine's own ways to say that it could not."""
        super().exec_command(cmd, in_data=in_data, sudoable=sudoable)
        result = self._exec("/bin/sh", "-c", cmd, stdin=in_data)
        if result.returncode == 125:
            raise AnsibleConnectionFailure(result.stderr.decode(errors="replace").strip())
        return result.returncode, result.stdout, result.stderr

    def put_file(self, in_path: str, out_path: str) -> None:
        """Copy a file into the container."""
        super().put_file(in_path, out_path)
        source = Path(in_path)
        if not source.exists():
            raise AnsibleFileNotFound(f"{in_path} is not there")
        result = self._exec("/bin/sh", "-c", f"cat > {shlex.quote(out_path)}", stdin=source.read_bytes())
        if result.returncode != 0:
            raise AnsibleConnectionFailure(f"cannot write {out_path}: {result.stderr.decode(errors='replace').strip()}")

    def fetch_file(self, in_path: str, out_path: str) -> None:
        """Copy a file out of the container."""
        super().fetch_file(in_path, out_path)
        result = self._exec("cat", in_path)
        if result.returncode != 0:
            raise AnsibleConnectionFailure(f"cannot read {in_path}: {result.stderr.decode(errors='replace').strip()}")
        Path(out_path).write_bytes(result.stdout)
