# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The tarball holds what users need and nothing else, and works where nothing but it is installed."""

from __future__ import annotations

import subprocess
import tarfile
from pathlib import Path

import pytest
import yaml

from tests.integration.running import environment
from tools.tree import ROOT, tracked_files

SHIPPED = {
    "CHANGELOG.rst",
    "COPYING",
    "FILES.json",
    "LICENSES",
    "MANIFEST.json",
    "README.md",
    "REUSE.toml",
    "changelogs",
    "docs",
    "inventories",
    "meta",
    "playbooks",
    "plugins",
    "roles",
}
NEEDED = {"COPYING", "MANIFEST.json", "README.md", "meta", "playbooks", "plugins", "roles"}
MADE_BY_THE_BUILD = {"FILES.json", "MANIFEST.json"}
PLAYBOOKS = sorted(path.stem for path in (ROOT / "playbooks").glob("*.yml"))


@pytest.fixture(scope="module")
def files(tarball: Path) -> set[str]:
    """The names of the files in the tarball."""
    with tarfile.open(tarball) as archive:
        return {member.name.removeprefix("./") for member in archive if not member.isdir()}


def test_only_what_users_need_is_shipped(files: set[str]) -> None:
    top = {name.split("/", maxsplit=1)[0] for name in files}
    assert top - SHIPPED == set()
    assert NEEDED - top == set()


def test_nothing_is_shipped_that_git_does_not_know(files: set[str]) -> None:
    known = {str(path) for path in tracked_files()}
    assert files - known - MADE_BY_THE_BUILD == set()


def test_every_file_of_the_plugins_and_roles_is_shipped(files: set[str]) -> None:
    wanted = {str(path) for path in tracked_files() if path.parts[0] in {"meta", "playbooks", "plugins", "roles"}}
    assert wanted - files == set()


@pytest.mark.parametrize("playbook", PLAYBOOKS)
def test_playbooks_run_by_name_from_anywhere(installed: Path, tmp_path: Path, playbook: str) -> None:
    command = ["ansible-playbook", f"dataops.upkeep.{playbook}", "--syntax-check", "--inventory", "localhost,"]
    alone = environment(ANSIBLE_COLLECTIONS_PATH=str(installed))
    done = subprocess.run(command, cwd=tmp_path, env=alone, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_an_execution_environment_gets_what_the_collection_names(installed: Path) -> None:
    command = ["ansible-builder", "introspect", str(installed)]
    done = subprocess.run(command, env=environment(), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    found = yaml.safe_load(done.stdout)
    for kind in ("python", "system"):
        given = (ROOT / "meta" / {"python": "ee-requirements.txt", "system": "ee-bindep.txt"}[kind]).read_text()
        named = [line.strip() for line in given.splitlines() if line.strip() and not line.startswith("#")]
        assert named
        assert [wanted for wanted in named if not any(wanted.split()[0] in entry for entry in found[kind])] == []
