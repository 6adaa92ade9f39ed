# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Run the quick tests on the oldest and the newest supported ansible-core: `python -m tools.matrix`.

Needs Python 3.10 and one of the newer ones, on PATH or among pyenv's. What is missing is said, and is no failure.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

from .tree import ROOT

__all__ = ["interpreter", "run"]

CORES = {
    "oldest": (("3.10",), "ansible-core~=2.17.0"),
    "newest": (("3.14", "3.13", "3.12"), "ansible-core>=2.20"),
}
WORK = ROOT / ".cache" / "matrix"


def interpreter(version: str) -> str | None:
    """Find a Python of this version that runs, on PATH or among pyenv's."""
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv"), "versions")
    named = shutil.which(f"python{version}")
    for candidate in [*([named] if named else []), *map(str, sorted(pyenv.glob(f"{version}.*/bin/python3")))]:
        # pyenv's stand-ins are on PATH for versions that are not chosen, too, and then only print an error.
        answer = subprocess.run([candidate, "-c", "import ensurepip"], capture_output=True, check=False)
        if answer.returncode == 0:
            return candidate
    return None


def environment(name: str, python: str, core: str) -> Path:
    """Return the folder of programs of a virtual environment with this ansible-core, made if it is not there."""
    folder = WORK / name
    if not (folder / ".complete").exists():
        WORK.mkdir(parents=True, exist_ok=True)
        requirements = WORK / f"{name}.txt"
        requirements.write_text(f"-r {ROOT / 'tests' / 'requirements-test.txt'}\n{core}\n")
        subprocess.run([str(ROOT / "tools" / "venv"), str(folder), str(requirements), python], check=True)
    return folder / "bin"


def run(programs: Path) -> bool:
    """Run the unit and contract tests and check the syntax of every playbook; tell whether all passed."""
    search = f"{programs}{os.pathsep}{os.environ['PATH']}"
    settings = {**os.environ, "PATH": search, "ANSIBLE_COLLECTIONS_PATH": str(ROOT / ".collections")}
    playbooks = [f"dataops.upkeep.{path.stem}" for path in sorted((ROOT / "playbooks").glob("*.yml"))]
    commands = [
        [str(programs / "ansible"), "--version"],
        [str(programs / "python"), "-m", "pytest", "-q", "tests/unit", "tests/contract"],
        [str(programs / "ansible-playbook"), "--syntax-check", "--inventory=localhost,", *playbooks],
    ]
    codes = [subprocess.run(command, cwd=ROOT, env=settings, check=False).returncode for command in commands]
    return not any(codes)


def main() -> int:
    """Go through the versions; 0 when everything that could run passed."""
    verdicts: dict[str, str] = {}
    for name, (versions, core) in CORES.items():
        python = next(filter(None, map(interpreter, versions)), None)
        if python is None:
            verdicts[name] = f"NOT RUN: no Python {' or '.join(versions)} found"
            continue
        print(f"--- {name}: {core} on {python}", flush=True)
        verdicts[name] = "passed" if run(environment(name, python, core)) else "FAILED"
    for name, verdict in verdicts.items():
        print(f"{name}: {verdict}")
    return int("FAILED" in verdicts.values())


if __name__ == "__main__":
    sys.exit(main())
