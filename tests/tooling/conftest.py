# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The collection as a user gets it: built into a tarball, and installed from it without a network."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tests.integration.running import environment
from tools.tree import ROOT


@pytest.fixture(scope="session")
def tarball(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tarball of the checkout as it stands."""
    folder = tmp_path_factory.mktemp("build")
    command = ["ansible-galaxy", "collection", "build", str(ROOT), "--output-path", str(folder)]
    done = subprocess.run(command, env=environment(), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    (built,) = folder.iterdir()
    return built


@pytest.fixture(scope="session")
def installed(tarball: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of collections that holds only this one, installed from the tarball."""
    folder = tmp_path_factory.mktemp("collections")
    command = ["ansible-galaxy", "collection", "install", "--offline", str(tarball), "--collections-path", str(folder)]
    alone = environment(ANSIBLE_COLLECTIONS_PATH=str(folder))
    done = subprocess.run(command, env=alone, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return folder
