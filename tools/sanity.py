# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Run `ansible-test sanity` on a copy of the checkout: `python -m tools.sanity [ARGUMENT FOR ansible-test ...]`.

ansible-test insists on a real folder `ansible_collections/dataops/upkeep`, a link will not do, and it fetches a
bootstrap script for pip from a host that many networks do not reach. Both are arranged in `.cache/sanity`, which is
its home folder as well, so that nothing is left in the user's own.
"""

from __future__ import annotations

import fcntl
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import ansible_test  # type: ignore[import-untyped]

from .tree import ROOT, copy_checkout

WORK = ROOT / ".cache" / "sanity"

BOOTSTRAP = """\
# Written by tools/sanity.py: gives an environment of ansible-test its pip, by a pip that is here already.
import subprocess
import sys

packages = [word for word in sys.argv[1:] if "==" in word]
command = [{python!r}, "-m", "pip", "--disable-pip-version-check", "--quiet", "--python", sys.executable, "install"]
sys.exit(subprocess.call(command + packages))
"""

SKIPPED = re.compile(r"^WARNING: .*[Ss]kipp", re.MULTILINE)
"""ansible-test only warns when the program behind a test is missing; here that is a failure."""


def pip_versions() -> set[str]:
    """Tell which pip this ansible-test gives its environments; the name of its bootstrap script holds the version."""
    source = Path(ansible_test.__path__[0], "_internal", "python_requirements.py").read_text()
    found = set(re.findall(r"""\bpip=['"](\d+(?:\.\d+)*)['"]""", source))
    if not found:
        raise RuntimeError("cannot find in ansible_test/_internal/python_requirements.py which pip it wants")
    return found


def prepare_home(home: Path) -> None:
    """Lay the bootstrap script where ansible-test looks before it downloads one."""
    cache = home / ".ansible" / "test" / "cache"
    cache.mkdir(parents=True, exist_ok=True)
    for version in pip_versions():
        script = cache / f"get_pip_{version.replace('.', '_')}.py"
        script.write_text(BOOTSTRAP.format(python=sys.executable))


@contextmanager
def alone(folder: Path) -> Iterator[None]:
    """Keep a second run from changing the copy under the first one."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def run_sanity(arguments: list[str], work: Path = WORK) -> int:
    """Run the sanity tests; the exit code is 0 only when every test ran and passed."""
    copy = work / "ansible_collections" / "dataops" / "upkeep"
    home = work / "home"
    with alone(work):
        copy_checkout(copy)
        # Without a repository of its own, ansible-test finds the one around it, in which the copy is ignored.
        subprocess.run(["git", "init", "--quiet", "--template=", str(copy)], check=True)
        prepare_home(home)
        python = f"{sys.version_info.major}.{sys.version_info.minor}"
        command = ["ansible-test", "sanity", "--color", "no", "--python", python, *arguments]
        environment = {**os.environ, "HOME": str(home), "LC_ALL": "C.UTF-8", "PYTHONPATH": ""}
        for name in ("ANSIBLE_COLLECTIONS_PATH", "ANSIBLE_HOME"):
            environment.pop(name, None)
        result = subprocess.run(
            command, cwd=copy, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False, text=True
        )
    print(result.stdout, end="")
    skipped = [line for line in result.stdout.splitlines() if SKIPPED.search(line)]
    if skipped:
        print("\nA sanity test was skipped, which counts as a failure:", *skipped, sep="\n  ", file=sys.stderr)
        return result.returncode or 1
    return result.returncode


if __name__ == "__main__":
    sys.exit(run_sanity(sys.argv[1:]))
