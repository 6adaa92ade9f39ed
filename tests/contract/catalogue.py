# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the contract tests iterate over: every module there is, today's and tomorrow's."""

from __future__ import annotations

import ast
import functools
from pathlib import Path
from types import ModuleType
from typing import Any

import yaml
from ansible.plugins.loader import fragment_loader, init_plugin_loader, module_loader
from ansible.utils.plugin_docs import get_docstring

ROOT = Path(__file__).resolve().parents[2]
MODULES = sorted(path.stem for path in (ROOT / "plugins/modules").glob("*.py") if not path.stem.startswith("_"))
PREFIX = "ansible_collections.dataops.upkeep.plugins"


@functools.cache
def documentation(name: str) -> tuple[dict[str, Any], list[Any], dict[str, Any]]:
    """Documentation with its fragments merged in, examples and return values of a module, parsed."""
    init_plugin_loader([str(ROOT / ".collections")])
    path = module_loader.find_plugin(f"dataops.upkeep.{name}")
    doc, examples, returned, _metadata = get_docstring(path, fragment_loader, collection_name="dataops.upkeep")
    return doc, yaml.safe_load(examples), yaml.safe_load(returned) if isinstance(returned, str) else returned


@functools.cache
def imported(name: str) -> ModuleType:
    """The module's Python module."""
    import importlib

    return importlib.import_module(f"{PREFIX}.modules.{name}")


def tree(path: Path) -> ast.Module:
    """The syntax tree of a file."""
    return ast.parse(path.read_text(encoding="utf-8"), str(path))
