# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which place an option value opens."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from ansible_collections.dataops.upkeep.plugins.module_utils._core.errors import InvalidInput
from ansible_collections.dataops.upkeep.plugins.module_utils._core.secrets import Secrets
from ansible_collections.dataops.upkeep.plugins.module_utils._state.place import directory_of, open_memory

ROOT = Path(__file__).resolve().parents[3]


@pytest.mark.parametrize(
    ("place", "kind"),
    [
        ("/var/lib/upkeep", "DirectoryMemory"),
        ("file:///var/lib/upkeep", "DirectoryMemory"),
        ("~/upkeep", "DirectoryMemory"),
        ("postgresql://db/app", "PostgresqlMemory"),
        ("postgres://db/app", "PostgresqlMemory"),
        ("mongodb://a,b/app?replicaSet=rs0", "MongodbMemory"),
        ("redis://cache/1", "RedisMemory"),
        ("rediss://cache/1", "RedisMemory"),
        ("REDIS://cache/1", "RedisMemory"),
    ],
)
def test_the_scheme_chooses_the_place(place: str, kind: str) -> None:
    assert type(open_memory(place, Secrets())).__name__ == kind


@pytest.mark.parametrize(
    "place", ["", "  ", "state", "./state", "https://example.com/x", "mysql://db/x", "file://elsewhere/x", "/a\0b"]
)
def test_anything_else_is_refused_with_the_accepted_forms(place: str) -> None:
    with pytest.raises(InvalidInput, match="postgresql://"):
        open_memory(place, Secrets())


def test_the_password_of_the_place_is_a_secret_and_no_part_of_an_error() -> None:
    secrets = Secrets()
    with pytest.raises(InvalidInput) as caught:
        open_memory("mysql://me:hunter22@db/x", secrets)
    assert "hunter22" not in str(caught.value)
    assert secrets.redact("hunter22") != "hunter22"


def test_folders_are_expanded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("UPKEEP_TEST_HOME", "/srv/upkeep")
    assert directory_of("$UPKEEP_TEST_HOME/state") == Path("/srv/upkeep/state")
    assert directory_of("file:///with%20space") == Path("/with space")
    assert directory_of("redis://cache") is None


def test_a_folder_needs_no_driver() -> None:
    program = (
        "import sys\n"
        "from ansible_collections.dataops.upkeep.plugins.module_utils._state.place import open_memory\n"
        "from ansible_collections.dataops.upkeep.plugins.module_utils._core.secrets import Secrets\n"
        "open_memory('/nowhere', Secrets()).read('x')\n"
        "print([name for name in ('psycopg', 'pymongo', 'redis') if name in sys.modules])\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        check=True,
        env={"PYTHONPATH": str(ROOT / ".collections")},
    )
    assert done.stdout == "[]\n"
