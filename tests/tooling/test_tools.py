# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The tools do what the Makefile relies on."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tools import engine, images, stage
from tools.tree import ROOT, copy_checkout, tracked_files


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A git checkout with a tracked, a new, an ignored and a deleted file."""
    root = tmp_path / "any name"
    root.mkdir()
    for name in ("kept", "gone", "new", "ignored"):
        (root / name).write_text(name)
    (root / "kept").chmod(0o755)
    (root / ".gitignore").write_text("ignored\n")
    subprocess.run(["git", "init", "--quiet", str(root)], check=True)
    subprocess.run(["git", "-C", str(root), "add", "kept", "gone"], check=True)
    (root / "gone").unlink()
    return root


def test_a_copy_holds_tracked_and_new_files_and_nothing_else(checkout: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    for _again in range(2):
        copy_checkout(copy, checkout)
        assert sorted(path.name for path in copy.iterdir()) == [".gitignore", "kept", "new"]
        assert (copy / "kept").stat().st_mode & 0o777 == 0o755
        (copy / "left over").touch()


def test_a_folder_without_git_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match="is not a git checkout"):
        tracked_files(tmp_path)


def test_environment_files_are_read_as_written(tmp_path: Path) -> None:
    file = tmp_path / "some" / "file.env"
    assert engine.read_environment(file) == {}
    engine.write_environment(file, {"B": "x=y", "A": "1"})
    assert engine.read_environment(file) == {"A": "1", "B": "x=y"}
    assert list(file.parent.iterdir()) == [file]


def test_an_engine_that_is_named_and_missing_is_an_error(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(engine, "CACHE", tmp_path)
    monkeypatch.setenv("UPKEEP_ENGINE", "no-such-engine")
    with pytest.raises(engine.EngineMissing, match="UPKEEP_ENGINE names no-such-engine"):
        engine.ensure_engine()


def test_without_rights_packages_are_named_and_not_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine.os, "geteuid", lambda: 1000)
    with pytest.raises(engine.EngineMissing, match=r"Building needs the packages one two\. Install them"):
        engine.apt_install(("one", "two"), "Building")


def test_an_image_is_named_by_what_it_is_made_of(tmp_path: Path) -> None:
    (tmp_path / "Containerfile").write_text("FROM a")
    first = images.digest(tmp_path, "17")
    assert images.digest(tmp_path, "17") == first
    assert images.digest(tmp_path, "15") != first
    (tmp_path / "Containerfile").write_text("FROM b")
    assert images.digest(tmp_path, "17") != first


def test_published_ports_differ_and_lie_below_the_range_for_outgoing_connections() -> None:
    ports = list(stage.free_ports(20))
    assert len(set(ports)) == 20
    assert all(1024 < port < 32768 for port in ports)


def test_secrets_are_private_and_never_on_a_command_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stage, "FOLDER", tmp_path)
    passwords = {"admin": "word-a", "monitor": "word-b", "key": "word-c"}
    for name, store in stage.STORES.items():
        planned = stage.plan_store(name, store, "image", 20000, passwords)
        file = tmp_path / f"{name}.env"
        assert file.stat().st_mode & 0o777 == 0o600
        assert re.search(r"=word-[abc]$", file.read_text(), re.MULTILINE)
        assert "word-" not in " ".join(planned["run"])


def test_every_target_of_the_makefile_says_what_it_does() -> None:
    makefile = (ROOT / "Makefile").read_text()
    targets = re.findall(r"^\.PHONY: (\S+)$", makefile, re.MULTILINE)
    assert targets
    for target in targets:
        assert re.search(rf"^{target}:.* ## \S", makefile, re.MULTILINE), f"{target} has no help"


def test_a_python_that_does_not_exist_is_named(tmp_path: Path) -> None:
    done = subprocess.run(
        [str(ROOT / "tools" / "venv"), str(tmp_path / "venv"), "requirements.txt", "no-such-python"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert "No usable Python found (looked for no-such-python)" in done.stderr


def test_an_environment_is_made_of_its_requirements(tmp_path: Path) -> None:
    requirements = tmp_path / "requirements.txt"
    requirements.write_text("# nothing\n")
    folder = tmp_path / "venv"
    subprocess.run([str(ROOT / "tools" / "venv"), str(folder), str(requirements), sys.executable], check=True)
    assert (folder / ".complete").exists()
    subprocess.run([str(folder / "bin" / "python"), "-c", ""], check=True)
