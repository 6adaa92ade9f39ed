# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Find a container engine that really runs containers, or install one: `python -m tools.engine`.

The answer is kept in `.cache/engine.env`, from where Molecule's plays, connection and tests take it.
"""

from __future__ import annotations

import io
import os
import shutil
import subprocess
import sys
import tarfile
from dataclasses import dataclass, field
from pathlib import Path

from .tree import ROOT

__all__ = ["CACHE", "Engine", "EngineMissing", "apt_install", "ensure_engine", "read_environment", "write_environment"]

CACHE = ROOT / ".cache"
PACKAGES = ("podman", "runc", "conmon", "netavark", "aardvark-dns", "iptables")
PROBE_IMAGE = "localhost/upkeep-test-probe:latest"

# For machines whose kernel or rights refuse podman's default runtime (crun with mixed cgroups) and its high limits.
CAUTIOUS_CONF = """\
# Written by tools/engine.py, because the engine's own defaults did not start a container here.
[containers]
default_ulimits = ["nofile=20000:20000", "nproc=4096:4096"]
[engine]
runtime = "runc"
"""


class EngineMissing(RuntimeError):
    """No engine runs containers here and none may be installed; the text says what to do."""


@dataclass
class Engine:
    """A container engine: `name` is the program, `environment` what it needs to be called with."""

    name: str
    environment: dict[str, str] = field(default_factory=dict)

    def run(self, *arguments: str, check: bool = True, stdin: bytes = b"") -> subprocess.CompletedProcess[bytes]:
        """Call the engine and capture what it prints.

        :raises subprocess.CalledProcessError: it failed and `check` is set; its complaint is shown first.
        """
        result = subprocess.run(
            [self.name, *arguments],
            env={**os.environ, **self.environment},
            input=stdin,
            capture_output=True,
            check=False,
        )
        if check and result.returncode != 0:
            print(result.stderr.decode(errors="replace"), file=sys.stderr)
            result.check_returncode()
        return result

    def has_image(self, image: str) -> bool:
        """Tell whether the image is on this machine."""
        return self.run("image", "inspect", image, check=False).returncode == 0


def read_environment(path: Path) -> dict[str, str]:
    """Read a file of NAME=VALUE lines; a missing file is an empty one."""
    if not path.exists():
        return {}
    lines = (line.strip() for line in path.read_text().splitlines())
    return dict(line.split("=", 1) for line in lines if "=" in line and not line.startswith("#"))


def write_environment(path: Path, values: dict[str, str]) -> None:
    """Write NAME=VALUE lines in one step, so that a reader never sees half of them."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_suffix(f".{os.getpid()}")
    draft.write_text("".join(f"{name}={value}\n" for name, value in sorted(values.items())))
    draft.replace(path)


def apt_install(packages: tuple[str, ...], purpose: str) -> None:
    """Install Debian packages.

    :raises EngineMissing: not root, no apt, or apt failed; the text names the packages and the purpose.
    """
    wanted = f"{purpose} needs the packages {' '.join(packages)}"
    if os.geteuid() != 0 or shutil.which("apt-get") is None:
        raise EngineMissing(f"{wanted}. Install them, or run this as root on a Debian or Ubuntu machine.")
    quiet = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    print(f"Installing {' '.join(packages)} ...", file=sys.stderr)
    for command in (["update"], ["install", "--yes", "--no-install-recommends", *packages]):
        result = subprocess.run(["apt-get", "-qq", *command], env=quiet, capture_output=True, check=False, text=True)
        if result.returncode != 0:
            raise EngineMissing(f"{wanted}, and apt-get {command[0]} failed: {result.stderr.strip()}")


def answers(name: str) -> bool:
    """Tell whether the program is there and its service, if it has one, answers."""
    return shutil.which(name) is not None and Engine(name).run("info", check=False).returncode == 0


def starts_containers(engine: Engine) -> str:
    """Start a container that holds only this machine's own /usr; return the complaint, empty when it ran."""
    if not engine.has_image(PROBE_IMAGE):
        empty = io.BytesIO()
        tarfile.open(fileobj=empty, mode="w").close()
        engine.run("import", "-", PROBE_IMAGE, stdin=empty.getvalue())
    mounts = [f"--volume={path}:{path}:ro" for path in ("/usr", "/lib", "/lib64") if Path(path).exists()]
    result = engine.run("run", "--rm", "--network=none", *mounts, PROBE_IMAGE, "/usr/bin/true", check=False)
    return "" if result.returncode == 0 else result.stderr.decode(errors="replace").strip() or "no message"


def with_working_settings(engine: Engine) -> Engine:
    """Return the engine with the settings under which it starts containers: its own wherever they work.

    :raises EngineMissing: it starts none either way.
    """
    complaint = starts_containers(engine)
    if not complaint:
        return engine
    if engine.name == "podman":
        conf = CACHE / "containers.conf"
        conf.parent.mkdir(parents=True, exist_ok=True)
        conf.write_text(CAUTIOUS_CONF)
        cautious = Engine(engine.name, {"CONTAINERS_CONF": str(conf)})
        second = starts_containers(cautious)
        if not second:
            return cautious
        complaint = f"{complaint}; with {conf}: {second}"
    raise EngineMissing(f"{engine.name} is here but starts no container: {complaint}")


def ensure_engine() -> Engine:
    """Return a working engine: the one that UPKEEP_ENGINE names, else podman, else docker, else an installed podman.

    :raises EngineMissing: there is none and none may be installed.
    """
    file = CACHE / "engine.env"
    known = read_environment(file)
    wanted = os.environ.get("UPKEEP_ENGINE")
    if known and wanted in (None, known["UPKEEP_ENGINE"]):
        name = known.pop("UPKEEP_ENGINE")
        engine = Engine(name, known)
        if answers(name) and not starts_containers(engine):
            return engine
    candidates = [wanted] if wanted else ["podman", "docker"]
    name = next((candidate for candidate in candidates if answers(candidate)), "")
    if not name:
        if wanted:
            raise EngineMissing(f"UPKEEP_ENGINE names {wanted}, and `{wanted} info` fails. Install or start it.")
        apt_install(PACKAGES, "Running the container tests (neither podman nor a docker with a running engine is here)")
        name = "podman"
    engine = with_working_settings(Engine(name))
    write_environment(file, {"UPKEEP_ENGINE": engine.name, **engine.environment})
    return engine


if __name__ == "__main__":
    try:
        found = ensure_engine()
    except EngineMissing as error:
        sys.exit(str(error))
    print(found.name, *(f"{name}={value}" for name, value in found.environment.items()))
