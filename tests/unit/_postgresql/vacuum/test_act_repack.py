# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

from ansible_collections.dataops.upkeep.plugins.module_utils._core.runner import Context
from ansible_collections.dataops.upkeep.plugins.module_utils._postgresql.vacuum.act_repack import (
    find_program,
    repack_environment,
)
from tests.integration.health import context


def test_the_program_connects_as_we_are_connected_and_nowhere_else() -> None:
    info = SimpleNamespace(
        host="db", port=5433, user="upkeep", dbname="shop", password="s3cret",
        get_parameters=lambda: {"sslmode": "verify-full", "sslrootcert": "/ca.pem", "options": "-c x=y"},
    )  # fmt: skip
    ours = {"PATH": "/bin", "PGHOST": "elsewhere", "PGSERVICE": "other", "PGPASSFILE": "/pass", "PGOPTIONS": "-c a=b"}
    assert repack_environment(info, ours) == {
        "PATH": "/bin",
        "PGPASSFILE": "/pass",
        "PGHOST": "db",
        "PGPORT": "5433",
        "PGUSER": "upkeep",
        "PGDATABASE": "shop",
        "PGPASSWORD": "s3cret",
        "PGSSLMODE": "verify-full",
        "PGSSLROOTCERT": "/ca.pem",
        "PGAPPNAME": "upkeep",
        "LC_ALL": "C",
    }


def test_a_program_that_is_absent_or_does_not_start(tmp_path: Path) -> None:
    assert find_program(99, _with_path(tmp_path)) == ("", None)
    program = tmp_path / "pg_repack"
    program.write_text("no program\n", encoding="utf-8")
    program.chmod(0o755)
    assert find_program(99, _with_path(tmp_path)) == (str(program), None)
    program.write_text("#!/bin/sh\necho 'pg_repack 1.5.3'\n", encoding="utf-8")
    assert find_program(99, _with_path(tmp_path)) == (str(program), "1.5.3")


def _with_path(folder: Path) -> Context:
    found = context({})
    found.environment["PATH"] = str(folder)
    return found
