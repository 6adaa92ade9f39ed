# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Dependencies point one way, decisions do no I/O, and drivers are imported late."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.contract.catalogue import ROOT, tree

UTILS = ROOT / "plugins/module_utils"
STORES = {"_postgresql", "_mongodb", "_redis"}
INSIDE_STORES = {"_queues": {"_redis", "_postgresql"}}
"""A subject that lives inside a store, and may use that store's client. Queues are kept in Redis, and those of BullMQ 6
in PostgreSQL as well."""
JOINS = {"_backup", "_warm", "_state", "_report", "_alerts"}
DRIVERS = {"psycopg", "pymongo", "bson", "redis", "cryptography", "jinja2", "apprise"}
IMPURE = DRIVERS | {
    "os", "time", "socket", "subprocess", "ssl", "http", "urllib.request", "random", "secrets", "shutil", "threading",
    "tempfile", "io", "asyncio", "multiprocessing", "sqlite3", "glob", "ctypes", "signal",
}  # fmt: skip
IMPURE_CALLS = {"open", "print", "input", "now", "today", "utcnow", "time", "sleep"}
FILES = sorted(UTILS.rglob("*.py"))


def imports(path: Path) -> Iterator[tuple[str, bool]]:
    """Every import of a file: its full name, and whether it happens when the file is imported, types aside."""

    def walk(node: ast.AST, at_import: bool) -> Iterator[tuple[str, bool]]:
        for child in ast.iter_child_nodes(node):
            inside = at_import and not isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
            if isinstance(child, ast.If) and "TYPE_CHECKING" in ast.dump(child.test):
                continue
            if isinstance(child, ast.Import):
                yield from ((alias.name, inside) for alias in child.names)
            elif isinstance(child, ast.ImportFrom):
                yield resolve(child), inside
            yield from walk(child, inside)

    def resolve(node: ast.ImportFrom) -> str:
        if not node.level:
            name = node.module or ""
            return name.split("module_utils.", 1)[1] if "module_utils." in name and "dataops" in name else name
        package = path.relative_to(UTILS).with_suffix("").parts[: -node.level]
        return ".".join([*package, *(node.module or "").split(".")]).rstrip(".")

    return walk(tree(path), True)


def package_of(path: Path) -> str:
    return path.relative_to(UTILS).parts[0]


def relative(path: Path) -> str:
    return str(path.relative_to(UTILS))


@pytest.mark.parametrize("path", FILES, ids=relative)
def test_packages_import_only_what_lies_below_them(path: Path) -> None:
    package = package_of(path)
    for name, _at_import in imports(path):
        target = name.split(".")[0]
        if not target.startswith("_") or target in (package, "__future__"):
            continue
        if package in JOINS:
            assert target == "_core" or target in STORES | set(INSIDE_STORES) | JOINS, (
                f"{relative(path)} imports {name}"
            )
        else:
            allowed = {"_core"} | INSIDE_STORES.get(package, set())
            assert target in allowed, f"{relative(path)} imports {name}"


@pytest.mark.parametrize("path", FILES, ids=relative)
def test_drivers_are_imported_after_the_arguments_were_checked(path: Path) -> None:
    early = [name for name, at_import in imports(path) if at_import and name.split(".")[0] in DRIVERS]
    assert not early, f"{relative(path)} imports {early} as soon as it is imported"


@pytest.mark.parametrize("path", [path for path in FILES if path.name.startswith("decide_")], ids=relative)
def test_decisions_do_no_input_and_output(path: Path) -> None:
    for name, _at_import in imports(path):
        assert name not in IMPURE, f"imports {name}"
        assert name.split(".")[0] not in IMPURE, f"imports {name}"
        last = name.split(".")[-1]
        assert not last.startswith(("client", "observe_", "act_")), f"imports {name}"
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Call):
            called = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            assert called not in IMPURE_CALLS, f"line {node.lineno} calls {called}"


def test_some_decisions_are_held() -> None:
    assert [path for path in FILES if path.name.startswith("decide_")]


@pytest.mark.parametrize("path", FILES, ids=relative)
def test_check_mode_is_known_in_one_place(path: Path) -> None:
    mentions = [node for node in ast.walk(tree(path)) if isinstance(node, ast.Attribute) and node.attr == "check_mode"]
    assert not mentions or relative(path) == "_core/module.py"
