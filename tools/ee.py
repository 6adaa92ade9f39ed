# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Build an execution environment that holds this collection: `python -m tools.ee`.

Its base is the stock image of Python wherever a registry answers, else the Debian one of the container tests;
UPKEEP_IMAGE_EE_BASE names another (AWX: the one that your organisation builds on). UPKEEP_IMAGE_EE names the result.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import yaml

from .engine import CACHE, Engine, EngineMissing, ensure_engine
from .images import RECIPES, local_base, pulled
from .tree import ROOT

__all__ = ["definition"]

WORK = CACHE / "ee"
IMAGE = os.environ.get("UPKEEP_IMAGE_EE", "localhost/upkeep-ee:latest")


def base_image(engine: Engine) -> str:
    """Choose the image to build on."""
    named = os.environ.get("UPKEEP_IMAGE_EE_BASE")
    if named:
        return named
    stock = RECIPES["UPKEEP_IMAGE_OPS"].stock
    if os.environ.get("UPKEEP_IMAGES") != "build" and pulled(engine, stock):
        return stock
    return local_base(engine)


def definition(base: str, tarball: Path) -> dict[str, object]:
    """Return ansible-builder's definition; what the collection's modules need, it reads from the collection itself."""
    return {
        "version": 3,
        "images": {"base_image": {"name": base}},
        "options": {"package_manager_path": "/usr/bin/apt-get", "skip_pip_install": True},
        "dependencies": {
            "ansible_core": {"package_pip": "ansible-core>=2.17"},
            "ansible_runner": {"package_pip": "ansible-runner"},
            "galaxy": {"collections": [{"name": f"collections/{tarball.name}", "type": "file"}]},
        },
        "additional_build_files": [{"src": str(tarball), "dest": "collections"}],
        # An image is no machine whose system packages could be broken.
        "additional_build_steps": {"prepend_base": ["ENV PIP_BREAK_SYSTEM_PACKAGES=1"]},
    }


def main() -> int:
    """Build the collection's tarball and the image with it."""
    engine = ensure_engine()
    if WORK.exists():
        shutil.rmtree(WORK)
    WORK.mkdir(parents=True)
    build = ["ansible-galaxy", "collection", "build", str(ROOT), "--output-path", str(WORK)]
    subprocess.run(build, check=True)
    (tarball,) = WORK.glob("*.tar.gz")
    (WORK / "execution-environment.yml").write_text(yaml.safe_dump(definition(base_image(engine), tarball)))
    create = ["ansible-builder", "create", "--file", str(WORK / "execution-environment.yml")]
    subprocess.run([*create, "--context", str(WORK / "context"), "--output-filename", "Containerfile"], check=True)
    # Everything comes from the tarball, so Galaxy is not asked. Certificates that this machine trusts are trusted in
    # the build as well, which matters behind a proxy; docker cannot mount them and does without.
    arguments = ["--build-arg=ANSIBLE_GALAXY_CLI_COLLECTION_OPTS=--offline", f"--tag={IMAGE}"]
    if engine.name == "podman" and Path("/etc/ssl/certs").is_dir():
        arguments.append("--volume=/etc/ssl/certs:/etc/ssl/certs:ro")
    context = WORK / "context"
    engine.run("build", "--quiet", *arguments, f"--file={context / 'Containerfile'}", str(context))
    print(IMAGE)
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except EngineMissing as error:
        sys.exit(str(error))
