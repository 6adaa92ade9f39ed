# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the contract tests iterate over: every module there is, today's and tomorrow's."""

from __future__ import annotations

import ast
import functools
import json
import subprocess
from pathlib import Path
from types import ModuleType
from typing import Any

import yaml

from tests.integration.running import environment

ROOT = Path(__file__).resolve().parents[2]
MODULES = sorted(path.stem for path in (ROOT / "plugins/modules").glob("*.py") if not path.stem.startswith("_"))
PREFIX = "ansible_collections.dataops.upkeep.plugins"


def documentation(name: str) -> tuple[dict[str, Any], list[Any], dict[str, Any]]:
    """Documentation with its fragments merged in, examples and return values of a module, as ansible-doc shows them."""
    shown = _all_documentation()[f"dataops.upkeep.{name}"]
    return shown["doc"], yaml.safe_load(shown["examples"]), shown["return"]


@functools.cache
def _all_documentation() -> dict[str, dict[str, Any]]:
    names = [f"dataops.upkeep.{name}" for name in MODULES]
    command = ["ansible-doc", "--type", "module", "--json", *names]
    done = subprocess.run(command, env=environment(), capture_output=True, text=True, check=True)
    documented: dict[str, dict[str, Any]] = json.loads(done.stdout)
    return documented


@functools.cache
def imported(name: str) -> ModuleType:
    """The module's Python module."""
    import importlib

    return importlib.import_module(f"{PREFIX}.modules.{name}")


def tree(path: Path) -> ast.Module:
    """The syntax tree of a file."""
    return ast.parse(path.read_text(encoding="utf-8"), str(path))
