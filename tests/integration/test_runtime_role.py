# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The role runtime against interpreters that lack the libraries: real environments, real pip."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import venv
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.integration.running import ROOT, Run, run_playbook

PACKAGES = ["redis>=5", "jinja2>=3.1"]
PROBE = ROOT / "roles/runtime/files/probe.py"


@pytest.fixture(scope="module")
def bare(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An interpreter without any library."""
    folder = tmp_path_factory.mktemp("bare") / "venv"
    venv.create(folder, with_pip=False)
    return folder / "bin/python"


def apply_role(folder: Path, interpreter: Path | str, *arguments: str, **variables: Any) -> Run:
    """Apply the role, and show with which interpreter a later task of the play runs."""
    play = {
        "name": "Prepare the host",
        "hosts": "localhost",
        "connection": "local",
        "gather_facts": False,
        "vars": {"ansible_python_interpreter": str(interpreter), "runtime_venv": str(folder / "venv")},
        "tasks": [
            {"name": "Apply the role", "ansible.builtin.include_role": {"name": "dataops.upkeep.runtime"}},
            {"name": "Show", "ansible.builtin.setup": {"gather_subset": ["!all", "!min", "python"]}},
        ],
    }
    path = folder / "play.json"
    path.write_text(json.dumps([play]), encoding="utf-8")
    return run_playbook(path, "-i", "localhost,", *arguments, extra_vars=variables)


def used(run: Run) -> Path:
    """The environment of the interpreter that the last task ran with."""
    return Path(run.tasks[-1]["result"]["ansible_facts"]["ansible_python"]["executable"]).parent.parent


def changed(run: Run) -> list[str]:
    return [task["task"] for task in run.tasks if task["result"].get("changed")]


def imports(python: Path, *names: str) -> bool:
    return (
        subprocess.run([python, "-c", f"import {', '.join(names)}"], capture_output=True, check=False).returncode == 0
    )


def test_the_packages_are_those_of_the_execution_environment() -> None:
    lines = (ROOT / "meta/ee-requirements.txt").read_text(encoding="utf-8").splitlines()
    wanted = [line.strip() for line in lines if line.strip() and not line.startswith("#")]
    defaults = yaml.safe_load((ROOT / "roles/runtime/defaults/main.yml").read_text(encoding="utf-8"))
    specs = yaml.safe_load((ROOT / "roles/runtime/meta/argument_specs.yml").read_text(encoding="utf-8"))
    assert defaults["runtime_packages"] == wanted
    assert specs["argument_specs"]["main"]["options"]["runtime_packages"]["default"] == wanted


def test_an_interpreter_that_has_everything_is_left_alone(tmp_path: Path) -> None:
    run = apply_role(tmp_path, sys.executable)
    assert run.code == 0, run.output
    assert changed(run) == []
    assert not (tmp_path / "venv").exists()
    assert used(run) == Path(sys.prefix)


def test_check_mode_first_then_install_then_nothing(tmp_path: Path, bare: Path) -> None:
    planned = apply_role(tmp_path, bare, "--check", runtime_packages=PACKAGES)
    assert planned.code == 0, planned.output
    assert len(changed(planned)) == 1
    assert not (tmp_path / "venv").exists()
    assert used(planned) == bare.parent.parent

    first = apply_role(tmp_path, bare, runtime_packages=PACKAGES)
    assert first.code == 0, first.output
    assert len(changed(first)) == 2
    assert imports(tmp_path / "venv/bin/python", "redis", "jinja2")
    assert used(first) == tmp_path / "venv"
    assert not imports(bare, "redis")

    for arguments in ([], ["--check"]):
        second = apply_role(tmp_path, bare, *arguments, runtime_packages=PACKAGES)
        assert second.code == 0, second.output
        assert changed(second) == []
        assert used(second) == tmp_path / "venv"


def test_texts_as_a_survey_sends_them(tmp_path: Path, bare: Path) -> None:
    wheels = tmp_path / "wheels"
    pip = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--dest", wheels, "async-timeout"]
    subprocess.run(pip, check=True, capture_output=True)
    texts = {"runtime_packages": "async-timeout>=4", "runtime_pip_arguments": f"--no-index --find-links {wheels}"}
    run = apply_role(tmp_path, bare, **texts)
    assert run.code == 0, run.output
    assert imports(tmp_path / "venv/bin/python", "async_timeout")
    assert changed(apply_role(tmp_path, bare, **texts)) == []


def test_a_broken_environment_is_mended(tmp_path: Path, bare: Path) -> None:
    venv.create(tmp_path / "venv", with_pip=False)
    python = tmp_path / "venv/bin/python"
    python.unlink()
    python.symlink_to(tmp_path / "gone")
    run = apply_role(tmp_path, bare, runtime_packages=["async-timeout"])
    assert run.code == 0, run.output
    assert imports(python, "async_timeout")


def test_a_folder_that_is_no_environment_keeps_its_files(tmp_path: Path, bare: Path) -> None:
    (tmp_path / "venv").mkdir()
    (tmp_path / "venv/mine.txt").write_text("keep me")
    run = apply_role(tmp_path, bare, runtime_packages=["async-timeout"])
    assert run.code == 0, run.output
    assert (tmp_path / "venv/mine.txt").read_text() == "keep me"


def test_an_interpreter_without_the_venv_module_is_told_what_to_install(tmp_path: Path, bare: Path) -> None:
    """Debian's python3 without python3-venv: a real interpreter to which ensurepip is hidden, as there."""
    wrapper = tmp_path / "python3"
    hide = "import sys; sys.modules['ensurepip'] = None; exec(sys.stdin.read())"
    # The wrapper takes the place of `python3 - ARGUMENTS`, and hands on the arguments with its own program.
    wrapper.write_text(f'#!/bin/sh\nshift\nexec "{bare}" -c "{hide}" "$@"\n')
    wrapper.chmod(0o755)
    run = apply_role(tmp_path, bare, runtime_packages=["async-timeout"], runtime_python=str(wrapper))
    assert run.code == 2
    assert "apt-get install python3-venv" in run.output
    assert not (tmp_path / "venv").exists()


def test_a_package_that_does_not_exist_fails_the_role(tmp_path: Path, bare: Path) -> None:
    arguments = ["--no-index"]
    run = apply_role(tmp_path, bare, runtime_packages=["redis>=5"], runtime_pip_arguments=arguments)
    assert run.code == 2
    assert "No matching distribution found for redis" in run.output


def probe(python: Path | str, *packages: str) -> dict[str, Any]:
    words = [python, "-", "~/x", *packages]
    done = subprocess.run(words, input=PROBE.read_text(), capture_output=True, text=True, check=True)
    found: dict[str, Any] = json.loads(done.stdout)
    return found


@pytest.mark.parametrize(
    ("requirement", "reason"),
    [
        ("redis", None),
        ("redis>=5", None),
        ("Redis >= 5.0.0", None),
        ("psycopg[binary]>=3.1", None),
        ("redis>=999", "version .* is installed"),
        ("redis==1.0", "version .* is installed"),
        ("redis<99", "only pip can tell"),
        ("no-such-thing>=1", "not installed"),
    ],
)
def test_the_probe_judges_requirements(requirement: str, reason: str | None) -> None:
    missing = probe(sys.executable, requirement)["missing"]
    assert len(missing) == (1 if reason else 0)
    if reason:
        assert re.search(reason, missing[0])


def test_the_probe_imports_what_it_finds(tmp_path: Path) -> None:
    """A library whose files are there and which cannot be imported is missing: psycopg without libpq, say."""
    venv.create(tmp_path / "v", with_pip=False)
    (site,) = (tmp_path / "v/lib").glob("python*/site-packages")
    (site / "broken.py").write_text("raise ImportError('no libpq')\n")
    (site / "broken-2.0.dist-info").mkdir()
    (site / "broken-2.0.dist-info/METADATA").write_text("Metadata-Version: 2.1\nName: broken\nVersion: 2.0\n")
    missing = probe(tmp_path / "v/bin/python", "broken>=1")["missing"]
    assert missing == ["broken>=1 (cannot be imported: no libpq)"]


def test_the_probe_says_where_the_environment_is() -> None:
    found = probe(sys.executable)
    assert found["venv_python"] == str(Path("~/x/bin/python").expanduser())
    assert found["venv_exists"] is False
    assert found["version"] == list(sys.version_info[:3])
