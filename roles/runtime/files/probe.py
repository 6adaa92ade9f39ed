# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Says as JSON which of the packages named as arguments this interpreter lacks, and whether it can make a venv.

The role feeds it to the interpreter through standard input: python3 - VENV PACKAGE...
"""

from __future__ import annotations

import importlib
import importlib.metadata
import importlib.util
import json
import os
import re
import sys

REQUIREMENT = re.compile(r"\s*([\w.-]+)\s*(?:\[[\w\s,.-]*\])?\s*((?:>=|==)\s*\d[\d.]*)?\s*$")


def numbers(version: str) -> list[int]:
    """Return a version's leading numbers without the zeros at its end: 5.0 equals 5."""
    match = re.match(r"\d+(?:\.\d+)*", version)
    found = [int(part) for part in match.group().split(".")] if match else []
    while found and found[-1] == 0:
        found.pop()
    return found


def modules_of(distribution: importlib.metadata.Distribution, name: str) -> list[str]:
    """Return what a package is imported as."""
    listed = (distribution.read_text("top_level.txt") or "").split()
    files = {str(path).replace("\\", "/") for path in distribution.files or []}
    packages = {path.split("/")[0] for path in files if re.match(r"[A-Za-z]\w*/__init__\.py$", path)}
    return [module for module in listed or sorted(packages) if not module.startswith("_")] or [name.replace("-", "_")]


def why_missing(requirement: str) -> str:
    """Return why a package does not meet a requirement; empty if it does."""
    match = REQUIREMENT.match(requirement)
    if not match:
        return "only pip can tell whether this is met"
    name, limit = match.group(1), (match.group(2) or "").replace(" ", "")
    try:
        distribution = importlib.metadata.distribution(name)
    except importlib.metadata.PackageNotFoundError:
        return "not installed"
    found, wanted = numbers(distribution.version), numbers(limit[2:])
    if (limit.startswith(">=") and found < wanted) or (limit.startswith("==") and found != wanted):
        return f"version {distribution.version} is installed"
    try:
        for module in modules_of(distribution, name):
            importlib.import_module(module)
    except Exception as error:  # noqa: BLE001 - whatever an import raises, the library cannot be used
        return f"cannot be imported: {error}"
    return ""


def main() -> None:
    """Print what was found."""
    venv = os.path.expanduser(sys.argv[1])  # noqa: PTH111 - it stays a text
    python = os.path.join(venv, "bin", "python")  # noqa: PTH118
    reasons = {requirement: why_missing(requirement) for requirement in sys.argv[2:]}
    print(  # noqa: T201
        json.dumps(
            {
                "version": list(sys.version_info[:3]),
                "can_make_venv": all(importlib.util.find_spec(name) for name in ("venv", "ensurepip")),
                "venv_python": python,
                "venv_made": os.path.exists(os.path.join(venv, "pyvenv.cfg")),  # noqa: PTH110, PTH118
                "venv_exists": os.access(python, os.X_OK),
                "missing": [f"{requirement} ({reason})" for requirement, reason in reasons.items() if reason],
            }
        )
    )


main()
